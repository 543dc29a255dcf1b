"""Lanes (并行账): the same events scored and posted side by side, as the ledger has them and as they would be.

Three lanes: *now*, as the ledger stands; *base*, the same with the period settled anew; *supposed*, with another
rulebook in place. Each is a replay (:mod:`engine.replay`); they go through the events together, turn by turn, so that
only what differs is kept and memory does not grow with the ledger.
"""

import marshal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from heapq import heappop, heappush, merge
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from engine.bureau import Bureau
from engine.charge import ChargeKey, Recorded
from engine.evaluation import PeriodCharge
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.lateness import unfinished
from engine.period import Period
from engine.publication import reread
from engine.replay import Cents, Claims, Posted, Poster, Scored, Scorer, condense_period_charges, stake
from engine.rulebook import Version
from engine.scene import Matchers
from engine.turn import key_in
from ledger.crew import load
from ledger.past import indicators_of
from ledger.rereading import NoLongerFits, Rereader

MOST_UNFIT = 200
"""Events that no longer fit which are named; all are counted."""
_SAME = True
_BLOCK = 2_000

Lane: TypeAlias = Scored | None
Line: TypeAlias = tuple[str, Lane, Lane | bool, Lane | bool]
"""An event's turn and what it charges in base, now and supposed; ``True``: the same as in base."""
Told: TypeAlias = dict[tuple[str, str, str, str], tuple[Cents, int]]
"""By origin rule and subject, rule and subject: what is posted, and by which version."""


class Bureaus(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force in each lane; ``now`` is ``base`` itself where nothing of it can differ."""

    now: Bureau
    base: Bureau
    supposed: Bureau


class UnfitEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the supposed rulebook cannot type, and why; it counts as not there."""

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    findings: tuple[Finding, ...]


class Scoring:
    """Scores events, given in their order, in all lanes, and writes them down in turn."""

    def __init__(
        self,
        bureaus: Bureaus,
        matchers: Matchers,
        bounds: tuple[datetime, datetime],
        told: Callable[[Recorded, int], None],
    ) -> None:
        self.bureaus = bureaus
        self.unfit: list[UnfitEvent] = []
        self.unfit_count = 0
        self.ruled = 0
        """Events that the supposed rulebook rules."""
        self.claims: tuple[Claims, Claims, Claims] = ({}, {}, {})
        self._start, self._end = bounds
        self._told = told
        self._rereaders = Rereader(bureaus.base), Rereader(bureaus.supposed)
        self._base = Scorer(bureaus.base, matchers)
        self._now = None if bureaus.now is bureaus.base else Scorer(bureaus.now, matchers)
        self._supposed = Scorer(bureaus.supposed, matchers)
        self._waiting: list[Line] = []

    def write(self, rows: Iterable[Mapping[str, Any]], file: Any) -> None:
        """Score further events."""
        block = [line for row in rows for line in self._take(row)]
        if block:
            marshal.dump(block, file)

    def finish(self, file: Any) -> None:
        """Write what still waits for its turn."""
        if self._waiting:
            marshal.dump([heappop(self._waiting) for _ in range(len(self._waiting))], file)
        marshal.dump([], file)

    def _take(self, row: Mapping[str, Any]) -> Iterator[Line]:
        day = self.bureaus.base.day(row["time"]).isoformat()
        while self._waiting and self._waiting[0][0] < day:
            yield heappop(self._waiting)
        recorded, version = self._rereaders[0].reread(row)
        self._told(recorded, 0)
        base = self._base.score(recorded)
        now: Lane | bool = _SAME
        if self._now is not None and unfinished(recorded.event, version.rulebook.event_types[recorded.event.type]):
            now = self._now.score(recorded)
        elif self._now is not None:
            self._now.pass_by(recorded)
        supposed = self._suppose(recorded, row, version)
        lanes = [base, base if now is _SAME else now, base if supposed is _SAME else supposed]
        for claims, lane in zip(self.claims, lanes, strict=True):
            if isinstance(lane, tuple):
                stake(claims, (lane,))
        turns = [lane[0] for lane in lanes if isinstance(lane, tuple)]
        if turns:
            heappush(self._waiting, (turns[0], base, now, supposed))

    def _suppose(self, recorded: Recorded, row: Mapping[str, Any], before: Version) -> Lane | bool:
        """What the event charges in the supposed lane, where it may differ: from the start of the period on."""
        if recorded.event.time < self._start:
            self._supposed.pass_by(recorded)
            self._told(recorded, 1)
            return _SAME
        version = self.bureaus.supposed.version_at(recorded.event.time)
        assert version is not None
        self.ruled += recorded.event.time < self._end
        if version.rulebook.event_types is not before.rulebook.event_types:
            try:
                recorded, _ = self._rereaders[1].reread(row, version)
            except NoLongerFits:
                self._note(recorded, version)
                return None
        self._told(recorded, 1)
        return self._supposed.score(recorded)

    def _note(self, recorded: Recorded, version: Version) -> None:
        self.unfit_count += 1
        if len(self.unfit) >= MOST_UNFIT:
            return
        event = recorded.event
        try:
            reread(recorded, version)
            findings: tuple[Finding, ...] = ()
        except Refused as refused:
            findings = refused.findings[1:] or refused.findings
        self.unfit.append(
            UnfitEvent(
                source=event.source,
                id=event.id,
                type=event.type,
                subject=event.subject,
                time=event.time,
                findings=findings,
            )
        )


class Moves:
    """What a lane posts otherwise than the ledger has it, of what is booked in one period, in cents."""

    def __init__(self) -> None:
        self.posted: dict[tuple[str, str | None], Cents] = defaultdict(int)
        self.own: dict[tuple[str, str | None], Cents] = defaultdict(int)
        self.rules: dict[str, Cents] = defaultdict(int)


class Moved(NamedTuple):
    """A charge that is posted otherwise in the supposed lane than in base; None: it is not there."""

    source: str
    id: str
    origin_rule: str
    origin_subject: str
    rule: str
    subject: str
    booked: date
    before: Cents | None
    after: Cents | None


class Posting:
    """Posts what was scored, turn by turn, in all lanes.

    ``claims`` and ``charges`` (those of periods) are by lane: base, now, supposed. Of ``periods`` the first is the one
    that is asked about, the others are looked at for its progress.
    """

    def __init__(
        self,
        bureaus: Bureaus,
        claims: Sequence[Claims],
        charges: Sequence[Sequence[PeriodCharge]],
        periods: Sequence[Period],
    ) -> None:
        self._period = periods[0]
        self._periods = periods
        self._calendar = bureaus.base.calendar
        self._alike = bureaus.now is bureaus.base and charges[0] is charges[1]
        in_force = (bureaus.base, bureaus.now, bureaus.supposed)
        self._posters = [Poster(bureau, held) for bureau, held in zip(in_force, claims, strict=True)]
        condensed = [condense_period_charges(bureau, held) for bureau, held in zip(in_force, charges, strict=True)]
        self._keys = [keys for keys, _ in condensed]
        turns = sorted({each[0] for _, scored in condensed for each in scored})
        charged = [{each[0]: each for each in scored} for _, scored in condensed]
        self._of_periods: list[Line] = [(turn, *(lane.get(turn) for lane in charged)) for turn in turns]  # type: ignore[misc]
        rulebooks = {version.number: version.rulebook for bureau in in_force for version in bureau.versions}
        self._codes = {number: [rule.code for rule in held.rules] for number, held in rulebooks.items()}
        self._indicators = {number: indicators_of(held) for number, held in rulebooks.items()}
        self._of_charge = [{each.charge.key: each.charge.indicator for each in held} for held in charges]
        self._days: dict[str, date] = {}
        self.base = {period.code: Moves() for period in periods}
        self.supposed = {period.code: Moves() for period in periods}
        self._moved: dict[tuple[str, ...], Moved] = {}

    @property
    def moved(self) -> Iterable[Moved]:
        """The charges that are posted otherwise."""
        return (each for each in self._moved.values() if (each.before or 0) != (each.after or 0))

    def post(self, lines: Iterable[Line], report: Callable[[int], None]) -> None:
        """Post everything."""
        done = 0
        for turn, base, now, supposed in merge(lines, self._of_periods, key=_turn):
            self._post(turn, base, base if now is _SAME else now, base if supposed is _SAME else supposed)
            done += 1
            if done % _BLOCK == 0:
                report(_BLOCK)
        report(done % _BLOCK)

    def _post(self, turn: str, base: Lane, now: Any, supposed: Any) -> None:
        posted = [
            [] if scored is None or (lane == 1 and self._alike) else self._posters[lane].post(scored)
            for lane, scored in enumerate((base, now, supposed))
        ]
        if self._alike:
            posted[1], now = posted[0], base
        period = turn[10] == "p"
        if not period and posted[0] == posted[1] == posted[2] and _number(base) == _number(now) == _number(supposed):
            return
        told = [
            self._tell(turn, lane, each) for lane, each in enumerate(zip((base, now, supposed), posted, strict=True))
        ]
        if told[0] == told[1] == told[2]:
            return
        self._count(turn, *told)

    def _tell(self, turn: str, lane: int, scored: tuple[Lane, list[Posted]]) -> Told:
        charged, posted = scored
        if charged is None:
            return {}
        number = charged[1]
        if turn[10] == "p":
            keys = self._keys[lane][turn]
            return {key[2:]: (each[4], number) for key, each in zip(keys, posted, strict=True)}
        codes = self._codes[number]
        return {
            (codes[origin], origin_subject, codes[place], subject): (cents, number)
            for origin, origin_subject, place, subject, cents, _, _ in posted
        }

    def _count(self, turn: str, base: Told, now: Told, supposed: Told) -> None:
        day = self._book(turn[:10])
        of = key_in(turn)
        for lane, moves, place in ((base, self.base, 0), (supposed, self.supposed, 2)):
            for period in self._periods:
                if period.contains(day):
                    self._move(moves[period.code], period, of, now, lane, place)
        if not self._period.contains(day):
            return
        for key in {**base, **supposed}:
            before, after = base.get(key), supposed.get(key)
            sizes = [None if each is None else each[0] for each in (before, after)]
            if not of.source:  # a charge of a period has another turn where its rule has another place
                known = self._moved.get((*of, *key))
                if known is not None:
                    sizes = [
                        known.before if sizes[0] is None else sizes[0],
                        known.after if sizes[1] is None else sizes[1],
                    ]
                self._moved[(*of, *key)] = Moved(*of, *key, day, *sizes)
            elif (sizes[0] or 0) != (sizes[1] or 0):
                self._moved[(*of, *key)] = Moved(*of, *key, day, *sizes)

    def _move(self, moves: Moves, period: Period, of: EventKey, now: Told, lane: Told, place: int) -> None:
        for key in {**now, **lane}:
            before, after = now.get(key), lane.get(key)
            difference = (after[0] if after else 0) - (before[0] if before else 0)
            if not difference:
                continue
            number = (after or before or (0, 0))[1]
            if of.source:
                indicator = self._indicators[number][key[0], key[2]]
            else:
                indicator = self._of_charge[place if after else 1][ChargeKey(of.source, of.id, *key)]
            moves.posted[key[3], indicator] += difference
            moves.rules[key[2]] += difference
            if not of.source and of.id == period.code:
                moves.own[key[3], indicator] += difference

    def _book(self, day: str) -> date:
        """Where a difference to what was booked on that day is booked; nowhere else than there if nothing is open."""
        found = self._days.get(day)
        if found is None:
            booked = date.fromisoformat(day)
            found = self._days[day] = self._calendar.book(booked) or booked
        return found


def _turn(line: Line) -> str:
    return line[0]


def _number(lane: Lane) -> int | None:
    return None if lane is None else lane[1]


def lines_in(path: Path) -> Iterator[Line]:
    """What :class:`Scoring` wrote down."""
    return load(path)
