"""Import and export on the page: faults come back row by row, changes are seen first, nothing is half done."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import openpyxl
import pytest

from admin import imports, uploads
from admin.changes import replace_draft
from admin.tables import ChangeLog, Upload
from engine.organisation import Place, Relation, Subject
from ledger.acts import organise
from ledger.current import get_current
from ledger.filling import read_starter
from rules.draft import draft_hash, read_draft
from rules.rulebook_sheets import write_rulebook_sheets
from rules.tree import dump_yaml, load_yaml
from rules.workbook import write_workbook
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.anyio

PAGE = "/desk/exchange"


async def send(
    client: httpx.AsyncClient, data: bytes, name: str = "规则.xlsx", what: str = "rulebook", **more: str
) -> httpx.Response:
    return await client.post(f"{PAGE}/uploads", data={"what": what, **more}, files={"file": (name, data)})


async def confirm(client: httpx.AsyncClient, page: httpx.Response, **more: str) -> httpx.Response:
    """Send the form of the preview."""
    address = re.search(r'action="(/desk/exchange/uploads/[^"]+)"', page.text)
    assert address, page.text
    fields = dict(re.findall(r'name="(draft|head|digest)" value="([^"]*)"', page.text))
    return await client.post(address[1], data={**fields, **more})


def changed(data: bytes, sheet: str, cell: str, value: str) -> bytes:
    """The workbook as a person saves it after writing into a cell."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    book[sheet][cell] = value
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def rows(page: httpx.Response) -> list[list[str]]:
    """The table of faults."""
    table = re.search(r'<table class="faults">.*?<tbody>(.*?)</tbody>', page.text, re.DOTALL)
    assert table, page.text
    return [
        [unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in re.findall("<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall("<tr>(.*?)</tr>", table[1], re.DOTALL)
    ]


async def exported(client: httpx.AsyncClient) -> bytes:
    answer = await client.get(f"{PAGE}/rulebook?which=draft&ending=xlsx")
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_draft_that_goes_out_comes_back_the_same(sign_in: SignIn) -> None:
    client, before = await sign_in("zhang", "office"), await draft_hash()
    page = await send(client, await exported(client))
    assert page.status_code == 200, page.text
    assert "与现有草稿完全相同" in page.text
    text = (await client.get(f"{PAGE}/rulebook?ending=yaml")).content
    assert "与现有草稿完全相同" in (await send(client, text, "规则.yaml")).text
    assert await draft_hash() == before


async def test_a_changed_workbook_is_shown_and_then_replaces_the_draft(sign_in: SignIn) -> None:
    client, before = await sign_in("zhang", "office"), await draft_hash()
    data = changed(await exported(client), "设置", "B3", "改过名称的规则书")
    page = await send(client, data)
    assert page.status_code == 200, page.text
    assert "改过名称的规则书" in page.text
    assert await draft_hash() == before  # looked at, not imported
    done = await confirm(client, page)
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?imported=rulebook")
    assert (await read_draft())["title"] == "改过名称的规则书"
    [logged] = await ChangeLog.select(ChangeLog.user, ChangeLog.action).where(ChangeLog.user == "zhang")
    assert logged == {"user": "zhang", "action": "replace"}
    again = await confirm(client, page)  # a second click
    assert (again.status_code, await Upload.count()) == (404, 0)
    assert "草稿已整本替换" in (await client.get(done.headers["location"])).text


async def test_what_is_wrong_comes_back_row_by_row_and_nothing_is_imported(sign_in: SignIn) -> None:
    client, before = await sign_in("zhang", "office"), await draft_hash()
    data = await exported(client)
    book = openpyxl.load_workbook(io.BytesIO(data))
    rules, fields = book["规则"], book["字段"]
    titles = [cell.value for cell in rules[1]]
    rules.cell(row=2, column=titles.index("触发条件") + 1, value="no_such_field > 1")
    rules.cell(row=3, column=titles.index("指标") + 1, value="没有的指标")
    rules.cell(row=5, column=3, value="=A1")
    rules.cell(row=4, column=titles.index("启用") + 1, value="也许")
    fields.cell(row=2, column=4, value="文字")
    fields.cell(row=1, column=9, value="多余的列")
    book["分值档"].append(["没有的规则", "1", 2])
    written = io.BytesIO()
    book.save(written)
    page = await send(client, written.getvalue())
    assert page.status_code == 422
    found = rows(page)
    assert ["规则", "4", "启用 D4", "也许", "应为“是”或“否”，写的是 也许"] in found
    assert any(row[:4] == ["字段", "2", "字段类别 D2", "文字"] and "文本" in row[4] for row in found)
    assert any(row[:2] == ["字段", "1"] and "没有“多余的列”这一列" in row[4] for row in found)
    assert any(row[0] == "分值档" and row[3] == "没有的规则" and "没有定义" in row[4] for row in found)
    table = re.search(r'href="([^"]+faults.csv)"', page.text)
    assert table
    taken = await client.get(table[1])
    assert taken.content.startswith(b"\xef\xbb\xbf")
    assert "启用,也许" in taken.text
    # what only the document as a whole tells comes at its cell, and beside the rest
    for column, row, value in (("触发条件", 2, "no_such_field > 1"), ("指标", 3, "没有的指标")):
        letter = openpyxl.utils.get_column_letter(titles.index(column) + 1)
        assert any(each[:4] == ["规则", str(row), f"{column} {letter}{row}", value] for each in found), found
    assert any(each[:3] == ["规则", "5", "名称 C5"] and "公式" in each[4] for each in found)
    assert len(found) == 8
    assert await draft_hash() == before


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"a,b\n1,2\n", "x.csv", "CSV"),
        (b"a,b\n1,2\n", "x.xlsx", "CSV"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "x.xls", "旧格式"),
        (b"rulebook: [", "x.yaml", "YAML"),
        (b"- 1\n", "x.yaml", "应为一份文档"),
        (b"", "x.xlsx", "不是 .xlsx"),
        (b"rulebook: a\neffective: 2026-01-01T00:00:00+08:00\nnothing: 1\n", "x.yml", "nothing"),
    ],
)
async def test_files_that_are_none_are_said(sign_in: SignIn, data: bytes, name: str, said: str) -> None:
    client = await sign_in("zhang", "office")
    page = await send(client, data, name)
    assert page.status_code == 422
    assert said in page.text


async def test_too_large_a_file_is_said(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    page = await send(client, bytes(12_000_000))
    assert page.status_code == 413
    assert "文件超过" in page.text


async def test_a_draft_that_was_changed_meanwhile_is_not_lost(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    page = await send(client, changed(await exported(client), "设置", "B3", "张的"))
    tree = await read_draft()
    await replace_draft({**tree, "title": "李的"}, "li")
    refused = await confirm(client, page)
    assert refused.status_code == 409
    assert "草稿已被他人修改" in refused.text
    assert (await read_draft())["title"] == "李的"
    assert (await confirm(client, refused)).status_code == 303  # seen again, against the draft as it is now
    assert (await read_draft())["title"] == "张的"


async def test_an_import_that_breaks_in_the_middle_leaves_nothing(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, before = await sign_in("zhang", "office"), await draft_hash()
    page = await send(client, changed(await exported(client), "设置", "B3", "半途"))
    whole = replace_draft

    async def broken(*given: Any, **named: Any) -> str:
        await whole(*given, **named)
        raise RuntimeError("the power failed")

    monkeypatch.setattr(imports, "replace_draft", broken)
    assert (await confirm(client, page)).status_code == 500
    assert (await draft_hash(), await Upload.count()) == (before, 1)
    monkeypatch.setattr(imports, "replace_draft", whole)
    assert (await confirm(client, page)).status_code == 303


async def test_files_of_others_and_lapsed_ones_are_gone(sign_in: SignIn) -> None:
    client, other = await sign_in("zhang", "office"), await sign_in("wang", "office")
    page = await send(client, changed(await exported(client), "设置", "B3", "x"))
    address = re.search(r'action="(/desk/exchange/uploads/[^"]+)"', page.text)
    assert address
    assert (await client.get(address[1])).status_code == 200
    assert (await other.get(address[1])).status_code == 404
    assert (await confirm(other, page)).status_code == 404
    await Upload.update({Upload.at: datetime.now(UTC) - timedelta(hours=5)}, force=True)
    assert (await confirm(client, page)).status_code == 404
    for _ in range(7):
        await uploads.keep("zhang", "rulebook", "x", b"x")
    assert await Upload.count() == 5


# --- subjects and relations ---


async def people() -> None:
    await organise(
        date(2026, 1, 1),
        [
            Subject(code="U1", name="一所", places=(Place(kind="unit", group="county"),)),
            Subject(code="D1", name="法制科", places=(Place(kind="unit", group="dept"),)),
            Subject(code="P1", name="王", places=(Place(kind="person", group="staff", unit="U1", post="科员"),)),
        ],
        [Relation(subject="U1", relation="lead_dept", answers="D1")],
        reason="",
        actor="setup",
    )


async def test_subjects_and_relations_go_out_and_come_back(sign_in: SignIn) -> None:
    await people()
    client = await sign_in("zhang", "office")
    for ending in ("xlsx", "yaml"):
        data = (await client.get(f"{PAGE}/roster/organisation?ending={ending}")).content
        page = await send(client, data, f"x.{ending}", "organisation", since="2026-02-01")
        assert page.status_code == 200, page.text
        assert "没有任何变化" in page.text
        assert "4 项与现有相同" in page.text
    table = await client.get(f"{PAGE}/roster/subjects?ending=csv")
    assert table.content.startswith(b"\xef\xbb\xbf")
    assert "U1,一所,单位,county" in table.text
    assert "U1,lead_dept,D1" in (await client.get(f"{PAGE}/roster/relations?ending=csv")).text


async def test_a_change_of_the_organisation_is_seen_first_and_is_one_act(sign_in: SignIn) -> None:
    await people()
    client = await sign_in("zhang", "office")
    text = """
subjects:
  - {code: P1, kind: person, group: staff, unit: D1, post: 科员}
  - {code: P2, name: 李, kind: person, group: staff, unit: U1}
relations:
  - {subject: U1, relation: lead_dept, answers: D1, to: 2026-06-01}
"""
    page = await send(client, text.encode(), "x.yaml", "organisation", since="2026-03-01")
    assert page.status_code == 200, page.text
    for said in ("自 2026-03-01 起，所在单位：U1 → D1", "截止由 长期 改为 2026-06-01", "P2"):
        assert said in page.text, said
    assert "P2" not in get_current().bureau.organisation.subjects
    done = await confirm(client, page, reason="轮岗")
    assert done.status_code == 303, done.text
    act = re.search("act=([0-9]+)", done.headers["location"])
    assert act
    held = get_current().bureau.organisation
    assert held.subjects["P1"].on(date(2026, 2, 28)).unit == "U1"
    assert held.subjects["P1"].on(date(2026, 3, 1)).unit == "D1"
    shown = await client.get(f"/audit/acts/{act[1]}")
    assert "轮岗" in shown.text
    assert (await confirm(client, page)).status_code == 404


async def test_rows_that_do_not_fit_the_organisation_are_named_and_none_is_kept(sign_in: SignIn) -> None:
    await people()
    client = await sign_in("zhang", "office")
    data = (await client.get(f"{PAGE}/template/organisation")).content
    book = openpyxl.load_workbook(io.BytesIO(data))
    for row in (
        ["P3", "赵", "人员", "staff", "U9", ""],
        ["P4", "钱", "人", "staff", "U1", ""],
        ["P5", "孙", "单位", "staff", "", ""],
    ):
        book["主体"].append(row)
    book["关系"].append(["U1", "lead_dept", "D9", "", "2026/3/1", ""])
    book["关系"].append(["U1", "lead_dept", "D1", "", "2026年3月1日", "2026-02-01"])
    written = io.BytesIO()
    book.save(written)
    page = await send(client, written.getvalue(), "x.xlsx", "organisation", since="2026-03-01")
    assert page.status_code == 422
    assert ["主体", "3", "类别 C3", "人"] in [row[:4] for row in rows(page)]
    assert len(rows(page)) == 6
    book["主体"]["C3"] = "person"
    written = io.BytesIO()
    book.save(written)
    page = await send(client, written.getvalue(), "x.xlsx", "organisation", since="2026-03-01")
    found = [row[:4] for row in rows(page)]
    assert ["主体", "2", "所在单位 E2", "U9"] in found
    assert ["主体", "4", "序列 D4", "staff"] in found
    assert ["关系", "3", "截止日期（不含） F3", "2026-02-01"] in found
    assert ["关系", "2", "责任方 C2", "D9"] in found
    book["主体"]["E2"], book["主体"]["C4"], book["关系"]["F3"], book["关系"]["C2"] = "U1", "人员", "", "P5"
    book["主体"]["D4"] = "county"
    written = io.BytesIO()
    book.save(written)
    page = await send(client, written.getvalue(), "x.xlsx", "organisation", since="2026-03-01")
    assert [row[:4] for row in rows(page)] == [["主体", "4", "序列 D4", "county"]]
    assert set(get_current().bureau.organisation.subjects) == {"U1", "D1", "P1"}


async def test_every_role_takes_and_only_the_office_brings(sign_in: SignIn) -> None:
    files = (PAGE, f"{PAGE}/rulebook", f"{PAGE}/roster/subjects", f"{PAGE}/events.csv", f"{PAGE}/template/rulebook")
    for role in ("approver", "auditor"):
        client = await sign_in(role, role)
        assert [(await client.get(file)).status_code for file in files] == [200] * len(files)
        assert (await send(client, b"x")).status_code == 403
        assert (await client.post(f"{PAGE}/uploads/x", data={})).status_code == 403
        assert 'type="file"' not in (await client.get(PAGE)).text
    for role in ("assessor", "subject", "integrator"):
        client = await sign_in(role, role)
        assert [(await client.get(file)).status_code for file in files] == [403] * len(files)
        assert (await send(client, b"x")).status_code == 403


async def test_what_is_not_there_is_said(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    for address in (
        "rulebook?which=9",
        "rulebook?ending=pdf",
        "roster/people",
        "roster/organisation?ending=csv",
        "template/x",
    ):
        assert (await client.get(f"{PAGE}/{address}")).status_code == 404, address
    assert (await client.get(f"{PAGE}/rulebook?which=abc")).status_code == 404
    assert (await client.get(f"{PAGE}/roster/subjects?day=yesterday")).status_code == 422
    assert (await send(client, b"x", what="everything")).status_code == 422
    assert (await send(client, b"x", "x.yaml", "organisation", since="soon")).status_code == 422
    english = await client.get(PAGE, headers={"accept-language": "en"})
    assert "Import and export" in english.text


def test_the_starter_is_a_workbook_that_reads() -> None:
    raw, _ = read_starter()
    assert isinstance(raw, dict)
    assert load_yaml(dump_yaml(raw))[0].raw == raw
    assert len(write_workbook(write_rulebook_sheets(raw, "zh-CN"))) < 200_000
