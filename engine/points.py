"""Points (分值): what a rule's number, table, bands, progressive rates or share makes of a field.

Decimals multiplied and added exactly; nothing is rounded here.
"""

from decimal import Decimal

from engine.amount import EXACT
from engine.event import Value
from engine.matching import Facts
from engine.rulebook import Bands, Fixed, Points, Progressive, Share, Table


def number(value: Value | None) -> Decimal | None:
    """The value as an exact number; None where there is none."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None


def reckon(points: Points, facts: Facts) -> Decimal | None:
    """The points for these facts; None where the field is missing, or no row or band is reached."""
    if isinstance(points, Fixed):
        return points.value
    value = facts.get(points.field)
    if value is None:
        return None
    if isinstance(points, Table):
        return points.rows.get(value)
    amount = number(value)
    if amount is None:
        return None
    if isinstance(points, Bands):
        return reach(points, amount)
    if isinstance(points, Progressive):
        return accrue(points, amount)
    return EXACT.multiply(amount, points.share)


def reach(points: Bands, amount: Decimal) -> Decimal | None:
    """The first threshold that the amount reaches (>=), else what the bands say otherwise."""
    for threshold, value in points.bands:
        if amount >= threshold:
            return value
    return points.otherwise


def accrue(points: Progressive, amount: Decimal) -> Decimal:
    """The sum over the steps; bounds are cumulative, a fraction counts in proportion, below 0 is 0."""
    total, begun = Decimal(0), Decimal(0)
    for bound, rate in points.steps:
        end = amount if bound is None else min(amount, bound)
        if end > begun:
            total = EXACT.add(total, EXACT.multiply(EXACT.subtract(end, begun), rate))
            begun = end
    return total


def field_of(points: Points) -> str | None:
    """The field that the points are reckoned from."""
    return points.field if isinstance(points, (Table, Bands, Progressive, Share)) else None
