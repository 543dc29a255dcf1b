"""Statements of sources (对账单): a source says what it sent on a day, and is told what of it is missing.

Given ids, an event is missing that was never recorded, on whatever day; where it was refused, the latest refusal says
why. Unexpected is what reached us on that day and does not stand on the list. Given a count, that of the day's recorded
events is taken from it; a repetition is no further event. Every statement is kept; the latest one of a day counts.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from admin.receptions import SourceDay, bounds, count, problem_in
from ledger.current import Connection, get_current
from ledger.listing import LONGEST_PAGE, PAGE
from ledger.reading import reading

MOST_IDS = 100_000
"""Ids that a statement lists at most."""
MOST_UNEXPECTED = 10_000
"""Unexpected ids that a statement tells at most; all of them are counted."""

_COLUMNS = (
    "id, at, sender, source, day, recorded, repeated, refused, scored, stated, listed, missing_count, unexpected_count"
)


class RefusedId(msgspec.Struct, frozen=True, kw_only=True):
    """A stated event that was refused, and why."""

    id: str
    status: int
    problem: str


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """A statement: who made it, what was there of that day then, and how many are missing or were not expected.

    ``difference`` is what was stated less what was recorded on the day, and None where ids were listed.
    """

    number: int
    at: datetime
    sender: str
    source: str
    day: date
    received: int
    recorded: int
    repeated: int
    refused: int
    scored: int
    stated: int
    listed: bool
    difference: int | None
    missing_count: int
    unexpected_count: int


class Reconciliation(StatementView, frozen=True, kw_only=True):
    """A statement with its ids: those missing, of these the refused ones as they were refused, and the unexpected."""

    missing: tuple[str, ...]
    refused_ids: tuple[RefusedId, ...]
    unexpected: tuple[str, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The latest statement of a day, and how many are still missing: what came in since is not."""

    statement: StatementView
    still_missing: int


class StatementFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which statements are wanted; what is left out does not matter. Days are half-open."""

    source: str | None = None
    start: date | None = None
    end: date | None = None


async def reconcile(
    source: str, day: date, *, sender: str, english: bool, stated: int | None = None, ids: Sequence[str] = ()
) -> Reconciliation:
    """Hold what a source says that it sent on a day, a count or else ids, to what is there; the statement is kept."""
    async with reading() as connection:
        counts = await count(connection, day, source)
        listed = stated is None
        missing, unexpected = list[str](), list[str]()
        if stated is None:
            ids = tuple(dict.fromkeys(ids))
            stated = len(ids)
            missing = await never_recorded(connection, source, ids)
            unexpected = await _not_listed(connection, source, day, ids)
            over = len(unexpected)
        else:
            over = max(0, counts.recorded - stated)
        row = await connection.fetchrow(
            f"""
            INSERT INTO statement (at, sender, source, day, recorded, repeated, refused, scored, stated, listed,
                                   missing_count, unexpected_count, missing, unexpected)
            VALUES (clock_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            RETURNING {_COLUMNS}, missing, unexpected
            """,  # noqa: S608  (our own words only)
            sender[:100],
            source,
            day,
            counts.recorded,
            counts.repeated,
            counts.refused,
            counts.scored,
            stated,
            listed,
            len(missing) if listed else max(0, stated - counts.recorded),
            over,
            msgspec.json.encode(missing).decode(),
            msgspec.json.encode(unexpected[:MOST_UNEXPECTED]).decode(),
        )
        return await _whole(connection, row, english)


async def read_statement(number: int, *, english: bool) -> Reconciliation | None:
    """A statement with its ids; None where there is none of that number."""
    async with reading() as connection:
        row = await connection.fetchrow("SELECT * FROM statement WHERE id = $1", number)
        return None if row is None else await _whole(connection, row, english)


async def list_statements(
    wanted: StatementFilter, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[StatementView], int | None]:
    """A page of statements, newest first, and the number that the next page is before (None: it is the last)."""
    limit = max(1, min(limit, LONGEST_PAGE))
    given = (wanted.source, wanted.start, wanted.end, before)
    tests = ("source = ?", "day >= ?", "day < ?", "id < ?")
    values: list[Any] = []
    conditions = ["true"]
    for test, value in zip(tests, given, strict=True):
        if value is not None:
            values.append(value)
            conditions.append(test.replace("?", f"${len(values)}"))
    query = f"""
        SELECT {_COLUMNS} FROM statement WHERE {" AND ".join(conditions)} ORDER BY id DESC LIMIT {limit + 1}
    """  # noqa: S608  (our own words only)
    async with reading() as connection:
        rows = await connection.fetch(query, *values)
    found = [StatementView(**_plain(row)) for row in rows[:limit]]
    return found, found[-1].number if len(rows) > limit else None


async def stated_days(connection: Connection, start: date, end: date, source: str | None) -> list[SourceDay]:
    """The days in [start, end) of which a source made a statement."""
    rows = await connection.fetch(
        "SELECT DISTINCT day, source FROM statement WHERE day >= $1 AND day < $2 AND ($3::text IS NULL OR source = $3)",
        start,
        end,
        source,
    )
    return [SourceDay(row["day"], row["source"]) for row in rows]


async def standing_statements(connection: Connection, days: Mapping[SourceDay, int]) -> dict[SourceDay, Standing]:
    """The latest statement of each of these days (with what is recorded of it now), where there is one."""
    rows = await connection.fetch(
        f"""
        WITH latest AS (
            SELECT DISTINCT ON (s.source, s.day) s.*
            FROM unnest($1::date[], $2::text[]) AS wanted (day, source)
            JOIN statement s ON s.source = wanted.source AND s.day = wanted.day
            ORDER BY s.source, s.day, s.id DESC
        )
        SELECT {_COLUMNS},
               (SELECT count(*)::integer FROM jsonb_array_elements_text(missing::jsonb) AS m (id)
                WHERE NOT EXISTS (SELECT FROM event e WHERE e.source = latest.source AND e.id = m.id)) AS still_missing
        FROM latest
        """,  # noqa: S608  (our own words only)
        [key.day for key in days],
        [key.source for key in days],
    )
    found = {}
    for row in rows:
        statement = StatementView(**_plain(row))
        key = SourceDay(statement.day, statement.source)
        still = row["still_missing"] if statement.listed else max(0, statement.stated - days[key])
        found[key] = Standing(statement=statement, still_missing=still)
    return found


async def never_recorded(connection: Connection, source: str, ids: Sequence[str]) -> list[str]:
    """Those of these ids that the ledger does not have, in their order."""
    rows = await connection.fetch(
        """
        SELECT a.id FROM unnest($2::text[]) WITH ORDINALITY AS a (id, place)
        WHERE NOT EXISTS (SELECT FROM event e WHERE e.source = $1 AND e.id = a.id) ORDER BY a.place
        """,
        source,
        ids,
    )
    return [row["id"] for row in rows]


async def _not_listed(connection: Connection, source: str, day: date, ids: Sequence[str]) -> list[str]:
    """The ids that reached us on the day and are none of these."""
    rows = await connection.fetch(
        """
        SELECT id FROM (
            SELECT id::text FROM event WHERE source = $1 AND received_at >= $2 AND received_at < $3
            UNION SELECT event FROM reception WHERE source = $1 AND at >= $2 AND at < $3 AND event <> ''
        ) received
        EXCEPT SELECT unnest($4::text[]) ORDER BY 1
        """,
        source,
        *bounds(day),
        ids,
    )
    return [row["id"] for row in rows]


async def _whole(connection: Connection, row: Mapping[str, Any], english: bool) -> Reconciliation:
    missing = msgspec.json.decode(row["missing"], type=tuple[str, ...])
    refused = await connection.fetch(
        """
        SELECT DISTINCT ON (event) event, status, problem, problem_en FROM reception
        WHERE source = $1 AND event = ANY($2) AND outcome = 'refused' ORDER BY event, id DESC
        """,
        row["source"],
        missing,
    )
    return Reconciliation(
        **_plain(row),
        missing=missing,
        refused_ids=tuple(
            RefusedId(id=each["event"], status=each["status"], problem=problem_in(each, english)) for each in refused
        ),
        unexpected=msgspec.json.decode(row["unexpected"], type=tuple[str, ...]),
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A statement's columns as :class:`StatementView` has them."""
    recorded, repeated, refused = row["recorded"], row["repeated"], row["refused"]
    return {
        "number": row["id"],
        "at": row["at"].astimezone(get_current().timezone),
        "sender": row["sender"],
        "source": row["source"],
        "day": row["day"],
        "received": recorded + repeated + refused,
        "recorded": recorded,
        "repeated": repeated,
        "refused": refused,
        "scored": row["scored"],
        "stated": row["stated"],
        "listed": row["listed"],
        "difference": None if row["listed"] else row["stated"] - recorded,
        "missing_count": row["missing_count"],
        "unexpected_count": row["unexpected_count"],
    }
