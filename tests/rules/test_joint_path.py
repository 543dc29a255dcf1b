"""The path of a joint rule: shares multiply, fixed points end it, rules that may carry the same charge go on."""

from decimal import Decimal
from typing import Any

from engine.rulebook import JointRule
from rules.joint_path import WIDEST, Hop, path_of


def rule(code: str, joint: str, share: str | None = "0.5", **more: Any) -> JointRule:
    return JointRule(code=code, joint=joint, share=None if share is None else Decimal(share), **more)


def told(hop: Hop) -> Any:
    return (
        hop.rule,
        hop.relation,
        hop.share if hop.points is None else hop.points,
        [told(each) for each in hop.further],
    )


def test_shares_multiply_up_to_the_depth() -> None:
    lead, chief = rule("J1", "lead_dept", "0.30"), rule("J2", "principal", "0.20")
    assert told(path_of(lead, [lead, chief], 1)) == ("J1", "lead_dept", Decimal("0.30"), [])
    assert told(path_of(lead, [lead, chief], 2)) == (
        "J1",
        "lead_dept",
        Decimal("0.30"),
        [("J1", "lead_dept", Decimal("0.0900"), []), ("J2", "principal", Decimal("0.0600"), [])],
    )


def test_fixed_points_end_a_path() -> None:
    fixed = rule("J1", "lead_dept", None, points=Decimal("0.10"))
    assert told(path_of(fixed, [rule("J2", "principal")], 5)) == ("J1", "lead_dept", Decimal("0.10"), [])
    (further,) = [each for each in path_of(rule("J2", "principal"), [fixed], 3).further if each.rule == "J1"]
    assert (further.points, further.further) == (Decimal("0.10"), ())


def test_only_rules_that_may_carry_the_same_charge_go_on() -> None:
    own = rule("J1", "lead_dept", of=("R1", "R2"), sign="deduction")
    others = [
        rule("J2", "principal", of=("R2",)),
        rule("J3", "principal", of=("R3",)),
        rule("J4", "principal", sign="bonus"),
        rule("J5", "principal", enabled=False),
        rule("J1", "as it was saved"),
    ]
    assert [each.rule for each in path_of(own, others, 2).further] == ["J1", "J2"]


def test_a_wide_draft_is_counted_beyond_what_is_drawn() -> None:
    others = [rule(f"J{n}", "principal") for n in range(100)]
    path = path_of(rule("J", "lead_dept"), others, 2)
    assert (len(path.further), path.unseen) == (WIDEST, 101 - WIDEST)
    deep = path_of(rule("J", "lead_dept"), others, 10)
    assert deep.further
