"""The book (现行账): what stands at present, as the planner reads it.

:class:`Reader` is all that planning may ask. :class:`Book` is the reader in memory; the ledger
has one on PostgreSQL. Either can be made anew from the ledger at any time.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

import msgspec

from engine.amount import ZERO
from engine.bureau import Bureau
from engine.charge import ChargeKey, Posting, Recorded
from engine.event import Event, EventKey
from engine.limits import Window, windows_of
from engine.matters import Claim, Matter, claim, matter_of
from engine.recurrence import Recurrence, recurrence_of
from engine.turn import order_of


class Lot(NamedTuple):
    """Charges that take their turn together: those of an event, or of one comparison of a period.

    For an event the last two are empty; for a period ``source`` is.
    """

    source: str
    id: str
    rule: str = ""
    compared: str = ""


def lot_of(key: ChargeKey) -> Lot:
    """The lot that a charge belongs to."""
    if key.source:
        return Lot(key.source, key.id)
    return Lot("", key.id, key.origin_rule, key.origin_subject)


class Taking(NamedTuple):
    """What a charge takes of one window's room; ``wanted`` is its nominal size, ``most`` the limit it was held to."""

    turn: str
    lot: Lot
    key: ChargeKey
    wanted: Decimal
    taken: Decimal
    most: Decimal


class Sheet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The present charges of one lot, and what each takes of its windows."""

    lot: Lot
    turn: str
    order: str
    postings: tuple[Posting, ...] = ()
    takings: tuple[tuple[Window, Taking], ...] = ()
    claims: tuple[tuple[Matter, Claim], ...] = ()


class Reader(Protocol):
    """What planning asks of the present; each answer costs the same however long the ledger is."""

    def recorded(self, key: EventKey) -> Recorded | None:
        """The event, if it stands."""
        ...

    def sheet(self, lot: Lot) -> Sheet | None:
        """The lot's present charges; None where it has none."""
        ...

    def recalled(self, recurrence: Recurrence, before: str) -> Event | None:
        """The latest standing event with that recurrence before a place in the order of events."""
        ...

    def recalling(self, recurrence: Recurrence, after: str) -> Sequence[Event]:
        """The standing events with that recurrence after a place in the order, in order."""
        ...

    def leading(self, matter: Matter, without: Collection[Lot]) -> Claim | None:
        """The least claim in a matter, those of some lots left out."""
        ...

    def used(self, window: Window) -> Decimal:
        """All that is taken of a window."""
        ...

    def takings(self, window: Window, start: str) -> Sequence[Taking]:
        """The takings of a window from a turn on, in turn."""
        ...


class Book:
    """The reader in memory."""

    def __init__(self) -> None:
        self.events: dict[EventKey, Recorded] = {}
        self.sheets: dict[Lot, Sheet] = {}
        self._names: set[tuple[str, ...]] = set()
        self._recurring: dict[Recurrence, list[tuple[str, EventKey]]] = defaultdict(list)
        self._claims: dict[Matter, list[Claim]] = defaultdict(list)
        self._takings: dict[Window, list[Taking]] = defaultdict(list)
        self._used: dict[Window, Decimal] = defaultdict(lambda: ZERO)

    # what planning asks

    def recorded(self, key: EventKey) -> Recorded | None:
        return self.events.get(key)

    def sheet(self, lot: Lot) -> Sheet | None:
        return self.sheets.get(lot)

    def recalled(self, recurrence: Recurrence, before: str) -> Event | None:
        found = self._list(recurrence)
        place = bisect_left(found, (before,))
        return self.events[found[place - 1][1]].event if place else None

    def recalling(self, recurrence: Recurrence, after: str) -> Sequence[Event]:
        found = self._list(recurrence)
        return [self.events[key].event for order, key in found[bisect_left(found, (after,)) :] if order != after]

    def leading(self, matter: Matter, without: Collection[Lot]) -> Claim | None:
        return next((each for each in self._claims.get(matter, ()) if lot_of(each.key) not in without), None)

    def used(self, window: Window) -> Decimal:
        return self._used[window]

    def takings(self, window: Window, start: str) -> Sequence[Taking]:
        found = self._takings.get(window, [])
        return found[bisect_left(found, (start,)) :]

    # how it changes

    def keep(self, recorded: Iterable[Recorded], withdrawn: Iterable[EventKey], sheets: Mapping[Lot, Sheet]) -> None:
        """Take over what a plan changes; a sheet without postings is removed."""
        for key in withdrawn:
            self._forget(key)
        for each in recorded:
            self._forget(each.event.key)
            self.events[each.event.key] = each
            for recurrence in self._recurrences(each.event):
                insort(self._recurring[recurrence], (order_of(each.event), each.event.key))
        for lot, sheet in sheets.items():
            self._replace(lot, sheet)

    def _forget(self, key: EventKey) -> None:
        gone = self.events.pop(key, None)
        if gone is None:
            return
        for recurrence in self._recurrences(gone.event):
            self._recurring[recurrence] = [each for each in self._recurring[recurrence] if each[1] != key]

    def _replace(self, lot: Lot, sheet: Sheet) -> None:
        before = self.sheets.pop(lot, None)
        if before is not None:
            for matter, each in before.claims:
                self._claims[matter].remove(each)
            for window, taking in before.takings:
                self._takings[window].remove(taking)
                self._used[window] -= taking.taken
        if sheet.postings:
            self.sheets[lot] = sheet
            for matter, each in sheet.claims:
                insort(self._claims[matter], each)
            for window, taking in sheet.takings:
                insort(self._takings[window], taking)
                self._used[window] += taking.taken

    def _list(self, recurrence: Recurrence) -> list[tuple[str, EventKey]]:
        if recurrence.same not in self._names:
            self._names.add(recurrence.same)
            for each in self.events.values():
                own = recurrence_of(each.event, recurrence.same)
                if own is not None:
                    insort(self._recurring[own], (order_of(each.event), each.event.key))
        return self._recurring[recurrence]

    def _recurrences(self, event: Event) -> Iterable[Recurrence]:
        return filter(None, (recurrence_of(event, names) for names in self._names))


def windows_held(bureau: Bureau, postings: Iterable[Posting]) -> dict[ChargeKey, list[tuple[Window, Decimal]]]:
    """The windows that each charge takes from; one in whose place another counts takes from none."""
    return {
        posting.charge.key: windows_of(
            posting.charge, posting.booked, bureau.version(posting.charge.version).rulebook, bureau.calendar
        )
        for posting in postings
        if posting.superseded_by is None
    }


def draw_up(
    lot: Lot,
    turn: str,
    order: str,
    postings: Sequence[Posting],
    most: Mapping[ChargeKey, Sequence[tuple[Window, Decimal]]],
) -> Sheet:
    """The sheet of a lot: its postings with their claims and takings."""
    takings = [
        (window, Taking(turn, lot, posting.charge.key, abs(posting.charge.nominal), abs(posting.posted), held))
        for posting in postings
        for window, held in most.get(posting.charge.key, ())
    ]
    claims = [
        (matter, claim(posting.charge, order))
        for posting in postings
        if (matter := matter_of(posting.charge)) is not None
    ]
    return Sheet(
        lot=lot, turn=turn, order=order, postings=tuple(postings), takings=tuple(takings), claims=tuple(claims)
    )
