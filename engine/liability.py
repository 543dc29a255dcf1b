"""Joint liability (连带责任): when a unit loses or earns points, those who answer for it share.

From each direct charge responsibility walks the relations in force on the event's local date, at
most ``joint.depth`` hops. The amount at the end of a path is the source's amount × the product of
the shares on it; a hop of fixed points gives that amount and ends the path. A subject is charged
at most once per direct charge, by the path whose amount is largest; the source is never charged
back, and a path visits nobody twice, so that a cycle simply ends. The charge belongs to the joint
rule of its last hop.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec

from engine.amount import EXACT, ZERO, cents, clip, exact_decimal, sign
from engine.charge import Charge, ChargeKey, Hop, Step
from engine.charging import written
from engine.digest import digest
from engine.rulebook import JointRule
from engine.scene import Scene

ONE = Fraction(1)
MOST_AMOUNTS = 200


class Path(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A way that responsibility may take, whatever the amount that sets out on it.

    At its end arrives ``ratio`` × the source's amount, or ``fixed``. Where the last hop divides, so many
    share it, and its subject is the one at ``place`` among them. ``steps`` are its arithmetic, between the amount
    that sets out and the one that arrives.
    """

    rule: JointRule
    hops: tuple[Hop, ...]
    ratio: Fraction
    fixed: Fraction | None = None
    divided: int | None = None
    place: int = 0
    steps: tuple[Step, ...] = ()

    @property
    def subject(self) -> str:
        """Whom it reached."""
        return self.hops[-1].subject

    def exact(self, size: Fraction) -> Fraction:
        """What arrives at the subject of an amount of that size, not rounded."""
        whole = size * self.ratio if self.fixed is None else self.fixed
        return whole if self.divided is None else whole / self.divided

    def preference(self, size: Fraction) -> tuple[Fraction, int, tuple[str, ...], tuple[str, ...]]:
        """Least is best: the largest amount, then fewer hops, then subject codes, then rule codes."""
        subjects, rules = tuple(hop.subject for hop in self.hops), tuple(hop.rule for hop in self.hops)
        return (-self.exact(size), len(self.hops), subjects, rules)

    def cents(self, numerator: int, denominator: int) -> int:
        """What arrives of an amount of that size, in cents: rounded once; a part is dealt out of the rounded whole.

        Dealt by largest remainder; all remainders are equal, so the first by code get a cent more.
        """
        if self.fixed is None:
            numerator, denominator = numerator * self.ratio.numerator, denominator * self.ratio.denominator
        else:
            numerator, denominator = self.fixed.numerator, self.fixed.denominator
        whole = (200 * numerator + denominator) // (2 * denominator)
        if self.divided is None:
            return whole
        part, rest = divmod(whole, self.divided)
        return part + (self.place < rest)


class Way(NamedTuple):
    """The path by which a subject answers for an amount, and the cents that arrive before ``max``, signed."""

    path: Path
    cents: int


class Spent(msgspec.Struct, gc=False):
    """What one joint rule charged one subject for one event so far, by rule, subject and sign."""

    sums: dict[tuple[str, str, int], Decimal] = {}

    def take(self, way: Way) -> Decimal:
        """What the rule's ``max`` leaves of the amount, which is spent from now on."""
        rule, wanted = way.path.rule, exact_decimal(way.cents, 2)
        if rule.max is None:
            return wanted
        account = (rule.code, way.path.subject, sign(wanted))
        already = self.sums.get(account, ZERO)
        nominal = cents(clip(wanted, max(ZERO, EXACT.subtract(rule.max, already))))
        self.sums[account] = EXACT.add(already, nominal.copy_abs())
        return nominal


def share_out(source: Charge, amount: Decimal, scene: Scene, spent: Spent) -> tuple[Charge, ...]:
    """The joint charges of a direct charge of that amount (its nominal or posted one).

    ``spent`` holds the joint rules' ``max`` over the event; call in the order of the direct charges.
    """
    found = ways(source.key.rule, source.key.subject, source.indicator, amount, scene)
    return tuple(_charge(source, amount, way, scene, spent.take(way)) for way in found)


def ways(rule: str, subject: str, indicator: str | None, amount: Decimal, scene: Scene) -> tuple[Way, ...]:
    """How a direct charge of the rule on the subject travels: for each who answers the best path, by subject.

    The same relations lead the same ways: they are walked once and remembered, and so is what arrives
    of an amount that set out before.
    """
    direction = sign(amount)
    serving = digest(scene.version.rulebook)
    taking = serving.accepting(rule, direction)
    rules = [each for each in taking if each.code in scene.fired]
    if not rules:
        return ()
    parties = (scene.event.subject, *sorted(scene.event.parties.items())) if scene.event.parties else ()
    era = scene.organisation.era(scene.day)
    asked = (subject, indicator, era, direction, parties, *[each.code for each in rules])
    memory = serving.memory(scene.organisation)
    known: _Known | None = memory.get(asked)
    if known is None:
        known = memory[asked] = _Known(_rivals(walk(subject, indicator, rules, scene)), {})
    found = known.ways.get(amount)
    if found is None:
        if len(known.ways) >= MOST_AMOUNTS:
            known.ways.clear()
        found = known.ways[amount] = tuple(_arrive(known.paths, direction, amount))
    return found


class _Known(NamedTuple):
    """For each who answers, by code, the paths that may be the best one; and the ways of amounts so far."""

    paths: list[list[Path]]
    ways: dict[Decimal, tuple[Way, ...]]


def _rivals(paths: Iterable[Path]) -> list[list[Path]]:
    """Of paths that carry a share the best is the same for every amount, and so of those that bring fixed points."""
    best: dict[tuple[str, bool], Path] = {}
    for path in paths:
        kind = (path.subject, path.fixed is None)
        known = best.get(kind)
        if known is None or path.preference(ONE) < known.preference(ONE):
            best[kind] = path
    subjects = sorted({code for code, _ in best})
    return [[best[code, kind] for kind in (True, False) if (code, kind) in best] for code in subjects]


def _arrive(paths: list[list[Path]], direction: int, amount: Decimal) -> Iterator[Way]:
    numerator, denominator = amount.copy_abs().as_integer_ratio()
    for rivals in paths:
        best = rivals[0]
        if len(rivals) > 1:
            size = Fraction(numerator, denominator)
            best = min(rivals, key=lambda each: each.preference(size))
        yield Way(best, direction * best.cents(numerator, denominator))


def walk(subject: str, indicator: str | None, rules: list[JointRule], scene: Scene) -> Iterator[Path]:
    """Every path from the subject of a direct charge, up to the depth: a greedy walk would miss the best one."""
    depth = scene.version.rulebook.joint.depth
    begun: list[tuple[tuple[Hop, ...], Fraction, tuple[Step, ...]]] = [((), ONE, ())]
    while begun:
        hops, carried, told = begun.pop()
        here = hops[-1].subject if hops else subject
        visited = {subject, *(hop.subject for hop in hops)}
        for rule in rules:
            answering = scene.answering(here, rule.joint, indicator)
            named = [code for code in answering if code not in visited]
            shared = told if rule.points is not None else (*told, _share(rule))
            for path in _hop(hops, carried, shared, rule, named):
                yield path
                if path.fixed is None and len(path.hops) < depth:
                    begun.append((path.hops, path.ratio if path.divided is None else path.exact(ONE), shared))


def _hop(
    hops: tuple[Hop, ...], carried: Fraction, shared: tuple[Step, ...], rule: JointRule, named: list[str]
) -> Iterator[Path]:
    if not named:
        return
    divided = len(named) if rule.split == "pro_rata" else None
    steps = (*shared, *_last(rule, divided))
    ratio = carried if rule.share is None else carried * Fraction(rule.share)
    fixed = None if rule.points is None else abs(Fraction(rule.points))
    for place, subject in enumerate(sorted(named)):
        yield Path(
            rule=rule,
            hops=(*hops, Hop(rule.code, rule.joint, subject)),
            ratio=ratio,
            fixed=fixed,
            divided=divided,
            place=place,
            steps=steps,
        )


def _charge(source: Charge, amount: Decimal, way: Way, scene: Scene, nominal: Decimal) -> Charge:
    key, rule, subject = source.key, way.path.rule, way.path.subject
    return Charge(
        key=ChargeKey(key.source, key.id, key.rule, key.subject, rule.code, subject),
        version=scene.version.number,
        indicator=rule.indicator if rule.indicator is not None else source.indicator,
        nominal=nominal,
        limits=rule.limits,
        place=(1, source.place[1], key.subject, rule.code, subject),
        path=way.path.hops,
        arithmetic=_explain(amount, way, nominal, scene.version.rulebook.joint.basis),
    )


def _explain(amount: Decimal, way: Way, nominal: Decimal, basis: str) -> tuple[Step, ...]:
    source = Step(step="source", value=str(amount), given=basis)
    arrived = Step(step="nominal", value=str(nominal))
    if nominal == exact_decimal(way.cents, 2):
        return (source, *way.path.steps, arrived)
    return (source, *way.path.steps, Step(step="max", value=str(way.path.rule.max)), arrived)


def _share(rule: JointRule) -> Step:
    return Step(step="share", value=written(Decimal(1) if rule.share is None else rule.share), title=rule.code)


def _last(rule: JointRule, divided: int | None) -> Iterator[Step]:
    if rule.points is not None:
        yield Step(step="points", value=written(rule.points), title=rule.code)
    if divided is not None:
        yield Step(step="divided", value=str(divided))
