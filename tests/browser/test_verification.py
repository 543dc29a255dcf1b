"""An auditor takes the seal and has the ledger verified, in a real browser."""

import json

import pytest
from playwright.sync_api import Page, expect

from admin.users import make_user, set_password
from tests.browser.browsing import PASSWORD, log_in, run
from tests.processes import Server
from tests.small_office import fill

pytestmark = pytest.mark.browser


async def prepare() -> None:
    """The small office, and an auditor."""
    await make_user("li", PASSWORD, ["auditor"])
    await set_password("li", PASSWORD, must_change=False)
    await fill()


def test_an_auditor_verifies_against_the_seal_they_keep(server: Server, page: Page) -> None:
    run(prepare)
    log_in(page, server.url, "li")
    page.get_by_role("main").get_by_role("link", name="台账核验").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="下载封印").click()
    seal = download.value.path().read_text()
    assert json.loads(seal)["length"] > 10
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    page.get_by_label("已存的封印").fill(seal)
    page.get_by_role("button", name="开始核验").click()
    expect(page.locator(".done")).to_contain_text("核验通过", timeout=60_000)
    expect(page.locator(".done")).to_contain_text("与 1 个封印一致")
    expect(page.locator("main")).to_contain_text("li")
