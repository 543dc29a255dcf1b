"""Foreseeing (预览): what an act would change, with nothing kept: which events, which entries, which ranks.

The act is rehearsed, so that nobody waits for it. The head of the chain is told beside what it comes to, so that
whoever then confirms can be asked again where the ledger has grown meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal

import msgspec

from engine.account import with_entries
from engine.amount import ZERO
from engine.event import EventKey
from engine.standing import Figures, figures
from ledger.current import get_current
from ledger.desk import Desk
from ledger.known_figures import figures_now
from ledger.moving import Moved, moves
from ledger.reading import EntryView, read_account, reading, view_entry
from ledger.rehearsal import Rehearsal, rehearsing

MOST_ENTRIES = 200
"""Entries that are shown at most; all are counted."""
MOST_EVENTS = 200
"""Events that are shown at most; all are counted."""

Carry = Callable[[Desk], Awaitable[object]]
"""Carries an act out at a desk."""


class Concerned(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is scored otherwise: how much is posted for it besides, in so many entries."""

    source: str
    id: str
    type: str
    subject: str
    booked: date
    entries: int
    posted: Decimal


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What an act would come to. ``head`` is the chain's before it; the counts are of all, the lists of the first."""

    head: str
    changes: int
    events_changed: int
    events: tuple[Concerned, ...]
    entries: tuple[EntryView, ...]
    moved: tuple[Moved, ...]


async def foresee(carry: Carry, since: date) -> Foreseen:
    """Carry an act out, look at what it comes to, and give it up. Ranks and totals are compared in every period that
    is open and ends after ``since``. Refused as the act itself would be."""
    async with rehearsing(get_current()) as desk:
        head, bureau = desk.head.hash, desk.bureau
        periods = sorted(
            (period for period in bureau.calendar.periods.values() if period.state == "open" and period.end > since),
            key=lambda period: (period.start, period.code),
        )
        before = {period.code: (await figures_now(desk.connection, bureau, period))[0] for period in periods}
        await carry(desk)
        after: dict[str, Figures] = {}
        for period in periods:
            account = with_entries(await read_account(desk.connection, desk.bureau, period), desk.entries)
            after[period.code] = await asyncio.to_thread(figures, account)
        events = _concerned(desk)
        return Foreseen(
            head=head,
            changes=len(desk.entries),
            events_changed=len(events),
            events=tuple(events[:MOST_EVENTS]),
            entries=tuple(view_entry(row) for row in desk.rows[:MOST_ENTRIES]),
            moved=moves(before, after),
        )


def _concerned(desk: Rehearsal) -> list[Concerned]:
    """The events that are scored otherwise, those that were recorded last first."""
    posted: dict[EventKey, list[Decimal]] = {}
    for entry in desk.entries:
        if entry.charge.key.source:
            posted.setdefault(entry.charge.key.event, []).append(entry.posted)
    recorded = sorted((desk.present.events[key] for key in posted), key=lambda each: -each.number)
    return [
        Concerned(
            source=each.event.source,
            id=each.event.id,
            type=each.event.type,
            subject=each.event.subject,
            booked=each.booked,
            entries=len(posted[each.event.key]),
            posted=sum(posted[each.event.key], ZERO),
        )
        for each in recorded
    ]


async def standing_since(first: datetime, until: datetime | None = None) -> int:
    """How many events that stand lie in [first, until), by their instants: those that a version would score anew."""
    async with reading() as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM present_event WHERE instant >= $1 AND ($2::timestamptz IS NULL OR instant < $2)",
                first,
                until,
            )
        )
