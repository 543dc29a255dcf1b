"""The rule editor over HTTP: both forms are one rule, findings have their place, and saving loses nobody's work."""

import html
import json
import re
from typing import Any

import httpx
import pytest

from admin.editor_texts import TEXTS
from admin.tables import ChangeLog
from rules.draft import draft_hash, read_draft
from rules.kept_cases import change_cases
from rules.rule_saving import rule_hash
from rules.tables import DraftRule
from rules.tree import load_yaml
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.anyio


async def opened(client: httpx.AsyncClient, code: str) -> Any:
    """What the editor's page begins with."""
    page = await client.get(f"/desk/rules/{code}")
    assert page.status_code == 200, page.text
    return json.loads(re.search(r'id="begun">(.*?)</script>', page.text, re.DOTALL)[1])  # type: ignore[index]


async def read(client: httpx.AsyncClient, **asked: Any) -> Any:
    answer = await client.post("/desk/editor/reading", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def save(client: httpx.AsyncClient, **asked: Any) -> httpx.Response:
    return await client.post("/desk/editor/saving", json=asked)


def places(told: Any) -> list[str]:
    return [finding["path"] for finding in told["findings"]]


async def rule(code: str) -> Any:
    rules: Any = (await read_draft())["rules"]
    return next(each for each in rules if each["rule"] == code)


async def test_the_list_is_searched_filtered_and_said_in_words(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    whole = html.unescape((await client.get("/desk/rules")).text)
    assert "草稿中共 26 条" in whole
    assert "发生“通报批评”且通报级别 为 市局" in whole
    assert whole.count('href="/desk/rules/new?kind=') == 5
    found = (await client.get("/desk/rules", params={"q": "通报 市局", "kind": "event"})).text
    assert re.findall(r'href="/desk/rules/(K\d+)"', found) == ["K03"]
    joint = (await client.get("/desk/rules?kind=joint")).text
    assert re.findall(r'href="/desk/rules/(K\d+)"', joint) == ["K05", "K06", "K07", "K08", "K09"]
    by_type = (await client.get("/desk/rules?on=criticism_notice")).text
    assert re.findall(r'href="/desk/rules/(K\d+)"', by_type) == ["K01", "K02", "K03"]
    assert "没有符合条件的规则" in (await client.get("/desk/rules", params={"q": "100%"})).text
    row = await DraftRule.select(DraftRule.id).where(DraftRule.code == "K03").first()
    assert row is not None
    assert f'href="/admin/#/draft_rule/{row["id"]}"' in whole
    await DraftRule.update({DraftRule.condition: "level =="}).where(DraftRule.code == "K03")
    broken = (await client.get("/desk/rules?q=K03")).text
    assert "1 处错误" in broken
    assert "还没有写完整" in broken


async def test_form_and_text_are_one_rule_and_a_joint_rule_has_a_picture(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    for listed in ("K01", "K04", "K15", "K20", "K34", "K05", "K09", "K11", "K13", "K27", "K40"):
        begun = await opened(client, listed)
        assert begun["hash"] == rule_hash(await rule(listed))
        by_form = await read(client, code=listed, form=begun["reading"]["form"])
        by_text = await read(client, code=listed, text=by_form["text"])
        assert by_text["form"] == by_form["form"], listed
        assert by_text["sentences"] == by_form["sentences"] != [], listed
        assert by_form["findings"] == by_text["findings"] == []
        assert (await save(client, code=listed, hash=begun["hash"], text=by_form["text"])).json()["hash"] == begun[
            "hash"
        ]
    told = (await opened(client, "K05"))["reading"]
    said = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", told["picture"])))
    for words in ("事件主体 源分值 100%", "牵头部门 源分值的 30%", "主要负责人 源分值的 6%", "分管领导 源分值的 3%"):
        assert words in said, said
    fixed = told["form"] | {"share": "", "points": told["form"]["points"] | {"value": "0.20"}}
    alone = (await read(client, code="K05", form=fixed))["picture"]
    assert "固定 0.20 分" in alone
    assert "主要负责人" not in alone
    assert (await opened(client, "K03"))["reading"]["picture"] == ""


async def test_what_cannot_be_read_is_said_and_what_is_empty_only_wants_filling_in(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    told = await read(client, code="K03", text="rule: K03\non: criticism_notice\npoints: [1, 2\n")
    assert told["form"] is None
    assert told["findings"][0]["line"] == 4
    assert "YAML" in told["findings"][0]["message"]
    two = await read(client, code="K03", text="- rule: K03\n- rule: K04\n")
    assert "应是一条规则" in two["findings"][0]["message"]
    unknown = await read(client, code="K03", text="rule: K03\non: criticism_notice\npoints: 1\ncolour: red\n")
    assert unknown["form"] is None
    assert [(each["path"], each["line"]) for each in unknown["findings"]] == [("", None), ("colour", 4)]
    listed = await read(client, code="K03", text="- rule: K03\n  on: criticism_notice\n  points: much\n")
    assert listed["form"]["code"] == "K03"
    assert [(each["path"], each["line"]) for each in listed["findings"]] == [("points", 3)]
    refused = await save(client, code="K03", hash="x", text="rule: [")
    assert refused.status_code == 422
    for kind in ("event", "joint", "differentiation", "progress", "veto"):
        begun = await opened(client, f"new?kind={kind}")
        assert begun["code"] == begun["hash"] == ""
        assert begun["reading"]["form"]["code"] == "K41"
        findings = begun["reading"]["findings"]
        assert findings
        assert all(finding["needed"] for finding in findings), findings
        for finding in findings:
            assert not re.search(r"[a-z]{3}", finding["message"]), finding


async def test_findings_stand_beside_the_field_they_are_about(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    form = (await opened(client, "K34"))["reading"]["form"]
    row = {"type": "row", "name": "difficulty", "operator": "==", "kind": "text", "values": ["huge"]}
    form["when"]["root"]["parts"].append({"type": "group", "join": "or", "negated": False, "parts": [row]})
    form["factors"][0]["rows"][1]["points"] = "much"
    form["factors"][2]["field"] = "way"
    form["limits"].append("nowhere")
    form["times"] = "gone"
    told = await read(client, code="K34", form=form)
    assert sorted(places(told)) == [
        "factors[0].table.medium", "factors[2].field", "limits[1]", "times", "when/2/0",
    ]  # fmt: skip
    assert told["sentences"] == []
    row["values"] = [""]
    row["kind"] = "number"
    told = await read(client, code="K34", form=form)
    assert [each["message"] for each in told["findings"] if each["path"].startswith("when")] == ["请填写要比较的值"]
    assert told["blocked"] is True
    assert (await save(client, code="K34", hash=(await opened(client, "K34"))["hash"], form=form)).status_code == 422
    form = (await opened(client, "K03"))["reading"]["form"]
    form["when"]["root"]["parts"].append({"type": "written", "text": 'level == "moon"'})
    told = await read(client, code="K03", form=form)
    (found,) = told["findings"]
    assert found["path"] == "when/1"
    assert found["message"].startswith("第 10 列：")


async def test_a_rule_is_saved_by_itself_and_written_down(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    begun = await opened(client, "K03")
    form = begun["reading"]["form"] | {"title": "市局通报", "max": "1.50", "limits": ["K10"]}
    ids = await DraftRule.select(DraftRule.id).order_by(DraftRule.id).output(as_list=True)
    answer = await save(client, code="K03", hash=begun["hash"], form=form)
    assert answer.json()["hash"] == rule_hash(await rule("K03"))
    assert (await rule("K03"))["title"] == "市局通报"
    assert await DraftRule.select(DraftRule.id).order_by(DraftRule.id).output(as_list=True) == ids
    log = await ChangeLog.select().order_by(ChangeLog.id, ascending=False).first()
    assert log is not None
    assert (log["user"], log["action"], log["table"]) == ("zhang", "change", "draft_rule")
    assert (log["owner"], log["name"]) == ("K03", "K03 市局通报")
    assert json.loads(log["before"]) == {"title": "市局通报批评", "max": None, "limits": []}
    assert json.loads(log["after"]) == {"title": "市局通报", "max": "1.50", "limits": ["K10"]}
    said = html.unescape((await client.get("/desk/changes?row=K03")).text)
    assert "市局通报批评" in said
    assert "K10" in said


async def test_a_code_is_changed_and_joint_rules_go_on_naming_it(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    begun = await opened(client, "K03")
    taken = await save(client, code="K03", hash=begun["hash"], form=begun["reading"]["form"] | {"code": "K04"})
    assert taken.status_code == 422
    assert "rule" in places(taken.json())
    answer = await save(client, code="K03", hash=begun["hash"], form=begun["reading"]["form"] | {"code": "通报-3"})
    assert answer.json()["href"] == "/desk/rules/%E9%80%9A%E6%8A%A5-3"
    assert (await rule("K05"))["of"][:3] == ["K01", "K02", "通报-3"]
    assert (await client.get("/desk/rules/K03")).status_code == 404


CASE = """
case: 通报
subjects: [{code: U1, kind: unit, group: bureau}]
steps:
- event: {id: E1, source: s, type: criticism_notice, subject: U1, time: '2026-03-01T09:00:00Z', data: {level: city}}
- expect:
    posted:
    - {event: E1, rule: K03, subject: U1, points: -0.5}
    - {event: E1, rule: K04, subject: U1, points: 0}
"""


async def test_cases_follow_a_code_that_is_changed(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    own: Any = load_yaml(CASE)[0].raw
    foreign = {**own, "case": "别的规则书", "versions": []}
    await change_cases(lambda cases: [*cases, own, foreign])
    begun = await opened(client, "K03")
    form = begun["reading"]["form"] | {"code": "K-3"}
    assert (await save(client, code="K03", hash=begun["hash"], form=form)).status_code == 200
    assert [posted["rule"] for posted in kept("通报", await read_draft())] == ["K-3", "K04"]
    row = await DraftRule.select(DraftRule.id).where(DraftRule.code == "K-3").first()
    assert row is not None
    path = f"/admin/api/tables/draft_rule/{row['id']}/"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"code": "K_3"}, headers={"if-match": tag})).status_code == 200
    tree = await read_draft()
    assert [posted["rule"] for posted in kept("通报", tree)] == ["K_3", "K04"]
    assert [posted["rule"] for posted in kept("别的规则书", tree)] == ["K03", "K04"]
    of_cases = (ChangeLog.table == "draft") & (ChangeLog.action == "change")
    changed = await ChangeLog.select(ChangeLog.before, ChangeLog.after).where(of_cases).order_by(ChangeLog.id)
    assert ["K-3" in changed[0]["after"], "K-3" in changed[1]["before"], len(changed)] == [True, True, 2]


def kept(name: str, tree: Any) -> Any:
    """What the draft's case of that name expects to be posted."""
    return next(case for case in tree["cases"] if case["case"] == name)["steps"][1]["expect"]["posted"]


async def test_two_people_on_one_rule(sign_in: SignIn) -> None:
    zhang, li = await sign_in("zhang", "office"), await sign_in("li", "office")
    mine, theirs = await opened(zhang, "K05"), await opened(li, "K05")
    other = await opened(li, "K06")
    assert (
        await save(li, code="K06", hash=other["hash"], form=other["reading"]["form"] | {"max": "9"})
    ).status_code == 200
    saved = await save(li, code="K05", hash=theirs["hash"], form=theirs["reading"]["form"] | {"share": "0.40"})
    assert saved.status_code == 200
    before = await draft_hash()
    form = mine["reading"]["form"] | {"title": "牵头连带"}
    answer = await save(zhang, code="K05", hash=mine["hash"], form=form)
    assert answer.status_code == 409
    assert await draft_hash() == before
    told = answer.json()
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", told["html"]))
    assert "li 于" in said
    assert "名称 牵头部门连带 牵头连带" in said
    assert "比例 0.40 0.30" in said
    assert told["theirs"]["form"]["share"] == "0.40"
    assert (await save(zhang, code="K05", hash=told["hash"], form=form)).status_code == 200
    assert (await rule("K05"))["title"] == "牵头连带"


async def test_a_rule_that_is_gone_can_be_saved_as_a_new_one(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    begun = await opened(client, "K40")
    gone = await client.post("/desk/editor/deletion", json={"code": "K40", "hash": begun["hash"]})
    assert gone.json() == {"href": "/desk/rules"}
    answer = await save(client, code="K40", hash=begun["hash"], form=begun["reading"]["form"])
    assert answer.status_code == 409
    assert answer.json()["gone"] is True
    again = await save(client, code="", hash="", form=begun["reading"]["form"])
    assert again.status_code == 200
    assert (await read_draft())["rules"][-1]["rule"] == "K40"  # type: ignore[call-overload, index]
    actions = await ChangeLog.select(ChangeLog.action).order_by(ChangeLog.id).output(as_list=True)
    assert actions[-2:] == ["delete", "create"]


async def test_a_rule_that_is_named_is_not_deleted(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    begun = await opened(client, "K01")
    answer = await client.post("/desk/editor/deletion", json={"code": "K01", "hash": begun["hash"]})
    assert answer.status_code == 422
    assert "K05、K06、K07、K08" in answer.json()["message"]
    page = (await client.get("/desk/rules/K01")).text
    assert re.findall(r'class="tag" href="/desk/rules/(K\d+)"', page)[:4] == ["K05", "K06", "K07", "K08"]
    stale = await client.post("/desk/editor/deletion", json={"code": "K40", "hash": "other"})
    assert stale.status_code == 409


async def test_a_rule_is_copied_and_moved_and_may_be_called_new(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    copied = await opened(client, "new?copy=K15")
    assert (copied["code"], copied["reading"]["form"]["code"]) == ("", "K41")
    assert copied["reading"]["form"]["points"]["kind"] == "progressive"
    assert (await save(client, form=copied["reading"]["form"])).status_code == 200
    moved = await client.post("/desk/editor/place", json={"code": "K41", "to": 2})
    assert moved.json() == {"place": 2}
    assert [each["rule"] for each in (await read_draft())["rules"]][:3] == ["K01", "K41", "K02"]  # type: ignore[union-attr, index, call-overload]
    log = await ChangeLog.select().order_by(ChangeLog.id, ascending=False).first()
    assert log is not None
    assert (log["action"], log["before"], log["after"]) == ("move", '{"place": 27}', '{"place": 2}')
    said = (await client.get("/desk/changes?row=K41")).text
    assert "移动" in said
    assert "新增" in said
    form = (await opened(client, "K03"))["reading"]["form"] | {"code": "new"}
    assert (await save(client, form=form)).status_code == 200
    assert (await opened(client, "new"))["code"] == "new"


async def test_who_may(sign_in: SignIn, browser_of_nobody: httpx.AsyncClient) -> None:
    asked = {"code": "K03", "hash": "x", "text": "rule: K03"}
    for name, role, reads in (("wang", "approver", 200), ("zhao", "auditor", 200), ("sun", "subject", 403)):
        client = await sign_in(name, role)
        assert (await client.get("/desk/rules")).status_code == reads
        assert (await client.get("/desk/rules/K03")).status_code == reads
        assert (await client.post("/desk/editor/reading", json=asked)).status_code == reads
        for act in ("saving", "deletion", "place"):
            assert (await client.post(f"/desk/editor/{act}", json=asked)).status_code == 403
        if reads == 200:
            assert (await opened(client, "K03"))["writes"] is False
            assert (await client.get("/desk/rules/new?kind=event")).status_code == 303
    assert (await browser_of_nobody.get("/desk/rules")).status_code == 303
    office = await sign_in("zhang", "office")
    del office.headers["x-csrftoken"]
    assert (await office.post("/desk/editor/saving", json=asked)).status_code == 403


async def test_what_our_page_did_not_send_is_refused_and_every_word_of_it_is_there(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    for content in (b"", b"[]", b'{"form": {"kind": "cosmic"}}', b'{"form": ' + b"[" * 5000):
        assert (await client.post("/desk/editor/reading", content=content)).status_code == 400
    assert (await client.post("/desk/editor/reading", content=b" " * 200_001)).status_code == 413
    deep: Any = {"type": "written", "text": "x"}
    for _ in range(200):
        deep = {"type": "group", "join": "and", "negated": True, "parts": [deep]}
    told = await read(client, form={"kind": "event", "on": "award", "when": {"root": deep}})
    assert any(place.startswith("when") for place in places(told))
    for number in (1e400, "NaN", "1_0"):
        answer = await client.post("/desk/editor/place", json={"code": "K03", "to": str(number)})
        assert answer.status_code == 400
    for name in ("editor.js", "editor_form.js", "editor_rows.js", "editor_parts.js"):
        script = (await client.get(f"/static/{name}")).text
        used = set(re.findall(r"\bw(?:ords)?\.([a-z_]+)\b", script)) - {"for"}
        absent = [word for word in used if f"editor.{word}" not in TEXTS]
        assert absent == [], name
