"""The pages of reconciliation, for whom they are, in both languages and with nothing at all."""

from datetime import date, datetime

import pytest

from admin.statements import reconcile
from admin.tables import Outcome
from engine.organisation import TIMEZONE
from tests.admin.conftest import SignIn
from tests.received import at, note, record
from tests.small_office import event, fill

pytestmark = pytest.mark.anyio

DAY = date(2026, 3, 5)
ODD = "甲 #1?<b>&%"
"""An id of which every character would be wrong in an address or a page."""


@pytest.mark.parametrize("role", ["office", "approver", "auditor", "integrator"])
async def test_whoever_may_read_it_finds_the_way(sign_in: SignIn, role: str) -> None:
    client = await sign_in("zhang", role)
    assert (await client.get("/")).text.count('href="/receptions"') == 2  # a tile, and the bar
    assert (await client.get("/receptions")).status_code == 200
    assert (await client.get("/receptions/2026-03-05?source=office")).status_code == 200


@pytest.mark.parametrize("role", ["assessor", "subject"])
async def test_others_do_not(sign_in: SignIn, role: str) -> None:
    client = await sign_in("li", role, subject="B1")
    assert "/receptions" not in (await client.get("/")).text
    for path in ("/receptions", "/receptions/2026-03-05"):
        assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ["缺 2 件", "多 1 件", "未对账", "来源不明", "没有收到过", "曾退回（422）：/data"]),
        ("en", ["2 missing", "1 not listed", "not stated", "no source", "never received", "refused (422): /data"]),
    ],
)
async def test_a_day_reads_in_both_languages(sign_in: SignIn, language: str, words: list[str]) -> None:
    await fill()
    await record(at(DAY), {**event(100, "fault", "B1", "2026-03-04", count="1"), "source": "office", "id": ODD})
    await note(at(DAY), Outcome.refused, "office", "R1", problem="/data ")
    await note(at(DAY), Outcome.refused, "", "")
    await reconcile("office", DAY, sender="key:x", english=False, ids=["R1", "X1"])
    client = await sign_in("zhang", "office", language=language)
    table = (await client.get("/receptions?from=2026-03-01&to=2026-03-31")).text
    day = (await client.get("/receptions/2026-03-05?source=office")).text
    for word in words[:4]:
        assert word in table
    for word in words[4:]:
        assert word in day
    assert 'href="/audit/events/office/%E7%94%B2%20%231%3F%3Cb%3E%26%25"' in day
    assert "<b>" not in day


async def test_what_was_short_and_came_in_later_agrees(sign_in: SignIn) -> None:
    await fill()
    await reconcile("office", DAY, sender="key:x", english=False, ids=["E100"])
    await reconcile("other", DAY, sender="key:x", english=False, stated=1)
    client = await sign_in("zhang", "office")
    page = "/receptions?from=2026-03-05&to=2026-03-05"
    assert (await client.get(page)).text.count(">缺 1 件<") == 2
    late = {**event(100, "fault", "B1", "2026-03-04", count="1"), "source": "office"}
    await record(at(DAY, 48), late)
    assert "平（曾缺 1 件，已补）" in (await client.get(page)).text
    await record(at(DAY, 49), {**late, "source": "other"})  # a count is of its day
    assert (await client.get(page)).text.count(">缺 1 件<") == 1


async def test_days_as_they_are_asked_for(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    today = datetime.now(TIMEZONE).date()
    assert f"/receptions/{today}?source=manual" in (await client.get("/receptions")).text
    answer = await client.get("/receptions?from=2026-13-01&to=x&after=nonsense")
    assert answer.status_code == 200
    assert "日期应写成" in answer.text
    assert "没有收到任何事件" in (await client.get("/receptions?from=2026-03-05&to=2026-03-01")).text
    assert (await client.get("/receptions?from=0001-01-01&to=9999-12-31")).status_code == 200
    for path in (
        "/receptions/2026-02-30",
        "/receptions/9999-12-31",
        "/receptions/x",
        "/receptions/2026-03-05?section=all",
    ):
        assert (await client.get(path)).status_code in (400, 404, 422), path
