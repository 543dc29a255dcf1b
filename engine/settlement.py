"""Settlement (结算): what a period charges as a whole, by differentiation and by progress.

Computed from the account without the period's own period charges, so that the order of rules does
not matter and settling twice charges once. Booked on the period's last day, by the version in effect
at its last instant. Charges take their turn under limits by rule, then what was compared as listed,
then group or unit, then the charged subject; what limits leave of them is not decided here.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from engine import differentiation, progress
from engine.account import Account, without_own
from engine.amount import cents
from engine.book import Lot
from engine.charge import Charge, ChargeKey, Step
from engine.comparison import Comparison
from engine.differentiation import compare
from engine.evaluation import PeriodCharge
from engine.indicators import Indicators
from engine.progress import Progress
from engine.rulebook import DifferentiationRule, ProgressRule, Version
from engine.standing import Figures, figures
from engine.turn import period_turn


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A period's charges by lot, and every comparison that was made for them, also those that charge nobody."""

    charges: Mapping[Lot, tuple[PeriodCharge, ...]]
    comparisons: tuple[Comparison, ...] = ()
    progress: tuple[Progress, ...] = ()


def settle(account: Account, previous: Account | Figures | None = None) -> Settlement:
    """Compute the period's charges.

    ``previous`` is the latest period of the same kind that begins earlier, as it now stands: its
    account, or, where it is closed, its figures as it was closed; None where there is none. Without a
    version in effect nothing is charged.
    """
    version = account.version
    if version is None:
        return Settlement(charges={})
    return _Settler(without_own(account), previous, version).settle()


class _Settler:
    """One settlement; figures are reckoned when a rule first asks for them."""

    def __init__(self, account: Account, previous: Account | Figures | None, version: Version) -> None:
        self._account = account
        self._previous = previous
        self._version = version
        self._indicators = Indicators(account)
        self._figures: Figures | None = None
        self._figures_before: Figures | None = None
        self._charges: dict[Lot, tuple[PeriodCharge, ...]] = {}

    def settle(self) -> Settlement:
        comparisons: list[Comparison] = []
        progressed: list[Progress] = []
        for place, rule in enumerate(self._version.rulebook.rules):
            if isinstance(rule, DifferentiationRule) and self._applies(rule):
                comparisons += self._differentiate(rule, place)
            elif isinstance(rule, ProgressRule) and self._applies(rule):
                progressed += self._advance(rule, place)
        return Settlement(charges=self._charges, comparisons=tuple(comparisons), progress=tuple(progressed))

    def _applies(self, rule: DifferentiationRule | ProgressRule) -> bool:
        return rule.enabled and rule.per in (None, self._account.period.kind)

    def _differentiate(self, rule: DifferentiationRule, place: int) -> list[Comparison]:
        found = compare(rule, self._version.rulebook, self._account, self._value)
        listed = list(dict.fromkeys(rule.of or (None,)))
        for each in found:
            if each.consequence is not None:
                nominal = cents(each.consequence.points)
                made = [(subject, nominal, differentiation.explain(each, subject)) for subject in each.charged]
                self._book(rule, place, listed.index(each.indicator), each, made)
        return found

    def _advance(self, rule: ProgressRule, place: int) -> list[Progress]:
        if self._figures_before is None and self._previous is not None:
            before = self._previous
            self._figures_before = before if isinstance(before, Figures) else figures(before)
        found = progress.advance(rule, self._account, self._now(), self._figures_before)
        for each in found:
            made = [
                (one.subject, one.nominal, progress.explain(rule, each, one))
                for one in each.advances
                if progress.charged(rule, one)
            ]
            self._book(rule, place, 0, each, made)
        return found

    def _value(self, subject: str, indicator: str | None) -> Decimal | None:
        """What is compared: the score on an indicator, or the total."""
        if indicator is None:
            return self._now().of[subject].total
        return self._indicators.score(subject, indicator).score

    def _now(self) -> Figures:
        if self._figures is None:
            self._figures = figures(self._account)
        return self._figures

    def _book(
        self,
        rule: DifferentiationRule | ProgressRule,
        place: int,
        listed: int,
        compared: Comparison | Progress,
        made: Iterable[tuple[str, Decimal, tuple[Step, ...]]],
    ) -> None:
        """Make the charges of one comparison."""
        period = self._account.period
        turn = period_turn(period.last_day, place, listed, compared.within, period.code)
        charges = tuple(
            PeriodCharge(
                charge=Charge(
                    key=ChargeKey("", period.code, rule.code, compared.of, rule.code, subject),
                    version=self._version.number,
                    indicator=rule.indicator,
                    nominal=nominal,
                    limits=rule.limits,
                    place=(0, place, compared.within, rule.code, subject),
                    arithmetic=why,
                ),
                booked=period.last_day,
                turn=turn,
            )
            for subject, nominal, why in made
        )
        if charges:
            self._charges[Lot("", period.code, rule.code, compared.of)] = charges
