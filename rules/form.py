"""Forms (表单): sheets of known columns, written for people to fill in and read as they filled them in.

Titles and choices are accepted in both languages and as the words of the schema, columns in any order. Lists are
written with ``、``; what a person would not type so (a text with spaces at its ends, an item with a comma in it)
stands as JSON, so that everything comes back as it was.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from engine import scalar
from engine.language import Language, Message, message, render
from engine.scalar import Raw, Unfit
from rules.fault import Fault
from rules.spreadsheet import FilledRow, FilledSheet
from rules.workbook import Cell, Hint, Sheet

Kind = Literal[
    "text", "code", "word", "number", "boolean", "day", "instant", "option", "codes", "words", "key", "verbatim"
]
"""``key`` is a value whose type only the rulebook knows, such as a threshold; ``verbatim`` is a text as it is."""

TIMEZONE = ZoneInfo("Asia/Shanghai")
"""That of times which a spreadsheet holds: they have none of their own."""
MOST_FAULTS = 500

_SEPARATORS = re.compile(r"[、,，;；\s]+")
_NOT_IN_ITEMS = re.compile(r'[、,，;；\s"\[]')
_DAY = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?")
_YES = frozenset({"是", "yes", "true", "y", "1", "√"})
_NO = frozenset({"否", "no", "false", "n", "0", "×"})


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its key, what stands in it; for an option the words to choose from, which have texts under ``of``."""

    key: str
    kind: Kind = "text"
    options: tuple[str, ...] = ()
    of: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet: ``needs`` are the columns without which a row means nothing."""

    name: str
    columns: tuple[Column, ...]
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> Message:
        """What the sheet is called."""
        return message(f"sheet.title.{self.name}")


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


# writing


def write_form(form: Form, rows: Iterable[Mapping[str, Raw]], language: Language) -> Sheet:
    """The sheet with these rows."""
    return Sheet(
        title=render(form.title, language),
        columns=tuple(render(_title(column), language) for column in form.columns),
        rows=tuple(tuple(_cell(row.get(column.key), column, language) for column in form.columns) for row in rows),
        hints=tuple(_hint(column, language) for column in form.columns),
    )


def _title(column: Column) -> Message:
    return message(f"sheet.column.{column.key}")


def _label(column: Column, option: str) -> Message:
    return message(f"sheet.option.{column.of or column.key}.{option}")


def _hint(column: Column, language: Language) -> Hint:
    options: tuple[str, ...] = ()
    if column.kind == "boolean":
        options = tuple(render(message(f"sheet.{word}"), language) for word in ("yes", "no"))
    elif column.kind == "option":
        options = tuple(render(_label(column, option), language) for option in column.options)
    note = render(message(f"sheet.note.{column.key}"), language)
    if options:
        note = f"{note}\n{render(message('sheet.choose', options=_joined(options, language)), language)}"
    return Hint(note=note, options=options, text=column.kind not in ("number", "day"))


def _joined(words: Iterable[str], language: Language) -> str:
    return ("、" if language == "zh-CN" else ", ").join(words)


def _cell(raw: Raw, column: Column, language: Language) -> Cell:
    if raw is None:
        return None
    match column.kind:
        case "option" if raw in column.options:
            return render(_label(column, str(raw)), language)
        case "boolean" if raw in (True, False, "true", "false"):
            return render(message("sheet.yes" if raw in (True, "true") else "sheet.no"), language)
        case "number":
            return _number(raw)
        case "day":
            return _day(raw)
        case "codes" | "words":
            return _list(raw)
        case "verbatim":
            return str(raw)
        case "key" if isinstance(raw, str):
            return _key(raw)
        case _ if isinstance(raw, bool):
            return "true" if raw else "false"
        case _ if isinstance(raw, str):
            return json.dumps(raw, ensure_ascii=False) if _quoted(raw) else raw
    return f"{Decimal(raw):f}" if isinstance(raw, (int, Decimal)) else json.dumps(raw, ensure_ascii=False, default=str)


def _key(raw: str) -> Cell:
    """What may be a number stands as one where it is in its normal form, so that it comes back the same."""
    try:
        number = scalar.number(raw)
    except Unfit:
        return json.dumps(raw, ensure_ascii=False) if _quoted(raw) or raw == "" else raw
    return number if scalar.written_number(number) == raw else raw


def _quoted(raw: str) -> bool:
    return raw != raw.strip() or raw.startswith('"')


def _number(raw: Raw) -> Cell:
    try:
        return scalar.number(raw)
    except Unfit:
        return str(raw)


def _day(raw: Raw) -> Cell:
    try:
        return scalar.day(raw)
    except Unfit:
        return str(raw)


def _list(raw: Raw) -> str:
    items = raw if isinstance(raw, list) else [raw]
    if items and all(isinstance(item, str) and item and not _NOT_IN_ITEMS.search(item) for item in items):
        return "、".join(map(str, items))
    return json.dumps(items, ensure_ascii=False, default=str)


# reading


def find_form(forms: Sequence[Form], title: str) -> Form | None:
    """The form of the sheet with this title, in either language."""
    wanted = _plain(title)
    return next((form for form in forms if wanted in _names(form.title, form.name)), None)


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
    known = {name: column for column in form.columns for name in _names(_title(column), column.key)}
    columns: dict[int, Column] = {}
    faults = []
    for at, title in enumerate(sheet.columns):
        if not title:
            continue
        column = known.get(_plain(title))
        said: Message | None = None
        if column is None:
            expected = message("sheet.columns_are", columns=_both([_title(each) for each in form.columns]))
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
            said = message("sheet.needed", title=_title(column))
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
    word = _plain(str(given))
    if word in _YES or word in _NO:
        return word in _YES
    raise _Unread(message("sheet.boolean", given=_shown(given)))


def _option(given: Cell, column: Column) -> str:
    wanted = _plain(_text(given))
    for option in column.options:
        if wanted in _names(_label(column, option), option):
            return option
    options = message("sheet.options", options=_both([_label(column, option) for option in column.options]))
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


def from_option(raw: Raw, column: Column, language: Language) -> Raw:
    """The word of the schema as people of that language say it."""
    return render(_label(column, str(raw)), language) if raw in column.options else raw


def from_codes(raw: Raw) -> str:
    """A list of codes as it stands in a cell."""
    return _list(raw)


def means(raw: Raw, label: Message) -> bool:
    """Whether the text is that label in either language."""
    return isinstance(raw, str) and _plain(raw) in _names(label, "")


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _names(title: Message, key: str) -> set[str]:
    return {_plain(key), _plain(render(title, "zh-CN")), _plain(render(title, "en"))}


def _shown(given: Any) -> str:
    return str(scalar.shown(given if isinstance(given, (str, int, Decimal)) else str(given)))


def letters(column: int) -> str:
    """The letters of a column, from 1."""
    written = ""
    while column:
        column, rest = divmod(column - 1, 26)
        written = chr(65 + rest) + written
    return written
