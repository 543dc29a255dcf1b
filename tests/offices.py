"""A small office (绩效办) for tests of a period: a case's organisation and events, scored afresh.

Nothing here is closed, so that every charge is booked on its own date and a fresh evaluation says
what the ledger's entries would sum to.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from engine.account import Account
from engine.admission import admit
from engine.amount import ZERO
from engine.book import Lot
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.direct import DirectMatcher
from engine.evaluation import PeriodCharge, evaluate
from engine.organisation import Organisation
from engine.period import Calendar, Period
from engine.publication import succeed
from engine.report import parse_report
from engine.rulebook import Version
from engine.settlement import Settlement, settle
from engine.standing import Figures, figures
from rules.case import EventsStep, EventStep, read_cases

EFFECTIVE = "2026-01-01T00:00:00+08:00"


class Office:
    """The bureau, its standing events, and the charges of the periods that were settled."""

    def __init__(self, text: str) -> None:
        (case,) = read_cases(text)
        self.bureau = Bureau(organisation=Organisation(case.subjects, case.relations), calendar=Calendar(case.periods))
        for rulebook in case.versions:
            self.bureau = succeed(self.bureau, rulebook)
        self.standing: list[Recorded] = []
        self.charges: dict[Lot, Sequence[PeriodCharge]] = {}
        self._matchers = {each.number: DirectMatcher(each.rulebook) for each in self.bureau.versions}
        for step in case.steps:
            assert isinstance(step, (EventStep, EventsStep))
            for raw in step.events if isinstance(step, EventsStep) else (step.event,):
                self.standing.append(admit(self.bureau, parse_report(raw)))

    def account(self, code: str) -> Account:
        """The account of a period."""
        period = self.bureau.calendar.periods[code]
        charges = [each for lot in self.charges.values() for each in lot]
        posted: dict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
        own: dict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
        for key, posting in evaluate(self.bureau, self.standing, self._matcher, charges).items():
            if period.contains(posting.booked):
                posted[(key.subject, posting.charge.indicator)] += posting.posted
                if not key.source and key.id == code:
                    own[(key.subject, posting.charge.indicator)] += posting.posted
        return Account(
            bureau=self.bureau,
            period=period,
            standing=[each for each in self.standing if period.contains(each.booked)],
            posted=posted,
            own=own,
            matchers=self._matcher,
        )

    def settle(self, code: str) -> Settlement:
        """Settle a period; its charges replace those of its last settlement."""
        period = self.bureau.calendar.periods[code]
        before = self._before(period)
        found = settle(self.account(code), None if before is None else self.account(before.code))
        self.charges = {lot: each for lot, each in self.charges.items() if lot.id != code} | dict(found.charges)
        return found

    def figures(self, code: str = "2026-03") -> Figures:
        """The figures of a period."""
        return figures(self.account(code))

    def totals(self, code: str = "2026-03") -> dict[str, Decimal | None]:
        """Everybody's total."""
        return {subject: each.total for subject, each in self.figures(code).of.items()}

    def _before(self, period: Period) -> Period | None:
        earlier = [
            each
            for each in self.bureau.calendar.periods.values()
            if each.kind == period.kind and each.start < period.start
        ]
        return max(earlier, key=lambda each: each.start, default=None)

    def _matcher(self, version: Version) -> DirectMatcher:
        return self._matchers[version.number]


def write_events(*rows: str) -> str:
    """Steps of a case from rows ``type subject day field=value …``; ids are E1, E2 …"""
    events = []
    for number, row in enumerate(rows, 1):
        kind, subject, day, *fields = row.split()
        data = ", ".join(f"{name}: {value}" for name, value in (field.split("=") for field in fields))
        events.append(
            f"      - {{id: E{number}, source: o, type: {kind}, subject: {subject},"
            f" time: 2026-{day}T09:00:00+08:00, data: {{{data}}}}}"
        )
    return "steps:\n  - events:\n" + "\n".join(events) + "\n" if events else "steps: []\n"


def charged(found: Settlement) -> dict[tuple[str, str, str], Decimal]:
    """The nominal charges of a settlement by rule, what was compared, and subject."""
    return {
        (each.charge.key.rule, each.charge.key.origin_subject, each.charge.key.subject): each.charge.nominal
        for lot in found.charges.values()
        for each in lot
    }
