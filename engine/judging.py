"""Judging (判断): whether a condition's tree holds for some facts, by Kleene.

A name that the facts do not answer is unknown, and a comparison with it is neither true nor
false: ``not unknown`` is unknown, ``false and unknown`` is false, ``true or unknown`` is true.
``has(name)`` is never unknown. A datetime compared with a date counts by its local date; facts
carry datetimes in the organisation's time zone.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from engine.event import Value
from engine.expression import And, Call, Comparison, Constant, Items, Name, Node, Not, Operator, Or
from engine.matching import Facts


def judge(node: Node, facts: Facts) -> bool | None:
    """Whether the tree holds for the facts; None where that is unknown."""
    match node:
        case And(parts):
            return _all(judge(part, facts) for part in parts)
        case Or(parts):
            return _opposite(_all(_opposite(judge(part, facts)) for part in parts))
        case Not(part):
            return _opposite(judge(part, facts))
        case Name(name):
            value = facts.get(name)
            return None if value is None else value is True
        case Constant(value):
            return value is True
        case Call(function="has", name=name):
            return name.name in facts
        case Call():
            return _call(node, facts)
        case Comparison():
            return _compared(node, facts)


def _all(results: Iterable[bool | None]) -> bool | None:
    held: bool | None = True
    for result in results:
        if result is False:
            return False
        if result is None:
            held = None
    return held


def _opposite(result: bool | None) -> bool | None:
    return None if result is None else not result


def _call(call: Call, facts: Facts) -> bool | None:
    held = facts.get(call.name.name)
    if held is None:
        return None
    assert isinstance(held, tuple)
    assert call.items is not None
    listed = [item.value in held for item in call.items.items]
    return any(listed) if call.function == "any" else all(listed)


def _compared(node: Comparison, facts: Facts) -> bool | None:
    left = value_of(node.left, facts)
    if left is None:
        return None
    if isinstance(node.right, Items):
        among = any(_holds("==", left, item.value) for item in node.right.items)
        return among is (node.operator == "in")
    right = value_of(node.right, facts)
    return None if right is None else _holds(node.operator, left, right)


def value_of(operand: Name | Constant, facts: Facts) -> Value | None:
    """What the operand stands for; None where that is unknown."""
    return operand.value if isinstance(operand, Constant) else facts.get(operand.name)


def _holds(operator: Operator, left: Any, right: Any) -> bool:
    if isinstance(left, datetime) and isinstance(right, datetime):
        left, right = _instant(left), _instant(right)
    elif isinstance(left, datetime):
        left = left.date()
    elif isinstance(right, datetime):
        right = right.date()
    return bool(_HOLDS[operator](left, right))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(moment: datetime) -> timedelta:
    """The instant since an epoch: Python compares two times of one zone by the clock, twice the same in autumn."""
    offset = moment.utcoffset()
    assert offset is not None
    return moment.replace(tzinfo=UTC) - _EPOCH - offset


_HOLDS: dict[Operator, Callable[[Any, Any], object]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip
