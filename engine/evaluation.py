"""The fresh evaluation (重算): everything that stands, scored from nothing, in order.

This is the meaning of the rulebook in its plainest form. The ledger is never scored this way; it
must always equal it: for every (event or period, rule, subject), Σ posted = posted here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from engine.amount import ZERO, sign
from engine.bureau import Bureau
from engine.charge import Charge, ChargeKey, Posting, Recorded, Room
from engine.charging import charge_all
from engine.digest import digest
from engine.event import Event, EventKey
from engine.liability import Spent, share_out
from engine.limits import Window, windows_of
from engine.matters import Claim, Matter, claim, matter_of
from engine.recurrence import Recurrence, recurrence_of
from engine.rulebook import Repeat, Rulebook
from engine.scene import Matchers, Scene, set_scene
from engine.turn import order_of, turn_of


class PeriodCharge(Posting, frozen=True, kw_only=True):
    """A charge of a period as its settlement computed it, with its turn under limits."""

    turn: str


def evaluate(
    bureau: Bureau, standing: Iterable[Recorded], matchers: Matchers, period_charges: Iterable[PeriodCharge] = ()
) -> dict[ChargeKey, Posting]:
    """Score the events that stand and the period charges; every charge, those that post 0 too."""
    recorded = sorted(standing, key=lambda each: order_of(each.event))
    memory = Memory(bureau)
    scenes: dict[EventKey, Scene] = {}
    direct: dict[EventKey, list[Charge]] = {}
    for each in recorded:
        version = bureau.version_at(each.event.time)
        if version is None:
            raise LookupError(f"no version rules {each.event.key}")
        scene = set_scene(bureau, each.event, version, matchers, memory.recall)
        scenes[each.event.key] = scene
        direct[each.event.key] = [charge for outcome in charge_all(scene) for charge in outcome.charges]
        memory.remember(each.event, scene.day)
    counted = count_matters((charge, order_of(each.event)) for each in recorded for charge in direct[each.event.key])

    postings: dict[ChargeKey, Posting] = {}
    rooms = Rooms(bureau)
    turns: list[tuple[str, Recorded | PeriodCharge]] = [(turn_of(each.booked, each.event), each) for each in recorded]
    turns += [(each.turn, each) for each in period_charges]
    for _, turned in sorted(turns, key=lambda turn: turn[0]):
        if isinstance(turned, PeriodCharge):
            postings[turned.charge.key] = rooms.post(turned.charge, turned.booked)
            continue
        each = turned
        scene = scenes[each.event.key]
        charges = sorted(direct[each.event.key], key=lambda charge: charge.place)
        spent = Spent()
        travelling: list[tuple[Charge, Decimal]] = []
        for charge in charges:
            winner = counted.get(charge.key)
            if winner is not None and winner != charge.key:
                postings[charge.key] = Posting(charge=charge, booked=each.booked, superseded_by=winner)
                continue
            posting = rooms.post(charge, each.booked)
            postings[charge.key] = posting
            travelling.append((charge, source_amount(posting, scene.version.rulebook)))
        for source, amount in travelling:
            for joint in share_out(source, amount, scene, spent):
                postings[joint.key] = rooms.post(joint, each.booked)
    return postings


def source_amount(posting: Posting, rulebook: Rulebook) -> Decimal:
    """The amount of a direct charge that travels, by the rulebook's basis."""
    return posting.charge.nominal if rulebook.joint.basis == "nominal" else posting.posted


def count_matters(charges: Iterable[tuple[Charge, str]]) -> Mapping[ChargeKey, ChargeKey]:
    """For each charge that competes in a matter, the charge that counts there."""
    claims: dict[Matter, list[Claim]] = defaultdict(list)
    for charge, order in charges:
        matter = matter_of(charge)
        if matter is not None:
            claims[matter].append(claim(charge, order))
    return {each.key: min(rivals).key for rivals in claims.values() for each in rivals}


class Rooms:
    """What is used of every limit so far."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._used: dict[Window, Decimal] = defaultdict(lambda: ZERO)

    def post(self, charge: Charge, booked: date) -> Posting:
        """Post what the limits leave of a charge."""
        rulebook = self._bureau.version(charge.version).rulebook
        windows = windows_of(charge, booked, rulebook, self._bureau.calendar)
        posting = fit_in(charge, booked, [(window, most, self._used[window]) for window, most in windows])
        for window, _ in windows:
            self._used[window] += abs(posting.posted)
        return posting


def fit_in(charge: Charge, booked: date, windows: Iterable[tuple[Window, Decimal, Decimal]]) -> Posting:
    """Post a charge into its windows, each with the most that it holds and what is used of it."""
    found = [(window, max(ZERO, most - used)) for window, most, used in windows]
    size = min([abs(charge.nominal), *(room for _, room in found)])
    return Posting(
        charge=charge,
        booked=booked,
        posted=size * sign(charge.nominal) if size else ZERO,
        rooms=tuple(Room(limit=window.limit, window=window.span, room=room, taken=size) for window, room in found),
    )


class Memory:
    """Earlier events, to recall what a later one repeats. They are remembered in their order."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._names: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for version in bureau.versions:
            for event_type, repeats in digest(version.rulebook).repeats.items():
                self._names[event_type].update(repeats)
        self._latest: dict[Recurrence, tuple[date, EventKey]] = {}

    def remember(self, event: Event, day: date) -> None:
        """Keep the event of that day, in place of an earlier one that it repeats."""
        for names in self._names[event.type]:
            recurrence = recurrence_of(event, names)
            if recurrence is not None:
                self._latest[recurrence] = (day, event.key)

    def recall(self, event: Event, repeat: Repeat) -> EventKey | None:
        """The latest event that was kept and that this one repeats."""
        recurrence = recurrence_of(event, repeat.same)
        known = None if recurrence is None else self._latest.get(recurrence)
        if known is None or self._bureau.day(event.time) - known[0] > timedelta(days=repeat.within_days):
            return None
        return known[1]
