"""Why an event charged whom, and why not: every rule, and for joint rules every charge that could have travelled."""

from datetime import date
from typing import Any

import pytest

from engine.direct import DirectMatcher
from engine.event import EventKey
from engine.organisation import TIMEZONE, Place, Relation, Subject
from engine.period import Period
from engine.report import parse_report
from ledger import acts, settling
from ledger.current import Current, use_current
from ledger.explanation import explain_entry
from ledger.firing import Firing, explain_event
from ledger.listing import EntryFilter, list_entries
from ledger.recording import Recorder
from ledger.sight import Sight
from rules.document import read_rulebook

pytestmark = pytest.mark.anyio

RULEBOOK: Any = {
    "rulebook": "travelling", "effective": "2026-01-01T00:00:00+08:00", "joint": {"depth": 2},
    "event_types": {"notice": {"title": "通报", "fields": {
        "level": {"title": "级别", "type": "choice", "choices": {"city": "市局", "county": "县局"}},
        "worth": {"type": "decimal"},
    }}},
    "limits": {"L": {"title": "季度封顶", "sign": "deduction", "per": "quarter", "max": "0.60"}},
    "rules": [
        {"rule": "K1", "title": "通报扣分", "on": "notice", "when": 'level == "city"', "points": "-1.00",
         "matter": "highest"},
        {"rule": "K2", "on": "notice", "points": {"field": "worth", "share": "-1"}},
        {"rule": "K9", "title": "停用的", "on": "notice", "points": "-9", "enabled": False},
        {"rule": "J1", "joint": "lead_dept", "of": ["K1"], "share": "0.5", "limits": ["L"]},
        {"rule": "J2", "joint": "co_dept", "share": "0.1"},
        {"rule": "J3", "joint": "principal", "share": "0.1", "sign": "bonus"},
        {"rule": "J4", "joint": "superior", "share": "0.1", "when": 'level == "county"'},
        {"rule": "J5", "joint": "owner", "share": "0.1"},
        {"rule": "J6", "joint": "direct_person", "share": "0.1"},
    ],
}  # fmt: skip
NAMED = (
    ("U1", "lead_dept", "D1"), ("U1", "co_dept", "D1"), ("U1", "superior", "D3"), ("U1", "principal", "P1"),
    ("D1", "lead_dept", "D2"), ("D2", "owner", "D3"),
)  # fmt: skip


async def fill() -> Recorder:
    current = Current(TIMEZONE, DirectMatcher)
    use_current(current)
    subjects = [
        Subject(code=code, name=f"{code}的名称", places=(Place(kind="unit", group="g"),))
        for code in ("U1", "U2", "D1", "D2", "D3", "P1")
    ]
    relations = [Relation(subject=subject, relation=name, answers=answers) for subject, name, answers in NAMED]
    await acts.organise(date(2026, 1, 1), subjects, relations, reason="", actor="test")
    await acts.publish_rulebook(read_rulebook(RULEBOOK), actor="test")
    return Recorder(current)


async def report(recorder: Recorder, number: int, **given: Any) -> EventKey:
    told = {"id": f"E{number}", "type": "notice", "subject": "U1", "time": f"2026-03-{number:02}T09:00:00+08:00",
            "data": {"level": "city"}, **given}  # fmt: skip
    await recorder.record(parse_report(told))
    return EventKey("manual", f"E{number}")


def reasons(firing: Firing, of: str = "K1") -> dict[str, str | tuple[str, ...]]:
    return {
        each.rule.code: travel.reason or travel.reached
        for each in firing.rules
        for travel in each.travels
        if travel.origin_rule == of
    }


async def test_each_joint_rule_tells_whom_it_reached_or_why_nobody(pool: object) -> None:
    recorder = await fill()
    firing = await explain_event(await report(recorder, 1), "zh-CN")
    assert reasons(firing) == {
        "J1": ("D1", "D2"), "J2": "better", "J3": "sign", "J4": "when", "J5": "depth", "J6": "nobody",
    }  # fmt: skip
    said = {travel.reason: travel.why for each in firing.rules for travel in each.travels}
    assert said["depth"] == "“D2”的“owner”超出连带层数 2"
    assert said["nobody"] == "没有人是“U1”的“direct_person”"
    by_code = {each.rule.code: each for each in firing.rules}
    assert "K9" not in by_code
    assert [(rule.code, rule.title) for rule in firing.disabled] == [("K9", "停用的")]
    assert by_code["K2"].silent is not None
    assert (by_code["J4"].fired, by_code["J4"].comparisons[0].result) == (False, False)
    compared = by_code["K1"].comparisons[0]
    assert (compared.expected, compared.expected_words, compared.actual_words) == ("city", "市局", "市局")
    assert {field.name: field.words for field in firing.fields} == {"level": "市局", "worth": ""}


async def test_a_charge_that_does_not_count_or_is_left_out_does_not_travel(pool: object) -> None:
    recorder = await fill()
    await report(recorder, 1, matter="M")
    second = await report(recorder, 2, matter="M", data={"level": "city", "worth": "0.50"}, parties={"co_dept": []})
    firing = await explain_event(second, "zh-CN")
    assert set(reasons(firing).values()) == {"superseded"}
    assert reasons(firing, "K2")["J1"] == "of"
    assert reasons(firing, "K2")["J2"] == "excluded"
    nothing = await report(recorder, 3, data={"level": "county", "worth": "0"})
    assert reasons(await explain_event(nothing, "zh-CN"), "K2")["J2"] == "zero"


async def test_the_charges_are_a_tree_that_says_what_was_clipped(pool: object) -> None:
    recorder = await fill()
    await report(recorder, 1)
    firing = await explain_event(await report(recorder, 2), "zh-CN")
    told = [(each.rule, each.path, str(each.nominal), str(each.posted)) for each in firing.charges.items]
    assert told == [
        ("K1", ("U1",), "-1.00", "-1.00"),
        ("J1", ("U1", "D1"), "-0.50", "-0.10"),
        ("J1", ("U1", "D1", "D2"), "-0.25", "-0.25"),
    ]
    clipped = firing.charges.items[1].clipped[0]
    assert (clipped.limit, str(clipped.room), str(clipped.taken)) == ("L", "0.10", "0.10")


async def test_who_used_the_room_is_told_with_what_they_had_then(pool: object) -> None:
    recorder = await fill()
    first, second = await report(recorder, 1), await report(recorder, 2)
    entries, _ = await list_entries(EntryFilter(event=second.id, subject="D1"))
    (room,) = (await explain_entry(entries[0].id, "zh-CN")).limits
    (user,) = room.users
    assert (user.event, user.rule, user.subject, str(user.posted)) == (first.id, "J1", "D1", "-0.50")
    assert room.used_by == (user.entry,)
    await recorder.retract(first, "误报", "test")
    (again,) = (await explain_entry(entries[0].id, "zh-CN")).limits
    assert again == room


async def test_a_matter_is_told_from_both_sides(pool: object) -> None:
    recorder = await fill()
    first, second = await report(recorder, 1, matter="M"), await report(recorder, 2, matter="M")
    counted, other = [(await list_entries(EntryFilter(event=key.id, rule="K1")))[0][0].id for key in (first, second)]
    assert (await explain_entry(other, "zh-CN")).superseded_by == counted
    told = await explain_entry(counted, "zh-CN")
    assert [(each.entry, each.event) for each in told.supersedes] == [(other, "E2")]
    assert (await explain_entry(other, "zh-CN")).supersedes == ()


async def test_a_withdrawn_event_is_explained_by_what_charged_it(pool: object) -> None:
    recorder = await fill()
    key = await report(recorder, 1)
    await recorder.retract(key, "误报", "zhang")
    later = {**RULEBOOK, "effective": "2026-02-01T00:00:00+08:00", "event_types": {"other": {"fields": {}}},
             "limits": {}, "rules": []}  # fmt: skip
    await acts.publish_rulebook(read_rulebook(later), reason="换版", actor="test")
    firing = await explain_event(key, "zh-CN")
    assert (firing.version, firing.rules[0].fired) == (1, True)
    assert [str(each.posted) for each in firing.charges.items] == ["0.00", "0.00", "0.00"]
    told = await explain_entry(firing.charges.items[0].entry, "zh-CN")
    assert told.later[0].act is not None
    assert (told.later[0].act.reason, told.later[0].act.actor) == ("误报", "zhang")


async def test_who_sees_one_subject_is_not_told_of_others(pool: object) -> None:
    recorder = await fill()
    key = await report(recorder, 1)
    sight = Sight(subject="D1")
    firing = await explain_event(key, "zh-CN", sight)
    assert ([each.subject for each in firing.charges.items], firing.charges.hidden) == (["D1"], 2)
    assert {code for each in firing.rules for travel in each.travels for code in travel.reached} == {"D1"}
    own = firing.charges.items[0].entry
    assert {number for each in firing.rules for number in each.entries} == {own}
    told = await explain_entry(own, "zh-CN", sight)
    assert ([each.subject for each in told.charges.items], told.charges.hidden) == (["D1"], 2)
    # what its own arithmetic is made of is its own
    assert (told.arithmetic[0].step, told.arithmetic[0].value) == ("source", "-1.00")


async def test_a_task_that_grows_says_to_which_day(pool: object) -> None:
    recorder = await fill()
    later: Any = {
        "rulebook": "tasks", "effective": "2026-04-01T00:00:00+08:00",
        "event_types": {"task": {"title": "督办", "fields": {
            "due": {"title": "期限", "type": "date"}, "done": {"title": "办结", "type": "date"},
            "late": {"title": "超期天数", "type": "integer", "days_late": {"due": "due", "done": "done"}},
        }}},
        "rules": [{"rule": "T", "on": "task", "points": {"field": "late", "share": "-0.1"}}],
    }  # fmt: skip
    await acts.publish_rulebook(read_rulebook(later), actor="test")
    await acts.declare(
        [Period(code="2026-04", kind="month", start=date(2026, 4, 1), end=date(2026, 5, 1))], actor="test"
    )
    key = await report(recorder, 5, type="task", time="2026-04-05T09:00:00+08:00", data={"due": "2026-04-03"})
    (first,), _ = await list_entries(EntryFilter(event=key.id))
    before = await explain_entry(first.id, "zh-CN")
    assert (before.growing, str(before.entry.posted), before.later) == (date(2026, 4, 5), "-0.20", ())
    await settling.settle("2026-04", actor="zhang", reason="按期")
    after = await explain_entry(first.id, "zh-CN")
    assert after.growing == date(2026, 4, 30)
    assert [(each.posted, each.act.kind, each.act.reason) for each in after.later if each.act] == [
        ("-2.50", "settlement", "按期")
    ]
    late = {field.name: field for field in (await explain_event(key, "zh-CN")).fields}["late"]
    assert (late.derived, late.value, late.title) == (True, 27, "超期天数")
