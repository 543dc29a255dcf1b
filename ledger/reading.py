"""Reading the ledger (查账): entries, events and a period's figures. Reading never changes a figure.

Lists go by number, newest first; a page starts where the last one ended, so that it costs the same
however far in it lies.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from piccolo.engine import engine_finder

from engine.account import Account
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.period import Period
from engine.rulebook import VetoRule
from engine.standing import Figures, figures
from ledger.current import Connection, get_current
from ledger.present import read_recorded
from ledger.snapshot import decode_figures

PAGE = 50
LONGEST_PAGE = 500


class CauseView(msgspec.Struct, frozen=True, kw_only=True):
    """What made an entry."""

    act: str
    number: int


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as people and systems read it. ``path`` is from the directly charged to the charged subject."""

    id: int
    kind: str
    source: str | None
    event: str | None
    period: str | None
    rule: str
    version: int
    subject: str
    indicator: str | None
    nominal: Decimal
    posted: Decimal
    booked: date
    cause: CauseView
    path: tuple[str, ...]
    hash: str


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """An event as people and systems read it; instants in the organisation's time zone."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    recorded_at: datetime | None
    received_at: datetime
    matter: str | None
    parties: Mapping[str, Sequence[str]]
    basis: str | None
    data: Mapping[str, Any]
    state: str
    corrects: tuple[str, str] | None
    corrected_by: tuple[str, str] | None
    number: int
    version: int
    booked: date
    hash: str


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; what is left out does not matter. Booking dates are half-open."""

    subject: str | None = None
    rule: str | None = None
    event: str | None = None
    source: str | None = None
    kind: str | None = None
    period: str | None = None
    indicator: str | None = None
    start: date | None = None
    end: date | None = None
    cause: int | None = None


async def list_entries(
    wanted: EntryFilter, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[EntryView], int | None]:
    """A page of entries, newest first, and the number that the next page is before (None: it is the last)."""
    limit = max(1, min(limit, LONGEST_PAGE))
    conditions: list[str] = []
    values: list[Any] = []

    def where(condition: str, value: Any) -> None:
        if value is not None:
            values.append(value)
            conditions.append(condition.replace("?", f"${len(values)}"))

    start, end = wanted.start, wanted.end
    async with reading() as connection:
        if wanted.period is not None:
            period = get_current().bureau.calendar.find(wanted.period)
            start = period.start if start is None else max(start, period.start)
            end = period.end if end is None else min(end, period.end)
        for column in ("subject", "rule", "event", "source", "kind", "indicator", "cause"):
            where(f"{column} = ?", getattr(wanted, column))
        where("booked >= ?", start)
        where("booked < ?", end)
        where("number < ?", before)
        values.append(limit + 1)
        text = f"SELECT * FROM entry{_all(conditions)} ORDER BY number DESC LIMIT ${len(values)}"  # noqa: S608
        rows = await connection.fetch(text, *values)
    found = [view_entry(row) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


async def read_entry(number: int) -> Mapping[str, Any]:
    """An entry's row; Refused where there is none."""
    async with reading() as connection:
        row = await connection.fetchrow("SELECT * FROM entry WHERE number = $1", number)
    if row is None:
        raise Unknown(Finding(message=message("ledger.no_entry", number=number)))
    return dict(row)


async def entries_caused_by(number: int) -> list[EntryView]:
    """The entries that an event or an act made, in order."""
    async with reading() as connection:
        rows = await connection.fetch("SELECT * FROM entry WHERE cause = $1 ORDER BY number", number)
    return [view_entry(row) for row in rows]


async def read_event(key: EventKey) -> EventView:
    """An event, its state, and what corrects it; Refused where it was never recorded."""
    async with reading() as connection:
        row = await connection.fetchrow(
            """
            SELECT e.*, p.source IS NOT NULL AS standing,
                   (SELECT a.content FROM act a WHERE a.kind = 'correction'
                    AND a.content::jsonb -> 'by' = jsonb_build_array(e.source, e.id) LIMIT 1) AS corrects,
                   (SELECT a.content FROM act a WHERE a.kind = 'correction'
                    AND a.content::jsonb -> 'event' = to_jsonb(e.number) LIMIT 1) AS corrected_by
            FROM event e LEFT JOIN present_event p ON p.source = e.source AND p.id = e.id
            WHERE e.source = $1 AND e.id = $2
            """,
            *key,
        )
    if row is None:
        raise Unknown(Finding(message=message("event.unknown", source=key.source, id=key.id)))
    return view_event(row)


class Unknown(Refused):
    """There is no such thing in the ledger."""


def view_entry(row: Mapping[str, Any]) -> EntryView:
    """An entry's row as people and systems read it."""
    hops = msgspec.json.decode(row["detail"])["path"]
    return EntryView(
        id=row["number"],
        kind=row["kind"],
        source=row["source"],
        event=row["event"],
        period=row["period"],
        rule=row["rule"],
        version=row["version"],
        subject=row["subject"],
        indicator=row["indicator"],
        nominal=row["nominal"],
        posted=row["posted"],
        booked=row["booked"],
        cause=CauseView(act=row["cause_act"], number=row["cause"]),
        path=(row["origin_subject"], *(hop["subject"] for hop in hops)) if hops else (row["subject"],),
        hash=row["hash"],
    )


def view_event(row: Mapping[str, Any]) -> EventView:
    """An event's row as people and systems read it."""
    zone = get_current().timezone
    corrects = None if row["corrects"] is None else msgspec.json.decode(row["corrects"])
    corrected_by = None if row["corrected_by"] is None else msgspec.json.decode(row["corrected_by"])
    return EventView(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        subject=row["subject"],
        time=row["time"].astimezone(zone),
        recorded_at=None if row["recorded_at"] is None else row["recorded_at"].astimezone(zone),
        received_at=row["received_at"].astimezone(zone),
        matter=row["matter"],
        parties=msgspec.json.decode(row["parties"]),
        basis=row["basis"],
        data=msgspec.json.decode(row["data"]),
        state="standing" if row["standing"] else "retracted" if corrected_by is None else "corrected",
        corrects=None if corrects is None else (corrects["source"], corrects["id"]),
        corrected_by=None if corrected_by is None else tuple(corrected_by["by"]),
        number=row["number"],
        version=row["version"],
        booked=row["booked"],
        hash=row["hash"],
    )


async def read_account(connection: Connection, bureau: Bureau, period: Period) -> Account:
    """Everything that a period's figures are made of, as the ledger now has it."""
    sums = await connection.fetch(
        """
        SELECT subject, indicator, sum(posted) AS posted,
               coalesce(sum(posted) FILTER (WHERE period = $3), 0) AS own
        FROM entry WHERE booked >= $1 AND booked < $2 GROUP BY subject, indicator
        """,
        period.start,
        period.end,
        period.code,
    )
    account = Account(
        bureau=bureau,
        period=period,
        posted={(row["subject"], row["indicator"]): row["posted"] for row in sums},
        own={(row["subject"], row["indicator"]): row["own"] for row in sums if row["own"]},
        matchers=get_current().direct,
    )
    return msgspec.structs.replace(account, standing=await _telling_events(account, connection))


async def read_figures(
    connection: Connection, bureau: Bureau, period: Period, snapshot: int | None = None
) -> tuple[Figures, int | None]:
    """A period's figures: of a snapshot where one is named, else of the latest while the period is closed, else as it
    stands; and the snapshot's number."""
    row = None
    if snapshot is not None:
        row = await connection.fetchrow(
            "SELECT number, figures FROM snapshot WHERE period = $1 AND number = $2", period.code, snapshot
        )
        if row is None:
            raise Unknown(Finding(message=message("snapshot.unknown", period=period.code, number=snapshot)))
    elif period.state == "closed":
        row = await connection.fetchrow(
            "SELECT number, figures FROM snapshot WHERE period = $1 ORDER BY number DESC LIMIT 1", period.code
        )
    if row is not None:
        return decode_figures(row["figures"]), row["number"]
    return figures(await read_account(connection, bureau, period)), None


async def _telling_events(account: Account, connection: Connection) -> list[Recorded]:
    """The standing events booked in the period that a measure or a veto looks at."""
    rows = await connection.fetch(
        """
        SELECT e.source, e.id, e.type, e.subject, e.time, e.recorded_at, e.matter, e.parties, e.basis, e.data,
               e.number, p.booked
        FROM event e JOIN present_event p ON p.source = e.source AND p.id = e.id
        WHERE e.booked >= $1 AND e.booked < $2 AND e.type = ANY($3)
        """,
        account.period.start,
        account.period.end,
        telling_types(account),
    )
    return [read_recorded(row, account.bureau) for row in rows]


def telling_types(account: Account) -> list[str]:
    """The types of the events that a measure or a veto looks at."""
    types = {
        rule.on
        for version in account.bureau.versions
        for rule in version.rulebook.rules
        if isinstance(rule, VetoRule) and rule.enabled
    }
    if account.version is not None:
        measures = (indicator.measure for indicator in account.version.rulebook.indicators.values())
        types |= {measure.on for measure in measures if measure is not None}
    return sorted(types)


class reading:  # noqa: N801  (reads like a verb where it is used)
    """A connection to read on, with whatever is in force re-read first."""

    async def __aenter__(self) -> Connection:
        engine: Any = engine_finder()
        self._transaction = engine.transaction()
        entered = await self._transaction.__aenter__()
        await get_current().refresh(entered.connection)
        return entered.connection

    async def __aexit__(self, *error: Any) -> None:
        await self._transaction.__aexit__(*error)


def _all(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
