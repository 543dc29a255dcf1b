"""Points (分值): what a rule's number, table, bands, progressive rates or share makes of a field.

Exact: a Fraction comes out, and nothing is rounded here.
"""

from decimal import Decimal
from fractions import Fraction

from engine.event import Value
from engine.matching import Facts
from engine.rulebook import Bands, Fixed, Points, Progressive, Share, Table


def number(value: Value | None) -> Fraction | None:
    """The value as an exact number; None where there is none."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Fraction(value)
    return None


def reckon(points: Points, facts: Facts) -> Fraction | None:
    """The points for these facts; None where the field is missing, or no row or band is reached."""
    if isinstance(points, Fixed):
        return Fraction(points.value)
    value = facts.get(points.field)
    if value is None:
        return None
    if isinstance(points, Table):
        row = points.rows.get(value)
        return None if row is None else Fraction(row)
    amount = number(value)
    if amount is None:
        return None
    if isinstance(points, Bands):
        return reach(points, amount)
    if isinstance(points, Progressive):
        return accrue(points, amount)
    return amount * Fraction(points.share)


def reach(points: Bands, amount: Fraction) -> Fraction | None:
    """The first threshold that the amount reaches (>=), else what the bands say otherwise."""
    for threshold, value in points.bands:
        if amount >= Fraction(threshold):
            return Fraction(value)
    return None if points.otherwise is None else Fraction(points.otherwise)


def accrue(points: Progressive, amount: Fraction) -> Fraction:
    """The sum over the steps; bounds are cumulative, a fraction counts in proportion, below 0 is 0."""
    total, begun = Fraction(0), Fraction(0)
    for bound, rate in points.steps:
        end = amount if bound is None else min(amount, Fraction(bound))
        if end > begun:
            total += (end - begun) * Fraction(rate)
            begun = end
    return total


def field_of(points: Points) -> str | None:
    """The field that the points are reckoned from."""
    return points.field if isinstance(points, (Table, Bands, Progressive, Share)) else None
