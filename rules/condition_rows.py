"""A condition as rows (条件行): field, operator, value, in groups of and, or and not; and as its text again.

Pure. Rows say the same syntax tree as the text they were made of. What is valid but no row (a value
that stands alone, a list of mixed values) is kept as written, in a row of its own. A text that
nobody touched stays as it was written, to the last space.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal

import msgspec

from engine.expression import (
    KEYWORDS,
    And,
    Call,
    Comparison,
    ConditionError,
    Constant,
    Items,
    Name,
    Node,
    Not,
    Or,
    Scalar,
    read,
)
from engine.finding import Finding
from engine.language import Message, message

Operator = Literal[
    "==", "!=", "<", "<=", ">", ">=", "in", "not in", "any", "all", "has", "has not", "true", "false"
]  # fmt: skip
Kind = Literal["text", "number", "boolean", "date", "field"]

LISTED = ("in", "not in", "any", "all")
ALONE = ("has", "has not", "true", "false")

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Row(msgspec.Struct, frozen=True, kw_only=True, tag="row"):
    """One comparison. ``kind`` is of what kind the values are; a ``field`` is another field's name.

    ``true`` and ``false`` are a boolean field by itself, and not.
    """

    name: str = ""
    operator: Operator = "=="
    kind: Kind = "text"
    values: tuple[str, ...] = ()


class Written(msgspec.Struct, frozen=True, kw_only=True, tag="written"):
    """A part that is no row, as it was written."""

    text: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True, tag="group"):
    """Parts of which all hold, or at least one; ``negated``: that they do not."""

    join: Literal["and", "or"] = "and"
    negated: bool = False
    parts: "tuple[Row | Group | Written, ...]" = ()


Part = Row | Group | Written


class ConditionRows(msgspec.Struct, frozen=True, kw_only=True):
    """A condition as rows, and the text that they were made of."""

    root: Group = Group()
    text: str = ""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Where a part stands in the text: columns from 1, the last one included, and its path (``/0/1``)."""

    first: int
    last: int
    path: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What rows say as text, where each part stands in it, and what is wrong with the rows themselves."""

    text: str
    spans: tuple[Span, ...] = ()
    findings: tuple[Finding, ...] = ()


def rows_of(text: str) -> ConditionRows:
    """The rows of a condition's text. What cannot be read is one part, as it was written."""
    if not text:
        return ConditionRows()
    as_written = ConditionRows(root=Group(parts=(Written(text=text),)), text=text)
    try:
        tree = read(text)
        part = _part(tree)
        root = part if isinstance(part, Group) else Group(parts=(part,))
        return ConditionRows(root=root, text=text) if read(say_rows(root).text) == tree else as_written
    except ConditionError:
        return as_written


def condition_of(rows: ConditionRows) -> str:
    """The condition's text: as it was written, where the rows still say the same."""
    said = say_rows(rows.root)
    if rows.text and said.text != rows.text and not said.findings:
        try:
            if read(said.text) == read(rows.text):
                return rows.text
        except ConditionError:
            pass
    return said.text


def say_rows(root: Group) -> Said:
    """The text of rows, and what is wrong with them; no parts: no condition."""
    writer = _Writer()
    if root.parts:
        writer.write(root, "", within=False)
    return Said(text="".join(writer.written), spans=tuple(writer.spans), findings=tuple(writer.findings))


# --- from the tree ---


def _part(node: Node) -> Part:
    match node:
        case And(parts):
            return Group(join="and", parts=tuple(map(_part, parts)))
        case Or(parts):
            return Group(join="or", parts=tuple(map(_part, parts)))
        case Not(Name(name)):
            return Row(name=name, operator="false")
        case Not(Call(function="has", name=Name(name))):
            return Row(name=name, operator="has not")
        case Not(part):
            inner = _part(part)
            if isinstance(inner, Group) and not inner.negated:
                return Group(join=inner.join, negated=True, parts=inner.parts)
            return Group(negated=True, parts=(inner,))
        case Name(name):
            return Row(name=name, operator="true")
        case Call(function="has", name=Name(name)):
            return Row(name=name, operator="has")
        case Call(function="any" | "all" as function, name=Name(name), items=Items(items)):
            return _listed(node, name, function, items)
        case Comparison(operator="in" | "not in" as operator, left=Name(name), right=Items(items)):
            return _listed(node, name, operator, items)
        case Comparison(operator=operator, left=Name(name), right=Constant(value)):
            return Row(name=name, operator=operator, kind=_kind(value), values=(_plain(value),))
        case Comparison(operator=operator, left=Name(name), right=Name(other)):
            return Row(name=name, operator=operator, kind="field", values=(other,))
    return Written(text=write_node(node))


def _listed(node: Node, name: str, operator: Operator, items: tuple[Constant, ...]) -> Part:
    kinds = {_kind(item.value) for item in items}
    if len(kinds) > 1:
        return Written(text=write_node(node))
    kind = kinds.pop() if kinds else "text"
    return Row(name=name, operator=operator, kind=kind, values=tuple(_plain(item.value) for item in items))


def _kind(value: Scalar) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    return "date" if isinstance(value, date) else "number"


def _plain(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else f"{value:f}" if not isinstance(value, int) else str(value)


# --- to text ---


def write_node(node: Node | Items) -> str:
    """Any part of a condition's tree as text that reads as the same tree."""
    match node:
        case And(parts) | Or(parts):
            word = " and " if isinstance(node, And) else " or "
            return word.join(_within(part) for part in parts)
        case Not(part):
            return f"not {_within(part)}"
        case Name(name):
            return name
        case Constant(value):
            return _literal(_kind(value), _plain(value))
        case Items(items):
            return f"[{', '.join(map(write_node, items))}]"
        case Call(function=function, name=Name(name), items=None):
            return f"{function}({name})"
        case Call(function=function, name=Name(name), items=Items() as items):
            return f"{function}({name}, {write_node(items)})"
        case Comparison(operator=operator, left=left, right=right):
            return f"{write_node(left)} {operator} {write_node(right)}"
    raise AssertionError(node)


def _within(node: Node) -> str:
    said = write_node(node)
    return f"({said})" if isinstance(node, (And, Or, Comparison)) else said


def _literal(kind: Kind, value: str) -> str:
    match kind:
        case "text":
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case "boolean":
            return "True" if value == "true" else "False"
        case "date":
            return f'date("{value}")'
    return value.strip()


class _Writer:
    """Writes parts one after the other, so that the place of each is known."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.spans: list[Span] = []
        self.findings: list[Finding] = []
        self._length = 0

    def write(self, part: Part, path: str, *, within: bool) -> None:
        """Write a part; ``within``: others stand beside it, or ``not`` before it."""
        first, enclosed = self._length + 1, 0
        match part:
            case Group():
                self._group(part, path, within=within)
            case Written(text=text):
                enclosed = self._as_written(text, path, within=within)
            case Row():
                self.findings += [Finding(path=path, message=said) for said in _wrong(part)]
                self._put(_row(part))
        first += enclosed
        self.spans.append(Span(first=first, last=max(first, self._length - enclosed), path=path))

    def _put(self, text: str) -> None:
        self.written.append(text)
        self._length += len(text)

    def _group(self, group: Group, path: str, *, within: bool) -> None:
        if not group.parts:
            self.findings.append(Finding(path=path, message=message("rows.empty_group")))
            return
        several = len(group.parts) > 1
        enclosed = group.negated or (within and several)
        self._put(f"{'not ' if group.negated else ''}{'(' if enclosed else ''}")
        for at, part in enumerate(group.parts):
            if at:
                self._put(f" {group.join} ")
            self.write(part, f"{path}/{at}", within=several or (within and not enclosed))
        self._put(")" if enclosed else "")

    def _as_written(self, text: str, path: str, *, within: bool) -> int:
        """What stands alone is whatever it is; what stands among others must be a condition by itself, and is
        enclosed. How many signs stand before it."""
        if not within and path.count("/") <= 1:
            self._put(text)
            return 0
        try:
            read(text)
        except ConditionError as error:
            said = error.findings[0]
            self.findings.append(Finding(path=path, message=message("rows.written", column=said.column,
                                                                    what=said.message)))  # fmt: skip
        self._put(f"({text})")
        return 1


def _row(row: Row) -> str:
    name, values = row.name.strip(), [_literal(row.kind, value) for value in row.values]
    match row.operator:
        case "true":
            return name
        case "false":
            return f"not {name}"
        case "has" | "has not":
            return f"{'not ' if row.operator == 'has not' else ''}has({name})"
        case "any" | "all":
            return f"{row.operator}({name}, [{', '.join(values)}])"
        case "in" | "not in":
            return f"{name} {row.operator} [{', '.join(values)}]"
    return f"{name} {row.operator} {values[0] if values else ''}"


def _wrong(row: Row) -> Iterator[Message]:
    """What keeps a row from being a comparison."""
    if not _name(row.name):
        yield message("rows.field")
    if row.operator in ALONE:
        return
    if row.operator not in LISTED and len(row.values) != 1:
        yield message("rows.value")
    for value in row.values:
        if (said := _unfit(row.kind, value)) is not None:
            yield said
            return


def _unfit(kind: Kind, value: str) -> Message | None:
    if kind == "text":
        return message("rows.line") if "\n" in value or "\r" in value else None
    if not value.strip():
        return message("rows.value")
    if kind == "number" and not _NUMBER.fullmatch(value.strip()):
        return message("rows.number", given=value)
    if kind == "field" and not _name(value):
        return message("rows.field")
    if kind == "boolean" and value not in ("true", "false"):
        return message("rows.value")
    if kind == "date":
        try:
            fits = _DATE.fullmatch(value) and date.fromisoformat(value)
        except ValueError:
            fits = None
        return None if fits else message("rows.date", given=value)
    return None


def _name(name: str) -> bool:
    return name.strip().isidentifier() and name.strip() not in KEYWORDS
