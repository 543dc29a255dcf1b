"""The panel in a real browser: what an officer sees, and what must never be saved by accident."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin import changes
from admin.changes import replace_draft
from admin.office import Office
from admin.panel import make_panel
from admin.registers import registers
from admin.sources import sources
from admin.users import make_user, set_password
from ledger.filling import read_starter
from rules.tables import DraftRule, DraftRuleLimit
from tests.browser.browsing import PASSWORD, run
from tests.processes import Server
from tests.small_office import fill

pytestmark = pytest.mark.browser


async def prepare() -> int:
    """An officer, the starter as the draft; the row of its rule K03."""
    await make_user("zhang", PASSWORD, ["office"])
    await set_password("zhang", PASSWORD, must_change=False)
    await replace_draft(read_starter()[0], "somebody")
    row = await DraftRule.select(DraftRule.id).where(DraftRule.code == "K03").first()
    assert row is not None
    return int(row["id"])


async def condition(row: int) -> str:
    found = await DraftRule.select(DraftRule.condition).where(DraftRule.id == row).first()
    assert found is not None
    return str(found["condition"])


@pytest.fixture
def row(server: Server, page: Page) -> int:
    """The row of K03, with the officer signed in."""
    number = int(run(prepare))
    page.goto(f"{server.url}/admin/")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.fill("input[name=username]", "zhang")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    expect(page.locator(".sidebar")).to_be_visible()
    return number


def test_everything_reads_chinese(server: Server, page: Page, row: int) -> None:
    sidebar = page.locator(".sidebar")
    for name in ("基本设置", "事件类型", "封顶", "分值档", "连带来源", "规则版本", "变更记录", "发布规则"):
        expect(sidebar.get_by_text(name, exact=True)).to_be_visible()
    page.locator('.sidebar a[href="#/draft_rule/"]').click()
    expect(page.locator(".title h1")).to_have_text("规则")
    for name in ("代码", "规则类别", "触发条件"):
        expect(page.locator("thead").get_by_text(name, exact=True)).to_be_visible()
    expect(page.locator("tbody").get_by_text("事件规则（加分、扣分）", exact=True).first).to_be_visible()
    assert "raft" not in page.locator("#app").first.inner_text()


def test_a_wrong_condition_shows_its_column_in_the_red_box(server: Server, page: Page, row: int) -> None:
    page.goto(f"{server.url}/admin/#/draft_rule/{row}/")
    field = page.locator("textarea[name=condition]:not(#editor)")
    expect(field).to_have_value('level == "city"')
    field.fill('level = "city"')
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#app").first).to_contain_text(re.compile("触发条件 第 7 列："))
    expect(page.locator("#app").first).to_contain_text("没有保存")
    assert run(condition, row) == 'level == "city"'
    field.fill('level == "city" and subject_kind == "unit"')
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#app").first).to_contain_text("已保存")
    assert run(condition, row) == 'level == "city" and subject_kind == "unit"'


def test_a_row_that_is_opened_again_is_never_blank(server: Server, page: Page, row: int) -> None:
    for _ in range(2):
        page.evaluate(f"window.location.hash = '#/draft_rule/{row}/'")
        expect(page.locator("input[name=code]")).to_have_value("K03")
        expect(page.locator("textarea[name=condition]:not(#editor)")).to_have_value('level == "city"')
        page.evaluate("window.location.hash = '#/'")
        expect(page.locator("input[name=code]")).to_have_count(0)


def test_what_can_only_be_looked_at_offers_nothing_else(server: Server, page: Page, row: int) -> None:
    page.locator('.sidebar a[href="#/change_log/"]').click()
    expect(page.locator(".title h1")).to_have_text("变更记录")
    expect(page.locator("tbody").get_by_text("somebody")).to_be_visible()
    expect(page.get_by_text("添加行")).to_be_hidden()
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", page.locator(".table_wrapper tbody").inner_text())


def test_the_language_is_one_for_the_pages_and_the_panel(server: Server, page: Page, row: int) -> None:
    page.goto(f"{server.url}/publish")
    page.get_by_text("English", exact=True).click()
    expect(page.locator("h1")).to_have_text("Publish the rules")
    page.goto(f"{server.url}/admin/#/draft_rule")
    expect(page.locator(".title h1")).to_have_text("Rules")
    expect(page.locator("thead").get_by_text("Condition", exact=True)).to_be_visible()


async def tell_of_everything(rule: int) -> list[tuple[str, str]]:
    """Rows in every table that has none yet; of every table with rows its name and its first row's key."""
    await make_user("li", PASSWORD, ["approver"])
    await changes.record("zhang", "change", DraftRule, rule, {"points": "-0.50"}, {"points": "-0.60"})
    await fill()
    found = []
    for config in make_panel(Office(secret="s" * 40), [registers(), sources()]).table_configs:
        table = config.table_class
        first = await table.select(table._meta.primary_key).first()
        if first is not None:
            found.append((str(table._meta.tablename), str(next(iter(first.values())))))
    return found


async def held(rule: int) -> dict[str, Any]:
    found = await DraftRule.select().where(DraftRule.id == rule).first()
    assert found is not None
    return dict(found)


async def limit_in_use() -> int:
    found = await DraftRuleLimit.select(DraftRuleLimit.limit).first()
    assert found is not None
    return int(found["limit"])


def test_the_traps_of_the_panel(server: Server, page: Page, row: int) -> None:
    """One walk: rows opened again by links that only change the hash, lists, what a refusal shows, a table saved."""
    app, before = page.locator("#app").first, run(held, row)

    # A row opened again without a reload is saved as it stands, never with blanks.
    for _ in range(2):
        page.evaluate(f"window.location.hash = '#/draft_rule/{row}/'")
        expect(page.locator("input[name=code]")).to_have_value("K03")
        page.evaluate("window.location.hash = '#/draft_rule/'")
        expect(page.locator(".table_wrapper tbody tr").first).to_be_visible()
    page.evaluate(f"window.location.hash = '#/draft_rule/{row}/'")
    expect(page.locator("input[name=code]")).to_have_value("K03")
    page.locator("input[name=points]").fill("-0.80")
    page.get_by_role("button", name="保存").click()
    expect(app).to_contain_text("已保存")
    after = run(held, row)
    assert {name for name in before if before[name] != after[name]} == {"points"}

    # A blank key is refused, and the red box says which column.
    page.locator("input[name=code]").fill("")
    page.get_by_role("button", name="保存").click()
    expect(app).to_contain_text(re.compile("代码 "))
    assert run(held, row)["code"] == "K03"

    # A refusal of a row as a whole is shown in its own words.
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{server.url}/admin/#/draft_limit/{run(limit_in_use)}/")
    page.wait_for_timeout(1_000)
    expect(page.locator("input[name=code]")).not_to_have_value("")
    page.locator("[data-uitest=drop_down_button]").click()
    page.get_by_text("删除", exact=True).first.click()
    expect(app).to_contain_text("引用，不能删除")

    # No list is blank, whatever its key and whatever is joined.
    filled = run(tell_of_everything, row)
    assert {"entry", "event", "draft_step", "change_log", "subject_place"} <= {name for name, _ in filled}
    for name, _ in filled:
        if name in ("app_user", "user_role"):
            continue
        page.evaluate(f"window.location.hash = '#/{name}/'")
        cells = page.locator(f"html[data-table={name}] .table_wrapper tbody tr").first
        expect(cells, name).to_contain_text(re.compile(r"\S"))
    page.evaluate("window.location.hash = '#/app_user/'")
    expect(page.locator("tbody").get_by_text("li", exact=True)).to_have_count(0)

    # Spreadsheets read the Chinese of a table that is saved.
    page.evaluate("window.location.hash = '#/draft_rule/'")
    expect(page.locator(".table_wrapper tbody tr").first).to_be_visible()
    page.get_by_text("导出 CSV").first.click()
    with page.expect_download() as download:
        page.locator("[data-uitest=csv_modal] button").click()
    saved = download.value.path().read_bytes()
    assert saved.startswith(b"\xef\xbb\xbf")
    assert "市局" in saved.decode()
