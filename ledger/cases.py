"""Cases (申诉案件): appeals as people and systems read them, and the register of all of them (申诉台账).

Grounds, answers and reasons are read from beside the chain; where a text or a file was removed, the number of the
act that removed it stands in its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from engine.finding import Finding
from engine.language import message
from ledger.appeals import OPEN, Case, find_case, find_entry
from ledger.current import Connection, get_current
from ledger.listing import PAGE
from ledger.reading import EntryView, Unknown, reading, view_entry
from ledger.windows import find_windows, today


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a case: its act, when, by whom, and what was written; ``removed`` is the act that removed the text."""

    act: int
    at: datetime
    by: str
    text: str
    removed: int | None


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment; ``size`` in bytes. ``removed`` is the act that removed it; then it has no name."""

    hash: str
    name: str | None
    media_type: str
    size: int
    removed: int | None


class CarriedOut(msgspec.Struct, frozen=True, kw_only=True):
    """An act that a decision carried out: a retraction, a correction, a settlement."""

    act: int
    kind: str
    source: str | None = None
    id: str | None = None
    by: tuple[str, str] | None = None
    period: str | None = None


class LastStep(msgspec.Struct, frozen=True, kw_only=True):
    """The latest step of a case."""

    act: int
    at: datetime
    by: str


class AppealRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the register. ``until`` is the last day of the entry's window, ``days_left`` the days after today.

    Both are None where the window has no end, or is none any more; ``open``: the entry may be appealed today.
    """

    number: int
    entry: int
    subject: str
    source: str | None
    event: str | None
    rule: str
    posted: Decimal
    booked: date
    period: str
    state: str
    on_behalf: bool
    lodged_at: datetime
    lodged_by: str
    last: LastStep
    until: date | None
    days_left: int | None
    open: bool


class AppealView(AppealRow, frozen=True, kw_only=True):
    """A case, whole."""

    grounds: StepView
    attachments: tuple[FileView, ...]
    answer: StepView | None
    decision: StepView | None
    withdrawal: StepView | None
    acts: tuple[CarriedOut, ...]
    entries: tuple[EntryView, ...]


class AppealFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases are wanted; ``state`` may also be ``open``. What is left out does not matter."""

    state: str | None = None
    subject: str | None = None
    period: str | None = None
    entry: int | None = None
    source: str | None = None


async def list_appeals(
    wanted: AppealFilter, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[AppealRow], int | None]:
    """A page of cases, newest first, and the number that the next page is before (None: it is the last)."""
    conditions, values = ["true"], list[Any]()

    def where(condition: str, value: Any) -> None:
        if value is not None:
            values.append(value)
            conditions.append(condition.replace("?", f"${len(values)}"))

    states = None if wanted.state is None else sorted(OPEN) if wanted.state == "open" else [wanted.state]
    where("p.state = ANY(?)", states)
    where("p.subject = ?", wanted.subject)
    where("p.period = ?", wanted.period)
    where("p.entry = ?", wanted.entry)
    where("e.source = ?", wanted.source)
    where("p.number < ?", before)
    values.append(limit + 1)
    query = f"{_CASES} WHERE {' AND '.join(conditions)} ORDER BY p.number DESC LIMIT ${len(values)}"
    async with reading() as connection:
        rows = await connection.fetch(query, *values)
        found = await _rows(connection, rows[:limit])
    return found, found[-1].number if len(rows) > limit else None


async def read_appeal(number: int) -> AppealView:
    """A case. Unknown where there is none of that number."""
    async with reading() as connection:
        case = await find_case(connection, number)
        row = (await _rows(connection, await connection.fetch(f"{_CASES} WHERE p.number = $1", number)))[0]
        steps = await _steps(connection, (number, case.answer, case.decision, case.withdrawal))
        acts = await _carried_out(connection, number)
        entries = await connection.fetch(
            "SELECT * FROM entry WHERE cause = ANY($1) ORDER BY number", [each.act for each in acts]
        )
        return AppealView(
            **msgspec.structs.asdict(row),
            grounds=steps[number],
            attachments=tuple(await _files(connection, number)),
            answer=steps.get(case.answer),
            decision=steps.get(case.decision),
            withdrawal=steps.get(case.withdrawal),
            acts=tuple(acts),
            entries=tuple(view_entry(each) for each in entries),
        )


async def read_case(number: int) -> tuple[Case, Mapping[str, Any]]:
    """A case as it stands, and the row of its entry. Unknown where there is none of that number."""
    async with reading() as connection:
        case = await find_case(connection, number)
        return case, await find_entry(connection, case.entry)


async def read_file(number: int, hashed: str) -> Mapping[str, Any]:
    """The row of an attachment of a case, with its content. Unknown where the case has none of that hash."""
    async with reading() as connection:
        await find_case(connection, number)
        if hashed not in await _hashes(connection, number):
            raise Unknown(Finding(message=message("attachment.unknown")))
        row = await connection.fetchrow("SELECT * FROM attachment WHERE hash = $1", hashed)
    if row["removed_by"] is not None:
        raise Unknown(Finding(message=message("remark.removed", number=row["removed_by"])))
    return dict(row)


async def appeals_behind(connection: Connection, acts: Iterable[int]) -> dict[int, int]:
    """Of these acts those that carried out the decision of an appeal: the act's number → the case's."""
    rows = await connection.fetch(
        "SELECT number, (content::jsonb ->> 'appeal')::bigint AS appeal FROM act"
        " WHERE number = ANY($1) AND content::jsonb ? 'appeal'",
        sorted(set(acts)),
    )
    return {row["number"]: row["appeal"] for row in rows}


_CASES = """
SELECT p.*, e.source, e.event, e.rule, e.posted, e.booked, a.at AS lodged_at, a.actor AS lodged_by,
       l.number AS last_act, l.at AS last_at, l.actor AS last_by
FROM appeal p JOIN entry e ON e.number = p.entry JOIN act a ON a.number = p.number
JOIN act l ON l.number = greatest(p.number, p.answer, p.decision, p.withdrawal)
"""


async def _rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[AppealRow]:
    zone, day = get_current().timezone, today()
    windows = await find_windows(connection, [{"number": row["entry"], "booked": row["booked"]} for row in rows])
    found = []
    for row in rows:
        window = windows.get(row["entry"])
        found.append(
            AppealRow(
                number=row["number"],
                entry=row["entry"],
                subject=row["subject"],
                source=row["source"],
                event=row["event"],
                rule=row["rule"],
                posted=row["posted"],
                booked=row["booked"],
                period=row["period"],
                state=row["state"],
                on_behalf=row["on_behalf"],
                lodged_at=row["lodged_at"].astimezone(zone),
                lodged_by=row["lodged_by"],
                last=LastStep(act=row["last_act"], at=row["last_at"].astimezone(zone), by=row["last_by"]),
                until=None if window is None else window.until,
                days_left=None if window is None else window.days_left(day),
                open=window is not None and window.contains(day),
            )
        )
    return found


async def _steps(connection: Connection, numbers: Iterable[int | None]) -> dict[int | None, StepView]:
    rows = await connection.fetch(
        """
        SELECT a.number, a.at, a.actor, coalesce(r.text, a.reason) AS text, r.removed_by
        FROM act a LEFT JOIN remark r ON r.hash = a.remark WHERE a.number = ANY($1)
        """,
        [number for number in numbers if number is not None],
    )
    zone = get_current().timezone
    return {
        row["number"]: StepView(
            act=row["number"],
            at=row["at"].astimezone(zone),
            by=row["actor"],
            text=row["text"],
            removed=row["removed_by"],
        )
        for row in rows
    }


async def _hashes(connection: Connection, number: int) -> list[str]:
    content = await connection.fetchval("SELECT content FROM act WHERE number = $1", number)
    return list(msgspec.json.decode(content)["attachments"])


async def _files(connection: Connection, number: int) -> list[FileView]:
    rows = await connection.fetch(
        """
        SELECT f.hash, f.name, f.media_type, f.size, f.removed_by AS removed
        FROM unnest($1::text[]) WITH ORDINALITY AS asked (hash, place) JOIN attachment f ON f.hash = asked.hash
        ORDER BY asked.place
        """,
        await _hashes(connection, number),
    )
    return [FileView(**dict(row)) for row in rows]


async def _carried_out(connection: Connection, number: int) -> list[CarriedOut]:
    rows = await connection.fetch(
        """
        SELECT number, kind, content FROM act
        WHERE content::jsonb ? 'appeal' AND (content::jsonb ->> 'appeal')::bigint = $1 AND kind <> 'appeal'
        ORDER BY number
        """,
        number,
    )
    found = []
    for row in rows:
        content = msgspec.json.decode(row["content"])
        by = content.get("by")
        found.append(
            CarriedOut(
                act=row["number"],
                kind=row["kind"],
                source=content.get("source"),
                id=content.get("id"),
                by=None if by is None else (by[0], by[1]),
                period=content.get("period"),
            )
        )
    return found
