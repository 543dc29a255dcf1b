"""Ranks (名次) and shares of places (分段、名额比例).

Competition rank: 1, 2, 2, 4. A share of n places takes everyone whose rank is at most n × share,
rounded half up; ties at the edge are all in.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal


def rank(values: Mapping[str, Decimal], order: Literal["descending", "ascending"] = "descending") -> dict[str, int]:
    """Everyone's rank: one more than the number of those who are better."""
    found: dict[str, int] = {}
    place, last = 0, None
    for passed, subject in enumerate(sorted(values, key=lambda code: values[code], reverse=order == "descending")):
        if values[subject] != last:
            place, last = passed + 1, values[subject]
        found[subject] = place
    return found


def last_place(share: Decimal | Fraction, count: int) -> int:
    """The last rank that a share, in percent, takes of so many; half up."""
    return int((Fraction(share) * count / 100 + Fraction(1, 2)) // 1)
