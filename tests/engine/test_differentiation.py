"""Differentiation: who is compared, which tests hold, who is charged, and what is said when nobody is."""

from decimal import Decimal

import pytest

from engine.comparison import Comparison
from tests.offices import EFFECTIVE, Office, charged, write_events

SUBJECTS = """subjects:
  - {code: A, kind: unit, group: county}
  - {code: B, kind: unit, group: county}
  - {code: C, kind: unit, group: county}
  - {code: D, kind: unit, group: county}
  - {code: E, kind: unit, group: county}
  - {code: M, kind: unit, group: city}
  - {code: N, kind: unit, group: city}
  - {code: L, kind: unit}
  - {code: S, kind: unit, unit: A}
  - {code: O, kind: unit, group: departments}
  - {code: P1, kind: person, unit: A, group: staff}
  - {code: P2, kind: person, unit: A, group: staff}
  - {code: P3, kind: person, unit: M, group: staff}
  - {code: P4, kind: person, unit: M, group: staff}
"""


def office(rules: str, *rows: str, limits: str = "{}") -> Office:
    return Office(
        f"""
case: 无差异无管理
rulebook:
  rulebook: differ
  effective: {EFFECTIVE}
  event_types:
    check: {{title: 得分, fields: {{score: {{title: 得分, type: decimal}}, other: {{title: 另一得分, type: decimal}}}}}}
    mark: {{title: 扣分, fields: {{points: {{title: 分值, type: decimal}}}}}}
  indicators:
    I-DOC: {{title: 公文质量, full: 10, owner: O, overdraw: true, measure: {{on: check, field: score, method: direct}}}}
    I-REV: {{title: 组织收入, full: 10, owner: GONE, measure: {{on: check, field: other, method: direct}}}}
    I-ALL: {{title: 全员, full: 10}}
  limits: {limits}
  rules:
    - {{rule: R1, title: 扣分, on: mark, points: {{field: points, share: -1}}}}
{rules}
{SUBJECTS}periods:
  - {{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}}
  - {{code: 2026-Q1, from: 2026-01-01, to: 2026-04-01, kind: quarter}}
{write_events(*rows)}"""
    )


def rule(when: str, *more: str, charge: str = "owner", of: str = "[I-DOC]", groups: str = "[county]") -> str:
    lines = [
        "    - rule: K11",
        "      title: 无差异",
        f"      differentiation: {of}",
        "      among: group",
        f"      groups: {groups}",
        f"      undifferentiated: {{when: {{{when}}}, charge: {charge}, points: -0.50}}",
        *(f"      {line}" for line in more),
    ]
    return "\n".join(lines)


def scores(*values: str) -> list[str]:
    return [f"check {subject} 03-30 score={value}" for subject, value in zip("ABCDE", values, strict=False)]


def compared(rules: str, *values: str) -> Comparison:
    (found,) = office(rules, *scores(*values)).settle("2026-03").comparisons
    return found


def test_members_without_data_are_left_out_and_the_owner_is_charged() -> None:
    made = office(rule("all_equal: true"), *scores("10", "10.0", "10", "10"))
    found = made.settle("2026-03")
    assert charged(found) == {("K11", "I-DOC/county", "O"): Decimal("-0.50")}
    assert found.comparisons[0].left_out == ("E",)
    assert made.totals()["O"] == Decimal("99.50")


def test_a_difference_charges_nobody() -> None:
    made = office(rule("all_equal: true"), *scores("10", "10", "10", "10", "9.99"))
    found = made.settle("2026-03")
    assert charged(found) == {}
    assert found.comparisons[0].verdict == "neutral"


@pytest.mark.parametrize(
    ("when", "values", "holds"),
    [
        ("range_below: 0.10", ("9", "9.1"), False),
        ("range_below: 0.10", ("9", "9.09"), True),
        ("range_above: 1", ("9", "8"), False),
        ("range_above: 1", ("9", "8", "7.99"), True),
        # 9 and 11: mean 10, population deviation 1, cv exactly 0.1
        ("cv_below: 0.1", ("9", "11"), False),
        ("cv_above: 0.1", ("9", "11"), False),
        ("cv_below: 0.1000001", ("9", "11"), True),
        ("cv_above: 0.0999999", ("9", "11"), True),
        # by the deviation of a sample it would be 0.1414…
        ("cv_above: 0.12", ("9", "11"), False),
        ("full_share_at_least: 0.75", ("10", "10", "10", "9"), True),
        ("full_share_at_least: 0.76", ("10", "10", "10", "9"), False),
        ("distinct_below: 3", ("9", "9", "8"), True),
        ("distinct_below: 3", ("9", "7", "8"), False),
        ("all_equal: false", ("9", "9"), False),
        ("all_equal: false", ("9", "8"), True),
        ("range_below: 2, distinct_below: 3", ("9", "9", "8"), True),
        ("range_below: 2, distinct_below: 2", ("9", "9", "8"), False),
    ],
)
def test_the_tests(when: str, values: tuple[str, ...], holds: bool) -> None:
    # halved, which no coefficient of variation notices, 11 stays within the full marks of 10
    within = tuple(str(Decimal(value) / 2) for value in values) if when.startswith("cv") else values
    verdict = compared(rule(when), *within).verdict
    assert verdict == ("undifferentiated" if holds else "neutral")


def test_the_coefficient_of_variation_takes_the_size_of_the_mean() -> None:
    made = office(rule("cv_below: 0.2"), "check A 03-30 score=-9", "check B 03-30 score=-11")
    assert made.settle("2026-03").comparisons[0].verdict == "undifferentiated"


def test_with_mean_0_a_coefficient_of_variation_is_insufficient() -> None:
    found = compared(rule("cv_below: 5", "differentiated: {charge: members, points: 0.30}"), "-1", "1")
    assert (found.verdict, found.charged) == ("insufficient", ())
    assert found.silent is not None
    assert found.silent.key == "differentiation.mean_zero"


def test_with_mean_0_another_test_may_decide() -> None:
    assert compared(rule("cv_below: 5, all_equal: true"), "-1", "1").verdict == "neutral"
    differentiated = "differentiated: {when: {cv_above: 1}, charge: members, points: 0.30}"
    assert compared(rule("all_equal: true", differentiated), "0", "0").verdict == "undifferentiated"
    assert compared(rule("all_equal: true", differentiated), "-1", "1").verdict == "insufficient"


def test_too_few_with_data_are_insufficient_and_it_is_said() -> None:
    found = compared(rule("all_equal: true"), "9")
    assert (found.verdict, found.charged) == ("insufficient", ())
    assert found.silent is not None
    assert found.silent.args == {"count": "1", "least": "2"}
    assert compared(rule("all_equal: true", "at_least: 3"), "9", "9").verdict == "insufficient"
    assert compared(rule("all_equal: true", "at_least: 1"), "9").verdict == "undifferentiated"
    assert compared(rule("all_equal: true", "at_least: 1")).verdict == "insufficient"


def test_differentiated_without_a_test_is_what_is_not_undifferentiated() -> None:
    more = "differentiated: {charge: members, points: 0.30}"
    found = office(rule("range_below: 1", more), *scores("9", "8", "7")).settle("2026-03")
    assert charged(found) == {("K11", "I-DOC/county", code): Decimal("0.30") for code in "ABC"}


def test_between_two_tests_it_is_neutral_and_where_both_hold_undifferentiated() -> None:
    more = "differentiated: {when: {range_above: 1}, charge: members, points: 0.30}"
    assert compared(rule("range_below: 0.5", more), "9", "8.3").verdict == "neutral"
    assert compared(rule("range_below: 0.5", more), "9", "7").verdict == "differentiated"
    assert compared(rule("range_below: 5", more), "9", "7").verdict == "undifferentiated"


def test_indicators_are_compared_as_listed_and_an_owner_who_is_no_subject_is_not_charged() -> None:
    rows = [f"check {code} 03-30 score=9 other=9" for code in "AB"]
    found = office(rule("all_equal: true", of="[I-REV, I-DOC]"), *rows).settle("2026-03")
    assert [each.of for each in found.comparisons] == ["I-REV/county", "I-DOC/county"]
    assert charged(found) == {("K11", "I-DOC/county", "O"): Decimal("-0.50")}
    silent = found.comparisons[0].silent
    assert silent is not None
    assert silent.args == {"indicator": "I-REV", "owner": "GONE"}


def test_every_group_is_compared_by_itself_and_who_has_none_with_nobody() -> None:
    rules = rule("all_equal: true", of="[I-ALL]", charge="members").replace("      groups: [county]\n", "")
    found = office(rules).settle("2026-03")
    assert [each.within for each in found.comparisons] == ["city", "county", "departments", "staff"]
    assert found.comparisons[2].verdict == "insufficient"
    assert ("K11", "I-ALL/city", "M") in charged(found)
    assert "L" not in {subject for _, _, subject in charged(found)}


def test_a_listed_group_without_members_is_insufficient() -> None:
    (found,) = office(rule("all_equal: true", groups="[nobody]")).settle("2026-03").comparisons
    assert (found.within, found.verdict, dict(found.compared)) == ("nobody", "insufficient", {})


UNITS = """    - rule: K13
      title: 单位内部差异
      differentiation: total
      among: unit
      groups: [county]
      undifferentiated: {when: {range_below: 1}, charge: unit, points: -0.50}
      differentiated: {when: {range_above: 9}, charge: unit, points: 0.50}"""


def test_the_people_of_a_unit_are_compared_and_the_unit_is_charged() -> None:
    assert charged(office(UNITS, "mark P1 03-05 points=0.99").settle("2026-03")) == {
        ("K13", "total/A", "A"): Decimal("-0.50")
    }
    assert charged(office(UNITS, "mark P1 03-05 points=9.01").settle("2026-03")) == {
        ("K13", "total/A", "A"): Decimal("0.50")
    }
    people = office(UNITS).settle("2026-03").comparisons[0].compared
    assert set(people) == {"P1", "P2"}
    every_unit = UNITS.replace("      groups: [county]\n", "")
    found = office(every_unit, "mark P1 03-05 points=5").settle("2026-03")
    assert [each.within for each in found.comparisons] == ["A", "M"]
    assert charged(found) == {("K13", "total/M", "M"): Decimal("-0.50")}


def test_settling_again_does_not_compare_what_the_last_settlement_charged() -> None:
    rules = (
        rule("all_equal: true", "indicator: I-ALL", of="[I-ALL]", charge="members")
        + "\n"
        + UNITS.replace("unit, points", "members, points")
    )
    made = office(rules, "mark P1 03-05 points=0.5")
    first = made.settle("2026-03")
    assert charged(first)
    assert made.totals()["A"] == Decimal("99.50")
    assert made.settle("2026-03") == first
    assert made.totals()["A"] == Decimal("99.50")


def test_the_charges_of_another_period_are_compared() -> None:
    months = UNITS.replace("      among", "      per: month\n      among").replace("charge: unit", "charge: members")
    quarter = (
        months.replace("K13", "K14").replace("per: month", "per: quarter").replace("range_below: 1", "all_equal: true")
    )
    made = office(months + "\n" + quarter, "mark P1 03-05 points=0.5")
    assert {key[0] for key in charged(made.settle("2026-03"))} == {"K13"}
    found = made.settle("2026-Q1").comparisons
    assert dict(found[0].compared) == {"P1": Decimal("99.00"), "P2": Decimal("99.50")}


def test_turns_follow_rule_then_indicator_as_listed_then_group() -> None:
    limits = "{m: {title: 封顶, sign: deduction, per: month, max: 0.80}}"
    more = "limits: [m]"
    rules = rule("all_equal: true", more, of="[I-DOC, I-ALL]", charge="members", groups="[city, county]")
    made = office(rules, *scores("9", "9"), limits=limits)
    made.settle("2026-03")
    # A is charged for I-DOC first, 0.50, and has 0.30 left for I-ALL
    assert made.account("2026-03").own[("A", None)] == Decimal("-0.80")
    turns = [lot[0].turn for lot in made.charges.values()]
    assert turns == sorted(turns)
    assert [lot.compared for lot in made.charges] == ["I-DOC/county", "I-ALL/city", "I-ALL/county"]


def test_a_charge_shows_who_was_compared_and_what_decided() -> None:
    found = office(rule("range_below: 0.10", "indicator: I-ALL"), *scores("9", "9.05")).settle("2026-03")
    ((made,),) = found.charges.values()
    assert [(step.step, step.value, step.given) for step in made.charge.arithmetic] == [
        ("compared", "9.00", "A"),
        ("compared", "9.05", "B"),
        ("members", "2", None),
        ("range_below", "0.05", "0.10"),
        ("verdict", "undifferentiated", None),
        ("points", "-0.50", None),
        ("nominal", "-0.50", None),
    ]
    assert (made.charge.indicator, made.charge.version, made.booked.isoformat()) == ("I-ALL", 1, "2026-03-31")


def test_a_disabled_rule_compares_nothing() -> None:
    assert office(rule("all_equal: true", "enabled: false"), *scores("9", "9")).settle("2026-03").comparisons == ()
