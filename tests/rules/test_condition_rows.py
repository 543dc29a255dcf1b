"""Conditions as rows: the same syntax tree there and back, nothing lost, and findings beside the row they are about."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expression import And, Call, Comparison, ConditionError, Constant, Items, Name, Node, Not, Or, read
from rules.condition_rows import (
    ConditionRows,
    Group,
    Part,
    Row,
    Written,
    condition_of,
    rows_of,
    say_rows,
    write_node,
)
from tests.rules.test_draft import RULEBOOKS

NAMES = st.sampled_from(["n", "level", "级别", "many", "ok", "hasty"])
VALUES = st.one_of(
    st.integers(-99, 99),
    st.decimals(min_value=-99, max_value=99, places=2, allow_nan=False),
    st.text("文a '\"\\<(and", max_size=6),
    st.booleans(),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)
CONSTANTS = VALUES.map(Constant)
ITEMS = st.lists(CONSTANTS, max_size=3).map(tuple).map(Items)
COMPARISONS = st.builds(
    Comparison,
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    NAMES.map(Name),
    CONSTANTS | NAMES.map(Name),
)
LISTED = st.builds(Comparison, st.sampled_from(["in", "not in"]), NAMES.map(Name) | CONSTANTS, ITEMS)
CALLS = st.builds(Call, st.just("has"), NAMES.map(Name)) | st.builds(
    Call, st.sampled_from(["any", "all"]), NAMES.map(Name), ITEMS
)
LEAVES: Any = (
    NAMES.map(Name)
    | CONSTANTS
    | COMPARISONS
    | LISTED
    | CALLS
    | st.builds(Comparison, st.sampled_from(["==", "<"]), CONSTANTS, CONSTANTS)
)
TREES: Any = st.recursive(
    LEAVES,
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=4).map(tuple).map(And)
        | st.lists(inner, min_size=2, max_size=4).map(tuple).map(Or)
    ),
    max_leaves=10,
)


def exact(node: Any) -> Any:
    """The tree with the type of each value, which Python's own equality overlooks; columns apart."""
    match node:
        case And(parts) | Or(parts):
            return (type(node).__name__, *map(exact, parts))
        case Not(part):
            return ("Not", exact(part))
        case Call(function=function, name=Name(name), items=items):
            return (function, name, exact(items))
        case Comparison(operator=operator, left=left, right=right):
            return (operator, exact(left), exact(right))
        case Items(items):
            return tuple(map(exact, items))
        case Constant(value):
            return (type(value).__name__, str(value))
        case Name(name):
            return name
    return None


@given(TREES)
def test_any_condition_is_the_same_tree_as_rows(tree: Node) -> None:
    text = write_node(tree)
    assert exact(read(text)) == exact(tree)
    rows = rows_of(text)
    assert exact(read(say_rows(rows.root).text)) == exact(tree)
    assert say_rows(rows.root).findings == ()
    assert condition_of(rows) == text


def conditions() -> list[str]:
    lines = (Path(__file__).parents[1] / "engine" / "conditions.txt").read_text().splitlines()
    found = [line.split(" ¦ ")[0] for line in lines if line and not line.startswith("#")]
    for raw in RULEBOOKS:
        for rule in raw["rules"]:
            found += [text for text in (rule.get("when"), *(f.get("when") for f in rule.get("factors") or [])) if text]
    return sorted(set(found))


@pytest.mark.parametrize("text", conditions())
def test_conditions_of_offices_come_back(text: str) -> None:
    rows = rows_of(text)
    assert condition_of(rows) == text
    try:
        tree = read(text)
    except ConditionError:
        assert rows.root.parts == (Written(text=text),)
    else:
        assert exact(read(say_rows(rows.root).text)) == exact(tree)


def test_ordinary_conditions_are_rows_and_not_written_by_hand() -> None:
    text = 'level in ["city", "county"] and (n >= 3 or not ok) and not (has(due) and due > date("2026-03-01"))'
    assert rows_of(text).root == Group(
        parts=(
            Row(name="level", operator="in", values=("city", "county")),
            Group(
                join="or",
                parts=(
                    Row(name="n", operator=">=", kind="number", values=("3",)),
                    Row(name="ok", operator="false"),
                ),
            ),
            Group(
                negated=True,
                parts=(
                    Row(name="due", operator="has"),
                    Row(name="due", operator=">", kind="date", values=("2026-03-01",)),
                ),
            ),
        )
    )
    assert rows_of("n < 3").root == Group(parts=(Row(name="n", operator="<", kind="number", values=("3",)),))


def test_what_is_no_row_stays_as_written_among_rows() -> None:
    rows = rows_of('n > 1 and (1 == 1 or ok) and n in [1, "a"]')
    assert rows.root.parts[1] == Group(join="or", parts=(Written(text="1 == 1"), Row(name="ok", operator="true")))
    assert rows.root.parts[2] == Written(text='n in [1, "a"]')
    changed = Group(parts=(*rows.root.parts, Row(name="ok", operator="false")))
    assert condition_of(ConditionRows(root=changed, text=rows.text)) == (
        'n > 1 and ((1 == 1) or ok) and (n in [1, "a"]) and not ok'
    )


def test_a_part_written_by_hand_never_breaks_out_of_its_place() -> None:
    said = say_rows(Group(parts=(Row(name="ok", operator="true"), Written(text="a) or (b"))))
    assert [(finding.path, finding.message.key) for finding in said.findings] == [("/1", "rows.written")]


@pytest.mark.parametrize(
    ("part", "key"),
    [
        (Row(operator="true"), "rows.field"),
        (Row(name="and", operator="true"), "rows.field"),
        (Row(name="n", operator=">", kind="number", values=("",)), "rows.value"),
        (Row(name="n", operator=">", kind="number", values=("１",)), "rows.number"),
        (Row(name="n", operator=">", kind="number", values=("1) or (2",)), "rows.number"),
        (Row(name="n", operator="==", values=("a\nb",)), "rows.line"),
        (Row(name="n", operator="==", kind="date", values=("2026-02-30",)), "rows.date"),
        (Row(name="n", operator="==", kind="field", values=("a b",)), "rows.field"),
        (Row(name="n", operator="in", kind="boolean", values=("maybe",)), "rows.value"),
        (Row(name="n"), "rows.value"),
        (Group(), "rows.empty_group"),
    ],
)
def test_a_row_that_is_not_complete_is_found_at_its_place(part: Part, key: str) -> None:
    said = say_rows(Group(parts=(Row(name="ok", operator="true"), Group(negated=True, parts=(part,)))))
    assert [(finding.path, finding.message.key) for finding in said.findings] == [("/1/0", key)]


def test_columns_lead_to_rows() -> None:
    said = say_rows(rows_of("n > 1 and (ok or 级别 == 2)").root)
    assert said.text == "n > 1 and (ok or 级别 == 2)"
    at = {span.path: said.text[span.first - 1 : span.last] for span in said.spans}
    assert at == {"/0": "n > 1", "/1/0": "ok", "/1/1": "级别 == 2", "/1": "(ok or 级别 == 2)", "": said.text}


def test_numbers_keep_their_digits() -> None:
    (row,) = rows_of("n > 0.10").root.parts
    assert row == Row(name="n", operator=">", kind="number", values=("0.10",))
    assert write_node(Constant(Decimal("-1.50"))) == "-1.50"
