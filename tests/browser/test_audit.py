"""An auditor's walk: from the list to an entry, why it is there, the event, the rule's version, and who approved it.

Every page of the walk fits on paper: what is printed says where it is found, has no navigation, and no cut table.
"""

import re
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.users import make_user, set_password
from engine.organisation import Place, Subject
from ledger import acts
from rules.document import read_rulebook
from tests.browser.browsing import PASSWORD, log_in, run
from tests.ledger.test_firing import RULEBOOK, fill, report
from tests.processes import Server

pytestmark = pytest.mark.browser

LONG = "第一税务分局关于规范办税服务厅窗口服务与信息报送工作的督办事项" * 3


async def prepare() -> None:
    """Two notices, the second clipped, of which the first was withdrawn; a version that somebody approved."""
    recorder = await fill()
    renamed = Subject(code="D2", name=LONG, places=(Place(kind="unit", group="g"),))
    await acts.organise(date(2026, 1, 1), [renamed], [], reason="更名", actor="wang")
    first = await report(recorder, 1)
    await report(recorder, 2, matter=LONG, basis=LONG)
    later: dict[str, Any] = {**RULEBOOK, "effective": "2026-04-01T00:00:00+08:00"}
    await acts.publish_rulebook(read_rulebook(later), note="年中修订", actor="wang", approved_by=["li"])
    await report(recorder, 3, time="2026-04-03T09:00:00+08:00")
    await recorder.retract(first, "经复核不属实", "wang")
    await make_user("auditor", PASSWORD, ["auditor"])
    await set_password("auditor", PASSWORD, must_change=False)


def sign_in(server: Server, page: Page) -> None:
    run(prepare)
    log_in(page, server.url, "auditor")


def on_paper(page: Page) -> None:
    """The page as it is printed on A4: its head tells where and when, and nothing is wider than the paper."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 695, "height": 1000})
    head = page.locator(".print-head")
    expect(head).to_be_visible()
    expect(head).to_contain_text(page.url.partition("#")[0])
    expect(head).to_contain_text(re.compile(r"打印于 \d{4}-\d\d-\d\d \d\d:\d\d"))
    for gone in (".bar", ".no-print"):
        assert page.locator(gone).evaluate_all("all => all.every(each => each.offsetParent === null)"), gone
    edge = "document.documentElement.clientWidth + 1"
    wide = f"all => all.filter(each => each.getBoundingClientRect().right > {edge}).length"
    assert page.locator("table, dl, ul, ol, code").evaluate_all(wide) == 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1366, "height": 768})


def test_an_auditor_walks_from_the_list_to_who_approved(server: Server, page: Page) -> None:
    sign_in(server, page)
    page.get_by_role("navigation").get_by_text("台账明细").click()
    expect(page.locator("tbody")).to_contain_text(LONG)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    on_paper(page)
    page.get_by_label("考评对象").fill("D1")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    page.locator("tbody tr").filter(has_text="E3").locator("td.number a").click()

    # why: the rule, its arithmetic, the whole tree
    expect(page.locator("h1")).to_contain_text("明细")
    expect(page.locator("main")).to_contain_text("连带到牵头部门：来源分值的 50%")
    tree = page.locator("table.tree tbody tr")
    expect(tree).to_have_count(3)
    expect(page.locator("table.tree tr.sum")).to_contain_text("D1的名称")
    on_paper(page)

    # the event: every rule considered, and why the others reached nobody
    page.locator("main dl").get_by_role("link", name="manual / E3").click()
    expect(page.locator("h1")).to_have_text("通报")
    rules = page.locator("section.rule")
    expect(rules.filter(has_text="J4")).to_contain_text("本规则的条件不成立")
    expect(rules.filter(has_text="J3")).to_contain_text("本规则只连带加分")
    expect(rules.filter(has_text="J6")).to_contain_text("没有人是“U1”的“direct_person”")
    expect(page.locator("main")).to_contain_text("停用的")
    on_paper(page)

    # the rule in its version, and who approved that
    rules.filter(has_text="K1").locator("h3 a").first.click()
    expect(page).to_have_url(re.compile(r"/audit/versions/2#K1$"))
    expect(page.locator("section.rule#K1")).to_contain_text("级别 为 市局")
    expect(page.locator("#approved")).to_have_text("li")
    expect(page.locator("main")).to_contain_text("年中修订")
    on_paper(page)

    # and that nobody changed any of it since
    page.get_by_role("navigation").get_by_text("核查", exact=True).click()
    page.get_by_role("navigation").get_by_text("台账核验").click()
    page.get_by_role("button", name="开始核验").click()
    expect(page.locator(".done")).to_contain_text("核验通过", timeout=60_000)
    on_paper(page)


def test_a_withdrawal_is_followed_both_ways(server: Server, page: Page) -> None:
    sign_in(server, page)
    page.get_by_role("navigation").get_by_text("核查", exact=True).click()
    page.get_by_role("navigation").get_by_text("管理行为").click()
    page.get_by_label("类别").select_option("retraction")
    page.get_by_role("button", name="查询").click()
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("经复核不属实")
    row.locator("td.number a").click()
    expect(page.locator("h1")).to_have_text("撤回事件")
    expect(page.locator("main")).to_contain_text("经复核不属实")
    made = page.locator("tbody tr")
    assert made.count() >= 4
    on_paper(page)

    # the room that the withdrawn charge had used went to the one that had been clipped
    made.filter(has_text="调整").locator("td.number a").first.click()
    expect(page.locator("main")).to_contain_text("经复核不属实")
    expect(page.locator("main")).to_contain_text(LONG)
    on_paper(page)
    page.locator("main").get_by_role("link", name=re.compile("撤回")).first.click()
    page.get_by_role("link", name="manual / E1").first.click()
    expect(page.locator("main")).to_contain_text("已撤回")
    expect(page.locator("main")).to_contain_text("经复核不属实")
