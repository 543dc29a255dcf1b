"""Lists of entries: every filter means what it says, and pages are whole, whichever index leads."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from engine.event import EventKey
from engine.report import parse_report
from ledger import listing, settling
from ledger.listing import EntryFilter, all_entries, list_entries, page_entries
from ledger.reading import Unknown, reading
from tests.small_office import event, fill

pytestmark = pytest.mark.anyio

Row = dict[str, Any]


async def prepare() -> list[Row]:
    """The small office, two months settled, one closed; its entries, newest first."""
    recorder = await fill()
    days = ("2026-02-03", "2026-01-20", "2026-02-03", "2026-01-05", "2026-01-12", "2026-02-27")
    more = [event(20 + n, "fault", f"B{1 + n % 2}", day, count="1") for n, day in enumerate(days)]
    await recorder.record_all([parse_report(raw) for raw in more])
    await recorder.retract(EventKey("manual", "E22"), "误报", "test")
    for code in ("2026-01", "2026-02"):
        await settling.settle(code, actor="test")
    await settling.close("2026-01", actor="test")
    async with reading() as connection:
        rows = await connection.fetch("SELECT * FROM entry ORDER BY number DESC")
    assert len(rows) >= 10
    return [dict(row) for row in rows]


FILTERS: list[tuple[dict[str, Any], Callable[[Row], bool]]] = [
    ({}, lambda _: True),
    ({"subject": "B1"}, lambda row: row["subject"] == "B1"),
    ({"rule": "R1"}, lambda row: row["rule"] == "R1"),
    ({"event": "E3"}, lambda row: row["event"] == "E3"),
    ({"source": "manual", "event": "E3"}, lambda row: row["event"] == "E3"),
    ({"source": "nobody"}, lambda _: False),
    ({"kind": "period"}, lambda row: row["kind"] == "period"),
    ({"kind": "direct", "subject": "B2"}, lambda row: row["kind"] == "direct" and row["subject"] == "B2"),
    ({"kind": "reversal", "subject": "B1"}, lambda row: row["kind"] == "reversal"),
    ({"kind": "wish"}, lambda _: False),
    ({"kind": "period", "rule": "R1"}, lambda _: False),
    ({"kind": "period", "source": "manual"}, lambda _: False),
    ({"indicator": "I-DOC"}, lambda row: row["indicator"] == "I-DOC"),
    ({"indicator": "I-DOC,I-SAT"}, lambda row: row["indicator"] in ("I-DOC", "I-SAT")),
    ({"not_indicator": "I-DOC"}, lambda row: row["indicator"] != "I-DOC"),
    ({"period": "2026-02"}, lambda row: row["booked"].month == 2),
    ({"start": date(2026, 1, 13)}, lambda row: row["booked"] >= date(2026, 1, 13)),
    ({"start": date(2026, 1, 12), "end": date(2026, 1, 13)}, lambda row: row["booked"] == date(2026, 1, 12)),
    ({"period": "2026-01", "rule": "D1"}, lambda row: row["booked"].month == 1 and row["rule"] == "D1"),
    ({"start": date(2026, 3, 1), "end": date(2026, 2, 1)}, lambda _: False),
]


@pytest.mark.parametrize("look", [2, 2_000])
async def test_every_filter_at_every_page(pool: object, monkeypatch: pytest.MonkeyPatch, look: int) -> None:
    monkeypatch.setattr(listing, "LOOK", look)
    monkeypatch.setattr(listing, "DAYS", 1)
    rows = await prepare()
    for given, fits in FILTERS:
        expected = [row["number"] for row in rows if fits(row)]
        wanted = EntryFilter(**given)
        assert [row["number"] async for row in all_entries(wanted)] == expected, given
        for limit in (1, 2, 50):
            found: list[int] = []
            before: int | None = None
            for _ in range(100):
                items, before = await list_entries(wanted, before=before, limit=limit)
                found += [each.id for each in items]
                if before is None:
                    break
            assert found == expected, (given, limit)


async def test_pages_lead_newer_and_older(pool: object) -> None:
    rows = await prepare()
    numbers = [row["number"] for row in rows]
    newest = await page_entries(EntryFilter(), limit=2)
    assert (newest.newer, [each.id for each in newest.items]) == (None, numbers[:2])
    older = await page_entries(EntryFilter(), before=newest.older, limit=2)
    assert [each.id for each in older.items] == numbers[2:4]
    back = await page_entries(EntryFilter(), after=older.newer, limit=2)
    assert ([each.id for each in back.items], back.newer) == (numbers[:2], None)
    assert back.older == newest.older
    middle = await page_entries(EntryFilter(), after=numbers[-1], limit=2)
    assert [each.id for each in middle.items] == numbers[-3:-1]
    assert middle.newer == numbers[-3]


async def test_a_snapshot_is_made_of_what_was_there_before_it(pool: object) -> None:
    rows = await prepare()
    await settling.reopen("2026-01", reason="复核", actor="test")
    await settling.settle("2026-02", actor="test")
    wanted = EntryFilter(period="2026-01", snapshot=1)
    items, _ = await list_entries(wanted)
    assert [each.id for each in items] == [row["number"] for row in rows if row["booked"].month == 1]
    for broken in (EntryFilter(period="2026-01", snapshot=2), EntryFilter(snapshot=1),
                   EntryFilter(period="2026-01", snapshot=2**40)):  # fmt: skip
        with pytest.raises(Unknown):
            await list_entries(broken)
