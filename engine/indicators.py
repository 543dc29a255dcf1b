"""Indicator scores (指标得分): measured value, or full marks where nothing measures it, plus what was posted on it.

Kept within [0, full]; ``overdraw`` (倒扣) lifts the lower bound. A subject that an indicator's measure
has no value for has no score there: missing is not 0, whatever was posted on the indicator.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.account import Account
from engine.amount import ZERO, cents
from engine.charging import written
from engine.measures import Measurement, measure
from engine.readings import Readings
from engine.rulebook import Indicator


class IndicatorScore(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's score on one indicator. ``begun`` is the measured value or full marks; None: no data."""

    indicator: str
    full: Decimal
    begun: Decimal | None
    measurement: Measurement | None
    posted: Decimal
    score: Decimal | None


class Indicators:
    """The indicator scores of a period, reckoned when asked for."""

    def __init__(self, account: Account) -> None:
        version = account.version
        self._declared: Mapping[str, Indicator] = {} if version is None else version.rulebook.indicators
        self._account = account
        self._readings = Readings(account)
        self._measured: dict[str, Mapping[str, Measurement]] = {}

    def score(self, subject: str, code: str) -> IndicatorScore:
        """The subject's score on a declared indicator; KeyError where it is not declared."""
        indicator = self._declared[code]
        measurement = self.measured(code).get(subject)
        begun = measurement.value if measurement is not None else None if indicator.measure else indicator.full
        posted = self._account.posted.get((subject, code), ZERO)
        return IndicatorScore(
            indicator=code,
            full=indicator.full,
            begun=begun,
            measurement=measurement,
            posted=posted,
            score=None if begun is None else keep(begun, posted, indicator),
        )

    def of(self, subject: str, wanted: Collection[str | None]) -> dict[str, IndicatorScore]:
        """The subject's scores on those wanted that are declared, and on every other that measures it."""
        chosen = [code for code in self._declared if code in wanted or subject in self.measured(code)]
        return {code: self.score(subject, code) for code in chosen}

    def measured(self, code: str) -> Mapping[str, Measurement]:
        """The measurements of an indicator, by subject."""
        if code not in self._measured:
            self._measured[code] = measure(self._account, self._declared[code], self._readings)
        return self._measured[code]


def keep(begun: Decimal, posted: Decimal, indicator: Indicator) -> Decimal:
    """The sum kept within [0, full], or below full alone where the indicator may be overdrawn."""
    full, total = Fraction(indicator.full), Fraction(begun) + Fraction(posted)
    kept = min(full, total if indicator.overdraw else max(Fraction(0), total))
    rounded = cents(kept)
    return rounded if rounded == kept else Decimal(written(kept))
