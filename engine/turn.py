"""Turns (先后): the order of events, and the order in which charges take room under limits.

Both are texts that sort by code point, so that memory and database sort them alike.
"""

from datetime import UTC, date, datetime, timedelta

from engine.event import Event, EventKey

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = 18
_BOOKED = len("2026-01-01")
END = "\x01"


def order_of(event: Event) -> str:
    """The event's place in the order of events: time, recorded_at (else time), source, id."""
    kept = event.__dict__
    known: str | None = kept.get("order")
    if known is None:
        at = _instant(event.time)
        reached = at if event.recorded_at is None else _instant(event.recorded_at)
        known = kept["order"] = f"{at}{reached}{event.source}{END}{event.id}"
    return known


def turn_of(booked: date, event: Event) -> str:
    """The turn of an event's charges: booking date, then the order of events."""
    return f"{booked.isoformat()}e{order_of(event)}"


def period_turn(booked: date, rule: int, compared: int, member: str, period: str) -> str:
    """The turn of a period charge: after the events of its date, by rule, then what was compared."""
    return f"{booked.isoformat()}p{rule:06d}{compared:06d}{member}{END}{period}"


def order_in(turn: str) -> str:
    """The place in the order of events that an event's turn ends with."""
    return turn[_BOOKED + 1 :]


def key_in(turn: str) -> EventKey:
    """Whose turn it is: the event, or, with an empty source, the period."""
    if turn[_BOOKED] == "p":
        return EventKey("", turn.rpartition(END)[2])
    source, _, id_ = turn[_BOOKED + 1 + 2 * _DIGITS :].partition(END)
    return EventKey(source, id_)


def _instant(instant: datetime) -> str:
    return f"{(instant - _EPOCH) // _MICROSECOND:0{_DIGITS}d}"
