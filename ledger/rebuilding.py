"""Rebuilding the present (重建现行账): the tables present_… made anew from the ledger; they hold nothing of their own.

What stands is evaluated from nothing under the ledger's lock, period charges are those of the settlements
made again, and everything is written in place of what was there. All of it is held in memory meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from engine.book import Lot, Sheet, draw_up, lot_of, windows_held
from engine.bureau import Bureau
from engine.charge import Posting, Recorded
from engine.evaluation import PeriodCharge, evaluate
from engine.turn import order_of, turn_of
from ledger.current import Current
from ledger.desk import Desk, open_desk
from ledger.history import ACT_ROW, ActRow, History
from ledger.past import Past
from ledger.rereading import COLUMNS, Rereader

TABLES = ("present_event", "present_sheet", "present_claim", "present_taking", "present_room", "present_recurrence")


async def rebuild_present(current: Current) -> int:
    """Make the present anew; how many events stand."""
    async with open_desk(current) as desk:
        for table in TABLES:
            await desk.connection.execute(f"DELETE FROM {table}")  # noqa: S608  (our own words)
        history = await _history(desk)
        past = Past(desk.connection, history, current.direct)
        charges = await past.settle_all()
        standing = await _standing(desk, history)
        postings = evaluate(desk.bureau, standing, current.direct, charges)
        sheets = draw_sheets(desk.bureau, standing, charges, postings.values())
        desk.present.keep(standing, (), sheets)
        return len(standing)


async def _history(desk: Desk) -> History:
    acts = [ActRow(*row) for row in await desk.connection.fetch(ACT_ROW)]
    versions = {version.number: version for version in desk.bureau.versions}
    return History.fold(acts, desk.current.timezone, versions)


async def _standing(desk: Desk, history: History) -> list[Recorded]:
    rereader = Rereader(desk.bureau)
    query = f"SELECT {COLUMNS} FROM event ORDER BY number"  # noqa: S608  (our own words)
    return [
        rereader.reread(row)[0]
        async for row in desk.connection.cursor(query, prefetch=2_000)
        if row["number"] not in history.withdrawn
    ]


def draw_sheets(
    bureau: Bureau, standing: Iterable[Recorded], charges: Iterable[PeriodCharge], postings: Iterable[Posting]
) -> Mapping[Lot, Sheet]:
    """The sheets of everything that stands."""
    turns = {Lot(*each.event.key): (turn_of(each.booked, each.event), order_of(each.event)) for each in standing}
    turns |= {lot_of(each.charge.key): (each.turn, "") for each in charges}
    lots: dict[Lot, list[Posting]] = defaultdict(list)
    for posting in postings:
        lots[lot_of(posting.charge.key)].append(posting)
    return {lot: draw_up(lot, *turns[lot], held, windows_held(bureau, held)) for lot, held in lots.items()}
