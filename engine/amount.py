"""Amounts (分值): decimals, exact until the one rounding.

A ratio, a share or a coefficient keeps its full precision as a :class:`~fractions.Fraction`;
the charge made from it is rounded once, to 0.01, half away from zero. A total is the sum of
amounts that are rounded already.
"""

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, Inexact
from fractions import Fraction
from typing import TypeVar

Exact = TypeVar("Exact", Fraction, Decimal)

EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP, traps=[Inexact])
"""Sums, differences and products of decimals by this context lose no digit; a division has no place here."""
_ROUNDING = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP)

ZERO = Decimal("0.00")
HUNDRED = Decimal(100)


def cents(value: Fraction | Decimal | int) -> Decimal:
    """The amount rounded to 0.01, half away from zero, whatever the decimal context says."""
    if isinstance(value, Decimal):
        return _ROUNDING.quantize(value, ZERO) or ZERO
    exact = Fraction(value) * 100
    whole = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return exact_decimal(whole if exact >= 0 else -whole, 2)


def exact_decimal(digits: int, places: int) -> Decimal:
    """``digits`` with so many of them behind the point, exact whatever the decimal context says."""
    return Decimal(f"{digits}E-{places}")


def clip(value: Exact, size: Decimal | None) -> Exact:
    """The value held within ``[-size, size]``; no size, no bound."""
    if size is None:
        return value
    if isinstance(value, Decimal):
        return max(size.copy_negate(), min(size, value))
    bound = Fraction(size)
    return max(-bound, min(bound, value))


def sign(value: Fraction | Decimal) -> int:
    """1 for a bonus, -1 for a deduction, 0 for neither."""
    return (value > 0) - (value < 0)
