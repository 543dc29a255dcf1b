"""Reading forms (表单读取): what somebody filled in, as a document writes it, and what is wrong with single cells."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from engine import scalar
from engine.language import Message, message, render
from engine.scalar import Raw
from rules.fault import Fault
from rules.form import Column, Form, label_of, letters, names_of, plain, title_of
from rules.spreadsheet import FilledRow, FilledSheet
from rules.workbook import Cell

TIMEZONE = ZoneInfo("Asia/Shanghai")
"""That of times which a spreadsheet holds: they have none of their own."""
MOST_FAULTS = 500

_SEPARATORS = re.compile(r"[、,，;；\s]+")
_DAY = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?")
_YES = frozenset({"是", "yes", "true", "y", "1", "√"})
_NO = frozenset({"否", "no", "false", "n", "0", "×"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it was filled in: values as a document writes them, and where each stands."""

    form: Form
    sheet: str
    row: int
    values: Mapping[str, Raw]
    cells: Mapping[str, str]
    titles: Mapping[str, str]
    shown: Mapping[str, str]

    def fault(self, said: Message, key: str = "", *, odd: bool = False) -> Fault:
        """Something is wrong with the row, or with its cell in that column."""
        return Fault(
            said=said,
            sheet=self.sheet,
            row=self.row,
            cell=self.cells.get(key, ""),
            column=self.titles.get(key, ""),
            given=self.shown.get(key, ""),
            odd=odd,
        )

    def get(self, key: str) -> Raw:
        """What stands in the column; None where nothing does."""
        return self.values.get(key)


def read_form(form: Form, sheet: FilledSheet) -> tuple[list[Entry], list[Fault]]:
    """The rows as they were filled in, and what is wrong with single cells."""
    columns, faults = _columns(form, sheet)
    entries = []
    if not faults or not any(fault.said.key == "sheet.needed" for fault in faults):
        for row in sheet.rows:
            entry, wrong = _entry(form, sheet, columns, row)
            faults += wrong
            entries += [entry] if entry.values else []
            if len(faults) > MOST_FAULTS:
                break
    return entries, faults


def _columns(form: Form, sheet: FilledSheet) -> tuple[dict[int, Column], list[Fault]]:
    known = {name: column for column in form.columns for name in names_of(title_of(column), column.key)}
    columns: dict[int, Column] = {}
    faults = []
    for at, title in enumerate(sheet.columns):
        if not title:
            continue
        column = known.get(plain(title))
        said: Message | None = None
        if column is None:
            expected = message("sheet.columns_are", columns=_both([title_of(each) for each in form.columns]))
            said = message("sheet.unknown_column", title=title, expected=expected)
        elif column in columns.values():
            said = message("sheet.column_twice", title=title)
        else:
            columns[at] = column
        if said is not None:
            cell = f"{letters(at + 1)}1"
            faults.append(Fault(said=said, sheet=sheet.title, row=1, cell=cell, column=title, given=title))
    keys = {column.key for column in columns.values()}
    for column in form.columns:
        if column.key in form.needs and column.key not in keys and sheet.rows:
            said = message("sheet.needed", title=title_of(column))
            faults.append(Fault(said=said, sheet=sheet.title, row=1))
    return columns, faults


def _both(titles: Sequence[Message]) -> str:
    return "、".join(render(title, "zh-CN") for title in titles)


def _entry(form: Form, sheet: FilledSheet, columns: Mapping[int, Column], row: FilledRow) -> tuple[Entry, list[Fault]]:
    values: dict[str, Raw] = {}
    shown: dict[str, str] = {}
    wrong: list[tuple[Message, str]] = []
    for at, column in columns.items():
        given = row.cells[at] if at < len(row.cells) else None
        if given is None:
            continue
        shown[column.key] = _shown(given)
        try:
            values[column.key] = _raw(given, column)
        except _Unread as unread:
            values[column.key] = None
            wrong.append((unread.said, column.key))
    entry = Entry(
        form=form,
        sheet=sheet.title,
        row=row.number,
        values={key: raw for key, raw in values.items() if raw is not None} if not wrong else values,
        cells={column.key: f"{letters(at + 1)}{row.number}" for at, column in columns.items()},
        titles={column.key: sheet.columns[at] for at, column in columns.items()},
        shown=shown,
    )
    return entry, [entry.fault(said, key) for said, key in wrong]


class _Unread(Exception):
    def __init__(self, said: Message) -> None:
        super().__init__(said.key)
        self.said = said


def _raw(given: Cell, column: Column) -> Raw:
    match column.kind:
        case "boolean":
            return _truth(given)
        case "option":
            return _option(given, column)
        case "number":
            return _digits(given)
        case "day":
            return _written_day(given)
        case "instant":
            return _instant(given)
        case "text" | "key":
            return _text(given)
        case "verbatim":
            return given if isinstance(given, str) else _text(given)
    if isinstance(given, (date, datetime)):
        raise _Unread(message("sheet.date_in_text", given=_shown(given)))
    if isinstance(given, Decimal):
        raise _Unread(message("sheet.number_in_text", given=_shown(given)))
    text = _text(given)
    match column.kind:
        case "code":
            return text.strip() or None
        case "codes" | "words":
            return _items(text)
    return text or None


def _text(given: Cell) -> str:
    if isinstance(given, str):
        if given.startswith('"'):
            try:
                quoted = json.loads(given)
            except (ValueError, RecursionError):
                quoted = None
            if isinstance(quoted, str):
                return quoted
        return given.strip()
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, datetime):
        return given.replace(tzinfo=TIMEZONE).isoformat()
    if isinstance(given, date):
        return given.isoformat()
    return "" if given is None else f"{Decimal(given):f}"


def _items(text: str) -> list[Raw]:
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            return listed
    return [item for item in _SEPARATORS.split(text) if item]


def _truth(given: Cell) -> bool:
    if isinstance(given, bool):
        return given
    word = plain(str(given))
    if word in _YES or word in _NO:
        return word in _YES
    raise _Unread(message("sheet.boolean", given=_shown(given)))


def _option(given: Cell, column: Column) -> str:
    wanted = plain(_text(given))
    for option in column.options:
        if wanted in names_of(label_of(column, option), option):
            return option
    options = message("sheet.options", options=_both([label_of(column, option) for option in column.options]))
    raise _Unread(message("sheet.option", given=_shown(given), options=options))


def _digits(given: Cell) -> Raw:
    if isinstance(given, (date, bool)):
        raise _Unread(message("scalar.number", given=_shown(given)))
    if isinstance(given, str):
        return unicodedata.normalize("NFKC", given.strip()).replace("\N{MINUS SIGN}", "-")
    return "" if given is None else f"{Decimal(given):f}"


def _written_day(given: Cell) -> Raw:
    if isinstance(given, datetime):
        raise _Unread(message("scalar.day", given=_shown(given)))
    if isinstance(given, date):
        return given.isoformat()
    found = _DAY.fullmatch(_text(given))
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else _text(given)


def _instant(given: Cell) -> Raw:
    if isinstance(given, str):
        try:
            at = datetime.fromisoformat(given.strip())
        except ValueError:
            return given.strip()
        return at.replace(tzinfo=TIMEZONE).isoformat() if at.tzinfo is None else given.strip()
    if isinstance(given, datetime):
        return given.replace(tzinfo=TIMEZONE).isoformat()
    if isinstance(given, date):
        return datetime.combine(given, datetime.min.time(), TIMEZONE).isoformat()
    return _text(given)


def as_instant(raw: Raw) -> Raw:
    """A time that stands in a column of several types, as a document writes it."""
    return _instant(raw) if isinstance(raw, str) else raw


def as_option(raw: Raw, column: Column) -> Raw:
    """A word of the schema that stands in a column of several types; what is none is left as it is."""
    try:
        return _option(str(raw), column)
    except _Unread:
        return raw


def as_codes(raw: Raw) -> list[Raw]:
    """A list of codes that stands in a column of several types."""
    return _items(str(raw))


def _shown(given: Any) -> str:
    return str(scalar.shown(given if isinstance(given, (str, int, Decimal)) else str(given)))
