"""Ranks (名次) and shares of places (分段、名额比例).

Competition rank: 1, 2, 2, 4. A share of n places takes everyone whose rank is at most n × share,
rounded half up; ties at the edge are all in.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Literal

import msgspec


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A tier (段): the share of places that it and those before it take, in per cent, and the last rank of it."""

    number: int
    share: Decimal
    last: int


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """Why this rank (名次的由来): of how many, who is ahead and who has the same, each the better first, and the tiers.

    ``tier`` None: beyond the last tier, or there are none.
    """

    subject: str
    value: Decimal
    rank: int
    among: int
    ahead: tuple[tuple[str, Decimal], ...]
    tied: tuple[str, ...]
    tiers: tuple[Tier, ...]
    tier: int | None


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


def edges(shares: Sequence[Decimal], count: int) -> tuple[Tier, ...]:
    """The tiers of so many: shares add up before they are rounded."""
    sums = accumulate(map(Fraction, shares))
    decimals = accumulate(shares)
    return tuple(
        Tier(number=number, share=share, last=last_place(exact, count))
        for number, (exact, share) in enumerate(zip(sums, decimals, strict=True), 1)
    )


def tier_of(place: int, tiers: Sequence[Tier]) -> int | None:
    """The tier that a rank is in; None where it is in none."""
    return next((tier.number for tier in tiers if place <= tier.last), None)


def why_ranked(values: Mapping[str, Decimal], subject: str, shares: Sequence[Decimal]) -> Ranking | None:
    """Why the subject has its rank among those that have a value; None where it has none itself."""
    if subject not in values:
        return None
    own, place = values[subject], rank(values)
    tiers = edges(shares, len(values))
    better = sorted((code for code in values if values[code] > own), key=lambda code: (-values[code], code))
    return Ranking(
        subject=subject,
        value=own,
        rank=place[subject],
        among=len(values),
        ahead=tuple((code, values[code]) for code in better),
        tied=tuple(sorted(code for code in values if values[code] == own and code != subject)),
        tiers=tiers,
        tier=tier_of(place[subject], tiers),
    )
