"""Durable matching: the conditions of a rulebook in a Rete, behind a narrow door.

The Rete is the C module of durable_rules 2.0.28, driven without its host. It is fast and has
sharp edges, so it is given only what it handles exactly: flat conjunctions over slots of small
integers, at most 60 leaves a shard, one fact at a time with an id of ours, asserted, drained and
retracted. Every conjunction begins with a positive gate. It never sees a text of a user.

Python 3.13 and later cannot import the module; there :func:`available` says no.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import count
from threading import Lock
from typing import Any

from engine.finding import Finding, Refused
from engine.matching import Facts
from engine.projection import MOST_LEAVES, Conjunction, Mark, Projection, TooManyError, normal_form
from engine.rulebook import EventRule, JointRule, Rulebook, VetoRule

_OPERATORS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_STATE = "0"
"""The one state that facts without a session go to."""
_rulesets = count()


def _module() -> Any:
    if sys.version_info >= (3, 13):
        return None
    try:
        return import_module("durable_rules_engine")
    except ImportError:
        return None


_rete = _module()


def available() -> bool:
    """Whether this Python has the Rete."""
    return _rete is not None


class DurableMatcher:
    """Asks the Rete; see :class:`engine.matching.Matcher`. Raises Refused for a condition out of bounds."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._types: dict[str, tuple[Projection, list[_Shard]]] = {}
        rules = [rule for rule in rulebook.rules if rule.enabled and isinstance(rule, (EventRule, JointRule, VetoRule))]
        on = {rule.code: rule.on for rule in rules if isinstance(rule, EventRule)}
        normal = {rule.code: _alternatives(rule) for rule in rules}
        for event_type in {rule.on for rule in rules if not isinstance(rule, JointRule)}:
            conjunctions = [
                (rule.code, alternative)
                for rule in rules
                if event_type in _served(rule, on)
                for alternative in normal[rule.code]
            ]
            projection = Projection(conjunction for _, conjunction in conjunctions)
            self._types[event_type] = (projection, [_Shard(part, projection) for part in _parts(conjunctions)])

    def match(self, event_type: str, facts: Facts) -> frozenset[str]:
        """The codes of the rules that hold."""
        known = self._types.get(event_type)
        if known is None:
            return frozenset()
        projection, shards = known
        slots = projection.slots(facts)
        return frozenset(code for shard in shards for code in shard.fired(slots))

    def close(self) -> None:
        """Free the rulesets. A second time, nothing."""
        types, self._types = self._types, {}
        for _, shards in types.values():
            for shard in shards:
                shard.close()


def _served(rule: EventRule | JointRule | VetoRule, on: Mapping[str, str]) -> set[str]:
    """The event types that the rule serves; ``on`` says which type each enabled event rule is on."""
    if not isinstance(rule, JointRule):
        return {rule.on}
    return {event_type for code, event_type in on.items() if rule.of is None or code in rule.of}


def _alternatives(rule: EventRule | JointRule | VetoRule) -> list[Conjunction]:
    if rule.when is None:
        return [frozenset[Mark]()]
    try:
        return normal_form(rule.when.tree)
    except TooManyError as error:
        raise Refused(Finding(message=error.said, path=f"rules[{rule.code}].when")) from error


def _parts(conjunctions: Iterable[tuple[str, Conjunction]]) -> Iterable[list[tuple[str, Conjunction]]]:
    """The conjunctions in shards of at most 60 leaves, a gate for each and the warm-up counted."""
    part: list[tuple[str, Conjunction]] = []
    leaves = 1
    for code, conjunction in conjunctions:
        if leaves + 1 + len(conjunction) > MOST_LEAVES:
            yield part
            part, leaves = [], 1
        part.append((code, conjunction))
        leaves += 1 + len(conjunction)
    if part:
        yield part


class _Shard:
    """One ruleset of the Rete."""

    def __init__(self, conjunctions: Sequence[tuple[str, Conjunction]], projection: Projection) -> None:
        self._codes = {f"r{place}": code for place, (code, _) in enumerate(conjunctions)}
        definitions = {f"r{place}": _pattern(each, projection) for place, (_, each) in enumerate(conjunctions)}
        self._slots = tuple(sorted({projection.names[mark.slot] for _, each in conjunctions for mark in each}))
        self._lock = Lock()
        self._ids = count(1)
        self.leaves = 1 + sum(1 + len(each) for _, each in conjunctions)
        definitions["_w"] = {"all": [{"m": {"_w": 1}}]}
        self._name = f"jikao{next(_rulesets)}"
        self._handle: int | None = _rete.create_ruleset(self._name, json.dumps(definitions))
        # A state is only safe to delete after an action has fired in it.
        if self._ask('"_w":1') != ["_w"]:
            raise RuntimeError(self._name)

    def fired(self, slots: dict[str, int]) -> Iterable[str]:
        """The codes of the rules of which a conjunction holds."""
        known = [f'"{name}":{slots[name]}' for name in self._slots if name in slots]
        return {self._codes[rule] for rule in self._ask(",".join(['"_g":1', *known]))}

    def _ask(self, content: str) -> list[str]:
        """The names of the definitions that fire for one fact, which is gone afterwards."""
        with self._lock:
            if self._handle is None:
                raise RuntimeError(self._name)
            fact = f'{{"id":{next(self._ids)},{content}}}'
            code, state = _rete.assert_fact(self._handle, fact)
            fired: list[str] = []
            if code != 0:
                return fired
            try:
                begun = _rete.start_action_for_state(self._handle, state)
                action = begun[1] if begun else None
                while action:
                    # More firings than definitions, or a firing for another fact, is a fault of the Rete.
                    if len(fired) > len(self._codes) or fact not in action:
                        raise RuntimeError(self._name)
                    fired.append(action[2 : action.index('"', 2)])
                    action = _rete.complete_and_start_action(self._handle, state)
            finally:
                _rete.retract_fact(self._handle, fact)
            return fired

    def close(self) -> None:
        """Free the ruleset. To ask it afterwards is an error, not a crash."""
        with self._lock:
            handle, self._handle = self._handle, None
            _rete.delete_state(handle, _STATE)
            _rete.delete_ruleset(handle)


def _pattern(conjunction: Conjunction, projection: Projection) -> dict[str, Any]:
    marks = sorted((projection.names[mark.slot], mark.operator, projection.constant(mark)) for mark in conjunction)
    return {"all": [{"m": {"$and": [{"_g": 1}, *(_leaf(*mark) for mark in marks)]}}]}


def _leaf(name: str, operator: str, number: int) -> dict[str, Any]:
    return {name: number} if operator == "==" else {_OPERATORS[operator]: {name: number}}
