"""Known figures (已算得分): a period's figures, remembered for as long as nobody posts.

They follow from the records up to the chain's head and from nothing else, so that they are known by its hash. Whoever
reads the scores of two hundred subjects one after the other has them reckoned once.
"""

from collections import OrderedDict
from typing import NamedTuple
from weakref import WeakKeyDictionary

from engine.bureau import Bureau
from engine.period import Period
from engine.standing import Figures
from ledger.current import Connection, Current, get_current
from ledger.reading import read_figures

KEPT = 24
"""Periods, or snapshots, that a process remembers at most: those asked for last."""


class Asked(NamedTuple):
    """What was asked for, at which head."""

    head: str
    period: str
    snapshot: int | None


class KnownFigures(OrderedDict[Asked, tuple[Figures, int | None]]):
    """What this process remembers, the one asked for last at the end."""

    def recall(self, asked: Asked) -> tuple[Figures, int | None] | None:
        """What is known."""
        found = self.get(asked)
        if found is not None:
            self.move_to_end(asked)
        return found

    def remember(self, asked: Asked, found: tuple[Figures, int | None]) -> None:
        """Keep it in place of whatever was asked for longest ago."""
        self[asked] = found
        self.move_to_end(asked)
        while len(self) > KEPT:
            self.popitem(last=False)


_known: WeakKeyDictionary[Current, KnownFigures] = WeakKeyDictionary()


async def figures_now(
    connection: Connection, bureau: Bureau, period: Period, snapshot: int | None = None
) -> tuple[Figures, int | None]:
    """The same as :func:`~ledger.reading.read_figures`. Not while the transaction holds something that it posted."""
    # The head is read first: what is committed in between makes the figures newer than their key, never older.
    head = await connection.fetchval("SELECT hash FROM ledger_head")
    asked, known = Asked(head, period.code, snapshot), _known.setdefault(get_current(), KnownFigures())
    found = known.recall(asked)
    if found is None:
        found = await read_figures(connection, bureau, period, snapshot)
        known.remember(asked, found)
    return found
