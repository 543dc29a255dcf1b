"""Cases beside rules: made from past events, run and told in words, edited as text without losing anybody's edit."""

import html
import json
import re
from datetime import date
from typing import Any

import httpx
import pytest

from admin import tracing
from admin.changes import replace_draft
from admin.tables import ChangeLog
from engine.event import EventKey
from engine.report import parse_report
from ledger import acts
from ledger.tables import Subject
from rules.draft import read_draft, tree_hash
from rules.kept_cases import as_text, cases_of, key_of
from rules.roster import read_relations, read_subjects
from rules.rows import Document
from rules.tree import load_yaml
from tests.admin.conftest import SignIn
from tests.notices import SUBJECTS, fill_notices, notice
from tests.notices import _june as june  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("june")]


async def make(client: httpx.AsyncClient, event: str, expect: str, status: int = 303, **given: str) -> httpx.Response:
    """Make an event of the ledger a case, as the page's form does."""
    page = await client.get("/desk/cases/new", params={"source": "office", "event": event})
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'name="(hash|source|event|name)" value="([^"]*)"', page.text))
    sent = {key: html.unescape(value) for key, value in fields.items()} | {"expect": expect} | given
    answer = await client.post("/desk/cases/new", data=sent)
    assert answer.status_code == status, answer.text
    return answer


def text(answer: httpx.Response) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def kept() -> list[Any]:
    return cases_of(await read_draft())


async def change_rule(code: str, **changed: str) -> None:
    """Somebody else changes a rule of the draft."""
    tree: Document = await read_draft()
    rules: Any = tree["rules"]
    await replace_draft(
        {**tree, "rules": [{**each, **changed} if each["rule"] == code else each for each in rules]}, "li"
    )


async def test_an_event_becomes_a_case_that_fails_when_the_rule_changes(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    event_page = await client.get("/audit/events/office/N2")
    assert "/desk/cases/new?source=office&amp;event=N2" in event_page.text
    page = text(await client.get("/desk/cases/new?source=office&event=N2"))
    for said in ("两边一致", "K02 市局通报 城关分局 B1 −0.50 −0.50 一致", "J01 牵头连带 征管科 D1 −0.15 −0.15 一致"):
        assert said in page, page
    answer = await make(client, "N2", "ledger")
    (raw,) = await kept()
    assert raw == {
        "case": "通报批评：城关分局 2026-02-10",
        "subjects": [
            {"code": "B1", "name": "城关分局", "kind": "unit", "group": "branch"},
            {"code": "D1", "name": "征管科", "kind": "unit", "group": "dept"},
        ],
        "relations": [{"subject": "B1", "relation": "lead_dept", "answers": "D1"}],
        "periods": raw["periods"],
        "steps": [
            {"event": {"id": "N2", "source": "office", "type": "notice", "subject": "B1",
                       "time": "2026-02-10T10:00:00+08:00", "data": {"level": "city", "times": "3"}}},
            {"expect": {"posted": [
                {"event": "N2", "rule": "J01", "subject": "D1", "points": "-0.15"},
                {"event": "N2", "rule": "K02", "subject": "B1", "points": "-0.50"},
            ]}},
        ],
    }  # fmt: skip
    assert {each["code"] for each in raw["periods"]} >= {"2026-02"}
    assert answer.headers["location"] == f"/desk/cases/{key_of(raw)}?done=made"
    page = text(await client.get(answer.headers["location"]))
    assert "已作为用例存入草稿" in page
    assert "结果与预期一致" in page
    assert "office / N2" in page

    await change_rule("K02", points="-0.80")
    page = text(await client.get(f"/desk/cases/{key_of(raw)}"))
    assert "下列各项与预期不符" in page
    assert "2 城关分局 B1 K02 市局通报 事件 office/N2 −0.50 −0.80" in page
    assert "2 征管科 D1 J01 牵头连带 事件 office/N2 −0.15 −0.24" in page
    listed = text(await client.get("/desk/cases"))
    assert "不通过 1" in listed
    assert "第 2 步：征管科（D1） 按 J01 牵头连带，应为 −0.15，实为 −0.24（事件 office/N2）" in listed
    english = await sign_in("smith", "auditor", language="en")
    listed = text(await english.get("/desk/cases?state=fails"))
    assert "step 2: 征管科 (D1) by J01 牵头连带, expected −0.15, but it is −0.24 (event office/N2)" in listed
    # it offers to expect what it now comes to, and saves nothing by itself
    offered = await client.get(f"/desk/cases/{key_of(raw)}?mend=1")
    assert "已按现在的结果改写，还没有保存" in text(offered)
    assert all(f"points: {points}" in offered.text for points in ("-0.80", "-0.24"))
    assert await kept() == [raw]
    assert "mend=1" in (await client.get(f"/desk/cases/{key_of(raw)}")).text
    assert "mend=1" not in (await english.get(f"/desk/cases/{key_of(raw)}")).text
    # it is mended in its text
    mended = as_text(raw).replace("-0.50", "-0.80").replace("-0.15", "-0.24")
    saved = await client.post(f"/desk/cases/{key_of(raw)}", data={"text": mended.replace("\n", "\r\n")})
    assert saved.status_code == 303, saved.text
    assert "结果与预期一致" in text(await client.get(saved.headers["location"]))
    (log,) = await ChangeLog.select().where(ChangeLog.user == "zhang").order_by(ChangeLog.id, ascending=False).limit(1)
    assert (log["action"], log["table"], log["row"]) == ("change", "draft", "1")
    assert "-0.50" in log["before"]
    assert "-0.80" in log["after"]
    assert "-0.50" not in log["after"]


async def test_what_is_meant_is_said_where_ledger_and_draft_differ(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    await change_rule("K02", points="-0.80")
    page = await client.get("/desk/cases/new?source=office&event=N1")
    assert not re.search(r'value="(ledger|draft)"[^>]*checked', page.text)
    assert "K02 市局通报 城关分局 B1 −0.50 −0.80 不同" in text(page)
    assert "请选定以哪一边作为预期" in text(await make(client, "N1", "", 422))
    await make(client, "N1", "draft", name="按草稿")
    await make(client, "N1", "ledger", name="按台账")
    found = await tracing.run_kept(await read_draft())
    assert [(each.name, each.state) for each in found] == [("按草稿", "passes"), ("按台账", "fails")]
    # names are told apart, and the next one that is offered is free
    assert "已有同名用例“按草稿”" in text(await make(client, "N1", "draft", 422, name="按草稿"))
    await make(client, "N2", "draft")
    page = await client.get("/desk/cases/new?source=office&event=N2")
    assert 'value="通报批评：城关分局 2026-02-10（2）"' in page.text
    # the draft that was looked at is the one that is meant
    stale = await make(client, "N3", "draft", 409, hash="0" * 64)
    assert "草稿已被修改" in text(stale)
    assert len(await kept()) == 3
    assert "请给用例起个名称" in text(await make(client, "N3", "draft", 422, name=" "))


async def test_events_of_every_kind_become_cases(sign_in: SignIn) -> None:
    recorder = await fill_notices()
    client = await sign_in("zhang", "office")
    # parties stand in for relations, an empty one leaves them out
    await make(client, "N6", "ledger", name="排除连带")
    await make(client, "N7", "ledger", name="有当事方")
    # nobody is charged: that is expected, too
    await make(client, "N5", "ledger", name="县局不计")
    # withdrawn: the ledger's side is what it had come to before
    await recorder.retract(EventKey("office", "N4"), "不属实，涉及张三", "li")
    page = text(await client.get("/desk/cases/new?source=office&event=N4"))
    assert "这个事件已撤回" in page
    assert "K01 省局通报 城关分局 B1 −1.00 −1.00 一致" in page
    await make(client, "N4", "ledger", name="已撤回的")
    found = await tracing.run_kept(await read_draft())
    assert [(each.name, each.state) for each in found] == [
        ("排除连带", "passes"), ("有当事方", "passes"), ("县局不计", "passes"), ("已撤回的", "passes"),
    ]  # fmt: skip
    cases = {each["case"]: each for each in await kept()}
    assert cases["排除连带"]["steps"][0]["event"]["parties"] == {"lead_dept": []}
    assert [each["code"] for each in cases["排除连带"]["subjects"]] == ["B1"]
    assert cases["有当事方"]["steps"][0]["event"]["parties"] == {"direct_person": ["D1"]}
    assert cases["县局不计"]["steps"][1] == {"expect": {"posted": []}}
    assert "张三" not in str(cases)
    for path in ("source=office&event=N99", "source=nobody&event=N1"):
        assert (await client.get(f"/desk/cases/new?{path}")).status_code == 404


async def test_a_veto_is_a_case_by_the_total_that_it_leaves(sign_in: SignIn) -> None:
    recorder = await fill_notices()
    accident = {**notice(40, "B2", "2026-05-20"), "type": "accident"}
    await recorder.record(parse_report(accident))
    client = await sign_in("zhang", "office")
    await change_rule("V01", to="70")
    page = text(await client.get("/desk/cases/new?source=office&event=N40"))
    assert "V01 一票否决 2026-05 总分（只有本事件时） 河西分局 B2 60.00 70.00 不同" in page
    await make(client, "N40", "ledger", name="按台账")
    await make(client, "N40", "draft", name="按草稿")
    ledger, draft = await kept()
    assert ledger["steps"][1] == {"expect": {"posted": [], "period": "2026-05", "totals": {"B2": "60.00"}}}
    assert draft["steps"][1]["expect"]["totals"] == {"B2": "70.00"}
    found = await tracing.run_kept(await read_draft())
    assert [each.state for each in found] == ["fails", "passes"]
    page = text(await client.get(f"/desk/cases/{found[0].key}"))
    assert "2 河西分局 B2 — 2026-05 总分 60.00 70.00" in page
    assert "第 2 步：河西分局（B2） 2026-05 总分，应为 60.00，实为 70.00" in text(await client.get("/desk/cases"))


async def test_names_of_persons_and_bases_stay_out(sign_in: SignIn) -> None:
    recorder = await fill_notices()
    person: Any = {"code": "P1", "name": "李某某", "kind": "person", "unit": "B2", "post": "chief", "group": "staff"}
    await acts.organise(date(2026, 1, 1), read_subjects([*SUBJECTS, person]),
                        read_relations([{"subject": "B1", "relation": "lead_dept", "answers": "P1"}]),
                        reason="新任", actor="t")  # fmt: skip
    await recorder.record(parse_report(notice(30, "B1", "2026-06-01", level="city", basis="督查通报〔2026〕1号")))
    client = await sign_in("zhang", "office")
    page = await client.get("/desk/cases/new?source=office&event=N30")
    assert "李某某" in page.text  # on the page, from the register of subjects
    await make(client, "N30", "ledger")
    (raw,) = await kept()
    assert {"code": "P1", "kind": "person", "group": "staff", "unit": "B2", "post": "chief"} in raw["subjects"]
    assert {"code": "B2", "name": "河西分局", "kind": "unit", "group": "branch"} in raw["subjects"]
    assert "李某某" not in str(raw)
    assert "督查通报" not in str(raw)
    assert (await Subject.select(Subject.name).where(Subject.code == "P1"))[0]["name"] == "李某某"


async def test_a_draft_that_is_wrong_or_lacks_the_rule_or_the_type(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    await make(client, "N2", "ledger", name="市局")
    tree: Any = await read_draft()
    await replace_draft({**tree, "rules": [each for each in tree["rules"] if each["rule"] not in ("K02", "J01")]}, "li")
    page = await client.get("/desk/cases/new?source=office&event=N1")
    assert "台账用的规则草稿中已没有：J01、K02" in text(page)
    assert "没有" in text(await make(client, "N1", "ledger", 422))
    (found,) = await tracing.run_kept(await read_draft())
    assert found.state == "unreadable"
    assert "这个用例读不懂" in text(await client.get(f"/desk/cases/{found.key}"))
    # the draft cannot take the event any more: that may be what is meant
    types = {**tree["event_types"], "notice": {"title": "通报", "fields": {"level": {"type": "integer"}}}}
    await replace_draft({**tree, "event_types": types, "rules": [], "cases": []}, "li")
    assert "按草稿，这个事件不予受理" in text(await client.get("/desk/cases/new?source=office&event=N5"))
    await make(client, "N5", "draft", name="不再受理")
    (found,) = await tracing.run_kept(await read_draft())
    assert found.state == "passes"
    # a draft with errors runs nothing, and says so
    await replace_draft(
        {**await read_draft(), "rules": [{"rule": "K01", "on": "accident", "when": "level ==", "points": "1"}]}, "li"
    )
    (found,) = await tracing.run_kept(await read_draft())
    assert found.state == "waits"
    assert "草稿还有错误，用例无法运行" in text(await client.get("/desk/cases"))
    assert "草稿还有错误，用例无法运行" in text(await client.get(f"/desk/cases/{found.key}"))
    page = await client.get("/desk/cases/new?source=office&event=N1")
    assert "草稿有 1 处错误" in text(page)
    assert "草稿有误" in text(await make(client, "N1", "draft", 422))


async def test_two_people_on_one_case_see_a_conflict_and_lose_nothing(sign_in: SignIn) -> None:
    await fill_notices()
    one, other = await sign_in("zhang", "office"), await sign_in("li", "office")
    await make(one, "N2", "ledger", name="市局")
    await make(one, "N3", "ledger", name="河西")
    first, second = await kept()
    mine = as_text(first).replace("case: 市局", "case: 市局（张）")
    theirs = as_text(first).replace("case: 市局", "case: 市局（李）")
    assert (await other.post(f"/desk/cases/{key_of(first)}", data={"text": theirs})).status_code == 303
    # a change of another case does not matter
    renamed = as_text(second).replace("case: 河西", "case: 河西分局")
    assert (await one.post(f"/desk/cases/{key_of(second)}", data={"text": renamed})).status_code == 303
    answer = await one.post(f"/desk/cases/{key_of(first)}", data={"text": mine})
    assert answer.status_code == 409
    assert "已被他人修改或删除" in text(answer)
    assert "case: 市局（张）" in html.unescape(answer.text)
    assert [each["case"] for each in await kept()] == ["市局（李）", "河西分局"]
    # what was written can be kept beside it
    assert 'action="/desk/cases"' in answer.text
    assert (await one.post("/desk/cases", data={"text": mine})).status_code == 303
    assert [each["case"] for each in await kept()] == ["市局（李）", "河西分局", "市局（张）"]
    for verb in ("copy", "delete"):
        assert (await one.post(f"/desk/cases/{key_of(first)}/{verb}")).status_code == 409
    assert (await one.get(f"/desk/cases/{key_of(first)}")).status_code == 404
    assert len(await kept()) == 3


async def test_a_case_is_written_copied_and_deleted(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    assert "草稿还没有用例" in text(await client.get("/desk/cases"))
    assert (await client.get("/desk/cases/new")).headers["location"] == "/desk/cases/new/text"
    page = await client.get("/desk/cases/new/text")
    begun = html.unescape(page.text.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]).strip()
    answer = await client.post("/desk/cases", data={"text": begun})
    assert answer.status_code == 303, text(answer)
    (raw,) = await kept()
    assert raw["case"] == "新用例"
    wrong = begun.replace("subject: U1", "subject: 一 号").replace("posted: []", "posted: [{event: E1}]")
    answer = await client.post(f"/desk/cases/{key_of(raw)}", data={"text": wrong})
    assert answer.status_code == 422
    line = next(at for at, each in enumerate(wrong.splitlines(), 1) if "posted" in each)
    assert f"第 {line} 行" in text(answer)
    assert f'id="line-{line}" class="wrong"' in answer.text
    assert "posted: [{event: E1}]" in html.unescape(answer.text)
    assert await kept() == [raw]
    for _ in range(2):
        copied = await client.post(f"/desk/cases/{key_of(raw)}/copy")
        assert copied.status_code == 303
    assert "请改名并修改" in text(await client.get(copied.headers["location"]))
    assert [each["case"] for each in await kept()] == ["新用例", "新用例（副本 2）", "新用例（副本 3）"]
    assert (await client.get("/desk/cases/at/1")).headers["location"] == f"/desk/cases/{key_of((await kept())[1])}"
    for place in ("7", "-1"):
        assert (await client.get(f"/desk/cases/at/{place}")).status_code == 404
    answer = await client.post(f"/desk/cases/{key_of(raw)}/delete")
    assert answer.headers["location"] == "/desk/cases?deleted=1"
    assert "已删除" in text(await client.get(answer.headers["location"]))
    assert len(await kept()) == 2
    rows = await ChangeLog.select().where(ChangeLog.user == "zhang").order_by(ChangeLog.id)
    assert [(bool(load(each["before"])), bool(load(each["after"]))) for each in rows] == [
        (False, True), (False, True), (False, True), (True, False),
    ]  # fmt: skip


def load(logged: str) -> str:
    cases: str = json.loads(logged)["cases"]
    return cases


async def test_a_rule_shows_the_cases_that_hit_and_miss_it(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")

    async def fragment(code: str, status: int = 200) -> tuple[str, str, httpx.Response]:
        answer = await client.get(f"/desk/rules/{code}/cases")
        assert answer.status_code == status
        assert "<html" not in answer.text
        assert "<script" not in answer.text
        hitting, _, missing = answer.text.partition('<section class="missing">')
        return hitting, missing, answer

    hitting, missing, _ = await fragment("K02")
    assert "还没有用例触发它。可用下列命中的事件做一个" in hitting
    assert re.findall(r"/desk/cases/new\?source=office&amp;event=(N\d)", hitting) == ["N7", "N6", "N3"]
    assert re.findall(r"/desk/cases/new\?source=office&amp;event=(N\d)", missing) == ["N8", "N5", "N4"]
    await make(client, "N2", "ledger", name="市局三次")
    hitting, missing, _ = await fragment("K02")
    assert "市局三次" in hitting
    assert "new?source" not in hitting
    assert "还没有用例说明什么情况下不触发" in missing
    await make(client, "N4", "ledger", name="省局")
    await make(client, "N3", "ledger", name="河西没有牵头")
    hitting, missing, _ = await fragment("K02")
    assert ("市局三次" in hitting, "河西没有牵头" in hitting, "省局" in missing) == (True, True, True)
    # a joint rule: cases in which it charges
    hitting, missing, _ = await fragment("J01")
    assert ("市局三次" in hitting, "省局" in hitting, "河西没有牵头" in missing) == (True, True, True)
    hitting, missing, _ = await fragment("P01")
    assert "请写一个含“settle”步骤的用例" in hitting
    hitting, missing, _ = await fragment("V01")
    assert "近月台账中没有它命中的事件" in hitting
    _, _, answer = await fragment("K77", 404)
    assert "保存规则之后" in answer.text
    # a case that fails is shown as failing, and one that lost the rule no longer hits it
    await change_rule("K02", when='level == "city" and times < 2')
    hitting, missing, _ = await fragment("K02")
    assert "还没有用例触发它" in hitting
    assert re.search("不通过</span> <a[^>]*>市局三次", missing)
    # while the draft is wrong no case can be run, and that is said
    await change_rule("K01", when="level ==")
    assert "有 3 个用例无法运行" in (await client.get("/desk/rules/K02/cases")).text


async def test_a_long_list_is_searched_paged_and_run_in_time(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    case: Any = load_yaml(
        "subjects: [{code: U1, kind: unit}]\nsteps:\n"
        "  - event: {id: E1, type: notice, subject: U1, time: 2026-03-05T10:00:00+08:00, data: {level: city}}"
    )[0].raw
    tree = await read_draft()
    await replace_draft({**tree, "cases": [{"case": f"第{n}个", **case} for n in range(1000)]}, "li")
    monkeypatch.setattr(tracing, "_remembered", {})
    page = await client.get("/desk/cases?at=900")
    assert "第 901–1000 个，共 1000 个" in text(page)
    assert page.text.count("/desk/cases/") < 150
    found = await tracing.run_kept(await read_draft(), seconds=-1)
    states = [each.state for each in found]
    assert set(states) <= {"passes", "waits"}
    assert "第 123 个" not in text(await client.get("/desk/cases?q=第12个"))
    assert text(await client.get("/desk/cases?q=第12个")).count("第12个") >= 1
    everything = text(await client.get("/desk/cases?run=all"))
    assert "通过 1000" in everything
    assert "没有符合条件的用例" in text(await client.get("/desk/cases?q=没有的"))
    assert (await client.get(f"/desk/cases?at={'9' * 5000}&state=nonsense")).status_code == 200


async def test_who_may_read_and_write(sign_in: SignIn, browser_of_nobody: httpx.AsyncClient) -> None:
    await fill_notices()
    office = await sign_in("zhang", "office")
    await make(office, "N2", "ledger", name="市局")
    (raw,) = await kept()
    key = key_of(raw)
    reads = ("/desk/cases", f"/desk/cases/{key}", "/desk/rules/K02/cases", "/desk/cases/at/0")
    writes = (
        "/desk/cases",
        f"/desk/cases/{key}",
        f"/desk/cases/{key}/copy",
        f"/desk/cases/{key}/delete",
        "/desk/cases/new",
    )
    before = tree_hash(await read_draft())
    for role, reading in (("approver", True), ("auditor", True), ("assessor", False), ("subject", False),
                          ("integrator", False)):  # fmt: skip
        client = await sign_in(role, role, subject="B1" if role == "subject" else "")
        for path in reads:
            assert ((await client.get(path)).status_code < 400) is reading, (role, path)
        for path in ("/desk/cases/new/text", "/desk/cases/new?source=office&event=N2"):
            assert (await client.get(path)).status_code == 403
        for path in writes:
            sent = {
                "text": as_text(raw),
                "source": "office",
                "event": "N2",
                "name": "x",
                "expect": "draft",
                "hash": before,
            }
            assert (await client.post(path, data=sent)).status_code == 403, (role, path)
        if reading:
            page = (await client.get(f"/desk/cases/{key}")).text
            assert "<textarea" not in page
            assert "/delete" not in page
            assert "case: 市局" in page
            assert "/desk/cases/new?" not in (await client.get("/audit/events/office/N2")).text
    del office.headers["x-csrftoken"]
    for path in writes:
        assert (await office.post(path, data={"text": as_text(raw)})).status_code == 403
    assert (await browser_of_nobody.get("/desk/cases")).status_code == 303
    assert tree_hash(await read_draft()) == before
