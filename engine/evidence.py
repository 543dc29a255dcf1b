"""Evidence (证据): how a condition came out on some facts, comparison by comparison."""

from typing import Literal

import msgspec

from engine.event import Value
from engine.expression import And, Call, Comparison, Constant, Function, Items, Name, Node, Not, Operator, Or, Scalar
from engine.judging import judge, value_of
from engine.language import Message
from engine.matching import Facts
from engine.term import Names

Result = Literal["true", "false", "unknown"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """How a condition, or a part of it, came out.

    ``and``, ``or`` and ``not`` have ``parts``. A comparison has the field, its title, the operator
    (``has``, ``any``, ``all`` among them), what was expected and what was found; ``other`` is the
    field whose value was expected, where fields are compared. None: nothing was known.
    """

    kind: Literal["and", "or", "not", "comparison"]
    result: Result
    parts: "tuple[Evidence, ...]" = ()
    field: str = ""
    title: str | Message = ""
    operator: Operator | Function | None = None
    expected: Value | tuple[Scalar, ...] | None = None
    actual: Value | None = None
    other: str = ""


def _result(held: bool | None) -> Result:
    return "unknown" if held is None else "true" if held else "false"


def explain(node: Node, facts: Facts, names: Names) -> Evidence:
    """How every comparison of the tree came out, also those that no longer mattered."""
    result = _result(judge(node, facts))
    match node:
        case And(parts):
            return Evidence(kind="and", result=result, parts=tuple(explain(part, facts, names) for part in parts))
        case Or(parts):
            return Evidence(kind="or", result=result, parts=tuple(explain(part, facts, names) for part in parts))
        case Not(part):
            return Evidence(kind="not", result=result, parts=(explain(part, facts, names),))
        case Constant(value):
            return Evidence(kind="comparison", result=result, operator="==", expected=True, actual=value)
        case Name(name):
            expected: Value | tuple[Scalar, ...] | None = True
            operator: Operator | Function = "=="
        case Call(function=operator, name=Name(name), items=items):
            expected = None if items is None else tuple(item.value for item in items.items)
        case Comparison(operator=operator, left=left, right=right):
            expected = tuple(item.value for item in right.items) if isinstance(right, Items) else value_of(right, facts)
            if isinstance(left, Constant):
                return Evidence(
                    kind="comparison", result=result, operator=operator, expected=expected, actual=left.value
                )
            name = left.name
    return Evidence(
        kind="comparison",
        result=result,
        field=name,
        title=names[name].title,
        operator=operator,
        expected=expected,
        actual=facts.get(name),
        other=node.right.name if isinstance(node, Comparison) and isinstance(node.right, Name) else "",
    )
