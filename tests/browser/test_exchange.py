"""A workbook in a real browser: a broken one comes back with its rows, the mended one is seen and confirmed."""

import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, expect

from admin.users import make_user, set_password
from rules.draft import read_draft
from tests.browser.browsing import PASSWORD, run
from tests.browser.test_appeals import sign_in
from tests.county import found
from tests.processes import Server

pytestmark = pytest.mark.browser


async def prepare() -> None:
    await make_user("zhao", PASSWORD, ["office"], "")
    await set_password("zhao", PASSWORD, must_change=False)
    await found()


def test_a_broken_workbook_is_mended_and_imported(server: Server, browser: Browser, tmp_path: Path) -> None:
    run(prepare)
    page = sign_in(server, browser, "zhao")
    page.goto(f"{server.url}/desk/exchange")
    rulebook = page.locator("section#rulebook")
    with page.expect_download() as saved:
        rulebook.get_by_role("link", name="下载空白工作簿").click()
    file = tmp_path / "规则.xlsx"
    saved.value.save_as(file)
    book = openpyxl.load_workbook(file)
    settings = {row[0].value: row[1] for row in book["设置"].iter_rows(min_row=2)}
    settings["规则书代码"].value, settings["规则书名称"].value = "hand", "手工填写的规则书"
    book["事件类型"].append(["notice", "通报"])
    book["字段"].append(["notice", "level", "级别", "单选", "是"])
    book["选项"].append(["notice", "level", "city", "市局"])
    titles = [cell.value for cell in book["规则"][1]]
    row = {"代码": "K1", "名称": "通报批评", "事件类型": "notice", "触发条件": 'level == "省局"', "分值": "一分"}
    book["规则"].append([row.get(str(title)) for title in titles])
    book.save(file)

    rulebook.get_by_label("文件").set_input_files(file)
    rulebook.get_by_role("button", name="检查并预览").click()
    expect(page.get_by_role("alert")).to_contain_text("没有导入")
    faults = page.locator("table.faults tbody tr")
    expect(faults).to_have_count(2)
    expect(faults.filter(has_text="一分")).to_contain_text("分值")
    expect(faults.filter(has_text="省局")).to_contain_text("触发条件")
    with page.expect_download() as table:
        page.get_by_role("link", name=re.compile("下载差错表")).click()
    assert Path(table.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")

    book["规则"].cell(row=2, column=titles.index("触发条件") + 1).value = 'level == "city"'
    book["规则"].cell(row=2, column=titles.index("分值") + 1).value = -1
    book.save(file)
    page.get_by_role("link", name="重新上传").click()
    rulebook.get_by_label("文件").set_input_files(file)
    rulebook.get_by_role("button", name="检查并预览").click()
    expect(page.get_by_text("文件检查无误")).to_be_visible()
    expect(page.locator("#rules-K1")).to_contain_text("通报批评")
    page.get_by_role("button", name="确认导入，替换草稿").click()
    expect(page.get_by_role("status")).to_contain_text("草稿已整本替换")
    draft = run(read_draft)
    assert (draft["rulebook"], draft["title"]) == ("hand", "手工填写的规则书")
    page.goto(f"{server.url}/publish")
    expect(page.locator("main")).to_contain_text("K1")
