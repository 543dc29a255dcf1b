"""The replay (重放): a fresh evaluation of so many events that only their amounts are kept.

It comes to the same sums as :func:`engine.evaluation.evaluate` and tells nothing of how. Two steps:
*scoring* needs of the other events only those of the same type and subject, so that the events of
different subjects may be scored in different processes; *posting*, in turn, decides matters and
limits. Between them an event is a plain tuple of texts and whole numbers, which
:mod:`marshal` passes on fast. Amounts are whole cents; only a limit that is finer than a cent makes
fractions of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import TypeAlias

from engine.amount import EXACT, exact_decimal
from engine.bureau import Bureau
from engine.charge import ChargeKey, Recorded
from engine.charging import Missing, charged_by, reckon_charge, written
from engine.digest import SIGNS, digest
from engine.evaluation import Memory, PeriodCharge
from engine.event import Event, EventKey
from engine.liability import Way, ways
from engine.limits import span_of
from engine.rulebook import EventRule, JointRule, Repeat, Rule, Version
from engine.scene import Matchers, Scene, set_scene
from engine.turn import key_in, order_in, order_of, turn_of

Cents: TypeAlias = int | Fraction
Joint: TypeAlias = tuple[int, str, int]
"""A joint charge before its rule's ``max``: the rule's place, who answers, cents."""
Journey: TypeAlias = tuple[str, tuple[tuple[str, tuple[str, ...]], ...], int, tuple[str, ...]]
"""What a charge travels by once it is known what was posted: the event's subject and parties, the day, rules."""
Direct: TypeAlias = tuple[int, str, int, str | None, tuple[Joint, ...], Journey | None]
"""A direct charge: the rule's place, who is charged, cents, its matter, and its joint charges or its journey."""
Scored: TypeAlias = tuple[str, int, tuple[Direct, ...]]
"""What an event (or one comparison of a period) charges: its turn, its version, its direct charges."""
Posted: TypeAlias = tuple[int, str, int, str, Cents, int, bool]
"""What was posted: the direct rule's place and subject, the charging rule's and who is charged, cents; the nominal
amount in cents, and whether another charge counts instead."""
Matter: TypeAlias = tuple[str, str, bool]
"""The matter, the subject, and whether it is a bonus."""
Claim: TypeAlias = tuple[int, str, int]
"""Less the size, the order, the rule's place: the least counts."""
Claims: TypeAlias = dict[Matter, Claim]
Room: TypeAlias = tuple[Cents, dict[str, Cents]]
"""What a limit holds in one window and for one sign, and what each subject used of it."""


class Scorer:
    """Scores events, given in their order."""

    def __init__(self, bureau: Bureau, matchers: Matchers) -> None:
        self._bureau = bureau
        self._matchers = matchers
        self._memory = Memory(bureau)

    def score(self, recorded: Recorded) -> Scored | None:
        """What the event charges; None where it charges nobody."""
        event = recorded.event
        version = self._bureau.version_at(event.time)
        if version is None:
            raise LookupError(f"no version rules {event.key}")
        scene = set_scene(self._bureau, event, version, self._matchers, self._memory.recall)
        charges: list[Direct] = []
        for place, rule in digest(version.rulebook).on.get(event.type, ()):
            if rule.code in scene.fired:
                charges += self._charge(rule, place, scene)
        self._memory.remember(event, scene.day)
        return (turn_of(recorded.booked, event), version.number, tuple(charges)) if charges else None

    def pass_by(self, recorded: Recorded) -> None:
        """Remember an event, for later ones that repeat it, without scoring it."""
        self._memory.remember(recorded.event, self._bureau.day(recorded.event.time))

    def _charge(self, rule: EventRule, place: int, scene: Scene) -> list[Direct]:
        try:
            return [self._charge_one(rule, place, subject, scene) for subject in charged_by(rule, scene)]
        except Missing:
            return []

    def _charge_one(self, rule: EventRule, place: int, subject: str, scene: Scene) -> Direct:
        nominal = reckon_charge(rule, subject, scene).nominal
        matter = scene.event.matter if rule.matter == "highest" else None
        if scene.version.rulebook.joint.basis == "posted":
            parties = tuple(sorted(scene.event.parties.items()))
            journey = (scene.event.subject, parties, scene.day.toordinal(), tuple(scene.fired))
            return (place, subject, _cents(nominal), matter, (), journey)
        found = ways(rule.code, subject, rule.indicator, nominal, scene)
        return (place, subject, _cents(nominal), matter, _joints(found, scene.version), None)


class _Windows(dict[tuple[int, bool], list[Room]]):
    """The rooms that a rule's bonuses and deductions take from on one day, found when first asked for."""

    def __init__(self, find: Callable[[int, bool], list[Room]]) -> None:
        self._find = find

    def __missing__(self, asked: tuple[int, bool]) -> list[Room]:
        self[asked] = self._find(*asked)
        return self[asked]


class _Mine(dict[str, bool]):
    """Whether a subject is one of those whom a poster posts for, asked once for each."""

    def __init__(self, mine: Callable[[str], bool]) -> None:
        self._mine = mine

    def __missing__(self, subject: str) -> bool:
        self[subject] = self._mine(subject)
        return self[subject]


class Poster:
    """Posts what was scored, given in turn, once it is known which claims count.

    Where amounts travel as they are charged (``basis: nominal``) what is posted to one subject is
    nothing to another, so that several posters may each post for the subjects that are theirs
    (``mine``), all given the same.
    """

    def __init__(self, bureau: Bureau, claims: Claims, mine: Callable[[str], bool] = lambda _: True) -> None:
        self._bureau = bureau
        self._claims = claims
        self._mine = _Mine(mine)
        self._versions = {version.number: version for version in bureau.versions}
        self._most = {version.number: [_most(rule) for rule in version.rulebook.rules] for version in bureau.versions}
        self._windows: dict[tuple[int, str, str], _Windows] = {}
        self._used: dict[tuple[str, str, bool], dict[str, Cents]] = defaultdict(dict)
        self._used_by_event: dict[tuple[str, bool], dict[str, Cents]] = defaultdict(dict)

    def post(self, scored: Scored) -> list[Posted]:
        """What stands of the charges after matters and limits; of each, those that post 0 too."""
        turn, number, charges = scored
        windows, mine = self._windows_at(number, turn), self._mine
        posted: list[Posted] = []
        travelling: list[tuple[int, str, tuple[Joint, ...]]] = []
        for place, subject, nominal, matter, joints, journey in charges:
            if matter and nominal and self._claims[matter, subject, nominal > 0] != _claim(turn, place, nominal):
                if mine[subject]:
                    posted.append((place, subject, place, subject, 0, nominal, True))
                continue
            held: Cents = nominal
            if mine[subject]:
                held = _fit(windows, place, subject, nominal)
                posted.append((place, subject, place, subject, held, nominal, False))
            if journey is not None:
                joints = self._travel(number, place, subject, held, journey)
            if joints:
                travelling.append((place, subject, joints))
        most = self._most[number]
        spent: dict[tuple[int, str, bool], Cents] = {}
        for place, subject, joints in travelling:
            for rule, answering, wanted in joints:
                if not mine[answering]:
                    continue
                bound = most[rule]
                left = wanted if bound is None else _take(bound, (rule, answering, wanted > 0), wanted, spent)
                fitted = _fit(windows, rule, answering, left)
                posted.append((place, subject, rule, answering, fitted, left, False))
        return posted

    def _windows_at(self, number: int, turn: str) -> _Windows:
        """The windows of a version's rules at a turn; those of an event are empty again for each."""
        period = "" if turn[10] == "e" else key_in(turn).id
        asked = (number, turn[:10], period)
        windows = self._windows.get(asked)
        if windows is None:
            windows = self._windows[asked] = _Windows(partial(self._rooms, *asked))
        for used in self._used_by_event.values():
            used.clear()
        return windows

    def _rooms(self, number: int, booked: str, period: str, place: int, bonus: bool) -> list[Room]:
        rulebook = self._versions[number].rulebook
        rooms = []
        for code in dict.fromkeys(getattr(rulebook.rules[place], "limits", ())):
            limit = rulebook.limits[code]
            if (1 if bonus else -1) not in SIGNS[limit.sign]:
                continue
            if limit.per == "event" and not period:
                rooms.append((_exact_cents(limit.max), self._used_by_event[code, bonus]))
                continue
            span = span_of(limit, EventKey("", period), date.fromisoformat(booked), self._bureau.calendar)
            if span is not None:
                rooms.append((_exact_cents(limit.max), self._used[code, span, bonus]))
        return rooms

    def _travel(self, number: int, place: int, subject: str, posted: Cents, journey: Journey) -> tuple[Joint, ...]:
        """The joint charges of what was posted of a direct one."""
        version = self._versions[number]
        rule = version.rulebook.rules[place]
        on, parties, day, fired = journey
        event = Event(
            source="", id="", type="", subject=on, time=datetime.min.replace(tzinfo=UTC), parties=dict(parties)
        )
        scene = Scene(
            event=event,
            version=version,
            organisation=self._bureau.organisation,
            day=date.fromordinal(day),
            facts={},
            fired=frozenset(fired),
            recall=_nothing,
        )
        return _joints(ways(rule.code, subject, rule.indicator, amount(posted), scene), version)


def _fit(windows: _Windows, place: int, subject: str, nominal: int) -> Cents:
    """What the limits leave of a charge, which they hold from now on."""
    bonus = nominal > 0
    rooms = windows[place, bonus] if nominal else None
    if not rooms:
        return nominal
    size: Cents = abs(nominal)
    for most, used in rooms:
        room = most - used.get(subject, 0)
        if room < size:
            size = max(0, room)
    for _, used in rooms:
        used[subject] = used.get(subject, 0) + size
    return size if bonus else -size


def _take(most: Cents, account: tuple[int, str, bool], wanted: int, spent: dict[tuple[int, str, bool], Cents]) -> int:
    """What a joint rule's ``max`` leaves for the event, which is spent from now on."""
    room = max(0, most - spent.get(account, 0))
    size = abs(wanted) if abs(wanted) <= room else int(room + Fraction(1, 2))
    spent[account] = spent.get(account, 0) + size
    return size if wanted > 0 else -size


def _most(rule: Rule) -> Cents | None:
    """A joint rule's bound for an event."""
    return None if not isinstance(rule, JointRule) or rule.max is None else _exact_cents(rule.max)


def replay(
    bureau: Bureau, standing: Iterable[Recorded], matchers: Matchers, period_charges: Iterable[PeriodCharge] = ()
) -> dict[ChargeKey, Decimal]:
    """What is posted of every charge: the same as of :func:`engine.evaluation.evaluate`, in one process."""
    scorer = Scorer(bureau, matchers)
    events = [scorer.score(each) for each in sorted(standing, key=lambda each: order_of(each.event))]
    scored = [each for each in events if each is not None]
    claims: Claims = {}
    stake(claims, scored)
    keys, of_periods = condense_period_charges(bureau, period_charges)
    poster = Poster(bureau, claims)
    sums: dict[ChargeKey, Decimal] = {}
    rules = {version.number: [rule.code for rule in version.rulebook.rules] for version in bureau.versions}
    for each in sorted([*scored, *of_periods]):
        turn, number, _ = each
        for part, (origin, origin_subject, place, subject, cents, _, _) in enumerate(poster.post(each)):
            codes = rules[number][origin], origin_subject, rules[number][place], subject
            key = keys[turn][part] if turn in keys else ChargeKey(*key_in(turn), *codes)
            sums[key] = amount(cents)
    return sums


def condense_period_charges(
    bureau: Bureau, charges: Iterable[PeriodCharge]
) -> tuple[dict[str, list[ChargeKey]], list[Scored]]:
    """Period charges as they are posted: by turn the keys of what one comparison charges, and the charges."""
    keys: dict[str, list[ChargeKey]] = defaultdict(list)
    found: dict[str, tuple[int, list[Direct]]] = {}
    for each in charges:
        charge = each.charge
        place = digest(bureau.version(charge.version).rulebook).places[charge.key.rule]
        keys[each.turn].append(charge.key)
        direct = (place, charge.key.subject, _cents(charge.nominal), None, (), None)
        found.setdefault(each.turn, (charge.version, []))[1].append(direct)
    return keys, [(turn, number, tuple(directs)) for turn, (number, directs) in found.items()]


def stake(claims: Claims, scored: Iterable[Scored]) -> None:
    """Add the claims of what was scored to those that count so far."""
    for turn, _, charges in scored:
        for place, subject, nominal, matter, _, _ in charges:
            if matter and nominal:
                contend(claims, (matter, subject, nominal > 0), _claim(turn, place, nominal))


def contend(claims: Claims, matter: Matter, claim: Claim) -> None:
    """The least claim counts."""
    known = claims.get(matter)
    if known is None or claim < known:
        claims[matter] = claim


def amount(cents: Cents) -> Decimal:
    """So many cents as an amount."""
    return exact_decimal(cents, 2) if isinstance(cents, int) else Decimal(written(cents / 100))


def _cents(nominal: Decimal) -> int:
    return int(EXACT.scaleb(nominal, 2))


def _exact_cents(size: Decimal) -> Cents:
    exact = Fraction(size) * 100
    return exact.numerator if exact.denominator == 1 else exact


def _joints(found: tuple[Way, ...], version: Version) -> tuple[Joint, ...]:
    places = digest(version.rulebook).places
    return tuple([(places[path.rule.code], path.subject, cents) for path, cents in found])


def _claim(turn: str, place: int, nominal: int) -> Claim:
    return (-abs(nominal), order_in(turn), place)


def _nothing(_event: Event, _repeat: Repeat) -> None:
    return None
