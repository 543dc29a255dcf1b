"""Vetoes: they bound totals in the periods of their booking date, and are gone with their event."""

from decimal import Decimal

from tests.offices import EFFECTIVE, Office, write_events


def office(*rows: str, rule: str = "to: 60", standing: str = "linkage: {chief: 0.5}") -> Office:
    return Office(
        f"""
case: 一票否决
rulebook:
  rulebook: vetoes
  effective: {EFFECTIVE}
  event_types:
    case: {{title: 案件, fields: {{level: {{title: 程度, type: choice, choices: {{grave: 严重, light: 轻微}}}}}}}}
    mark: {{title: 扣分, fields: {{points: {{title: 分值, type: decimal}}}}}}
  rules:
    - {{rule: V1, title: 严重违纪, veto: total, on: case, when: level == "grave", {rule}}}
    - {{rule: V2, title: 违纪, veto: total, on: case, to: 80}}
    - {{rule: R1, title: 扣分, on: mark, points: {{field: points, share: -1}}}}
  standing: {{{standing}}}
subjects:
  - {{code: U, kind: unit, group: g}}
  - {{code: P, kind: person, unit: U, post: chief, group: staff}}
relations: [{{subject: U, relation: principal, answers: P}}]
periods:
  - {{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}}
  - {{code: 2026-Q1, from: 2026-01-01, to: 2026-04-01, kind: quarter}}
  - {{code: 2026-02, from: 2026-02-01, to: 2026-03-01, kind: month}}
{write_events(*rows)}"""
    )


def test_the_lowest_veto_holds_in_every_period_of_its_date() -> None:
    made = office("case U 03-05 level=grave")
    standing = made.figures().of["U"]
    assert [(each.rule, each.to, each.event.id) for each in standing.vetoes] == [
        ("V1", Decimal(60), "E1"),
        ("V2", Decimal(80), "E1"),
    ]
    assert (standing.veto, standing.total) == (Decimal(60), Decimal(60))
    assert made.totals("2026-Q1")["U"] == 60
    assert made.totals("2026-02")["U"] == 100


def test_a_condition_that_is_unknown_vetoes_nothing() -> None:
    assert office("case U 03-05").figures().of["U"].veto == 80


def test_a_veto_beats_the_floor_and_never_lifts() -> None:
    made = office("case U 03-05 level=grave", "mark P 03-05 points=70", "case P 03-06", standing="floor: 70")
    assert made.totals() == {"U": 60, "P": 70}
    deep = office("case U 03-05 level=grave", "mark U 03-05 points=70", standing="")
    assert deep.totals()["U"] == 30


def test_a_veto_bounds_total_and_final_total_alike() -> None:
    of = office("case P 03-05 level=grave").figures().of
    # linked: 0.5 × 100 + 0.5 × 60 = 80, but the veto on the person holds
    assert (of["P"].total, of["P"].final) == (Decimal(60), Decimal(60))


def test_a_veto_on_the_unit_reaches_a_person_through_linkage_alone() -> None:
    of = office("case U 03-05 level=grave", "mark P 03-05 points=1").figures().of
    assert (of["P"].total, of["P"].final) == (Decimal(99), Decimal("79.50"))


def test_a_veto_may_charge_whom_a_relation_names() -> None:
    of = office("case U 03-05 level=grave", rule="charge: principal, to: 60").figures().of
    assert (of["P"].veto, of["U"].veto) == (Decimal(60), Decimal(80))


def test_a_retracted_event_vetoes_no_longer() -> None:
    made = office("case U 03-05 level=grave")
    made.standing.clear()
    assert made.totals()["U"] == 100
