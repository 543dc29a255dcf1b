"""Foreseeing (预览): what an act would change, with nothing kept: which events, which entries, which ranks.

The act is carried out at a desk whose work is given up. The head of the chain is told beside it, so that whoever then
confirms can be asked again where the ledger has grown meanwhile.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal

import msgspec

from ledger.current import get_current
from ledger.desk import Desk, open_desk
from ledger.moving import Moved, figures_of, moves
from ledger.reading import EntryView, reading, view_entry

MOST_ENTRIES = 200
"""Entries that are shown at most; all are counted."""
MOST_EVENTS = 200
"""Events that are shown at most; all are counted."""

Carry = Callable[[Desk], Awaitable[int]]
"""Carries an act out at a desk; gives back its number."""


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
    async with open_desk(get_current(), keep=False) as desk:
        head, begun, before = desk.head.hash, desk.head.length, desk.bureau
        codes = sorted(
            (
                period.code
                for period in before.calendar.periods.values()
                if period.state == "open" and period.end > since
            ),
            key=lambda code: (before.calendar.find(code).start, code),
        )
        await desk.connection.execute("SAVEPOINT before")
        await carry(desk)
        await desk.write()
        after = await figures_of(desk.connection, desk.bureau, codes)
        changes, changed = await desk.connection.fetchrow(
            "SELECT count(*), count(DISTINCT (source, event)) FILTER (WHERE source IS NOT NULL)"
            " FROM entry WHERE number > $1",
            begun,
        )
        entries = await desk.connection.fetch(
            "SELECT * FROM entry WHERE number > $1 ORDER BY number LIMIT $2", begun, MOST_ENTRIES
        )
        events = await desk.connection.fetch(
            "SELECT e.source, e.id, e.type, e.subject, e.booked, count(*) AS entries, sum(n.posted) AS posted"
            " FROM entry n JOIN event e ON e.source = n.source AND e.id = n.event WHERE n.number > $1"
            " GROUP BY e.number ORDER BY e.number DESC LIMIT $2",
            begun,
            MOST_EVENTS,
        )
        await desk.connection.execute("ROLLBACK TO SAVEPOINT before")
        moved = moves(await figures_of(desk.connection, before, codes), after)
    return Foreseen(
        head=head,
        changes=changes,
        events_changed=changed,
        events=tuple(Concerned(**row) for row in events),
        entries=tuple(view_entry(row) for row in entries),
        moved=moved,
    )


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
