"""Rulebook documents: every finding located, every kind of rule read, what is written reads the same."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.finding import Finding, Refused
from engine.language import render
from engine.rulebook import (
    Bands,
    Consequence,
    Difference,
    DifferentiationRule,
    EventRule,
    Fixed,
    JointRule,
    JointSettings,
    Limit,
    Progressive,
    ProgressRule,
    Raters,
    Repeat,
    Rulebook,
    Share,
    Table,
    VetoRule,
)
from rules.document import check_succession, read_document, read_rulebook, rulebook_hash, write_rulebook
from rules.tree import dump_yaml, load_json, load_yaml

CASES = Path(__file__).parent.parent / "cases"

WHOLE = """\
rulebook: county-2026
title: 县局绩效考评规则（2026）
effective: 2026-01-01T00:00:00+08:00
base: 90
joint: {depth: 2, basis: posted}
late: refuse
holidays: [2026-10-01]
workdays: [2026-10-10]
event_types:
  notice:
    title: 通报批评
    fields:
      level: {title: 级别, type: choice, choices: {state: 总局, on: 在, 001: 零零一}, required: true}
      problems: {type: choices, choices: {a: 甲, b: }}
      times: {title: 次数, type: integer}
      rate: {type: decimal}
      reported: {type: boolean}
      note: {type: text}
      通报日期: {type: date}
      due: {type: date}
      done: {type: date}
      seen: {type: datetime}
      late: {type: integer, days_late: {due: due, done: done, calendar: working}}
  vote: {fields: {rater_group: {type: text}, rater: {type: text}, value: {type: decimal}}}
indicators:
  I-REV: {title: 组织收入, full: 10, owner: D-REV, category: key, overdraw: true}
  I-1: {measure: {on: notice, field: rate, method: direct}}
  I-2: {measure: {on: notice, field: rate, method: bands, bands: [[98.6, 10], [97, 8]], else: 0}}
  I-3: {measure: {on: notice, field: rate, method: linear, linear: {from: [5, 0], to: [1, 5]}}}
  I-4: {measure: {on: notice, field: rate, method: efficacy, efficacy: {bad: 80, good: 100}}}
  I-5: {measure: {on: notice, field: times, method: milestone, milestone: {2: 2.5, 1: 1.25}}}
  I-6: {measure: {on: notice, field: rate, method: rank, rank: [60, 57], order: ascending}}
  I-7: {measure: {on: vote, method: raters, raters: {weights: {leaders: 0.4, peers: 0.2}, missing: zero}}}
limits:
  year: {title: 年度封顶, sign: bonus, per: year, max: 3.00}
  quarter: {per: quarter, max: 1}
rules:
  - rule: K03
    title: 市局通报批评
    basis: 第十二条
    indicator: I-REV
    enabled: false
    note: 说明
    on: notice
    when: level == "001" and not reported
    charge: direct_person
    points: -0.50
    times: times
    factors:
      - {title: 加倍, when: charged_post == "chief", by: 2}
      - {field: level, table: {on: 1.5, 001: 1}}
      - {field: rate}
      - {repeat: {within_days: 90, same: [problems, note]}, by: 2}
    max: 2.00
    matter: highest
    limits: [year, quarter]
  - {rule: P1, on: notice, points: {field: level, table: {state: -2, on: -1}}}
  - {rule: P2, on: notice, points: {field: rate, bands: [[98.6, 10], [97, 8]], else: 0}}
  - {rule: P3, on: notice, points: {field: late, progressive: [[3, -0.10], [null, -0.30]]}}
  - {rule: P4, on: notice, points: {field: rate, share: 2}}
  - {rule: P5, on: notice, points: {field: times, table: {001: 1, 2: 2}}}
  - {rule: P6, on: notice, points: {field: reported, table: {true: 1, false: 2}}}
  - {rule: P7, on: notice, points: {field: 通报日期, table: {2026-03-01: 1}}}
  - {rule: P8, on: notice, points: {field: rate, table: {0.50: 1}}}
  - {rule: J1, joint: lead_dept, of: [K03, P1], sign: deduction, when: level != "state", share: 0.30, split: pro_rata,
     max: 1.00, limits: [quarter]}
  - {rule: J2, joint: 牵头, points: 0.10}
  - rule: D1
    differentiation: [I-REV]
    among: group
    groups: [county]
    per: quarter
    at_least: 3
    undifferentiated: {when: {range_below: 0.10, cv_below: 0.05}, charge: owner, points: -0.50}
    differentiated: {charge: members, points: 0.30}
    limits: [quarter]
  - {rule: D2, differentiation: total, among: unit,
     undifferentiated: {when: {all_equal: true}, charge: unit, points: -1}}
  - {rule: G1, progress: rank, among: group, points: 0.2, max: 0.60, both: true}
  - {rule: V1, veto: total, on: notice, when: level == "state", charge: subject, to: 60}
scorecards:
  - {for: {kind: unit, group: county}, parts: [{title: 重点工作, weight: 70, category: key}]}
standing:
  linkage: {chief: 0.55}
  floor: 60
  tiers: {shares: [30, 40, 30]}
  awards: [{code: five-star, title: 五星, kind: person, top_share: 30, quota: 5, per: quarter}]
cases: [{case: 一, steps: []}]
"""


def whole(**changes: Any) -> dict[str, Any]:
    raw = load_yaml(WHOLE)[0].raw
    assert isinstance(raw, dict)
    return raw | changes


def small(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {"rulebook": "r", "effective": "2026-01-01T00:00:00+08:00"}
    raw["event_types"] = {
        "fault": {"fields": {"n": {"type": "integer"}, "d": {"type": "decimal"}, "t": {"type": "text"}}},
        "other": {"fields": {"m": {"type": "integer"}, "t": {"type": "integer"}}},
    }
    return raw | changes


def findings(raw: Any, lines: Any = None) -> list[Finding]:
    with pytest.raises(Refused) as refused:
        read_document(raw, lines)
    for finding in refused.value.findings:
        assert render(finding.message)
        assert render(finding.message, "en")
    return [finding for finding in refused.value.findings if finding.level == "error"]


def paths(raw: Any) -> list[str]:
    return [finding.path for finding in findings(raw)]


def rule(**keys: Any) -> dict[str, Any]:
    return small(rules=[{"rule": "R1", **{"of_" if key == "of_" else key: value for key, value in keys.items()}}])


def only(raw: Any) -> Any:
    (read,) = read_rulebook(raw).rules
    return read


def test_a_whole_rulebook() -> None:
    document = read_document(whole())
    assert document.cases == ({"case": "一", "steps": []},)
    assert document.warnings == ()
    book = document.rulebook
    assert (book.code, book.base, book.late) == ("county-2026", Decimal(90), "refuse")
    assert book.effective == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert book.joint == JointSettings(depth=2, basis="posted")
    assert book.holidays == {date(2026, 10, 1)}
    notice = book.event_types["notice"]
    assert notice.fields["level"].choices == {"state": "总局", "on": "在", "001": "零零一"}
    assert notice.fields["problems"].choices == {"a": "甲", "b": ""}
    assert book.limits["quarter"] == Limit(code="quarter", per="quarter", max=Decimal(1))
    measures = {code: each.measure.parameters for code, each in book.indicators.items() if each.measure}
    assert measures == {
        "I-1": None,
        "I-2": ((Decimal("98.6"), 10), (97, 8)),
        "I-3": ((5, 0), (1, 5)),
        "I-4": (80, 100),
        "I-5": ((1, Decimal("1.25")), (2, Decimal("2.5"))),
        "I-6": (60, 57),
        "I-7": Raters(weights={"leaders": Decimal("0.4"), "peers": Decimal("0.2")}, missing="zero"),
    }
    points = [each.points for each in book.rules if isinstance(each, EventRule)]
    assert points == [
        Fixed(Decimal("-0.5")),
        Table("level", {"state": Decimal(-2), "on": Decimal(-1)}),
        Bands("rate", ((Decimal("98.6"), Decimal(10)), (Decimal(97), Decimal(8))), Decimal(0)),
        Progressive("late", ((Decimal(3), Decimal("-0.1")), (None, Decimal("-0.3")))),
        Share("rate", Decimal(2)),
        Table("times", {1: Decimal(1), 2: Decimal(2)}),
        Table("reported", {True: Decimal(1), False: Decimal(2)}),
        Table("通报日期", {date(2026, 3, 1): Decimal(1)}),
        Table("rate", {Decimal("0.5"): Decimal(1)}),
    ]
    first = book.rules[0]
    assert isinstance(first, EventRule)
    assert first.when is not None
    assert first.when.text == 'level == "001" and not reported'
    assert [factor.table for factor in first.factors] == [None, {"on": Decimal("1.5"), "001": Decimal(1)}, None, None]
    assert first.factors[3].repeat == Repeat(within_days=90, same=("problems", "note"))
    assert (first.enabled, first.charge, first.times, first.max) == (False, "direct_person", "times", Decimal(2))
    assert (first.matter, first.limits, first.indicator) == ("highest", ("year", "quarter"), "I-REV")
    joint, second, differ, total, progress, veto = book.rules[-6:]
    assert isinstance(joint, JointRule)
    assert (joint.of, joint.share, joint.split) == (("K03", "P1"), Decimal("0.3"), "pro_rata")
    assert isinstance(second, JointRule)
    assert (second.of, second.points, second.sign, second.share) == (None, Decimal("0.1"), "both", None)
    assert isinstance(differ, DifferentiationRule)
    assert differ.undifferentiated == Consequence(
        when=Difference(range_below=Decimal("0.1"), cv_below=Decimal("0.05")), charge="owner", points=Decimal("-0.5")
    )
    assert differ.differentiated == Consequence(charge="members", points=Decimal("0.3"))
    assert isinstance(total, DifferentiationRule)
    assert (total.of, total.among, total.at_least) == (None, "unit", 2)
    assert isinstance(progress, ProgressRule)
    assert (progress.progress, progress.both) == ("rank", True)
    assert isinstance(veto, VetoRule)
    assert veto.to == 60
    assert book.standing.linkage == {"chief": Decimal("0.55")}
    assert book.standing.tiers == (Decimal(30), Decimal(40), Decimal(30))


def test_what_is_left_out() -> None:
    book = read_rulebook({"rulebook": "r", "effective": "2026-01-01T00:00:00Z", "rules": None})
    assert book == Rulebook(code="r", effective=datetime(2026, 1, 1, tzinfo=UTC))
    assert only(rule(on="fault", points="1")) == EventRule(code="R1", on="fault", points=Fixed(Decimal(1)))


def test_yaml_and_json_read_the_same() -> None:
    json = (
        '{"rulebook": "r", "effective": "2026-01-01T00:00:00Z", "base": 99.50, "joint": {"depth": 3}, "holidays": []}'
    )
    yaml = "rulebook: r\neffective: 2025-12-31T19:00:00-05:00\nbase: 99.5\njoint: {depth: 3}\n"
    from_json, from_yaml = read_rulebook(load_json(json).raw), read_rulebook(load_yaml(yaml)[0].raw)
    assert from_json == from_yaml
    assert rulebook_hash(from_json) == rulebook_hash(from_yaml)


def test_findings_are_all_told_with_their_lines() -> None:
    text = (
        "rulebook: r\neffective: 2026-01-01\nbase: many\nevent_types:\n  fault:\n    fields:\n      n: {type: number}\n"
        "rules:\n  - rule: R1\n    on: fault\n    points:\n      by: 3\n"
        "  - {rule: R1, on: fautl, points: 1, limit: []}\n"
    )
    (tree,) = load_yaml(text)
    assert [(found.path, found.line) for found in findings(tree.raw, tree.lines)] == [
        ("event_types.fault.fields.n.type", 7), ("effective", 2), ("base", 3), ("rules[0].points.by", 12),
        ("rules[0].points", 11), ("rules[1].limit", 13), ("rules[1].on", 13), ("rules[1].rule", 13),
    ]  # fmt: skip


def test_a_condition_is_found_by_its_column() -> None:
    (found,) = findings(rule(on="fault", points="1", when="n > 1 and  m == 2"))
    assert (found.path, found.column) == ("rules[0].when", 12)
    (found,) = findings(rule(on="fault", points="1", factors=[{"when": "n＞1", "by": "2"}]))
    assert (found.path, found.column) == ("rules[0].factors[0].when", 2)
    assert only(rule(on="fault", points="1", factors=[{"when": 'charged == "U1"', "by": "2"}]))
    assert paths(rule(on="fault", points="1", when='charged == "U1"')) == ["rules[0].when"]


def test_a_joint_condition_may_name_what_any_served_type_declares() -> None:
    served = [{"rule": "A", "on": "fault", "points": "1"}, {"rule": "B", "on": "other", "points": "1"}]
    joint = {"rule": "J", "joint": "lead", "share": "1", "when": "n > 1 or m > 1"}
    assert len(read_rulebook(small(rules=[joint, *served])).rules) == 3
    assert paths(small(rules=[joint | {"of": ["A"]}, *served])) == ["rules[0].when"]
    assert paths(small(rules=[joint | {"when": "t > 1"}, *served])) == ["rules[0].when"]


ON = {"on": "fault"}
DIFFER = {"differentiation": "total", "among": "group"}
CHARGE = {"charge": "members", "points": "1"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["rules[0]"]),
        ({"on": "fault", "joint": "lead", "points": "1"}, ["rules[0]"]),
        (ON, ["rules[0].points"]),
        (ON | {"points": True}, ["rules[0].points"]),
        (ON | {"points": "1", "share": "2"}, ["rules[0].share"]),
        (ON | {"points": "1", "times": "t"}, ["rules[0].times"]),
        (ON | {"points": "1", "times": "x"}, ["rules[0].times"]),
        (ON | {"points": "1", "max": "-2"}, ["rules[0].max"]),
        (ON | {"points": "1", "limits": ["none"]}, ["rules[0].limits[0]"]),
        (ON | {"points": "1", "indicator": "none"}, ["rules[0].indicator"]),
        (ON | {"points": "1", "matter": "lowest"}, ["rules[0].matter"]),
        (ON | {"points": "1", "enabled": "yes"}, ["rules[0].enabled"]),
        (ON | {"points": "1", "charge": "a b"}, ["rules[0].charge"]),
        (ON | {"points": "1", "when": True}, ["rules[0].when"]),
        (ON | {"points": {"field": "n"}}, ["rules[0].points"]),
        (ON | {"points": {"share": "1"}}, ["rules[0].points.field"]),
        (ON | {"points": {"field": "t", "share": "1"}}, ["rules[0].points.field"]),
        (ON | {"points": {"field": "t", "bands": [["1", "2"]]}}, ["rules[0].points.field"]),
        (ON | {"points": {"field": "n", "bands": []}}, ["rules[0].points.bands"]),
        (ON | {"points": {"field": "n", "bands": [["1"]]}}, ["rules[0].points.bands[0]"]),
        (ON | {"points": {"field": "n", "share": "1", "else": "1"}}, ["rules[0].points.else"]),
        (ON | {"points": {"field": "n", "table": {}}}, ["rules[0].points.table"]),
        (ON | {"points": {"field": "n", "table": {"x": "1"}}}, ["rules[0].points.table.x"]),
        (ON | {"points": {"field": "n", "table": {"1": "1", "1.0": "2"}}}, ["rules[0].points.table.1.0"]),
        (ON | {"points": {"field": "n", "progressive": [["3", "1"], ["3", "1"]]}}, ["rules[0].points.progressive[1]"]),
        (ON | {"points": {"field": "n", "progressive": [[None, "1"], ["3", "1"]]}}, ["rules[0].points.progressive[1]"]),
        (ON | {"points": {"field": "n", "progressive": [["0", "1"]]}}, ["rules[0].points.progressive[0]"]),
        (ON | {"points": "1", "factors": [{"title": "x"}]}, ["rules[0].factors[0]"]),
        (ON | {"points": "1", "factors": [{"by": "2", "field": "n"}]}, ["rules[0].factors[0]"]),
        (ON | {"points": "1", "factors": [{"field": "t"}]}, ["rules[0].factors[0].field"]),
        (ON | {"points": "1", "factors": [{"by": "2", "table": {"1": "1"}}]}, ["rules[0].factors[0].table"]),
        (ON | {"points": "1", "factors": [{"by": "2", "repeat": {"within_days": "1", "same": ["x"]}}]},
         ["rules[0].factors[0].repeat.same[0]"]),
        (ON | {"points": "1", "factors": [{"by": "2", "repeat": {"within_days": "-1"}}]},
         ["rules[0].factors[0].repeat.within_days"]),
        ({"joint": "lead"}, ["rules[0]"]),
        ({"joint": "lead", "share": "1", "points": "1"}, ["rules[0]"]),
        ({"joint": "lead", "share": "-1"}, ["rules[0].share"]),
        ({"joint": "lead", "share": "1", "of": ["R1"]}, ["rules[0].of[0]"]),
        ({"joint": "lead", "share": "1", "of": []}, ["rules[0].of"]),
        ({"joint": "lead", "share": "1", "sign": "plus"}, ["rules[0].sign"]),
        (DIFFER, ["rules[0]"]),
        (DIFFER | {"undifferentiated": CHARGE}, ["rules[0].undifferentiated.when"]),
        (DIFFER | {"differentiated": CHARGE}, ["rules[0].differentiated.when"]),
        (DIFFER | {"differentiated": CHARGE | {"when": {}}}, ["rules[0].differentiated.when"]),
        (DIFFER | {"differentiated": CHARGE | {"when": {"spread": "1"}}}, ["rules[0].differentiated.when.spread",
                                                                          "rules[0].differentiated.when"]),
        (DIFFER | {"differentiated": {"when": {"all_equal": "true"}, "charge": "owner", "points": "1"}},
         ["rules[0].differentiated.charge"]),
        (DIFFER | {"differentiated": {"when": {"all_equal": "true"}, "charge": "unit", "points": "1"}},
         ["rules[0].differentiated.charge"]),
        (DIFFER | {"differentiated": CHARGE | {"when": {"full_share_at_least": "0.8"}}},
         ["rules[0].differentiated.when.full_share_at_least"]),
        ({"differentiation": ["I"], "among": "group", "differentiated": CHARGE | {"when": {"all_equal": "true"}}},
         ["rules[0].differentiation[0]"]),
        ({"differentiation": "I", "among": "group", "differentiated": CHARGE | {"when": {"all_equal": "true"}}},
         ["rules[0].differentiation"]),
        ({"progress": "rank", "points": "1", "among": "unit"}, ["rules[0].among"]),
        ({"progress": "places", "points": "1"}, ["rules[0].progress"]),
        ({"veto": "total", "on": "fault"}, ["rules[0].to"]),
        ({"veto": "part", "on": "fault", "to": "60"}, ["rules[0].veto"]),
        ({"veto": "total", "to": "60"}, ["rules[0].on"]),
    ],
)  # fmt: skip
def test_what_rules_are_refused(keys: dict[str, Any], expected: list[str]) -> None:
    assert paths(rule(**keys)) == expected


FIELD = {"type": "integer"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rulebook": None}, ["rulebook"]),
        ({"effective": "2026-01-01T00:00:00"}, ["effective"]),
        ({"extra": "1"}, ["extra"]),
        ({"joint": {"depth": "0"}}, ["joint.depth"]),
        ({"joint": {"depth": "11"}}, ["joint.depth"]),
        ({"late": "maybe"}, ["late"]),
        ({"holidays": ["2026-02-30"]}, ["holidays[0]"]),
        ({"rules": {"R1": {}}}, ["rules"]),
        ({"rules": ["R1"]}, ["rules[0]"]),
        ({"event_types": {"a b": {}}}, ["event_types.a b"]),
        ({"event_types": {"e": None}}, ["event_types.e"]),
        ({"event_types": {"e": {"fields": {"subject": FIELD}}}}, ["event_types.e.fields.subject"]),
        ({"event_types": {"e": {"fields": {"a-b": FIELD}}}}, ["event_types.e.fields.a-b"]),
        ({"event_types": {"e": {"fields": {"and": FIELD}}}}, ["event_types.e.fields.and"]),
        ({"event_types": {"e": {"fields": {"x": {}}}}}, ["event_types.e.fields.x.type"]),
        ({"event_types": {"e": {"fields": {"x": {"type": "choice"}}}}}, ["event_types.e.fields.x.choices"]),
        ({"event_types": {"e": {"fields": {"x": FIELD | {"choices": {"a": "b"}}}}}},
         ["event_types.e.fields.x.choices"]),
        ({"event_types": {"e": {"fields": {"x": FIELD | {"days_late": {"due": "y", "done": "y"}}, "y": FIELD}}}},
         ["event_types.e.fields.x.days_late.due", "event_types.e.fields.x.days_late.done"]),
        ({"event_types": {"e": {"fields": {"x": {"type": "text", "days_late": {"due": "y", "done": "y"}},
                                            "y": {"type": "date"}}}}}, ["event_types.e.fields.x.type"]),
        ({"limits": {"l": {"per": "week", "max": "1"}}}, ["limits.l.per"]),
        ({"limits": {"l": {"per": "year"}}}, ["limits.l.max"]),
        ({"indicators": {"I": {"full": "0"}}}, ["indicators.I.full"]),
        ({"indicators": {"I": {"measure": {"on": "fault", "field": "n"}}}}, ["indicators.I.measure.method"]),
        ({"indicators": {"I": {"measure": {"on": "none", "field": "n", "method": "direct"}}}},
         ["indicators.I.measure.on"]),
        ({"indicators": {"I": {"measure": {"on": "fault", "field": "t", "method": "direct"}}}},
         ["indicators.I.measure.field"]),
        ({"indicators": {"I": {"measure": {"on": "fault", "field": "n", "method": "bands"}}}},
         ["indicators.I.measure.bands"]),
        ({"indicators": {"I": {"measure": {"on": "fault", "field": "n", "method": "direct", "bands": []}}}},
         ["indicators.I.measure.bands"]),
        ({"indicators": {"I": {"measure": {"on": "fault", "field": "n", "method": "linear",
                                            "linear": {"from": ["1", "0"], "to": ["1", "5"]}}}}},
         ["indicators.I.measure.linear"]),
        ({"indicators": {"I": {"measure": {"on": "other", "method": "raters", "raters": {"weights": {"a": "1"}}}}}},
         ["indicators.I.measure", "indicators.I.measure", "indicators.I.measure"]),
        ({"scorecards": [{"for": {"kind": "team"}, "parts": []}]}, ["scorecards[0].for.kind", "scorecards[0].parts"]),
        ({"standing": {"linkage": {"chief": "55"}}}, ["standing.linkage.chief"]),
        ({"standing": {"awards": [{"code": "a", "kind": "person", "top_share": "101"}]}},
         ["standing.awards[0].top_share"]),
        ({"cases": {}}, ["cases"]),
    ],
)  # fmt: skip
def test_what_documents_are_refused(changes: dict[str, Any], expected: list[str]) -> None:
    assert paths(small(**changes)) == expected


def test_an_owner_must_be_there_to_be_charged() -> None:
    consequence = {"when": {"all_equal": "true"}, "charge": "owner", "points": "-1"}
    differ = {"rule": "D", "differentiation": ["I"], "among": "group", "undifferentiated": consequence}
    assert paths(small(indicators={"I": {}}, rules=[differ])) == ["rules[0].undifferentiated.charge"]
    assert read_rulebook(small(indicators={"I": {"owner": "O"}}, rules=[differ])).rules


def test_odd_things_are_warnings() -> None:
    document = read_document(
        small(
            limits={"idle": {"per": "year", "max": "1.005"}},
            rules=[{"rule": "J", "joint": "lead", "share": "1"}],
            scorecards=[{"parts": [{"weight": "1", "category": "none"}]}],
            standing={"tiers": {"shares": ["30", "40"]}},
            holidays=["2026-10-01"],
            workdays=["2026-10-01"],
        )
    )
    assert {finding.path for finding in document.warnings} == {
        "limits.idle", "limits.idle.max", "rules[0]", "scorecards[0].parts[0].category", "standing.tiers.shares",
        "workdays",
    }  # fmt: skip
    for finding in document.warnings:
        assert render(finding.message)
        assert render(finding.message, "en")


def test_a_limit_keeps_its_window_and_sign_under_its_code() -> None:
    def book(**limit: str) -> Rulebook:
        return read_rulebook(small(limits={"l": {"per": "year", "max": "1"} | limit}))

    assert check_succession([book()], book(max="2", title="x")) == []
    assert check_succession([], book()) == []
    changed = check_succession([book(), book(max="3")], book(per="month", sign="bonus"))
    assert [finding.path for finding in changed] == ["limits.l.per", "limits.l.sign"]
    assert render(changed[0].message) == "封顶“l”的 per 原为“year”，不能改为“month”，请另用代码"


def test_what_is_written_reads_the_same() -> None:
    book = read_rulebook(whole())
    tree = write_rulebook(book)
    assert read_rulebook(tree) == book
    text = dump_yaml(tree)
    assert read_rulebook(load_yaml(text)[0].raw) == book
    json = msgspec.json.encode(tree)
    assert read_rulebook(load_json(json).raw) == book
    assert "points: -0.50\n" in text
    assert "title: 市局通报批评" in text
    assert [rule.code for rule in read_rulebook(tree).rules] == [rule.code for rule in book.rules]


def test_the_hash_is_of_what_the_rulebook_says() -> None:
    book = read_rulebook(whole())
    same = read_rulebook(whole(effective="2025-12-31T16:00:00Z", base="90.0"))
    assert rulebook_hash(same) == rulebook_hash(book)
    turned = msgspec.structs.replace(book, rules=book.rules[::-1])
    assert rulebook_hash(turned) != rulebook_hash(book)
    assert rulebook_hash(msgspec.structs.replace(book, base=Decimal("90.01"))) != rulebook_hash(book)


numbers = st.decimals(-99, 99, places=3).map(str)
sizes = st.decimals(0, 99, places=3).map(str)
titles = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
schedules = st.one_of(
    numbers,
    st.fixed_dictionaries({"field": st.just("rate"), "share": numbers}),
    st.fixed_dictionaries(
        {"field": st.just("times"), "bands": st.lists(st.tuples(numbers, numbers).map(list), min_size=1, max_size=3)},
        optional={"else": numbers},
    ),
    st.fixed_dictionaries(
        {
            "field": st.just("level"),
            "table": st.dictionaries(st.sampled_from(["state", "on", "001"]), numbers, min_size=1),
        }
    ),
    st.sets(st.integers(1, 99), min_size=1, max_size=3).map(
        lambda bounds: {
            "field": "late",
            "progressive": [[str(bound), "0.1"] for bound in sorted(bounds)] + [[None, "1"]],
        }
    ),
)
conditions = st.sampled_from(['level == "on"', "times >= 0.10", "has(done) and not reported", 'any(problems, ["a"])'])
factors = st.one_of(
    st.fixed_dictionaries({"by": numbers}, optional={"when": conditions, "title": titles}),
    st.just({"field": "rate"}),
    st.fixed_dictionaries({"by": numbers, "repeat": st.just({"within_days": "30", "same": ["level"]})}),
)
common: dict[str, st.SearchStrategy[Any]] = {
    "title": titles, "basis": titles, "note": titles, "indicator": st.sampled_from(["I-REV", "I-1"]),
    "enabled": st.sampled_from(["true", "false"]),
}  # fmt: skip
limits = st.sets(st.sampled_from(["year", "quarter"])).map(sorted)
event_rules = st.fixed_dictionaries(
    {"on": st.just("notice"), "points": schedules},
    optional=common | {
        "when": conditions, "charge": st.sampled_from(["subject", "lead_dept"]), "times": st.just("times"),
        "factors": st.lists(factors, max_size=2), "max": sizes, "matter": st.sampled_from(["highest", "each"]),
        "limits": limits,
    },
)  # fmt: skip
joint_keys = st.fixed_dictionaries(
    {"joint": st.just("lead_dept")},
    optional=common | {
        "max": sizes, "split": st.sampled_from(["each", "pro_rata"]), "limits": limits,
        "sign": st.sampled_from(["bonus", "deduction", "both"]),
    },
)  # fmt: skip
joint_sizes = st.fixed_dictionaries({"share": sizes}) | st.fixed_dictionaries({"points": sizes})
joint_rules = st.tuples(joint_keys, joint_sizes).map(lambda parts: parts[0] | parts[1])
veto_rules = st.fixed_dictionaries(
    {"veto": st.just("total"), "on": st.just("notice"), "to": numbers}, optional=common | {"when": conditions}
)
progress_rules = st.fixed_dictionaries(
    {"progress": st.sampled_from(["rank", "total"]), "points": numbers},
    optional=common
    | {"max": sizes, "both": st.sampled_from(["true", "false"]), "limits": limits, "per": st.just("month")},
)
rules = st.lists(event_rules | joint_rules | veto_rules | progress_rules, max_size=5)


@given(rules)
@settings(deadline=None)
def test_any_rules_survive_writing(raws: list[Mapping[str, Any]]) -> None:
    document = whole(rules=[{"rule": f"R{place}", **raw} for place, raw in enumerate(raws)])
    book = read_rulebook(document)
    tree = write_rulebook(book)
    again = read_rulebook(load_yaml(dump_yaml(tree))[0].raw)
    assert again == book
    assert write_rulebook(again) == tree


def places(raw: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside: list[tuple[str | int, Any]] = []
    if isinstance(raw, dict):
        inside = list(raw.items())
    elif isinstance(raw, list):
        inside = list(enumerate(raw))
    return [path, *(below for step, value in inside for below in places(value, (*path, step)))]


junk: list[Any] = [
    None, "", 0, -1, True, Decimal("1.5"), [], {}, [[]], {"a": 1}, "x", "total", ["x"], {"field": "rate"}, "2026-01-01",
    10**20, [None], {"": None}, "😀",
]  # fmt: skip


@given(st.data())
@settings(deadline=None)
def test_whatever_is_written_is_read_or_refused(data: st.DataObject) -> None:
    raw = whole()
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from([path for path in places(raw) if path]))
        target: Any = raw
        for step in above:
            target = target[step]
        target[last] = data.draw(st.sampled_from(junk))
    try:
        book = read_rulebook(raw)
    except Refused as refused:
        for finding in refused.findings:
            assert render(finding.message)
    else:
        assert read_rulebook(write_rulebook(book)) == book


@pytest.mark.parametrize("file", sorted(CASES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_rulebooks_of_the_cases(file: Path) -> None:
    for tree in load_yaml(file.read_bytes()):
        assert isinstance(tree.raw, dict)
        book = read_rulebook(tree.raw["rulebook"])
        assert read_rulebook(load_yaml(dump_yaml(write_rulebook(book)))[0].raw) == book
