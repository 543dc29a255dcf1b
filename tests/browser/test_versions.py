"""The office at its desk in the evening: two on one row, an approval, a publication that reaches back, going back."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from admin.changes import replace_draft
from admin.users import make_user, set_password
from rules.draft import read_draft
from rules.tables import DraftRule, Version
from tests.browser.browsing import PASSWORD, log_in, run
from tests.processes import Server
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.browser


async def prepare() -> int:
    """A small office with six events, a draft like its version, two officers and an approver; the row of rule R1."""
    await fill()
    await replace_draft(RULEBOOK, "somebody")
    for name, roles in (("zhang", ["office"]), ("zhao", ["office"]), ("li", ["approver"])):
        await make_user(name, PASSWORD, roles)
        await set_password(name, PASSWORD, must_change=False)
    row = await DraftRule.select(DraftRule.id).where(DraftRule.code == "R1").first()
    assert row is not None
    return int(row["id"])


async def points() -> str:
    row = await DraftRule.select(DraftRule.points).where(DraftRule.code == "R1").first()
    assert row is not None
    return str(row["points"])


async def numbers() -> list[int]:
    return await Version.select(Version.number).order_by(Version.number).output(as_list=True)


async def title_of_draft() -> Any:
    tree: Any = await read_draft()
    return str(tree["rules"][0]["points"])


@pytest.fixture
def other(browser: Browser) -> Iterator[Page]:
    """A second person's browser."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1366, "height": 768})
    yield context.new_page()
    context.close()


def test_two_people_on_one_row_and_the_way_to_a_version_and_back(server: Server, page: Page, other: Page) -> None:
    row = int(run(prepare))
    log_in(page, server.url, "zhang")
    log_in(other, server.url, "zhao")

    # both open the row; who saves second is told, and overwrites nothing
    for one in (page, other):
        one.goto(f"{server.url}/admin/#/draft_rule/{row}/")
        expect(one.locator("input[name=points]")).to_have_value("-0.50")
    other.locator("input[name=points]").fill("-0.80")
    other.get_by_role("button", name="保存").click()
    expect(other.locator("#app").first).to_contain_text("已保存")
    page.locator("textarea[name=title]:not(#editor)").fill("张的名称")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#app").first).to_contain_text(re.compile("已被他人改动（zhao 于 .*分值 -0.50 → -0.80"))
    assert run(points) == "-0.80"
    page.reload()
    expect(page.locator("input[name=points]")).to_have_value("-0.80")
    page.locator("textarea[name=title]:not(#editor)").fill("张的名称")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#app").first).to_contain_text("已保存")

    # the row's history
    page.goto(f"{server.url}/admin/#/draft_rule/{row}/")
    page.reload()
    page.get_by_role("link", name="变更记录", exact=True).last.click()
    expect(page.locator("h1")).to_have_text("变更记录")
    expect(page.locator("tbody tr").first).to_contain_text("zhang")
    expect(page.locator("tbody")).to_contain_text("zhao")

    # approval, then a publication that reaches back
    log_in(other, server.url, "li")
    other.goto(f"{server.url}/publish")
    expect(other.locator("#approval + .card")).to_contain_text("可以审批")
    expect(other.locator("#changes ~ details").first).to_contain_text("R1")
    other.get_by_role("button", name="审批通过").click()
    expect(other.locator(".voices")).to_contain_text("已审批")
    page.goto(f"{server.url}/publish")
    page.fill("input[name=effective]", "2026-01-01T00:00")
    expect(page.locator("input[name=when][value=at]")).to_be_checked()
    page.fill("textarea[name=note]", "年中修订")
    page.get_by_role("button", name="发布为新版本").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("预览：尚未发布")
    expect(preview).to_contain_text("城关分局")
    assert run(numbers) == [1]
    preview.get_by_role("button", name="确认发布").click()
    assert run(numbers) == [1]  # the reason is asked for before anything is sent
    preview.locator("textarea[name=reason]").fill("文件修订")
    preview.get_by_role("button", name="确认发布").click()
    expect(page.locator(".done").first).to_contain_text("已发布为第 2 版")
    assert run(numbers) == [1, 2]

    # going back
    page.goto(f"{server.url}/audit/versions/1")
    page.get_by_role("link", name="以此版本为草稿").click()
    expect(page.locator("main")).to_contain_text("现在的草稿将失去")
    expect(page.locator("del").first).to_be_visible()
    page.get_by_role("button", name="换成第 1 版").click()
    expect(page.locator(".done").first).to_contain_text("草稿已换成第 1 版的内容")
    assert run(title_of_draft) == "-0.50"
    assert run(numbers) == [1, 2]
    page.goto(f"{server.url}/desk/comparison?from=1&to=2")
    expect(page.locator("#summary")).to_contain_text("规则：修改 1 项")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
