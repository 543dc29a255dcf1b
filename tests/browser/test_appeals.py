"""An appeal in a real browser: lodged with a file, answered, previewed and upheld, and shown both ways."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from admin.users import make_user, set_password
from engine.report import parse_report
from ledger.listing import EntryFilter, list_entries
from tests.browser.browsing import PASSWORD, log_in, run
from tests.county import found, report
from tests.processes import Server

pytestmark = pytest.mark.browser

PEOPLE = {
    "zhao": (["office"], ""),
    "qian": (["office", "approver"], ""),
    "sun": (["approver"], ""),
    "li": (["subject"], "D1"),
}


async def prepare() -> int:
    """The county with one notice, and people; the number of the lead department's joint entry."""
    for name, (roles, subject) in PEOPLE.items():
        await make_user(name, PASSWORD, roles, subject)
        await set_password(name, PASSWORD, must_change=False)
    recorder = await found()
    await recorder.record(parse_report(report("E1")))
    entries, _ = await list_entries(EntryFilter(subject="D1"))
    return entries[0].id


def sign_in(server: Server, browser: Browser, name: str, locale: str = "zh-CN") -> Page:
    """A browser of their own."""
    page = browser.new_context(locale=locale, viewport={"width": 1366, "height": 768}).new_page()
    log_in(page, server.url, name)
    return page


def lodge(page: Page, server: Server, entry: int) -> str:
    """Appeal the entry; the address of the case."""
    page.goto(f"{server.url}/audit/entries/{entry}")
    page.get_by_role("link", name="申诉", exact=True).click()
    page.get_by_label("申诉理由").fill("该项目我科不是牵头部门。")
    page.get_by_role("button", name="提交申诉").click()
    expect(page.get_by_role("status")).to_have_text("申诉已提出。")
    return page.url.partition("?")[0]


def test_a_subject_appeals_the_office_answers_a_reviewer_leaves_the_party_out(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    entry = run(prepare)
    evidence = tmp_path / "说明.pdf"
    evidence.write_bytes(b"%PDF-1.7\n")

    subject = sign_in(server, browser, "li")
    subject.goto(f"{server.url}/audit/entries/{entry}")
    subject.get_by_role("link", name="申诉", exact=True).click()
    subject.get_by_label("申诉理由").fill("该项目我科不是牵头部门。")
    subject.get_by_label("附件").set_input_files(evidence)
    subject.get_by_role("button", name="提交申诉").click()
    expect(subject.get_by_role("status")).to_have_text("申诉已提出。")
    case = subject.url.partition("?")[0]
    with subject.expect_download() as saved:
        subject.get_by_role("link", name="说明.pdf").click()
    assert saved.value.suggested_filename == "说明.pdf"
    subject.goto(f"{server.url}/audit/entries/{entry}")
    expect(subject.get_by_role("link", name="申诉", exact=True)).to_have_count(0)  # one is open
    expect(subject.get_by_role("link", name=re.compile("第 .* 号申诉"))).to_be_visible()

    office = sign_in(server, browser, "qian")
    office.goto(f"{server.url}/appeals")
    office.get_by_role("row").filter(has_text="征管科").get_by_role("link").first.click()
    office.get_by_label("答复意见").fill("请领导小组核定。")
    office.get_by_role("button", name="提交答复").click()
    expect(office.get_by_role("status")).to_have_text("答复已提交。")
    expect(office.locator("main")).to_contain_text("这件申诉是您答复的，不能再由您复核")
    expect(office.get_by_role("link", name="复核", exact=True)).to_have_count(0)

    reviewer = sign_in(server, browser, "sun")
    reviewer.goto(case)
    reviewer.get_by_role("link", name="复核", exact=True).click()
    reviewer.get_by_label("部分成立").check()
    reviewer.get_by_label("复核意见").fill("经查，征管科不是牵头部门，排除连带。")
    reviewer.get_by_label("排除连带").check()
    expect(reviewer.get_by_label("征管科")).to_be_checked()
    expect(reviewer.get_by_label("时间")).not_to_be_visible()
    reviewer.get_by_role("button", name="预览结果").click()
    preview = reviewer.locator("#preview")
    expect(preview).to_contain_text("尚未生效")
    expect(preview.get_by_role("row").filter(has_text="征管科").first).to_contain_text("+0.15")
    expect(preview).to_contain_text("99.85")
    subject.goto(case)
    expect(subject.locator("main")).to_contain_text("还没有复核")  # a preview keeps nothing

    reviewer.get_by_label("复核意见").fill("另写一份意见")
    reviewer.get_by_role("button", name="确认决定").click()
    expect(preview).to_contain_text("尚未生效")  # what was not previewed is not confirmed
    reviewer.get_by_role("button", name="确认决定").click()
    expect(reviewer.get_by_role("status")).to_have_text("复核决定已生效。")
    expect(reviewer.locator("main")).to_contain_text("另写一份意见")

    reversal = reviewer.locator("table").get_by_role("row").filter(has_text="+0.15").get_by_role("link")
    number = reversal.inner_text()
    subject.goto(f"{server.url}/audit/entries/{number}")
    subject.get_by_role("note").get_by_role("link").click()
    expect(subject).to_have_url(case)
    expect(subject.get_by_role("link", name=number, exact=True)).to_be_visible()
    expect(subject.locator("main")).to_contain_text("E1-R")


def test_the_office_lodges_for_a_subject_and_a_text_is_removed(server: Server, browser: Browser) -> None:
    entry = run(prepare)
    clerk = sign_in(server, browser, "zhao")
    case = lodge(clerk, server, entry)
    expect(clerk.locator("main")).to_contain_text("由 zhao 代为提出")
    expect(clerk.get_by_label("答复意见")).to_have_count(0)
    clerk.get_by_text("依规清除").click()
    clerk.get_by_label("清除的理由").fill("含个人隐私")
    clerk.get_by_role("button", name="确认清除").click()
    expect(clerk.locator("main")).to_contain_text("已依规清除（第")
    clerk.get_by_role("button", name="撤回申诉").click()
    expect(clerk.locator(".tag.big")).to_have_text("已撤回")

    english = sign_in(server, browser, "sun", "en")
    english.goto(case)
    expect(english.locator(".tag.big")).to_have_text("withdrawn")
    expect(english.locator("main")).to_contain_text("removed by rule (no.")


def test_a_refused_form_keeps_what_was_written(server: Server, browser: Browser, tmp_path: Path) -> None:
    entry = run(prepare)
    wrong = tmp_path / "说明.pdf"
    wrong.write_bytes(b"MZ\x90\0\x03")
    subject = sign_in(server, browser, "li")
    subject.goto(f"{server.url}/audit/entries/{entry}/appeal")
    subject.get_by_label("申诉理由").fill("不服")
    subject.get_by_label("附件").set_input_files(wrong)
    subject.get_by_role("button", name="提交申诉").click()
    expect(subject.get_by_role("alert")).to_contain_text("不是 PDF、图片、办公文档或文本")
    expect(subject.get_by_label("申诉理由")).to_have_value("不服")
