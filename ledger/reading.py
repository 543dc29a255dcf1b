"""Reading the ledger (查账): one entry, one event, a period's figures. Reading never changes a figure."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from piccolo.engine import engine_finder

from engine.account import Account
from engine.bureau import Bureau
from engine.charge import Hop, Recorded
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.period import Period
from engine.rulebook import VetoRule
from engine.standing import Figures, figures
from ledger.current import Connection, get_current
from ledger.present import read_recorded
from ledger.snapshot import decode_figures


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
    """An event as people and systems read it; instants in the organisation's time zone.

    ``corrects`` and ``corrected_by`` are keys of events; ``withdrawn_by`` is the act that withdrew it.
    """

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
    withdrawn_by: int | None
    number: int
    version: int
    booked: date
    hash: str


async def read_entry(number: int) -> Mapping[str, Any]:
    """An entry's row; Refused where there is none."""
    async with reading() as connection:
        row = await connection.fetchrow("SELECT * FROM entry WHERE number = $1", number)
    if row is None:
        raise Unknown(Finding(message=message("ledger.no_entry", number=number)))
    return dict(row)


async def read_event(key: EventKey) -> EventView:
    """An event, its state, and what corrects it; Unknown where it was never recorded."""
    async with reading() as connection:
        return view_event(await find_event(connection, key))


async def find_event(connection: Connection, key: EventKey) -> Mapping[str, Any]:
    """An event's row with its state and what it is linked to, by index alone. Unknown where it was never recorded.

    ``corrects`` and ``corrected_by`` are the contents of the acts: the act of a correction stands just before the
    event that it recorded, and the one that withdrew the event is found by the event's number.
    """
    row = await connection.fetchrow(
        """
        SELECT e.*, p.source IS NOT NULL AS standing,
               (SELECT a.content FROM act a WHERE a.number = e.number - 1 AND a.kind = 'correction') AS corrects
        FROM event e LEFT JOIN present_event p ON p.source = e.source AND p.id = e.id
        WHERE e.source = $1 AND e.id = $2
        """,
        *key,
    )
    if row is None:
        raise Unknown(Finding(message=message("event.unknown", source=key.source, id=key.id)))
    act = None if row["standing"] else await find_withdrawal(connection, row["number"])
    return {
        **row,
        "withdrawn_by": None if act is None else act["number"],
        "corrected_by": act["content"] if act is not None and act["kind"] == "correction" else None,
    }


async def find_withdrawal(connection: Connection, event: int) -> Mapping[str, Any] | None:
    """The act that withdrew the event of that number."""
    found: Mapping[str, Any] | None = await connection.fetchrow(
        "SELECT number, kind, content FROM act WHERE kind IN ('retraction', 'correction')"
        " AND content::jsonb -> 'event' = to_jsonb($1::bigint)",
        event,
    )
    return found


class Unknown(Refused):
    """There is no such thing in the ledger."""


class _Travelled(msgspec.Struct, gc=False):
    """Of the arithmetic of an entry its path only."""

    path: tuple[Hop, ...] = ()


_travelled = msgspec.json.Decoder(_Travelled).decode


def view_entry(row: Mapping[str, Any]) -> EntryView:
    """An entry's row as people and systems read it."""
    hops = _travelled(row["detail"]).path
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
        path=(row["origin_subject"], *(hop.subject for hop in hops)) if hops else (row["subject"],),
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
        withdrawn_by=row["withdrawn_by"],
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
    return await asyncio.to_thread(figures, await read_account(connection, bureau, period)), None


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
