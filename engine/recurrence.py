"""Recurrence (同类问题重复): what two events must share for one to repeat the other.

The same type and subject, and the same value in every named field; a field missing on either side
is no repetition. Whether the earlier one fired the rule does not matter.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from engine.event import Event, Value


class Recurrence(NamedTuple):
    """What repeating events have in common."""

    type: str
    subject: str
    same: tuple[str, ...]
    values: tuple[str, ...]


def recurrence_of(event: Event, same: tuple[str, ...]) -> Recurrence | None:
    """What another event must share to repeat this one; None where a field is missing. It is kept with the event."""
    kept: dict[tuple[str, ...], Recurrence | None] = event.__dict__.setdefault("recurrences", {})
    if same not in kept:
        values = [event.data.get(name) for name in same]
        whole = None not in values
        texts = tuple(_text(value) for value in values if value is not None)
        kept[same] = Recurrence(event.type, event.subject, same, texts) if whole else None
    return kept[same]


def _text(value: Value) -> str:
    """The same text for the same value, whatever way it was written."""
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, tuple):
        return repr(sorted(set(value)))
    if isinstance(value, (int, Decimal)):
        return format(Decimal(value).normalize() + 0, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat()
