"""An officer tries the draft in a real browser: one simulation is cancelled, one is gone through.

The first is held up by a lock on a table that a simulation reads after it has scored.
"""

import json
from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from admin.changes import replace_draft
from admin.users import make_user, set_password
from rules.tree import load_yaml
from tests.browser.browsing import PASSWORD, log_in, run
from tests.holding import held
from tests.processes import Server
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.browser

HELD = "present_sheet"
"""What a simulation reads after it has scored."""


async def prepare() -> None:
    """The small office, an officer, and a draft that deducts three times as much for a fault."""
    await make_user("zhang", PASSWORD, ["office"])
    await set_password("zhang", PASSWORD, must_change=False)
    await fill()
    await draft("-1.50")


async def draft(points: str) -> None:
    rules = [{**rule, "points": points} if rule["rule"] == "R1" else rule for rule in RULEBOOK["rules"]]
    await replace_draft(load_yaml(json.dumps({**RULEBOOK, "rules": rules}))[0].raw, "somebody")


def test_one_is_cancelled_and_one_is_gone_through(server: Server, page: Page) -> None:
    run(prepare)
    page.set_viewport_size({"width": 1366, "height": 768})
    log_in(page, server.url, "zhang")

    with held(server.database, HELD):
        page.goto(f"{server.url}/desk/simulations?version=draft&period=2026-01")
        page.get_by_role("button", name="开始试算").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("按草稿试算")
        expect(page.locator("#stage")).to_contain_text("重新入账 0 / 3", timeout=15_000)
        address = page.url
        page.reload()
        expect(page.get_by_text("试算进行中")).to_be_visible()
        page.goto(f"{server.url}/desk/simulations")
        expect(page.get_by_role("row").filter(has_text="zhang")).to_contain_text("%")
        page.goto(address)
        page.get_by_role("button", name="取消试算").click()
        expect(page.get_by_text("试算已取消。")).to_be_visible(timeout=15_000)

        page.get_by_role("link", name="再试一次").click()
        expect(page.locator("select[name=period]")).to_have_value("2026-01")
        page.get_by_role("button", name="开始试算").click()
        expect(page.locator("#stage")).to_contain_text("重新入账 0 / 3", timeout=15_000)
    # The page comes to the result by itself.
    expect(page.locator("#summary")).to_contain_text("0 个对象得分上升，2 个下降", timeout=15_000)
    subjects = page.locator("#subjects ~ .wide").first
    expect(subjects.locator("tbody tr")).to_have_count(2)
    expect(subjects.locator("tbody tr").first).to_contain_text("−6.00")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载工作簿").click()
    book = load_workbook(BytesIO(download.value.path().read_bytes()))
    assert book.sheetnames == ["摘要", "得分与名次", "各规则合计", "明细变化"]
    rows = list(book["得分与名次"].iter_rows(values_only=True))
    assert rows[0][:6] == ("考评对象", "名称", "序列", "按现行规则", "按试算规则", "差额")
    assert rows[1][:6] == ("B1", "城关分局", "branch", 96.6, 90.6, -6)
    (entry,) = list(book["明细变化"].iter_rows(min_row=2, values_only=True))
    assert tuple(entry[at] for at in (0, 2, 4, 7, 9, 10)) == ("变动", "B1", "R1", "E3", -1, -3)
    page.select_option("select[name=show]", "all")
    page.get_by_label("名称、代码或序列").fill("河西")
    page.get_by_role("button", name="查询").click()
    expect(subjects.locator("tbody tr")).to_have_count(1)
    page.goto(f"{page.url.partition('?')[0]}?rule=R1#entries")
    expect(page.locator("#entries ~ .wide").first).to_contain_text("E3")

    run(draft, "-2.50")
    page.reload()
    expect(page.locator("#stale")).to_contain_text("又有修改")
    page.get_by_role("button", name="删除这次试算").click()
    expect(page.locator("tbody tr")).to_have_count(1)
