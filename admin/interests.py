"""Own benefit (利益回避): who may not approve a draft, because it changes what their own department, or they, gain or
lose by.

Barred is an approver whose subject, or the unit that this person belongs to today, is the owner of an indicator that
the draft changes, or of one that a changed rule is on or compares; or was charged within the last year by a changed
rule or on a changed indicator. A rule is changed too where one of its limits is. Settings that concern everybody alike
(base, floor, tiers, scorecards, days) bar nobody.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from engine.finding import Refused
from engine.language import Message, message
from ledger.current import get_current
from ledger.reading import reading
from rules.comparison import compare
from rules.document import read_document, write_rulebook
from rules.draft import dated, read_draft
from rules.publishing import in_force

YEAR = timedelta(days=366)

Document = Mapping[str, Any]


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft changes: codes of indicators and rules, and the departments that own what is changed."""

    indicators: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    owners: Mapping[str, str] = {}
    """Department → the code of an indicator of its that is concerned."""


async def touched_by_draft() -> Touched:
    """What the draft changes of the version in force; nothing where it is no rulebook yet."""
    now = datetime.now(UTC)
    tree, held = await read_draft(), await in_force(now)
    try:
        new = write_rulebook(read_document(dated(tree, now)).rulebook)
        old = {} if held is None else write_rulebook(read_document(held[1]).rulebook)
    except Refused:
        return Touched()
    return touched(old, new)


def touched(old: Document, new: Document) -> Touched:
    """What differs between two canonical documents."""
    changes = compare(old, new)
    indicators, rules, limits = (
        frozenset(each.code for each in changes if each.section == section)
        for section in ("indicators", "rules", "limits")
    )
    owners: dict[str, str] = {}
    for document in (old, new):
        declared = document.get("indicators") or {}
        held = [each for each in document.get("rules") or () if limits & set(each.get("limits") or ())]
        rules |= {each["rule"] for each in held}
        named = {code for each in document.get("rules") or () if each["rule"] in rules for code in _named(each)}
        for code in sorted(indicators | named):
            if owner := (declared.get(code) or {}).get("owner"):
                owners.setdefault(owner, code)
    return Touched(indicators=indicators, rules=rules, owners=owners)


async def interest(subject: str, found: Touched) -> Message | None:
    """Why whoever is this subject is no second person for what was changed; None where they are."""
    if not subject:
        return None
    mine = _departments(subject, datetime.now(get_current().timezone).date())
    for code in sorted(mine & found.owners.keys()):
        return message("publish.own_indicator", department=code, indicator=found.owners[code])
    if not (found.rules or found.indicators):
        return None
    async with reading() as connection:
        row = await connection.fetchrow(
            "SELECT subject, rule, number FROM entry"
            " WHERE subject = ANY($1) AND (rule = ANY($2) OR indicator = ANY($3)) AND booked >= $4"
            " ORDER BY number DESC LIMIT 1",
            sorted(mine),
            sorted(found.rules),
            sorted(found.indicators),
            datetime.now(get_current().timezone).date() - YEAR,
        )
    if row is None:
        return None
    return message("publish.own_charge", subject=row["subject"], rule=row["rule"], number=row["number"])


def _departments(subject: str, day: date) -> frozenset[str]:
    """The subject, and the unit that it belongs to on that day."""
    held = get_current().bureau.organisation.subjects.get(subject)
    unit = None if held is None else held.on(day).unit
    return frozenset({subject} if unit is None else {subject, unit})


def _named(rule: Document) -> Iterable[str]:
    """The indicators that a rule is on, or compares."""
    if rule.get("indicator"):
        yield str(rule["indicator"])
    compared = rule.get("differentiation")
    if isinstance(compared, list):
        yield from (str(code) for code in compared)
