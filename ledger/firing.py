"""Firing (触发): for one event, every rule of its type: whether it fired, on what evidence, and whom it charged.

Judged again, under the version that now rules the event's time, from what the ledger holds; an event that was
withdrawn, under the version that its last entries were made by. Rules that are disabled are listed by themselves:
nothing of theirs was judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from engine.bureau import Bureau
from engine.charge import Charge
from engine.charging import charge_all
from engine.event import Event, EventKey
from engine.field import EventType
from engine.language import Language, render
from engine.matching import Facts
from engine.rulebook import EventRule, JointRule, Repeat, Rule, Rulebook, Version, VetoRule
from engine.scene import Matchers, Scene, set_scene
from engine.travelling import Travel, travels
from ledger.charges import Charges, add_up, rows_of_event, view_charges
from ledger.current import Connection, get_current
from ledger.explanation import ComparisonView, RuleView, say_value, view_comparisons, view_rule
from ledger.present import read_recorded
from ledger.reading import find_event, reading
from ledger.sight import EVERYTHING, Sight

Kind = Literal["event", "joint", "veto"]


class TravelView(msgspec.Struct, frozen=True, kw_only=True):
    """A direct charge and a joint rule: whom it reached by the rule, or why nobody; ``reason`` is that in one word."""

    origin_rule: str
    origin_subject: str
    reached: tuple[str, ...]
    reason: str | None = None
    why: str | None = None


class RuleFiring(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and the event. ``silent`` says why a rule whose condition held charged nobody.

    ``entries`` are those that it made. ``travels``, of a joint rule: what became of each direct charge by it.
    """

    rule: RuleView
    kind: Kind
    fired: bool
    comparisons: tuple[ComparisonView, ...]
    silent: str | None = None
    entries: tuple[int, ...] = ()
    travels: tuple[TravelView, ...] = ()


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the event's type: its title, and what the event says of it (None: nothing), in words too.

    ``derived`` fields are never sent: they are reckoned, here as of the latest settlement.
    """

    name: str
    title: str
    value: Any
    words: str
    derived: bool


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """An event and every enabled rule of its type, under the version that rules it.

    ``charges`` are what it came to, with the limits that clipped them; ``disabled`` are rules of its type that
    the version has switched off.
    """

    source: str
    id: str
    type: str
    title: str
    version: int
    fields: tuple[FieldView, ...]
    rules: tuple[RuleFiring, ...]
    disabled: tuple[RuleView, ...] = ()
    charges: Charges = Charges(items=())


async def explain_event(key: EventKey, language: Language, sight: Sight = EVERYTHING) -> Firing:
    """Explain an event in a language; Unknown where it was never recorded. What is out of sight stays there."""
    async with reading() as connection:
        row = await find_event(connection, key)
        rows = await rows_of_event(connection, key)
        bureau = await _bureau_for(connection, row, rows)
    event = read_recorded(row, bureau).event
    firing = explain_firing(bureau, event, get_current().direct, language, rows, sight)
    return msgspec.structs.replace(firing, charges=view_charges(rows, sight))


async def _bureau_for(connection: Connection, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Bureau:
    """What the event is judged by. One that was withdrawn need not fit later versions."""
    bureau = get_current().bureau
    if row["standing"]:
        return bureau
    number = row["version"]
    if rows:
        number = await connection.fetchval("SELECT version FROM entry WHERE number = $1", rows[-1]["number"])
    return msgspec.structs.replace(bureau, versions=(bureau.version(number),))


def explain_firing(
    bureau: Bureau,
    event: Event,
    matchers: Matchers,
    language: Language,
    rows: Sequence[Mapping[str, Any]],
    sight: Sight,
) -> Firing:
    """The rules of an event under the version that rules it; ``rows`` are its entries."""
    version = bureau.version_at(event.time) or bureau.versions[-1]
    scene = set_scene(bureau, event, version, matchers, _recall_nothing)
    outcomes = charge_all(scene)
    silent = {each.rule: each.silent for each in outcomes}
    direct = [charge for outcome in outcomes for charge in outcome.charges]
    found = _Found(version, scene, language, direct, rows, sight)
    return Firing(
        source=event.source,
        id=event.id,
        type=event.type,
        title=version.rulebook.event_types[event.type].title,
        version=version.number,
        fields=tuple(_view_fields(version.rulebook.event_types[event.type], scene.facts, language)),
        rules=tuple(
            RuleFiring(
                rule=view_rule(version.rulebook, rule.code, language),
                kind=kind,
                fired=rule.code in scene.fired,
                comparisons=tuple(_comparisons(rule, scene.facts, language)),
                silent=None if (said := silent.get(rule.code)) is None else render(said, language),
                entries=found.entries(rule.code),
                travels=found.travels(rule.code) if kind == "joint" else (),
            )
            for rule, kind in rules_of(version.rulebook, event.type)
        ),
        disabled=tuple(
            view_rule(version.rulebook, rule.code, language)
            for rule, _ in rules_of(version.rulebook, event.type, enabled=False)
        ),
    )


class _Found:
    """What the ledger has of the event's charges, for the rules to be told by."""

    def __init__(
        self,
        version: Version,
        scene: Scene,
        language: Language,
        direct: Sequence[Charge],
        rows: Sequence[Mapping[str, Any]],
        sight: Sight,
    ) -> None:
        self._version = version
        self._scene = scene
        self._language: Language = language
        self._rows = rows
        self._summed = add_up(rows)
        self._sight = sight
        self._travels = [each for charge in direct for each in self._of(charge)]

    def entries(self, rule: str) -> tuple[int, ...]:
        """The entries in sight that a rule made."""
        return tuple(
            row["number"]
            for row in self._rows
            if row["rule"] == rule and self._sight.sees(row["source"], row["subject"], row["indicator"], row["version"])
        )

    def travels(self, rule: str) -> tuple[TravelView, ...]:
        """What became of each direct charge by a joint rule; whom it reached out of sight is not told."""
        number = self._version.number
        return tuple(
            TravelView(
                origin_rule=each.origin_rule,
                origin_subject=each.origin_subject,
                reached=tuple(
                    code for code in each.reached if self._sight.concerns(code, self._indicator(each), number)
                ),
                reason=each.reason,
                why=None if each.said is None else render(each.said, self._language),
            )
            for each in self._travels
            if each.rule == rule
        )

    def _indicator(self, travel: Travel) -> str | None:
        """The indicator that a joint charge is on: its rule's, else that of the charge it travels from."""
        rulebook = self._version.rulebook
        return _indicator_of(rulebook.rule(travel.rule)) or _indicator_of(rulebook.rule(travel.origin_rule))

    def _of(self, charge: Charge) -> tuple[Travel, ...]:
        known = self._summed.get(charge.key)
        superseded = known is not None and msgspec.json.decode(known.latest["detail"])["superseded_by"] is not None
        amount = charge.nominal if known is None else known.latest["nominal"]
        if self._version.rulebook.joint.basis == "posted":
            amount = amount if known is None else known.posted
        return travels(charge, amount, self._scene, superseded=superseded)


def rules_of(rulebook: Rulebook, event_type: str, *, enabled: bool = True) -> Iterator[tuple[Rule, Kind]]:
    """The rules that an event of the type may fire, in the rulebook's order: those enabled, or those that are not."""
    served = {rule.code for rule in rulebook.rules if isinstance(rule, EventRule) and rule.on == event_type}
    for rule in rulebook.rules:
        if rule.enabled is not enabled:
            continue
        if isinstance(rule, EventRule) and rule.on == event_type:
            yield rule, "event"
        elif isinstance(rule, VetoRule) and rule.on == event_type:
            yield rule, "veto"
        elif isinstance(rule, JointRule) and (served if rule.of is None else served & set(rule.of)):
            yield rule, "joint"


def _indicator_of(rule: Rule) -> str | None:
    return rule.indicator if isinstance(rule, (EventRule, JointRule)) else None


def _view_fields(event_type: EventType, facts: Facts, language: Language) -> Iterator[FieldView]:
    for name, field in event_type.fields.items():
        value = facts.get(name)
        yield FieldView(
            name=name,
            title=field.title or name,
            value=value,
            words=say_value(value, language, field.choices),
            derived=field.days_late is not None,
        )


def _comparisons(rule: Rule, facts: Facts, language: Language) -> Iterator[ComparisonView]:
    if isinstance(rule, (EventRule, JointRule, VetoRule)) and rule.when is not None:
        yield from view_comparisons(rule.code, rule.when, facts, language)


def _recall_nothing(event: Event, repeat: Repeat) -> EventKey | None:  # noqa: ARG001  (whether it fired needs none)
    return None
