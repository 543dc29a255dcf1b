"""Joint liability (连带责任): when a unit loses or earns points, those who answer for it share.

From each direct charge responsibility walks the relations in force on the event's local date, at
most ``joint.depth`` hops. The amount at the end of a path is the source's amount × the product of
the shares on it; a hop of fixed points gives that amount and ends the path. A subject is charged
at most once per direct charge, by the path whose amount is largest; the source is never charged
back, and a path visits nobody twice, so that a cycle simply ends. The charge belongs to the joint
rule of its last hop.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.amount import EXACT, ZERO, cents, clip, exact_decimal, sign
from engine.charge import Charge, ChargeKey, Hop, Step
from engine.charging import written
from engine.digest import digest
from engine.rulebook import JointRule
from engine.scene import Scene


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A way that responsibility took, and the amount at its end, signed and not yet rounded."""

    hops: tuple[Hop, ...]
    amount: Fraction
    share: Fraction
    ends: bool
    dealt: Decimal | None = None
    divided: int | None = None

    @property
    def subject(self) -> str:
        """Whom it reached."""
        return self.hops[-1].subject

    def preference(self) -> tuple[Fraction, int, tuple[str, ...], tuple[str, ...]]:
        """Least is best: the largest amount, then fewer hops, then subject codes, then rule codes."""
        return (
            -abs(self.amount),
            len(self.hops),
            tuple(hop.subject for hop in self.hops),
            tuple(hop.rule for hop in self.hops),
        )


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The path by which a subject answers for an amount, what it comes to, rounded, before ``max``, and how."""

    rule: JointRule
    path: Path
    wanted: Decimal
    arithmetic: tuple[Step, ...]


class Spent(msgspec.Struct):
    """What one joint rule charged one subject for one event so far, by rule, subject and sign."""

    sums: dict[tuple[str, str, int], Decimal] = {}

    def take(self, way: Way) -> Decimal:
        """What the rule's ``max`` leaves of the amount, which is spent from now on."""
        if way.rule.max is None:
            return way.wanted
        account = (way.rule.code, way.path.subject, sign(way.wanted))
        already = self.sums.get(account, ZERO)
        nominal = cents(clip(way.wanted, max(ZERO, EXACT.subtract(way.rule.max, already))))
        self.sums[account] = EXACT.add(already, nominal.copy_abs())
        return nominal


def share_out(source: Charge, amount: Decimal, scene: Scene, spent: Spent) -> tuple[Charge, ...]:
    """The joint charges of a direct charge of that amount (its nominal or posted one).

    ``spent`` holds the joint rules' ``max`` over the event; call in the order of the direct charges.
    """
    found = ways(source.key.rule, source.key.subject, source.indicator, amount, scene)
    return tuple(_charge(source, way, scene, spent.take(way)) for way in found)


def ways(rule: str, subject: str, indicator: str | None, amount: Decimal, scene: Scene) -> tuple[Way, ...]:
    """How a direct charge of the rule on the subject travels: for each who answers the best path, by subject.

    Where such a charge travelled before, under the same relations, it went the same ways; they are remembered.
    """
    if amount == 0:
        return ()
    serving = digest(scene.version.rulebook)
    rules = [each for each in serving.accepting(rule, sign(amount)) if each.code in scene.fired]
    if not rules:
        return ()
    parties = (scene.event.subject, *sorted(scene.event.parties.items())) if scene.event.parties else ()
    era = scene.organisation.era(scene.day)
    key = (subject, indicator, str(amount), era, parties, *(each.code for each in rules))
    memory = serving.memory(scene.organisation)
    found: tuple[Way, ...] | None = memory.get(key)
    if found is None:
        found = memory[key] = tuple(_find_ways(subject, indicator, amount, rules, scene))
    return found


def _find_ways(
    subject: str, indicator: str | None, amount: Decimal, rules: list[JointRule], scene: Scene
) -> Iterator[Way]:
    best: dict[str, Path] = {}
    for path in walk(subject, indicator, amount, rules, scene):
        known = best.get(path.subject)
        if known is None or path.preference() < known.preference():
            best[path.subject] = path
    by_code = {rule.code: rule for rule in rules}
    for code in sorted(best):
        path = best[code]
        rule = by_code[path.hops[-1].rule]
        wanted = path.dealt if path.dealt is not None else path.amount
        arithmetic = tuple(_explain(amount, path, rule, scene))
        yield Way(rule=rule, path=path, wanted=cents(wanted), arithmetic=arithmetic)


def walk(subject: str, indicator: str | None, amount: Decimal, rules: list[JointRule], scene: Scene) -> Iterator[Path]:
    """Every path from a direct charge, up to the depth: a greedy walk would miss the best one."""
    depth = scene.version.rulebook.joint.depth
    begun: list[tuple[tuple[Hop, ...], Fraction]] = [((), Fraction(amount))]
    while begun:
        hops, carried = begun.pop()
        here = hops[-1].subject if hops else subject
        visited = {subject, *(hop.subject for hop in hops)}
        for rule in rules:
            answering = scene.answering(here, rule.joint, indicator)
            named = [code for code in answering if code not in visited]
            for path in _hop(hops, carried, rule, named, sign(amount)):
                yield path
                if not path.ends and len(path.hops) < depth:
                    begun.append((path.hops, path.amount))


def _hop(hops: tuple[Hop, ...], carried: Fraction, rule: JointRule, named: list[str], direction: int) -> Iterator[Path]:
    if rule.points is None:
        share = Fraction(1 if rule.share is None else rule.share)
        whole = carried * share
    else:
        share = Fraction(0)
        whole = direction * abs(Fraction(rule.points))
    split = len(named) if rule.split == "pro_rata" else 1
    dealt = deal(cents(whole), named) if rule.split == "pro_rata" else {}
    for subject in named:
        yield Path(
            hops=(*hops, Hop(rule.code, rule.joint, subject)),
            amount=whole / split,
            share=share,
            ends=rule.points is not None,
            dealt=dealt.get(subject),
            divided=split if rule.split == "pro_rata" else None,
        )


def deal(whole: Decimal, named: list[str]) -> dict[str, Decimal]:
    """A rounded amount dealt out in cents by largest remainder; all remainders are equal, so by code."""
    if not named:
        return {}
    size, rest = divmod(int(abs(whole) * 100), len(named))
    direction = sign(whole)
    return {code: exact_decimal(direction * (size + (place < rest)), 2) for place, code in enumerate(sorted(named))}


def _charge(source: Charge, way: Way, scene: Scene, nominal: Decimal) -> Charge:
    key, rule, subject = source.key, way.rule, way.path.subject
    held = [Step(step="max", value=str(rule.max))] if nominal != way.wanted else []
    return Charge(
        key=ChargeKey(key.source, key.id, key.rule, key.subject, rule.code, subject),
        version=scene.version.number,
        indicator=rule.indicator if rule.indicator is not None else source.indicator,
        nominal=nominal,
        limits=rule.limits,
        place=(1, source.place[1], key.subject, rule.code, subject),
        path=way.path.hops,
        arithmetic=(*way.arithmetic, *held, Step(step="nominal", value=str(nominal))),
    )


def _explain(amount: Decimal, path: Path, rule: JointRule, scene: Scene) -> Iterator[Step]:
    yield Step(step="source", value=str(amount), given=scene.version.rulebook.joint.basis)
    for hop in path.hops:
        by = scene.version.rulebook.rule(hop.rule)
        if isinstance(by, JointRule) and by.points is None:
            yield Step(step="share", value=written(Decimal(1) if by.share is None else by.share), title=hop.rule)
    if rule.points is not None:
        yield Step(step="points", value=written(rule.points), title=rule.code)
    if path.divided is not None:
        yield Step(step="divided", value=str(path.divided))
