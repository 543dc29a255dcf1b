"""Comparing two rulebooks: every field that differs in words, schedules row by row, nothing that reads like JSON."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language import Language, render
from ledger.filling import read_starter
from rules.comparison import Change, compare
from rules.document import read_rulebook, write_rulebook
from rules.naming import Names

RAW: Any = read_starter()[0]
OLD: Any = write_rulebook(read_rulebook(RAW))


def changed(**edits: Any) -> dict[str, Any]:
    """The starter's canonical document, with what the edits make of parts of it."""
    tree: dict[str, Any] = copy.deepcopy(OLD)
    for section, edit in edits.items():
        edit(tree[section])
    return tree


def rule(tree: Any, code: str) -> Any:
    return next(each for each in tree if each["rule"] == code)


def said(changes: tuple[Change, ...], language: Language = "zh-CN") -> list[str]:
    return [f"{each.called(language)}|{render(one, language)}" for each in changes for one in each.sentences]


def test_the_same_says_nothing() -> None:
    assert compare(OLD, copy.deepcopy(OLD)) == ()


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (changed(rules=lambda held: rule(held, "K19")["points"]["table"].update(late="-0.90")),
         "会议迟到缺席|分值·查表·迟到：-0.50 → -0.90"),
        (changed(rules=lambda held: rule(held, "K15")["points"]["progressive"].__setitem__(1, ["9", "-0.33"])),
         "督办逾期|分值·累进档·至 9：设为 -0.33"),
        (changed(rules=lambda held: rule(held, "K05")["of"].remove("K18")), "牵头部门连带|连带来源去掉：K18 公文差错"),
        (changed(rules=lambda held: rule(held, "K03")["factors"][0].update(by="3")),
         "市局通报批评|系数·“K21 同类问题 90 天内重复发生加倍”·乘以：2 → 3"),
        (changed(rules=lambda held: rule(held, "K03").update(points={"field": "level", "table": {"city": "-1.00"}})),
         "市局通报批评|分值：-0.50 → 字段 level 通报级别、查表（市局 -1.00）"),
        (changed(rules=lambda held: rule(held, "K01").update(enabled=False)), "总局通报批评|启用：设为 否"),
        (changed(indicators=lambda held: held["I-RANK"]["measure"]["rank"].__setitem__(0, "77")),
         "K31 全省条线排名|计量方法·按名次得分·第 1 名：10 → 77"),
        (changed(scorecards=lambda held: held[0]["parts"][0].update(weight="55")),
         "适用于单位|“K36 重点工作”·权重：70 → 55"),
        (changed(standing=lambda held: held["tiers"].update(shares=["20", "60", "20"])), "|分段·占比·第 2 段：40 → 60"),
        (changed(event_types=lambda held: held["award"]["fields"].update(e={"title": "额外", "type": "text"})),
         "表彰|字段·“e 额外”：设为 名称 额外、类别 文本"),
        (changed(event_types=lambda held: held["award"]["fields"]["level"]["choices"].update(town="乡镇")),
         "表彰|字段·“level 表彰级别”·选项·town：设为 乡镇"),
        ({**OLD, "holidays": ["2026-10-01"]}, "|节假日增加：2026-10-01"),
        (changed(rules=lambda held: held.insert(0, held.pop(5))), f"|{OLD['rules'][5]['rule']} 的次序：排在最前"),
    ],
)  # fmt: skip
def test_each_difference_is_one_sentence(new: dict[str, Any], sentence: str) -> None:
    assert sentence in said(compare(OLD, new))
    assert {each.section for each in compare(OLD, new)} == {compare(OLD, new)[0].section}


def test_only_the_rules_that_moved_are_said_to_have() -> None:
    new = changed(rules=lambda held: held.append(held.pop(2)))
    (change,) = compare(OLD, new)
    assert said((change,)) == [f"|{OLD['rules'][2]['rule']} 的次序：排在 {OLD['rules'][-1]['rule']} 之后"]


def test_cases_are_compared_where_both_bring_them() -> None:
    old: Any = {**OLD, "cases": [{"case": "甲", "steps": []}, {"case": "乙", "steps": []}]}
    new: Any = {**OLD, "cases": [{"case": "乙", "steps": [1]}, {"case": "丙", "steps": []}]}
    assert said(compare(old, new)) == ["|新增用例 1 个：丙", "|删除用例 1 个：甲", "|修改用例 1 个：乙"]
    assert compare(OLD, new) == ()


LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
SECTIONS = ("rules", "indicators", "limits", "event_types", "scorecards", "standing")


@given(st.data())
def test_whatever_differs_is_said_and_does_not_read_like_json(data: Any) -> None:
    """Any leaf of the document is taken away or exchanged; no sentence has brackets."""
    new = copy.deepcopy(OLD)
    for _ in range(data.draw(st.integers(1, 4))):
        held: Any = new[data.draw(st.sampled_from(SECTIONS))]
        while isinstance(held, (dict, list)) and held:
            keys = list(held) if isinstance(held, dict) else list(range(len(held)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(held[key], (dict, list)) or not held[key] or data.draw(st.integers(0, 9)) == 0:
                if data.draw(st.booleans()) and key not in ("rule", "title") and not isinstance(held, list):
                    del held[key]
                elif isinstance(held[key], str) and key != "rule":
                    held[key] = data.draw(st.sampled_from(["9.99", "x", "甲"]))
                break
            held = held[key]
    changes = compare(OLD, new)
    assert bool(changes) == (new != OLD)
    for language in LANGUAGES:
        for sentence in said(changes, language):
            if not re.search("条件|condition", sentence):  # a condition is shown as it is written
                assert not re.search(r"[{}\[\]']", sentence), sentence


def test_names_of_the_newer_document_count() -> None:
    names = Names({"limits": {"a": {"title": "旧"}}}, {"limits": {"a": {"title": "新"}}})
    assert names.of("limits", "a") == "a 新"
    assert names.of("limits", "b") == "b"
