"""What a simulation came to (试算结果): everything before and after, the largest differences first.

*Before* is the period settled anew by the published versions, *after* the same had the other rulebook ruled it.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from engine.language import Message, message
from ledger.lanes import UnfitEvent

_TOLD = ("winners", "losers", "ranks", "tiers", "added", "removed", "changed")
Kind = Literal["added", "removed", "changed"]


class SubjectChange(msgspec.Struct, frozen=True, kw_only=True):
    """A subject before and after. ``difference`` is that of the final totals; None where one of them is missing."""

    subject: str
    kind: str
    group: str | None
    posted_before: Decimal
    posted_after: Decimal
    total_before: Decimal | None
    total_after: Decimal | None
    final_before: Decimal | None
    final_after: Decimal | None
    difference: Decimal | None
    rank_before: int | None
    rank_after: int | None
    tier_before: int | None
    tier_after: int | None
    awards_gained: tuple[str, ...] = ()
    awards_lost: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything of it differs."""
        return bool(
            self.posted_before != self.posted_after
            or self.total_before != self.total_after
            or self.final_before != self.final_after
            or self.rank_before != self.rank_after
            or self.tier_before != self.tier_after
            or self.awards_gained
            or self.awards_lost
        )


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule posted in the period, before and after. ``title`` is that of the other rulebook, else as it was."""

    rule: str
    title: str
    before: Decimal
    after: Decimal
    difference: Decimal


class EntryChange(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that would be posted otherwise. Of an event ``source`` and ``event`` are given, of a period ``period``.

    ``origin_rule`` and ``origin_subject`` name the direct charge that a joint one travels from.
    """

    kind: Kind
    source: str | None
    event: str | None
    period: str | None
    rule: str
    subject: str
    origin_rule: str
    origin_subject: str
    booked: date
    before: Decimal | None
    after: Decimal | None
    difference: Decimal


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it, but for the entries, which come by pages.

    ``version`` is None for the draft. ``replaced`` are the published versions in whose place it stands. ``ruled``
    counts the events that it rules. ``closed``: the period is closed, and its ``snapshot`` stays. ``apart`` counts
    subjects whose figures on the pages are not the ones before: entries since the latest settlement, or a snapshot.
    ``kept`` entry changes can be read, the largest, of ``added``, ``removed`` and ``changed`` together.
    """

    period: str
    start: datetime
    end: datetime
    version: int | None
    hash: str
    replaced: tuple[int, ...]
    length: int
    closed: bool
    snapshot: int | None
    settled: bool
    apart: int
    ruled: int
    added: int
    removed: int
    changed: int
    kept: int
    winners: int
    losers: int
    same: int
    ranks: int
    tiers: int
    awards: int
    subjects: tuple[SubjectChange, ...]
    rules: tuple[RuleChange, ...]
    unfit_count: int
    unfit: tuple[UnfitEvent, ...]
    seconds: float

    @property
    def named(self) -> Message:
        """Which rulebook, in words."""
        return (
            message("simulation.draft") if self.version is None else message("simulation.version", number=self.version)
        )

    def said(self, period: str) -> Message:
        """The summary in a sentence, with what the period is called."""
        told = {name: f"{getattr(self, name):,}" for name in _TOLD}
        key = "simulation.nothing" if self.nothing else "simulation.summary"
        return message(key, version=self.named, period=period, events=f"{self.ruled:,}", **told)

    @property
    def remarks(self) -> tuple[Message, ...]:
        """What must be known to read it."""
        found = []
        if self.unfit_count:
            found.append(message("simulation.unfit", count=f"{self.unfit_count:,}"))
        if self.closed:
            found.append(message("simulation.closed", snapshot=self.snapshot))
        if self.apart:
            found.append(message("simulation.apart", count=f"{self.apart:,}"))
        return tuple(found)

    @property
    def nothing(self) -> bool:
        """Whether nothing would change."""
        return not (self.added or self.removed or self.changed or any(each.changed for each in self.subjects))

    @property
    def entries(self) -> int:
        """How many entries would change."""
        return self.added + self.removed + self.changed
