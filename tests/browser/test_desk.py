"""The office's desk, from a rule's first word to going back: written, seen to hit, failing, mended, tried, approved by
another, published for tomorrow, compared, taken back.

With ``JIKAO_PICTURES`` set to a folder, the walk takes the pictures of ``docs/desk.md``.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import PASSWORD
from tests.processes import jikao, listening

pytestmark = pytest.mark.browser

SIZE = {"width": 1366, "height": 768}


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser: Browser, address: str, name: str, password: str) -> None:
        self.page: Page = browser.new_context(locale="zh-CN", viewport=SIZE).new_page()  # type: ignore[arg-type]
        self.address = address
        for given in (password, PASSWORD):
            self.open("/login")
            self.page.fill("input[name=username]", name)
            self.page.fill("input[name=password]", given)
            self.page.click("main button")
            if given == password:
                expect(self.page).to_have_url(re.compile("/password"))
                for place, value in enumerate((password, PASSWORD, PASSWORD)):
                    self.page.locator("main input[type=password]").nth(place).fill(value)
                self.page.click("main button")
                expect(self.page).to_have_url(re.compile("/login"))
        expect(self.page.locator(".who")).to_contain_text(name)

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def take_picture(self, name: str, at: str = "main") -> None:
        """A picture of the page as it stands, scrolled to a place."""
        if folder := os.environ.get("JIKAO_PICTURES"):
            self.page.wait_for_timeout(700)
            self.page.evaluate("at => document.querySelector(at).scrollIntoView({block: 'start'})", at)
            self.page.evaluate("at => at === 'main' && window.scrollTo(0, 0)", at)
            self.page.wait_for_timeout(200)
            self.page.screenshot(path=Path(folder) / f"desk-{name}.png")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The demonstration, where a publication needs a second person."""
    process = jikao("serve", JIKAO_VAR=str(tmp_path / "var"), JIKAO_APPROVALS="1")
    try:
        yield listening(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def join(browser: Browser, address: str, folder: Path, name: str, *roles: str) -> Person:
    """A new user, who has signed in."""
    asked = [each for role in roles for each in ("--role", role)]
    said, _ = jikao("user", "add", name, *asked, JIKAO_VAR=str(folder / "var")).communicate(timeout=60)
    found = re.search(r"\b(?:[a-z0-9]{5}-){3}[a-z0-9]{5}\b", said)
    assert found is not None, said
    return Person(browser, address, name, found.group())


def test_a_rule_goes_all_the_way_and_back(address: str, browser: Browser, tmp_path: Path) -> None:
    clerk = join(browser, address, tmp_path, "zhang", "office", "approver")
    page = clerk.page

    # a new joint rule; it says nothing of how much yet
    clerk.open("/desk")
    clerk.take_picture("home")
    page.locator("main a[href='/desk/rules']").first.click()
    clerk.take_picture("rules")
    page.get_by_role("link", name="＋ 连带责任").click()
    page.locator("[data-path=title]").fill("分管领导另计")
    page.locator("[data-path=joint]").select_option("supervising_leader")
    page.get_by_label("指明的规则").click()
    page.get_by_label("市局通报批评（K03）").check()
    page.keyboard.press("Control+s")
    expect(page).to_have_url(re.compile(r"/desk/rules/K41\?saved$"))

    # it does not pass the check, and what is wrong leads back to it
    clerk.open("/publish")
    finding = page.locator("ul.findings").get_by_role("listitem").filter(has_text="K41")
    expect(finding).to_be_visible()
    expect(page.get_by_role("button", name="发布为新版本")).to_be_disabled()
    clerk.open("/desk/rules?q=K41")
    page.get_by_role("link", name="K41").first.click()
    share = page.locator("[data-path=share]")
    expect(page.locator("#findings")).to_contain_text("比例")
    clerk.take_picture("editor-finding")
    share.fill("0.20")
    expect(page.locator("#sentence")).to_contain_text("来源分值的 20%")
    expect(page.locator("#found")).to_have_text("没有发现问题")
    expect(page.locator("#picture svg .box.own")).to_contain_text("20%")
    # how many real events it would have hit, the first ten of them one by one
    expect(page.locator("#hits")).to_contain_text(re.compile(r"会命中 [1-9]\d* 个"))
    expect(page.locator("#hits a")).to_have_count(10)
    page.keyboard.press("Control+s")
    expect(page.locator("#status")).to_have_text("已保存到草稿。")
    clerk.take_picture("editor")
    clerk.take_picture("editor-path", "#picture")

    # the first of them becomes a case, with what the draft comes to
    event = page.locator("#hits a").first.get_attribute("href")
    clerk.open(str(event))
    page.get_by_role("link", name="以此事件作为用例").click()
    page.locator("input[value=draft]").check()
    page.get_by_label("用例名").fill("市局通报，分管领导另计两成")
    clerk.take_picture("precedent")
    page.get_by_role("button", name="存为用例").click()
    expect(page.locator("#state")).to_have_text("通过")
    clerk.take_picture("case")
    clerk.open("/desk/cases")
    expect(page.locator("tbody tr")).to_contain_text("通过")
    clerk.take_picture("cases")
    clerk.open("/desk/rules/K41")
    expect(page.locator("section.hitting")).to_contain_text("市局通报，分管领导另计两成")
    clerk.take_picture("editor-cases", "section.hitting")

    # simulated on a month of real events
    clerk.open("/desk/simulations?version=draft")
    page.get_by_role("button", name="开始试算").click()
    expect(page.locator("#summary")).to_contain_text(re.compile(r"[1-9]\d* 个下降"), timeout=60_000)
    clerk.take_picture("simulation")

    # whoever edited it is no second person, whatever is sent
    clerk.open("/publish")
    approve = page.get_by_role("button", name="审批通过")
    expect(approve).to_be_disabled()
    approve.evaluate("button => { button.disabled = false }")
    approve.click()
    expect(page.get_by_role("alert")).to_contain_text("修改")
    expect(page.locator("#approval + .card")).to_contain_text("已有 0 人")

    leader = join(browser, address, tmp_path, "li", "approver")
    leader.open("/publish")
    expect(leader.page.locator("#changes ~ details").first).to_contain_text("K41")
    leader.take_picture("approval", "#approval")
    leader.page.get_by_role("button", name="审批通过").click()
    expect(leader.page.locator(".voices")).to_contain_text("已审批")

    # published for tomorrow: until then nothing changes
    clerk.open("/publish")
    page.get_by_label("明天零时").check()
    page.get_by_label("发布说明").fill("分管领导对市局通报负连带责任")
    clerk.take_picture("publish", "#publish")
    page.get_by_role("button", name="发布为新版本").click()
    expect(page.locator(".done").first).to_contain_text("已发布为第 2 版")
    expect(page.locator("#ruling")).to_contain_text("规则第 1 版")
    expect(page.locator("#scheduled")).to_contain_text("规则第 2 版")

    clerk.open("/desk/comparison?from=1&to=2")
    expect(page.locator("#summary")).to_contain_text("规则：新增 1 项")
    expect(page.locator("main")).to_contain_text("K41")
    clerk.take_picture("comparison")

    clerk.open("/audit/versions/1")
    page.get_by_role("link", name="以此版本为草稿").click()
    expect(page.locator("main")).to_contain_text("K41")
    clerk.take_picture("going-back")
    page.get_by_role("button", name="换成第 1 版").click()
    expect(page.locator(".done").first).to_contain_text("草稿已换成第 1 版的内容")
    clerk.open("/desk/rules?q=K41")
    expect(page.get_by_role("link", name="K41")).to_have_count(0)

    clerk.open("/desk/changes")
    expect(page.locator("tbody")).to_contain_text("zhang")
    expect(page.locator("tbody")).to_contain_text("K41")
    clerk.take_picture("changes")
    clerk.open("/desk/exchange")
    clerk.take_picture("exchange")
