"""A comparison (差异比较): the tests of whether the compared differ, exactly, and what came of them.

Range 极差: the highest less the lowest. Coefficient of variation 变异系数: population standard deviation
÷ |mean|; compared through its square, which is exact, so that no root hides an equality. With mean 0
it is unknown. Totals have no full marks, so no share of them is at full marks.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from engine.language import Message
from engine.rulebook import Consequence, Difference

Verdict = Literal["insufficient", "undifferentiated", "differentiated", "neutral"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One test: its name and bound as the rule has them, what was found, whether it holds (None: unknown).

    ``found`` of a coefficient of variation is its square, ``bound`` is as written; of ``all_equal`` and
    ``distinct_below`` it is the number of distinct values, of ``full_share_at_least`` the share at full marks.
    """

    test: str
    bound: Decimal
    found: Fraction | None
    holds: bool | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a settlement, whether it charges anybody or not.

    ``indicator`` None: totals were compared. ``within`` is the group or the unit. ``charged`` are those
    whom the ``consequence`` charges; ``silent`` says why there is no verdict, or nobody to charge.
    """

    rule: str
    period: str
    indicator: str | None
    among: Literal["group", "unit"]
    within: str
    compared: Mapping[str, Decimal]
    left_out: tuple[str, ...]
    undifferentiated: tuple[Check, ...] = ()
    differentiated: tuple[Check, ...] = ()
    verdict: Verdict
    consequence: Consequence | None = None
    charged: tuple[str, ...] = ()
    silent: Message | None = None

    @property
    def of(self) -> str:
        """What was compared, as a charge's origin says it: ``indicator/group``, ``total/unit``."""
        return f"{self.indicator or 'total'}/{self.within}"


def check(asked: Difference | None, values: Sequence[Decimal], full: Decimal | None) -> tuple[Check, ...]:
    """Make every test that is asked for, of one value at least; ``full`` None: there are no full marks."""
    named = () if asked is None else Difference.__struct_fields__
    bounds = {name: getattr(asked, name) for name in named}
    return tuple(_judge(name, bound, values, full) for name, bound in bounds.items() if bound is not None)


def all_hold(checks: Iterable[Check]) -> bool | None:
    """Whether all hold, by Kleene: one that fails decides, else one that is unknown."""
    held = [each.holds for each in checks]
    return False if False in held else None if None in held else True


def spread(values: Iterable[Decimal]) -> Fraction:
    """The highest less the lowest."""
    exact = [Fraction(value) for value in values]
    return max(exact) - min(exact)


def squared_variation(values: Iterable[Decimal]) -> Fraction | None:
    """Population variance ÷ mean²; None where the mean is 0."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction(0)) / len(exact)
    variance = sum(((value - mean) ** 2 for value in exact), Fraction(0)) / len(exact)
    return variance / mean**2 if mean else None


def _judge(test: str, bound: Decimal | int, values: Sequence[Decimal], full: Decimal | None) -> Check:
    found: Fraction | None
    limit = Fraction(bound)
    holds: bool | None
    match test:
        case "range_below" | "range_above":
            found = spread(values)
            holds = found < limit if test == "range_below" else found > limit
        case "cv_below" | "cv_above":
            found = squared_variation(values)
            holds = None if found is None else found < limit**2 if test == "cv_below" else found > limit**2
        case "full_share_at_least":
            found = None if full is None else Fraction(sum(value >= full for value in values), len(values))
            holds = found is not None and found >= limit
        case "distinct_below":
            found = Fraction(len(set(values)))
            holds = found < limit
        case _:  # all_equal: true, or false for "not all equal"
            found = Fraction(len(set(values)))
            holds = (found == 1) == bool(bound)
    return Check(test=test, bound=Decimal(bound), found=found, holds=holds)
