"""Reconciliation in a real browser: from the table of days to what was refused, what is missing, and why."""

import os
import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from admin.statements import reconcile
from admin.tables import Outcome, Source
from admin.users import make_user, set_password
from tests.browser.browsing import PASSWORD, log_in, run
from tests.processes import Server
from tests.received import at, note, record
from tests.small_office import event, fill

pytestmark = pytest.mark.browser

DAY = date(2026, 3, 5)
SHOTS = os.environ.get("SCREENSHOTS")


async def prepare() -> None:
    """An officer, the small office, and two sources: one agrees, of the other something is missing."""
    await make_user("zhang", PASSWORD, ["office"])
    await set_password("zhang", PASSWORD, must_change=False)
    await fill()
    await Source(code="inspection", title="督查平台", uri="urn:inspection").save()
    faults = [
        {**event(number, "fault", "B1", "2026-03-04", count="1"), "source": "inspection"} for number in range(100, 106)
    ]
    await record(at(DAY, 9), *faults)
    await record(at(DAY, 10), {**event(1, "survey", "B2", "2026-03-04", rate="97"), "source": "survey"})
    await note(at(DAY, 9.5), Outcome.repeated, "inspection", "E100", "E101")
    await note(at(DAY, 9.6), Outcome.refused, "inspection", "E201", "E202", problem="/subject ")
    await note(at(DAY, 9.7), Outcome.refused, "", "")
    ids = [*(f"E{number}" for number in range(100, 105)), "E201", "E301"]
    await reconcile("inspection", DAY, sender="key:inspection", english=False, stated=8)
    await reconcile("inspection", DAY, sender="key:inspection", english=False, ids=ids)
    await reconcile("survey", DAY, sender="key:survey", english=False, stated=1)
    await record(at(DAY, 30), {**event(301, "fault", "B1", "2026-03-04", count="1"), "source": "inspection"})


async def a_thousand() -> None:
    """A thousand rows: fifty sources on each of twenty days, with a long list of what was refused."""
    for back in range(20):
        when = at(DAY - timedelta(days=back), 8)
        for number in range(50):
            await note(when, Outcome.repeated, f"source-{number:02}", f"E{back}-{number}")
    await note(at(DAY, 12), Outcome.refused, "inspection", *(f"X{number}" for number in range(230)), problem="/data ")


def shoot(page: Page, name: str) -> None:
    """Keep a picture to be looked at, where somebody asks for it."""
    if SHOTS:
        page.set_viewport_size({"width": 1366, "height": 768})
        for language in ("zh-CN", "en"):
            here = page.url
            page.goto(f"{here.split('/receptions')[0].split('/admin')[0]}/language/{language}?next=/")
            page.goto(here)
            page.wait_for_timeout(300)
            page.screenshot(path=f"{SHOTS}/{name}-{language}.png", full_page=True)
        page.goto(f"{here.split('/receptions')[0].split('/admin')[0]}/language/zh-CN?next=/")
        page.goto(here)


def test_from_the_table_to_what_is_missing(server: Server, page: Page) -> None:
    run(prepare)
    log_in(page, server.url, "zhang")
    page.locator(".tiles").get_by_text("来源对账").click()
    page.get_by_label("来源", exact=True).fill("nobody")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("main")).to_contain_text("没有收到任何事件")
    shoot(page, "empty")

    page.get_by_label("来源", exact=True).fill("")
    page.get_by_label("从").fill("2026-03-01")
    page.get_by_label("到").fill("2026-03-31")
    page.get_by_role("button", name="查询").click()
    rows = page.locator("tbody tr")
    cells = [re.split(r"\s*\t\s*", row.strip()) for row in rows.all_inner_texts()]
    assert cells == [
        ["2026-03-06", "督查平台 inspection", "1", "1", "0", "0", "1", "未对账"],
        ["2026-03-05", "来源不明", "1", "0", "0", "1", "0", "未对账"],
        ["2026-03-05", "督查平台 inspection", "10", "6", "2", "2", "6", "缺 1 件 多 2 件"],
        ["2026-03-05", "survey", "1", "1", "0", "0", "0", "平"],
    ]
    shoot(page, "table")

    rows.nth(2).get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("2026-03-05 · 督查平台")
    expect(page.locator("dl.facts")).to_contain_text("10 = 入账 6 + 重复 2 + 退回 2")
    expect(page.locator("dl.facts")).to_contain_text("对方列出 7 件")
    missing = page.locator("#missing + .wide tbody tr")
    expect(missing).to_have_count(2)
    expect(missing.nth(0)).to_contain_text(re.compile("E201.*曾退回（422）：/subject 不在组织中.*未入账", re.DOTALL))
    expect(missing.nth(1)).to_contain_text(re.compile("E301.*没有收到过.*已入账", re.DOTALL))
    assert missing.nth(1).get_by_role("link").get_attribute("href") == "/audit/events/inspection/E301"
    refused = page.locator("#refused + .wide tbody tr")
    expect(refused.nth(0)).to_contain_text(re.compile("09:36:00.*E202.*422.*不在组织中.*key:test", re.DOTALL))
    expect(page.locator("#repeated + .wide tbody tr")).to_have_count(2)
    expect(page.locator(".ids")).to_contain_text(re.compile(r"E105\s+E202"))
    expect(page.locator(".ids a")).to_have_text("E105")  # E202 was refused and is nowhere to be seen
    expect(page.locator("#statements + .wide tbody tr")).to_have_count(2)
    shoot(page, "day")
    page.get_by_text("English", exact=True).click()
    expect(page.locator("main")).to_contain_text("/subject is nobody")


def test_a_thousand_rows_are_paged(server: Server, page: Page) -> None:
    run(prepare)
    run(a_thousand)
    log_in(page, server.url, "zhang")
    page.goto(f"{server.url}/receptions?from=2026-02-01&to=2026-03-31")
    expect(page.locator("tbody tr")).to_have_count(100)
    shoot(page, "large")
    seen = 0
    while True:
        seen += page.locator("tbody tr").count()
        following = page.get_by_role("link", name="下一页")
        if not following.count():
            break
        following.click()
    assert seen == 1_004
    expect(page.get_by_role("link", name="更早")).to_be_visible()

    page.goto(f"{server.url}/receptions/2026-03-05?source=inspection")
    expect(page.locator("#refused + .wide tbody tr")).to_have_count(20)
    page.get_by_role("link", name="查看全部 232 件").click()
    expect(page.locator("tbody tr")).to_have_count(100)
    for left in (100, 32):
        page.get_by_role("link", name="查看全部 232 件").click()
        expect(page.locator("tbody tr")).to_have_count(left)


def test_a_source_is_registered_in_the_panel(server: Server, page: Page) -> None:
    run(prepare)
    log_in(page, server.url, "zhang")
    page.goto(f"{server.url}/admin/#/source")
    expect(page.locator(".title h1")).to_have_text("来源")
    shoot(page, "sources")
    page.get_by_text("添加行").click()
    page.wait_for_load_state("networkidle")  # the form is made anew when its choices have come
    page.locator("input[name=code]").fill("warning")
    page.locator("[name=title]:not(#editor)").fill("预警平台")
    page.locator("[name=uri]:not(#editor)").fill("urn:warning")
    page.get_by_role("button", name=re.compile("^(添加|创建|新增|保存)")).click()
    expect(page.locator("#app").first).to_contain_text("已添加")
    page.goto(f"{server.url}/receptions")
    expect(page.locator("datalist option[value=warning]")).to_have_count(1)
