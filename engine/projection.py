"""The normal form of conditions and the projection of facts, for the Rete behind ``engine/durable.py``.

A condition becomes at most 64 conjunctions (或 of 且) of marks, any of which makes the rule hold.
A mark compares one slot with one small integer. Negation is pushed down to the marks, so that a
mark holds only where its comparison is known: an unknown slot is absent, and no mark on an
absent slot holds. That is Kleene's "true", exactly.

Facts become slots of small integers, whatever they hold. A text is the number of the word among
the words that the conditions mention, 0 for any other. A number or a date is its rank among those
mentioned: odd where it equals one of them, even between two. Neither length, size nor precision
travels, and comparisons stay exact. What is no comparison of one field with one constant (field
with field, lists) is judged here and travels as its outcome.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Literal

from engine.condition import Condition
from engine.expression import And, Call, Comparison, Constant, Name, Node, Not, Operator, Or
from engine.judging import judge
from engine.language import Message, message
from engine.matching import Facts

MOST_CONJUNCTIONS = 64
"""Alternatives that one condition may have."""
MOST_LEAVES = 60
"""Comparisons that one shard may hold, the gates of its conjunctions and its warm-up among them."""
MOST_MARKS = MOST_LEAVES - 2
"""Marks that one conjunction may have, so that it fits into a shard."""

Kind = Literal["given", "truth", "word", "rank", "judged"]


@dataclass(frozen=True, slots=True)
class Slot:
    """What an integer of the projection says: about a field, or about a part of a condition that was judged."""

    kind: Kind
    name: str = ""
    judged: Comparison | Call | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A slot compared with a constant."""

    slot: Slot
    operator: Operator
    constant: Any


Conjunction = frozenset[Mark]


class TooManyError(Exception):
    """A condition that has no normal form within the bounds; says what the office can do."""

    def __init__(self, said: Message) -> None:
        super().__init__(said.key)
        self.said = said


def check_durable(condition: Condition) -> Message | None:
    """What keeps the condition from being matched by the Rete; None if nothing does."""
    try:
        normal_form(condition.tree)
    except TooManyError as error:
        return error.said
    return None


def normal_form(tree: Node) -> list[Conjunction]:
    """The conjunctions of which one must hold; none: it never holds. Raises :class:`TooManyError`."""
    conjunctions = list(_normal(tree, True))
    if any(len(conjunction) > MOST_MARKS for conjunction in conjunctions):
        raise TooManyError(message("condition.together", most=MOST_MARKS))
    return conjunctions


_ALWAYS: tuple[Conjunction, ...] = (frozenset(),)
_NEVER: tuple[Conjunction, ...] = ()


def _normal(node: Node, wanted: bool) -> tuple[Conjunction, ...]:
    """The conjunctions under which the node is true, or with ``wanted`` false, false."""
    match node:
        case Not(part):
            return _normal(part, not wanted)
        case And(parts) | Or(parts):
            branches = [_normal(part, wanted) for part in parts]
            if isinstance(node, And) is wanted:
                return _product(branches)
            return _least(conjunction for branch in branches for conjunction in branch)
        case Constant(value):
            return _ALWAYS if (value is True) is wanted else _NEVER
        case Comparison(left=Constant()):
            return _ALWAYS if judge(node, {}) is wanted else _NEVER
        case Name() | Call() | Comparison():
            return (frozenset({_mark(node, wanted)}),)


def _product(branches: Iterable[tuple[Conjunction, ...]]) -> tuple[Conjunction, ...]:
    product = _ALWAYS
    for branch in branches:
        product = _least(one | other for one in product for other in branch)
    return product


def _least(conjunctions: Iterable[Conjunction]) -> tuple[Conjunction, ...]:
    """Each once, without those that another implies."""
    kept: list[Conjunction] = []
    for conjunction in sorted(dict.fromkeys(conjunctions), key=len):
        if not any(other <= conjunction for other in kept):
            kept.append(conjunction)
            if len(kept) > MOST_CONJUNCTIONS:
                raise TooManyError(message("condition.alternatives", most=MOST_CONJUNCTIONS))
    return tuple(kept)


_OPPOSITE: dict[Operator, Operator] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _mark(node: Name | Call | Comparison, wanted: bool) -> Mark:
    match node:
        case Name(name):
            return Mark(Slot("truth", name), "==", int(wanted))
        case Call(function="has", name=Name(name)):
            return Mark(Slot("given", name), "==", int(wanted))
        case Comparison(operator=operator, left=Name(name), right=Constant(value)):
            if isinstance(value, bool):
                return Mark(Slot("truth", name), "==", int((value is (operator == "==")) is wanted))
            kind: Kind = "word" if isinstance(value, str) else "rank"
            return Mark(Slot(kind, name), operator if wanted else _OPPOSITE[operator], value)
        case Comparison(operator="not in", left=left, right=right):
            return Mark(Slot("judged", judged=Comparison("in", left, right)), "==", int(not wanted))
        case _:
            return Mark(Slot("judged", judged=node), "==", int(wanted))


# --- the projection ---

Encoder = Callable[[Facts], int | None]
"""Facts → the slot's integer; None: unknown, the slot is absent."""


class Projection:
    """The slots of one event type's conditions: their short names, and the integers of an event's facts."""

    def __init__(self, conjunctions: Iterable[Conjunction]) -> None:
        mentioned: dict[Slot, set[Any]] = {}
        for mark in sorted({mark for conjunction in conjunctions for mark in conjunction}, key=repr):
            mentioned.setdefault(mark.slot, set()).add(mark.constant)
        self.names = dict(zip(mentioned, short_names(), strict=False))
        self._ranks = {
            slot: sorted(constants) for slot, constants in mentioned.items() if slot.kind in ("word", "rank")
        }
        self._encoders = {self.names[slot]: self._encoder(slot) for slot in mentioned}

    def constant(self, mark: Mark) -> int:
        """The integer that the mark compares its slot with."""
        ranks = self._ranks.get(mark.slot)
        if ranks is None:
            return int(mark.constant)
        place = bisect_left(ranks, mark.constant)
        return place + 1 if mark.slot.kind == "word" else 2 * place + 1

    def slots(self, facts: Facts) -> dict[str, int]:
        """Short name → integer, for every slot that the facts answer."""
        known: dict[str, int] = {}
        for name, encode in self._encoders.items():
            number = encode(facts)
            if number is not None:
                known[name] = number
        return known

    def _encoder(self, slot: Slot) -> Encoder:
        if slot.judged is not None:
            return _outcome(slot.judged)
        if slot.kind == "given":
            return _given(slot.name)
        if slot.kind == "truth":
            return _truth(slot.name)
        if slot.kind == "word":
            return _word(slot.name, {word: place + 1 for place, word in enumerate(self._ranks[slot])})
        return _rank(slot.name, self._ranks[slot])


def _outcome(node: Comparison | Call) -> Encoder:
    def outcome(facts: Facts) -> int | None:
        held = judge(node, facts)
        return None if held is None else int(held)

    return outcome


def _given(name: str) -> Encoder:
    return lambda facts: int(name in facts)


def _truth(name: str) -> Encoder:
    def truth(facts: Facts) -> int | None:
        value = facts.get(name)
        return None if value is None else int(value is True)

    return truth


def _word(name: str, words: dict[str, int]) -> Encoder:
    def word(facts: Facts) -> int | None:
        value: Any = facts.get(name)
        return None if value is None else words.get(value, 0)

    return word


def _rank(name: str, ranks: list[Any]) -> Encoder:
    def rank(facts: Facts) -> int | None:
        value: Any = facts.get(name)
        if value is None:
            return None
        if isinstance(value, datetime):
            value = value.date()
        place = bisect_left(ranks, value)
        return 2 * place + (place < len(ranks) and ranks[place] == value)

    return rank


def short_names() -> Iterator[str]:
    """Names for slots. The Rete tells names apart by a 32-bit hash alone, so no two share one."""
    taken = {fnv1a(name) for name in ("id", "sid", "m", "_g", "_w", "$s")}
    for number in count():
        name = f"s{number}"
        if (hashed := fnv1a(name)) not in taken:
            taken.add(hashed)
            yield name


def fnv1a(text: str) -> int:
    """The 32-bit FNV-1a hash of a text."""
    hashed = 0x811C9DC5
    for byte in text.encode():
        hashed = (hashed ^ byte) * 0x01000193 & 0xFFFFFFFF
    return hashed
