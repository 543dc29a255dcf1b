"""The register (台账, in memory): a whole ledger as a value one can talk to.

It does what the ledger on PostgreSQL does, by the same admission and the same planner, and is what
cases, simulations and the property tests run on. Nothing is written anywhere. A closed period's
figures are those of its closing until it is reopened.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from engine.account import Account
from engine.admission import Conflicting, admit, same_report
from engine.amount import ZERO
from engine.book import Book, Lot
from engine.bureau import Bureau
from engine.charge import Act, Cause, ChargeKey, Entry, Posting, Recorded
from engine.direct import DirectMatcher
from engine.evaluation import PeriodCharge, evaluate
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.lateness import unfinished
from engine.matchers import KeptMatchers
from engine.matching import Matcher
from engine.organisation import Organisation, Relation, Subject
from engine.period import Calendar, Period
from engine.planner import Change, Plan, plan
from engine.publication import reread, succeed
from engine.reorganisation import reorganise
from engine.report import Report
from engine.rulebook import Rulebook
from engine.scene import Matchers
from engine.settlement import Settlement, settle
from engine.standing import Figures, figures


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in the register, with its number and its cause."""

    number: int
    entry: Entry
    cause: Cause


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it was first recorded, and the version that typed it."""

    recorded: Recorded
    version: int


class Register:
    """Events, entries and acts of one bureau, in memory."""

    def __init__(
        self,
        bureau: Bureau,
        matcher: Callable[[Rulebook], Matcher] = DirectMatcher,
    ) -> None:
        self.bureau = bureau
        self.book = Book()
        self.held: dict[EventKey, Held] = {}
        self.entries: list[Posted] = []
        self.sums: dict[ChargeKey, Decimal] = defaultdict(lambda: ZERO)
        self.period_charges: dict[Lot, tuple[PeriodCharge, ...]] = {}
        self.settlements: dict[str, Settlement] = {}
        self.snapshots: dict[str, list[Figures]] = defaultdict(list)
        self.matcher: Matchers = KeptMatchers(matcher)
        """The matcher of a version."""
        self._number = 0

    # events

    def record(self, report: Report) -> Plan | None:
        """Record a reported event; None where it repeats one. Refused otherwise."""
        if self._repeats(report):
            return None
        recorded = admit(self.bureau, report)
        return self._carry_out("event", Change(admitted=(recorded,)))

    def retract(self, key: EventKey) -> Plan | None:
        """Withdraw an event; None where it is withdrawn already."""
        if key not in self.held:
            raise Refused(Finding(message=message("event.unknown", source=key.source, id=key.id)))
        if self.book.recorded(key) is None:
            return None
        return self._carry_out("retraction", Change(withdrawn=(key,)))

    def correct(self, key: EventKey, report: Report) -> Plan | None:
        """Withdraw an event and record what replaces it, in one; if that is refused, nothing is withdrawn."""
        if self.book.recorded(key) is None:
            if key in self.held and self._repeats(report):
                return None
            raise Refused(Finding(message=message("event.not_standing", source=key.source, id=key.id)))
        if report.key in self.held:
            raise Conflicting(
                Finding(message=message("event.id_taken", source=report.source, id=report.id), path="/id")
            )
        recorded = admit(self.bureau, report)
        return self._carry_out("correction", Change(admitted=(recorded,), withdrawn=(key,)))

    # acts

    def publish(self, rulebook: Rulebook) -> Plan:
        """Put a further version in force; events that it now rules are evaluated again."""
        bureau = succeed(self.bureau, rulebook)
        return self._change_bureau("publication", bureau, Change(reconsidered=tuple(self._ruled_anew(bureau))))

    def organise(self, since: date, subjects: Iterable[Subject] = (), relations: Iterable[Relation] = ()) -> Plan:
        """Change the organisation; events from the first day that differs are evaluated again."""
        after = reorganise(self.bureau.organisation, since, subjects, relations)
        first = after.first_day
        concerned = [
            each
            for each in self.book.events.values()
            if first is not None and self.bureau.day(each.event.time) >= first
        ]
        bureau = msgspec.structs.replace(self.bureau, organisation=after.organisation)
        return self._change_bureau("organisation", bureau, Change(reconsidered=tuple(concerned)))

    def declare(self, periods: Iterable[Period]) -> Plan:
        """Declare periods; charges under limits that follow periods are looked at again.

        A period that is declared again stays open or closed as it was; a closed one may not change.
        """
        known = dict(self.bureau.calendar.periods)
        for each in periods:
            before = known.get(each.code)
            each = each.succeeding(before)
            if before is not None and before.state == "closed" and each != before:
                raise Refused(Finding(message=message("period.not_open", period=each.code)))
            known[each.code] = each
        bureau = msgspec.structs.replace(self.bureau, calendar=Calendar(known.values()))
        concerned = [each for each in self.book.events.values() if self._follows_periods(Lot(*each.event.key))]
        lots = {lot: charges for lot, charges in self.period_charges.items() if self._follows_periods(lot)}
        return self._change_bureau("periods", bureau, Change(reconsidered=tuple(concerned), period_charges=lots))

    def settle(self, code: str) -> Plan:
        """Settle an open period: tasks that are still not done grow, then what is charged for it as a whole.

        What it charged when it was last settled is replaced by difference.
        """
        period = self.period(code)
        if period.state != "open":
            raise Refused(Finding(message=message("period.not_open", period=code)))
        through = max(period.last_day, self.bureau.settled_through or period.last_day)
        bureau = msgspec.structs.replace(self.bureau, settled_through=through)
        growth = Change(reconsidered=tuple(each for each in self.book.events.values() if self._grows(each)))
        grown = plan(bureau, self.book, self.matcher, growth).entries
        settlement = self._settle(bureau, period, grown)
        former = {lot: () for lot in self.period_charges if lot.id == code}
        change = msgspec.structs.replace(growth, period_charges={**former, **settlement.charges})
        planned = self._change_bureau("settlement", bureau, change)
        self.settlements[code] = settlement
        return planned

    def close(self, code: str) -> None:
        """Close a period; its figures stay as they are until it is reopened."""
        found = figures(self.account(code))
        self._set_state(code, "open", "closed")
        self.snapshots[code].append(found)

    def reopen(self, code: str) -> None:
        """Open a closed period again."""
        self._set_state(code, "closed", "open")

    # what stands

    def figures(self, code: str) -> Figures:
        """The figures of a period: as it stands, or, while it is closed, as it was closed."""
        closed = self.period(code).state == "closed"
        return self.snapshots[code][-1] if closed else figures(self.account(code))

    def account(self, code: str) -> Account:
        """The account of a period as it stands."""
        return self._account(self.bureau, self.period(code), ())

    def fresh(self, matchers: Matchers | None = None) -> Mapping[ChargeKey, Posting]:
        """Everything that stands, evaluated from nothing, by the register's matchers or by others."""
        charges = [each for lot in self.period_charges.values() for each in lot]
        return evaluate(self.bureau, self.book.events.values(), matchers or self.matcher, charges)

    def _repeats(self, report: Report) -> bool:
        held = self.held.get(report.key)
        if held is None:
            return False
        if not same_report(self.bureau, held.recorded, report, held.version):
            raise Conflicting(
                Finding(message=message("event.id_taken", source=report.source, id=report.id), path="/id")
            )
        return True

    def _ruled_anew(self, bureau: Bureau) -> list[Recorded]:
        concerned = []
        for each in self.book.events.values():
            before, after = self.bureau.version_at(each.event.time), bureau.version_at(each.event.time)
            if after is not None and (before is None or before.number != after.number):
                concerned.append(reread(each, after))
        return concerned

    def _settle(self, bureau: Bureau, period: Period, grown: Iterable[Entry]) -> Settlement:
        """What a settlement charges for the period, once the entries of tasks that grew are in its account."""
        grown = tuple(grown)
        previous = bureau.calendar.previous(period)
        before: Account | Figures | None = None
        if previous is not None:
            closed = previous.state == "closed"
            before = self.figures(previous.code) if closed else self._account(bureau, previous, grown)
        return settle(self._account(bureau, period, grown), before)

    def _account(self, bureau: Bureau, period: Period, grown: Iterable[Entry]) -> Account:
        posted: dict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
        own: dict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
        for entry in (*(each.entry for each in self.entries), *grown):
            if period.contains(entry.booked):
                key = entry.charge.key
                posted[key.subject, entry.charge.indicator] += entry.posted
                if not key.source and key.id == period.code:
                    own[key.subject, entry.charge.indicator] += entry.posted
        return Account(
            bureau=bureau,
            period=period,
            standing=[each for each in self.book.events.values() if period.contains(each.booked)],
            posted=posted,
            own=own,
            matchers=self.matcher,
        )

    def _follows_periods(self, lot: Lot) -> bool:
        sheet = self.book.sheet(lot)
        return sheet is not None and any(
            self.bureau.version(posting.charge.version).rulebook.limits[code].per == "period"
            for posting in sheet.postings
            for code in posting.charge.limits
        )

    def _grows(self, recorded: Recorded) -> bool:
        version = self.bureau.version_at(recorded.event.time)
        return version is not None and unfinished(recorded.event, version.rulebook.event_types[recorded.event.type])

    def _set_state(self, code: str, expected: str, state: str) -> None:
        period = self.period(code)
        if period.state != expected:
            raise Refused(Finding(message=message(f"period.not_{expected}", period=code)))
        self._number += 1
        periods = {**self.bureau.calendar.periods, code: msgspec.structs.replace(period, state=state)}
        self.bureau = msgspec.structs.replace(self.bureau, calendar=Calendar(periods.values()))

    def period(self, code: str) -> Period:
        """The declared period of that code; Refused where there is none."""
        return self.bureau.calendar.find(code)

    def _change_bureau(self, act: Act, bureau: Bureau, change: Change) -> Plan:
        before = self.bureau
        self.bureau = bureau
        try:
            return self._carry_out(act, change)
        except Refused:
            self.bureau = before
            raise

    def _carry_out(self, act: Act, change: Change) -> Plan:
        planned = plan(self.bureau, self.book, self.matcher, change)
        self._number += 1
        cause = Cause(act, self._number)
        self.book.keep((*change.admitted, *change.reconsidered), change.withdrawn, planned.sheets)
        for lot, charges in change.period_charges.items():
            self.period_charges.pop(lot, None)
            if charges:
                self.period_charges[lot] = tuple(charges)
        for recorded in change.admitted:
            version = self.bureau.version_at(recorded.event.time)
            assert version is not None
            self.held[recorded.event.key] = Held(recorded=recorded, version=version.number)
        for entry in planned.entries:
            self._number += 1
            self.entries.append(Posted(number=self._number, entry=entry, cause=cause))
            self.sums[entry.charge.key] += entry.posted
        return planned


def open_register(
    rulebooks: Iterable[Rulebook], organisation: Organisation, periods: Iterable[Period] = ()
) -> Register:
    """A register with these versions in force from the start."""
    bureau = Bureau(organisation=organisation, calendar=Calendar(periods))
    for rulebook in rulebooks:
        bureau = succeed(bureau, rulebook)
    return Register(bureau)
