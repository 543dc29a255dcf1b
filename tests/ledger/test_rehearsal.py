"""A rehearsal keeps nothing and keeps nobody waiting; what is foreseen by it is what then happens.

That it comes to the same entries as the act itself is required of every act in test_ledger.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import anyio
import asyncpg
import msgspec
import pytest

from api.embedded import Database
from engine.finding import Refused
from engine.organisation import TIMEZONE
from engine.report import parse_report
from engine.rulebook import EventRule, Factor, Fixed, Repeat, Rulebook
from engine.scalar import Raw
from ledger import acts, desk
from ledger.current import Current, use_current
from ledger.desk import Desk
from ledger.foreseeing import foresee
from ledger.moving import figures_of, moves
from ledger.reading import reading
from ledger.rehearsal import rehearsing
from tests.ledger.test_ledger import Office
from tests.worlds import DAY, NOTICE, History, draw_report

pytestmark = pytest.mark.anyio

Act = Callable[..., Awaitable[Any]]


async def live(seed: int, steps: int) -> tuple[History, Office]:
    history = History(seed, periodical=True)
    current = Current(TIMEZONE)
    use_current(current)
    office = Office(current)
    await office.live(history, steps)
    return history, office


def something(history: History) -> tuple[date, Act]:
    """An act that reaches back, and since when."""
    day = DAY + timedelta(days=history.rng.randrange(60))
    if history.rng.random() < 0.5:
        rulebook = history.new_rulebook(datetime.combine(day, datetime.min.time(), UTC))
        return day - timedelta(days=1), partial(acts.publish_rulebook, rulebook, reason="test", actor="test")
    step = history.draw()
    while step.verb != "organise":
        step = history.draw()
    return day, partial(acts.organise, day, *step.args[1:], reason="test", actor="test")


@pytest.mark.parametrize("large", [desk.LARGE, 1], ids=["at once", "in a thread"])
async def test_whoever_is_foreseen_to_move_moves(pool: Database, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LARGE", large)
    history, office = await live(5, 30)
    moving = 0
    for _ in range(12):
        since, act = something(history)
        open_ones = [
            period.code
            for period in office.current.bureau.calendar.periods.values()
            if period.state == "open" and period.end > since
        ]
        try:
            foreseen = await foresee(lambda at: act(desk=at), since)  # noqa: B023  (called at once)
        except Refused:
            with pytest.raises(Refused):
                await act()
            continue
        before = await figures(office, open_ones)
        await act()
        moved = moves(before, await figures(office, open_ones))
        assert foreseen.moved == moved
        moving += len(moved)
        assert foreseen.changes >= foreseen.events_changed == len(foreseen.events)
        assert sum(each.entries for each in foreseen.events) == sum(e.event is not None for e in foreseen.entries)
    assert moving > 5


async def figures(office: Office, codes: list[str]) -> Any:
    async with reading() as connection:
        return await figures_of(connection, office.current.bureau, codes)


async def test_nobody_waits_for_a_rehearsal_and_it_waits_for_nobody(pool: Database) -> None:
    history, office = await live(6, 10)
    since, act = something(history)
    begun, go_on = anyio.Event(), anyio.Event()

    async def slowly(at: Desk) -> None:
        await act(desk=at)
        begun.set()
        await go_on.wait()

    report = draw_report(random.Random(1), "N1", None)
    async with anyio.create_task_group() as group:
        group.start_soon(foresee, slowly, since)
        with anyio.fail_after(20):
            await begun.wait()
            await office.record(report)
        go_on.set()
    holder = await asyncpg.connect(pool.url)
    try:
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM ledger_head FOR UPDATE")
            with anyio.fail_after(20):
                await foresee(lambda at: act(desk=at), since)
    finally:
        await holder.close()


async def test_postgresql_lets_a_rehearsal_write_nothing(pool: Database) -> None:
    _, office = await live(7, 3)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with rehearsing(office.current) as rehearsal:
            await rehearsal.connection.execute("DELETE FROM relation")


async def test_a_reader_that_is_behind_takes_nothing_back(pool: Database) -> None:
    """Whoever reads at an older moment than this process knows keeps what it knows, each version once."""
    history, office = await live(8, 0)
    current = office.current
    versions = len(current.bureau.versions)
    behind = await asyncpg.connect(pool.url)
    try:
        async with behind.transaction(isolation="repeatable_read"):
            await current.refresh(behind)
            await office.publish(history.new_rulebook(datetime(2026, 3, 1, tzinfo=UTC)))
            await current.refresh(behind)
    finally:
        await behind.close()
    async with reading():
        assert [version.number for version in current.bureau.versions] == list(range(1, versions + 2))


async def test_a_repetition_that_no_version_looked_for_before_is_foreseen(pool: Database) -> None:
    _, office = await live(9, 0)
    for number, month in enumerate((1, 2)):
        raw: dict[str, Raw] = {"id": f"E{number}", "time": f"2026-0{month}-05T10:00:00Z", "data": {"level": "high"}}
        await office.record(parse_report({"source": "s", "type": "notice", "subject": "U1", **raw}))
    begins = datetime(2026, 2, 1, tzinfo=UTC)
    twice = Factor(repeat=Repeat(within_days=60, same=("level",)), by=Decimal(2))
    rule = EventRule(code="NEW", on="notice", points=Fixed(Decimal(-1)), factors=(twice,), matter="each")
    await office.publish(Rulebook(code="world", effective=begins, event_types={"notice": NOTICE}, rules=(rule,)))
    charged = {(key.id, key.rule): amount for key, amount in (await office.sums()).items() if key.rule == "NEW"}
    assert charged == {("E1", "NEW"): Decimal("-2.00")}


@pytest.mark.parametrize("seed", [13, 28, 35])
async def test_other_bounds_of_periods_are_rehearsed_as_they_are_posted(pool: Database, seed: int) -> None:
    """Limits by the period then hold otherwise; the office of these tests requires the same of both."""
    _, office = await live(seed, 40)
    begun = await entries()
    for period in list(office.current.bureau.calendar.periods.values()):
        if period.state == "open":
            await office.declare([msgspec.structs.replace(period, start=period.start + timedelta(days=5))])
    assert await entries() > begun


async def entries() -> int:
    async with reading() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM entry"))
