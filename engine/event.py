"""An event (考评事件): what an upstream system reports, typed once at the edge.

Its identity is its source and its id. Events are ordered by time, then by when they reached us,
then by source and id (:mod:`engine.turn`).
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import msgspec

Value = str | int | Decimal | bool | date | datetime | tuple[str, ...]
"""A typed field: text and choice ``str``, choices ``tuple[str, ...]``, integer ``int``, decimal ``Decimal``."""

MANUAL = "manual"


class EventKey(NamedTuple):
    """The event's identity."""

    source: str
    id: str


class Event(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An inspection event whose data fits its type. ``data`` holds no derived and no missing field.

    What is made of it again and again, its key and its place among others, is kept with it.
    """

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    recorded_at: datetime | None = None
    matter: str | None = None
    parties: Mapping[str, tuple[str, ...]] = {}
    basis: str | None = None
    data: Mapping[str, Value] = {}

    @cached_property
    def key(self) -> EventKey:
        """The event's identity."""
        return EventKey(self.source, self.id)


def same_content(one: Event, other: Event) -> bool:
    """Whether two reports say the same, as values; when they reached us is left out of it, and so is the order in
    which choices or the names of a party stand: it means nothing anywhere."""
    return _unordered(one) == _unordered(other)


def _unordered(event: Event) -> Event:
    return msgspec.structs.replace(
        event,
        recorded_at=None,
        parties={name: tuple(sorted(codes)) for name, codes in event.parties.items()},
        data={name: tuple(sorted(value)) if isinstance(value, tuple) else value for name, value in event.data.items()},
    )
