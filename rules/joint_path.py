"""The path of a joint rule (连带路径): whom it charges by what share, and where responsibility goes on from there.

Pure. A joint rule serves every hop of a charge that it accepts, so that behind its own hop stand the
hops of every enabled joint rule that accepts one of the same charges, up to the rulebook's depth.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.amount import EXACT
from engine.rulebook import JointRule

WIDEST = 8
"""Hops that a picture shows; more are counted."""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One hop, by the rule that takes it.

    ``share`` is the share of the source's amount at its end; ``points`` a fixed amount instead, which ends the path.
    ``unseen``: how many further hops are not listed.
    """

    rule: str
    title: str
    relation: str
    share: Decimal | None
    points: Decimal | None = None
    divided: bool = False
    further: "tuple[Hop, ...]" = ()
    unseen: int = 0


def path_of(rule: JointRule, others: Sequence[JointRule], depth: int) -> Hop:
    """The rule's own hop and those behind it; ``others`` are the joint rules of the draft."""
    known = [other for other in others if other.enabled and other.code != rule.code]
    left = [WIDEST]
    return _hop(rule, [rule, *known] if rule.enabled else [rule], Decimal(1), depth, left)


def _hop(rule: JointRule, rules: Sequence[JointRule], share: Decimal, depth: int, left: list[int]) -> Hop:
    reached = None if rule.points is not None else EXACT.multiply(share, rule.share or Decimal(0))
    further: list[Hop] = []
    unseen = 0
    if reached is not None and depth > 1:
        for other in rules:
            if not _meet(rule, other):
                continue
            if left[0] <= 0:
                unseen += 1
                continue
            left[0] -= 1
            further.append(_hop(other, rules, reached, depth - 1, left))
    return Hop(
        rule=rule.code,
        title=rule.title,
        relation=rule.joint,
        share=reached,
        points=rule.points,
        divided=rule.split == "pro_rata",
        further=tuple(further),
        unseen=unseen,
    )


def _meet(rule: JointRule, other: JointRule) -> bool:
    """Whether a charge may travel by both."""
    of = rule.of is None or other.of is None or not set(rule.of).isdisjoint(other.of)
    return of and (rule.sign == other.sign or "both" in (rule.sign, other.sign))
