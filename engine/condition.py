"""A condition (条件): when a rule applies, checked against what its events may say, judged by Kleene.

A name that the facts do not answer is unknown, and a comparison with it is neither true nor
false: ``not unknown`` is unknown, ``false and unknown`` is false, ``true or unknown`` is true.
``has(name)`` is never unknown. A datetime compared with a date counts by its local date; facts
carry datetimes in the organisation's time zone.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal

import msgspec

from engine.event import Value
from engine.expression import (
    FUNCTIONS,
    KEYWORDS,
    And,
    Call,
    Comparison,
    ConditionError,
    Constant,
    Function,
    Items,
    Name,
    Node,
    Not,
    Operator,
    Or,
    Scalar,
    read,
    refuse,
)
from engine.field import EventType, FieldType
from engine.language import DEFAULT, Language, Message, message, render
from engine.matching import Facts

__all__ = ["CONTEXT", "RESERVED", "Condition", "ConditionError", "Evidence", "Names", "Term", "check_field_name",
           "names_of", "parse"]  # fmt: skip

Result = Literal["true", "false", "unknown"]
Family = Literal["number", "text", "boolean", "date"]

_FAMILY: dict[FieldType, Family] = {
    "text": "text", "choice": "text", "integer": "number", "decimal": "number", "boolean": "boolean",
    "date": "date", "datetime": "date",
}  # fmt: skip


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One name that a condition may use. ``conflict`` holds the types that its declarations disagree on."""

    name: str
    title: str | Message
    type: FieldType
    choices: Mapping[str, str | Message] = {}
    days: bool = False
    conflict: tuple[FieldType, ...] = ()


Names = Mapping[str, Term]
"""What a condition may name; made by :func:`names_of`."""

_KINDS: dict[str, str | Message] = {"unit": message("condition.kind.unit"), "person": message("condition.kind.person")}
_EVENT_TYPES: dict[str, FieldType] = {
    "subject": "text", "subject_kind": "choice", "subject_group": "text", "post": "text", "source": "text",
    "matter": "text", "year": "integer", "month": "integer",
}  # fmt: skip
_CHARGED_TYPES: dict[str, FieldType] = {
    "charged": "text", "charged_kind": "choice", "charged_group": "text", "charged_post": "text",
}  # fmt: skip


def _context(types: dict[str, FieldType]) -> dict[str, Term]:
    return {
        name: Term(
            name=name, title=message(f"condition.name.{name}"), type=type_, choices=_KINDS if type_ == "choice" else {}
        )
        for name, type_ in types.items()
    }


CONTEXT: Names = _context(_EVENT_TYPES)
"""The names that describe the event and its subject, whoever is charged."""
_CHARGED: Names = _context(_CHARGED_TYPES)

RESERVED = frozenset({*KEYWORDS, *FUNCTIONS, *CONTEXT, *_CHARGED})
"""Words that no field may be called by."""


def names_of(event_types: Sequence[EventType], *, factor: bool = False) -> Names:
    """What a condition on events of these types may name; in a factor also who is being charged."""
    names: dict[str, Term] = {}
    for event_type in event_types:
        for declared in event_type.fields.values():
            term = Term(
                name=declared.name,
                title=declared.title or declared.name,
                type=declared.type,
                choices={code: title or code for code, title in declared.choices.items()},
                days=declared.days_late is not None,
            )
            known = names.get(declared.name)
            names[declared.name] = term if known is None else _united(known, term)
    return {**names, **CONTEXT, **(_CHARGED if factor else {})}


def _united(one: Term, other: Term) -> Term:
    conflict = one.conflict
    if one.type != other.type and other.type not in conflict:
        conflict = (*(conflict or (one.type,)), other.type)
    return Term(
        name=one.name,
        title=one.title,
        type=one.type,
        choices={**other.choices, **one.choices},
        days=one.days and other.days,
        conflict=conflict,
    )


def check_field_name(name: str) -> Message | None:
    """What is wrong with a field's name: it is an identifier in NFC and no word of the language or the context."""
    if not name.isidentifier():
        return message("condition.field.identifier", name=name)
    if unicodedata.normalize("NFC", name) != name:
        return message("condition.field.nfc", name=name)
    if name in RESERVED:
        return message("condition.field.reserved", name=name)
    return None


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


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read and makes sense."""

    text: str
    tree: Node
    names: Names = field(compare=False, repr=False)

    def judge(self, facts: Facts) -> bool | None:
        """Whether it holds; None where that is unknown."""
        return judge(self.tree, facts)

    def explain(self, facts: Facts) -> Evidence:
        """How every comparison of it came out, also those that no longer mattered."""
        return _explain(self.tree, facts, self.names)

    def sentence(self, language: Language = DEFAULT) -> str:
        """The condition in words, fields and choices by their titles."""
        return _say(self.tree, self.names, language, within=None)


def parse(text: str, names: Names) -> Condition:
    """The condition of a text; raises :class:`ConditionError` with the column of what is wrong."""
    tree = read(text)
    _check(tree, names)
    return Condition(text, tree, {name: names[name] for name in sorted(_used(tree))})


def _used(node: Node) -> set[str]:
    match node:
        case And(parts) | Or(parts):
            return set().union(*map(_used, parts))
        case Not(part):
            return _used(part)
        case Call(name=name):
            return {name.name}
        case Comparison(left=left, right=right):
            return {operand.name for operand in (left, right) if isinstance(operand, Name)}
        case Name(name):
            return {name}
        case Constant():
            return set()


# --- types ---


def _check(node: Node, names: Names) -> None:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                _check(part, names)
        case Not(part):
            _check(part, names)
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
        if name.name in _CHARGED:
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


# --- judging ---


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
    left = _value(node.left, facts)
    if left is None:
        return None
    if isinstance(node.right, Items):
        among = any(_holds("==", left, item.value) for item in node.right.items)
        return among is (node.operator == "in")
    right = _value(node.right, facts)
    return None if right is None else _holds(node.operator, left, right)


def _value(operand: Name | Constant, facts: Facts) -> Value | None:
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


# --- evidence ---


def _result(held: bool | None) -> Result:
    return "unknown" if held is None else "true" if held else "false"


def _explain(node: Node, facts: Facts, names: Names) -> Evidence:
    result = _result(judge(node, facts))
    match node:
        case And(parts):
            return Evidence(kind="and", result=result, parts=tuple(_explain(part, facts, names) for part in parts))
        case Or(parts):
            return Evidence(kind="or", result=result, parts=tuple(_explain(part, facts, names) for part in parts))
        case Not(part):
            return Evidence(kind="not", result=result, parts=(_explain(part, facts, names),))
        case Constant(value):
            return Evidence(kind="comparison", result=result, operator="==", expected=True, actual=value)
        case Name(name):
            expected: Value | tuple[Scalar, ...] | None = True
            operator: Operator | Function = "=="
        case Call(function=operator, name=Name(name), items=items):
            expected = None if items is None else tuple(item.value for item in items.items)
        case Comparison(operator=operator, left=left, right=right):
            expected = tuple(item.value for item in right.items) if isinstance(right, Items) else _value(right, facts)
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


# --- sentences ---

_WORDS: dict[str, str] = {
    "==": "equal", "!=": "unequal", "<": "below", "<=": "at-most", ">": "above", ">=": "at-least", "in": "in",
    "not in": "not-in", "any": "any", "all": "all",
}  # fmt: skip
_DAYS = {**_WORDS, "<": "fewer", "<=": "no-more", ">": "more", ">=": "no-fewer"}
_DATES = {**_WORDS, "<": "before", "<=": "until", ">": "after", ">=": "since"}
_DATED = ("date", "datetime")


def _say(node: Node, names: Names, language: Language, within: Literal["and", "or", "not"] | None) -> str:
    """The part in words; parentheses where the part it stands within would read it otherwise."""

    def word(key: str, **args: object) -> str:
        return render(message(f"condition.say.{key}", **args), language)

    match node:
        case And(parts):
            said = word("and").join(_say(part, names, language, "and") for part in parts)
            return word("group", inner=said) if within == "not" else said
        case Or(parts):
            said = word("or").join(_say(part, names, language, "or") for part in parts)
            return word("group", inner=said) if within in ("and", "not") else said
        case Not(Name(name)):
            return word("equal", left=names[name].title, right=message("condition.say.false"))
        case Not(Call(function="has", name=name)):
            return word("has-not", left=names[name.name].title)
        case Not(part):
            inner = _say(part, names, language, "not")
            return word("not", inner=inner if isinstance(part, (And, Or)) else word("group", inner=inner))
        case Name(name):
            return word("equal", left=names[name].title, right=message("condition.say.true"))
        case Constant(value):
            return word("true" if value else "false")
        case Call(function="has", name=name):
            return word("has", left=names[name.name].title)
        case Call(function=function, name=name, items=items):
            assert items is not None
            return word(_WORDS[function], left=names[name.name].title, right=_list(items, names[name.name], language))
        case Comparison(operator=operator, left=left, right=right):
            term = names[left.name] if isinstance(left, Name) else None
            words = _WORDS if term is None else _DAYS if term.days else _DATES if term.type in _DATED else _WORDS
            shown = _list(right, term, language) if isinstance(right, Items) else _operand(right, term, names)
            return word(words[operator], left=_operand(left, None, names), right=shown)


def _operand(operand: Name | Constant, beside: Term | None, names: Names) -> str | Message:
    return names[operand.name].title if isinstance(operand, Name) else _shown(operand.value, beside)


def _shown(value: Scalar, beside: Term | None) -> str | Message:
    """A constant as it reads beside a name: a choice by its title, days with their unit."""
    if isinstance(value, bool):
        return message(f"condition.say.{'true' if value else 'false'}")
    if isinstance(value, str):
        if beside is not None and value in beside.choices:
            return beside.choices[value]
        return message("condition.say.text", text=value)
    if isinstance(value, date):
        return value.isoformat()
    number = format(value, "f") if isinstance(value, Decimal) else str(value)
    return message("condition.say.days", number=number) if beside is not None and beside.days else number


def _list(items: Items, beside: Term | None, language: Language) -> str:
    shown = [message("condition.say.item", item=_shown(item.value, beside)) for item in items.items]
    between = render(message("condition.say.between"), language)
    return render(message("condition.say.list", items=between.join(render(one, language) for one in shown)), language)
