"""A charge (计分): what one rule makes one subject owe or earn, and the arithmetic of it.

A *direct* charge comes from an event rule; a *joint* one travels from a direct charge along
relations. ``nominal`` is what the rule says, rounded once; ``posted`` is what stands of it after
matters and limits.
"""

from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from engine.amount import ZERO
from engine.event import Event, EventKey


class ChargeKey(NamedTuple):
    """A charge's identity: its event (or period), the direct charge it stems from, its rule and its subject.

    (event, rule, subject) alone names a sum: two direct charges of one event can reach one subject
    by one joint rule. For a direct charge ``origin_rule`` is ``rule`` and ``origin_subject`` is
    ``subject``. For a period charge ``source`` is empty, ``id`` is the period's code,
    ``origin_rule`` is the rule and ``origin_subject`` is what was compared: ``indicator/group``.
    """

    source: str
    id: str
    origin_rule: str
    origin_subject: str
    rule: str
    subject: str

    @property
    def event(self) -> EventKey:
        """The event (or, with an empty source, the period) that it belongs to."""
        return EventKey(self.source, self.id)

    @property
    def joint(self) -> bool:
        """Whether the charge travelled."""
        return (self.rule, self.subject) != (self.origin_rule, self.origin_subject)


class Hop(msgspec.Struct, frozen=True, gc=False):
    """One step of responsibility: by which rule and relation, to whom."""

    rule: str
    relation: str
    subject: str


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of the arithmetic, as it was made.

    ``step`` is one of: points, times, factor, max, nominal (of a direct charge); source, share,
    divided, points, max, nominal (of a joint one). ``value`` is the number that it brought in, as
    text, exact (a ratio that is no decimal is written ``1/3``). ``field``, ``title`` and ``given``
    say where it came from; ``event`` is the earlier event that a repetition counted.
    """

    step: str
    value: str
    field: str | None = None
    title: str | None = None
    given: str | None = None
    event: EventKey | None = None


class Charge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A charge before matters and limits. ``place`` is its turn among the charges of its event."""

    key: ChargeKey
    version: int
    indicator: str | None
    nominal: Decimal
    limits: tuple[str, ...] = ()
    matter: str | None = None
    place: tuple[int, int, str, str, str] = (0, 0, "", "", "")
    path: tuple[Hop, ...] = ()
    arithmetic: tuple[Step, ...] = ()


class Room(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a limit left for a charge: its room before, and what the charge took of it."""

    limit: str
    window: str
    room: Decimal
    taken: Decimal


class Posting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A charge and what stands of it. ``superseded_by`` is the charge that its matter counts instead."""

    charge: Charge
    booked: date
    posted: Decimal = ZERO
    superseded_by: ChargeKey | None = None
    rooms: tuple[Room, ...] = ()


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event that stands, with the booking date that was fixed when it was recorded."""

    event: Event
    booked: date
    number: int = 0


EntryKind = Literal["direct", "joint", "period", "reversal", "adjustment"]
Act = Literal[
    "event",
    "retraction",
    "correction",
    "publication",
    "organisation",
    "periods",
    "settlement",
    "closing",
    "reopening",
    "appeal",
    "removal",
]


class Cause(msgspec.Struct, frozen=True, gc=False):
    """What made an entry: the event or the act, and its number in the ledger's chain."""

    act: Act
    number: int


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A difference posted to the ledger (台账明细). ``booked`` is where it counts, never moved."""

    kind: EntryKind
    charge: Charge
    nominal: Decimal
    posted: Decimal
    booked: date
    rooms: tuple[Room, ...] = ()
    superseded_by: ChargeKey | None = None
