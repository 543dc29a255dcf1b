"""Every method of measuring, worked by hand."""

from decimal import Decimal

import pytest

from engine.indicators import Indicators, keep
from engine.measures import Measurement, measure
from engine.readings import Readings
from engine.rulebook import Indicator
from tests.offices import EFFECTIVE, Office, write_events


def office(measured: str, *rows: str, full: str = "10", overdraw: str = "false", more: str = "") -> Office:
    return Office(
        f"""
case: 计量
rulebook:
  rulebook: measures
  effective: {EFFECTIVE}
  event_types:
    survey:
      title: 测评
      fields:
        rate: {{title: 比率, type: decimal}}
        note: {{title: 备注, type: text}}
        due: {{title: 期限, type: date}}
        done: {{title: 办结, type: date}}
        late: {{title: 超期天数, type: integer, days_late: {{due: due, done: done}}}}
    rating:
      title: 评分
      fields:
        rater_group: {{title: 评价方, type: text}}
        rater: {{title: 评价人, type: text}}
        value: {{title: 分值, type: decimal}}
    mark: {{title: 扣分, fields: {{points: {{title: 分值, type: decimal}}}}}}
  indicators:
    I: {{title: 指标, full: {full}, overdraw: {overdraw}, measure: {measured}}}
  rules: [{{rule: R, title: 扣分, indicator: I, on: mark, points: {{field: points, share: -1}}}}]
subjects:
  - {{code: A, kind: unit, group: g}}
  - {{code: B, kind: unit, group: g}}
  - {{code: C, kind: unit, group: g}}
  - {{code: D, kind: unit, group: g}}
  - {{code: E, kind: unit, group: h}}
  - {{code: F, kind: unit}}
periods: [{{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}}]
{more}{write_events(*rows)}"""
    )


def measurements(measured: str, *rows: str, full: str = "10") -> dict[str, Measurement]:
    made = office(measured, *rows, full=full)
    account = made.account("2026-03")
    return dict(measure(account, made.bureau.versions[0].rulebook.indicators["I"], Readings(account)))


def values(measured: str, *rows: str, full: str = "10") -> dict[str, str | None]:
    found = measurements(measured, *rows, full=full)
    return {subject: None if each.value is None else str(each.value) for subject, each in found.items()}


def value(measured: str, rate: str, full: str = "10") -> str | None:
    return values(measured, f"survey A 03-05 rate={rate}", full=full)["A"]


@pytest.mark.parametrize(("rate", "expected"), [("8.005", "8.01"), ("-1", "-1.00"), ("0.1", "0.10")])
def test_direct_is_the_field_rounded_once(rate: str, expected: str) -> None:
    assert value("{on: survey, field: rate, method: direct}", rate) == expected


BANDS = "{on: survey, field: rate, method: bands, bands: [[98.6, 10], [97, 8], [95, 5]], else: 0}"


@pytest.mark.parametrize(
    ("rate", "expected"), [("98.6", "10.00"), ("98.59", "8.00"), ("97", "8.00"), ("95.0", "5.00"), ("94.99", "0.00")]
)
def test_bands_give_the_first_threshold_reached(rate: str, expected: str) -> None:
    assert value(BANDS, rate) == expected


def test_bands_without_else_leave_no_value() -> None:
    assert value("{on: survey, field: rate, method: bands, bands: [[95, 5]]}", "94") is None


LINEAR = "{on: survey, field: rate, method: linear, linear: {from: [5, 0], to: [1, 5]}}"


@pytest.mark.parametrize(
    ("rate", "expected"),
    [("5", "0.00"), ("6", "0.00"), ("1", "5.00"), ("0", "5.00"), ("3", "2.50"), ("4.996", "0.01"), ("4.9961", "0.00")],
)
def test_linear_runs_between_two_points_and_stops_there(rate: str, expected: str) -> None:
    # 4.996: (5 - 4.996) / 4 × 5 = 0.005, half away from zero
    assert value(LINEAR, rate) == expected


@pytest.mark.parametrize(
    ("rate", "full", "expected"),
    [
        ("90", "100", "80.00"),
        ("80", "100", "60.00"),
        ("100", "10", "10.00"),
        ("120", "10", "10.00"),
        ("50", "10", "0.00"),
        ("65", "10", "3.00"),
        ("80.5", "7", "4.27"),
    ],
)
def test_efficacy(rate: str, full: str, expected: str) -> None:
    # 65: -15/20×40+60 = 30 of 100; 80.5: 0.5/20×40+60 = 61 of 100 of 7
    assert value("{on: survey, field: rate, method: efficacy, efficacy: {bad: 80, good: 100}}", rate, full) == expected


def test_efficacy_of_a_third_is_exact() -> None:
    assert value("{on: survey, field: rate, method: efficacy, efficacy: {bad: 0, good: 3}}", "1", "100") == "73.33"
    smaller_is_better = "{on: survey, field: rate, method: efficacy, efficacy: {bad: 3, good: 0}}"
    assert value(smaller_is_better, "1", "100") == "86.67"


@pytest.mark.parametrize(
    ("rate", "expected"), [("0.99", "0.00"), ("1", "1.25"), ("1.9", "1.25"), ("2", "2.50"), ("7", "2.50")]
)
def test_milestone_is_the_last_step_reached(rate: str, expected: str) -> None:
    assert value("{on: survey, field: rate, method: milestone, milestone: {2: 2.5, 1: 1.25}}", rate) == expected


def test_the_latest_event_that_carries_the_field_counts() -> None:
    found = measurements(
        "{on: survey, field: rate, method: direct}",
        "survey A 03-20 rate=2",
        "survey A 03-10 rate=1",
        "survey A 03-25 note=later",
        "survey A 04-02 rate=9",
        "survey B 02-28 rate=9",
    )
    assert found["A"].value == Decimal("2.00")
    assert found["A"].reading is not None
    assert found["A"].reading.event.id == "E1"
    assert "B" not in found


def test_a_derived_field_is_measured_too() -> None:
    linear = "{on: survey, field: late, method: linear, linear: {from: [0, 10], to: [10, 0]}}"
    assert values(linear, "survey A 03-20 due=2026-03-10 done=2026-03-13", "survey B 03-20 note=x") == {"A": "7.00"}


RANK = "{on: survey, field: rate, method: rank, rank: [60, 57, 54]"


def test_rank_is_among_the_latest_values_of_the_group() -> None:
    rows = (
        "survey A 03-01 rate=99",
        "survey A 03-05 rate=80",
        "survey B 03-05 rate=90",
        "survey C 03-05 rate=90.0",
        "survey D 03-05 rate=70",
        "survey E 03-05 rate=1",
        "survey F 03-05 rate=100",
    )
    assert values(RANK + "}", *rows) == {"A": "54.00", "B": "60.00", "C": "60.00", "D": "0.00", "E": "60.00"}
    ascending = values(RANK + ", order: ascending}", *rows)
    assert ascending == {"A": "57.00", "B": "54.00", "C": "54.00", "D": "60.00", "E": "60.00"}


def test_the_rank_is_kept_with_the_value() -> None:
    found = measurements(RANK + "}", "survey A 03-05 rate=80", "survey B 03-05 rate=90")
    assert (found["A"].rank, found["A"].members) == (2, 2)


RATERS = "{on: rating, method: raters, raters: {weights: {leaders: 0.4, peers: 0.2}, missing: %s}}"
RATED = (
    "rating A 03-01 rater_group=leaders rater=L1 value=1",
    "rating A 03-02 rater_group=leaders rater=L1 value=90",
    "rating A 03-02 rater_group=leaders rater=L2 value=80",
    "rating A 03-02 rater_group=peers rater=B value=70",
    "rating A 03-02 rater_group=peers rater=A value=100",
    "rating A 03-02 rater_group=others rater=X value=0",
    "rating B 03-02 rater_group=peers rater=A value=60",
    "rating C 03-02 rater_group=peers rater=C value=60",
    "rating D 03-02 rater_group=others rater=X value=60",
)


def test_raters_are_averaged_by_group_and_weighted() -> None:
    # A: leaders (90 + 80) / 2 = 85, peers 70 without A itself: (0.4×85 + 0.2×70) / 0.6 = 80
    assert values(RATERS % "renormalise", *RATED) == {"A": "80.00", "B": "60.00"}
    # B: nobody of the leaders: 0.2×60 / 0.6 = 20
    assert values(RATERS % "zero", *RATED) == {"A": "80.00", "B": "20.00"}


def test_raters_keep_who_rated() -> None:
    leaders, peers = measurements(RATERS % "renormalise", *RATED)["A"].raters
    assert leaders.mean == 85
    assert set(leaders.ratings) == {"L1", "L2"}
    assert set(peers.ratings) == {"B"}


def test_a_score_is_kept_between_0_and_full() -> None:
    made = office(
        "{on: survey, field: rate, method: direct}",
        "survey A 03-05 rate=8",
        "mark A 03-06 points=9",
        "survey B 03-05 rate=8",
        "mark B 03-06 points=-9",
        "mark C 03-06 points=1",
    )
    found = {code: Indicators(made.account("2026-03")).score(code, "I") for code in "ABC"}
    assert found["A"].score == 0
    assert found["A"].posted == Decimal("-9.00")
    assert found["B"].score == 10
    assert found["C"].score is None


def test_an_overdrawn_score_falls_below_0_and_never_rises_above_full() -> None:
    overdrawn = Indicator(code="I", full=Decimal(10), overdraw=True)
    assert keep(Decimal(2), Decimal(-5), overdrawn) == -3
    assert keep(Decimal(2), Decimal(9), overdrawn) == 10
