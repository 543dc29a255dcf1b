"""Hits (命中): which standing events of the last months a rule that is not published yet would have hit.

Nothing is scored and nothing is kept. An event rule or a veto hits an event where its condition is true under the
draft and somebody is there whom it charges; an event rule that is whole must besides come to an amount, for without
its field or its table's row it does not fire. A joint rule hits an event of which a charge travels to somebody by it;
shares are taken of nominal amounts. An event that the draft's event type cannot type is counted by itself.

Events are looked at newest first, at most so many and for so long; whoever asks is told where that was not all.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from datetime import time as clock_time
from typing import Any

import msgspec

from engine.bureau import Bureau
from engine.charging import Missing, charged_by, reckon_charge
from engine.digest import digest
from engine.direct import DirectMatcher
from engine.event import Event, EventKey
from engine.liability import ways
from engine.rulebook import EventRule, JointRule, Repeat, Version, VetoRule
from engine.scene import Scene, gather
from ledger import clock
from ledger.current import Connection, get_current
from ledger.reading import reading
from ledger.rereading import NoLongerFits, Rereader
from rules.proposal import Proposal

MONTHS, MOST_MONTHS = 6, 24
MOST = 200_000
"""Events that are looked at at most."""
LONGEST = 1.5
"""Seconds for which events are looked at."""
SHOWN = 10
MISSED = 3
"""Events that were not hit and are told, newest first."""
_CHUNK = 2_000


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was looked at; its time in the organisation's zone."""

    source: str
    id: str
    type: str
    time: datetime
    subject: str


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """Of ``checked`` events since a day ``hit`` were hit and ``unfit`` could not be typed; ``capped``: not all of them
    were looked at, only the newest. ``events`` are the first ones hit, ``missed`` the first ones that were not.
    """

    since: date
    checked: int = 0
    hit: int = 0
    unfit: int = 0
    capped: bool = False
    events: tuple[Hit, ...] = ()
    missed: tuple[Hit, ...] = ()


Judge = Callable[[Scene], bool]


async def find_hits(proposal: Proposal, months: int = MONTHS, *, most: int = MOST, longest: float = LONGEST) -> Hits:
    """What the proposed rule would have hit since the first day of the month that lies so many months back."""
    current = get_current()
    since = first_day(clock.now().astimezone(current.timezone).date(), months)
    types = types_of(proposal)
    if not proposal.judged or not types:
        return Hits(since=since)
    async with reading() as connection:
        return await _Search(proposal, current.bureau).run(connection, types, since, most, longest)


def first_day(today: date, months: int) -> date:
    """The first day of the month that lies so many months back."""
    count = today.year * 12 + today.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def types_of(proposal: Proposal) -> list[str]:
    """The event types whose events the rule may hit."""
    rule = proposal.rule
    if isinstance(rule, (EventRule, VetoRule)):
        return [rule.on]
    if isinstance(rule, JointRule):
        return sorted({each.on for each in _sources(rule, proposal)})
    return []


def _sources(rule: JointRule, proposal: Proposal) -> Iterator[EventRule]:
    for each in proposal.rulebook.rules:
        if isinstance(each, EventRule) and each.enabled and (rule.of is None or each.code in rule.of):
            yield each


_EVENTS = """
    SELECT e.number, e.source, e.id, e.type, e.subject, e.time, e.recorded_at, e.matter, e.parties, e.basis, e.data,
           e.booked
    FROM present_event p JOIN event e ON e.number = p.number
    WHERE p.instant >= $1 AND p.type = ANY($2) ORDER BY p.instant DESC, p.number DESC LIMIT $3
"""


class _Search:
    """One look through events."""

    def __init__(self, proposal: Proposal, bureau: Bureau) -> None:
        self._version = Version(number=0, rulebook=proposal.rulebook)
        self._bureau = msgspec.structs.replace(bureau, versions=(self._version,))
        self._matcher = DirectMatcher(proposal.rulebook)
        self._rereader = Rereader(self._bureau)
        self._judge = _judge_of(proposal)
        self._code = "" if proposal.rule is None else proposal.rule.code
        self._checked = self._hit = self._unfit = 0
        self._events: list[Hit] = []
        self._missed: list[Hit] = []

    async def run(self, connection: Connection, types: list[str], since: date, most: int, longest: float) -> Hits:
        until = time.monotonic() + longest
        start = datetime.combine(since, clock_time(), self._bureau.organisation.timezone)
        cursor = await connection.cursor(_EVENTS, start, types, most + 1)
        capped = False
        while not capped and (rows := await cursor.fetch(_CHUNK)):
            for row in rows:
                capped = self._checked >= most or (self._checked % 100 == 0 and time.monotonic() > until)
                if capped:
                    break
                self._look_at(row)
        return Hits(
            since=since,
            checked=self._checked,
            hit=self._hit,
            unfit=self._unfit,
            capped=capped,
            events=tuple(self._events),
            missed=tuple(self._missed),
        )

    def _look_at(self, row: Mapping[str, Any]) -> None:
        self._checked += 1
        try:
            event = self._rereader.reread(row, self._version)[0].event
        except NoLongerFits:
            self._unfit += 1
            return
        holds = self._holds(event)
        self._hit += holds
        told, shown = (self._events, SHOWN) if holds else (self._missed, MISSED)
        if len(told) < shown:
            time_here = event.time.astimezone(self._bureau.organisation.timezone)
            told.append(Hit(source=event.source, id=event.id, type=event.type, time=time_here, subject=event.subject))

    def _holds(self, event: Event) -> bool:
        day = self._bureau.day(event.time)
        facts = gather(self._bureau, event, self._version, day)
        fired = self._matcher.match(event.type, facts)
        if self._code not in fired:
            return False
        return self._judge(
            Scene(
                event=event,
                version=self._version,
                organisation=self._bureau.organisation,
                day=day,
                facts=facts,
                fired=fired,
                recall=_recall_nothing,
            )
        )


def _judge_of(proposal: Proposal) -> Judge:
    rule = proposal.rule
    if isinstance(rule, JointRule):
        return lambda scene: _travels(rule.code, scene)
    if isinstance(rule, EventRule) and proposal.whole:
        return lambda scene: _charges(rule, scene)
    assert isinstance(rule, (EventRule, VetoRule))
    return lambda scene: bool(charged_by(rule, scene))


def _charges(rule: EventRule, scene: Scene) -> bool:
    """Whether the rule comes to an amount for somebody."""
    try:
        for subject in charged_by(rule, scene):
            reckon_charge(rule, subject, scene)
            return True
    except Missing:
        pass
    return False


def _travels(code: str, scene: Scene) -> bool:
    """Whether a charge of the event travels to somebody by the joint rule."""
    for _, rule in digest(scene.version.rulebook).on.get(scene.event.type, ()):
        if rule.code not in scene.fired:
            continue
        try:
            for subject in charged_by(rule, scene):
                nominal = reckon_charge(rule, subject, scene).nominal
                found = ways(rule.code, subject, rule.indicator, nominal, scene)
                if any(way.path.rule.code == code for way in found):
                    return True
        except Missing:
            continue
    return False


def _recall_nothing(event: Event, repeat: Repeat) -> EventKey | None:  # noqa: ARG001  (whether it fired needs none)
    return None
