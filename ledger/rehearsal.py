"""A rehearsal (预演): an act or an event carried out with nothing kept and nobody kept waiting.

It is a desk without the ledger's lock, over one moment's state of the database, in a transaction that PostgreSQL itself
holds to reading: what would be written stays in memory. Upstream goes on posting meanwhile, and by what it posts the
rehearsal is behind; whoever confirms what they saw names the head that they saw it at.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from piccolo.engine import engine_finder

from engine.charge import Cause, Entry, Recorded
from engine.event import EventKey
from engine.planner import Change, Plan
from engine.recurrence import Recurrence
from ledger.current import BY_INDEX, Current
from ledger.desk import Desk
from ledger.journal import Row

_ONE_MOMENT = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {BY_INDEX}"


class Rehearsal(Desk):
    """A desk at which nothing is written. Made by :func:`rehearsing`. What was posted at it is not read back from the
    database, so that one event or one act can be rehearsed, not an act that reads what another did before it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.entries: list[Entry] = []
        """What would be posted, in order."""

    @property
    def rows(self) -> Sequence[Row]:
        """The entries as rows of the ledger, numbered on from its head."""
        return self.journal.entries

    async def write(self) -> None:
        """Nothing is written."""

    async def put(self, statement: str, *values: object) -> None:
        """Nothing is written."""

    async def note_recurrences(self, standing: Mapping[Recurrence, Sequence[Recorded]]) -> None:
        """Keep them in mind."""
        self.present.learn_recurrences(standing)

    def _keep(
        self, planned: Plan, change: Change, cause: Cause, numbered: Mapping[EventKey, Recorded]
    ) -> Sequence[Row]:
        self.entries += planned.entries
        return super()._keep(planned, change, cause, numbered)


@asynccontextmanager
async def rehearsing(current: Current) -> AsyncIterator[Rehearsal]:
    """A rehearsal in a transaction of its own."""
    engine: Any = engine_finder()
    async with engine.transaction(allow_nested=False) as transaction:
        await transaction.connection.execute(_ONE_MOMENT)
        head = await current.refresh(transaction.connection)
        yield Rehearsal(transaction.connection, current, head)
