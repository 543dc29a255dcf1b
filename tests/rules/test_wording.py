"""A rule in words: every kind and every way of finding points, in both languages, without a code that has a title."""

from pathlib import Path
from typing import Any

import pytest

from engine.rulebook import Rulebook
from rules.document import read_rulebook
from rules.tree import load_yaml
from rules.wording import say_rule

ROOT = Path(__file__).parents[2]
STARTERS = sorted((ROOT / "rules" / "starter").glob("*.yaml"))

RULEBOOK: Any = {
    "rulebook": "words", "effective": "2026-01-01T00:00:00+08:00",
    "event_types": {"notice": {"title": "通报", "fields": {
        "level": {"title": "级别", "type": "choice", "choices": {"city": "市局"}},
        "days": {"title": "天数", "type": "decimal"},
    }}},
    "indicators": {"I1": {"title": "公文", "owner": "D1"}},
    "limits": {"L1": {"title": "季度封顶", "sign": "deduction", "per": "quarter", "max": "3"}},
    "rules": [
        {"rule": "A", "title": "通报扣分", "on": "notice", "when": 'level == "city"', "points": "-0.5",
         "limits": ["L1"], "max": "2", "matter": "highest", "times": "days",
         "factors": [{"title": "重复", "repeat": {"within_days": 90, "same": ["level"]}, "by": "2"}]},
        {"rule": "B", "on": "notice", "points": {"field": "days", "bands": [["10", "-1"]], "else": "0"}},
        {"rule": "C", "on": "notice", "points": {"field": "days", "progressive": [["3", "-0.1"], [None, "-0.2"]]}},
        {"rule": "D", "on": "notice", "points": {"field": "days", "share": "-2"}, "charge": "lead_dept"},
        {"rule": "E", "on": "notice", "points": {"field": "level", "table": {"city": "-1"}}},
        {"rule": "J", "joint": "principal", "of": ["A"], "sign": "deduction", "share": "0.3", "split": "pro_rata"},
        {"rule": "V", "veto": "total", "on": "notice", "to": "59"},
        {"rule": "F", "differentiation": ["I1"], "among": "group", "per": "quarter",
         "undifferentiated": {"when": {"range_below": "0.1"}, "charge": "owner", "points": "-0.5"}},
        {"rule": "P", "progress": "rank", "among": "group", "points": "0.2", "max": "0.6"},
    ],
}  # fmt: skip
SAID = {
    "A": ["发生“通报”且级别 为 市局，计给事件主体。", "分值 −0.50。", "乘以“天数”（次数）。",
          "90 天内“级别”相同的同类事件重复发生时，乘以系数“重复”：2。", "每次不超过 2.00。", "同一事项只取最高的一项。",
          "封顶“季度封顶”：每季度减分合计不超过 3.00。"],
    "B": ["发生“通报”，计给事件主体。", "按“天数”分档：达到 10 的 −1.00、其余 0.00。"],
    "C": ["发生“通报”，计给事件主体。", "按“天数”累进：至 3 每一单位 −0.10、以上每一单位 −0.20。"],
    "D": ["发生“通报”，计给牵头部门。", "分值为“天数”乘以 −2。"],
    "E": ["发生“通报”，计给事件主体。", "按“级别”查表：市局 −1.00。"],
    "J": ["A 通报扣分的减分，连带到主要负责人：来源分值的 30%。", "多人时按人数分摊。"],
    "V": ["发生“通报”，事件主体在该考评期的总分不超过 59。"],
    "F": ["每季度比较同一序列内的指标得分（公文）；有数据的不足 2 个时不作判断。",
          "无差异（极差小于 0.1）时，计给考评部门 −0.50。"],
    "P": ["每个考评期与上一期比，名次每前进一名计 +0.20。", "每次不超过 0.60。"],
}  # fmt: skip


def test_each_kind_is_said_as_people_say_it() -> None:
    rulebook = read_rulebook(RULEBOOK)
    assert {rule.code: list(say_rule(rule, rulebook, "zh-CN")) for rule in rulebook.rules} == SAID


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_every_rule_of_the_starters_has_words_in_both_languages(path: Path) -> None:
    raw: Any = load_yaml(path.read_bytes())[0].raw
    rulebook: Rulebook = read_rulebook({key: value for key, value in raw.items() if key != "cases"})
    for rule in rulebook.rules:
        chinese, english = (say_rule(rule, rulebook, language) for language in ("zh-CN", "en"))
        assert len(chinese) == len(english) >= 1
        assert chinese != english
        assert not any("{" in sentence for sentence in (*chinese, *english))
