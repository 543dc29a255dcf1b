"""Firing (触发): for one event, every enabled rule of its type: whether it fired, and on what evidence.

Judged again, under the version that now rules the event's time, from what the ledger holds.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from engine.bureau import Bureau
from engine.charging import charge_all
from engine.event import Event, EventKey
from engine.finding import Finding
from engine.language import Language, message, render
from engine.matching import Facts
from engine.rulebook import EventRule, JointRule, Repeat, Rule, Rulebook, VetoRule
from engine.scene import Matchers, set_scene
from ledger.current import get_current
from ledger.explanation import ComparisonView, RuleView, leaves, view_comparison, view_rule
from ledger.present import read_recorded
from ledger.reading import EntryFilter, Unknown, list_entries, reading

Kind = Literal["event", "joint", "veto"]


class RuleFiring(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and the event. ``silent`` says why a rule whose condition held charged nobody."""

    rule: RuleView
    kind: Kind
    fired: bool
    comparisons: tuple[ComparisonView, ...]
    silent: str | None = None
    entries: tuple[int, ...] = ()


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """An event and every enabled rule of its type, under the version that rules it."""

    source: str
    id: str
    type: str
    version: int
    rules: tuple[RuleFiring, ...]


async def explain_event(key: EventKey, language: Language) -> Firing:
    """Explain an event in a language; Unknown where it was never recorded."""
    async with reading() as connection:
        row = await connection.fetchrow("SELECT * FROM event WHERE source = $1 AND id = $2", *key)
    if row is None:
        raise Unknown(Finding(message=message("event.unknown", source=key.source, id=key.id)))
    current = get_current()
    event = read_recorded(row, current.bureau).event
    entries, _ = await list_entries(EntryFilter(source=key.source, event=key.id), limit=500)
    made: dict[str, list[int]] = {}
    for entry in reversed(entries):
        made.setdefault(entry.rule, []).append(entry.id)
    return explain_firing(current.bureau, event, current.direct, language, made)


def explain_firing(
    bureau: Bureau, event: Event, matchers: Matchers, language: Language, made: dict[str, list[int]]
) -> Firing:
    """The rules of an event under the version that rules it; ``made`` are the entries that each rule made."""
    version = bureau.version_at(event.time)
    assert version is not None
    scene = set_scene(bureau, event, version, matchers, _recall_nothing)
    silent = {each.rule: each.silent for each in charge_all(scene)}
    return Firing(
        source=event.source,
        id=event.id,
        type=event.type,
        version=version.number,
        rules=tuple(
            RuleFiring(
                rule=view_rule(version.rulebook, rule.code, language),
                kind=kind,
                fired=rule.code in scene.fired,
                comparisons=tuple(_comparisons(rule, scene.facts, language)),
                silent=None if (said := silent.get(rule.code)) is None else render(said, language),
                entries=tuple(made.get(rule.code, ())),
            )
            for rule, kind in rules_of(version.rulebook, event.type)
        ),
    )


def rules_of(rulebook: Rulebook, event_type: str) -> Iterator[tuple[Rule, Kind]]:
    """The enabled rules that an event of the type may fire, in the rulebook's order."""
    served = {rule.code for rule in rulebook.rules if isinstance(rule, EventRule) and rule.on == event_type}
    for rule in rulebook.rules:
        if not rule.enabled:
            continue
        if isinstance(rule, EventRule) and rule.on == event_type:
            yield rule, "event"
        elif isinstance(rule, VetoRule) and rule.on == event_type:
            yield rule, "veto"
        elif isinstance(rule, JointRule) and (served if rule.of is None else served & set(rule.of)):
            yield rule, "joint"


def _comparisons(rule: Rule, facts: Facts, language: Language) -> Iterator[ComparisonView]:
    if isinstance(rule, (EventRule, JointRule, VetoRule)) and rule.when is not None:
        for each in leaves(rule.when.explain(facts)):
            yield view_comparison(rule.code, each, language)


def _recall_nothing(event: Event, repeat: Repeat) -> EventKey | None:  # noqa: ARG001  (whether it fired needs none)
    return None
