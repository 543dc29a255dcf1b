"""Direct charges (直接加减分): an event rule that fired charges each subject that it names.

nominal = round(clip(points × times × factors, max)). If a field that the arithmetic needs is
missing, or its table has no row, the rule does not fire; nobody there to charge: no charge. Both
are said aloud in the :class:`Outcome`.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.amount import EXACT, cents, clip, exact_decimal
from engine.charge import Charge, ChargeKey, Step
from engine.digest import digest
from engine.event import EventKey
from engine.language import Message, message
from engine.points import field_of, number, reckon
from engine.rulebook import EventRule, Factor, Fixed, VetoRule
from engine.scalar import written_number
from engine.scene import Scene, gather_charged


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an event rule came to: its charges, or why it made none though its condition held."""

    rule: str
    charges: tuple[Charge, ...] = ()
    silent: Message | None = None


class Missing(Exception):
    """The rule does not fire, because a field is missing or its table has no row."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason


class Applied(msgspec.Struct, frozen=True, gc=False):
    """What a factor came to: its number, and the earlier event that it counted."""

    factor: Factor
    value: Decimal
    event: EventKey | None


class Reckoned(msgspec.Struct, frozen=True, gc=False):
    """The arithmetic of one charge, exact up to its nominal amount; ``bound`` where ``max`` held it."""

    points: Decimal
    times: Decimal | None
    applied: tuple[Applied, ...]
    bound: Decimal | None
    nominal: Decimal


def charge_all(scene: Scene) -> tuple[Outcome, ...]:
    """The outcomes of the event rules that fired, in the rulebook's order."""
    serving = digest(scene.version.rulebook).on.get(scene.event.type, ())
    return tuple(charge(rule, place, scene) for place, rule in serving if rule.code in scene.fired)


def charge(rule: EventRule, place: int, scene: Scene) -> Outcome:
    """Charge everyone whom the rule names for the event."""
    charged = charged_by(rule, scene)
    if not charged:
        nobody = message("charge.nobody", relation=rule.charge, subject=scene.event.subject)
        return Outcome(rule=rule.code, silent=nobody)
    try:
        return Outcome(rule=rule.code, charges=tuple(_charge_one(rule, place, subject, scene) for subject in charged))
    except Missing as missing:
        return Outcome(rule=rule.code, silent=missing.reason)


def charged_by(rule: EventRule | VetoRule, scene: Scene) -> tuple[str, ...]:
    """The subjects that the rule charges: the event's own, or all whom its relation or party names."""
    if rule.charge == "subject":
        return (scene.event.subject,)
    return scene.answering(scene.event.subject, rule.charge, rule.indicator)


def _charge_one(rule: EventRule, place: int, subject: str, scene: Scene) -> Charge:
    reckoned = reckon_charge(rule, subject, scene)
    return Charge(
        key=ChargeKey(scene.event.source, scene.event.id, rule.code, subject, rule.code, subject),
        version=scene.version.number,
        indicator=rule.indicator,
        nominal=reckoned.nominal,
        limits=rule.limits,
        matter=scene.event.matter if rule.matter == "highest" else None,
        place=(0, place, subject, rule.code, subject),
        arithmetic=tuple(_explain(reckoned, rule, scene)),
    )


def reckon_charge(rule: EventRule, subject: str, scene: Scene) -> Reckoned:
    """What the rule comes to for the subject; :class:`Missing` where it does not fire after all."""
    if isinstance(rule.points, Fixed) and rule.times is None and not rule.factors:
        return _always(rule, rule.points.value, scene)
    points = reckon(rule.points, scene.facts)
    if points is None:
        raise Missing(_why_no_points(field_of(rule.points), scene))
    amount, times = points, None
    if rule.times is not None:
        times = number(scene.facts.get(rule.times))
        if times is None:
            raise Missing(message("charge.field_missing", field=rule.times))
        amount = EXACT.multiply(amount, times)
    applied = _apply(rule, subject, scene) if rule.factors else ()
    for each in applied:
        amount = EXACT.multiply(amount, each.value)
    return _round(rule, points, times, applied, amount)


def _always(rule: EventRule, points: Decimal, scene: Scene) -> Reckoned:
    """What a rule of fixed points without anything else comes to, reckoned once."""
    known = digest(scene.version.rulebook).constants
    found: Reckoned | None = known.get(rule.code)
    if found is None:
        found = known[rule.code] = _round(rule, points, None, (), points)
    return found


def _round(
    rule: EventRule, points: Decimal, times: Decimal | None, applied: tuple[Applied, ...], amount: Decimal
) -> Reckoned:
    held = clip(amount, rule.max)
    return Reckoned(points, times, applied, None if held == amount else rule.max, cents(held))


def _apply(rule: EventRule, subject: str, scene: Scene) -> tuple[Applied, ...]:
    """The factors that are not 1 because their condition does not hold or nothing is repeated."""
    tests = digest(scene.version.rulebook)
    facts = None
    applied = []
    for factor in rule.factors:
        if factor.when is not None:
            facts = facts or gather_charged(scene.facts, scene.organisation, subject, scene.day)
            if not tests.test(factor)(facts):
                continue
        earlier = None
        if factor.repeat is not None:
            earlier = scene.recall(scene.event, factor.repeat)
            if earlier is None:
                continue
        applied.append(Applied(factor, _value(factor, scene), earlier))
    return tuple(applied)


def _value(factor: Factor, scene: Scene) -> Decimal:
    if factor.field is None:
        return Decimal(1) if factor.by is None else factor.by
    known = scene.facts.get(factor.field)
    if known is None:
        raise Missing(message("charge.field_missing", field=factor.field))
    looked_up = number(known) if factor.table is None else factor.table.get(known)
    if looked_up is None:
        raise Missing(message("charge.no_row", field=factor.field, value=known))
    return looked_up


def _explain(reckoned: Reckoned, rule: EventRule, scene: Scene) -> Iterator[Step]:
    field = field_of(rule.points)
    yield Step(step="points", value=written(reckoned.points), field=field, given=_given(field, scene))
    if reckoned.times is not None:
        yield Step(step="times", value=written(reckoned.times), field=rule.times)
    for each in reckoned.applied:
        yield Step(
            step="factor",
            value=written(each.value),
            title=each.factor.title or None,
            field=each.factor.field,
            given=_given(each.factor.field, scene),
            event=each.event,
        )
    if reckoned.bound is not None:
        yield Step(step="max", value=written(reckoned.bound))
    yield Step(step="nominal", value=str(reckoned.nominal))


def written(value: Fraction | Decimal) -> str:
    """An exact number as text: a decimal where it is one, else ``numerator/denominator``."""
    if isinstance(value, Decimal):
        return written_number(value)
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
