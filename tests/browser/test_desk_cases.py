"""Cases beside rules in a real browser: an event becomes a case, fails when its rule changes, keeps a publication back,
and is mended in its text."""

import re

import pytest
from playwright.sync_api import Page, expect

from admin.users import make_user, set_password
from api.database import pooled
from tests.browser.browsing import PASSWORD, log_in, run
from tests.notices import fill_notices
from tests.processes import Server

pytestmark = pytest.mark.browser


async def prepare(url: str) -> None:
    async with pooled(url, size=2):
        await make_user("zhang", PASSWORD, ["office"])
        await set_password("zhang", PASSWORD, must_change=False)
        await fill_notices()


def test_an_event_becomes_a_case_that_guards_its_rule(server: Server, page: Page) -> None:
    run(prepare, server.database.url)
    log_in(page, server.url, "zhang")

    # an event becomes a case
    page.goto(f"{server.url}/audit/events/office/N2")
    page.get_by_role("link", name="以此事件作为用例").click()
    expect(page.locator("table.sums tbody tr")).to_have_count(2)
    expect(page.locator("main")).to_contain_text("两边一致")
    expect(page.locator("input[value=ledger]")).to_be_checked()
    page.get_by_label("用例名").fill("市局通报扣 0.50，牵头部门连带 0.15")
    page.get_by_role("button", name="存为用例").click()
    expect(page.get_by_role("status")).to_contain_text("已作为用例存入草稿")
    expect(page.locator("#state")).to_have_text("通过")
    case = page.url

    # somebody changes the rule: it fails, in words
    page.goto(f"{server.url}/admin/#/draft_rule/")
    page.locator("tbody").get_by_text("K02", exact=True).click()
    points = page.locator("input[name=points]")
    expect(points).to_have_value("-0.50")
    points.fill("-0.80")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#app").first).to_contain_text("已保存")
    page.goto(f"{server.url}/desk/cases")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("不通过")
    expect(page.locator("tbody tr")).to_contain_text("征管科（D1） 按 J01 牵头连带，应为 −0.15，实为 −0.24")

    # it keeps the draft from being published, and the finding leads to it
    page.goto(f"{server.url}/publish")
    expect(page.locator("#failing")).to_contain_text("市局通报扣 0.50，牵头部门连带 0.15")
    page.locator("#publication button").first.click()
    problem = page.locator(".problem[role=alert]")
    expect(problem).to_contain_text("市局通报扣 0.50，牵头部门连带 0.15")
    problem.get_by_role("link", name="打开用例").click()
    expect(page).to_have_url(re.compile(r"/desk/cases/[0-9a-f]{16}$"))
    assert page.url == case.partition("?")[0]
    expect(page.locator("#state")).to_have_text("不通过")
    rows = page.locator("table.differs tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("城关分局")
    expect(rows.nth(1)).to_contain_text("−0.80")

    # a slip in the text comes back with its line, and a click leads there
    text = page.locator("textarea[name=text]")
    written = text.input_value()
    mended = written.replace("points: -0.50", "points: -0.80").replace("points: -0.15", "points: -0.24")
    text.fill(mended.replace("rule: K02", "rule: K22"))
    page.get_by_role("button", name="保存", exact=True).click()
    problem = page.locator(".problem").first
    expect(problem).to_contain_text("K22")
    line = next(at for at, each in enumerate(mended.splitlines(), 1) if "rule: K02" in each)
    problem.get_by_role("link", name=f"第 {line} 行").click()
    chosen = page.evaluate(
        "(() => { const t = document.querySelector('textarea[name=text]');"
        " return t.value.slice(t.selectionStart, t.selectionEnd); })()"
    )
    assert "K22" in chosen
    assert "J01" not in chosen
    expect(page.locator("li.wrong")).to_have_count(1)

    # mended
    text.fill(mended)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    expect(page.locator("#state")).to_have_text("通过")
    page.goto(f"{server.url}/publish")
    expect(page.locator("#publication")).to_be_visible()
    expect(page.locator("#failing")).to_have_count(0)

    # under the rule: it hits, and what is missing can be made from an event
    page.goto(f"{server.url}/desk/rules/K02/cases")
    expect(page.locator("section.hitting")).to_contain_text("市局通报扣 0.50")
    expect(page.locator("section.missing")).to_contain_text("还没有用例说明什么情况下不触发")

    # copied, and deleted only when that is confirmed
    page.goto(f"{server.url}/desk/cases")
    page.locator("tbody a").click()
    page.get_by_role("button", name="复制").click()
    expect(page.locator("h1")).to_contain_text("（副本 2）")
    page.get_by_text("删除…").click()
    page.get_by_role("button", name="确认删除").click()
    expect(page.get_by_role("status")).to_contain_text("已删除")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{server.url}/admin/#/change_log")
    expect(page.locator("tbody").get_by_text("zhang").first).to_be_visible()
