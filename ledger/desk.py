"""The desk (记账台): where one transaction posts to the ledger, holding its lock.

Opening the desk takes the lock, re-reads the head and whatever is in force; what is posted goes
into the chain in order; leaving it writes everything and commits. A refusal leaves no trace.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import zip_longest
from typing import Any, ParamSpec, TypeVar

import msgspec
from piccolo.engine import engine_finder

from engine import charge as charged
from engine.admission import Conflicting, admit, same_report
from engine.book import Lot
from engine.bureau import Bureau
from engine.charge import Cause, ChargeKey, Recorded
from engine.evaluation import PeriodCharge
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.planner import Change, Plan, plan
from engine.recurrence import Recurrence, recurrence_of
from engine.report import Report
from engine.turn import order_of
from ledger.current import Connection, Current, Head
from ledger.journal import Journal, Row
from ledger.pending import digest
from ledger.present import Present, Unread, read_recorded

LARGE = 200
"""Events to be looked at again from which on a change is planned in a thread: some 20 ms."""

P = ParamSpec("P")
T = TypeVar("T")


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What posting came to: the number of the event or act, and of the entries it caused."""

    number: int
    repeated: bool = False
    plan: Plan | None = None
    rows: Sequence[Row] = ()
    """Of an event that was recorded by itself: its row and those of its entries, as they were written."""


class Desk:
    """One transaction's work on the ledger. Made by :func:`open_desk`."""

    def __init__(self, connection: Connection, current: Current, head: Head, known: Present | None = None) -> None:
        self.connection = connection
        self.current = current
        self.head = head
        self.bureau = current.bureau
        self.present = Present(connection, self.bureau) if known is None else known.go_on(connection)
        self._found: dict[EventKey, Mapping[str, Any] | None] = {}
        self._ahead: dict[EventKey, tuple[Report, Recorded]] = {}
        self._looked_ahead = False
        self.journal = Journal(head)
        self._writing: asyncio.Task[None] | None = None

    # events

    async def record(self, report: Report, received_at: datetime) -> Receipt:
        """Record a reported event with its entries. Refused, with no trace, where it may not be kept."""
        ahead = self._ahead.pop(report.key, None)
        known = await self.find(report.key)
        if known is not None:
            self._check_same(known, report)
            return Receipt(number=known["number"], repeated=True)
        recorded = ahead[1] if ahead is not None and ahead[0] is report else admit(self.bureau, report)
        change = Change(admitted=(recorded,))
        self.present.expect_new([report.key])
        planned = await self._plan(self.bureau, change)
        row = self._add_event(recorded, received_at)
        number: int = row["number"]
        numbered = msgspec.structs.replace(recorded, number=number)
        entries = self._keep(planned, change, Cause("event", number), {report.key: numbered})
        return Receipt(number=number, plan=planned, rows=(row, *entries))

    async def retract(self, key: EventKey, reason: str, actor: str, at: datetime, appeal: int | None = None) -> Receipt:
        """Withdraw an event; harmless where it is withdrawn already. ``appeal`` is the case that it was decided in."""
        known = await self.find(key)
        if known is None:
            raise Refused(Finding(message=message("event.unknown", source=key.source, id=key.id)))
        if not known["standing"]:
            return Receipt(number=known["number"], repeated=True)
        await self.write()
        await self.present.load_events([key])
        content = {"source": key.source, "id": key.id, "event": known["number"], **decided_in(appeal)}
        return await self.act("retraction", content, reason, actor, at, Change(withdrawn=(key,)))

    async def correct(
        self, key: EventKey, report: Report, reason: str, actor: str, at: datetime, appeal: int | None = None
    ) -> Receipt:
        """Withdraw an event and record what replaces it, in one act; if that is refused, nothing is withdrawn."""
        known = await self.find(key)
        again = await self.find(report.key)
        if known is None:
            raise Refused(Finding(message=message("event.unknown", source=key.source, id=key.id)))
        if again is not None:
            self._check_same(again, report)
        if not known["standing"]:
            if again is not None:
                return Receipt(number=again["number"], repeated=True)
            raise Conflicting(Finding(message=message("event.not_standing", source=key.source, id=key.id)))
        if again is not None:
            said = message("event.id_taken", source=report.source, id=report.id)
            raise Conflicting(Finding(message=said, path="/event/id"))
        recorded = admit(self.bureau, report)
        await self.write()
        await self.present.load_events([key])
        change = Change(admitted=(recorded,), withdrawn=(key,))
        self.present.expect_new([report.key])
        planned = await self._plan(self.bureau, change)
        named = {"source": key.source, "id": key.id, "event": known["number"], "by": list(report.key)}
        content = {**named, **decided_in(appeal)}
        number = self.journal.add_act("correction", content, reason, actor, at)
        recorded = msgspec.structs.replace(recorded, number=self._add_event(recorded, at)["number"])
        self._keep(planned, change, Cause("correction", number), {recorded.event.key: recorded})
        return Receipt(number=number, plan=planned)

    async def prepare(self, reports: Sequence[Report], admitted: Sequence[Recorded | None] = ()) -> None:
        """Say which reports are to be recorded next: they are typed, and what they will ask for is read together.

        ``admitted`` is what they were admitted as under this bureau already, one for each, where it is known.
        """
        await self.look_up([report.key for report in reports])
        for report, recorded in zip_longest(reports, admitted):
            if self._found[report.key] is None:
                with contextlib.suppress(Refused):
                    self._ahead[report.key] = (report, recorded or admit(self.bureau, report))
        self.present.expect_new(self._ahead)
        for _, recorded in self._ahead.values():
            self.present.foresee(recorded.event)
        if self.present.asked:
            await self.present.load()

    def _look_ahead(self) -> None:
        """Ask, once, what the events that are still ahead will most likely ask."""
        if self._looked_ahead:
            return
        self._looked_ahead = True
        for _, recorded in self._ahead.values():
            with contextlib.suppress(Unread, Refused):
                plan(self.bureau, self.present, self.current.direct, Change(admitted=(recorded,)))

    async def look_up(self, keys: Iterable[EventKey]) -> None:
        """Read which of these events were ever recorded."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._found]
        if not wanted:
            return
        await self.write()
        rows = await self.connection.fetch(
            """
            SELECT e.*, p.source IS NOT NULL AS standing
            FROM unnest($1::text[], $2::text[]) AS a (source, id)
            JOIN event e ON e.source = a.source AND e.id = a.id
            LEFT JOIN present_event p ON p.source = e.source AND p.id = e.id
            """,
            [key.source for key in wanted],
            [key.id for key in wanted],
        )
        self._found.update(dict.fromkeys(wanted))
        self._found.update({EventKey(row["source"], row["id"]): dict(row) for row in rows})

    async def find(self, key: EventKey) -> Mapping[str, Any] | None:
        """An event's row, and whether it stands; None where it was never recorded."""
        await self.look_up([key])
        return self._found[key]

    def _check_same(self, known: Mapping[str, Any], report: Report) -> None:
        version = self.bureau.version(known["version"])
        alone = Bureau(versions=(version,), organisation=self.bureau.organisation)
        if not same_report(alone, read_recorded(known, alone), report, version.number):
            said = message("event.id_taken", source=report.source, id=report.id)
            raise Conflicting(Finding(message=said, path="/id"))

    # acts

    async def act(
        self,
        kind: charged.Act,
        content: Mapping[str, Any],
        reason: str,
        actor: str,
        at: datetime,
        change: Change,
        bureau: Bureau | None = None,
    ) -> Receipt:
        """Carry out an act: what it changes is planned under the bureau that it leads to, and posted."""
        planned = await self._plan(bureau or self.bureau, change)
        number = self.journal.add_act(kind, content, reason, actor, at)
        if bureau is not None:
            self.bureau = bureau
            self.present.bureau = bureau
        await self._beside(change, self._keep, planned, change, Cause(kind, number), {})
        return Receipt(number=number, plan=planned)

    async def recall_by(self, bureau: Bureau) -> None:
        """Note by which further fields a bureau to come tells repetitions, for the events that stand."""
        found: dict[Recurrence, list[Recorded]] = {}
        for event_type in {
            rule.on for version in bureau.versions for rule in version.rulebook.rules if hasattr(rule, "on")
        }:
            further = bureau.repeats(event_type).keys() - self.bureau.repeats(event_type).keys()
            for each in await self.standing("p.type = $1", event_type) if further else ():
                for same in further:
                    recurrence = recurrence_of(each.event, same)
                    if recurrence is not None:
                        found.setdefault(recurrence, []).append(each)
        await self.note_recurrences(found)

    async def note_recurrences(self, standing: Mapping[Recurrence, Sequence[Recorded]]) -> None:
        """Write what later events may repeat, of each recurrence everything that stands."""
        await self.present.write_recurrences(
            [
                (digest(recurrence), order_of(each.event), *each.event.key)
                for recurrence, events in standing.items()
                for each in events
            ]
        )

    async def put(self, statement: str, *values: object) -> None:
        """Write what is in force beside the chain: subjects, relations, periods, versions."""
        await self.connection.execute(statement, *values)

    async def standing(self, where: str, *args: object) -> list[Recorded]:
        """The standing events that fit a condition on ``present_event p``, with their sheets read."""
        await self.write()
        query = f"SELECT p.source, p.id FROM present_event p WHERE {where}"  # noqa: S608  (our own words only)
        rows = await self.connection.fetch(query, *args)
        keys = [EventKey(row["source"], row["id"]) for row in rows]
        await self.present.load_events(keys)
        return [self.present.events[key] for key in keys]

    async def period_charges(self, where: str, *args: object) -> dict[Lot, tuple[PeriodCharge, ...]]:
        """The charges of periods as they were settled, of the lots that fit a condition on ``present_sheet s``."""
        await self.write()
        query = f"SELECT DISTINCT s.id FROM present_sheet s WHERE s.source = '' AND {where}"  # noqa: S608  (ours)
        rows = await self.connection.fetch(query, *args)
        await self.present.load_events([EventKey("", row["id"]) for row in rows])
        ids = {row["id"] for row in rows}
        return {
            lot: tuple(
                PeriodCharge(charge=posting.charge, booked=posting.booked, turn=sheet.turn)
                for posting in sheet.postings
            )
            for lot, sheet in self.present.sheets.items()
            if not lot.source and lot.id in ids
        }

    async def foresee(self, change: Change, bureau: Bureau) -> Plan:
        """What a change would come to under a bureau; nothing is kept of it."""
        return await self._plan(bureau, change)

    # planning and keeping

    async def _plan(self, bureau: Bureau, change: Change) -> Plan:
        while True:
            try:
                planned = await self._beside(change, plan, bureau, self.present, self.current.direct, change)
            except (Unread, Refused):
                if not self.present.asked:
                    raise
            else:
                if not self.present.asked:
                    return planned
            self._look_ahead()
            await self.write()
            await self.present.load()

    async def _beside(self, change: Change, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Do it; where the change is large in a thread, so that the process answers others meanwhile."""
        if len(change.reconsidered) < LARGE:
            return work(*args, **more)
        return await asyncio.to_thread(work, *args, **more)

    def _keep(
        self, planned: Plan, change: Change, cause: Cause, numbered: Mapping[EventKey, Recorded]
    ) -> Sequence[Row]:
        admitted = [numbered.get(each.event.key, each) for each in change.admitted]
        self.present.keep((*admitted, *change.reconsidered), change.withdrawn, planned.sheets)
        for key in change.withdrawn:
            self._found[key] = {**(self._found[key] or {}), "standing": False}
        users = self._users(planned)
        return [self.journal.add_entry(entry, cause, users.get(entry.charge.key, {})) for entry in planned.entries]

    def _add_event(self, recorded: Recorded, received_at: datetime) -> Row:
        version = self.bureau.version_at(recorded.event.time)
        assert version is not None
        row = self.journal.add_event(recorded, version.number, received_at)
        self._found[recorded.event.key] = {**row, "standing": True}
        return row

    def _users(self, planned: Plan) -> dict[ChargeKey, dict[str, list[ChargeKey]]]:
        """Who had used the room that a clipped charge did not find: the latest few before its turn, by limit."""
        users: dict[ChargeKey, dict[str, list[ChargeKey]]] = {}
        for sheet in planned.sheets.values():
            for window, taking in sheet.takings:
                if taking.taken < taking.wanted:
                    users.setdefault(taking.key, {})[window.limit] = self.present.users(window, taking.turn)
        return users

    @property
    def writing(self) -> bool:
        """Whether something is being written while more is planned."""
        return self._writing is not None and not self._writing.done()

    def begin_writing(self) -> None:
        """Write what is posted so far while more is planned: PostgreSQL works beside us, on another core."""
        if not self.writing:
            if self._writing is not None:
                self._writing.result()
            self._writing = asyncio.create_task(self._write())

    async def write(self) -> None:
        """Write what is posted so far; it is seen by nobody before the commit."""
        if self._writing is not None:
            await self._writing
            self._writing = None
        await self._write()

    async def abandon(self) -> None:
        """Let what is being written end, however it ends, before the transaction is given up."""
        if self._writing is not None:
            with contextlib.suppress(Exception):
                await self._writing
            self._writing = None

    async def _write(self) -> None:
        await self.journal.write(self.connection)
        await self.present.flush()

    async def finish(self) -> None:
        """Write everything and the head."""
        await self.write()
        await self.connection.execute(
            "UPDATE ledger_head SET length = $1, hash = $2, organisation = $3, periods = $4, version = $5,"
            " settled_through = $6, demonstration = $7",
            self.head.length,
            self.head.hash,
            self.head.organisation,
            self.head.periods,
            self.head.version,
            self.head.settled_through,
            self.head.demonstration,
        )


def decided_in(appeal: int | None) -> Mapping[str, int]:
    """What the content of an act says where it carries out the decision of an appeal: the case's number."""
    return {} if appeal is None else {"appeal": appeal}


@asynccontextmanager
async def open_desk(current: Current, *, keep: bool = True) -> AsyncIterator[Desk]:
    """A desk in a transaction of its own; with ``keep`` false nothing is kept of what is done on it."""
    engine: Any = engine_finder()
    async with engine.transaction() as transaction:
        connection = transaction.connection
        head = await current.refresh(connection, lock=True)
        known = None
        if keep:
            # Whoever fails leaves nothing behind that was not committed.
            known, current.present = current.present, None
            if known is not None and not known.holds(head.hash, current.bureau):
                known = None
        desk = Desk(connection, current, head, known)
        try:
            yield desk
            if keep:
                await desk.finish()
            else:
                await transaction.rollback()
        finally:
            await desk.abandon()
    if keep:
        if desk.bureau is current.bureau:
            desk.present.head = desk.head.hash
            current.present = desk.present
        current.take_over(desk.bureau, desk.head)
