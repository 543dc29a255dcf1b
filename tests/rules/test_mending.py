"""A case's expectations become what it came to."""

from typing import Any

import pytest

from rules.case import read_own_cases
from rules.checking import run_case
from rules.document import read_rulebook
from rules.mending import mend
from rules.tree import load_yaml

BOOK: Any = load_yaml("""
rulebook: county
effective: 2026-01-01T00:00:00+08:00
event_types: {fault: {fields: {n: {type: integer}}}}
rules:
  - {rule: R1, on: fault, when: n > 1, points: -0.50}
  - {rule: R2, on: fault, points: -1}
  - {rule: D1, differentiation: total, among: group,
     undifferentiated: {when: {range_below: 9}, charge: members, points: -0.10}}
""")[0].raw
CASE = """
case: 两次
subjects: [{code: U1, kind: unit, group: g}, {code: U2, kind: unit, group: g}]
periods: [{code: m, kind: month, from: 2026-03-01, to: 2026-04-01}]
steps:
  - event: {id: E1, type: fault, subject: U1, time: 2026-03-05T10:00:00+08:00, data: {n: 2}}
  - expect: {posted: %s}
  - event: {id: E1, source: other, type: fault, subject: U2, time: 2026-03-06T10:00:00+08:00}
  - settle: m
  - expect: {totals: {U1: 1, U2: 2}, ranks: {U1: 1, U2: null}, posted: []}
"""


@pytest.mark.parametrize(
    "posted",
    [
        "[]",
        "[{event: E1, rule: R1, subject: U1, points: -9}, {event: E1, rule: R2, subject: U2, points: 1}]",
        "[{event: E1, rule: R1, subject: U1, points: -9}, {event: E1, rule: R1, subject: U1, points: -1}]",
        "[{event: E1, source: manual, rule: R2, subject: U1, points: -9}]",
    ],
)
def test_what_is_mended_holds(posted: str) -> None:
    raw: Any = load_yaml(CASE % posted)[0].raw
    result = run_case(*read_own_cases(read_rulebook(BOOK), [raw]))
    assert not result.holds
    mended: Any = mend(raw, result.mismatches)
    again = run_case(*read_own_cases(read_rulebook(BOOK), [mended]))
    assert again.holds, again.mismatches
    assert mended["steps"][4]["expect"]["totals"] == {"U1": "98.40", "U2": "98.90"}
    assert {key: value for key, value in mended.items() if key != "steps"} == {
        key: value for key, value in raw.items() if key != "steps"
    }


def test_what_is_for_a_person_to_judge_is_not_mended() -> None:
    raw: Any = load_yaml(CASE % "[]")[0].raw
    assert mend(raw, ()) is None
    unknown = {**raw, "steps": [{"retract": {"id": "E9"}}, *raw["steps"]]}
    stopped = run_case(*read_own_cases(read_rulebook(BOOK), [unknown]))
    assert mend(unknown, stopped.mismatches) is None
    refused = {**raw, "steps": [raw["steps"][0], {"expect": {"refused": [{"id": "E1"}]}}]}
    result = run_case(*read_own_cases(read_rulebook(BOOK), [refused]))
    assert not result.holds
    assert mend(refused, result.mismatches) is None
