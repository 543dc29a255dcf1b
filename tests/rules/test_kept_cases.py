"""The draft's own cases: known by what they say, told apart by name, read from text with the lines of what is wrong."""

from typing import Any

import pytest

from engine.finding import Refused
from rules.case import read_own_cases
from rules.checking import run_case
from rules.document import read_rulebook
from rules.draft import Stale, read_draft, tree_hash, write_draft
from rules.kept_cases import as_text, cases_of, change_cases, key_of, named_apart, put, read_text, remove
from rules.trace import trace_case
from rules.tree import load_yaml

BOOK: Any = load_yaml("""
rulebook: county
effective: 2026-06-01T00:00:00+08:00
event_types: {fault: {fields: {n: {type: integer}}}, grave: {}}
limits: {none: {per: year, max: 0}}
rules:
  - {rule: R1, on: fault, when: n > 1, points: -0.50}
  - {rule: R2, on: fault, points: -1, limits: [none]}
  - {rule: R3, on: fault, when: n > 9, points: -5}
  - {rule: V1, veto: total, on: grave, to: 60}
  - {rule: V2, veto: total, on: grave, charge: principal, to: 60}
  - {rule: J1, joint: principal, of: [R1], share: 0.5}
""")[0].raw
TEXT = """\
case: 两次
subjects:
  - {code: U1, kind: unit}
  - {code: P1, kind: person}
relations: [{subject: U1, relation: principal, answers: P1}]
steps:
  - event: {id: E1, type: fault, subject: U1, time: 2026-03-05T10:00:00+08:00, data: {n: 2}}
  - expect:
      posted:
        - {event: E1, rule: R1, subject: U1, points: -0.50}
        - {event: E1, rule: J1, subject: P1, points: -0.25}
  - retract: {id: E1}
  - event: {id: E2, type: grave, subject: P1, time: 2026-03-06T10:00:00+08:00}
"""


def test_a_case_is_known_by_what_it_says() -> None:
    raw: Any = load_yaml(TEXT)[0].raw
    other = {**raw, "case": "三次"}
    assert key_of(raw) == key_of(load_yaml(as_text(raw))[0].raw) != key_of(other)
    assert put([raw], other) == [raw, other]
    assert put([raw, other], {**raw, "case": "四次"}, key_of(raw)) == [{**raw, "case": "四次"}, other]
    assert remove([raw, other], key_of(raw)) == [other]
    with pytest.raises(Stale):
        put([other], raw, key_of(raw))
    with pytest.raises(Stale):
        remove([other], key_of(raw))
    with pytest.raises(Refused, match=r"kept\.name_taken"):
        put([raw], {**raw, "periods": []})
    with pytest.raises(Refused, match=r"kept\.name_taken"):
        put([raw, other], {**other, "case": "两次"}, key_of(other))
    assert put([raw], {**raw, "periods": []}, key_of(raw)) == [{**raw, "periods": []}]
    assert named_apart("两次", [raw], "{name}（{number}）") == "两次（2）"
    assert named_apart("五次", [raw], "{name}（{number}）") == "五次"


@pytest.mark.parametrize(
    ("before", "after", "line", "path"),
    [
        ("rule: R1", "rule: R9", 10, "steps[1].expect.posted[0].rule"),
        ("case: 两次", "cas: 两次", 1, "cas"),
        ("posted:", "postet:", 9, "steps[1].expect.postet"),
        ("kind: person", "kind: persona", 4, "subjects[1].kind"),
        ("- retract: {id: E1}", "- retract: {id: E1}\n    close: x", 12, "steps[2]"),
        ("case: 两次", "case: 两次\nrulebook: {file: /etc/passwd}", 2, "rulebook.file"),
        ("steps:", "steps: [", 7, ""),
        ("case: 两次", "case: 两次\n---\ncase: 三次", 1, ""),
    ],
)
def test_what_is_wrong_in_a_text_has_its_line(before: str, after: str, line: int, path: str) -> None:
    with pytest.raises(Refused) as refused:
        read_text(TEXT.replace(before, after, 1), read_rulebook(BOOK))
    assert (refused.value.findings[0].line, refused.value.findings[0].path) == (line, path)


def test_a_case_tries_rules_whenever_they_take_effect() -> None:
    rulebook = read_rulebook(BOOK)
    raw: Any = load_yaml(TEXT)[0].raw
    (case,) = read_own_cases(rulebook, [raw])
    assert case.versions[0].effective.isoformat() == "2026-03-05T10:00:00+08:00"
    assert run_case(case).holds
    # an event that is to be refused does not reach back, nor does a later one, nor a case with a rulebook of its own
    refused = {**raw, "steps": [raw["steps"][0], {"expect": {"refused": [{"id": "E1"}], "posted": []}}]}
    (case,) = read_own_cases(rulebook, [refused])
    assert case.versions[0] is rulebook
    assert run_case(case).holds
    later = {**raw, "steps": [{"event": {**raw["steps"][0]["event"], "time": "2026-07-01T00:00:00+08:00"}}]}
    assert read_own_cases(rulebook, [later])[0].versions[0] is rulebook
    own = {**raw, "rulebook": BOOK}
    assert read_own_cases(rulebook, [own])[0].versions[0].effective == rulebook.effective


def test_a_trace_tells_which_rules_charged() -> None:
    (case,) = read_own_cases(read_rulebook(BOOK), [load_yaml(TEXT)[0].raw])
    trace = trace_case(case)
    assert trace.result.holds
    # R1 and J1 until the event was withdrawn, R2 though it was clipped to 0; V1 holds P1 down, V2 finds no principal
    # of P1; R3 never fired
    assert trace.charging == {"R1", "R2", "J1", "V1"}
    assert trace.types == {"fault", "grave"}
    assert not trace.settles


@pytest.mark.anyio
async def test_cases_are_written_one_at_a_time_whole_or_not_at_all(pool: object) -> None:
    raw: Any = load_yaml(TEXT)[0].raw
    with pytest.raises(Refused, match=r"kept\.no_draft"):
        await change_cases(lambda held: put(held, raw))
    await write_draft(BOOK)
    before = await read_draft()
    await change_cases(lambda held: put(held, raw), replacing=tree_hash(before))
    tree = await read_draft()
    assert cases_of(tree) == [raw]
    assert {key: value for key, value in tree.items() if key != "cases"} == before
    with pytest.raises(Stale):
        await change_cases(lambda held: put(held, {**raw, "case": "x"}), replacing=tree_hash(before))
    assert cases_of(await read_draft()) == [raw]
    await change_cases(lambda held: remove(held, key_of(raw)))
    assert await read_draft() == before
