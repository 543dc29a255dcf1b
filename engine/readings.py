"""Readings (实测值): what the events of a period say of the fields that are measured.

Events are looked through by booking date, on one date in the order of events, so that the latest
comes last.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from engine.account import Account
from engine.charge import Recorded
from engine.event import EventKey, Value
from engine.scene import gather
from engine.turn import order_of


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says of a measured field."""

    event: EventKey
    value: Decimal


class Readings:
    """The readings of one account; each type of event and each field is looked through once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._by_type: dict[str, list[Recorded]] | None = None
        self._latest: dict[tuple[str, str], dict[str, Reading]] = {}

    def events(self, event_type: str) -> Sequence[Recorded]:
        """The events of a type in turn."""
        if self._by_type is None:
            self._by_type = {}
            for each in sorted(self._account.standing, key=lambda each: (each.booked, order_of(each.event))):
                self._by_type.setdefault(each.event.type, []).append(each)
        return self._by_type.get(event_type, ())

    def latest(self, event_type: str, field: str) -> Mapping[str, Reading]:
        """For each subject the latest event that carries the field as a number, sent or derived."""
        if (event_type, field) not in self._latest:
            found = self._latest[(event_type, field)] = {}
            for recorded in self.events(event_type):
                value = decimal(self._carried(recorded, field))
                if value is not None:
                    found[recorded.event.subject] = Reading(event=recorded.event.key, value=value)
        return self._latest[(event_type, field)]

    def _carried(self, recorded: Recorded, field: str) -> Value | None:
        event = recorded.event
        if field in event.data:
            return event.data[field]
        version = self._account.ruling(event)
        declared = version.rulebook.event_types[event.type].fields.get(field)
        if declared is None or declared.days_late is None:
            return None
        return gather(self._account.bureau, event, version).get(field)


def decimal(value: Value | None) -> Decimal | None:
    """The value as a decimal; None where it is no number."""
    return Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
