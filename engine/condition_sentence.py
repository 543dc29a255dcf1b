"""The sentence of a condition (条件语句): the same in words, fields and choices by their titles."""

from datetime import date
from decimal import Decimal
from typing import Literal

from engine.expression import And, Call, Comparison, Constant, Items, Name, Node, Not, Or, Scalar
from engine.language import Language, Message, message, render
from engine.term import Names, Term

_WORDS: dict[str, str] = {
    "==": "equal", "!=": "unequal", "<": "below", "<=": "at-most", ">": "above", ">=": "at-least", "in": "in",
    "not in": "not-in", "any": "any", "all": "all",
}  # fmt: skip
_DAYS = {**_WORDS, "<": "fewer", "<=": "no-more", ">": "more", ">=": "no-fewer"}
_DATES = {**_WORDS, "<": "before", "<=": "until", ">": "after", ">=": "since"}
_DATED = ("date", "datetime")


def say(node: Node, names: Names, language: Language, within: Literal["and", "or", "not"] | None = None) -> str:
    """The part in words; parentheses where the part it stands within would read it otherwise."""

    def word(key: str, **args: object) -> str:
        return render(message(f"condition.say.{key}", **args), language)

    match node:
        case And(parts):
            said = word("and").join(say(part, names, language, "and") for part in parts)
            return word("group", inner=said) if within == "not" else said
        case Or(parts):
            said = word("or").join(say(part, names, language, "or") for part in parts)
            return word("group", inner=said) if within in ("and", "not") else said
        case Not(Name(name)):
            return word("equal", left=names[name].title, right=message("condition.say.false"))
        case Not(Call(function="has", name=name)):
            return word("has-not", left=names[name.name].title)
        case Not(part):
            inner = say(part, names, language, "not")
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
