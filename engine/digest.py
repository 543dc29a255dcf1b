"""The digest of a rulebook (规则摘编): its rules arranged by what asks for them.

Scoring an event asks which rules are on its type, which joint rules a charge may travel by, which
fields are derived. A rulebook is immutable, so each is found once and not at every event. Nothing
here decides anything: a digest says what the rulebook says.
"""

from collections.abc import Mapping
from typing import Any

from engine.direct import Truth, holding
from engine.field import DaysLate
from engine.organisation import Organisation
from engine.rulebook import EventRule, Factor, JointRule, Repeat, Rulebook

SIGNS = {"bonus": (1,), "deduction": (-1,), "both": (1, -1)}
MOST_REMEMBERED = 20_000


class Digest:
    """One rulebook, arranged."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.places = {rule.code: place for place, rule in enumerate(rulebook.rules)}
        self.on: dict[str, list[tuple[int, EventRule]]] = {}
        self.travelling = [rule for rule in rulebook.rules if isinstance(rule, JointRule)]
        self.repeats = {code: _repeats(rulebook, code) for code in rulebook.event_types}
        self.derived = {code: _derived(rulebook, code) for code in rulebook.event_types}
        self.instants = {
            code: tuple(field.name for field in each.fields.values() if field.type == "datetime")
            for code, each in rulebook.event_types.items()
        }
        self.constants: dict[str, Any] = {}
        """What rules that always charge the same come to, by code."""
        self._tests: dict[int, Truth] = {}
        self._accepting: dict[tuple[str, int], tuple[JointRule, ...]] = {}
        self._memories: tuple[tuple[Organisation, dict[Any, Any]], ...] = ()
        for place, rule in enumerate(rulebook.rules):
            if isinstance(rule, EventRule):
                self.on.setdefault(rule.on, []).append((place, rule))

    def accepting(self, code: str, direction: int) -> tuple[JointRule, ...]:
        """The joint rules that take up a charge of the rule with that sign, their conditions aside."""
        found = self._accepting.get((code, direction))
        if found is None:
            found = self._accepting[code, direction] = tuple(
                rule
                for rule in self.travelling
                if direction in SIGNS[rule.sign] and (rule.of is None or code in rule.of)
            )
        return found

    def test(self, factor: Factor) -> Truth:
        """The factor's condition as a closure. A factor belongs to the rulebook, so that its id is its own."""
        found = self._tests.get(id(factor))
        if found is None:
            assert factor.when is not None
            found = self._tests[id(factor)] = holding(factor.when.tree)
        return found

    def memory(self, organisation: Organisation) -> dict[Any, Any]:
        """What was found out about this rulebook in that organisation; of the two that were asked about last, so that
        a change that is tried beside what is in force does not displace it."""
        for known, found in self._memories:
            if known is organisation and len(found) <= MOST_REMEMBERED:
                return found
        begun: dict[Any, Any] = {}
        others = [each for each in self._memories if each[0] is not organisation]
        self._memories = ((organisation, begun), *others[:1])
        return begun


_digests: dict[int, Digest] = {}
"""By the identity of the rulebook, which a digest holds, so that nobody else can have it."""
_MOST_DIGESTS = 1_000
"""More than an office publishes in decades: where an act looks at every version, none is digested twice."""


def digest(rulebook: Rulebook) -> Digest:
    """The rulebook's digest, made when it is first asked for."""
    found = _digests.get(id(rulebook))
    if found is None:
        if len(_digests) >= _MOST_DIGESTS:
            _digests.clear()
        found = _digests[id(rulebook)] = Digest(rulebook)
    return found


def _repeats(rulebook: Rulebook, event_type: str) -> Mapping[tuple[str, ...], Repeat]:
    """The repetitions that rules on the type look for, by their fields; of several the longest."""
    widest: dict[tuple[str, ...], Repeat] = {}
    for rule in rulebook.rules:
        if isinstance(rule, EventRule) and rule.on == event_type:
            for repeat in (factor.repeat for factor in rule.factors if factor.repeat is not None):
                known = widest.get(repeat.same)
                if known is None or known.within_days < repeat.within_days:
                    widest[repeat.same] = repeat
    return widest


def _derived(rulebook: Rulebook, event_type: str) -> tuple[tuple[str, DaysLate], ...]:
    fields = rulebook.event_types[event_type].fields
    return tuple((name, field.days_late) for name, field in fields.items() if field.days_late is not None)
