"""Rules as forms: what a form shows is the rule, whole; what it cannot show stays text."""

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.finding import Refused
from rules.condition_rows import ConditionRows, Group, Row, Written
from rules.document import write_rulebook
from rules.rows import put_together, take_apart
from rules.rule_form import FactorForm, PointsForm, RuleForm, Step, draw, form_of, normal
from rules.tree import dump_yaml, load_yaml
from tests.rules.test_draft import FULL, RULEBOOKS, RULES
from tests.worlds import draw_limits, draw_rulebook

ALL: list[Any] = [rule for raw in [*RULEBOOKS, FULL] for rule in raw["rules"]]


def check(tree: Any) -> None:
    """The form says the tree; so it does after a way over the wire and over text."""
    form = form_of(tree)
    assert normal(draw(form).tree) == normal(tree)
    assert draw(form).findings == ()
    sent = msgspec.json.decode(msgspec.json.encode(form), type=RuleForm)
    assert sent == form
    (read,) = load_yaml(dump_yaml(draw(form).tree))
    assert normal(draw(form_of(read.raw)).tree) == normal(tree)
    assert normal(draw(form, verbatim=False).tree).keys() == normal(tree).keys()  # type: ignore[union-attr]


@pytest.mark.parametrize("tree", ALL, ids=lambda tree: str(tree.get("rule")))
def test_rules_of_offices_are_forms(tree: Any) -> None:
    check(tree)
    form = form_of(tree)
    conditions = [form.when, *(factor.when for factor in form.factors)]
    assert not [each for each in conditions if any(isinstance(part, Written) for part in each.root.parts)]


@pytest.mark.parametrize("raw", [*RULEBOOKS, FULL], ids=lambda raw: raw["rulebook"])
def test_rules_as_their_rows_say_them_are_forms(raw: Any) -> None:
    rules: Any = put_together(take_apart(raw)).get("rules", [])
    for tree in rules:
        assert normal(draw(form_of(tree)).tree) == normal(tree)


@given(RULES)
def test_rules_of_any_shape_are_forms(rule: Any) -> None:
    tree = {"rule": "R", **rule}
    form = form_of(tree)
    assert normal(draw(form).tree) == normal(tree)
    again = draw(form).tree
    assert draw(form_of(again)).tree == again


@given(st.integers(0, 10_000))
def test_rules_of_random_worlds_are_forms(seed: int) -> None:
    rng = random.Random(seed)
    book = draw_rulebook(rng, datetime(2026, 1, 1, tzinfo=UTC), draw_limits(rng), periodical=True)
    rules: Any = write_rulebook(book)["rules"]
    for tree in rules:
        assert normal(draw(form_of(tree)).tree) == normal(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {"rule": "R", "on": "e", "points": "1", "colour": "red"},
        {"rule": "R", "joint": "a", "veto": "total"},
        {"rule": "R", "on": "e", "points": ["1"]},
        {"rule": "R", "on": "e", "points": {"field": "n", "share": "1", "table": {"a": "1"}}},
        {"rule": "R", "on": "e", "points": "1", "factors": [{"by": "2", "field": "n"}]},
        {"rule": "R", "on": "e", "points": "1", "factors": ["2"]},
        {"rule": "R", "on": "e", "points": "1", "enabled": "maybe"},
        {"rule": "R", "on": "e", "points": "1", "limits": {"L": "1"}},
        {"rule": "R", "on": {"e": "f"}, "points": "1"},
        {"rule": "R", "differentiation": ["I"], "undifferentiated": "yes"},
        ["R"],
        "R",
        None,
    ],
)
def test_what_a_form_cannot_show_stays_text(tree: Any) -> None:
    with pytest.raises(Refused) as refused:
        form_of(tree)
    assert refused.value.findings[0].message.key == "form.not_shown"


def test_an_untouched_condition_stays_as_written() -> None:
    tree: Any = {"rule": "R", "on": "e", "when": "(n>1)and ok", "points": "1"}
    form = form_of(tree)
    assert draw(form).tree["when"] == "(n>1)and ok"
    root = Group(parts=(*form.when.root.parts, Row(name="ok", operator="false")))
    touched = msgspec.structs.replace(form, when=ConditionRows(root=root, text=form.when.text))
    assert draw(touched).tree["when"] == "n > 1 and ok and not ok"
    emptied = msgspec.structs.replace(form, when=ConditionRows(text=form.when.text))
    assert "when" not in draw(emptied).tree


def test_findings_of_the_form_itself_have_their_place() -> None:
    form = RuleForm(
        code="R",
        on="e",
        when=ConditionRows(root=Group(parts=(Row(),))),
        points=PointsForm(kind="table", field="n", rows=(Step(key="1", points="1"), Step(key="1", points="2"), Step())),
        factors=(FactorForm(when=ConditionRows(root=Group(parts=(Group(),)))),),
    )
    found = [(finding.path, finding.message.key) for finding in draw(form).findings]
    assert found == [
        ("when/0", "rows.field"),
        ("when/0", "rows.value"),
        ("points.table/1", "form.key_twice"),
        ("points.table/2", "form.key"),
        ("factors[0].when/0", "rows.empty_group"),
    ]
