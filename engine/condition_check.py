"""Checking a condition (条件检查): that what it compares can be compared, before anything is judged by it."""

from decimal import Decimal
from typing import Literal

from engine.expression import And, Call, Comparison, Constant, Items, Name, Node, Not, Or, Scalar, refuse
from engine.field import FieldType
from engine.language import Message, message
from engine.term import CHARGED, Names, Term

Family = Literal["number", "text", "boolean", "date"]

_FAMILY: dict[FieldType, Family] = {
    "text": "text", "choice": "text", "integer": "number", "decimal": "number", "boolean": "boolean",
    "date": "date", "datetime": "date",
}  # fmt: skip


def check(node: Node, names: Names) -> None:
    """Refuse what makes no sense: :class:`~engine.expression.ConditionError` with its column."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                check(part, names)
        case Not(part):
            check(part, names)
        case Name():
            term = _term(node, names)
            if term.type != "boolean":
                refuse(message("condition.not-boolean", name=node.name), node.column)
        case Constant(value):
            if not isinstance(value, bool):
                refuse(message("condition.value-alone"), node.column)
        case Call():
            _check_call(node, names)
        case Comparison():
            _check_comparison(node, names)


def _term(name: Name, names: Names) -> Term:
    term = names.get(name.name)
    if term is None:
        known = ", ".join(names)
        if name.name in CHARGED:
            refuse(message("condition.charged", name=name.name), name.column)
        if right := {"true": "True", "false": "False", "TRUE": "True", "FALSE": "False"}.get(name.name):
            refuse(message("condition.full-width", wrong=name.name, right=right), name.column)
        refuse(message("condition.unknown-name", name=name.name, known=known), name.column)
    if term.conflict:
        types = ", ".join(term.conflict)
        refuse(message("condition.conflict", name=name.name, types=types), name.column)
    return term


def _check_call(call: Call, names: Names) -> None:
    term = _term(call.name, names)
    if call.items is None:
        return
    if term.type != "choices":
        refuse(message("condition.not-choices", name=call.name.name, function=call.function), call.name.column)
    for item in call.items.items:
        if not isinstance(item.value, str):
            refuse(message("condition.types", left=_type(term), right=_constant_type(item)), item.column)
        _check_choice(item, term)


def _check_comparison(node: Comparison, names: Names) -> None:
    left = _family(node.left, names)
    ordering = node.operator in ("<", "<=", ">", ">=")
    if ordering and left == "text":
        refuse(message("condition.text-order"), node.column)
    if left == "boolean" and node.operator not in ("==", "!="):
        refuse(message("condition.boolean-order"), node.column)
    for operand in node.right.items if isinstance(node.right, Items) else (node.right,):
        right = _family(operand, names)
        if left != right:
            said = message("condition.types", left=_operand_type(node.left, names), right=_operand_type(operand, names))
            refuse(said, operand.column)
        if isinstance(node.left, Name) and isinstance(operand, Constant):
            term = _term(node.left, names)
            if term.type == "choice":
                _check_choice(operand, term)


def _check_choice(word: Constant, term: Term) -> None:
    if word.value not in term.choices:
        refuse(
            message("condition.choice", word=word.value, name=term.name, choices=", ".join(term.choices)), word.column
        )


def _family(operand: Name | Constant, names: Names) -> Family:
    if isinstance(operand, Constant):
        return _constant_family(operand.value)
    term = _term(operand, names)
    if term.type == "choices":
        refuse(message("condition.choices-compared", name=operand.name), operand.column)
    return _FAMILY[term.type]


def _constant_family(value: Scalar) -> Family:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, (int, Decimal)) else "date"


def _type(term: Term) -> Message:
    return message(f"condition.type.{term.type}")


def _constant_type(constant: Constant) -> Message:
    family = _constant_family(constant.value)
    return message(f"condition.type.{'decimal' if family == 'number' else family}")


def _operand_type(operand: Name | Constant, names: Names) -> Message:
    return _constant_type(operand) if isinstance(operand, Constant) else _type(_term(operand, names))
