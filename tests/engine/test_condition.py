"""Conditions: a table of hand-written edges, then names, evidence and sentences."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.condition import Condition, parse
from engine.direct import compiled
from engine.event import Value
from engine.evidence import Evidence
from engine.expression import And, Call, Comparison, ConditionError, Name, Not, Or, read
from engine.field import DaysLate, EventType, Field
from engine.language import render
from engine.term import RESERVED, check_field_name, names_of

ZONE = ZoneInfo("Asia/Shanghai")
LEVELS = {"state": "总局", "province": "省局", "city": "市局", "county": "县局"}
NOTICE = EventType(
    code="notice",
    fields={
        field.name: field
        for field in [
            Field(name="level", title="通报级别", type="choice", choices=LEVELS),
            Field(name="通报级别", type="choice", choices={"省": "", "市": ""}),
            Field(name="tags", title="问题类别", type="choices", choices={"a": "甲类", "b": "乙类", "c": "丙类"}),
            Field(name="times", title="次数", type="integer"),
            Field(name="rate", title="满意率", type="decimal"),
            Field(name="reported", title="主动报告", type="boolean"),
            Field(name="upheld", type="boolean"),
            Field(name="due", title="办结期限", type="date"),
            Field(name="done", title="办结日期", type="date"),
            Field(name="at", title="接件时间", type="datetime"),
            Field(name="seen", type="datetime"),
            Field(name="note", title="说明", type="text"),
            Field(name="mark", type="text"),
            Field(name="late", title="超期天数", type="integer", days_late=DaysLate(due="due", done="done")),
        ]
    },
)
NAMES = names_of([NOTICE])


def typed(data: Mapping[str, Any]) -> dict[str, Value]:
    """The table's JSON as facts: decimals and dates are written as text there."""

    def value(name: str, written: Any) -> Value:
        match NAMES[name].type:
            case "decimal":
                return Decimal(written)
            case "date":
                return date.fromisoformat(written)
            case "datetime":
                return datetime.fromisoformat(written).astimezone(ZONE)
            case "choices":
                return tuple(written)
            case _:
                return written  # type: ignore[no-any-return]

    return {name: value(name, written) for name, written in data.items()}


def rows() -> list[tuple[str, str, str]]:
    """The table's rows: condition, data, what it is."""
    lines = Path(__file__).with_name("conditions.txt").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        if line and not line.startswith("#"):
            text, data, expected = line.split(" ¦ ")
            found.append((text, data, expected))
    return found


ROWS = rows()
JUDGED = [row for row in ROWS if row[2] in ("true", "false", "unknown")]
REFUSED = [row for row in ROWS if row not in JUDGED]


def result(condition: Condition, facts: Mapping[str, Value]) -> str:
    return {True: "true", False: "false", None: "unknown"}[condition.judge(facts)]


def refusal(text: str, **options: Any) -> tuple[int | None, str]:
    with pytest.raises(ConditionError) as caught:
        parse(text, names_of([NOTICE], **options))
    (finding,) = caught.value.findings
    for language in ("zh-CN", "en"):
        assert render(finding.message, language)
    return finding.column, finding.message.key


def test_the_table_is_whole() -> None:
    assert len(ROWS) >= 500
    assert len(JUDGED) >= 350
    assert len(REFUSED) >= 100


@pytest.mark.parametrize(("text", "data", "expected"), JUDGED)
def test_judges_as_the_table_says(text: str, data: str, expected: str) -> None:
    condition = parse(text, NAMES)
    facts = typed(json.loads(data))
    assert result(condition, facts) == expected
    assert condition.explain(facts).result == expected
    assert compiled(condition.tree)(facts) is condition.judge(facts)


@pytest.mark.parametrize(("text", "data", "expected"), REFUSED)
def test_refuses_as_the_table_says(text: str, data: str, expected: str) -> None:
    column, key = refusal(text)
    assert f"{column} {key}" == expected


def test_names_of_the_charged_are_for_factors() -> None:
    names = names_of([NOTICE], factor=True)
    condition = parse('charged_post == "chief" and charged_kind == "person"', names)
    assert condition.judge({"charged_post": "chief", "charged_kind": "person"}) is True
    assert condition.judge({"charged_post": "chief"}) is None


def of(**types: str) -> EventType:
    return EventType(
        code="x",
        fields={
            name: Field(name=name, type=type_, choices={"a": "A"} if "choice" in type_ else {})  # type: ignore[arg-type]
            for name, type_ in types.items()
        },
    )


def test_a_joint_rule_sees_the_fields_of_all_types_it_serves() -> None:
    names = names_of([of(one="integer"), of(two="text")])
    condition = parse('one > 1 or two == "x"', names)
    assert condition.judge({"one": 2}) is True
    assert condition.judge({"one": 1}) is None


def test_a_name_that_types_disagree_on_is_refused_when_used() -> None:
    names = names_of([of(one="integer", two="text"), of(one="date")])
    assert parse('two == "x"', names).judge({"two": "x"}) is True
    with pytest.raises(ConditionError) as caught:
        parse('two == "x" and one > 1', names)
    assert caught.value.findings[0].column == 16
    assert caught.value.findings[0].message.args["types"] == "integer, date"


def test_choices_of_several_types_are_united() -> None:
    other = EventType(code="y", fields={"level": Field(name="level", type="choice", choices={"town": "乡镇"})})
    names = names_of([NOTICE, other])
    assert parse('level in ["town", "city"]', names).judge({"level": "town"}) is True


@pytest.mark.parametrize("name", ["times", "通报级别", "é", "_x", "from", "次数2"])
def test_field_names(name: str) -> None:
    assert check_field_name(name) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("", "identifier"),
        ("2x", "identifier"),
        ("a b", "identifier"),
        ("a-b", "identifier"),
        ("e\u0301", "nfc"),
        ("and", "reserved"),
        ("True", "reserved"),
        ("has", "reserved"),
        ("date", "reserved"),
        ("subject", "reserved"),
        ("charged_post", "reserved"),
    ],
)
def test_refused_field_names(name: str, key: str) -> None:
    said = check_field_name(name)
    assert said is not None
    assert said.key == f"condition.field.{key}"
    assert name in RESERVED or key != "reserved"


def test_a_name_is_compared_in_nfc() -> None:
    names = names_of([of(é="integer")])
    assert parse("e\u0301 == 1", names).judge({"é": 1}) is True


def test_bounds() -> None:
    exactly = "times == " + "1" * 1991
    assert len(exactly) == 2000
    assert parse(exactly, NAMES).judge({"times": 1}) is False
    assert refusal(exactly + " ") == (2001, "condition.long")
    assert parse("not " * 50 + "reported", NAMES).judge({"reported": True}) is True
    assert refusal("not " * 51 + "reported") == (201, "condition.deep")
    assert parse("(" * 50 + "reported" + ")" * 50, NAMES).judge({"reported": True}) is True
    assert refusal("(" * 1990 + "reported") == (51, "condition.deep")
    assert refusal("") == (1, "condition.empty")
    assert refusal(" \n ") == (1, "condition.empty")


def test_line_breaks_are_space_and_columns_count_characters() -> None:
    assert parse("reported\n  and\n\ttimes > 1", NAMES).judge({"reported": True, "times": 2}) is True
    assert refusal('通报级别 == "省" and\n 次 > 1') == (18, "condition.unknown-name")
    assert refusal('note == "a\nb"') == (9, "condition.unclosed")


def test_the_tree() -> None:
    tree = read('not has(a) or 1 < b <= 2 and c in ["x"]')
    match tree:
        case Or((Not(Call(function="has")), And((And((first, second)), Comparison(operator="in"))))):
            assert first == Comparison(">", Name("b"), first.right)  # type: ignore[union-attr]
            assert second.operator == "<="  # type: ignore[union-attr]
        case _:
            pytest.fail(str(tree))


def test_a_condition_is_a_value() -> None:
    one, other = parse("times > 1", NAMES), parse("times > 1", NAMES)
    assert one == other
    assert hash(one) == hash(other)
    assert one != parse("times > 2", NAMES)


def test_evidence_shows_every_comparison() -> None:
    condition = parse('level == "city" and (times >= 3 or not reported) and due < done and any(tags, ["a"])', NAMES)
    facts: dict[str, Value] = {"level": "state", "times": 3, "done": date(2026, 3, 1), "tags": ("a", "b")}
    evidence = condition.explain(facts)
    level, either, dates, tags = evidence.parts
    assert (evidence.kind, evidence.result) == ("and", "false")
    assert level == Evidence(
        kind="comparison",
        result="false",
        field="level",
        title="通报级别",
        operator="==",
        expected="city",
        actual="state",
    )
    assert (either.kind, either.result) == ("or", "true")
    negated = either.parts[1]
    assert (negated.kind, negated.result) == ("not", "unknown")
    assert negated.parts[0].actual is None
    assert negated.parts[0].expected is True
    assert (dates.result, dates.field, dates.other) == ("unknown", "due", "done")
    assert (dates.expected, dates.actual) == (date(2026, 3, 1), None)
    assert (tags.operator, tags.expected, tags.actual, tags.result) == ("any", ("a",), ("a", "b"), "true")


def test_evidence_turns_a_comparison_to_its_field() -> None:
    evidence = parse("3 < times", NAMES).explain({"times": 4})
    assert (evidence.field, evidence.operator, evidence.expected, evidence.actual) == ("times", ">", 3, 4)


@pytest.mark.parametrize(
    ("text", "chinese", "english"),
    [
        (
            'level == "province" and late >= 3',
            "通报级别 为 省局 且 超期天数 不少于 3 天",
            "通报级别 is 省局 and 超期天数 is at least 3 days",
        ),
        (
            'level in ["city", "county"] or not reported',
            "通报级别 为（市局、县局）之一 或 主动报告 为 否",
            "通报级别 is one of (市局, 县局) or 主动报告 is no",
        ),
        (
            "(times > 1 or reported) and rate < 98.60",
            "（次数 高于 1 或 主动报告 为 是） 且 满意率 低于 98.60",
            "(次数 is above 1 or 主动报告 is yes) and 满意率 is below 98.60",
        ),
        (
            'not (due < date("2026-03-01") and has(done))',
            "并非（办结期限 早于 2026-03-01 且 办结日期 已填写）",
            "not (办结期限 is before 2026-03-01 and 办结日期 is given)",
        ),
        ('not note == "x"', "并非（说明 为 “x”）", "not (说明 is “x”)"),
        ("not has(done)", "办结日期 未填写", "办结日期 is not given"),
        ('all(tags, ["a"])', "问题类别 含有（甲类）中的每一项", "问题类别 includes all of (甲类)"),
        ("done > due", "办结日期 晚于 办结期限", "办结日期 is after 办结期限"),
        ('subject_kind == "unit"', "被考评对象类别 为 单位", "kind of subject is unit"),
        ("True", "是", "yes"),
    ],
)
def test_sentences(text: str, chinese: str, english: str) -> None:
    condition = parse(text, NAMES)
    assert condition.sentence() == chinese
    assert condition.sentence("en") == english


@pytest.mark.parametrize("text", [row[0] for row in JUDGED])
def test_every_condition_has_its_sentences(text: str) -> None:
    condition = parse(text, NAMES)
    for language in ("zh-CN", "en"):
        said = condition.sentence(language)
        assert said.strip() == said != ""
