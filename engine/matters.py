"""The same matter (同一事项取最高): of several charges for one matter the largest counts.

Among charges of rules with ``matter: highest`` on the same subject, matter and sign, the largest
size stands (ties: the earliest event, then the earlier rule). Bonuses and deductions never compete.
"""

from typing import NamedTuple

from engine.amount import sign
from engine.charge import Charge, ChargeKey


class Matter(NamedTuple):
    """Who competes with whom: the charged subject, the matter and the sign."""

    subject: str
    matter: str
    sign: int


class Claim(NamedTuple):
    """A charge's claim to count for its matter. The least claim counts."""

    size: str
    order: str
    rule: int
    key: ChargeKey


def matter_of(charge: Charge) -> Matter | None:
    """The matter that the charge competes in; None where it competes in none."""
    if charge.matter is None or charge.nominal == 0:
        return None
    return Matter(charge.key.subject, charge.matter, sign(charge.nominal))


def claim(charge: Charge, order: str) -> Claim:
    """The charge's claim; ``order`` is its event's place in the order of events."""
    return Claim(_descending(charge), order, charge.place[1], charge.key)


def _descending(charge: Charge) -> str:
    """A text that sorts larger sizes first, as the database sorts it too."""
    size = int(abs(charge.nominal) * 100)
    return f"{10**40 - 1 - size:040d}"
