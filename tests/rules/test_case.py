"""Cases: typed as a whole, events left as they were written, errors with line and path."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.finding import Finding, Refused
from engine.language import render
from engine.organisation import Place as Standing
from engine.organisation import Relation
from engine.period import Period
from engine.report import parse_report
from engine.rulebook import EventRule, Fixed
from rules.case import (
    Case,
    Close,
    Correct,
    EventsStep,
    EventStep,
    Expect,
    Organise,
    Publish,
    RefusedEvent,
    Reopen,
    Retract,
    Settle,
    Sum,
    read_cases,
    read_own_cases,
)
from rules.document import read_document
from rules.roster import (
    read_periods,
    read_relations,
    read_subjects,
    write_periods,
    write_relations,
    write_subjects,
)
from rules.tree import load_yaml

CASES = Path(__file__).parent.parent / "cases"

BOOK = """\
rulebook: county
effective: 2026-01-01T00:00:00+08:00
event_types: {fault: {fields: {n: {type: integer}}}}
rules: [{rule: R1, on: fault, points: -0.50}]
"""

WHOLE = """\
case: 全部步骤
timezone: Asia/Urumqi
rulebook: {file: county.yaml}
versions:
  - rulebook: county
    effective: 2026-02-01T00:00:00+08:00
    event_types: {fault: {}}
    rules: [{rule: R1, on: fault, points: -1}]
subjects:
  - {code: 001, name: 城关分局, kind: unit, group: on}
  - {code: P1, kind: person, unit: 001, post: chief}
relations: [{subject: 001, relation: principal, answers: P1, from: 2026-01-01, to: 2027-01-01}]
periods: [{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}]
steps:
  - event: {id: 001, type: fault, subject: 001, time: 2026-03-05T10:00:00+08:00, data: {n: 0.10, x: y}}
  - events: [{id: E2}, {id: E3}]
  - retract: {id: E2, reason: 申诉成立}
  - correct: {source: s, id: E3, event: {id: E3b}}
  - publish: {rulebook: {file: county.yaml}, effective: 2026-03-10T00:00:00+08:00}
  - publish:
      rulebook: {rulebook: county, event_types: {fault: {}}, rules: [{rule: R9, on: fault, points: -2}]}
      effective: 2026-03-11T00:00:00+08:00
  - publish: {rulebook: county, effective: 2026-03-12T00:00:00+08:00}
  - organise: {since: 2026-03-15, subjects: [{code: U2, kind: unit, group: on}],
               relations: [{subject: U2, relation: principal, answers: P1}]}
  - settle: 2026-03
  - close: 2026-03
  - reopen: 2026-03
  - expect:
      period: 2026-03
      totals: {001: 96.00, U2: null}
      final: {P1: 90.03}
      ranks: {001: 1, U2: null}
      tiers: {001: 2}
      awards: {five-star: [P1, 001]}
      posted:
        - {event: 001, rule: R1, subject: 001, points: -4.00}
        - {period: 2026-03, rule: R9, subject: P1, points: 0.10}
      refused: [{id: E9}, {source: s, id: E8}]
  - expect: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "county.yaml").write_text(BOOK, encoding="utf-8")
    return tmp_path


def findings(text: str, folder: Path | None = None) -> list[Finding]:
    with pytest.raises(Refused) as refused:
        read_cases(text, folder)
    for finding in refused.value.findings:
        assert render(finding.message)
        assert render(finding.message, "en")
    return [finding for finding in refused.value.findings if finding.level == "error"]


def test_a_whole_case(folder: Path) -> None:
    (case,) = read_cases(WHOLE, folder)
    assert (case.name, case.timezone) == ("全部步骤", "Asia/Urumqi")
    assert [version.effective for version in case.versions] == [
        datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 1, 31, 16, tzinfo=UTC),
    ]  # fmt: skip
    first, person = case.subjects
    assert (first.code, first.name) == ("001", "城关分局")
    assert first.places == (Standing(kind="unit", group="on"),)
    assert person.places == (Standing(kind="person", unit="001", post="chief"),)
    assert case.relations == (
        Relation(subject="001", relation="principal", answers="P1", start=date(2026, 1, 1), end=date(2027, 1, 1)),
    )
    assert case.periods == (Period(code="2026-03", kind="month", start=date(2026, 3, 1), end=date(2026, 4, 1)),)
    event, events, retract, correct, by_file, inline, document, organise, *acts, expect, last = case.steps
    assert isinstance(event, EventStep)
    assert event.event == {
        "id": "001", "type": "fault", "subject": "001", "time": "2026-03-05T10:00:00+08:00",
        "data": {"n": "0.10", "x": "y"},
    }  # fmt: skip
    assert parse_report(event.event).id == "001"
    assert events == EventsStep(events=({"id": "E2"}, {"id": "E3"}))
    assert retract == Retract(id="E2", reason="申诉成立")
    assert correct == Correct(id="E3", source="s", event={"id": "E3b"})
    publications = [step.rulebook for step in (by_file, inline, document) if isinstance(step, Publish)]
    assert [book.effective.astimezone(UTC).day for book in publications] == [9, 10, 11]
    assert [[rule.code for rule in book.rules] for book in publications] == [["R1"], ["R9"], []]
    assert isinstance(organise, Organise)
    assert organise.since == date(2026, 3, 15)
    assert organise.subjects[0].places == (Standing(kind="unit", group="on", since=date(2026, 3, 15)),)
    assert acts == [Settle(period="2026-03"), Close(period="2026-03"), Reopen(period="2026-03")]
    assert expect == Expect(
        period="2026-03",
        totals={"001": Decimal(96), "U2": None},
        final={"P1": Decimal("90.03")},
        ranks={"001": 1, "U2": None},
        tiers={"001": 2},
        awards={"five-star": frozenset({"P1", "001"})},
        posted=(
            Sum(event="001", rule="R1", subject="001", points=Decimal(-4)),
            Sum(period="2026-03", rule="R9", subject="P1", points=Decimal("0.1")),
        ),
        refused=(RefusedEvent(id="E9"), RefusedEvent(id="E8", source="s")),
    )
    assert last == Expect()


CASE = """\
case: c
rulebook: {rulebook: r, effective: 2026-01-01T00:00:00Z, limits: {l: {per: year, max: 1}}}
subjects: [{code: U1, kind: unit, group: g}]
periods: [{code: M, from: 2026-03-01, to: 2026-04-01, kind: month}]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps:\n  - settle: N\n", [("steps[0].settle", 6)]),
        ("steps:\n  - event: {}\n    settle: M\n", [("steps[0]", 6)]),
        ("steps:\n  - wait: 3\n", [("steps[0].wait", 6), ("steps[0]", 6)]),
        ("steps:\n  - event: E1\n", [("steps[0].event", 6)]),
        ("steps:\n  - retract: {reason: x}\n", [("steps[0].retract.id", 6)]),
        ("steps:\n  - correct: {id: E1}\n", [("steps[0].correct.event", 6)]),
        ("steps:\n  - organise: {subjects: []}\n", [("steps[0].organise.since", 6)]),
        ("steps:\n  - expect:\n      totals: {U9: 1}\n", [("steps[0].expect.totals.U9", 7)]),
        ("steps:\n  - expect:\n      totals: {U1: x}\n", [("steps[0].expect.totals.U1", 7)]),
        ("steps:\n  - expect: {ranks: {U1: 1.5}}\n", [("steps[0].expect.ranks.U1", 6)]),
        ("steps:\n  - expect: {posted: [{rule: R, subject: U1, points: 1}]}\n",
         [("steps[0].expect.posted[0]", 6), ("steps[0].expect.posted[0].rule", 6)]),
        ("steps:\n  - publish: {rulebook: {rulebook: r}}\n", [("steps[0].publish.rulebook.effective", 6)]),
        ("steps:\n  - publish:\n      rulebook: r\n      effective: 2026-01-01T00:00:00Z\n"
         "      limits: {l: {per: month, max: 1}}\n", [("steps[0].publish", 6)]),
        ("versions: [{file: county.yaml}]\n", [("versions[0].file", 5)]),
        ("timezone: Asia/Shangai\n", [("timezone", 5)]),
        ("timezone: ../etc/passwd\n", [("timezone", 5)]),
        ("relations: [{subject: U1, relation: lead, answers: D1}]\n", [("relations[0].answers", 5)]),
        ("relations: [{subject: U1, relation: lead, answers: U1, from: 2026-01-01, to: 2026-01-01}]\n",
         [("relations[0].to", 5)]),
        ("title: x\n", [("title", 5)]),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, expected: list[tuple[str, int]]) -> None:
    assert [(finding.path, finding.line) for finding in findings(CASE + text)] == expected


def test_what_organisations_are_refused() -> None:
    def refused(read: Any, text: str) -> list[str]:
        (tree,) = load_yaml(text)
        with pytest.raises(Refused) as caught:
            read(tree.raw, tree.lines)
        return [finding.path for finding in caught.value.findings]

    mixed = "- {code: A, kind: unit, group: g}\n- {code: B, kind: person, group: g}\n"
    assert refused(read_subjects, mixed) == ["[1].group"]
    assert refused(read_subjects, "- {code: A, kind: unit}\n- {code: A, kind: unit}\n") == ["[1].code"]
    assert refused(read_subjects, "- {code: A, kind: person, unit: B}\n") == ["[0].unit"]
    assert refused(read_subjects, "- {code: A, kind: person, unit: A}\n") == ["[0].unit"]
    assert refused(read_subjects, "- {code: A, kind: team}\n") == ["[0].kind"]
    period = "- {code: M, from: 2026-03-01, to: 2026-03-01, kind: month}\n"
    assert refused(read_periods, period + period) == ["[0].to", "[1].to", "[1].code"]


def test_organisations_are_written_as_they_are_read() -> None:
    subjects = load_yaml(
        "- {code: U1, name: 分局, kind: unit, group: g}\n- {code: P1, kind: person, unit: U1, post: c}\n"
    )
    relations = load_yaml(
        "- {subject: U1, relation: 牵头, answers: P1, indicator: I, from: 2026-01-01, to: 2027-01-01}\n"
    )
    periods = load_yaml("- {code: 2026-03, title: 三月, from: 2026-03-01, to: 2026-04-01, kind: month}\n")
    assert write_subjects(read_subjects(subjects[0].raw)) == subjects[0].raw
    assert write_relations(read_relations(relations[0].raw, known=["U1", "P1"])) == relations[0].raw
    assert write_periods(read_periods(periods[0].raw)) == periods[0].raw


def test_a_rulebook_file_stands_for_its_own_cases() -> None:
    own = (
        "cases:\n  - case: 自测\n    subjects: [{code: U1, kind: unit}]\n"
        "    steps:\n      - expect: {totals: {U1: 100}}\n"
    )
    (case,) = read_cases(BOOK + own)
    (version,) = case.versions
    assert isinstance(version.rules[0], EventRule)
    assert version.rules[0].points == Fixed(Decimal("-0.5"))
    assert read_cases(BOOK) == []
    (wrong,) = findings(BOOK + own.replace("U1: 100", "U2: 100"))
    assert (wrong.path, wrong.line) == ("cases[0].steps[0].expect.totals.U2", 9)
    document = read_document(load_yaml(BOOK + own)[0].raw)
    assert read_own_cases(document.rulebook, document.cases) == [case]


def test_what_is_wrong_in_a_file_names_the_file(folder: Path) -> None:
    (folder / "bad.yaml").write_text("rulebook: r\neffective: soon\n", encoding="utf-8")
    (folder / "two.yaml").write_text("a: 1\n---\nb: 2\n", encoding="utf-8")
    (wrong,) = findings("case: c\nrulebook: {file: bad.yaml}\n", folder)
    assert (wrong.path, wrong.line) == ("bad.yaml:effective", 2)
    (wrong,) = findings("case: c\nrulebook: {file: two.yaml}\n", folder)
    assert wrong.path == "rulebook.file"
    (wrong,) = findings("case: c\nrulebook: {file: none.yaml}\n", folder)
    assert wrong.path == "rulebook.file"


@pytest.mark.parametrize("file", sorted(CASES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_cases(file: Path) -> None:
    cases = read_cases(file.read_bytes(), file.parent)
    assert len(cases) == len(load_yaml(file.read_bytes()))
    for case in cases:
        assert isinstance(case, Case)
        assert any(isinstance(step, Expect) for step in case.steps)


def test_there_are_cases() -> None:
    assert len(list(CASES.glob("*.yaml"))) >= 3
