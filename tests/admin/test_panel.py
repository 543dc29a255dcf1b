"""The panel over HTTP: Chinese titles, checks that name the column, and a guard for each trap."""

import json
import re
from typing import Any

import httpx
import pytest
from litestar import Litestar

from admin.panel_tables import _hooks, draft_tables, system_tables
from admin.tables import ChangeLog, User, UserRole
from ledger.filling import read_starter
from rules.draft import draft_hash, read_draft
from rules.tables import DraftLimit, DraftRule, DraftStep, Version
from tests.admin.conftest import PASSWORD, SignIn

pytestmark = pytest.mark.anyio

TABLES = "/admin/api/tables"


async def rule(code: str) -> dict[str, Any]:
    row = await DraftRule.select().where(DraftRule.code == code).first()
    assert row is not None
    return row


async def change(client: httpx.AsyncClient, which: str, /, **values: Any) -> httpx.Response:
    return await client.patch(f"{TABLES}/draft_rule/{(await rule(which))['id']}/", json=values)


@pytest.mark.parametrize(
    ("language", "title", "choice"), [("zh-CN", "触发条件", "连带责任"), ("en", "Condition", "joint liability")]
)
async def test_titles_and_choices_are_in_the_readers_language(
    sign_in: SignIn, language: str, title: str, choice: str
) -> None:
    client = await sign_in("zhang", "office", language=language)
    schema = (await client.get(f"{TABLES}/draft_rule/schema/")).json()
    assert schema["properties"]["condition"]["title"] == title
    choices = schema["properties"]["kind"]["extra"]["choices"].values()
    assert choice in {each["display_name"] for each in choices}


async def test_every_column_and_choice_has_a_name_in_both_languages(sign_in: SignIn) -> None:
    chinese = await sign_in("zhang", "office", "integrator")
    english = await sign_in("li", "office", "integrator", language="en")
    for config in [*draft_tables(), *system_tables()]:
        table = config.table_class._meta.tablename
        read = [(await client.get(f"{TABLES}/{table}/schema/")).json() for client in (chinese, english)]
        for name, described in read[0]["properties"].items():
            assert not described["title"].isascii(), (table, name)
            assert read[1]["properties"][name]["title"].isascii(), (table, name)
            for option in (described["extra"].get("choices") or {}).values():
                assert not option["display_name"].isascii(), (table, name, option)


async def test_the_sidebar_is_grouped_in_our_order(sign_in: SignIn) -> None:
    office = await sign_in("zhang", "office")
    manager = await sign_in("li", "office", "integrator")
    grouped = (await office.get(f"{TABLES}/grouped/")).json()["grouped"]
    assert list(grouped) == ["规则", "系统"]
    assert grouped["规则"][:3] == ["draft", "draft_days", "draft_event_type"]
    assert grouped["系统"] == ["approval", "change_log"]
    assert "app_user" in (await manager.get(f"{TABLES}/grouped/")).json()["grouped"]["系统"]


async def test_a_wrong_condition_is_refused_with_its_column(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    before = await draft_hash()
    answer = await change(client, "K03", condition='level = "city"')
    assert answer.status_code == 422
    (finding,) = answer.json()["detail"]
    assert finding["loc"] == ["触发条件"]
    assert finding["msg"].startswith("第 7 列：")
    unknown = await change(client, "K03", condition='colour == "red"')
    assert "colour" in unknown.json()["detail"][0]["msg"]
    assert await draft_hash() == before
    fine = await change(client, "K03", condition='level == "city" and subject_kind == "unit"')
    assert fine.status_code == 200
    assert await draft_hash() != before


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"code": ""}, "代码"),
        ({"code": "有 空格"}, "代码"),
        ({"code": None}, "代码"),
        ({"kind": "wish"}, "规则类别"),
        ({"points": "1e30"}, "分值"),
        ({"points_field": "level"}, "分值依据字段"),
        ({"times": "level"}, "次数字段"),
        ({"relation": "lead_dept"}, "连带关系"),
        ({"event_type": None}, "事件类型"),
        ({"max": "-1"}, "单次上限"),
        ({"veto_to": "60"}, "否决：总分不超过"),
    ],
)
async def test_what_cannot_stand_is_refused_by_its_column(sign_in: SignIn, values: Any, column: str) -> None:
    client = await sign_in("zhang", "office")
    before = await draft_hash()
    answer = await change(client, "K03", **values)
    assert answer.status_code == 422, answer.text
    assert column in [finding["loc"][0] for finding in answer.json()["detail"]]
    assert await draft_hash() == before


async def test_a_rule_may_be_saved_before_its_schedule(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    event_type = (await rule("K03"))["event_type"]
    made = await client.post(
        f"{TABLES}/draft_rule/",
        json={"code": "X1", "event_type": event_type, "points_kind": "table", "points_field": "level"},
    )
    assert made.status_code == 201, made.text
    assert (await rule("X1"))["place"] == max(row["place"] for row in await DraftRule.select(DraftRule.place))
    step = {"rule": made.json()[0]["id"], "points": "-1.50"}
    wrong = await client.post(f"{TABLES}/draft_step/", json={**step, "key": "moon"})
    assert wrong.json()["detail"][0]["loc"] == ["取值"]
    right = await client.post(f"{TABLES}/draft_step/", json={**step, "key": "city"})
    assert right.status_code == 201, right.text
    rules: Any = (await read_draft())["rules"]
    assert str(rules[-1]["points"]["table"]["city"]) == "-1.50"


async def test_a_second_row_of_the_same_code_is_refused_in_words(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    answer = await client.post(f"{TABLES}/draft_limit/", json={"code": "twice", "per": "year", "max": "1"})
    assert answer.status_code == 201
    again = await client.post(f"{TABLES}/draft_limit/", json={"code": "twice", "per": "year", "max": "1"})
    assert (again.status_code, "constraint" in again.text, "另一行" in again.text) == (405, False, True)


async def test_what_a_rule_names_cannot_be_deleted_and_what_belongs_to_it_goes_with_it(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    held = await DraftLimit.select(DraftLimit.id).first()
    assert held is not None
    refused = await client.delete(f"{TABLES}/draft_limit/{held['id']}/")
    assert refused.status_code == 405
    assert "引用" in refused.json()["detail"]
    scheduled = await DraftStep.select(DraftStep.rule, DraftStep.rule.code.as_alias("code")).first()
    assert scheduled is not None
    await client.delete(f"{TABLES}/draft_rule/{scheduled['rule']}/")
    named = await DraftRule.exists().where(DraftRule.id == scheduled["rule"])
    steps = await DraftStep.exists().where(DraftStep.rule == scheduled["rule"])
    assert named == steps


async def test_put_would_skip_the_checks_and_is_denied_everywhere(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office", "integrator")
    row = json.loads(json.dumps(await rule("K03"), default=str))
    answer = await client.put(f"{TABLES}/draft_rule/{row['id']}/", json={**row, "code": ""})
    assert answer.status_code == 405
    for config in [*draft_tables(), *system_tables()]:
        assert config.validators is not None
        assert config.validators.put_single, config.table_class


async def test_hooks_of_one_kind_stand_together() -> None:
    for config in [*draft_tables(), *system_tables()]:
        kinds = [hook.hook_type for hook in config.hooks or []]
        groups = [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]
        assert len(groups) == len(set(groups)), config.table_class
    assert len(_hooks(DraftRule)) == 3


async def test_the_key_is_not_shown_where_another_column_links() -> None:
    for config in [*draft_tables(), *system_tables()]:
        key = config.table_class._meta.primary_key._meta.name
        if config.link_column is not None:
            assert key not in config.get_visible_column_names(), config.table_class


async def test_every_change_is_written_down(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    await change(client, "K03", points="-0.80")
    await change(client, "K03", condition="nonsense ==")
    written = await ChangeLog.select().where(ChangeLog.table == "draft_rule")
    assert [(row["user"], row["action"], row["row"]) for row in written] == [
        ("zhang", "change", str((await rule("K03"))["id"]))
    ]
    assert (json.loads(written[0]["before"]), json.loads(written[0]["after"])) == (
        {"points": "-0.50"},
        {"points": "-0.80"},
    )
    record = await client.delete(f"{TABLES}/change_log/{written[0]['id']}/")
    assert record.status_code == 405


@pytest.mark.parametrize("roles", [(), ("approver",), ("auditor",), ("integrator",), ("subject",)])
async def test_the_panel_opens_for_the_office_only(sign_in: SignIn, roles: tuple[str, ...]) -> None:
    client = await sign_in("zhang", *roles)
    assert (await client.get("/admin/")).status_code == 403
    assert (await client.get(f"{TABLES}/draft_rule/")).status_code == 401


async def test_users_are_for_those_who_manage_them(sign_in: SignIn) -> None:
    office = await sign_in("zhang", "office")
    manager = await sign_in("li", "office", "integrator")
    for table in ("app_user", "user_role"):
        assert (await office.get(f"{TABLES}/{table}/")).status_code == 405
        assert (await manager.get(f"{TABLES}/{table}/")).status_code == 200
    assert (await manager.get(f"{TABLES}/app_session/")).status_code == 404
    assert "pbkdf2" not in (await manager.get(f"{TABLES}/app_user/")).text
    made = await manager.post(f"{TABLES}/app_user/", json={"username": "wang", "password": PASSWORD})
    assert made.status_code == 201, made.text
    user = await User.objects().get(User.username == "wang")
    assert user is not None
    assert (user.must_change_password, user.admin) == (True, False)
    given = await manager.post(f"{TABLES}/user_role/", json={"user": user.id, "role": "office"})
    assert given.status_code == 201, given.text
    await user.refresh()
    assert user.admin
    raised = await manager.patch(f"{TABLES}/app_user/{user.id}/", json={"superuser": True, "subject": "P1"})
    await user.refresh()
    assert (raised.status_code, user.superuser) == (200, False)


async def test_a_manager_cannot_shut_themselves_out(sign_in: SignIn) -> None:
    manager = await sign_in("li", "office", "integrator")
    user = await User.objects().get(User.username == "li")
    assert user is not None
    assert (await manager.delete(f"{TABLES}/app_user/{user.id}/")).status_code == 405
    assert (await manager.patch(f"{TABLES}/app_user/{user.id}/", json={"active": False})).status_code == 405
    assert await UserRole.count() == 2


@pytest.mark.parametrize("path", ["public/login/", "api/change-password/", "api/docs/", "openapi.json", "public/docs/"])
async def test_what_the_panel_brings_along_is_closed(sign_in: SignIn, path: str) -> None:
    client = await sign_in("zhang", "office")
    for method in ("GET", "POST"):
        answer = await client.request(method, f"/admin/{path}", json={"username": "zhang", "password": PASSWORD})
        assert answer.status_code == 404, method


async def test_pages_load_nothing_from_elsewhere(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    for path in ("/", "/publish", "/password", "/entries", "/admin/"):
        page = (await client.get(path)).text
        linked = re.findall(r'(?:src|href|action)="([^"]*)"', page)
        assert linked
        assert not [link for link in linked if "//" in link], path


async def test_a_version_can_be_looked_at_and_never_changed(sign_in: SignIn, app: Litestar) -> None:
    raw, _ = read_starter()
    office = await sign_in("zhang", "office")
    approver = await sign_in("li", "approver")
    draft = await draft_hash()
    form = {"hash": draft, "effective": "2026-01-01T00:00", "note": "首次发布"}
    early = await office.post("/publish", data=form)
    assert early.status_code == 422
    assert "还缺 1 人审批" in early.text
    assert (await office.post("/publish/approval", data={"hash": draft})).status_code == 403
    assert (await approver.post("/publish/approval", data={"hash": "0" * 64})).status_code == 409
    assert (await approver.post("/publish/approval", data={"hash": draft})).status_code == 303
    done = await office.post("/publish", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/publish?published=1")
    version = await Version.select().first()
    assert version is not None
    assert (version["published_by"], version["approved_by"], version["note"]) == ("zhang", ["li"], "首次发布")
    page = (await office.get("/publish?published=1")).text
    assert "已发布为第 1 版" in page
    assert "与现行版本相同" in page
    for method in ("PATCH", "DELETE", "PUT"):
        answer = await office.request(method, f"{TABLES}/rulebook_version/1/", json={"note": "改"})
        assert answer.status_code == 405, method
    assert raw["rulebook"] == version["rulebook"]


async def test_an_editor_does_not_approve_and_an_edit_voids_an_approval(sign_in: SignIn) -> None:
    both = await sign_in("zhang", "office", "approver")
    approver = await sign_in("li", "approver")
    await change(both, "K03", points="-0.80")
    draft = await draft_hash()
    assert (await both.post("/publish/approval", data={"hash": draft})).status_code == 422
    assert (await approver.post("/publish/approval", data={"hash": draft})).status_code == 303
    await change(both, "K03", points="-0.90")
    form = {"hash": await draft_hash(), "effective": "2026-01-01T00:00"}
    assert "还缺 1 人审批" in (await both.post("/publish", data=form)).text
    stale = await both.post("/publish", data={**form, "hash": draft})
    assert stale.status_code == 409


async def test_a_finding_leads_to_its_row(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    event_type = (await rule("K03"))["event_type"]
    values = {"code": "X1", "event_type": event_type, "points_kind": "table", "points_field": "level"}
    made = await client.post(f"{TABLES}/draft_rule/", json=values)
    page = (await client.get("/publish")).text
    assert "须改正" in page
    assert f"/admin/#/draft_rule/{made.json()[0]['id']}" in page
    assert "<button disabled>" in page


@pytest.mark.parametrize(
    ("table", "values", "column"),
    [
        ("draft_consequence", {"rule": "K03", "charge": "owner", "points": "-1", "range_below": "1"}, "差异规则"),
        ("draft_consequence", {"rule": "K13", "charge": "owner", "points": "-1", "range_below": "1"}, "计给谁"),
        ("draft_consequence", {"rule": "K11", "charge": "unit", "points": "-1", "range_below": "1"}, "计给谁"),
        ("draft_consequence", {"rule": "K12", "charge": "owner", "points": "-1"}, "极差小于"),
        ("draft_consequence", {"rule": "K12", "charge": "owner", "points": "-1", "cv_below": "-1"}, "变异系数小于"),
        ("draft_compared", {"rule": "K13", "indicator": 1}, "差异规则"),
        ("draft_rule_limit", {"rule": "K40", "limit": 1}, "规则"),
        ("draft_measure_step", {"indicator": 1, "rater_group": "x"}, "评价方"),
        ("draft_part", {"scorecard": 1, "weight": "0", "category": "key"}, "权重"),
        ("draft_linkage", {"post": "x", "share": "2"}, "单位总分所占比例"),
        ("draft_award", {"code": "a", "kind": "person", "top_share": "101"}, "取前百分之几"),
        ("draft_days", {"kind": "holiday", "first": "2026-10-07", "last": "2026-10-01"}, "最后一天（含）"),
        ("draft_days", {"kind": "holiday", "first": "2026-10-07"}, "最后一天（含）"),
    ],
)
async def test_rows_of_further_kinds_are_checked(sign_in: SignIn, table: str, values: Any, column: str) -> None:
    client = await sign_in("zhang", "office")
    if "rule" in values:
        values = {**values, "rule": (await rule(values["rule"]))["id"]}
    answer = await client.post(f"{TABLES}/{table}/", json=values)
    assert answer.status_code == 422, answer.text
    assert column in [finding["loc"][0] for finding in answer.json()["detail"]]


async def test_a_veto_is_written_in_columns_and_its_condition_checked(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    wrong = await change(client, "K40", condition="nonsense ==")
    assert [finding["loc"] for finding in wrong.json()["detail"]] == [["触发条件"]]
    assert re.match("第 [0-9]+ 列：", wrong.json()["detail"][0]["msg"])
    assert (await change(client, "K40", veto_to=None)).status_code == 422
    assert (await change(client, "K40", veto_to="55.5")).status_code == 200
    rules: Any = (await read_draft())["rules"]
    assert str(next(each for each in rules if each["rule"] == "K40")["to"]) == "55.5"


async def test_cases_are_looked_at_and_never_typed(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    before = await draft_hash()
    answer = await client.patch(f"{TABLES}/draft/1/", json={"cases_json": "[]"})
    assert (answer.status_code, await draft_hash()) == (422, before)
    assert (await client.patch(f"{TABLES}/draft/1/", json={"floor": "61"})).status_code == 200


async def test_a_finding_on_a_scorecard_leads_to_its_part(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    card = await client.post(f"{TABLES}/draft_scorecard/", json={"group_code": "none"})
    assert card.status_code == 201, card.text
    part = await client.post(
        f"{TABLES}/draft_part/", json={"scorecard": card.json()[0]["id"], "weight": "1", "category": "nothing"}
    )
    assert part.status_code == 201, part.text
    assert f"/admin/#/draft_part/{part.json()[0]['id']}" in (await client.get("/publish")).text


async def test_rules_of_every_kind_are_made_from_nothing(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    indicator, fault = await rule("K11"), await rule("K40")
    compared = (await client.get(f"{TABLES}/draft_compared/")).json()["rows"][0]["indicator"]
    made: dict[str, int] = {}
    kinds: dict[str, dict[str, Any]] = {
        "N1": {"kind": "joint", "relation": "lead_dept", "share": "0.3"},
        "N2": {"kind": "differentiation", "compares": "indicators", "among": "group", "groups": ["branch"]},
        "N3": {"kind": "progress", "progress": "rank", "points": "0.1"},
        "N4": {"kind": "veto", "event_type": fault["event_type"], "veto_to": "60"},
    }
    for code, values in kinds.items():
        answer = await client.post(f"{TABLES}/draft_rule/", json={"code": code, **values})
        assert answer.status_code == 201, answer.text
        made[code] = answer.json()[0]["id"]
    assert indicator["compares"] == "indicators"
    for table, values in (
        ("draft_compared", {"rule": made["N2"], "indicator": compared}),
        ("draft_consequence", {"rule": made["N2"], "charge": "members", "points": "-0.1", "all_equal": True}),
    ):
        answer = await client.post(f"{TABLES}/{table}/", json=values)
        assert answer.status_code == 201, answer.text
    rules: Any = (await read_draft())["rules"]
    by_code = {each["rule"]: each for each in rules}
    assert by_code["N2"]["undifferentiated"]["when"] == {"all_equal": True}
    page = (await client.get("/publish")).text
    assert "须改正" not in page


async def test_checks_of_every_kind_run_on_one_table(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    held = await DraftLimit.select(DraftLimit.id, DraftLimit.code).first()
    assert held is not None
    row = f"{TABLES}/draft_limit/{held['id']}/"
    made = await client.post(f"{TABLES}/draft_limit/", json={"code": "有 空格", "per": "year", "max": "1"})
    changed = await client.patch(row, json={"code": ""})
    deleted = await client.delete(row)
    assert [each.status_code for each in (made, changed, deleted)] == [422, 422, 405]
    assert await DraftLimit.exists().where((DraftLimit.id == held["id"]) & (DraftLimit.code == held["code"]))


async def test_users_made_in_the_panel_need_no_mail_address(sign_in: SignIn) -> None:
    manager = await sign_in("li", "office", "integrator")
    for name in ("wang", "zhao"):
        made = await manager.post(f"{TABLES}/app_user/", json={"username": name, "password": PASSWORD, "email": ""})
        assert made.status_code == 201, made.text
        held = await manager.get(f"{TABLES}/app_user/{made.json()[0]['id']}/")
        assert held.json()["email"] is None
    ids = [each["id"] for each in (await manager.get(f"{TABLES}/app_user/")).json()["rows"]]
    for user in ids:
        assert (await manager.patch(f"{TABLES}/app_user/{user}/", json={"email": ""})).status_code < 500
    assert await User.count() == 3


async def test_a_role_names_its_user(sign_in: SignIn) -> None:
    manager = await sign_in("li", "office", "integrator")
    answer = await manager.post(f"{TABLES}/user_role/", json={"role": "office"})
    assert (answer.status_code, [each["loc"] for each in answer.json()["detail"]]) == (422, [["用户"]])
    row = (await manager.get(f"{TABLES}/user_role/")).json()["rows"][0]["id"]
    assert (await manager.patch(f"{TABLES}/user_role/{row}/", json={"user": None})).status_code == 422


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://office.test", 200), ("https://office.test:8443", 200), ("https://evil.example", 403), (None, 403)],
)
async def test_under_https_the_panel_takes_what_its_own_pages_write(
    sign_in: SignIn, origin: str | None, status: int
) -> None:
    client = await sign_in("zhang", "office")
    path = f"https://office.test{TABLES}/draft_rule/{(await rule('K03'))['id']}/"
    headers = {} if origin is None else {"origin": origin}
    answer = await client.patch(path, json={"points": "-0.80"}, headers=headers)
    assert answer.status_code == status, answer.text
