"""A month is settled and closed in a real browser, and its snapshot is there to be looked at."""

import re

import pytest
from playwright.sync_api import Page, expect

from admin.users import make_user, set_password
from tests.browser.browsing import PASSWORD, log_in, run
from tests.processes import Server
from tests.small_office import fill

pytestmark = pytest.mark.browser


async def prepare() -> None:
    """The small office, and an officer."""
    await make_user("zhang", PASSWORD, ["office"])
    await set_password("zhang", PASSWORD, must_change=False)
    await fill()


def sign_in(server: Server, page: Page) -> None:
    run(prepare)
    log_in(page, server.url, "zhang")


def test_the_key_of_a_register_has_its_title(server: Server, page: Page) -> None:
    sign_in(server, page)
    for table, title in (("entry", "台账号"), ("period", "代码"), ("rulebook_version", "版本号")):
        page.goto(f"{server.url}/admin/#/{table}")
        expect(page.locator("thead").get_by_text(title, exact=True)).to_be_visible()
        assert not re.search("number|code", page.locator("thead").inner_text(), re.IGNORECASE)


def test_a_month_is_settled_closed_and_kept_as_a_snapshot(server: Server, page: Page) -> None:
    sign_in(server, page)
    page.get_by_role("navigation").get_by_text("考评期与排名").click()
    month = page.locator("tr").filter(has_text="2026-02")
    month.get_by_text("结算", exact=True).click()
    expect(page.locator("main")).to_contain_text("差异化")
    page.get_by_role("button", name="确认结算").click()
    expect(page.get_by_role("status")).to_have_text("已结算。")
    expect(page.locator("#comparisons ~ .wide")).to_contain_text("极差 2")

    page.get_by_role("link", name="关账", exact=True).click()
    page.get_by_label("理由").fill("月度关账")
    page.get_by_role("button", name="确认关账").click()
    expect(page.get_by_role("status")).to_contain_text("快照已保存")
    expect(page.locator("select[name=snapshot] option")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("第 1 号快照")

    page.get_by_role("link", name="河西分局").click()
    expect(page.locator(".amount")).to_have_text("59.00")
    expect(page.locator("table.waterfall")).to_contain_text("一票否决")
    assert page.locator("table.waterfall rect").count() >= 5
    page.locator("table.waterfall tbody a").first.click()
    expect(page.locator("h1")).to_have_text("台账明细")
