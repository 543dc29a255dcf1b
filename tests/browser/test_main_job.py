"""The main job, as a newcomer does it: start, sign in, change a rule, publish, post, and ask why.

With ``JIKAO_PICTURES`` set to a folder, the walk takes the pictures of the tour in the README.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import PASSWORD
from tests.processes import jikao

pytestmark = pytest.mark.browser


class Started(NamedTuple):
    """What ``jikao serve`` printed on a machine where nothing was."""

    address: str
    password: str
    line: str


@pytest.fixture(params=["1", "2"], ids=["one worker", "two workers"])
def started(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Started]:
    process = jikao("serve", JIKAO_VAR=str(tmp_path / "var"), JIKAO_WORKERS=request.param)
    printed = ""
    try:
        assert process.stdout is not None
        for text in process.stdout:
            printed += text
            if "Ctrl+C" in text:
                break
        found = re.search(r"(http://\S+)(?:.|\n)*sign-in\): (\S+)\n(?:.|\n)*\n(curl .*)\n", printed)
        assert found is not None, printed
        yield Started(*found.groups())
    finally:
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")


def take_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("JIKAO_PICTURES"):
        page.set_viewport_size({"width": 1366, "height": 768})
        page.wait_for_timeout(500)
        page.screenshot(path=Path(folder) / f"tour-{name}.png")


def sign_in(page: Page, started: Started) -> None:
    page.goto(f"{started.address}/login")
    take_picture(page, "1-login")
    for password in (started.password, PASSWORD):
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", password)
        page.click("main button")
        if password == started.password:
            for field, value in zip(
                page.locator("main input[type=password]").all(), (password, PASSWORD, PASSWORD), strict=True
            ):
                field.fill(value)
            page.click("main button")
            expect(page).to_have_url(re.compile("/login"))
    expect(page.locator("main h1")).to_contain_text("绩考")


def test_a_rule_is_changed_published_and_explains_its_deduction(started: Started, page: Page) -> None:
    sign_in(page, started)

    page.goto(f"{started.address}/admin/#/draft_rule/")
    page.locator("tbody").get_by_text("K03", exact=True).click()
    points = page.locator("input[name=points]")
    expect(points).to_have_value("-0.50")
    points.fill("-0.80")
    points.scroll_into_view_if_needed()
    take_picture(page, "2-rules")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#app").first).to_contain_text("已保存")

    page.goto(f"{started.address}/publish")
    expect(page.locator("ul.changes")).to_contain_text("K03")
    expect(page.locator("ul.changes")).to_contain_text("-0.80")
    page.get_by_label("发布说明").fill("市局通报提高到 0.80 分")
    page.evaluate("window.scrollTo(0, 0)")
    take_picture(page, "3-publish")
    page.get_by_role("button", name="发布为新版本").click()
    expect(page.get_by_role("status")).to_contain_text("2")

    answer = subprocess.run(["bash", "-c", started.line], capture_output=True, text=True, timeout=30, check=True)
    assert '"rule":"K03","version":2,"subject":"B-YUNLING","nominal":"-0.80","posted":"-0.80"' in answer.stdout

    page.goto(f"{started.address}/admin/#/entry")
    row = page.locator("tbody tr").filter(has_text="K03").first
    expect(row).to_contain_text("-0.80")
    take_picture(page, "4-entries")
    row.locator("a").first.click()
    expect(page).to_have_url(re.compile(r"/audit/entries/\d+"))
    expect(page.locator("main")).to_contain_text("市局通报批评")
    expect(page.locator("main")).to_contain_text("第 2 版")
    expect(page.locator(".amount")).to_have_text("−0.80")
    expect(page.locator("table").first).to_contain_text("通报级别")
    take_picture(page, "5-explanation")
