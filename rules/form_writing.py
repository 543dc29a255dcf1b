"""Writing forms (表单写出): rows as the cells of a sheet that people fill in, with notes and lists to choose from."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine import scalar
from engine.language import Language, message, render
from engine.scalar import Raw, Unfit
from rules.form import Column, Form, label_of, title_of
from rules.workbook import Cell, Hint, Sheet

_NOT_IN_ITEMS = re.compile(r'[、,，;；\s"\[]')


def write_form(form: Form, rows: Iterable[Mapping[str, Raw]], language: Language) -> Sheet:
    """The sheet with these rows."""
    return Sheet(
        title=render(form.title, language),
        columns=tuple(render(title_of(column), language) for column in form.columns),
        rows=tuple(tuple(_cell(row.get(column.key), column, language) for column in form.columns) for row in rows),
        hints=tuple(_hint(column, language) for column in form.columns),
    )


def _hint(column: Column, language: Language) -> Hint:
    options: tuple[str, ...] = ()
    if column.kind == "boolean":
        options = tuple(render(message(f"sheet.{word}"), language) for word in ("yes", "no"))
    elif column.kind == "option":
        options = tuple(render(label_of(column, option), language) for option in column.options)
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
            return render(label_of(column, str(raw)), language)
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


def from_option(raw: Raw, column: Column, language: Language) -> Raw:
    """The word of the schema as people of that language say it."""
    return render(label_of(column, str(raw)), language) if raw in column.options else raw


def from_codes(raw: Raw) -> str:
    """A list of codes as it stands in a cell."""
    return _list(raw)
