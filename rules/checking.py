"""Checking (核对): a case is carried out step by step, and what came of it is held against what it expects.

Whoever carries the steps out is a :class:`Clerk` (经办): here the register in memory, elsewhere a
server. At every ``expect`` the register's sums must besides equal a fresh evaluation, by either
matcher. What differs is a :class:`Mismatch` with both sides. An event may be refused, and the case
may expect it; any other step that is refused ends the case.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from engine.amount import ZERO
from engine.bureau import Bureau
from engine.charge import ChargeKey, Posting
from engine.durable import DurableMatcher, available
from engine.event import MANUAL, EventKey
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.matching import Matcher
from engine.organisation import Organisation, Relation, Subject
from engine.period import Calendar
from engine.publication import succeed
from engine.register import Register
from engine.report import parse_report
from engine.rulebook import Rulebook, Version
from engine.scalar import Raw
from rules.case import (
    Case,
    Close,
    Correct,
    EventsStep,
    EventStep,
    Expect,
    Organise,
    Publish,
    Reopen,
    Retract,
    Settle,
    Step,
    read_own_cases,
)
from rules.document import Document

MOST_TOLD = 50
"""Mismatches of one case that are kept; one wrong rule can make hundreds."""

Side = Message | str


class Broken(Refused):
    """A clerk could not do what it was told, whatever was said: the case ends, even at an event."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that came out differently: at which step (from 1), of what, both sides."""

    step: int
    what: Message
    expected: Side
    actual: Side


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one case."""

    name: str
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether everything came out as expected."""
        return not self.mismatches


class SumKey(NamedTuple):
    """What a sum is of: an event, or a period where ``source`` is empty; a rule, a subject."""

    source: str
    id: str
    rule: str
    subject: str


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a case may ask of one subject in a period."""

    total: Decimal | None = None
    final: Decimal | None = None
    rank: int | None = None
    tier: int | None = None
    awards: Sequence[str] = ()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not hold by itself, whatever the case expects."""

    what: Message
    expected: Side
    actual: Side


class Clerk(Protocol):
    """Carries out the steps of one case. Every verb raises Refused where it is refused."""

    def record(self, event: Raw) -> None:
        """Report an event."""
        ...

    def retract(self, key: EventKey, reason: str) -> None:
        """Withdraw an event."""
        ...

    def correct(self, key: EventKey, event: Raw, reason: str) -> None:
        """Withdraw an event and report what replaces it."""
        ...

    def publish(self, rulebook: Rulebook) -> None:
        """Put a further version in force."""
        ...

    def organise(self, since: date, subjects: Sequence[Subject], relations: Sequence[Relation]) -> None:
        """Change the organisation."""
        ...

    def settle(self, period: str) -> None:
        """Settle a period."""
        ...

    def close(self, period: str) -> None:
        """Close a period."""
        ...

    def reopen(self, period: str) -> None:
        """Open a closed period again."""
        ...

    def figures(self, period: str) -> Mapping[str, Tally]:
        """Everybody's figures in a period."""
        ...

    def sums(self) -> Mapping[SumKey, Decimal]:
        """What was posted so far; a sum that is 0 may be left out."""
        ...

    def examine(self) -> Iterable[Difference]:
        """What does not hold by itself at this moment."""
        ...

    def close_down(self) -> None:
        """Give back what the clerk holds."""
        ...


def run_cases(document: Document) -> list[CaseResult]:
    """Run the cases that are kept beside a rulebook's rules. Refused where one cannot be read."""
    return [run_case(case) for case in read_own_cases(document.rulebook, document.cases)]


def run_case(case: Case) -> CaseResult:
    """Run a case on a register in memory."""
    return carry_out(case, lambda: RegisterClerk(case))


def carry_out(case: Case, hire: Callable[[], Clerk]) -> CaseResult:
    """Have a clerk carry out a case, and hold what came of it against what is expected."""
    try:
        clerk = hire()
    except Refused as refused:
        return CaseResult(name=case.name, mismatches=(_stopped(0, message("checking.begin"), refused),))
    try:
        return CaseResult(name=case.name, mismatches=tuple(islice(_Run(case, clerk).mismatches(), MOST_TOLD)))
    finally:
        clerk.close_down()


class _Run:
    """One run of a case."""

    def __init__(self, case: Case, clerk: Clerk) -> None:
        self._case = case
        self._clerk = clerk
        self._refused: dict[EventKey, Refused] = {}
        self._sources: dict[str, list[str]] = defaultdict(list)
        for event in _events(case):
            key = _key(event)
            if key.source not in self._sources[key.id]:
                self._sources[key.id].append(key.source)

    def mismatches(self) -> Iterator[Mismatch]:
        for number, step in enumerate(self._case.steps, 1):
            try:
                if isinstance(step, Expect):
                    yield from self._compare(number, step)
                    self._refused = {}
                else:
                    self._do(step)
            except Refused as refused:
                yield _stopped(number, message(f"checking.step.{step.__struct_config__.tag}"), refused)
                return

    def _do(self, step: Step) -> None:
        clerk = self._clerk
        match step:
            case EventStep(event=event):
                self._report(event)
            case EventsStep(events=events):
                for event in events:
                    self._report(event)
            case Retract(id=id_, source=source, reason=reason):
                clerk.retract(self._named(id_, source), reason)
            case Correct(id=id_, source=source, reason=reason, event=event):
                key = self._named(id_, source)
                self._may_be_refused(event, lambda: clerk.correct(key, event, reason))
            case Publish(rulebook=rulebook):
                clerk.publish(rulebook)
            case Organise(since=since, subjects=subjects, relations=relations):
                clerk.organise(since, subjects, relations)
            case Settle(period=period):
                clerk.settle(period)
            case Close(period=period):
                clerk.close(period)
            case Reopen(period=period):
                clerk.reopen(period)

    def _report(self, event: Raw) -> None:
        self._may_be_refused(event, lambda: self._clerk.record(event))

    def _may_be_refused(self, event: Raw, act: Callable[[], None]) -> None:
        try:
            act()
        except Broken:
            raise
        except Refused as refused:
            self._refused[_key(event)] = refused

    def _named(self, id_: str, source: str | None) -> EventKey:
        """The event that an id alone names, where only one source uses it."""
        if source is not None:
            return EventKey(source, id_)
        sources = self._sources.get(id_, [])
        if len(sources) > 1 and MANUAL not in sources:
            raise Refused(Finding(message=message("checking.source", id=id_, sources="、".join(sources))))
        return EventKey(sources[0] if len(sources) == 1 else MANUAL, id_)

    # what is expected

    def _compare(self, number: int, expect: Expect) -> Iterator[Mismatch]:
        if expect.totals or expect.final or expect.ranks or expect.tiers or expect.awards:
            yield from self._compare_figures(number, expect)
        if expect.posted is not None:
            yield from self._compare_sums(number, expect)
        if expect.refused is not None:
            yield from self._compare_refused(number, expect)
        for each in self._clerk.examine():
            yield Mismatch(step=number, what=each.what, expected=each.expected, actual=each.actual)

    def _compare_figures(self, number: int, expect: Expect) -> Iterator[Mismatch]:
        period = expect.period
        if period is None:
            if len(self._case.periods) != 1:
                codes = "、".join(each.code for each in self._case.periods)
                yield Mismatch(
                    step=number,
                    what=message("checking.period"),
                    expected=message("checking.one_of", codes=codes) if codes else message("checking.a_period"),
                    actual=message("checking.nothing"),
                )
                return
            period = self._case.periods[0].code
        tallies = self._clerk.figures(period)
        for name, asked in (
            ("total", expect.totals),
            ("final", expect.final),
            ("rank", expect.ranks),
            ("tier", expect.tiers),
        ):
            for subject, value in asked.items():
                actual = getattr(tallies.get(subject, Tally()), name)
                if actual != value:
                    yield Mismatch(
                        step=number,
                        what=message(f"checking.{name}", subject=subject, period=period),
                        expected=_written(value),
                        actual=_written(actual),
                    )
        for award, expected in expect.awards.items():
            candidates = {subject for subject, tally in tallies.items() if award in tally.awards}
            if candidates != expected:
                yield Mismatch(
                    step=number,
                    what=message("checking.award", award=award, period=period),
                    expected=_listed(expected),
                    actual=_listed(candidates),
                )

    def _compare_sums(self, number: int, expect: Expect) -> Iterator[Mismatch]:
        expected: dict[SumKey, Decimal] = defaultdict(lambda: ZERO)
        for each in expect.posted or ():
            event = self._expect_named(each.event, each.source) if each.period is None else EventKey("", each.period)
            expected[SumKey(*event, each.rule, each.subject)] += each.points
        actual = {key: amount for key, amount in self._clerk.sums().items() if amount}
        for key in sorted({*expected, *actual}):
            if expected.get(key, ZERO) != actual.get(key, ZERO):
                yield Mismatch(
                    step=number,
                    what=message("checking.posted", of=_origin(key), rule=key.rule, subject=key.subject),
                    expected=_written(expected[key]) if key in expected else message("checking.nothing"),
                    actual=_written(actual[key]) if key in actual else message("checking.nothing"),
                )

    def _compare_refused(self, number: int, expect: Expect) -> Iterator[Mismatch]:
        expected = {self._expect_named(each.id, each.source) for each in expect.refused or ()}
        for key in sorted(expected ^ self._refused.keys()):
            refused = self._refused.get(key)
            yield Mismatch(
                step=number,
                what=message("checking.event", source=key.source, id=key.id),
                expected=message("checking.refused" if key in expected else "checking.kept"),
                actual=message("checking.kept") if refused is None else _why(refused),
            )

    def _expect_named(self, id_: str | None, source: str | None) -> EventKey:
        try:
            return self._named(id_ or "", source)
        except Refused:
            return EventKey(MANUAL, id_ or "")


class RegisterClerk:
    """Carries a case out on a register in memory."""

    def __init__(self, case: Case) -> None:
        organisation = Organisation(case.subjects, case.relations, ZoneInfo(case.timezone))
        bureau = Bureau(organisation=organisation, calendar=Calendar(case.periods))
        for rulebook in case.versions:
            bureau = succeed(bureau, rulebook)
        self.register = Register(bureau)
        self._durable: dict[int, Matcher] = {}

    def record(self, event: Raw) -> None:
        self.register.record(parse_report(event))

    def retract(self, key: EventKey, reason: str) -> None:  # noqa: ARG002  (a register keeps no reasons)
        self.register.retract(key)

    def correct(self, key: EventKey, event: Raw, reason: str) -> None:  # noqa: ARG002
        self.register.correct(key, parse_report(event))

    def publish(self, rulebook: Rulebook) -> None:
        self.register.publish(rulebook)

    def organise(self, since: date, subjects: Sequence[Subject], relations: Sequence[Relation]) -> None:
        self.register.organise(since, subjects, relations)

    def settle(self, period: str) -> None:
        self.register.settle(period)

    def close(self, period: str) -> None:
        self.register.close(period)

    def reopen(self, period: str) -> None:
        self.register.reopen(period)

    def figures(self, period: str) -> Mapping[str, Tally]:
        return {
            subject: Tally(total=each.total, final=each.final, rank=each.rank, tier=each.tier, awards=each.awards)
            for subject, each in self.register.figures(period).of.items()
        }

    def sums(self) -> Mapping[SumKey, Decimal]:
        found: dict[SumKey, Decimal] = defaultdict(lambda: ZERO)
        for key, amount in self.register.sums.items():
            found[SumKey(key.source, key.id, key.rule, key.subject)] += amount
        return found

    def examine(self) -> Iterator[Difference]:
        """The ledger's sums equal a fresh evaluation; either matcher comes to the same."""
        fresh = self.register.fresh()
        present = {key: amount for key, amount in self.register.sums.items() if amount}
        yield from _differ("checking.fresh", _amounts(fresh), present)
        if available():
            yield from _differ("checking.matchers", _amounts(fresh), _amounts(self.register.fresh(self._matcher)))

    def close_down(self) -> None:
        for matcher in self._durable.values():
            matcher.close()

    def _matcher(self, version: Version) -> Matcher:
        if version.number not in self._durable:
            self._durable[version.number] = DurableMatcher(version.rulebook)
        return self._durable[version.number]


def _amounts(postings: Mapping[ChargeKey, Posting]) -> Mapping[ChargeKey, Decimal]:
    return {key: posting.posted for key, posting in postings.items() if posting.posted}


def _differ(
    what: str, expected: Mapping[ChargeKey, Decimal], actual: Mapping[ChargeKey, Decimal]
) -> Iterator[Difference]:
    for key in sorted({*expected, *actual}):
        if expected.get(key) != actual.get(key):
            of = _origin(SumKey(key.source, key.id, key.rule, key.subject))
            yield Difference(
                what=message(what, of=of, rule=key.rule, subject=key.subject),
                expected=_written(expected.get(key, ZERO)),
                actual=_written(actual.get(key, ZERO)),
            )


def _events(case: Case) -> Iterator[Raw]:
    for step in case.steps:
        if isinstance(step, EventsStep):
            yield from step.events
        elif isinstance(step, (EventStep, Correct)):
            yield step.event


def _key(event: Raw) -> EventKey:
    """An event's identity as it was written, whether or not the event fits."""
    tree = event if isinstance(event, Mapping) else {}
    return EventKey(str(tree.get("source") or MANUAL), str(tree.get("id")))


def _origin(key: SumKey) -> Message:
    if not key.source:
        return message("checking.of_period", period=key.id)
    return message("checking.of_event", source=key.source, id=key.id)


def _stopped(number: int, what: Message, refused: Refused) -> Mismatch:
    return Mismatch(step=number, what=what, expected=message("checking.done"), actual=_why(refused))


def _why(refused: Refused) -> Message:
    first = refused.findings[0] if refused.findings else Finding(message=message("checking.refused"))
    return message("checking.refused_because", where=first.path, reason=first.message)


def _written(value: Decimal | int | None) -> Side:
    if value is None:
        return message("checking.nothing")
    return str(value) if isinstance(value, int) else f"{value:.2f}" if value == round(value, 2) else f"{value:f}"


def _listed(codes: Iterable[str]) -> Side:
    return "、".join(sorted(codes)) or message("checking.nobody")
