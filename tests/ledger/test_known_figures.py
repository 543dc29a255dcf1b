"""Figures are reckoned once for as long as nobody posts, and anew as soon as anybody does."""

from typing import Any

import pytest

from api.embedded import Database
from engine.event import EventKey
from engine.finding import Refused
from ledger import known_figures, settling
from ledger.current import get_current
from ledger.known_figures import KEPT, figures_now
from ledger.reading import read_figures, reading
from ledger.recording import Recorder
from tests.small_office import fill

pytestmark = pytest.mark.anyio

CODES = ("2026-01", "2026-02")


async def ask(code: str, snapshot: int | None = None) -> Any:
    async with reading() as connection:
        bureau = get_current().bureau
        return await figures_now(connection, bureau, bureau.calendar.find(code), snapshot)


async def test_they_are_the_same_as_read_and_read_once(pool: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill()
    read: list[str] = []

    async def count(connection: Any, bureau: Any, period: Any, snapshot: int | None = None) -> Any:
        read.append(period.code)
        return await read_figures(connection, bureau, period, snapshot)

    monkeypatch.setattr(known_figures, "read_figures", count)
    async with reading() as connection:
        bureau = get_current().bureau
        fresh = {code: await read_figures(connection, bureau, bureau.calendar.find(code)) for code in CODES}
        (key,) = await connection.fetch(
            "SELECT source, id FROM present_event WHERE booked >= '2026-01-01' ORDER BY booked, id LIMIT 1"
        )
    for _ in range(3):
        assert {code: await ask(code) for code in CODES} == fresh
    assert sorted(read) == sorted(CODES)
    await Recorder(get_current()).retract(EventKey(key["source"], key["id"]), "x", "a")
    after = await ask("2026-01")
    assert after != fresh["2026-01"]
    async with reading() as connection:
        assert after == await read_figures(
            connection, get_current().bureau, get_current().bureau.calendar.find("2026-01")
        )


async def test_a_closed_period_and_its_snapshots(pool: Database) -> None:
    await fill()
    before = await ask("2026-01")
    await settling.settle("2026-01", actor="a")
    await settling.close("2026-01", actor="a")
    closed = await ask("2026-01")
    assert closed[1] == 1
    assert before[1] is None
    await settling.reopen("2026-01", reason="x", actor="a")
    assert (await ask("2026-01"))[1] is None
    assert await ask("2026-01", 1) == closed
    with pytest.raises(Refused):
        await ask("2026-01", 9)


async def test_only_the_latest_are_kept(pool: Database) -> None:
    await fill()
    known = known_figures.KnownFigures()
    found = await ask("2026-01")
    for number in range(KEPT + 5):
        known.remember(known_figures.Asked("h", "2026-01", number), found)
        assert known.recall(known_figures.Asked("h", "2026-01", 0)) is found
    assert [asked.snapshot for asked in known] == [*range(6, KEPT + 5), 0]
