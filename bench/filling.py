"""A ledger of so many events, filled fast, for whatever is measured on a long one.

The rows are those that the desk writes: it is the desk that admits, plans, chains and writes them, only that it
finds the present in memory instead of asking the database, which it may because every event comes in order. Before
it is relied on, a short ledger is filled both ways and compared row by row. Run: ``python -m bench.filling``.
"""

import random
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import anyio
import asyncpg
from piccolo.engine import engine_finder

from api.database import pooled
from api.embedded import Cluster, Database, throwaway
from api.migrating import migrate
from engine.book import Book, Lot, Sheet, Taking
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import Event, EventKey
from engine.limits import Window
from engine.matters import Claim, Matter
from engine.organisation import TIMEZONE
from engine.recurrence import Recurrence, recurrence_of
from engine.report import Report, parse_report
from engine.turn import order_of
from ledger import acts, settling
from ledger.current import Current, use_current
from ledger.desk import Desk, open_desk
from ledger.pending import Pending, digest
from ledger.present import USERS, Present
from rules.document import read_rulebook
from rules.roster import read_periods, read_relations, read_subjects
from rules.tree import load_yaml

COMPARED, COMPARED_DAYS = 3_000, 6
CHUNK = 20_000
DAYS = 364
UNITS, PEOPLE = 60, 600
KEPT = timedelta(days=2)
"""How long ago an event may lie that a new one changes: matters come up again within that time only."""

WORLD = """
rulebook: year
effective: 2026-01-01T00:00:00+08:00
joint: {depth: 1}
event_types:
  notice:
    fields:
      level: {type: choice, required: true, choices: {state: 总局, province: 省局, city: 市局, county: 县局}}
      area: {type: choice, choices: {revenue: 税收, service: 服务, data: 数据}}
      note: {type: text}
  task:
    fields:
      due: {type: date, required: true}
      done: {type: date}
      late: {type: integer, days_late: {due: due, done: done}}
      title: {type: text}
  absence: {fields: {times: {type: integer, required: true}, meeting: {type: text}}}
  praise: {fields: {level: {type: choice, choices: {province: 省局, city: 市局}}, title: {type: text}}}
  visit: {fields: {hall: {type: text}, minutes: {type: integer}}}
  survey: {fields: {rate: {type: decimal, required: true}}}
  grave: {fields: {}}
limits:
  month: {sign: deduction, per: month, max: 400.00}
  quarter: {sign: deduction, per: quarter, max: 900.00}
  praise-year: {sign: bonus, per: year, max: 50.00}
indicators:
  I-SAT: {title: 满意率, full: 10, owner: U0, measure: {on: survey, field: rate, method: bands,
          bands: [[98, 10], [95, 8], [90, 6]]}}
  I-TASK: {title: 督办, full: 20, owner: U1}
rules:
  - {rule: K01, on: notice, when: level == "state", points: -2.00, limits: [month]}
  - {rule: K02, on: notice, when: level == "province", points: -1.00, matter: highest, limits: [month]}
  - {rule: K03, on: notice, when: level == "city", points: -0.50, matter: highest, limits: [month],
     factors: [{title: 重复, repeat: {within_days: 30, same: [area]}, by: 2}]}
  - {rule: K04, on: notice, when: area == "data" and level == "county", points: -0.10}
  - {rule: K05, on: task, when: late > 0, indicator: I-TASK, max: 2.00, limits: [month],
     points: {field: late, progressive: [[3, -0.10], [null, -0.20]]}}
  - {rule: K06, on: absence, points: -0.10, times: times}
  - {rule: K07, on: praise, when: level == "province", points: 0.50, limits: [praise-year]}
  - {rule: K08, on: praise, when: level == "city", points: 0.20, limits: [praise-year]}
  - {rule: J01, joint: lead_dept, of: [K01, K02, K03], share: 0.30, limits: [quarter]}
  - {rule: J02, joint: principal, of: [K01, K02, K03], share: 0.50, limits: [quarter]}
  - {rule: V01, veto: total, on: grave, to: 60}
  - {rule: D01, differentiation: [I-SAT], among: group, per: quarter,
     undifferentiated: {when: {range_below: 0.10}, charge: owner, points: -0.40}}
  - {rule: P01, progress: total, among: group, per: quarter, points: 0.10, max: 0.50}
"""
MIX = {"visit": 7.8, "task": 18, "notice": 32, "absence": 28, "praise": 14, "survey": 0.2}


def subjects() -> list[Any]:
    """Units and their people."""
    units: list[Any] = [{"code": f"U{n}", "kind": "unit", "group": f"g{n % 3}"} for n in range(UNITS)]
    people = [{"code": f"P{n}", "kind": "person", "group": "staff", "unit": f"U{n % UNITS}"} for n in range(PEOPLE)]
    return units + people


def relations() -> list[Any]:
    """Each unit has a lead department and a principal."""
    led = [{"subject": f"U{n}", "relation": "lead_dept", "answers": f"U{(n + 1) % UNITS}"} for n in range(UNITS)]
    return led + [{"subject": f"U{n}", "relation": "principal", "answers": f"P{n}"} for n in range(UNITS)]


def periods() -> list[Any]:
    """Months, quarters and the year."""
    starts = [f"2026-{month:02d}-01" for month in range(1, 13)] + ["2027-01-01"]
    found: list[Any] = [{"code": "2026", "kind": "year", "from": starts[0], "to": starts[12]}]
    found += [{"code": start[:7], "kind": "month", "from": start, "to": end} for start, end in pairwise(starts)]
    found += [
        {"code": f"2026-Q{n // 3 + 1}", "kind": "quarter", "from": starts[n], "to": starts[n + 3]}
        for n in range(0, 12, 3)
    ]
    return found


def reports(count: int, days: int = DAYS) -> Iterator[Report]:
    """So many events of the first days of 2026 in their order."""
    rng = random.Random(2026)
    step = timedelta(seconds=days * 86_400 / count)
    for number in range(count):
        yield _report(rng, number, datetime(2025, 12, 31, 16, tzinfo=UTC) + number * step)


def _report(rng: random.Random, number: int, at: datetime) -> Report:
    kind = rng.choices(list(MIX), list(MIX.values()))[0]
    unit = kind in ("notice", "survey") or rng.random() < 0.2
    data: dict[str, Any]
    match kind:
        case "notice":
            level = rng.choices(["state", "province", "city", "county"], [2, 8, 40, 50])[0]
            note = "经核实，该事项未按规定时限办理，已责成主办部门整改并报送书面说明。"
            data = {"level": level, "area": rng.choice(["revenue", "service", "data"]), "note": note}
        case "task":
            due = at.date() - timedelta(days=rng.randrange(8))
            done = due + timedelta(days=rng.randrange(-2, 8) if rng.random() < 0.6 else -1)
            data = {"due": due.isoformat(), "done": done.isoformat(), "title": f"督办事项第{number}号"}
            if rng.random() < 0.0005:
                del data["done"]
        case "absence":
            data = {"times": rng.randrange(1, 3), "meeting": "局务会"}
        case "praise":
            data = {"level": rng.choice(["province", "city"]), "title": "先进典型材料被采用"}
        case "survey":
            data = {"rate": f"{rng.randrange(8800, 10001) / 100:.2f}"}
        case _:
            data = {"hall": f"第{rng.randrange(9)}办税厅", "minutes": rng.randrange(3, 60)}
    raw = {
        "id": f"E-2026-{number:07d}",
        "source": f"system{rng.randrange(5)}",
        "type": kind,
        "subject": f"U{rng.randrange(UNITS)}" if unit else f"P{rng.randrange(PEOPLE)}",
        "time": at.isoformat(),
        "basis": f"县局通报〔2026〕{number % 400}号" if kind == "notice" else None,
        "matter": f"M-{at:%j}-{rng.randrange(40)}" if kind == "notice" else None,
        "data": data,
    }
    return parse_report({key: value for key, value in raw.items() if value is not None})


class Recent(Present):
    """The present of events that come in order: what may still change is held, the rest is written and forgotten."""

    def __init__(self, connection: Any, bureau: Bureau) -> None:
        super().__init__(connection, bureau)
        self._recording: list[tuple[Any, ...]] = []
        self._recurrence_rows: list[tuple[Any, ...]] = []
        self._order: list[EventKey] = []

    def recorded(self, key: EventKey) -> Recorded | None:
        return Book.recorded(self, key)

    def sheet(self, lot: Lot) -> Sheet | None:
        return Book.sheet(self, lot)

    def recalled(self, recurrence: Recurrence, before: str) -> Event | None:
        return Book.recalled(self, recurrence, before)

    def recalling(self, recurrence: Recurrence, after: str) -> Sequence[Event]:
        return Book.recalling(self, recurrence, after)

    def leading(self, matter: Matter, without: Collection[Lot]) -> Claim | None:
        return Book.leading(self, matter, without)

    def used(self, window: Window) -> Decimal:
        return Book.used(self, window)

    def takings(self, window: Window, start: str) -> Sequence[Taking]:
        return Book.takings(self, window, start)

    def users(self, window: Window, before: str) -> list[Any]:
        return super().users(window, before) if window in self._takings else []

    def keep(self, recorded: Iterable[Recorded], withdrawn: Iterable[EventKey], sheets: Mapping[Lot, Sheet]) -> None:
        recorded = list(recorded)
        for each in recorded:
            event = each.event
            self._order.append(event.key)
            grows = event.type == "task" and "done" not in event.data
            day = self.bureau.day(event.time)
            self._recording.append((*event.key, each.number, event.type, day, event.time, each.booked, grows))
        Book.keep(self, recorded, withdrawn, sheets)

    def _replace(self, lot: Lot, sheet: Sheet) -> None:
        Book._replace(self, lot, sheet)

    def _recurrences(self, event: Event) -> Iterable[Recurrence]:
        found = (recurrence_of(event, same) for same in self.bureau.repeats(event.type))
        return [each for each in found if each is not None]

    async def flush(self) -> None:
        """Nothing is written before it is forgotten."""

    async def forget(self, until: datetime | None) -> None:
        """Write what lies before an instant (None: everything), and keep of it only what later events ask for."""
        bound = next(
            (place for place, key in enumerate(self._order) if until and self.events[key].event.time >= until),
            len(self._order),
        )
        gone, self._order = self._order[:bound], self._order[bound:]
        recurring, sheets = [], []
        latest = {key for held in self._recurring.values() for _, key in held[-1:]}
        for key in gone:
            recorded = self.events[key]
            for recurrence in self._recurrences(recorded.event):
                recurring.append((digest(recurrence), order_of(recorded.event), *key))
            sheet = self.sheets.pop(Lot(*key), None)
            if sheet is not None:
                sheets.append(sheet)
                for matter, claim in sheet.claims:
                    self._claims[matter].remove(claim)
                    if not self._claims[matter]:
                        del self._claims[matter]
            if key not in latest:
                del self.events[key]
        for held in self._recurring.values():
            del held[:-1]
        turn = min((sheet.turn for sheet in self.sheets.values()), default="~")
        for takings in self._takings.values():
            old = [taking for taking in takings if taking.turn < turn]
            users = [taking for taking in old if taking.taken][-USERS:]
            takings[:] = [*users, *takings[len(old) :]]
        await self._copy("present_event", self._recording)
        self._recording = []
        await self._copy("present_recurrence", recurring)
        pending = Pending()
        for sheet in sheets:
            pending.replace(None, sheet)
        await pending.write_sheets(self._connection)
        if until is None:
            rooms = [(*window, used) for window, used in self._used.items() if used]
            await self._copy("present_room", rooms)

    async def _copy(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.copy_records_to_table(table, records=rows)


class FillingDesk(Desk):
    """A desk that knows that every event is new."""

    def __init__(self, connection: Any, current: Current, head: Any) -> None:
        super().__init__(connection, current, head)
        self.recent = Recent(connection, self.bureau)
        self.present = self.recent

    async def find(self, key: EventKey) -> Mapping[str, Any] | None:  # noqa: ARG002  (nothing was recorded before)
        return None

    async def write_until(self, until: datetime | None) -> None:
        """Write what was posted, and of the present what lies before an instant."""
        await self.finish()
        self._found.clear()
        await self.recent.forget(until)


async def set_up() -> Current:
    """The bureau, in the database that the ORM points at."""
    current = Current(TIMEZONE)
    use_current(current)
    await acts.declare(read_periods(periods()), actor="bench")
    await acts.organise(
        date(2026, 1, 1), read_subjects(subjects()), read_relations(relations()), reason="", actor="bench"
    )
    await acts.publish_rulebook(read_rulebook(load_yaml(WORLD)[0].raw), actor="bench")
    return current


def _silent(_done: int) -> None:
    """Nobody watches."""


async def fill(
    current: Current, count: int, progress: Callable[[int], None] = _silent, *, days: int = DAYS, chunk: int = CHUNK
) -> None:
    """Record so many events, in one transaction."""
    engine: Any = engine_finder()
    async with engine.transaction() as transaction:
        connection = transaction.connection
        head = await current.refresh(connection, lock=True)
        desk = FillingDesk(connection, current, head)
        for number, report in enumerate(reports(count, days), 1):
            await desk.record(report, report.time)
            if number % chunk == 0:
                await desk.write_until(report.time - KEPT)
                progress(number)
        await desk.write_until(None)
    progress(count)


async def fill_by_the_desk(current: Current, count: int, days: int) -> None:
    """The same as everybody records them."""
    held: list[Report] = []
    for number, report in enumerate(reports(count, days), 1):
        held.append(report)
        if number % 500 == 0 or number == count:
            async with open_desk(current) as desk:
                await desk.prepare(held)
                for each in held:
                    await desk.record(each, each.time)
            held = []


async def settle_year() -> None:
    """Settle every month and quarter, and close the first half of the months."""
    months = [f"2026-{month:02d}" for month in range(1, 13)]
    for place, month in enumerate(months, 1):
        await settling.settle(month, actor="bench")
        if place % 3 == 0:
            await settling.settle(f"2026-Q{place // 3}", actor="bench")
        if place <= 6:
            await settling.close(month, actor="bench")


TABLES = ("event", "entry", "act", "ledger_head", "present_event", "present_sheet", "present_claim", "present_taking",
          "present_room", "present_recurrence")  # fmt: skip


async def rows_of(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    try:
        return {
            table: sorted(row[0] for row in await connection.fetch(f"SELECT t::text FROM {table} t"))
            for table in TABLES
        }
    finally:
        await connection.close()


def compare(cluster: Cluster) -> None:
    """Fill a short ledger both ways; it ends with a message where a row differs."""

    async def made(url: str, fast: bool) -> dict[str, list[str]]:
        async with pooled(url, size=2):
            current = Current(TIMEZONE)
            use_current(current)
            if fast:
                await fill(current, COMPARED, days=COMPARED_DAYS, chunk=500)
            else:
                await fill_by_the_desk(current, COMPARED, COMPARED_DAYS)
        return await rows_of(url)

    async def begun(database: Database) -> None:
        await migrate(database.migrate_url, database.url)
        async with pooled(database.url, size=2):
            await set_up()

    anyio.run(begun, cluster.database("filling_begun"))
    ways = {"filling_fast": True, "filling_slow": False}
    fast, slow = (
        anyio.run(made, cluster.database(name, template="filling_begun").url, way) for name, way in ways.items()
    )
    for table in TABLES:
        if fast[table] != slow[table]:
            one = next(iter(set(fast[table]) ^ set(slow[table])))
            sys.exit(
                f"the filler and the desk write {table} differently: {len(fast[table])}, {len(slow[table])}: {one}"
            )
    for name in (*ways, "filling_begun"):
        cluster.drop(name)


async def make(database: Database, count: int, *, settled: bool = True) -> None:
    """A migrated database with so many events."""
    await migrate(database.migrate_url, database.url)
    async with pooled(database.url, size=2):
        current = await set_up()
        await fill(current, count, lambda done: print(f"{done:,}", file=sys.stderr, flush=True))
        await _analyse(database)
        if settled:
            await settle_year()


async def _analyse(database: Database) -> None:
    connection = await asyncpg.connect(database.migrate_url)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


if __name__ == "__main__":
    with throwaway() as cluster:
        compare(cluster)
        print("the filler writes what the desk writes")
        if len(sys.argv) > 1:
            begun = time.perf_counter()
            anyio.run(make, cluster.database("filled"), int(sys.argv[1]))
            print(f"{time.perf_counter() - begun:.0f} s")
