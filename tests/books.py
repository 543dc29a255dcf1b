"""What must hold of a ledger on PostgreSQL, whatever happened to it: the chain, and the tables of the present."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from engine.amount import ZERO
from engine.book import Sheet
from engine.charge import ChargeKey
from engine.event import EventKey
from engine.lateness import unfinished
from engine.recurrence import recurrence_of
from engine.register import Register
from engine.turn import order_of
from ledger.chain import link
from ledger.journal import ACT_COLUMNS, ENTRY_COLUMNS, EVENT_COLUMNS
from ledger.pending import digest

Records = Sequence[Mapping[str, Any]]


async def check_chain(connection: asyncpg.Connection, since: int = 0, before: str = "") -> Records:
    """The records after a number: each is bound to the one before it, without a gap, and the head is that of the last;
    no event is there without a cause for each of its entries, nor an entry without what caused it."""
    records: list[dict[str, Any]] = []
    for table, columns in (("event", EVENT_COLUMNS), ("entry", ENTRY_COLUMNS), ("act", ACT_COLUMNS)):
        rows = await connection.fetch(f"SELECT * FROM {table} WHERE number > $1", since)
        records += [{"record": table, **{name: row[name] for name in columns}} for row in rows]
    records.sort(key=lambda record: record["number"])
    kinds: dict[int, str] = {}
    for number, record in enumerate(records, since + 1):
        assert record["number"] == number, record
        before = link(before, record)
        assert record["hash"] == before, record
        if record["record"] == "entry":
            assert kinds[record["cause"]] == record["cause_act"], record
        else:
            kinds[number] = record.get("kind", "event")
    head = await connection.fetchrow("SELECT length, hash FROM ledger_head")
    assert tuple(head) == (since + len(records), before), "the head is not that of the last record"
    return records


def key_of(entry: Mapping[str, Any]) -> ChargeKey:
    """The charge that an entry's row belongs to."""
    origin = (entry["origin_rule"], entry["origin_subject"])
    return ChargeKey(entry["source"] or "", entry["event"] or entry["period"], *origin, entry["rule"], entry["subject"])


def add_up(records: Records) -> dict[ChargeKey, Decimal]:
    """The sums of what was posted."""
    sums: dict[ChargeKey, Decimal] = defaultdict(lambda: ZERO)
    for record in records:
        if record["record"] == "entry":
            sums[key_of(record)] += record["posted"]
    return sums


async def check_present(connection: asyncpg.Connection, register: Register) -> None:
    """The tables of the present hold what a register that lived through the same holds, no more and no less."""
    await _check_events(connection, register)
    read, sheets = connection.fetch, register.book.sheets
    found = [msgspec.json.decode(row["content"], type=Sheet) for row in await read("SELECT content FROM present_sheet")]
    assert {sheet.lot: _now(sheet) for sheet in found} == {lot: _now(sheet) for lot, sheet in sheets.items()}
    assert len(found) == len(sheets)
    takings = [
        (*window, taking.turn, taking.taken, *taking.lot) for each in sheets.values() for window, taking in each.takings
    ]
    columns = "limit_code, span, subject, sign, turn, taken, source, id, rule, compared"
    assert await _rows(connection, "present_taking", columns) == Counter(takings)
    used: dict[tuple[Any, ...], Decimal] = defaultdict(lambda: ZERO)
    for taking in takings:
        used[taking[:4]] += taking[5]
    rooms = await read("SELECT limit_code, span, subject, sign, used FROM present_room WHERE used <> 0")
    assert {tuple(row)[:4]: row["used"] for row in rooms} == {window: each for window, each in used.items() if each}
    claims = [
        (*matter, claim.size, claim.order, claim.rule, *claim.key.event)
        for each in sheets.values()
        for matter, claim in each.claims
    ]
    columns = "subject, matter, sign, size, place, rule, source, id"
    assert await _rows(connection, "present_claim", columns) == Counter(claims)
    recurrences = [
        (digest(recurrence), order_of(recorded.event), *recorded.event.key)
        for recorded in register.book.events.values()
        for same in register.bureau.repeats(recorded.event.type)
        if (recurrence := recurrence_of(recorded.event, same)) is not None
    ]
    assert await _rows(connection, "present_recurrence", "digest, place, source, id") == Counter(recurrences)


def _now(sheet: Sheet) -> Sheet:
    """The sheet without what is told as it was when the lot was last looked at: who else was in its way."""
    postings = tuple(
        msgspec.structs.replace(each, superseded_by=each.superseded_by and each.charge.key, rooms=())
        for each in sheet.postings
    )
    return msgspec.structs.replace(sheet, postings=postings)


async def _check_events(connection: asyncpg.Connection, register: Register) -> None:
    rows = await connection.fetch(
        "SELECT p.*, e.number AS recorded FROM present_event p JOIN event e ON (e.source, e.id) = (p.source, p.id)"
    )
    found = {EventKey(row["source"], row["id"]): row for row in rows}
    assert found.keys() == register.book.events.keys()
    for key, recorded in register.book.events.items():
        version = register.bureau.version_at(recorded.event.time)
        assert version is not None
        grows = unfinished(recorded.event, version.rulebook.event_types[recorded.event.type])
        row = found[key]
        expected = (row["recorded"], register.bureau.day(recorded.event.time), recorded.booked, grows)
        assert (row["number"], row["day"], row["booked"], row["grows"]) == expected, key


async def _rows(connection: asyncpg.Connection, table: str, columns: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in await connection.fetch(f"SELECT {columns} FROM {table}"))
