"""Travelling (连带的去向): for each direct charge of an event and each joint rule, whether it travelled, or why not.

It did not travel because the rule does not take up that rule's charges, or that sign; because its condition does
not hold; because nobody is named, or the event left the relation out; because whoever is named is further than the
depth; or because whoever is named answers already by a path that brings more. A charge that its matter does not
count, or of 0, does not travel at all.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from engine.amount import sign
from engine.charge import Charge
from engine.digest import SIGNS, digest
from engine.language import Message, message
from engine.liability import walk, ways
from engine.rulebook import JointRule
from engine.scene import Scene

Reason = Literal["of", "sign", "when", "excluded", "nobody", "depth", "better", "superseded", "zero"]


class Travel(msgspec.Struct, frozen=True, kw_only=True):
    """One joint rule and one direct charge: whom the charge reached by it, or why nobody."""

    rule: str
    origin_rule: str
    origin_subject: str
    reached: tuple[str, ...] = ()
    reason: Reason | None = None
    said: Message | None = None


def travels(source: Charge, amount: Decimal, scene: Scene, *, superseded: bool = False) -> tuple[Travel, ...]:
    """How each joint rule took the charge of that amount, in the rulebook's order; disabled rules take none."""
    rules = [rule for rule in digest(scene.version.rulebook).travelling if rule.enabled]
    return tuple(_travel(rule, source, amount, scene, superseded) for rule in rules)


def _travel(rule: JointRule, source: Charge, amount: Decimal, scene: Scene, superseded: bool) -> Travel:
    found = Travel(rule=rule.code, origin_rule=source.key.rule, origin_subject=source.key.subject)
    reason, said = _stays(rule, source, amount, scene, superseded)
    if reason is None:
        reached = tuple(
            way.path.subject
            for way in ways(source.key.rule, source.key.subject, source.indicator, amount, scene)
            if way.path.rule.code == rule.code
        )
        if reached:
            return msgspec.structs.replace(found, reached=reached)
        reason, said = _misses(rule, source, amount, scene)
    return msgspec.structs.replace(found, reason=reason, said=said)


def _stays(
    rule: JointRule,
    source: Charge,
    amount: Decimal,
    scene: Scene,
    superseded: bool,
) -> tuple[Reason | None, Message | None]:
    """Why the rule does not take the charge up at all."""
    if rule.of is not None and source.key.rule not in rule.of:
        return "of", message("travel.of", rule=source.key.rule)
    if superseded:
        return "superseded", message("travel.superseded")
    if amount == 0:
        return "zero", message("travel.zero")
    if sign(amount) not in SIGNS[rule.sign]:
        return "sign", message(f"travel.sign.{rule.sign}")
    if rule.code not in scene.fired:
        return "when", message("travel.when")
    return None, None


def _misses(rule: JointRule, source: Charge, amount: Decimal, scene: Scene) -> tuple[Reason, Message]:
    """Why the rule, which takes the charge up, reached nobody by it."""
    serving = digest(scene.version.rulebook)
    taking = [each for each in serving.accepting(source.key.rule, sign(amount)) if each.code in scene.fired]
    paths = list(walk(source.key.subject, source.indicator, taking, scene))
    if any(path.rule.code == rule.code for path in paths):
        return "better", message("travel.better", relation=rule.joint)
    depth = scene.version.rulebook.joint.depth
    for path in paths:
        visited = {source.key.subject, *(hop.subject for hop in path.hops)}
        if path.fixed is None and len(path.hops) == depth:
            beyond = set(scene.answering(path.subject, rule.joint, source.indicator)) - visited
            if beyond:
                told = message("travel.depth", subject=path.subject, relation=rule.joint, depth=depth)
                return "depth", told
    if source.key.subject == scene.event.subject and not scene.event.parties.get(rule.joint, ("",)):
        return "excluded", message("travel.excluded", relation=rule.joint)
    return "nobody", message("travel.nobody", relation=rule.joint, subject=source.key.subject)
