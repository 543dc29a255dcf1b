"""The trace of a case (用例的踪迹): what came of it, and which rules charged somebody in it on the way.

A rule charged where it made an entry at any step, or at the end still charges, be it 0 by a limit or a matter. A veto
charged where its condition held for a kept event and somebody was there whom it holds down.
"""

from collections.abc import Iterator

import msgspec

from engine.charging import charged_by
from engine.event import Event, EventKey
from engine.register import Register
from engine.rulebook import Repeat, VetoRule
from engine.scene import set_scene
from rules.case import Case, Close, Settle
from rules.checking import CaseResult, RegisterClerk, carry_out


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """``types`` are those of the events that were kept; ``settles``: a period was settled or closed."""

    result: CaseResult
    charging: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    settles: bool = False


def trace_case(case: Case) -> Trace:
    """Run a case on a register in memory and look what happened there."""
    clerks: list[RegisterClerk] = []

    def hire() -> RegisterClerk:
        clerks.append(RegisterClerk(case))
        return clerks[-1]

    result = carry_out(case, hire)
    if not clerks:
        return Trace(result=result)
    register = clerks[-1].register
    return Trace(
        result=result,
        charging=frozenset(_charging(register)),
        types=frozenset(held.recorded.event.type for held in register.held.values()),
        settles=any(isinstance(step, (Settle, Close)) for step in case.steps),
    )


def _charging(register: Register) -> Iterator[str]:
    yield from (posted.entry.charge.key.rule for posted in register.entries)
    yield from (key.rule for key in register.fresh())
    for held in register.held.values():
        yield from (rule for rule, subjects in vetoing(register, held.recorded.event) if subjects)


def vetoing(register: Register, event: Event) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The vetoes that hold for an event, and whom they hold down."""
    version = register.bureau.version_at(event.time)
    rules = () if version is None else version.rulebook.rules
    vetoes = [rule for rule in rules if isinstance(rule, VetoRule) and rule.on == event.type]
    if version is None or not vetoes:
        return
    scene = set_scene(register.bureau, event, version, register.matcher, _recall_nothing)
    yield from ((rule.code, charged_by(rule, scene)) for rule in vetoes if rule.code in scene.fired)


def _recall_nothing(event: Event, repeat: Repeat) -> EventKey | None:  # noqa: ARG001  (whether it fired needs none)
    return None
