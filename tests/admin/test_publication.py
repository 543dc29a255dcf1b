"""Approving and publishing: every way round a second person, what is scheduled, what reaches back, the draft after."""

import re
from typing import Any

import httpx
import pytest
from litestar import Litestar
from piccolo.columns import Column

from admin import changes
from admin.approving import voices
from admin.changes import replace_draft
from admin.office import Office
from admin.publishing import publish
from admin.session import Person
from admin.tables import ApiKey, Approval, ChangeLog, User
from admin.users import set_roles
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import parse_report
from ledger.reading import reading
from rules.document import read_document, rulebook_hash
from rules.draft import Stale, draft_hash, read_draft
from rules.rows import from_json
from rules.tables import Version
from tests.admin.conftest import SignIn
from tests.admin.test_panel import TABLES, change, rule
from tests.small_office import RULEBOOK, event, fill

pytestmark = pytest.mark.anyio

AT = "2026-01-01T00:00"


async def approve(client: httpx.AsyncClient, status: int = 303) -> httpx.Response:
    answer = await client.post("/publish/approval", data={"hash": await draft_hash()})
    assert answer.status_code == status, answer.text
    return answer


async def publishing(client: httpx.AsyncClient, status: int, **given: str) -> httpx.Response:
    form = {"hash": await draft_hash(), "effective": AT, **given}
    answer = await client.post("/publish", data=form)
    assert answer.status_code == status, answer.text
    return answer


async def state_of(name: str) -> str | None:
    return next((each.state for each in await voices(await draft_hash()) if each.name == name), None)


async def test_an_edit_to_and_fro_withdraws_an_approval(sign_in: SignIn) -> None:
    office, other, li = (
        await sign_in("zhang", "office"),
        await sign_in("zhao", "office"),
        await sign_in("li", "approver"),
    )
    await change(office, "K03", points="-0.80")
    before = await draft_hash()
    await approve(li)
    assert await state_of("li") == "approved"
    await change(other, "K03", points="-0.90")
    await change(other, "K03", points="-0.80")
    assert await draft_hash() == before
    assert await state_of("li") == "withdrawn"
    page = (await publishing(office, 422)).text
    assert "还缺 1 人审批" in page
    assert "审批之后草稿有改动" in page
    await approve(li)
    await publishing(office, 303)
    assert [row["approved_by"] for row in await Version.select(Version.approved_by)] == [["li"]]


async def test_nobody_approves_their_own_by_any_way(sign_in: SignIn) -> None:
    """By the panel, by an import, by going back, by a key that they made."""
    office, both = await sign_in("zhang", "office"), await sign_in("wu", "office", "approver")
    li = await sign_in("li", "approver")
    tree = await read_draft()

    await change(both, "K03", points="-0.70")
    assert "您修改过这份草稿" in (await approve(both, 422)).text
    await approve(li)
    await publishing(office, 303)

    await replace_draft({**tree, "title": "导入的"}, "wu")
    await approve(both, 422)
    await ApiKey(name="sync", hash="0" * 64, scopes="rules:write", made_by="wu").save()
    await approve(li)
    await publishing(office, 303, effective="2026-02-01T00:00")

    await replace_draft({**tree, "title": "由接口"}, "key:sync")
    await approve(both, 422)
    await approve(li)
    await publishing(office, 303, effective="2026-03-01T00:00")

    back = await both.post("/desk/versions/1/draft", data={"hash": await draft_hash()})
    assert back.status_code == 303
    await approve(both, 422)


async def test_who_publishes_is_no_second_person(sign_in: SignIn) -> None:
    both = await sign_in("wu", "office", "approver")
    await approve(both)
    assert await state_of("wu") == "approved"
    assert "还缺 1 人审批" in (await publishing(both, 422)).text


@pytest.mark.parametrize("way", ["role", "inactive", "deleted"])
async def test_an_approval_counts_while_its_giver_is_an_approver(sign_in: SignIn, way: str) -> None:
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    await approve(li)
    if way == "role":
        await set_roles("li", ["auditor"])
    elif way == "inactive":
        values: dict[Column | str, Any] = {User.active: False}
        await User.update(values).where(User.username == "li")
    else:
        await User.delete().where(User.username == "li")
    assert await state_of("li") == "no_approver"
    assert "已不是审批人或已停用" in (await publishing(office, 422)).text


async def test_a_user_is_not_renamed(sign_in: SignIn) -> None:
    manager = await sign_in("ma", "office", "integrator")
    li = await User.objects().get(User.username == "ma")
    assert li is not None
    answer = await manager.patch(f"{TABLES}/app_user/{li.id}/", json={"username": "mo"})
    assert (answer.status_code, "不能更改" in answer.text) == (422, True)
    assert (await manager.patch(f"{TABLES}/app_user/{li.id}/", json={"username": "ma"})).status_code == 200


async def test_two_approvals_are_two_people(sign_in: SignIn, app: Litestar) -> None:
    li, chen = [await sign_in(name, "approver") for name in ("li", "chen")]
    office, publisher = Office(secret="s" * 40, second_persons=2), Person(id=0, name="zhang", roles=frozenset())
    at = read_document(await read_draft()).rulebook.effective
    for client in (li, li):
        await approve(client)
    assert await Approval.count() == 1
    with pytest.raises(Refused, match="approvals_missing"):
        await publish(office, await draft_hash(), at, person=publisher)
    await approve(chen)
    made = await publish(office, await draft_hash(), at, person=publisher)
    assert made.number == 1
    assert [row["approved_by"] for row in await Version.select(Version.approved_by)] == [["chen", "li"]]


async def test_a_draft_that_cannot_be_published_is_not_approved(sign_in: SignIn) -> None:
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    table = {"points_kind": "table", "points_field": "level"}
    values = {"code": "X1", "event_type": (await rule("K03"))["event_type"], **table}
    assert (await office.post(f"{TABLES}/draft_rule/", json=values)).status_code == 201
    assert "改正后才能审批" in (await approve(li, 422)).text


async def test_after_publication_the_draft_is_the_version(sign_in: SignIn) -> None:
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    cases: Any = [{"case": "甲", "steps": []}]
    await replace_draft({**await read_draft(), "cases": cases}, "somebody")
    await approve(li)
    await publishing(office, 303, effective="2026-03-01T08:30", note="年中修订")
    (version,) = await Version.select()
    tree = await read_draft()
    assert rulebook_hash(read_document(tree).rulebook) == version["hash"]
    assert tree["cases"] == cases
    page = (await office.get("/publish?published=1")).text
    for said in ("已发布为第 1 版", "草稿与这一版相同", "与现行版本相同", "年中修订"):
        assert said in page, said


async def test_a_scheduled_version_is_told_with_the_one_in_force(sign_in: SignIn) -> None:
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    await approve(li)
    await publishing(office, 303, note="第一版的说明")
    await change(office, "K03", points="-0.80")
    await approve(li)
    done = await publishing(office, 303, effective="", when="month", note="下月起")
    page = (await office.get(done.headers["location"])).text
    ruling, scheduled = page.split('id="scheduled"')
    assert "规则第 1 版" in ruling
    assert "第一版的说明" in ruling
    assert "规则第 2 版" in scheduled
    assert "下月起" in scheduled
    assert "仍按现行版本计分" in scheduled
    first = re.search(r"(\d{4}-\d\d)-01 00:00 起生效，在此之前现行版本不变", page)
    assert first is not None
    listed = (await office.get("/audit/versions")).text
    assert re.search(r"规则第 2 版</a> <span class=\"tag warn\">已排定", listed)
    assert re.search(r"规则第 1 版</a> <span class=\"tag good\">现行", listed)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"when": "tomorrow", "effective": AT}, "填了时间，又选了别的"),
        ({"when": "at", "effective": ""}, "生效时间应如"),
        ({"when": "at", "effective": "soon"}, "生效时间应如"),
        ({"when": "never", "effective": ""}, "生效时间应如"),
    ],
)
async def test_a_time_that_is_none_or_two_is_refused(sign_in: SignIn, given: dict[str, str], said: str) -> None:
    office = await sign_in("zhang", "office")
    assert said in (await publishing(office, 422, **given)).text


# what reaches back


async def reaching(sign_in: SignIn) -> tuple[httpx.AsyncClient, Any]:
    """A small office with six events, and a draft that charges more; approved."""
    recorder = await fill()
    rules = [{**RULEBOOK["rules"][0], "points": "-0.80"}, *RULEBOOK["rules"][1:]]
    await replace_draft({**RULEBOOK, "rules": rules}, "somebody")
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    await approve(li)
    return office, recorder


def confirmed(page: str, **given: str) -> dict[str, str]:
    """What the preview's form sends."""
    form = page.split('id="preview"')[1]
    held = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    return {
        **{name: held[name] for name in ("hash", "when", "effective", "head", "digest")},
        "step": "confirm",
        **given,
    }


async def test_what_reaches_back_is_shown_first_and_needs_a_reason(sign_in: SignIn) -> None:
    office, _ = await reaching(sign_in)
    shown = await publishing(office, 200)
    assert await Version.count() == 1
    for said in ("预览：尚未发布", "城关分局", "E3", "2026-01", "必填，记入台账", "已有 6 个入账的事件"):
        assert said in shown.text, said
    assert re.search(r"−0\.60", shown.text)  # two faults, each 0.30 more
    without = await office.post("/publish", data=confirmed(shown.text))
    assert without.status_code == 422
    assert await Version.count() == 1
    done = await office.post("/publish", data=confirmed(shown.text, reason="文件修订", note="补记"))
    assert done.status_code == 303, done.text
    async with reading() as connection:
        rows = await connection.fetch(
            "SELECT subject, posted FROM entry WHERE cause_act = 'publication' AND kind = 'adjustment'"
        )
    assert [(row["subject"], str(row["posted"])) for row in rows] == [("B1", "-0.60"), ("B2", "-2.70")]


async def test_a_ledger_that_changed_asks_again_and_one_that_only_grew_does_not(sign_in: SignIn) -> None:
    office, recorder = await reaching(sign_in)
    shown = await publishing(office, 200)
    form = confirmed(shown.text, reason="文件修订")
    await recorder.record_all([parse_report(event(9, "fault", "B1", "2026-03-02", count="1"))])
    again = await office.post("/publish", data=form)
    assert again.status_code == 409
    assert "台账在预览之后有变动" in again.text
    assert await Version.count() == 1
    assert "E9" in again.text
    await recorder.record_all([parse_report(event(10, "survey", "B1", "2025-11-02", rate="1"))])
    done = await office.post("/publish", data=confirmed(again.text, reason="文件修订"))
    assert done.status_code == 303, done.text


async def test_a_draft_that_changed_after_the_preview_is_not_published(sign_in: SignIn) -> None:
    office, _ = await reaching(sign_in)
    shown = await publishing(office, 200)
    await replace_draft({**await read_draft(), "title": "又改"}, "somebody")
    assert (await office.post("/publish", data=confirmed(shown.text, reason="x"))).status_code == 409
    assert await Version.count() == 1


async def test_the_preview_can_be_asked_for_where_nothing_is_past(sign_in: SignIn) -> None:
    office, _ = await reaching(sign_in)
    shown = await publishing(office, 200, effective="", when="month", step="preview")
    assert "不会有新的明细入账" in shown.text
    assert await Version.count() == 1


async def test_failing_cases_are_shown_and_keep_back(pool: Any, app: Litestar, sign_in: SignIn) -> None:
    told = (Finding(path="cases[0]", message=message("publish.grown")),)
    office = Office(secret="s" * 40, second_persons=0, check_cases=lambda _, __: told)
    cases: Any = [{"case": "甲", "steps": []}]
    await replace_draft({**await read_draft(), "cases": cases}, "somebody")
    at = read_document(await read_draft()).rulebook.effective
    with pytest.raises(Refused, match="grown"):
        await publish(office, await draft_hash(), at, person=Person(id=0, name="zhang", roles=frozenset()))
    assert await Version.count() == 0


async def test_a_stale_hash_is_never_published(sign_in: SignIn, app: Litestar) -> None:
    office = Office(secret="s" * 40, second_persons=0)
    at = read_document(await read_draft()).rulebook.effective
    old = await draft_hash()
    await replace_draft({**await read_draft(), "title": "改"}, "somebody")
    with pytest.raises(Stale):
        await publish(office, old, at, person=Person(id=0, name="zhang", roles=frozenset()))


async def test_the_change_log_marks_the_publication(sign_in: SignIn) -> None:
    office, li = await sign_in("zhang", "office"), await sign_in("li", "approver")
    await approve(li)
    await publishing(office, 303)
    row = await ChangeLog.select().order_by(ChangeLog.id, ascending=False).first()
    assert row is not None
    assert (row["action"], row["row"], row["user"]) == ("publish", "1", "zhang")
    assert await changes.editors() == frozenset()
    await change(office, "K03", points="-0.80")
    assert await changes.editors() == frozenset({"zhang"})
    assert from_json(row["after"])["number"] == 1  # type: ignore[index,call-overload]
