"""The planner (增量): what changes in the ledger when something happens.

It scores what is new and whatever else that can change: later events that now repeat it, rivals
for its matter, and charges whose turn under a limit comes later. It reads the present through
:class:`~engine.book.Reader` and computes the difference; its sum with the ledger always equals a
fresh evaluation. One more event in order reads the same few things in a short ledger as in a long one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from heapq import heappop, heappush

import msgspec

from engine.amount import ZERO
from engine.book import Lot, Reader, Sheet, Taking, draw_up, lot_of
from engine.bureau import Bureau
from engine.charge import Charge, ChargeKey, Entry, EntryKind, Posting, Recorded
from engine.charging import Outcome, charge_all
from engine.evaluation import PeriodCharge, fit_in, source_amount
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.liability import Spent, share_out
from engine.limits import Window, windows_of
from engine.matters import Claim, Matter, claim, matter_of
from engine.recalling import Recalling
from engine.recurrence import recurrence_of
from engine.scene import Matchers, Scene, set_scene
from engine.turn import order_of, turn_of


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What happens: events that begin to stand, events withdrawn, events to be looked at again, period charges."""

    admitted: tuple[Recorded, ...] = ()
    withdrawn: tuple[EventKey, ...] = ()
    reconsidered: tuple[Recorded, ...] = ()
    period_charges: Mapping[Lot, Sequence[PeriodCharge]] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to write: entries in order, the sheets that replace the present ones, and each new event's outcomes."""

    change: Change
    entries: tuple[Entry, ...]
    sheets: Mapping[Lot, Sheet]
    outcomes: Mapping[EventKey, tuple[Outcome, ...]]


def plan(bureau: Bureau, reader: Reader, matchers: Matchers, change: Change) -> Plan:
    """Plan a change. Refused where an entry falls on a closed date and no open period can take it."""
    return _Planner(bureau, reader, matchers, change).plan()


class _Room(msgspec.Struct, gc=False):
    """A window while the sweep goes through it: what was used of it before this turn, and what now is."""

    before: Decimal
    now: Decimal
    ahead: list[Taking]
    passed: int = 0

    def come_to(self, turn: str) -> None:
        """Pass the takings before a turn; nobody changed them."""
        while self.passed < len(self.ahead) and self.ahead[self.passed].turn < turn:
            taken = self.ahead[self.passed].taken
            self.before += taken
            self.now += taken
            self.passed += 1

    def give_back(self, turn: str) -> None:
        """Leave the old takings of the lot whose turn it is behind: it takes anew."""
        while self.passed < len(self.ahead) and self.ahead[self.passed].turn == turn:
            self.before += self.ahead[self.passed].taken
            self.passed += 1

    def concerned(self) -> Lot | None:
        """The next lot whose share may differ from what it was; None where nobody's does."""
        before, now = self.before, self.now
        for taking in self.ahead[self.passed :]:
            if before == now:
                return None
            unclipped = taking.taken == taking.wanted and now + taking.taken <= taking.most
            if not unclipped:
                return taking.lot
            before += taking.taken
            now += taking.taken
        return None


class _Planner:
    def __init__(self, bureau: Bureau, reader: Reader, matchers: Matchers, change: Change) -> None:
        self.bureau = bureau
        self.reader = reader
        self.matchers = matchers
        self.change = change
        self.withdrawn = set(change.withdrawn)
        self.admitted = {each.event.key: each for each in change.admitted}
        self.anew = {each.event.key: each for each in (*change.admitted, *change.reconsidered)}
        self.recalling = Recalling(bureau, reader, self.anew.values(), self.withdrawn)
        self.fresh: dict[EventKey, None] = {}
        self.scenes: dict[EventKey, Scene] = {}
        self.outcomes: dict[EventKey, tuple[Outcome, ...]] = {}
        self.counted: dict[ChargeKey, ChargeKey] = {}
        self.rooms: dict[Window, _Room] = {}
        self.heap: list[tuple[str, Lot]] = []
        self.queued: set[Lot] = set()
        self.sheets: dict[Lot, Sheet] = {}

    def plan(self) -> Plan:
        self.fresh = self._look_again()
        for key in self.fresh:
            self._score(key)
        flipped = self._count()
        for lot in {*(Lot(*key) for key in (*self.fresh, *self.withdrawn)), *flipped, *self.change.period_charges}:
            self._queue(lot)
        while self.heap:
            turn, lot = heappop(self.heap)
            self._sweep(turn, lot)
        return Plan(
            change=self.change,
            entries=tuple(self._entries()),
            sheets=self.sheets,
            outcomes={key: self.outcomes[key] for key in self.admitted},
        )

    # which events are scored anew

    def _look_again(self) -> dict[EventKey, None]:
        """The admitted, the reconsidered, and later events that repeat what comes or goes."""
        fresh: dict[EventKey, None] = dict.fromkeys(self.anew)
        before = {key: self.reader.recorded(key) for key in (*self.withdrawn, *self.anew) if key not in self.admitted}
        moved = [each.event for each in self.change.admitted]
        for key, known in before.items():
            now = self.anew.get(key)
            if known is not None and (now is None or now.event != known.event):
                moved += [known.event, *([] if now is None else [now.event])]
        for event in moved:
            for repeat in self.bureau.repeats(event.type).values():
                recurrence = recurrence_of(event, repeat.same)
                if recurrence is None:
                    continue
                for later in self.reader.recalling(recurrence, order_of(event)):
                    if self.bureau.day(later.time) > self.bureau.day(event.time) + timedelta(days=repeat.within_days):
                        break
                    if later.key not in self.withdrawn:
                        fresh[later.key] = None
        return fresh

    def _recorded(self, key: EventKey) -> Recorded:
        found = self.anew.get(key) or self.reader.recorded(key)
        if found is None:
            raise LookupError(f"{key} does not stand")
        return found

    def _score(self, key: EventKey) -> tuple[Outcome, ...]:
        if key not in self.outcomes:
            event = self._recorded(key).event
            version = self.bureau.version_at(event.time)
            if version is None:
                raise LookupError(f"no version rules {key}")
            scene = set_scene(self.bureau, event, version, self.matchers, self.recalling.recall)
            self.scenes[key] = scene
            self.outcomes[key] = charge_all(scene)
        return self.outcomes[key]

    # which charge counts for a matter

    def _count(self) -> set[Lot]:
        """Decide every matter that the change touches; the lots elsewhere whose charge begins or ceases to count."""
        changing = {Lot(*key) for key in (*self.fresh, *self.withdrawn)}
        rivals: dict[Matter, list[Claim]] = {}
        for lot in changing:
            sheet = self.reader.sheet(lot)
            for matter, _ in sheet.claims if sheet is not None else ():
                rivals.setdefault(matter, [])
        for key in self.fresh:
            order = order_of(self._recorded(key).event)
            for charge in (charge for outcome in self.outcomes[key] for charge in outcome.charges):
                competes = matter_of(charge)
                if competes is not None:
                    rivals.setdefault(competes, []).append(claim(charge, order))
        flipped = set()
        for matter, claims in rivals.items():
            other = self.reader.leading(matter, changing)
            contenders = claims if other is None else [*claims, other]
            if not contenders:
                continue
            winner = min(contenders).key
            for each in contenders:
                self.counted[each.key] = winner
            if other is not None and (other == self.reader.leading(matter, ())) != (other.key == winner):
                flipped.add(lot_of(other.key))
        return flipped

    # limits, in turn

    def _queue(self, lot: Lot) -> None:
        if lot not in self.queued:
            self.queued.add(lot)
            present = self.reader.sheet(lot)
            for turn in {self._turn(lot), *([] if present is None else [present.turn])}:
                heappush(self.heap, (turn, lot))

    def _turn(self, lot: Lot) -> str:
        """The lot's turn after the change; a period charge's can move with its rule's place."""
        if lot.source:
            recorded = self._recorded(EventKey(lot.source, lot.id))
            return turn_of(recorded.booked, recorded.event)
        anew = self.change.period_charges.get(lot)
        if anew:
            return anew[0].turn
        present = self.reader.sheet(lot)
        return "" if present is None else present.turn

    def _sweep(self, turn: str, lot: Lot) -> None:
        present = self.reader.sheet(lot)
        touched: dict[Window, None] = {}
        for window, _ in present.takings if present is not None else ():
            self._room(window, turn, touched)
        if turn == self._turn(lot):
            most: dict[ChargeKey, list[tuple[Window, Decimal]]] = {}
            post = self._post_event if lot.source else self._post_period
            postings = post(lot, turn, touched, most)
            order = order_of(self._recorded(EventKey(lot.source, lot.id)).event) if lot.source else ""
            self.sheets[lot] = draw_up(lot, turn, order, postings, most)
        for window in touched:
            next_lot = self.rooms[window].concerned()
            if next_lot is not None:
                self._queue(next_lot)

    def _post_event(
        self, lot: Lot, turn: str, touched: dict[Window, None], most: dict[ChargeKey, list[tuple[Window, Decimal]]]
    ) -> list[Posting]:
        key = EventKey(lot.source, lot.id)
        if key in self.withdrawn:
            return []
        recorded = self._recorded(key)
        charges = [charge for outcome in self._score(key) for charge in outcome.charges]
        present = None if key in self.fresh else self.reader.sheet(lot)
        superseded = {} if present is None else {each.charge.key: each.superseded_by for each in present.postings}
        postings: list[Posting] = []
        travelling: list[tuple[Charge, Decimal]] = []
        scene = self.scenes[key]
        for charge in sorted(charges, key=lambda each: each.place):
            winner = self.counted.get(charge.key, superseded.get(charge.key))
            if winner is not None and winner != charge.key:
                postings.append(Posting(charge=charge, booked=recorded.booked, superseded_by=winner))
                continue
            posting = self._post(charge, recorded, turn, touched, most)
            postings.append(posting)
            travelling.append((charge, source_amount(posting, scene.version.rulebook)))
        spent = Spent()
        for source, amount in travelling:
            for joint in share_out(source, amount, scene, spent):
                postings.append(self._post(joint, recorded, turn, touched, most))
        return postings

    def _post_period(
        self, lot: Lot, turn: str, touched: dict[Window, None], most: dict[ChargeKey, list[tuple[Window, Decimal]]]
    ) -> list[Posting]:
        present = self.reader.sheet(lot)
        charges: Sequence[Posting] = self.change.period_charges.get(lot, present.postings if present else ())
        return [self._post(each.charge, each, turn, touched, most) for each in charges]

    def _post(
        self,
        charge: Charge,
        recorded: Recorded | Posting,
        turn: str,
        touched: dict[Window, None],
        most: dict[ChargeKey, list[tuple[Window, Decimal]]],
    ) -> Posting:
        rulebook = self.bureau.version(charge.version).rulebook
        windows = windows_of(charge, recorded.booked, rulebook, self.bureau.calendar)
        held = [(window, limit, self._room(window, turn, touched).now) for window, limit in windows]
        posting = fit_in(charge, recorded.booked, held)
        for window, _ in windows:
            self.rooms[window].now += abs(posting.posted)
        most[charge.key] = windows
        return posting

    def _room(self, window: Window, turn: str, touched: dict[Window, None]) -> _Room:
        room = self.rooms.get(window)
        if room is None:
            ahead = list(self.reader.takings(window, turn))
            used = self.reader.used(window) - sum((taking.taken for taking in ahead), ZERO)
            room = self.rooms[window] = _Room(before=used, now=used, ahead=ahead)
        if window not in touched:
            touched[window] = None
            room.come_to(turn)
            room.give_back(turn)
        return room

    # what to write down

    def _entries(self) -> list[Entry]:
        entries = []
        for lot, sheet in sorted(self.sheets.items(), key=lambda each: each[1].turn):
            present = self.reader.sheet(lot)
            before = {} if present is None else {each.charge.key: each for each in present.postings}
            now = {each.charge.key: each for each in sheet.postings}
            new = EventKey(lot.source, lot.id) in self.admitted
            gone = EventKey(lot.source, lot.id) in self.withdrawn
            for key, posting in now.items():
                earlier = before.pop(key, None)
                difference = posting.posted - (ZERO if earlier is None else earlier.posted)
                if earlier is not None and earlier.charge.indicator != posting.charge.indicator:
                    moved = ((earlier, -earlier.posted), (posting, posting.posted))
                    entries += [_entry("adjustment", each, by, self._book(each)) for each, by in moved if by]
                elif new:
                    entries.append(_entry("joint" if key.joint else "direct", posting, posting.posted, posting.booked))
                elif not lot.source and earlier is None:
                    entries.append(_entry("period", posting, posting.posted, self._book(posting)))
                elif difference:
                    entries.append(_entry("adjustment", posting, difference, self._book(posting)))
            for earlier in before.values():
                if earlier.posted:
                    kind: EntryKind = "reversal" if gone else "adjustment"
                    entries.append(_entry(kind, earlier, -earlier.posted, self._book(earlier)))
        return entries

    def _book(self, posting: Posting) -> date:
        booked = self.bureau.calendar.book(posting.booked)
        if booked is None:
            raise Refused(Finding(message=message("period.no_open", day=posting.booked), path="/time"))
        return booked


def _entry(kind: EntryKind, posting: Posting, posted: Decimal, booked: date) -> Entry:
    return Entry(
        kind=kind,
        charge=posting.charge,
        nominal=posting.charge.nominal,
        posted=posted,
        booked=booked,
        rooms=posting.rooms,
        superseded_by=posting.superseded_by,
    )
