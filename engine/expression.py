"""The language of conditions (条件): from a text to a small frozen tree, every error located.

A subset of Python's expression syntax, read by a parser of its own: numbers come from their text
and never pass a float, names are compared in NFC, columns count characters from 1. At most
2,000 characters and 50 levels. A chained comparison becomes the conjunction of its pairs, and a
constant that stands before a name changes places with it, so that a comparison reads
name, operator, value wherever it can.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, NoReturn

from engine.finding import Finding, Refused
from engine.language import Message, message

LONGEST = 2_000
"""Characters that a condition may have."""
DEEPEST = 50
"""Levels of parentheses and ``not`` that may be nested."""

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
Function = Literal["has", "any", "all"]
Scalar = str | int | Decimal | bool | date

KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "True", "False", "None"})
FUNCTIONS = frozenset({"has", "any", "all", "date"})


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, a truth value or a date."""

    value: Scalar
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that the facts may answer."""

    name: str
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of constants; it may be empty."""

    items: tuple[Constant, ...]
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Call:
    """``has(name)``, or ``any(name, [..])`` and ``all(name, [..])`` with their items."""

    function: Function
    name: Name
    items: Items | None = None
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of two operands. A list stands only to the right of ``in`` and ``not in``."""

    operator: Operator
    left: Name | Constant
    right: Name | Constant | Items
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of unknown, unknown."""

    part: "Node"
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts hold."""

    parts: "tuple[Node, ...]"
    column: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts holds."""

    parts: "tuple[Node, ...]"
    column: int = field(compare=False, default=0)


Node = Name | Constant | Call | Comparison | Not | And | Or


class ConditionError(Refused):
    """A condition that cannot be read or makes no sense; its one finding carries the column."""


def refuse(said: Message, column: int) -> NoReturn:
    """Raise the error that points at the column."""
    raise ConditionError(Finding(message=said, column=column))


def read(text: str) -> Node:
    """The tree of a condition's text; raises :class:`ConditionError`."""
    if len(text) > LONGEST:
        refuse(message("condition.long", most=LONGEST, length=len(text)), LONGEST + 1)
    return _Parser(_tokens(text)).whole()


# --- tokens ---

Kind = Literal["name", "word", "number", "text", "sign", "end"]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Kind
    text: str
    column: int


_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SIGN = re.compile(r"==|!=|<=|>=|<|>|\(|\)|\[|\]|,|-")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPACES = " \t\r\n"
_INSTEAD = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys("“”„‟「」『』«»″", '"'),
    **dict.fromkeys("‘’‚‛′", "'"),
    "，": ",", "、": ",", "。": ".", "【": "[", "】": "]", "〔": "[", "〕": "]", "《": "<", "》": ">",
    "≥": ">=", "≤": "<=", "≠": "!=", "≧": ">=", "≦": "<=", "−": "-", "–": "-", "—": "-", "\u3000": " ", "\xa0": " ",
}  # fmt: skip
_MISUSED = {
    "<>": "!=", "=>": ">=", "=<": "<=", "&&": "and", "||": "or", "=": "==", "&": "and", "|": "or", "!": "not",
}  # fmt: skip


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character in _SPACES:
            at += 1
        elif character.isidentifier():
            end = at + 1
            while end < len(text) and ("_" + text[end]).isidentifier():
                end += 1
            name = unicodedata.normalize("NFC", text[at:end])
            tokens.append(_Token("word" if name in KEYWORDS else "name", name, at + 1))
            at = end
        elif number := _NUMBER.match(text, at):
            at = _end_of_number(text, number.end())
            tokens.append(_Token("number", number[0], number.start() + 1))
        elif character in "'\"":
            content, end = _quoted(text, at)
            tokens.append(_Token("text", content, at + 1))
            at = end
        elif (sign := _SIGN.match(text, at)) and text[at : at + 2] != "<>":
            tokens.append(_Token("sign", sign[0], at + 1))
            at = sign.end()
        else:
            _refuse_character(text, at)
    tokens.append(_Token("end", "", len(text) + 1))
    return tokens


def _refuse_character(text: str, at: int) -> NoReturn:
    if right := _INSTEAD.get(text[at]):
        end = at + 1
        while right in "=<>!" and end < len(text) and _INSTEAD.get(text[end], text[end]) in ("=", "<", ">"):
            right += _INSTEAD.get(text[end], text[end])
            end += 1
        refuse(message("condition.full-width", wrong=text[at:end], right=_MISUSED.get(right, right)), at + 1)
    for wrong in (text[at : at + 2], text[at]):
        if right := _MISUSED.get(wrong):
            refuse(message("condition.full-width", wrong=wrong, right=right), at + 1)
    if text[at] in "+*/%":
        refuse(message("condition.arithmetic"), at + 1)
    shown = text[at] if text[at].isprintable() else f"U+{ord(text[at]):04X}"
    refuse(message("condition.character", wrong=shown), at + 1)


def _end_of_number(text: str, end: int) -> int:
    """The end again, if nothing is glued to the number: no exponent, unit, second point or other digits."""
    if end < len(text):
        if text[end] in _INSTEAD and not text[end].isspace() and _INSTEAD[text[end]] in ".0123456789":
            _refuse_character(text, end)
        if text[end] == "." or ("_" + text[end]).isidentifier():
            refuse(message("condition.number", wrong=text[end]), end + 1)
    return end


def _quoted(text: str, start: int) -> tuple[str, int]:
    quote = text[start]
    content: list[str] = []
    at = start + 1
    while at < len(text) and text[at] not in "\r\n":
        character = text[at]
        if character == quote:
            return "".join(content), at + 1
        if character == "\\":
            if text[at + 1 : at + 2] not in ("\\", "'", '"'):
                refuse(message("condition.escape"), at + 1)
            at += 1
        content.append(text[at])
        at += 1
    for place in range(start + 1, at):
        if _INSTEAD.get(text[place]) == quote:
            refuse(message("condition.full-width", wrong=text[place], right=quote), place + 1)
    refuse(message("condition.unclosed", expected=quote), start + 1)


# --- the parser ---

_COMPARING: dict[str, Operator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TURNED: dict[Operator, Operator] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class _Parser:
    """Recursive descent: or, and, not, comparison, operand."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _is(self, text: str) -> bool:
        return self._next().kind in ("sign", "word") and self._next().text == text

    def _expect(self, sign: str) -> _Token:
        if not self._is(sign):
            refuse(message("condition.expected", expected=sign, found=self._found()), self._next().column)
        return self._take()

    def _found(self) -> Message | str:
        token = self._next()
        return message("condition.end") if token.kind == "end" else token.text

    def whole(self) -> Node:
        if self._next().kind == "end":
            refuse(message("condition.empty"), 1)
        tree = self._statement(self._any_of())
        if self._next().kind != "end":
            if self._is("-"):
                refuse(message("condition.arithmetic"), self._next().column)
            refuse(message("condition.rest", found=self._found()), self._next().column)
        return tree

    def _statement(self, operand: Node | Items) -> Node:
        if isinstance(operand, Items):
            refuse(message("condition.list-alone"), operand.column)
        return operand

    def _any_of(self) -> Node | Items:
        return self._joined("or", self._all_of, Or)

    def _all_of(self) -> Node | Items:
        return self._joined("and", self._opposite, And)

    def _joined(
        self, word: str, part: Callable[[], "Node | Items"], made: Callable[["tuple[Node, ...]", int], Node]
    ) -> Node | Items:
        column = self._next().column
        first = part()
        if not self._is(word):
            return first
        parts = [self._statement(first)]
        while self._is(word):
            self._take()
            parts.append(self._statement(part()))
        return made(tuple(parts), column)

    def _opposite(self) -> Node | Items:
        if not self._is("not"):
            return self._comparison()
        column = self._take().column
        self._enter(column)
        part = self._statement(self._opposite())
        self._depth -= 1
        return Not(part, column)

    def _enter(self, column: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            refuse(message("condition.deep", most=DEEPEST), column)

    def _comparison(self) -> Node | Items:
        left = self._operand()
        pairs: list[Node] = []
        column = self._next().column
        while operator := self._operator():
            if operator[0] in ("in", "not in") and not self._is("["):
                refuse(message("condition.list-expected"), self._next().column)
            right = self._operand()
            pairs.append(_compare(operator[0], left, right, operator[1]))
            left = right
        if not pairs:
            return left
        return pairs[0] if len(pairs) == 1 else And(tuple(pairs), column)

    def _operator(self) -> tuple[Operator, int] | None:
        token = self._next()
        if token.kind == "sign" and token.text in _COMPARING:
            self._take()
            return _COMPARING[token.text], token.column
        if self._is("in"):
            self._take()
            return "in", token.column
        if self._is("not"):
            self._take()
            self._expect("in")
            return "not in", token.column
        return None

    def _operand(self) -> Node | Items:
        token = self._next()
        if token.kind == "name":
            return self._named()
        if self._is("("):
            self._enter(self._take().column)
            inner = self._any_of()
            self._expect(")")
            self._depth -= 1
            return inner
        if self._is("["):
            return self._items()
        return self._constant()

    def _named(self) -> Node:
        token = self._take()
        if token.text == "date":
            self._at -= 1
            return self._constant()
        if not self._is("("):
            if token.text in FUNCTIONS:
                self._expect("(")
            return Name(token.text, token.column)
        functions: dict[str, Function] = {"has": "has", "any": "any", "all": "all"}
        if token.text not in functions:
            refuse(message("condition.function", name=token.text), token.column)
        function = functions[token.text]
        self._take()
        if self._next().kind != "name" or self._next().text in FUNCTIONS:
            refuse(message("condition.name-expected", found=self._found()), self._next().column)
        named = self._take()
        items = None
        if function != "has":
            self._expect(",")
            if not self._is("["):
                self._expect("[")
            items = self._items()
        self._expect(")")
        return Call(function, Name(named.text, named.column), items, token.column)

    def _items(self) -> Items:
        column = self._expect("[").column
        items: list[Constant] = []
        while not self._is("]"):
            if items:
                self._expect(",")
                if self._is("]"):
                    break
            items.append(self._constant())
        self._expect("]")
        return Items(tuple(items), column)

    def _constant(self) -> Constant:
        token = self._take()
        if token.kind == "text":
            return Constant(token.text, token.column)
        if token.kind == "number":
            return Constant(_number(token.text), token.column)
        if token.kind == "sign" and token.text == "-" and self._next().kind == "number":
            return Constant(_number("-" + self._take().text), token.column)
        if token.kind == "word" and token.text in ("True", "False"):
            return Constant(token.text == "True", token.column)
        if token.kind == "name" and token.text == "date":
            return self._date(token.column)
        self._at -= 1
        if token.text == "-":
            refuse(message("condition.arithmetic"), token.column)
        refuse(message("condition.value-expected", found=self._found()), token.column)

    def _date(self, column: int) -> Constant:
        self._expect("(")
        token = self._next()
        if token.kind != "text" or not _DATE.fullmatch(token.text):
            refuse(message("condition.date", found=self._found()), token.column)
        self._take()
        try:
            day = date.fromisoformat(token.text)
        except ValueError:
            refuse(message("condition.date", found=token.text), token.column)
        self._expect(")")
        return Constant(day, column)


def _number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text else int(text)


def _compare(operator: Operator, left: Node | Items, right: Node | Items, column: int) -> Comparison:
    if isinstance(left, Items):
        refuse(message("condition.list-alone"), left.column)
    for operand in (left, right):
        if not isinstance(operand, (Name, Constant, Items)):
            refuse(message("condition.compound"), operand.column)
    assert isinstance(left, (Name, Constant))
    assert isinstance(right, (Name, Constant, Items))
    if operator in ("in", "not in"):
        return Comparison(operator, left, right, column)
    if isinstance(right, Items):
        refuse(message("condition.list-compared"), right.column)
    if isinstance(left, Constant) and isinstance(right, Name):
        return Comparison(_TURNED[operator], right, left, column)
    return Comparison(operator, left, right, column)
