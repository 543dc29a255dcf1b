"""Workbooks (工作簿, XLSX): sheets of rows under titled columns, written and read without losing or running anything.

Written: text stands as text whatever it begins with, so that no cell becomes a formula; numbers of up to 15 digits
are numbers with the places they had, longer ones text, because spreadsheets count in binary floats. Read: see
:func:`read_workbook`. No number goes through a float on either way.
"""

import io
import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec
from openpyxl import Workbook
from openpyxl.cell import Cell as _Cell
from openpyxl.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from engine.finding import Refused
from rules.archive import BOUNDS, Bounds
from rules.spreadsheet import FilledRow, FilledSheet, look_at_sheets

__all__ = ["BOUNDS", "Bounds", "Cell", "FilledRow", "FilledSheet", "Hint", "Sheet", "read_workbook", "write_workbook"]

Cell: TypeAlias = str | int | Decimal | date | datetime | bool | None
LONGEST_TEXT = 32_767
"""Characters that a cell can hold."""
EXACT_DIGITS = 15
"""Decimal digits that a binary float, which is what spreadsheets keep, gives back as they were."""
FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets take 1900 for a leap year; days before are written as text."""

_NARROWEST, _WIDEST, _LOOKED_AT = 8, 60, 300
_LINE, _MOST_LINES = 15, 8
_LONGEST_LIST = 255
_ROOM_TO_FILL = 2_000
_RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="1F4E79")
_TOP = Alignment(vertical="top", wrap_text=True)


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What helps somebody fill in a column: a note beside its title, a list to choose from, and whether it is text.

    Columns of text keep what is typed (``001`` stays ``001``).
    """

    note: str = ""
    options: tuple[str, ...] = ()
    text: bool = False


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet: a title of at most 31 characters, the titles of its columns, its rows; ``hints`` go with the columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    hints: tuple[Hint, ...] = ()


def write_workbook(sheets: Iterable[Sheet]) -> bytes:
    """The sheets as an XLSX file. ValueError for what none can hold (a title, a text of over 32,767 characters)."""
    book = Workbook()
    if book.active is not None:
        book.remove(book.active)
    for sheet in sheets:
        _write_sheet(book.create_sheet(sheet.title), sheet)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def read_workbook(data: bytes, bounds: Bounds = BOUNDS, *, passing: Collection[str] = ()) -> tuple[FilledSheet, ...]:
    """The sheets of an XLSX file, in its order, with the row numbers a person sees; empty rows are left out.

    A cell is text, a whole number, a decimal, a truth value, a date, a time without zone, or None. Numbers are read
    from the file's text: Excel writes 0.29 as ``0.28999999999999998``, so that what has over 15 digits is rounded to
    15, which gives back exactly what was typed. Sheets titled as in ``passing`` are not looked into.

    Raises :class:`~engine.finding.Refused` naming every cell (``规则!B7``) with a formula, an error, a number that a
    spreadsheet cannot hold, every merged range and hidden sheet; or what is wrong with the file as a whole: too large,
    too much when unpacked, protected by a password, an old ``.xls``, no workbook at all. Nothing is evaluated and no
    entity of XML is resolved.
    """
    sheets, findings = look_at_sheets(data, bounds, passing)
    if findings:
        raise Refused(*findings)
    return sheets


def _write_sheet(page: Worksheet, sheet: Sheet) -> None:
    for at, title in enumerate(sheet.columns, start=1):
        head = page.cell(row=1, column=at)
        _put(head, title)
        head.font, head.fill, head.alignment = _HEAD, _HEAD_FILL, _TOP
    for step, row in enumerate(sheet.rows, start=2):
        if len(row) > len(sheet.columns):
            raise ValueError(f"a row of {sheet.title!r} has more cells than there are columns")
        for at, value in enumerate(row, start=1):
            if value is not None and value != "":
                _put(page.cell(row=step, column=at), value)
    for at, title in enumerate(sheet.columns, start=1):
        shown = [title, *(row[at - 1] for row in sheet.rows[:_LOOKED_AT] if at <= len(row))]
        width = max(map(_width, shown)) + 2
        page.column_dimensions[get_column_letter(at)].width = min(max(width, _NARROWEST), _WIDEST)
    widths = [page.column_dimensions[get_column_letter(at)].width for at in range(1, len(sheet.columns) + 1)]
    for step, row in enumerate(sheet.rows, start=2):
        lines = max((_lines(value, int(width)) for value, width in zip(row, widths, strict=False)), default=1)
        if lines > 1:
            page.row_dimensions[step].height = _LINE * min(lines, _MOST_LINES)
    for at, hint in enumerate(sheet.hints, start=1):
        _help(page, at, hint)
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A4
    page.page_setup.fitToHeight, page.sheet_properties.pageSetUpPr = 0, PageSetupProperties(fitToPage=True)
    if sheet.columns:
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{len(sheet.rows) + 1}"


def _help(page: Worksheet, at: int, hint: Hint) -> None:
    letter = get_column_letter(at)
    if hint.note:
        lines = sum(1 + _width(line) // 44 for line in hint.note.splitlines())
        page[f"{letter}1"].comment = Comment(hint.note, "jikao", width=320, height=30 + 20 * lines)
    if hint.text:
        page.column_dimensions[letter].number_format = "@"
    listed = ",".join(hint.options)
    if hint.options and len(listed) <= _LONGEST_LIST:
        choice = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=False)
        choice.add(f"{letter}2:{letter}{_ROOM_TO_FILL}")
        page.add_data_validation(choice)


def _put(cell: _Cell | MergedCell, value: Cell) -> None:
    """Write a value as what it is; nothing is ever taken for a formula."""
    assert isinstance(cell, _Cell)
    if isinstance(value, bool):
        cell.value = value
    elif isinstance(value, (int, Decimal)):
        _put_number(cell, Decimal(value))
    elif isinstance(value, datetime):
        fits = value.tzinfo is None and not value.microsecond and value.date() >= FIRST_DAY
        _put_time(cell, value, "yyyy-mm-dd hh:mm:ss") if fits else _put_text(cell, value.isoformat())
    elif isinstance(value, date):
        _put_time(cell, value, "yyyy-mm-dd") if value >= FIRST_DAY else _put_text(cell, value.isoformat())
    elif value is not None:
        _put_text(cell, value)
    cell.alignment = _TOP


def _put_text(cell: _Cell, text: str) -> None:
    escaped = _ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    if len(escaped) > LONGEST_TEXT:
        raise ValueError(f"a text of {len(escaped)} characters is too long for a cell")
    cell.value = escaped
    cell.data_type = "s"
    cell.number_format = "@"
    if text.startswith(_RISKY):
        cell.quotePrefix = True


def _put_number(cell: _Cell, value: Decimal) -> None:
    if not value.is_finite():
        raise ValueError(f"{value} is no number for a cell")
    plain = f"{value:f}"
    if len(plain.replace(".", "").lstrip("-0")) > EXACT_DIGITS:
        _put_text(cell, plain)
        return
    places = len(plain.partition(".")[2])
    cell.value = plain
    cell.data_type = "n"
    cell.number_format = f"0.{'0' * places}" if places else "0"


def _put_time(cell: _Cell, value: date | datetime, shown: str) -> None:
    cell.value = value
    cell.number_format = shown


def _lines(value: Cell, width: int) -> int:
    """How many lines the value takes in a column of that width."""
    if not isinstance(value, str) or (len(value) * 2 < width and "\n" not in value):
        return 1
    return sum(1 + max(0, _wide(line) - 1) // max(1, width - 1) for line in value[:2_000].splitlines())


def _width(value: Cell) -> int:
    """How wide the value is, in half-width characters, at its widest line."""
    lines = str("" if value is None else value).splitlines() or [""]
    return max(_wide(line[:_WIDEST]) for line in lines)


def _wide(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)
