"""Limits (封顶): what one subject may be charged in one window with one sign.

Charges take room in their turn until it is used; the rest is clipped. Windows follow the booking
date; ``period`` is the shortest declared period that contains it, and outside every period there
is no limit. Room is shared by a limit's code across versions; each charge is measured against the
``max`` of its own version. A charge under several limits gets the least room.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from engine.amount import sign
from engine.charge import Charge
from engine.event import EventKey
from engine.period import Calendar
from engine.rulebook import Limit, Rulebook

MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}


class Window(NamedTuple):
    """One room: of a limit, in one window of time, for one subject and sign."""

    limit: str
    span: str
    subject: str
    sign: int


def windows_of(charge: Charge, booked: date, rulebook: Rulebook, calendar: Calendar) -> list[tuple[Window, Decimal]]:
    """The rooms that the charge takes from, each with the most that it holds by the charge's version."""
    direction = sign(charge.nominal)
    found = []
    for code in dict.fromkeys(charge.limits):
        limit = rulebook.limits[code]
        if direction == 0 or (limit.sign != "both" and limit.sign != ("bonus" if direction > 0 else "deduction")):
            continue
        span = span_of(limit, charge.key.event, booked, calendar)
        if span is not None:
            found.append((Window(code, span, charge.key.subject, direction), limit.max))
    return found


def span_of(limit: Limit, event: EventKey, booked: date, calendar: Calendar) -> str | None:
    """The window of time that a charge of the event falls into; None where there is no limit."""
    if limit.per == "event":
        return f"event {event.source}/{event.id}"
    if limit.per == "period":
        period = calendar.shortest(booked)
        return None if period is None else f"period {period.code}"
    months = MONTHS[limit.per]
    return f"{limit.per} {booked.year:04d}-{(booked.month - 1) // months + 1:02d}"
