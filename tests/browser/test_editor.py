"""The rule editor in a real browser: a joint rule by keyboard and mouse, form and text, two people on one rule."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from admin.changes import replace_draft
from admin.users import make_user, set_password
from ledger.filling import read_starter
from rules.draft import snapshot
from rules.row_values import Document
from rules.rule_scope import read_one, read_scope_now
from rules.tables import DraftRule
from tests.browser.browsing import PASSWORD, log_in, run
from tests.processes import Server

pytestmark = pytest.mark.browser


async def prepare() -> None:
    for name, role in (("zhang", "office"), ("li", "office"), ("wang", "approver")):
        await make_user(name, PASSWORD, [role])
        await set_password(name, PASSWORD, must_change=False)
    await replace_draft(read_starter()[0], "somebody")


async def rule(code: str) -> Document | None:
    async with snapshot():
        return await read_one(code, await read_scope_now())


async def row_of(code: str) -> int:
    row = await DraftRule.select(DraftRule.id).where(DraftRule.code == code).first()
    assert row is not None
    return int(row["id"])


@pytest.fixture
def office(server: Server, page: Page) -> Page:
    """An officer with the starter as the draft."""
    run(prepare)
    page.set_viewport_size({"width": 1366, "height": 768})
    log_in(page, server.url, "zhang")
    return page


@pytest.fixture
def other(server: Server, office: Page, browser: Browser) -> Iterator[Page]:
    """Another officer in a browser of her own."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
    page = context.new_page()
    log_in(page, server.url, "li")
    yield page
    context.close()


def test_a_joint_rule_is_written_mended_and_saved(server: Server, office: Page) -> None:
    page = office
    page.goto(f"{server.url}/desk/rules")
    page.get_by_role("link", name="＋ 连带责任").click()
    expect(page.locator("#found")).to_have_text("还没有填完")
    expect(page.locator("[data-path=rule]")).to_have_value("K41")
    # By keyboard from here: the title has the focus.
    expect(page.locator("[data-path=title]")).to_be_focused()
    page.keyboard.type("分管领导另计")
    page.locator("[data-path=joint]").focus()
    for _ in range(7):
        page.keyboard.press("ArrowDown")
    expect(page.locator("[data-path=joint]")).to_have_value("supervising_leader")
    page.get_by_label("指明的规则").click()
    page.get_by_label("按代码或名称筛选").fill("通报批评")
    page.get_by_label("省局通报批评（K02）").check()
    page.get_by_label("市局通报批评（K03）").check()
    expect(page.get_by_text("公文差错（K18）")).to_be_hidden()
    share = page.locator("[data-path=share]")
    share.fill("三成")
    expect(page.locator("#findings")).to_contain_text("比例")
    expect(page.locator(".field:has([data-path=share]) .finding")).to_contain_text("三成")
    expect(share).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#sentence")).to_contain_text("写完整后")
    # Saved all the same is refused, and the focus goes to the finding.
    page.keyboard.press("Control+s")
    expect(page.locator("#status")).to_contain_text("没有保存")
    expect(share).to_be_focused()
    share.fill("0.25")
    for key in ("ArrowUp", "ArrowDown", "ArrowDown"):
        share.press(key)
    expect(share).to_have_value("0.20")
    expect(page.locator("#sentence")).to_contain_text("K02 省局通报批评、K03 市局通报批评")
    expect(page.locator("#sentence")).to_contain_text("来源分值的 20%")
    expect(page.locator("#picture svg .box.own")).to_contain_text("源分值的 20%")
    expect(page.locator("#found")).to_have_text("没有发现问题")
    # A condition on the fields of both event types that the sources are on.
    page.locator("[data-path='when:add']").click()
    expect(page.locator("[data-path='when/0']")).to_be_focused()
    page.locator("[data-path='when/0']").select_option("disclosure")
    page.locator("[data-path='when/0:op']").select_option("in")
    page.get_by_label("隐瞒不报").check()
    expect(page.locator("#sentence")).to_contain_text("隐瞒不报")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/desk/rules/K41\?saved$"))
    expect(page.locator("#status")).to_have_text("已保存到草稿。")
    expect(page.locator("#hits")).to_contain_text("会命中 0 个")
    expect(page.locator(".cases")).to_contain_text("用例")
    assert run(rule, "K41") == {
        "rule": "K41",
        "title": "分管领导另计",
        "joint": "supervising_leader",
        "of": ["K02", "K03"],
        "when": 'disclosure in ["concealed"]',
        "share": Decimal("0.20"),
    }


def test_form_and_text_turn_into_each_other(server: Server, office: Page) -> None:
    page = office
    page.goto(f"{server.url}/desk/rules/K15")
    page.locator("[data-path='points.progressive[1]']").fill("9")
    page.get_by_role("tab", name="文本").click()
    area = page.locator("#text")
    expect(area).to_have_value(re.compile(r"progressive: \[\[3, -0\.10\], \[9, -0\.20\], \[null, -0\.30\]\]"))
    area.fill(area.input_value().replace("when: late > 0", "when: late > 0 and"))
    page.get_by_role("tab", name="表单").click()
    expect(page.locator("[data-path=when]")).to_contain_text("手写条件")
    expect(page.locator("#findings")).to_contain_text("第 13 列")
    page.get_by_role("tab", name="文本").click()
    area.fill("rule: K15\non: supervision_task\npoints: {field: late, share: [}\n")
    page.get_by_role("tab", name="表单").click()
    expect(page.locator("#status")).to_contain_text("还不能换成表单")
    expect(page.locator("#findings")).to_contain_text("第 3 行")
    expect(area).to_be_focused()
    area.fill(
        "rule: K15\non: supervision_task\nwhen: late > 0 and not (feedback or 1 == 1)\n"
        "points: {field: late, share: -0.1}\n"
    )
    page.get_by_role("tab", name="表单").click()
    expect(page.locator("[data-path='points.share']")).to_have_value("-0.1")
    expect(page.locator("[data-path='when/1/1']")).to_have_value("1 == 1")
    page.get_by_role("tab", name="文本").focus()
    page.keyboard.press("ArrowRight")
    expect(area).to_have_value(re.compile(r"when: late > 0 and not \(feedback or 1 == 1\)"))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("link", name="规则", exact=True).click()
    expect(page.locator("#status")).to_contain_text("有未保存的修改")
    page.keyboard.press("Control+s")
    expect(page.locator("#status")).to_have_text("已保存到草稿。")
    page.get_by_role("link", name="规则", exact=True).click()
    expect(page.locator("h1")).to_contain_text("草稿中共 26 条")


def test_two_browsers_on_one_rule_lose_nothing(server: Server, office: Page, other: Page) -> None:
    for page in (office, other):
        page.goto(f"{server.url}/desk/rules/K05")
    other.locator("[data-path=share]").fill("0.40")
    other.get_by_role("button", name="保存").click()
    expect(other.locator("#status")).to_have_text("已保存到草稿。")
    office.locator("[data-path=title]").fill("牵头连带")
    office.get_by_role("button", name="保存").click()
    conflict = office.locator("#conflict")
    expect(conflict.locator("h2")).to_be_focused()
    expect(conflict.locator("tr", has_text="比例")).to_contain_text("0.40")
    expect(conflict).to_contain_text("li 于")
    office.get_by_role("button", name="用我的覆盖").click()
    expect(office.locator("#status")).to_have_text("已保存到草稿。")
    other.locator("[data-path=note]").fill("另有说明")
    other.keyboard.press("Control+s")
    expect(other.locator("#conflict tr", has_text="名称")).to_contain_text("牵头连带")
    other.get_by_role("button", name="采用对方的").click()
    expect(other.locator("[data-path=title]")).to_have_value("牵头连带")
    expect(other.locator("[data-path=share]")).to_have_value("0.30")
    expect(other.locator("#conflict")).to_be_empty()
    other.locator("[data-path=note]").fill("另有说明")
    other.keyboard.press("Control+s")
    expect(other.locator("#status")).to_have_text("已保存到草稿。")
    saved = run(rule, "K05")
    assert (saved["title"], saved["note"]) == ("牵头连带", "另有说明")


def test_a_rule_of_the_panel_leads_to_its_editor_and_is_deleted_there(server: Server, office: Page) -> None:
    page = office
    page.goto(f"{server.url}/admin/#/draft_rule/{run(row_of, 'K03')}/")
    page.get_by_text("在规则编辑页中打开 →").click()
    expect(page.locator("h1")).to_contain_text("K03 市局通报批评")
    page.get_by_role("button", name="删除", exact=True).first.click()
    expect(page.locator("dialog")).to_contain_text("K05 K06 K07 K08")
    expect(page.locator("#delete-yes")).to_have_count(0)
    page.get_by_role("button", name="不删除").click()
    page.goto(f"{server.url}/admin/")
    page.locator(".sidebar").get_by_text("规则编辑", exact=True).click()
    page.get_by_label("查找").fill("K40")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="K40 一票否决").click()
    page.locator("#delete").click()
    page.locator("#delete-yes").click()
    expect(page.locator("h1")).to_contain_text("草稿中共 25 条")
    # Who only reads sees the same page and can change nothing.
    page.get_by_role("button", name="退出登录").click()
    log_in(page, server.url, "wang")
    page.goto(f"{server.url}/desk/rules/K05")
    expect(page.locator("#picture svg .box.own")).to_contain_text("源分值的 30%")
    expect(page.locator("#form input:enabled, #form select:enabled, #form button:enabled")).to_have_count(0)
    expect(page.locator("#save")).to_be_hidden()
    page.get_by_role("tab", name="文本").click()
    expect(page.locator("#text")).to_have_value(re.compile("joint: lead_dept"))
    expect(page.locator("#text")).to_have_js_property("readOnly", True)
    assert page.locator("#status").inner_text() == "您可以查看，不能修改。"
