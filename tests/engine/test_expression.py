"""The parser: whatever it is given, a tree or one located error."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.condition import parse
from engine.expression import (
    And,
    Call,
    Comparison,
    ConditionError,
    Constant,
    Items,
    Name,
    Node,
    Not,
    Or,
    read,
)
from engine.field import EventType, Field, FieldType
from engine.language import render
from engine.term import names_of

TYPES: list[FieldType] = ["text", "choice", "choices", "integer", "decimal", "boolean", "date", "datetime"]
NAMES = names_of(
    [EventType(code="t", fields={t: Field(name=t, type=t, choices={"a": "A"} if "choice" in t else {}) for t in TYPES})]
)
TABLE = Path(__file__).with_name("conditions.txt").read_text(encoding="utf-8").splitlines()
WRITTEN = [line.split(" ¦ ")[0] for line in TABLE if line and not line.startswith("#")]


def test_the_whole_grammar_in_one_tree() -> None:
    tree = read("not a and (b or has(c)) and any(d, ['x', \"y\"]) and -1.50 < e and f not in []")
    assert tree == And(
        (
            Not(Name("a")),
            Or((Name("b"), Call("has", Name("c")))),
            Call("any", Name("d"), Items((Constant("x"), Constant("y")))),
            Comparison(">", Name("e"), Constant(Decimal("-1.50"))),
            Comparison("not in", Name("f"), Items(())),
        )
    )


def test_columns_count_characters() -> None:
    tree = read("一 == 1 or 二 == 1")
    assert isinstance(tree, Or)
    assert [part.column for part in tree.parts] == [3, 13]
    with pytest.raises(ConditionError) as caught:
        read('x == "😀😀" )')
    assert caught.value.findings[0].column == 11


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.10", Decimal("0.10")),
        ("98.6", Decimal("98.6")),
        ("-0.5", Decimal("-0.5")),
        ("9" * 400, int("9" * 400)),
        ("0." + "1" * 60, Decimal("0." + "1" * 60)),
        ("-1." + "7" * 60, Decimal("-1." + "7" * 60)),
        (r"'\\\'\"'", "\\'\""),
        ('"’全角“"', "’全角“"),
        ('"\t"', "\t"),
        ("True", True),
    ],
)
def test_constants_are_what_is_written(text: str, value: object) -> None:
    tree = read(f"x == {text}")
    assert isinstance(tree, Comparison)
    assert isinstance(tree.right, Constant)
    assert tree.right.value == value
    assert str(tree.right.value) == str(value)
    assert type(tree.right.value) is type(value)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("a ＝ 1", "＝", "=="),
        ("a ＝＝ 1", "＝＝", "=="),
        ("a ！＝ 1", "！＝", "!="),
        ("a ＞＝ 1", "＞＝", ">="),
        ("a ＜ 1", "＜", "<"),
        ("a ≤ 1", "≤", "<="),
        ("a ≠ 1", "≠", "!="),
        ("a == “x”", "“", '"'),
        ("a == ”x”", "”", '"'),
        ("a == ‘x’", "‘", "'"),
        ("a == 「x」", "「", '"'),
        ("a == １", "１", "1"),
        ("a == 1．5", "．", "."),
        ("a == 1。5", "。", "."),
        ("a == －1", "－", "-"),
        ("a == −1", "−", "-"),
        ("（a == 1)", "（", "("),
        ("(a == 1）", "）", ")"),
        ("a in ［1]", "［", "["),
        ("a in 【1]", "【", "["),
        ("a in [1，2]", "，", ","),
        ("a in [1、2]", "、", ","),
        ("a　== 1", "　", " "),
        ("a == 1 ＆＆ b", "＆", "and"),
        ("a == 1 && b", "&&", "and"),
        ("a = 1", "=", "=="),
        ("a <> 1", "<>", "!="),
    ],
)
def test_the_right_character_is_named(text: str, wrong: str, right: str) -> None:
    with pytest.raises(ConditionError) as caught:
        read(text)
    (finding,) = caught.value.findings
    assert finding.message.args == {"wrong": wrong, "right": right}
    assert finding.column == text.index(wrong) + 1


def attempt(text: str) -> Node | None:
    """The tree, or None where the text is refused as it should be."""
    try:
        return parse(text, NAMES).tree
    except ConditionError as error:
        (finding,) = error.findings
        assert finding.column is not None
        assert 1 <= finding.column <= len(text) + 1
        assert render(finding.message)
        assert render(finding.message, "en")
        return None


PIECES = [
    *TYPES, *"()[],-.＝“”０", "==", "!=", "<", "<=", ">", ">=", "in", "not", "and", "or", "True", "False", "has", "any",
    "all", "date", "1", "2.5", '"a"', "'a'", '"2026-03-01"', " ", " ", " ", "\n", "\\", '"', "'", "é", "e\u0301",
    "\x00", "\ud800", "😀", "٣", "²", "ª",
]  # fmt: skip


@settings(derandomize=True, database=None, deadline=None, max_examples=1500)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    attempt(text)


@settings(derandomize=True, database=None, deadline=None, max_examples=1500)
@given(st.sampled_from(WRITTEN), st.data())
def test_any_slip_is_read_or_refused(text: str, data: st.DataObject) -> None:
    for name, type_ in {
        "times": "integer",
        "rate": "decimal",
        "note": "text",
        "level": "choice",
        "tags": "choices",
    }.items():
        text = text.replace(name, type_)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + data.draw(st.integers(0, 2)) :]
    attempt(text)


@pytest.mark.parametrize("character", ["(", "[", "not ", "-", '"', "'", "1", "a", "and ", ",", "has(", "1<", "é"])
def test_a_long_run_of_one_thing_is_read_or_refused(character: str) -> None:
    attempt(character * (2_000 // len(character)))
    attempt("boolean or " + character * (1_900 // len(character)))
