"""Direct matching (直接匹配): the conditions of a rulebook as Python closures, found by event type.

A rule that can only hold where some field has one of certain words (``level == "city"``) is kept
under those words and looked at only when the event says one of them, so that a match costs
about the same among many rules as among few. Those under one word are kept by another field in turn.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from engine.condition import Condition
from engine.expression import And, Call, Comparison, Constant, Items, Name, Node, Not, Operator, Or
from engine.matching import Facts
from engine.rulebook import EventRule, JointRule, Rulebook, VetoRule

Test = Callable[[Facts], bool | None]
"""A compiled condition: True, False, or None for unknown."""
Truth = Callable[[Facts], object]
"""A compiled condition of which only whether it is true matters: truthy, or not."""
Candidate = tuple[str, Truth]
"""A rule's code and its test."""
FEW = 4
"""Fewer rules are tested one by one: that is faster than to look them up."""


def _serving(rulebook: Rulebook) -> dict[str, list[tuple[str, Condition | None]]]:
    """Event type → the enabled rules that serve it, each with its condition, in the rulebook's order."""
    direct = {rule.code: rule.on for rule in rulebook.rules if isinstance(rule, EventRule) and rule.enabled}
    served: dict[str, list[tuple[str, Condition | None]]] = {}
    for rule in rulebook.rules:
        if not rule.enabled:
            continue
        if isinstance(rule, (EventRule, VetoRule)):
            served.setdefault(rule.on, []).append((rule.code, rule.when))
        elif isinstance(rule, JointRule):
            carried = direct if rule.of is None else rule.of
            for event_type in dict.fromkeys(direct[code] for code in carried if code in direct):
                served.setdefault(event_type, []).append((rule.code, rule.when))
    return served


class DirectMatcher:
    """Evaluates the conditions in plain Python. Holds nothing outside of itself."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._types = {
            event_type: _Index([(code, None if when is None else when.tree) for code, when in rules])
            for event_type, rules in _serving(rulebook).items()
        }

    def match(self, event_type: str, facts: Facts) -> frozenset[str]:
        """The codes of the rules that hold; see :class:`engine.matching.Matcher`."""
        index = self._types.get(event_type)
        if index is None:
            return frozenset()
        held: list[str] = []
        index.collect(facts, held)
        return frozenset(held)

    def close(self) -> None:
        """Nothing is held."""


class _Index:
    """Rules looked at together: those that hold as soon as one looks, those to be tested, those under a field's words.

    What lies under a word is such an index again. ``known`` are the fields that led here.
    """

    def __init__(self, rules: Sequence[tuple[str, Node | None]], known: frozenset[str] = frozenset()) -> None:
        self._sure = [code for code, tree in rules if tree is None]
        self._candidates: list[Candidate] = []
        under: dict[str, dict[str, list[tuple[str, Node | None]]]] = {}
        open_ = {code: tree for code, tree in rules if tree is not None}
        required = {code: _without(_required(tree), known) for code, tree in open_.items()}
        crowds = Counter((name, word) for words in required.values() for name in words for word in words[name])
        common = Counter(name for words in required.values() for name in words)
        for code, tree in open_.items():
            words = required[code]
            if not words or len(open_) < FEW:
                self._candidates.append((code, holding(tree)))
                continue
            name = min(words, key=lambda name: (max(crowds[name, word] for word in words[name]), -common[name], name))
            for word in words[name]:
                under.setdefault(name, {}).setdefault(word, []).append((code, _rest(tree, name)))
        self._under = [
            (name, {word: _Index(below, known | {name}) for word, below in words.items()})
            for name, words in under.items()
        ]

    def collect(self, facts: Facts, held: list[str]) -> None:
        """Add the codes of the rules that hold."""
        held += self._sure
        for code, test in self._candidates:
            if test(facts):
                held.append(code)
        for name, words in self._under:
            word: Any = facts.get(name)
            below = words.get(word)
            if below is not None:
                below.collect(facts, held)


def _without(words: Mapping[str, frozenset[str]], known: frozenset[str]) -> dict[str, frozenset[str]]:
    return {name: texts for name, texts in words.items() if texts and name not in known}


def _required(node: Node) -> dict[str, frozenset[str]]:
    """Field → words, one of which it must have for the condition to hold; a field not here is free."""
    match node:
        case Comparison(operator="==", left=Name(name), right=Constant(str(word))):
            return {name: frozenset({word})}
        case Comparison(operator="in", left=Name(name), right=Items(items)):
            words = [item.value for item in items]
            texts = frozenset(word for word in words if isinstance(word, str))
            return {name: texts} if words and len(texts) == len(set(words)) else {}
        case And(parts):
            both: dict[str, frozenset[str]] = {}
            for part in map(_required, parts):
                for name, texts in part.items():
                    both[name] = both[name] & texts if name in both else texts
            return both
        case Or(parts):
            branches = [_required(part) for part in parts]
            shared = set(branches[0]).intersection(*branches[1:])
            return {name: frozenset().union(*(branch[name] for branch in branches)) for name in shared}
        case _:
            return {}


def _rest(node: Node, name: str) -> Node | None:
    """What is left to test once the field is known to have one of the words required of it."""
    match node:
        case Comparison(operator="==" | "in", left=Name(left)) if left == name and name in _required(node):
            return None
        case And(parts):
            rests = tuple(rest for part in parts if (rest := _rest(part, name)) is not None)
            return And(rests) if len(rests) > 1 else rests[0] if rests else None
        case _:
            return node


# --- closures ---


def holding(node: Node) -> Truth:
    """The tree as a closure that says whether it is true; false and unknown are one, which saves work."""
    match node:
        case And(parts):
            return _both([holding(part) for part in parts])
        case Or(parts):
            return _either([holding(part) for part in parts])
        case _:
            return compiled(node)


def _both(tests: Sequence[Truth]) -> Truth:
    if len(tests) > 2:
        return lambda facts: all(test(facts) for test in tests)
    one, other = tests
    return lambda facts: one(facts) and other(facts)


def _either(tests: Sequence[Truth]) -> Truth:
    if len(tests) > 2:
        return lambda facts: any(test(facts) for test in tests)
    one, other = tests
    return lambda facts: one(facts) or other(facts)


def compiled(node: Node) -> Test:
    """The tree as a closure that says whether it is true, false or unknown."""
    match node:
        case And(parts):
            return _every([compiled(part) for part in parts])
        case Or(parts):
            return _some([compiled(part) for part in parts])
        case Not(part):
            return _opposite(compiled(part))
        case Name(name):
            return _truth(name)
        case Constant(value):
            return _always(value is True)
        case Call(function="has", name=Name(name)):
            return lambda facts: name in facts
        case Call(function=function, name=Name(name), items=items):
            listed = frozenset(item.value for item in items.items) if items is not None else frozenset()
            return _sharing(name, listed) if function == "any" else _including(name, listed)
        case Comparison(operator=operator, left=left, right=right):
            if isinstance(right, Items):
                return _among(left, [item.value for item in right.items], operator == "in")
            return _pair(operator, left, right)


def _every(tests: Iterable[Test]) -> Test:
    tests = tuple(tests)

    def every(facts: Facts) -> bool | None:
        held: bool | None = True
        for test in tests:
            result = test(facts)
            if result is False:
                return False
            if result is None:
                held = None
        return held

    return every


def _some(tests: Iterable[Test]) -> Test:
    tests = tuple(tests)

    def some(facts: Facts) -> bool | None:
        held: bool | None = False
        for test in tests:
            result = test(facts)
            if result:
                return True
            if result is None:
                held = None
        return held

    return some


def _opposite(test: Test) -> Test:
    def opposite(facts: Facts) -> bool | None:
        result = test(facts)
        return None if result is None else not result

    return opposite


def _always(held: bool) -> Test:
    return lambda _facts: held


def _truth(name: str) -> Test:
    def truth(facts: Facts) -> bool | None:
        value: Any = facts.get(name)
        return value  # type: ignore[no-any-return]

    return truth


def _sharing(name: str, listed: frozenset[Any]) -> Test:
    def sharing(facts: Facts) -> bool | None:
        held: Any = facts.get(name)
        return None if held is None else not listed.isdisjoint(held)

    return sharing


def _including(name: str, listed: frozenset[Any]) -> Test:
    def including(facts: Facts) -> bool | None:
        held: Any = facts.get(name)
        return None if held is None else listed.issubset(held)

    return including


def _day(value: Any) -> Any:
    """A datetime's local date; anything else as it is."""
    return value.date() if isinstance(value, datetime) else value


def _among(operand: Name | Constant, listed: Sequence[Any], expected: bool) -> Test:
    words = frozenset(listed)
    if isinstance(operand, Constant):
        return _always((operand.value in words) is expected)
    name = operand.name

    def among(facts: Facts) -> bool | None:
        value = facts.get(name)
        return None if value is None else (_day(value) in words) is expected

    return among


_OPERATIONS: dict[Operator, Callable[[Any, Any], Any]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip


def _pair(operator: Operator, left: Name | Constant, right: Name | Constant) -> Test:
    operation = _OPERATIONS[operator]
    if isinstance(left, Constant):
        assert isinstance(right, Constant)
        return _always(bool(operation(left.value, right.value)))
    name = left.name
    if isinstance(right, Name):
        return _fields(operation, name, right.name)
    fixed = right.value
    if isinstance(fixed, str):
        return _word(fixed, name, operator == "==")
    if isinstance(fixed, date):
        return _on_day(operation, name, fixed)

    def against(facts: Facts) -> bool | None:
        value = facts.get(name)
        return None if value is None else operation(value, fixed)

    return against


def _on_day(operation: Callable[[Any, Any], Any], name: str, fixed: date) -> Test:
    def on_day(facts: Facts) -> bool | None:
        value = facts.get(name)
        return None if value is None else operation(_day(value), fixed)

    return on_day


def _word(fixed: str, name: str, expected: bool) -> Test:
    def word(facts: Facts) -> bool | None:
        value = facts.get(name)
        return None if value is None else (value == fixed) is expected

    return word


def _since_epoch(moment: datetime) -> int:
    """Microseconds, exact and without the overflow that UTC has on the first and last day of the calendar."""
    offset = moment.utcoffset()
    assert offset is not None
    seconds = moment.toordinal() * 86_400 + moment.hour * 3_600 + moment.minute * 60 + moment.second
    return seconds * 1_000_000 + moment.microsecond - offset // timedelta(microseconds=1)


def _fields(operation: Callable[[Any, Any], Any], one: str, other: str) -> Test:
    def fields(facts: Facts) -> bool | None:
        left = facts.get(one)
        right = facts.get(other)
        if left is None or right is None:
            return None
        if isinstance(left, datetime):
            # Python compares two times of one zone by the clock, which autumn shows twice.
            if isinstance(right, datetime):
                return operation(_since_epoch(left), _since_epoch(right))  # type: ignore[no-any-return]
            left = left.date()
        elif isinstance(right, datetime):
            right = right.date()
        return operation(left, right)  # type: ignore[no-any-return]

    return fields
