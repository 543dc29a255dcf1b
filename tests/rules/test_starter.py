"""The starter rulebooks: they read without a finding, say that they are examples, and test every rule both ways."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.rulebook import DifferentiationRule, EventRule, JointRule, ProgressRule, Rulebook, VetoRule
from rules.case import Case, read_cases
from rules.checking import run_case
from rules.document import Document, read_document
from rules.tree import load_yaml

STARTERS = Path(__file__).parents[2] / "rules" / "starter"
COUNTY = STARTERS / "county.yaml"
RULEBOOKS = {"county.yaml": "county-starter", "zhuxi-361.yaml": "zhuxi-361", "guangdong.yaml": "guangdong-example"}
CODES = [f"K{number:02}" for number in range(1, 41)]
ELSEWHERE = ("K14", "K35")
"""A report, and a matter of another rulebook: the county's file says so where an office looks for them."""
SETTINGS = ("K37", "K39")
"""Standing settings have no titles: a comment beside them carries the code."""


def read(file: Path) -> Document:
    (tree,) = load_yaml(file.read_text(encoding="utf-8"))
    return read_document(tree.raw, tree.lines)


@pytest.fixture(scope="module", params=sorted(RULEBOOKS))
def document(request: pytest.FixtureRequest) -> Document:
    return read(STARTERS / request.param)


@pytest.fixture(scope="module")
def county() -> Rulebook:
    return read(COUNTY).rulebook


def test_these_are_all_there_are() -> None:
    assert {file.name: read(file).rulebook.code for file in STARTERS.glob("*.yaml")} == RULEBOOKS


def test_reads_without_a_finding(document: Document) -> None:
    assert document.warnings == ()


@pytest.mark.parametrize("code", sorted({*CODES} - {*ELSEWHERE, *SETTINGS}))
def test_every_code_of_the_county_is_found(county: Rulebook, code: str) -> None:
    places = [rule.code for rule in county.rules] + list(county.limits)
    places += [rule.note for rule in county.rules]
    places += [factor.title for rule in county.rules if isinstance(rule, EventRule) for factor in rule.factors]
    places += [indicator.title for indicator in county.indicators.values()]
    places += [part.title for card in county.scorecards for part in card.parts]
    places += [award.title for award in county.standing.awards]
    assert any(code in place for place in places)


@pytest.mark.parametrize("code", [*ELSEWHERE, *SETTINGS])
def test_what_has_no_title_is_named_in_a_comment(code: str) -> None:
    lines = COUNTY.read_text(encoding="utf-8").splitlines()
    assert any(code in line.partition("#")[2] for line in lines if "case:" not in line)


def test_the_county_sets_what_belongs_to_standing(county: Rulebook) -> None:
    standing = county.standing
    assert {post: str(share) for post, share in standing.linkage.items()} == {
        "chief": "0.55",
        "deputy": "0.20",
        "staff": "0.05",
    }
    assert [str(share) for share in standing.tiers] == ["30", "40", "30"]
    assert standing.floor == 60
    assert {(award.code, award.per, award.quota) for award in standing.awards} == {
        ("five-star", "quarter", 5),
        ("best-leader", "year", 3),
        ("star-clerk", "year", 7),
    }
    weights = [[int(part.weight) for part in card.parts] for card in county.scorecards]
    assert weights == [[70, 30], [70, 10, 10, 10]]


def test_a_fact_is_charged_for_one_kind_of_period_only(document: Document) -> None:
    of_periods = [rule for rule in document.rulebook.rules if isinstance(rule, (DifferentiationRule, ProgressRule))]
    assert all(rule.per in ("quarter", "year") for rule in of_periods)


def test_every_rule_says_that_it_is_an_example(document: Document) -> None:
    for rule in document.rulebook.rules:
        assert rule.basis.startswith("示例依据：")
        assert rule.basis.endswith("（请按本局文件改写）")
        assert "示例，由本局确定" in rule.note


def test_every_rule_has_a_case_that_hits_and_one_that_misses(document: Document) -> None:
    hit: set[str] = set()
    missed: set[str] = set()
    rulebook = document.rulebook
    rules = {rule.code: rule for rule in rulebook.rules if rule.enabled}
    cases: Any = document.cases
    for case in cases:
        reached = {sum_["rule"] for sum_ in _sums(case)}
        hit |= reached
        for rule in rules.values():
            if isinstance(rule, EventRule):
                standing = {(sum_.get("event"), sum_["rule"]) for sum_ in _sums(case)}
                if any((event["id"], rule.code) not in standing for event in _events(case) if event["type"] == rule.on):
                    missed.add(rule.code)
            elif isinstance(rule, VetoRule):
                bounded = {event["subject"] for event in _events(case) if event["type"] == rule.on}
                totals = [step["expect"].get("totals", {}) for step in case["steps"] if "expect" in step]
                known = {
                    Decimal(str(total[subject])) <= rule.to for total in totals for subject in bounded & set(total)
                }
                hit |= {rule.code} if True in known else set()
                missed |= {rule.code} if False in known else set()
            elif isinstance(rule, JointRule):
                missed |= {rule.code} if case.get("relations") and rule.code not in reached else set()
            elif _settles(case) and not _all_charged(case, rule.code):
                missed.add(rule.code)
    assert hit == missed == set(rules)


def _events(case: Mapping[str, Any]) -> list[Any]:
    return [event for step in case["steps"] for event in step.get("events", [step["event"]] if "event" in step else [])]


def _sums(case: Mapping[str, Any]) -> list[Any]:
    return [sum_ for step in case["steps"] for sum_ in step.get("expect", {}).get("posted", [])]


def _settles(case: Mapping[str, Any]) -> bool:
    return any("settle" in step for step in case["steps"])


def _all_charged(case: Mapping[str, Any], code: str) -> bool:
    """Whether each settlement of a case charges everybody by the rule: then the rule is not seen to miss."""
    charged = {(str(sum_["period"]), sum_["subject"]) for sum_ in _sums(case) if sum_["rule"] == code}
    settled = {str(step["settle"]) for step in case["steps"] if "settle" in step}
    return charged == {(period, subject["code"]) for period in settled for subject in case["subjects"]}


CASES = [
    pytest.param(case, id=f"{name}:{case.name}")
    for name in sorted(RULEBOOKS)
    for case in read_cases((STARTERS / name).read_text(encoding="utf-8"), STARTERS)
]


@pytest.mark.parametrize("case", CASES)
def test_the_case_holds(case: Case) -> None:
    assert run_case(case).mismatches == ()


def test_the_page_about_the_starters_counts_right() -> None:
    page = (STARTERS.parents[1] / "docs" / "starter.md").read_text(encoding="utf-8")
    for name, code in RULEBOOKS.items():
        document = read(STARTERS / name)
        book = document.rulebook
        cases: Any = document.cases
        counts = map(len, (book.rules, book.event_types, book.indicators, book.limits, cases))
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `rules/starter/{name}` | `{code}` |")]
        assert row.endswith("".join(f"| {count} " for count in counts) + "|")


def test_the_pages_name_every_rule_and_no_other() -> None:
    known = {rule.code for name in RULEBOOKS for rule in read(STARTERS / name).rulebook.rules}
    starter, coverage = (
        (STARTERS.parents[1] / "docs" / name).read_text(encoding="utf-8") for name in ("starter.md", "coverage.md")
    )
    named = re.compile(r"\b[KGZ]\d\d(?:P\b)?(?!-)")
    assert known <= set(named.findall(starter))
    assert set(named.findall(starter + coverage)) <= known | set(CODES)


def test_the_coverage_goes_through_every_article() -> None:
    coverage = (STARTERS.parents[1] / "docs" / "coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (S\d)-(\d+) \|.*\| (有|部分|没有) \|$", coverage, re.MULTILINE)
    numbers: dict[str, list[int]] = {}
    for article, number, _ in rows:
        numbers.setdefault(article, []).append(int(number))
    assert {article: list(range(1, len(found) + 1)) for article, found in numbers.items()} == numbers
    assert {article: len(found) for article, found in numbers.items()} == {
        "S0": 18,
        "S1": 13,
        "S2": 15,
        "S3": 8,
        "S4": 12,
    }
