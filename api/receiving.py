"""Receiving (接收): what the log of receptions is told of a report that is no new event, and telling it.

A bound key speaks for its source only, so whatever it names is noted under that one. The log is apart from the ledger:
where it cannot be written, the sender is answered all the same.
"""

import logging
from collections.abc import Mapping, Sequence

import asyncpg

from admin import receptions
from admin.receptions import Noted
from admin.tables import Outcome
from api.problems import problem_of
from engine.event import MANUAL
from engine.language import Language
from engine.report import Report
from engine.scalar import Raw

LONGEST = 4_000
"""Characters of what was wrong that are noted at most."""

_log = logging.getLogger("jikao.api")


def refusal(sender: str, bound: str | None, tree: Raw, error: BaseException) -> Noted:
    """A report that was refused; ``tree`` is the report as far as it could be read, None where it could not."""
    named = tree if isinstance(tree, Mapping) else None
    source = bound or ("" if named is None else str(named.get("source") or MANUAL))
    return Noted(
        sender=sender,
        source=_storable(source),
        event="" if named is None else _storable(str(named.get("id") or "")),
        outcome=Outcome.refused,
        status=problem_of(error, "zh-CN").status,
        problem=(_faults(error, "zh-CN"), _faults(error, "en")),
    )


def repetition(sender: str, report: Report) -> Noted:
    """A report of an event that was there already."""
    return Noted(sender=sender, source=report.source, event=report.id, outcome=Outcome.repeated)


async def note(noted: Sequence[Noted]) -> None:
    """Note receptions, in one statement; none where there are none."""
    try:
        await receptions.note(noted)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        _log.exception("%s receptions could not be noted", len(noted))


def _faults(error: BaseException, language: Language) -> str:
    problem = problem_of(error, language)
    faults = [f"{fault.pointer} {fault.message}".strip() for fault in problem.errors] or [problem.detail]
    return _storable("\n".join(faults))[:LONGEST]


def _storable(given: str) -> str:
    return given.replace("\0", "").encode("utf-8", "replace").decode()
