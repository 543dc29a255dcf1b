"""Acts as people read them (管理行为登记): who decided what, when and why, and what it made of the ledger."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.finding import Finding
from engine.language import message
from ledger.current import Connection, get_current
from ledger.listing import LONGEST_PAGE, PAGE
from ledger.reading import Unknown, reading
from ledger.tables import ActKind

MOST_COUNTED = 1_000
"""Entries of an act that are counted at most; beyond it is only said that there are more."""


class ActLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted, when and why. ``reason`` is empty where none was given; ``removed``: an act has removed it since."""

    number: int
    kind: str
    at: datetime
    actor: str
    reason: str
    removed: bool


class ActView(ActLine, frozen=True, kw_only=True):
    """An act. ``content`` is what was decided: as it was recorded, in a list without what is long in it.

    ``hash`` is its link of the chain.
    """

    content: Mapping[str, Any]
    hash: str


class ActFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts are wanted; instants are half-open."""

    kind: str | None = None
    actor: str | None = None
    start: datetime | None = None
    end: datetime | None = None


_LINE = "a.number, a.kind, a.at, a.actor, coalesce(r.text, a.reason) AS reason, r.removed_by IS NOT NULL AS removed"
_FROM = "FROM act a LEFT JOIN remark r ON r.hash = a.remark"
_BRIEF = """
    CASE a.kind
    WHEN 'settlement' THEN json_build_object('period', a.content::json -> 'period',
                                             'through', a.content::json -> 'through')::text
    WHEN 'organisation' THEN json_build_object('since', a.content::json -> 'since',
                                               'revision', a.content::json -> 'revision')::text
    WHEN 'periods' THEN json_build_object('count', json_array_length(a.content::json -> 'periods'))::text
    ELSE a.content END AS content
"""


async def list_acts(
    wanted: ActFilter, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[ActView], int | None]:
    """A page of acts, newest first, and the number that the next page is before (None: it is the last)."""
    limit = max(1, min(limit, LONGEST_PAGE))
    conditions, values = ["true"], list[Any]()
    for condition, value in (
        ("a.kind = ?", wanted.kind),
        ("a.actor = ?", wanted.actor),
        ("a.at >= ?", wanted.start),
        ("a.at < ?", wanted.end),
        ("a.number < ?", before),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.replace("?", f"${len(values)}"))
    where = " AND ".join(conditions)
    text = f"SELECT {_LINE}, {_BRIEF}, a.hash {_FROM} WHERE {where} ORDER BY a.number DESC LIMIT {limit + 1}"
    async with reading() as connection:
        rows = [] if wanted.kind not in (None, *ActKind) else await connection.fetch(text, *values)
    found = [view_act(row) for row in rows[:limit]]
    return found, found[-1].number if len(rows) > limit else None


async def read_act(number: int) -> ActView:
    """An act. Unknown where there is none of that number."""
    async with reading() as connection:
        row = await connection.fetchrow(
            f"SELECT {_LINE}, a.content, a.hash {_FROM} WHERE a.number = $1",
            number,
        )
    if row is None:
        raise Unknown(Finding(message=message("ledger.no_act", number=number)))
    return view_act(row)


async def acts_numbered(connection: Connection, numbers: Iterable[int]) -> dict[int, ActLine]:
    """The acts among these numbers of the chain, without what they decided."""
    rows = await connection.fetch(
        f"SELECT {_LINE} {_FROM} WHERE a.number = ANY($1::bigint[])",
        sorted(set(numbers)),
    )
    return {row["number"]: ActLine(**_told(row)) for row in rows}


async def count_changes(connection: Connection, cause: int) -> int:
    """How many entries an event or an act made; one more than is counted where there are more."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM (SELECT FROM entry WHERE cause = $1 LIMIT {MOST_COUNTED + 1}) made",  # noqa: S608
        cause,
    )
    return found


def view_act(row: Mapping[str, Any]) -> ActView:
    """An act's row as people and systems read it."""
    return ActView(**_told(row), content=msgspec.json.decode(row["content"]), hash=row["hash"])


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": row["number"],
        "kind": row["kind"],
        "at": row["at"].astimezone(get_current().timezone),
        "actor": row["actor"],
        "reason": row["reason"] or "",
        "removed": row["removed"],
    }
