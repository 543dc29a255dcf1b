"""Progress: places or points gained since the previous period, without this period's own charges."""

from datetime import date
from decimal import Decimal

import msgspec

from engine.organisation import Organisation, Place, Subject
from tests.offices import EFFECTIVE, Office, charged, write_events

MARKED = (
    # February: A 90 (3rd), B 95 (2nd), C 99 (1st); March: A 99 (1st), B 95 (3rd), C 96 (2nd)
    "mark A 02-05 points=10",
    "mark B 02-05 points=5",
    "mark C 02-05 points=1",
    "mark A 03-05 points=1",
    "mark B 03-05 points=5",
    "mark C 03-05 points=4",
)


def office(rules: str, *rows: str) -> Office:
    return Office(
        f"""
case: 进步加分
rulebook:
  rulebook: progress
  effective: {EFFECTIVE}
  event_types: {{mark: {{title: 扣分, fields: {{points: {{title: 分值, type: decimal}}}}}}}}
  rules:
    - {{rule: R1, title: 扣分, on: mark, points: {{field: points, share: -1}}}}
    - {rules}
subjects:
  - {{code: A, kind: unit, group: county}}
  - {{code: B, kind: unit, group: county}}
  - {{code: C, kind: unit, group: county}}
  - {{code: M, kind: unit, group: city}}
  - {{code: L, kind: unit}}
periods:
  - {{code: 2026-02, from: 2026-02-01, to: 2026-03-01, kind: month}}
  - {{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}}
  - {{code: 2026-Q1, from: 2026-01-01, to: 2026-04-01, kind: quarter}}
{write_events(*rows)}"""
    )


RANK = "{rule: K27, title: 进步加分, progress: rank, among: group, points: 0.20, max: 0.30%s}"
TOTAL = "{rule: K27, title: 进步加分, progress: total, among: group, points: 0.105%s}"


def test_places_gained_are_charged_up_to_the_maximum() -> None:
    made = office(RANK % "", *MARKED)
    found = made.settle("2026-03")
    # A gains 2 places: 0.40, held to 0.30; B and C lose one each
    assert charged(found) == {("K27", "rank/county", "A"): Decimal("0.30")}
    assert made.totals()["A"] == Decimal("99.30")
    ((made_charge,),) = found.charges.values()
    assert [(step.step, step.value, step.given) for step in made_charge.charge.arithmetic] == [
        ("before", "3", "2026-02"),
        ("now", "1", "2026-03"),
        ("gained", "2", None),
        ("points", "0.20", None),
        ("max", "0.30", None),
        ("nominal", "0.30", None),
    ]


def test_losses_charge_only_with_both() -> None:
    found = charged(office(RANK % ", both: true", *MARKED).settle("2026-03"))
    assert {subject: amount for (_, _, subject), amount in found.items()} == {
        "A": Decimal("0.30"),
        "B": Decimal("-0.20"),
        "C": Decimal("-0.20"),
    }


def test_points_of_total_gained_are_charged_and_no_gain_is_none() -> None:
    found = charged(office(TOTAL % "", *MARKED, "mark M 02-05 points=0.5").settle("2026-03"))
    # A gains 9: 0.945, half away from zero; M gains 0.5: 0.0525; B gains 0
    assert found == {("K27", "total/county", "A"): Decimal("0.95"), ("K27", "total/city", "M"): Decimal("0.05")}


def test_settling_again_gives_the_same() -> None:
    made = office(TOTAL % ", both: true", *MARKED)
    first = made.settle("2026-03")
    assert made.settle("2026-03") == first


def test_the_previous_period_counts_with_its_own_charges() -> None:
    rules = (
        "{rule: K11, title: 无差异, differentiation: total, among: group, per: month, groups: [county], \
undifferentiated: {when: {all_equal: true}, charge: members, points: -0.50}}\n    - "
        + TOTAL % ""
    )
    made = office(rules, "mark A 03-05 points=0.1")
    made.settle("2026-02")
    # everybody was charged 0.50 in February; A lost 0.1 since, B and C nothing
    found = charged(made.settle("2026-03"))
    assert found == {
        ("K27", "total/county", "A"): Decimal("0.04"),
        ("K27", "total/county", "B"): Decimal("0.05"),
        ("K27", "total/county", "C"): Decimal("0.05"),
    }


def test_without_a_previous_period_nobody_is_charged_and_it_is_said() -> None:
    found = office(RANK % "", *MARKED).settle("2026-Q1")
    assert charged(found) == {}
    assert [each.silent.key for each in found.progress if each.silent] == ["progress.no_previous"] * 2


def test_who_was_in_another_group_is_left_out() -> None:
    made = office(TOTAL % "", *MARKED)
    subjects = dict(made.bureau.organisation.subjects)
    places = (Place(kind="unit", group="city"), Place(kind="unit", group="county", since=date(2026, 3, 1)))
    subjects["A"] = Subject(code="A", places=places)
    made.bureau = msgspec.structs.replace(made.bureau, organisation=Organisation(subjects.values()))
    found = made.settle("2026-03")
    assert charged(found) == {}
    assert [(each.within, each.left_out) for each in found.progress] == [("city", ()), ("county", ("A",))]


def test_a_rule_looks_only_at_its_groups_and_its_kind_of_period() -> None:
    assert charged(office(TOTAL % ", groups: [city]", *MARKED).settle("2026-03")) == {}
    assert office(TOTAL % ", per: quarter", *MARKED).settle("2026-03").progress == ()
