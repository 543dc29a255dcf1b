"""Direct charges (直接加减分): an event rule that fired charges each subject that it names.

nominal = round(clip(points × times × factors, max)). If a field that the arithmetic needs is
missing, or its table has no row, the rule does not fire; nobody there to charge: no charge. Both
are said aloud in the :class:`Outcome`.
"""

from fractions import Fraction

import msgspec

from engine.amount import cents, clip, exact_decimal
from engine.charge import Charge, ChargeKey, Step
from engine.language import Message, message
from engine.points import field_of, number, reckon
from engine.rulebook import EventRule, Factor, VetoRule
from engine.scene import Scene, gather_charged


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an event rule came to: its charges, or why it made none though its condition held."""

    rule: str
    charges: tuple[Charge, ...] = ()
    silent: Message | None = None


class _Missing(Exception):
    def __init__(self, reason: Message) -> None:
        self.reason = reason


def charge_all(scene: Scene) -> tuple[Outcome, ...]:
    """The outcomes of the event rules that fired, in the rulebook's order."""
    return tuple(
        charge(rule, place, scene)
        for place, rule in enumerate(scene.version.rulebook.rules)
        if isinstance(rule, EventRule) and rule.code in scene.fired
    )


def charge(rule: EventRule, place: int, scene: Scene) -> Outcome:
    """Charge everyone whom the rule names for the event."""
    charged = charged_by(rule, scene)
    if not charged:
        nobody = message("charge.nobody", relation=rule.charge, subject=scene.event.subject)
        return Outcome(rule=rule.code, silent=nobody)
    try:
        return Outcome(rule=rule.code, charges=tuple(_charge_one(rule, place, subject, scene) for subject in charged))
    except _Missing as missing:
        return Outcome(rule=rule.code, silent=missing.reason)


def charged_by(rule: EventRule | VetoRule, scene: Scene) -> tuple[str, ...]:
    """The subjects that the rule charges: the event's own, or all whom its relation or party names."""
    if rule.charge == "subject":
        return (scene.event.subject,)
    return scene.answering(scene.event.subject, rule.charge, rule.indicator)


def _charge_one(rule: EventRule, place: int, subject: str, scene: Scene) -> Charge:
    amount = reckon(rule.points, scene.facts)
    field = field_of(rule.points)
    if amount is None:
        raise _Missing(_why_no_points(field, scene))
    steps = [Step(step="points", value=written(amount), field=field, given=_given(field, scene))]
    if rule.times is not None:
        times = number(scene.facts.get(rule.times))
        if times is None:
            raise _Missing(message("charge.field_missing", field=rule.times))
        amount *= times
        steps.append(Step(step="times", value=written(times), field=rule.times))
    for factor in rule.factors:
        step = _apply(factor, subject, scene)
        if step is not None:
            amount *= Fraction(step.value)
            steps.append(step)
    held = clip(amount, rule.max)
    if held != amount:
        steps.append(Step(step="max", value=written(Fraction(rule.max or 0))))
    nominal = cents(held)
    steps.append(Step(step="nominal", value=str(nominal)))
    return Charge(
        key=ChargeKey(scene.event.source, scene.event.id, rule.code, subject, rule.code, subject),
        version=scene.version.number,
        indicator=rule.indicator,
        nominal=nominal,
        limits=rule.limits,
        matter=scene.event.matter if rule.matter == "highest" else None,
        place=(0, place, subject, rule.code, subject),
        arithmetic=tuple(steps),
    )


def _apply(factor: Factor, subject: str, scene: Scene) -> Step | None:
    """The factor as a step; None where it is 1 because its condition does not hold or nothing is repeated."""
    if factor.when is not None:
        facts = gather_charged(scene.facts, scene.organisation, subject, scene.day)
        if factor.when.judge(facts) is not True:
            return None
    earlier = None
    if factor.repeat is not None:
        earlier = scene.recall(scene.event, factor.repeat)
        if earlier is None:
            return None
    if factor.field is None:
        value = Fraction(1 if factor.by is None else factor.by)
        return Step(step="factor", value=written(value), title=factor.title or None, event=earlier)
    known = scene.facts.get(factor.field)
    if known is None:
        raise _Missing(message("charge.field_missing", field=factor.field))
    if factor.table is None:
        looked_up = number(known)
    else:
        row = factor.table.get(known)
        looked_up = None if row is None else Fraction(row)
    if looked_up is None:
        raise _Missing(message("charge.no_row", field=factor.field, value=known))
    return Step(
        step="factor",
        value=written(looked_up),
        title=factor.title or None,
        field=factor.field,
        given=_given(factor.field, scene),
        event=earlier,
    )


def written(value: Fraction) -> str:
    """An exact number as text: a decimal where it is one, else ``numerator/denominator``."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    return f"{exact_decimal((value * 10**digits).numerator, digits):f}"


def _given(field: str | None, scene: Scene) -> str | None:
    return None if field is None else str(scene.facts.get(field))


def _why_no_points(field: str | None, scene: Scene) -> Message:
    value = scene.facts.get(field or "")
    if value is None:
        return message("charge.field_missing", field=field or "")
    return message("charge.no_row", field=field or "", value=value)
