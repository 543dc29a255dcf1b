"""The starter rulebook: it reads without a finding, says that it is an example, and tests every rule both ways."""

from pathlib import Path
from typing import Any

import pytest

from engine.rulebook import EventRule
from rules.case import Case, read_cases
from rules.checking import run_case
from rules.document import Document, read_document
from rules.tree import load_yaml

STARTER = Path(__file__).parents[2] / "rules" / "starter" / "county.yaml"
CODES = [f"K{number:02}" for number in (*range(1, 11), *range(15, 20), *range(21, 27), 34)]
CASES = read_cases(STARTER.read_text(encoding="utf-8"), STARTER.parent)


@pytest.fixture(scope="module")
def document() -> Document:
    (tree,) = load_yaml(STARTER.read_text(encoding="utf-8"))
    return read_document(tree.raw, tree.lines)


def test_reads_without_a_finding(document: Document) -> None:
    assert document.warnings == ()
    assert document.rulebook.code == "county-starter"


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_found(document: Document, code: str) -> None:
    rulebook = document.rulebook
    places = [rule.code for rule in rulebook.rules] + list(rulebook.limits)
    places += [rule.note for rule in rulebook.rules]
    places += [factor.title for rule in rulebook.rules if isinstance(rule, EventRule) for factor in rule.factors]
    assert any(code in place for place in places)


def test_every_rule_says_that_it_is_an_example(document: Document) -> None:
    for rule in document.rulebook.rules:
        assert rule.basis.startswith("示例依据：")
        assert rule.basis.endswith("（请按本局文件改写）")
        assert "示例，由本局确定" in rule.note


def test_every_rule_has_a_case_that_hits_and_one_that_misses(document: Document) -> None:
    types = {rule.code: rule.on for rule in document.rulebook.rules if isinstance(rule, EventRule)}
    hit: set[str] = set()
    missed: set[str] = set()
    cases: Any = document.cases
    for case in cases:
        sent: dict[str, str] = {}
        standing: set[tuple[str, str]] = set()
        for step in case["steps"]:
            events = step.get("events", [step["event"]] if "event" in step else [])
            sent |= {event["id"]: event["type"] for event in events}
            for sum_ in step.get("expect", {}).get("posted", []):
                standing.add((sum_["event"], sum_["rule"]))
        hit |= {rule for _, rule in standing}
        for rule, on in types.items():
            if any(kind == on and (event, rule) not in standing for event, kind in sent.items()):
                missed.add(rule)
        reached = {rule for _, rule in standing}
        if case.get("relations"):
            missed |= {rule.code for rule in document.rulebook.rules if rule.code not in {*types, *reached}}
    assert hit == missed == {rule.code for rule in document.rulebook.rules}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_case_holds(case: Case) -> None:
    assert run_case(case).mismatches == ()
