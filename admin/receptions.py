"""The log of receptions (接收记录), apart from the ledger: what a source sent and what became of it.

Received (收到) is what was recorded as a new event (入账), what was there already (重复), and what was refused (退回).
What was recorded, and how much of it scored (计分: it has an entry), the ledger itself says; only the rest is noted
here. A day is the organisation's own, and counts what reached us on it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec

from admin.tables import Outcome, Reception
from ledger import clock
from ledger.current import Connection, get_current
from ledger.listing import LONGEST_PAGE, PAGE
from ledger.reading import reading

OK = 200
"""The status with which a repetition is answered."""

_YEARS = range(2000, 3000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"([0-9]{1,17})-([0-9]{1,10})")


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A reception to be noted. ``problem`` says what was wrong, in zh-CN and in English."""

    sender: str
    source: str
    event: str
    outcome: Outcome
    status: int = OK
    problem: tuple[str, str] = ("", "")


class Place(NamedTuple):
    """Where a page of the log begins: before this reception."""

    at: datetime
    id: int

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The place that :meth:`write` wrote; None where it did not."""
        found = _PLACE.fullmatch(text)
        return None if found is None else cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))

    def write(self) -> str:
        """The place as text."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.id}"


class ReceptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A noted reception as people and systems read it; ``recorded``: such an event is in the ledger by now."""

    at: datetime
    sender: str
    source: str
    id: str
    outcome: str
    status: int
    problem: str
    recorded: bool


class ReceptionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which receptions are wanted; what is left out does not matter."""

    source: str | None = None
    day: date | None = None
    outcome: Outcome | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a day brought from a source."""

    recorded: int = 0
    repeated: int = 0
    refused: int = 0
    scored: int = 0

    @property
    def received(self) -> int:
        """All that reached us."""
        return self.recorded + self.repeated + self.refused


class SourceDay(NamedTuple):
    """A day of a source; one that sent without saying who it is has the empty code."""

    day: date
    source: str


async def note(noted: Sequence[Noted]) -> None:
    """Add receptions to the log, in one statement."""
    if not noted:
        return
    await Reception.raw(
        """
        INSERT INTO reception (at, sender, source, event, outcome, status, problem, problem_en)
        SELECT {}, * FROM unnest({}::text[], {}::text[], {}::text[], {}::text[], {}::integer[], {}::text[], {}::text[])
        """,
        clock.now(),
        [each.sender[:100] for each in noted],
        [each.source[:64] for each in noted],
        [each.event[:200] for each in noted],
        [each.outcome.value for each in noted],
        [each.status for each in noted],
        [each.problem[0] for each in noted],
        [each.problem[1] for each in noted],
    )


async def list_receptions(
    wanted: ReceptionFilter, *, english: bool, before: Place | None = None, limit: int = PAGE
) -> tuple[list[ReceptionView], Place | None]:
    """A page of the log, newest first, and the place that the next page begins before (None: it is the last)."""
    limit = max(1, min(limit, LONGEST_PAGE))
    conditions = ["true"]
    values: list[Any] = []

    def where(condition: str, *given: Any) -> None:
        for value in given:
            values.append(value)
            condition = condition.replace("?", f"${len(values)}", 1)
        conditions.append(condition)

    if wanted.source is not None:
        where("r.source = ?", wanted.source)
    if wanted.day is not None:
        where("r.at >= ? AND r.at < ?", *bounds(wanted.day))
    if wanted.outcome is not None:
        conditions.append(f"r.outcome = '{wanted.outcome.value}'")  # as written, so that its own index serves
    if before is not None:
        where("(r.at, r.id) < (?, ?)", *before)
    query = f"""
        SELECT r.*, EXISTS (SELECT FROM event e WHERE e.source = r.source AND e.id = r.event) AS recorded
        FROM reception r WHERE {" AND ".join(conditions)} ORDER BY r.at DESC, r.id DESC LIMIT {limit + 1}
    """  # noqa: S608  (our own words only)
    async with reading() as connection:
        rows = await connection.fetch(query, *values)
    following = Place(rows[limit - 1]["at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    return [_view(row, english) for row in rows[:limit]], following


async def count(connection: Connection, day: date, source: str) -> Counts:
    """What a day brought from a source."""
    found = await _noted(connection, *bounds(day), source)
    scored = await _scored(connection, *bounds(day), [source])
    key = SourceDay(day, source)
    recorded, repeated, refused = found.get(key, (0, 0, 0))
    return Counts(recorded=recorded, repeated=repeated, refused=refused, scored=scored.get(key, 0))


async def count_days(
    connection: Connection, start: date, end: date, *, source: str | None = None, after: SourceDay | None = None,
    limit: int = PAGE, further: Iterable[SourceDay] = (),
) -> tuple[dict[SourceDay, Counts], SourceDay | None]:  # fmt: skip
    """What the days in [start, end) brought, latest day first, by source; ``further`` are told of in any case.

    A page begins after a day of a source; the second value is after which the next one does (None: it is the last).
    """
    last = end if after is None else min(end, after.day + timedelta(days=1))
    found = dict.fromkeys(further, (0, 0, 0)) | await _noted(connection, bounds(start)[0], bounds(last)[0], source)
    keys = sorted(found, key=_rank)
    if after is not None:
        keys = [key for key in keys if _rank(key) > _rank(after)]
    shown = keys[:limit]
    if not shown:
        return {}, None
    between = bounds(shown[-1].day)[0], bounds(shown[0].day)[1]
    scored = await _scored(connection, *between, sorted({key.source for key in shown}))
    counted = {
        key: Counts(recorded=found[key][0], repeated=found[key][1], refused=found[key][2], scored=scored.get(key, 0))
        for key in shown
    }
    return counted, shown[-1] if len(keys) > limit else None


def possible(day: date) -> bool:
    """Whether anything can have been received on a day: far ones have no day before or after."""
    return day.year in _YEARS


def bounds(day: date) -> tuple[datetime, datetime]:
    """The instants between which a day of the organisation lies."""
    zone = get_current().timezone
    first, next_ = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    return first.astimezone(UTC), next_.astimezone(UTC)


def _rank(key: SourceDay) -> tuple[int, str]:
    return -key.day.toordinal(), key.source


async def _noted(
    connection: Connection, start: datetime, end: datetime, source: str | None
) -> dict[SourceDay, tuple[int, int, int]]:
    """Recorded, repeated and refused, by day and source."""
    rows = await connection.fetch(
        """
        SELECT day, source, sum(recorded)::integer, sum(repeated)::integer, sum(refused)::integer
        FROM (
            SELECT (received_at AT TIME ZONE $1)::date AS day, source,
                   count(*) AS recorded, 0 AS repeated, 0 AS refused
            FROM event WHERE received_at >= $2 AND received_at < $3 AND ($4::text IS NULL OR source = $4)
            GROUP BY 1, 2
            UNION ALL
            SELECT (at AT TIME ZONE $1)::date, source, 0,
                   count(*) FILTER (WHERE outcome = 'repeated'), count(*) FILTER (WHERE outcome = 'refused')
            FROM reception WHERE at >= $2 AND at < $3 AND ($4::text IS NULL OR source = $4)
            GROUP BY 1, 2
        ) found GROUP BY day, source
        """,
        get_current().timezone.key,
        start,
        end,
        source,
    )
    return {SourceDay(row["day"], row["source"]): tuple(row)[2:] for row in rows}


async def _scored(connection: Connection, start: datetime, end: datetime, sources: list[str]) -> dict[SourceDay, int]:
    """Of the recorded, those that have an entry, by day and source."""
    rows = await connection.fetch(
        """
        SELECT (e.received_at AT TIME ZONE $1)::date AS day, e.source, count(*)::integer AS scored
        FROM event e
        WHERE e.received_at >= $2 AND e.received_at < $3 AND e.source = ANY($4)
          AND EXISTS (SELECT FROM entry n WHERE n.source = e.source AND n.event = e.id)
        GROUP BY 1, 2
        """,
        get_current().timezone.key,
        start,
        end,
        sources,
    )
    return {SourceDay(row["day"], row["source"]): row["scored"] for row in rows}


def _view(row: Mapping[str, Any], english: bool) -> ReceptionView:
    return ReceptionView(
        at=row["at"].astimezone(get_current().timezone),
        sender=row["sender"],
        source=row["source"],
        id=row["event"],
        outcome=row["outcome"],
        status=row["status"],
        problem=problem_in(row, english),
        recorded=row["recorded"],
    )


def problem_in(row: Mapping[str, Any], english: bool) -> str:
    """What was wrong, in the language of whoever reads it, where it was said in that one."""
    return str((english and row["problem_en"]) or row["problem"])
