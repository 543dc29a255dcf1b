"""The account of a period (考评期账目): everything that its figures are made of, and nothing else.

What belongs to a period (base, measures, scorecards, differentiation, progress, standing) is taken
from the version in effect at its last instant; what a subject is (kind, group, unit, post) from its
last day. Events count by their booking date, amounts by the date their ledger entry is booked on.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal

import msgspec

from engine.amount import ZERO
from engine.bureau import Bureau
from engine.charge import Entry, Recorded
from engine.event import Event
from engine.organisation import Place
from engine.period import Period
from engine.rulebook import Version
from engine.scene import Matchers

Sums = Mapping[tuple[str, str | None], Decimal]
"""(subject, indicator or None) → Σ posted."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A period as it stands.

    ``standing`` are the standing events booked in the period, ``posted`` the sums of the ledger's
    entries booked in it, ``own`` that part of them which stems from this very period's own period
    charges (the settlement's), which it is not compared by.
    """

    bureau: Bureau
    period: Period
    standing: Sequence[Recorded] = ()
    posted: Sums = {}
    own: Sums = {}
    matchers: Matchers

    @property
    def last_instant(self) -> datetime:
        """The last instant of the period's last day, in the organisation's time zone."""
        last = time.max.replace(fold=1)
        return datetime.combine(self.period.last_day, last, self.bureau.organisation.timezone).astimezone(UTC)

    @property
    def version(self) -> Version | None:
        """The version in effect at the period's last instant; None where none is yet."""
        return self.bureau.version_at(self.last_instant)

    def ruling(self, event: Event) -> Version:
        """The version that rules an event of the account; LookupError where none does."""
        version = self.bureau.version_at(event.time)
        if version is None:
            raise LookupError(f"no version rules {event.key}")
        return version

    def place(self, subject: str) -> Place:
        """What the subject is on the period's last day."""
        return self.bureau.organisation.on(subject, self.period.last_day)

    def groups(self) -> dict[str, list[str]]:
        """The groups (序列) on the last day, each with its members by code. Who has no group is in none."""
        found: dict[str, list[str]] = {}
        for code in sorted(self.bureau.organisation.subjects):
            group = self.place(code).group
            if group is not None:
                found.setdefault(group, []).append(code)
        return found

    def people(self) -> dict[str, list[str]]:
        """The units that have people on the last day, each with its people by code."""
        found: dict[str, list[str]] = {}
        for code in sorted(self.bureau.organisation.subjects):
            place = self.place(code)
            if place.kind == "person" and place.unit is not None and place.unit in self.bureau.organisation:
                found.setdefault(place.unit, []).append(code)
        return found


def with_entries(account: Account, entries: Iterable[Entry]) -> Account:
    """The account with further entries, of those the ones that are booked in its period."""
    posted, own = dict(account.posted), dict(account.own)
    for entry in entries:
        if account.period.contains(entry.booked):
            charge = entry.charge
            held = (charge.key.subject, charge.indicator)
            posted[held] = posted.get(held, ZERO) + entry.posted
            if not charge.key.source and charge.key.id == account.period.code:
                own[held] = own.get(held, ZERO) + entry.posted
    return msgspec.structs.replace(account, posted=posted, own=own)


def without_own(account: Account) -> Account:
    """The account without the period's own period charges: what a settlement compares."""
    left = {key: amount - account.own.get(key, ZERO) for key, amount in account.posted.items()}
    for key, amount in account.own.items():
        left.setdefault(key, -amount)
    return msgspec.structs.replace(account, posted=left, own={})
