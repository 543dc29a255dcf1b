"""Totals, final totals, ranks, tiers and awards, worked by hand."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from engine.organisation import Organisation, Place, Subject
from engine.ranking import last_place, rank
from tests.offices import EFFECTIVE, Office, write_events

PERIOD = "periods: [{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}]\n"
MARK = "mark: {title: 扣分, fields: {points: {title: 分值, type: decimal}}}"
DEDUCT = "{rule: R1, title: 扣分, on: mark, points: {field: points, share: -1}}"


def plain(settings: str, subjects: str, *rows: str) -> Office:
    return Office(
        f"""
case: 名次
rulebook:
  rulebook: standing
  effective: {EFFECTIVE}
  event_types: {{{MARK}}}
  rules: [{DEDUCT}]
{settings}
subjects:
{subjects}
{PERIOD}{write_events(*rows)}"""
    )


def test_ties_share_a_rank_and_all_come_into_the_tier_at_its_edge() -> None:
    points = ["2", "2.5", "3", "3", "4", "5", "6", "6", "7", "8"]
    office = plain(
        "  standing: {tiers: {shares: [30, 40, 30]}}",
        "\n".join(f"  - {{code: S{n}, kind: unit, group: g}}" for n in range(1, 11)) + "\n  - {code: X, kind: unit}",
        *(f"mark S{n} 03-02 points={each}" for n, each in enumerate(points, 1)),
    )
    of = office.figures().of
    assert [of[f"S{n}"].rank for n in range(1, 11)] == [1, 2, 3, 3, 5, 6, 7, 7, 9, 10]
    assert [of[f"S{n}"].tier for n in range(1, 11)] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert of["S1"].among == 10
    assert (of["X"].rank, of["X"].tier, of["X"].final) == (None, None, Decimal(100))


LINKED = """  - {code: U, kind: unit, group: county, post: chief}
  - {code: P1, kind: person, unit: U, post: chief, group: chiefs}
  - {code: P2, kind: person, unit: U, post: deputy, group: deputies}
  - {code: P3, kind: person, unit: U, post: staff, group: staff}
  - {code: P4, kind: person, unit: U, post: clerk, group: staff}
  - {code: P5, kind: person, post: chief, group: chiefs}
  - {code: S, kind: unit, unit: U, post: chief}"""
LINKAGE = "  standing: {linkage: {chief: 0.55, deputy: 0.20, staff: 0.05}}"


def test_linkage_adds_a_share_of_the_units_total() -> None:
    office = plain(
        LINKAGE,
        LINKED,
        "mark U 03-02 points=12",
        "mark P1 03-02 points=7.5",
        "mark P2 03-02 points=9",
        "mark P3 03-02 points=4.45",
        "mark P4 03-02 points=1",
        "mark P5 03-02 points=2",
    )
    of = office.figures().of
    finals = {code: str(each.final) for code, each in of.items()}
    # P1: 0.55 × 88 + 0.45 × 92.5 = 90.025
    assert finals == {
        "U": "88.00",
        "P1": "90.03",
        "P2": "90.40",
        "P3": "95.17",
        "P4": "99.00",
        "P5": "98.00",
        "S": "100.00",
    }
    assert str(of["P1"].total) == "92.50"
    assert of["P1"].linkage is not None
    assert of["P1"].linkage.total == 88
    assert of["U"].linkage is None
    assert (of["P5"].rank, of["P1"].rank) == (1, 2)


@pytest.mark.parametrize(
    ("share", "count", "last"), [("30", 10, 3), ("30", 5, 2), ("30", 1, 0), ("50", 1, 1), ("100", 7, 7)]
)
def test_a_share_of_places_is_rounded_half_up(share: str, count: int, last: int) -> None:
    assert last_place(Decimal(share), count) == last


def test_competition_rank() -> None:
    values = {"a": Decimal("9.0"), "b": Decimal("9.00"), "c": Decimal(10), "d": Decimal(-1)}
    assert rank(values) == {"c": 1, "a": 2, "b": 2, "d": 4}
    assert rank(values, "ascending") == {"d": 1, "a": 2, "b": 2, "c": 4}


def test_awards_name_candidates_of_their_kind_by_group_and_kind_of_period() -> None:
    settings = """  standing:
    awards:
      - {code: five-star, title: 五星候选, kind: person, top_share: 30, quota: 1}
      - {code: quarterly, title: 季度之星, kind: person, top_share: 100, per: quarter}
      - {code: unit, title: 先进单位, kind: unit, top_share: 50, per: month}"""
    subjects = "\n".join(
        [f"  - {{code: P{n}, kind: person, group: staff}}" for n in range(1, 6)]
        + ["  - {code: Q, kind: person, group: others}", "  - {code: U, kind: unit, group: g}"]
        + ["  - {code: N, kind: person}"]
    )
    office = plain(settings, subjects, "mark P1 03-02 points=1", "mark P2 03-02 points=1", "mark P3 03-02 points=2")
    found = office.figures()
    # staff: 5 × 30 % = 1.5, half up 2; P4 and P5 are both first. Q is alone: 0.3 rounds to 0.
    assert found.candidates("five-star") == ("P4", "P5")
    assert found.candidates("quarterly") == ()
    assert found.candidates("unit") == ("U",)
    assert found.of["P4"].awards == ("five-star",)


def test_ties_at_the_edge_of_an_award_are_all_candidates() -> None:
    office = plain(
        "  standing: {awards: [{code: star, title: 候选, kind: person, top_share: 30}]}",
        "\n".join(f"  - {{code: P{n}, kind: person, group: staff}}" for n in range(1, 6)),
        "mark P1 03-02 points=1",
        "mark P2 03-02 points=1",
        "mark P3 03-02 points=1",
        "mark P5 03-02 points=3",
    )
    assert office.figures().candidates("star") == ("P1", "P2", "P3", "P4")


def test_the_floor_lifts_a_total() -> None:
    office = plain("  standing: {floor: 60}", "  - {code: U, kind: unit, group: g}", "mark U 03-02 points=70")
    standing = office.figures().of["U"]
    assert (standing.reckoned, standing.total, standing.floor) == (Fraction(30), Decimal(60), Decimal(60))


CARD = f"""
case: 计分卡
rulebook:
  rulebook: card
  effective: {EFFECTIVE}
  event_types:
    {MARK}
    check: {{title: 得分, fields: {{a: {{title: 甲, type: decimal}}, b: {{title: 乙, type: decimal}}}}}}
  indicators:
    K1: {{title: 重点一, full: 10, category: key, measure: {{on: check, field: a, method: direct}}}}
    K2: {{title: 重点二, full: 20, category: key}}
    G1: {{title: 一般, full: 5, category: general, measure: {{on: check, field: b, method: direct}}}}
    X1: {{title: 其他, full: 10, category: other}}
  rules:
    - {{rule: R1, title: 一般扣分, on: mark, points: {{field: points, share: -1}}}}
    - {{rule: R2, title: 重点二扣分, indicator: K2, on: mark, when: points > 2, points: -1}}
    - {{rule: R3, title: 其他扣分, indicator: X1, on: mark, when: points > 3, points: -0.5}}
  scorecards:
    - for: {{kind: unit, group: bare}}
      parts: [{{title: 一般工作, weight: 100, category: general}}]
    - for: {{kind: unit}}
      parts: [{{title: 重点工作, weight: 70, category: key}}, {{title: 一般工作, weight: 30, category: general}}]
subjects:
  - {{code: U, kind: unit, group: g}}
  - {{code: V, kind: unit, group: g}}
  - {{code: W, kind: unit, group: bare}}
  - {{code: P, kind: person, unit: W, post: chief, group: staff}}
{PERIOD}"""


def card(*rows: str) -> Office:
    return Office(CARD + write_events(*rows))


def test_a_scorecard_weighs_its_parts() -> None:
    office = card("check U 03-02 a=7 b=4", "mark U 03-03 points=4")
    standing = office.figures().of["U"]
    # key: (7 + 20 − 1) / 30 × 100 = 86.67; general: 4 / 5 × 100 = 80; 0.7 × 86.67 + 0.3 × 80 = 84.67 − 4 − 0.5
    assert standing.parts[0].score == Fraction(26, 30) * 100
    assert standing.reckoned == Fraction(70 * 26, 30) + 24 - Fraction(9, 2)
    assert (standing.total, standing.base) == (Decimal("80.17"), None)
    assert (standing.posted, standing.added) == (Decimal("-5.50"), Decimal("-4.50"))
    assert {each.indicator: str(each.score) for each in standing.indicators} == {
        "K1": "7.00", "K2": "19.00", "G1": "4.00", "X1": "9.50"
    }  # fmt: skip


def test_a_part_without_data_gives_its_weight_to_the_others() -> None:
    standing = card("mark V 03-03 points=1").figures().of["V"]
    # K1 and G1 have no data: key is K2 alone, 20 / 20, and weighs 100
    key, general = standing.parts
    assert (key.counted, key.left_out, key.scaled) == (("K2",), ("K1",), Fraction(100))
    assert (general.score, general.scaled) == (None, None)
    assert standing.total == 99


def test_a_subject_without_any_data_has_no_total_and_is_not_ranked() -> None:
    of = card("mark W 03-03 points=1").figures().of
    assert (of["W"].total, of["W"].final, of["W"].rank) == (None, None, None)
    assert of["W"].posted == -1


def test_a_person_without_a_scorecard_starts_with_the_base() -> None:
    standing = card("mark P 03-03 points=4").figures().of["P"]
    # −4 − 1 − 0.5: without a scorecard everything posted is added
    assert (standing.base, standing.total) == (Decimal(100), Decimal("94.50"))


def test_who_has_no_unit_total_to_link_to_keeps_the_own_total() -> None:
    office = Office(CARD.replace("  scorecards:", "  standing: {linkage: {chief: 0.5}}\n  scorecards:") + "steps: []\n")
    standing = office.figures().of["P"]
    assert standing.linkage is not None
    assert (standing.linkage.total, standing.final) == (None, Decimal(100))


def test_the_version_of_the_last_instant_counts() -> None:
    later = f"""versions:
  - rulebook: later
    effective: 2026-03-31T23:59:59+08:00
    base: 50
    event_types: {{{MARK}}}
  - {{rulebook: next, effective: 2026-04-01T00:00:00+08:00, base: 10}}
"""
    office = plain("", "  - {code: U, kind: unit, group: g}\n" + later, "mark U 03-02 points=1")
    assert office.totals() == {"U": 49}
    assert office.figures().version == 2


def test_without_a_version_nobody_has_a_total() -> None:
    early = "periods: [{code: 2025-12, from: 2025-12-01, to: 2026-01-01, kind: month}]"
    office = Office(CARD.replace(PERIOD.strip(), early) + "steps: []\n")
    found = office.figures("2025-12")
    assert found.version is None
    assert {each.total for each in found.of.values()} == {None}
    assert office.settle("2025-12").charges == {}


def test_a_subject_is_what_it_is_on_the_last_day() -> None:
    office = plain("", "  - {code: U, kind: unit, group: g}\n  - {code: V, kind: unit, group: g}")
    moved = Subject(
        code="V",
        places=(
            Place(kind="unit", group="g"),
            Place(kind="unit", group="h", since=date(2026, 3, 31)),
            Place(kind="unit", group="k", since=date(2026, 4, 1)),
        ),
    )
    organisation = Organisation([office.bureau.organisation.subjects["U"], moved])
    office.bureau = msgspec.structs.replace(office.bureau, organisation=organisation)
    of = office.figures().of
    assert (of["V"].place.group, of["V"].among, of["U"].among) == ("h", 1, 1)
