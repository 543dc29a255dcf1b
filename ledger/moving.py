"""Who moves (名次变动): the subjects whose rank or total in a period differs before and after an act."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from engine.bureau import Bureau
from engine.standing import Figures
from ledger.current import Connection
from ledger.reading import read_figures


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A subject whose rank, tier or total in a period an act changes; ``group`` is who it is compared with."""

    period: str
    subject: str
    rank_before: int | None
    rank: int | None
    total_before: Decimal | None
    total: Decimal | None
    group: str | None = None


async def figures_of(connection: Connection, bureau: Bureau, codes: Iterable[str]) -> dict[str, Figures]:
    """The figures of these periods, as the ledger now has them, under a bureau."""
    return {code: (await read_figures(connection, bureau, bureau.calendar.find(code)))[0] for code in codes}


def moves(before: Mapping[str, Figures], after: Mapping[str, Figures]) -> tuple[Moved, ...]:
    """Who moved, those whose rank changes most first, then those whose total does."""
    found = (
        moved
        for code, figures in after.items()
        for subject, now in figures.of.items()
        for then in (before[code].of.get(subject),)
        for moved in (
            Moved(
                period=code,
                subject=subject,
                rank_before=None if then is None else then.rank,
                rank=now.rank,
                total_before=None if then is None else then.final,
                total=now.final,
                group=now.place.group,
            ),
        )
        if (moved.rank_before, moved.total_before) != (moved.rank, moved.total)
    )
    return tuple(sorted(found, key=_size))


def _size(moved: Moved) -> tuple[int, Decimal, str, str]:
    ranks = abs((moved.rank or 0) - (moved.rank_before or 0))
    totals = abs((moved.total or Decimal()) - (moved.total_before or Decimal()))
    return -ranks, -totals, moved.period, moved.subject
