"""Cases on the register: those kept under tests/cases hold, and what does not hold is told with both sides."""

from pathlib import Path

import pytest

from engine.language import Message, render
from engine.register import Register
from rules.case import Case, read_cases, read_contents
from rules.checking import MOST_TOLD, CaseResult, RegisterClerk, run_case, run_cases
from rules.document import read_document
from rules.tree import load

CASES = Path(__file__).parents[1] / "cases"
STARTER = Path(__file__).parents[2] / "rules" / "starter" / "county.yaml"
KEPT = [
    pytest.param(case, id=f"{file.stem}:{case.name}")
    for file in sorted(CASES.glob("*.yaml"))
    for case in read_cases(file.read_bytes(), CASES)
]

OFFICE = """
case: 一个用例
rulebook:
  rulebook: notice
  effective: 2026-01-01T00:00:00+08:00
  event_types: {notice: {title: 通报, fields: {x: {title: 分值, type: decimal}}}}
  rules:
    - {rule: R1, title: 通报, on: notice, points: {field: x, share: -1}}
  standing:
    tiers: {shares: [50, 50]}
    awards: [{code: star, kind: unit, top_share: 50}]
subjects: [{code: U1, kind: unit, group: g}, {code: U2, kind: unit, group: g}]
periods:
  - {code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}
steps:
  - event: {id: E1, source: a, type: notice, subject: U1, time: 2026-03-02T09:00:00+08:00, data: {x: 0.50}}
"""


def read(*steps: str) -> Case:
    (case,) = read_cases(OFFICE + "".join(f"  - {step}\n" for step in steps))
    return case


def told(result: CaseResult) -> list[tuple[int, str, str, str]]:
    def say(side: Message | str) -> str:
        return render(side, "en") if isinstance(side, Message) else side

    return [(each.step, say(each.what), say(each.expected), say(each.actual)) for each in result.mismatches]


@pytest.mark.parametrize("case", KEPT)
def test_the_case_holds(case: Case) -> None:
    assert told(run_case(case)) == []


def test_the_cases_beside_a_rulebook_hold() -> None:
    (tree,) = load(STARTER.read_bytes())
    results = run_cases(read_document(tree.raw, tree.lines))
    assert len(results) == 48
    assert all(result.holds for result in results)
    assert read_contents(tree).rulebook is not None


def test_what_holds_is_not_told() -> None:
    posted = "[{event: E1, rule: R1, subject: U1, points: -0.5}]"
    figures = "totals: {U1: 99.5, U2: 100}, final: {U1: 99.50}, ranks: {U2: 1, U1: 2}, tiers: {U1: 2}"
    assert run_case(read(f"expect: {{{figures}, awards: {{star: [U2]}}, posted: {posted}, refused: []}}")).holds


@pytest.mark.parametrize(
    ("expected", "what"),
    [
        ("totals: {U1: 99.00}", ("2026-03 U1 total", "99.00", "99.50")),
        ("totals: {U1: null}", ("2026-03 U1 total", "none", "99.50")),
        ("final: {U1: 99.501}", ("2026-03 U1 final total", "99.501", "99.50")),
        ("ranks: {U1: 1}", ("2026-03 U1 rank", "1", "2")),
        ("tiers: {U2: 2}", ("2026-03 U2 tier", "2", "1")),
        ("awards: {star: [U1, U2]}", ("2026-03 star candidates", "U1、U2", "U2")),
        ("awards: {moon: [U1]}", ("2026-03 moon candidates", "U1", "nobody")),
        ("posted: []", ("event a/E1 R1 U1 posted", "none", "-0.50")),
        (
            "posted: [{event: E1, rule: R1, subject: U1, points: -0.5}, {event: E2, rule: R1, subject: U1, points: 1}]",
            ("event manual/E2 R1 U1 posted", "1.00", "none"),
        ),
        ("refused: [{id: E1}]", ("event a/E1", "refused", "kept")),
    ],
)
def test_what_differs_is_told_with_both_sides(expected: str, what: tuple[str, str, str]) -> None:
    result = run_case(read(f"expect: {{{expected}}}"))
    assert told(result) == [(2, *what)]
    assert not result.holds


def test_an_event_that_is_refused_unexpectedly_is_told_with_the_reason() -> None:
    event = "event: {id: E9, type: notice, subject: U7, time: 2026-03-02T09:00:00+08:00}"
    ((step, what, expected, actual),) = told(run_case(read(event, "expect: {refused: []}")))
    assert (step, what, expected) == (3, "event manual/E9", "kept")
    assert actual.startswith("refused: /subject ")
    assert "U7" in actual
    assert run_case(read(event, "expect: {totals: {U1: 99.50}}")).holds  # left out: not checked
    assert run_case(read(event, "expect: {refused: [{id: E9}]}", "expect: {refused: []}")).holds


def test_any_other_step_that_is_refused_ends_the_case() -> None:
    result = run_case(read("retract: {id: E7}", "expect: {totals: {U1: 0}}"))
    ((step, what, expected, actual),) = told(result)
    assert (step, what, expected) == (2, "retract", "done")
    assert "E7" in actual
    assert not run_case(read("close: 2026-03", "settle: 2026-03")).holds


def test_an_id_alone_is_enough_where_one_source_uses_it() -> None:
    other = "event: {id: E1, source: b, type: notice, subject: U2, time: 2026-03-03T09:00:00+08:00, data: {x: 1}}"
    assert run_case(read("retract: {id: E1}", "expect: {posted: []}")).holds
    assert run_case(read(other, "retract: {id: E1, source: b}", "expect: {totals: {U1: 99.5, U2: 100}}")).holds
    ((_, _, _, actual),) = told(run_case(read(other, "retract: {id: E1}")))
    assert "a、b" in actual


def test_the_period_must_be_told_where_there_are_several() -> None:
    text = OFFICE.replace("steps:", "  - {code: 2026-04, from: 2026-04-01, to: 2026-05-01, kind: month}\nsteps:")
    (case,) = read_cases(f"{text}  - expect: {{totals: {{U1: 99.50}}}}\n")
    ((_, what, expected, _),) = told(run_case(case))
    assert (what, expected) == ("the period", "one of 2026-03、2026-04 named")


def test_mismatches_are_told_up_to_a_bound() -> None:
    rows = ", ".join(f"{{event: X{number}, rule: R1, subject: U1, points: 1}}" for number in range(MOST_TOLD * 2))
    assert len(run_case(read(f"expect: {{posted: [{rows}]}}")).mismatches) == MOST_TOLD


def test_a_ledger_that_strays_from_the_evaluation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    case = read("expect: {totals: {U2: 100}}")
    keep = Register._carry_out

    def stray(self: Register, *args: object) -> object:
        done = keep(self, *args)  # type: ignore[arg-type]
        for key in self.sums:
            self.sums[key] += 1
        return done

    monkeypatch.setattr(Register, "_carry_out", stray)
    assert told(run_case(case)) == [(2, "event a/E1 R1 U1 ledger against a fresh evaluation", "-0.50", "0.50")]


def test_matchers_that_disagree_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def match(self, *_: object) -> frozenset[str]:
            return frozenset()

        def close(self) -> None: ...

    monkeypatch.setattr("rules.checking.available", lambda: True)
    monkeypatch.setattr(RegisterClerk, "_matcher", lambda *_: Silent())
    ((_, what, expected, actual),) = told(run_case(read("expect: {}")))
    assert (what, expected, actual) == ("event a/E1 R1 U1 direct matcher against durable", "-0.50", "0.00")
