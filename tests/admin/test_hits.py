"""What a rule that is being written would have hit: asked by the editor, answered from the ledger."""

from typing import Any

import httpx
import pytest

from admin.changes import replace_draft
from engine.event import EventKey
from engine.report import parse_report
from ledger.hits import find_hits
from rules.draft import read_draft
from rules.proposal import propose
from rules.tree import load_yaml
from tests.admin.conftest import SignIn
from tests.notices import RULES, fill_notices, notice
from tests.notices import _june as june  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("june")]

CITY: dict[str, Any] = {"rule": "K02", "on": "notice", "when": 'level == "city"', "points": "-0.50"}


async def ask(client: httpx.AsyncClient, rule: Any, **more: Any) -> dict[str, Any]:
    answer = await client.post("/desk/hits", json={"rule": rule, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ids(told: dict[str, Any]) -> list[str]:
    return [each["id"] for each in told["events"]]


async def test_an_event_rule_tells_what_it_would_have_hit(sign_in: SignIn) -> None:
    recorder = await fill_notices()
    client = await sign_in("zhang", "office")
    told = await ask(client, CITY)
    assert (told["checked"], told["hit"], told["unfit"], told["since"], told["capped"]) == (
        8, 5, 0, "2025-12-01", False)  # fmt: skip
    assert ids(told) == ["N7", "N6", "N3", "N2", "N1"]
    assert told["events"][0] == {
        "source": "office", "id": "N7", "type": "notice", "time": "2026-05-12T10:00:00+08:00", "subject": "B2",
        "name": "河西分局", "href": "/audit/events/office/N7",
    }  # fmt: skip
    assert told["findings"] == []
    assert told["said"] == "2025-12-01 以来的 8 个事件中，会命中 5 个。"
    assert ids(await ask(client, CITY, months=2)) == ["N7", "N6"]
    await recorder.retract(EventKey("office", "N7"), "误报", "zhang")
    assert ids(await ask(client, CITY, months=2)) == ["N6"]
    # unknown is not true, nor is its negation
    assert ids(await ask(client, {**CITY, "when": 'not level == "city"'})) == ["N5", "N4"]
    # a rule that is switched off is asked as if it were on
    assert (await ask(client, {**CITY, "enabled": "false"}))["hit"] == 4
    # the first day of the month, by the local date: 23:59 of 31 March in UTC is 1 April here
    await recorder.record(parse_report(notice(20, "B1", "2026-03-31T15:59:59Z", level="city")))
    await recorder.record(parse_report(notice(21, "B1", "2026-03-31T16:00:00Z", level="city")))
    assert ids(await ask(client, CITY, months=2)) == ["N6", "N21"]


async def test_who_is_charged_must_be_there_and_the_points_must_come_out(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "auditor")
    assert ids(await ask(client, {**CITY, "charge": "direct_person"})) == ["N7"]
    assert ids(await ask(client, {**CITY, "charge": "lead_dept"})) == ["N2", "N1"]
    # without its field an amount does not come out, and the rule does not fire
    assert ids(await ask(client, {"rule": "X", "on": "notice", "points": "-1", "times": "times"})) == ["N4", "N2"]
    table = {"field": "level", "table": {"province": "-2"}}
    assert ids(await ask(client, {"rule": "X", "on": "notice", "points": table})) == ["N4"]
    # while the points are not written yet, the condition alone is judged
    told = await ask(client, {"rule": "K02", "on": "notice", "when": 'level == "city"'})
    assert told["hit"] == 5
    assert [each["path"] for each in told["findings"]] == ["points"]
    assert ids(await ask(client, {"rule": "K02", "on": "notice", "charge": "direct_person"})) == ["N7"]


async def test_joint_rules_hit_where_a_charge_travels(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("li", "approver")
    joint = {"rule": "J01", "joint": "lead_dept", "of": ["K01", "K02"], "share": "0.30"}
    told = await ask(client, joint)
    # B2 has no lead department; N6 leaves it out; N5 and N8 fire no rule
    assert (told["checked"], ids(told)) == (8, ["N4", "N2", "N1"])
    assert ids(await ask(client, {**joint, "of": ["K01"]})) == ["N4"]
    assert ids(await ask(client, {**joint, "when": "times > 1"})) == ["N2"]
    assert ids(await ask(client, {**joint, "sign": "bonus"})) == []
    assert ids(await ask(client, {"rule": "J02", "joint": "direct_person", "share": "0.1"})) == ["N7"]
    # it answers by its own relation alone, even where another joint rule goes another way
    assert ids(await ask(client, {"rule": "J02", "joint": "superior", "share": "0.1"})) == []


async def test_vetoes_hit_and_rules_of_periods_say_that_they_do_not(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    veto = {"rule": "V01", "veto": "total", "on": "notice", "when": 'level == "province"', "to": "60"}
    assert ids(await ask(client, veto)) == ["N4"]
    party = {**veto, "when": 'level == "city"', "charge": "direct_person"}
    assert ids(await ask(client, party)) == ["N7"]
    told = await ask(client, {"rule": "P01", "progress": "total", "points": "0.10"})
    assert (told["checked"], told["events"]) == (0, [])
    assert told["findings"] == [
        {"path": "", "message": "这类规则在考评期结算时判断，没有逐条命中的事件。", "level": "note"}
    ]


WRONG: list[tuple[Any, list[str] | None]] = [
    ({**CITY, "when": 'level = "city"'}, ["when"]),
    ({**CITY, "when": "nothing > 1"}, ["when"]),
    ({**CITY, "on": "party"}, ["on"]),
    ({**CITY, "wenn": "1"}, ["wenn"]),
    ({**CITY, "points": {"field": "level", "table": {"town": "1"}}}, ["points.table.town"]),
    ({"rule": "X"}, [""]),
    ({}, [""]),
    (None, [""]),
    ([], [""]),
    ("K02", [""]),
    ({"rule": "X", "joint": "lead_dept", "of": ["K77"], "share": "0.3"}, ["of[0]"]),
    ({"rule": [1], "on": {"a": "b"}, "when": 7, "points": True, "factors": 3}, None),
]


async def test_what_is_wrong_with_the_rule_is_told_and_never_an_error(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office", language="en")
    for rule, paths in WRONG:
        told = await ask(client, rule)
        found = [each["path"] for each in told["findings"] if each["level"] == "error"]
        assert found, rule
        assert paths in (None, found)
        assert all(each["message"] for each in told["findings"])


async def test_a_draft_that_is_wrong_elsewhere_does_not_matter(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    raw: Any = load_yaml(RULES)[0].raw
    del raw["effective"]
    raw["rules"][0] = {"rule": "K01", "on": "notice", "when": "level ==", "points": "-1"}
    raw["event_types"]["accident"]["fields"] = {"kind": {"type": "choice"}}
    await replace_draft(raw, "somebody")
    assert (await ask(client, CITY))["hit"] == 5
    # the broken rule is no source of a joint one: its condition would hold always
    joint = {"rule": "J01", "joint": "lead_dept", "share": "0.30"}
    assert ids(await ask(client, joint)) == ["N2", "N1"]
    told = await ask(client, {"rule": "V01", "veto": "total", "on": "accident", "to": "60"})
    assert [each["path"] for each in told["findings"]] == ["on"]
    assert "event_types.accident.fields.kind" in told["findings"][0]["message"]


async def test_events_that_do_not_fit_the_draft_are_counted_apart(sign_in: SignIn) -> None:
    await fill_notices()
    client = await sign_in("zhang", "office")
    raw: Any = load_yaml(RULES)[0].raw
    raw["event_types"]["notice"]["fields"]["times"]["required"] = "true"
    raw["event_types"]["notice"]["fields"]["level"]["choices"] = {"city": "市局", "county": "县局"}
    raw["rules"] = raw["rules"][1:2]
    await replace_draft(raw, "somebody")
    told = await ask(client, CITY)
    assert (told["checked"], told["hit"], told["unfit"], ids(told)) == (8, 1, 7, ["N2"])
    assert told["said"].endswith("；另有 7 个不合草稿的事件类型，未作判断。")


async def test_the_newest_are_looked_at_where_there_are_too_many(sign_in: SignIn) -> None:
    await fill_notices()
    await sign_in("zhang", "office")
    proposal = propose(await read_draft(), CITY)
    found = await find_hits(proposal, most=3)
    assert (found.checked, found.hit, found.capped) == (3, 2, True)
    assert [each.id for each in found.missed] == ["N8"]
    exactly = await find_hits(proposal, most=8)
    assert (exactly.checked, exactly.capped) == (8, False)
    late = await find_hits(proposal, longest=-1)
    assert (late.checked, late.capped) == (0, True)


BODIES = ("", "nonsense", "[]", "{}", '{"rule": {}, "more": 1}', '{"rule": {}, "months": 0}',
          '{"rule": {}, "months": 25}', '{"rule": {}, "months": "x"}', '{"rule": {}, "rule": {}}',
          '{"rule": 1e999}')  # fmt: skip


async def test_a_question_that_cannot_be_read_is_refused_with_a_finding(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    for body in BODIES:
        answer = await client.post("/desk/hits", content=body)
        assert answer.status_code == 400, (body, answer.text)
        assert answer.json()["findings"][0]["message"]


async def test_who_may_ask(sign_in: SignIn, browser_of_nobody: httpx.AsyncClient) -> None:
    for name, role, status in (("a", "office", 200), ("b", "approver", 200), ("c", "auditor", 200),
                               ("d", "subject", 403), ("e", "assessor", 403), ("f", "integrator", 403)):  # fmt: skip
        client = await sign_in(name, role)
        assert (await client.post("/desk/hits", json={"rule": CITY})).status_code == status, role
    client = await sign_in("g", "office")
    del client.headers["x-csrftoken"]
    assert (await client.post("/desk/hits", json={"rule": CITY})).status_code == 403
    assert (await browser_of_nobody.post("/desk/hits", json={"rule": CITY})).status_code == 303
