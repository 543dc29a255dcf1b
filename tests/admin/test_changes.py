"""Who changed what, comparisons and going back on pages; and two people on one row."""

import csv
import io
import json
import re
from typing import Any

import httpx
import pytest

from admin.changes import replace_draft
from admin.tables import ChangeLog
from rules.draft import draft_hash, read_draft
from rules.sides import read_side
from rules.tables import DraftRule, DraftStep, Version
from tests.admin.conftest import SignIn
from tests.admin.test_panel import TABLES, change, rule
from tests.admin.test_publication import approve, publishing

pytestmark = pytest.mark.anyio


def plain(answer: httpx.Response) -> str:
    """The page's text without its tags."""
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]))


async def edits(sign_in: SignIn) -> httpx.AsyncClient:
    """Somebody changes a rule, makes one with a row of its schedule, and deletes it again."""
    client = await sign_in("zhang", "office")
    await change(client, "K03", points="-0.80", enabled=False)
    values = {"code": "X1", "title": "新规则", "event_type": (await rule("K03"))["event_type"], "points_kind": "table",
              "points_field": "level"}  # fmt: skip
    made = (await client.post(f"{TABLES}/draft_rule/", json=values)).json()[0]["id"]
    step = {"rule": made, "points": "-1.50", "key": "city"}
    assert (await client.post(f"{TABLES}/draft_step/", json=step)).status_code == 201
    assert (await client.delete(f"{TABLES}/draft_rule/{made}/")).status_code < 300
    return client


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh-CN", ("修改 规则 K03 市局通报批评", "分值 -0.50 → -0.80", "启用 是 → 否", "新增 规则 X1 新规则",
                   "事件类型 criticism_notice 通报批评", "分值方式 按取值查表", "新增 分值档 X1 city",
                   "删除 分值档 X1 city", "删除 规则 X1 新规则", "整份草稿")),
        ("en", ("changed Rules K03", "Points -0.50 → -0.80", "Enabled yes → no", "made Rules X1", "the whole draft")),
    ],
)  # fmt: skip
async def test_changes_are_told_in_words(sign_in: SignIn, language: str, told: tuple[str, ...]) -> None:
    await edits(sign_in)
    reader = await sign_in("wang", "auditor", language=language)
    page = plain(await reader.get("/desk/changes"))
    for said in told:
        assert said in page, (said, page)
    assert not re.search(r'[{}]|": ', page)


async def test_changes_are_filtered_and_paged(sign_in: SignIn) -> None:
    client = await edits(sign_in)
    for at in range(60):
        await change(client, "K01", note=f"第 {at} 次")
    for query, said, left_out in (
        ("row=X1", "删除 分值档 X1 city", "K03"),
        ("row=K03", "分值 -0.50", "X1"),
        (f"table=draft_rule&row={(await rule('K03'))['id']}", "分值 -0.50", "X1"),
        ("user=somebody", "整份草稿", "K03"),
        ("table=draft_step", "X1 city", "K03"),
    ):
        page = plain(await client.get(f"/desk/changes?{query}")).split("改前 → 改后")[1]
        assert said in page, (query, page)
        assert left_out not in page, (query, page)
    assert "没有符合条件的变更" in plain(await client.get("/desk/changes?last=2020-01-01"))
    assert "日期应如" in plain(await client.get("/desk/changes?first=soon"))
    first = await client.get("/desk/changes?row=K01")
    older = re.search(r'href="(/desk/changes\?[^"]*before=\d+)"', first.text)
    assert older is not None
    seen = re.findall(r"第 (\d+) 次</ins>", first.text + (await client.get(older[1].replace("&amp;", "&"))).text)
    assert [int(each) for each in seen] == list(range(59, -1, -1))


async def test_changes_go_out_as_a_table_that_spreadsheets_read(sign_in: SignIn) -> None:
    client = await edits(sign_in)
    await change(client, "K03", note="=1+1")
    answer = await client.get("/desk/changes.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert next(row for row in rows if row["项目"] == "备注")["改后"] == "'=1+1"
    (points,) = [row for row in rows if row["代码"] == "K03" and row["项目"] == "分值"]
    assert (points["改前"], points["改后"], points["改动人"]) == ("'-0.50", "'-0.80", "zhang")


@pytest.mark.parametrize("path", ["", ".csv", "/1", "/1/before.yaml"])
async def test_who_reads_changes(sign_in: SignIn, path: str) -> None:
    for role, allowed in (("approver", True), ("auditor", True), ("assessor", False), ("subject", False)):
        client = await sign_in(role, role)
        assert (await client.get(f"/desk/changes{path}")).status_code in ((200, 404) if allowed else (403,)), role


async def test_the_database_itself_refuses_to_change_what_was_written(sign_in: SignIn) -> None:
    await edits(sign_in)
    held = await ChangeLog.count()
    for statement in ("UPDATE change_log SET after = ''", "DELETE FROM change_log", "TRUNCATE change_log"):
        with pytest.raises(Exception, match=r"written once|permission denied"):
            await ChangeLog.raw(statement)
    assert await ChangeLog.count() == held


async def test_a_draft_that_was_replaced_is_kept_and_told_in_sentences(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    tree: Any = await read_draft()
    rules: Any = [dict(each) for each in tree["rules"]]
    rules[0]["points"] = "-9.99"
    await replace_draft({**tree, "rules": rules}, "key:sync")
    row = await ChangeLog.select().order_by(ChangeLog.id, ascending=False).first()
    assert row is not None
    page = plain(await client.get(f"/desk/changes/{row['id']}"))
    for said in ("key:sync", "规则：修改 1 项", "-9.99"):
        assert said in page, said
    kept = await client.get(f"/desk/changes/{row['id']}/before.yaml")
    assert kept.status_code == 200
    assert "-9.99" not in kept.text
    assert f"rulebook: {tree['rulebook']}" in kept.text
    assert (await client.get("/desk/changes/999999")).status_code == 404


# comparing and going back


async def two_versions(sign_in: SignIn) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    await approve(li)
    await publishing(office, 303, note="第一版")
    await change(office, "K03", points="-0.80", condition='level == "city" or level == "county"')
    await approve(li)
    await publishing(office, 303, effective="2026-03-01T00:00", note="第二版")
    return office, li


async def test_versions_and_the_draft_are_compared_in_words(sign_in: SignIn) -> None:
    office, _ = await two_versions(sign_in)
    await change(office, "K16", note="草稿里的备注")
    page = await office.get("/desk/comparison?from=1&to=2")
    for said in ("规则：修改 1 项", "<del>0.50</del><ins>0.80</ins>", "<ins> 或 通报级别 为 县局</ins>", "第一版",
                 "第二版", "/desk/comparison?from=1&amp;to=2"):  # fmt: skip
        assert said in page.text, said
    assert "草稿里的备注" in (await office.get("/desk/comparison?from=2&to=draft")).text
    assert "草稿里的备注" in (await office.get("/desk/comparison")).text
    assert "没有与此相符的变动" in (await office.get("/desk/comparison?from=1&to=2&rule=K99")).text
    assert "K03" in (await office.get("/desk/comparison?from=1&to=2&rule=市局")).text.split("<h3>")[1]
    assert "两边内容相同" in (await office.get("/desk/comparison?from=2&to=2")).text
    assert (await office.get("/desk/comparison?from=1&to=99")).status_code == 404
    english = await sign_in("en", "auditor", language="en")
    assert "Rules: 1 changed" in (await english.get("/desk/comparison?from=1&to=2")).text
    for path, link in (("/audit/versions", 'action="/desk/comparison"'), ("/audit/versions/2", "from=1&amp;to=2"),
                       ("/audit/versions/2", "from=2&amp;to=draft")):  # fmt: skip
        assert link in (await office.get(path)).text


async def test_a_draft_is_compared_by_who_may_read_it(sign_in: SignIn) -> None:
    office, _ = await two_versions(sign_in)
    subject = await sign_in("ren", "subject")
    assert (await subject.get("/desk/comparison?from=1&to=2")).status_code == 200
    assert (await subject.get("/desk/comparison?from=1&to=draft")).status_code == 403
    assert "to=draft" not in (await subject.get("/audit/versions/2")).text
    assert (await office.post(f"{TABLES}/draft_rule/", json={"code": "X1", "points_kind": "table"})).status_code == 422
    values = {"code": "X1", "event_type": (await rule("K03"))["event_type"], "points_kind": "table",
              "points_field": "level"}  # fmt: skip
    await office.post(f"{TABLES}/draft_rule/", json=values)
    assert "改正后才能对比" in (await office.get("/desk/comparison?from=1&to=draft")).text


async def test_an_old_version_becomes_the_draft_and_no_version_changes(sign_in: SignIn) -> None:
    office, li = await two_versions(sign_in)
    cases: Any = [{"case": "甲", "steps": []}]
    await replace_draft({**await read_draft(), "cases": cases}, "zhang")
    before = [dict(row) for row in await Version.select().order_by(Version.number)]
    shown = await office.get("/desk/versions/1/draft")
    for said in (
        "以第 1 版为草稿",
        "现在的草稿将失去：",
        "规则：修改 1 项",
        "<del>0.80</del><ins>0.50</ins>",
        "1 个用例保留",
    ):
        assert said in shown.text, said
    assert (await office.post("/desk/versions/1/draft", data={"hash": "0" * 64})).status_code == 409
    assert (await li.get("/desk/versions/1/draft")).status_code == 403
    assert (await li.post("/desk/versions/1/draft", data={"hash": await draft_hash()})).status_code == 403
    assert (await office.get("/desk/versions/9/draft")).status_code == 404
    done = await office.post("/desk/versions/1/draft", data={"hash": await draft_hash()})
    assert done.headers["location"] == "/publish?restored=1"
    assert "草稿已换成第 1 版的内容" in (await office.get(done.headers["location"])).text
    tree = await read_draft()
    assert tree["cases"] == cases
    (first, draft) = await read_side("1"), await read_side("draft")
    assert {**draft.document, "cases": None} == {**first.document, "cases": None}
    row = await ChangeLog.select().order_by(ChangeLog.id, ascending=False).first()
    assert row is not None
    assert (row["action"], row["user"], json.loads(row["after"])["version"]) == ("restore", "zhang", 1)
    assert "换成旧版 整份草稿 · 规则第 1 版" in plain(await office.get("/desk/changes"))
    await replace_draft({**tree, "cases": []}, "zhang")
    await approve(li)
    await publishing(office, 303, effective="2026-05-01T00:00")
    after = [dict(row) for row in await Version.select().order_by(Version.number)]
    assert after[:2] == before
    assert len(after) == 3


# two people on one row


async def test_a_row_that_somebody_changed_meanwhile_is_not_overwritten(sign_in: SignIn) -> None:
    zhang, zhao = await sign_in("zhang", "office"), await sign_in("zhao", "office")
    address = f"{TABLES}/draft_rule/{(await rule('K03'))['id']}/"
    opened = (await zhang.get(address)).headers["etag"]
    assert opened == (await zhao.get(address)).headers["etag"]
    saved = await zhao.patch(address, json={"points": "-0.90"}, headers={"if-match": opened})
    assert saved.status_code == 200
    assert saved.headers["etag"] != opened
    late = await zhang.patch(address, json={"title": "张的名称"}, headers={"if-match": opened})
    assert late.status_code == 405
    for said in ("已被他人改动", "zhao", "分值 -0.50 → -0.90", "请重新打开"):
        assert said in late.json()["detail"], said
    held = await rule("K03")
    assert (str(held["points"]), held["title"]) == ("-0.90", "市局通报批评")
    gone = await zhang.delete(address, headers={"if-match": opened})
    assert gone.status_code == 405
    again = await zhang.patch(address, json={"title": "张的名称"}, headers={"if-match": saved.headers["etag"]})
    assert again.status_code == 200


async def test_rows_of_a_list_are_saved_while_nobody_changed_them_since_it_was_shown(sign_in: SignIn) -> None:
    zhang, zhao = await sign_in("zhang", "office"), await sign_in("zhao", "office")
    first, second = [f"{TABLES}/draft_rule/{(await rule(code))['id']}/" for code in ("K01", "K03")]
    seen = {"if-match": f'"-{(await zhang.get(f"{TABLES}/draft_rule/")).headers["x-last-change"]}"'}
    await change(zhao, "K03", points="-0.90")
    assert (await zhang.patch(first, json={"enabled": False}, headers=seen)).status_code == 200
    late = await zhang.patch(second, json={"enabled": False}, headers=seen)
    assert (late.status_code, "已被他人改动（zhao" in late.json()["detail"]) == (405, True)
    for tag in ('"-"', '"x"', '"-x"'):
        assert (await zhang.patch(first, json={"enabled": True}, headers={"if-match": tag})).status_code == 405


async def test_another_row_may_change_meanwhile(sign_in: SignIn) -> None:
    zhang, zhao = await sign_in("zhang", "office"), await sign_in("zhao", "office")
    address = f"{TABLES}/draft_rule/{(await rule('K03'))['id']}/"
    opened = (await zhang.get(address)).headers["etag"]
    await change(zhao, "K01", points="-3")
    assert (await zhang.patch(address, json={"points": "-0.7"}, headers={"if-match": opened})).status_code == 200


async def test_a_row_is_saved_by_who_opened_it(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    address = f"{TABLES}/draft_rule/{(await rule('K03'))['id']}/"
    for headers in ({"x-unopened": "1"}, {"if-match": "*"}):
        refused = await client.patch(address, json={"points": "-3"}, headers=headers)
        assert (refused.status_code, "请先打开这一行再改" in refused.text) == (428, True)
    assert str((await rule("K03"))["points"]) == "-0.50"


async def test_a_row_that_is_gone_says_who_took_it(sign_in: SignIn) -> None:
    zhang, zhao = await sign_in("zhang", "office"), await sign_in("zhao", "office")
    step = await DraftStep.select(DraftStep.id).first()
    assert step is not None
    address = f"{TABLES}/draft_step/{step['id']}/"
    opened = {"if-match": (await zhang.get(address)).headers["etag"]}
    await zhao.delete(address)
    late = await zhang.patch(address, json={"points": "-3"}, headers=opened)
    assert late.status_code == 405
    assert re.search("这一行已经不在（zhao 于 .* 删除）", late.json()["detail"]), late.text
    row = await DraftRule.select(DraftRule.id).first()
    assert row is not None
    address = f"{TABLES}/draft_rule/{row['id']}/"
    opened = {"if-match": (await zhang.get(address)).headers["etag"]}
    await replace_draft({**await read_draft(), "title": "导入"}, "key:sync")
    late = await zhang.patch(address, json={"points": "-3"}, headers=opened)
    assert re.search("这一行已经不在（key:sync 于 .* 整体替换）", late.json()["detail"]), late.text


async def test_every_table_of_the_draft_gives_its_rows_a_tag(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    for table in (
        "draft",
        "draft_event_type",
        "draft_field",
        "draft_choice",
        "draft_limit",
        "draft_step",
        "draft_part",
    ):
        rows = (await client.get(f"{TABLES}/{table}/")).json()["rows"]
        answer = await client.get(f"{TABLES}/{table}/{rows[0]['id']}/?__readable=true")
        assert re.fullmatch(r'"[0-9a-f]{32}-\d+"', answer.headers["etag"]), table
