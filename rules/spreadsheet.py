"""Reading an XLSX file (读工作簿): which sheets there are, and what stands in their cells.

openpyxl reads numbers as floats, does not bound what it unpacks and forgets which cells held formulas; this reads the
few parts that hold values, from their text. See :func:`rules.workbook.read_workbook` for the meaning.
"""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from engine.finding import Finding
from engine.language import message
from rules.archive import BOUNDS, Archive, Bounds, local, refuse

Value = str | int | Decimal | date | datetime | bool | None


class FilledRow(msgspec.Struct, frozen=True):
    """A row that holds something: its number as the spreadsheet shows it, and a cell for every titled column."""

    number: int
    cells: tuple[Value, ...]


class FilledSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet as somebody filled it in: the titles in its first row and the rows below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[FilledRow, ...]


def look_at_sheets(
    data: bytes, bounds: Bounds = BOUNDS, passing: Collection[str] = ()
) -> tuple[tuple[FilledSheet, ...], tuple[Finding, ...]]:
    """The sheets of the file, and what cannot be taken of them: such a cell is None. Refused where the file is none."""
    archive = Archive(data, bounds)
    listed, targets = _Listed(), _Targets()
    base = "xl/"
    archive.walk("xl/workbook.xml", listed.start)
    archive.walk("xl/_rels/workbook.xml.rels", targets.start)
    found: list[Finding] = [
        Finding(message=message("workbook.hidden", sheet=title), path=title) for title in listed.hidden(passing)
    ]
    texts, styles = _Texts(), _Styles()
    if archive.holds(base + "sharedStrings.xml"):
        archive.walk(base + "sharedStrings.xml", texts.start, texts.end, texts.text)
    if archive.holds(base + "styles.xml"):
        archive.walk(base + "styles.xml", styles.start, styles.end)
    sheets, left = [], bounds.rows
    for title, state, link in listed.sheets:
        if title in passing or state != "visible":
            continue
        target = targets.of.get(link, "")
        path = target[1:] if target.startswith("/") else base + target
        grid = _Grid(title, texts.all, styles.dated(), listed.from_1904, bounds, left)
        archive.walk(path, grid.start, grid.end, grid.text)
        left -= len(grid.rows)
        sheet = grid.sheet()
        found += grid.found
        sheets.append(sheet)
        if len(found) > bounds.findings:
            break
    return tuple(sheets), tuple(found[: bounds.findings])


class _Listed:
    """``workbook.xml``: the sheets in order, and from which day dates are counted."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, str]] = []
        self.from_1904 = False

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "sheet":
            link = next((value for key, value in given.items() if local(key) == "id"), "")
            self.sheets.append((given.get("name", ""), given.get("state", "visible"), link))
        elif name == "workbookPr":
            self.from_1904 = given.get("date1904", "0") in ("1", "true")

    def hidden(self, passing: Collection[str]) -> list[str]:
        return [title for title, state, _ in self.sheets if state != "visible" and title not in passing]


class _Targets:
    """The relations of the workbook: in which part a sheet is."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "Relationship" and given.get("TargetMode") != "External":
            self.of[given.get("Id", "")] = given.get("Target", "")


class _Texts:
    """``sharedStrings.xml``: the texts that cells name by their number. Readings of characters (rPh) are left out."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._parts: list[str] = []
        self._in_text = self._in_reading = False

    def start(self, name: str, given: dict[str, str]) -> None:  # noqa: ARG002
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._in_reading = True
        elif name == "t":
            self._in_text = not self._in_reading

    def end(self, name: str) -> None:
        if name == "t":
            self._in_text = False
        elif name == "rPh":
            self._in_reading = False
        elif name == "si":
            self.all.append(_unescape("".join(self._parts)))

    def text(self, written: str) -> None:
        if self._in_text:
            self._parts.append(written)


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def _unescape(written: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), written)


_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


class _Styles:
    """``styles.xml``: which styles show a number as a date."""

    def __init__(self) -> None:
        self._own: dict[int, bool] = {}
        self._used: list[int] = []
        self._within = False

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "numFmt":
            shown = _NOT_SHOWN.sub("", given.get("formatCode", ""))
            self._own[_whole(given.get("numFmtId"))] = re.search("[ymdhs]", shown, re.IGNORECASE) is not None
        elif name == "cellXfs":
            self._within = True
        elif name == "xf" and self._within:
            self._used.append(_whole(given.get("numFmtId")))

    def end(self, name: str) -> None:
        self._within = self._within and name != "cellXfs"

    def dated(self) -> frozenset[int]:
        """The numbers of such styles."""
        return frozenset(at for at, used in enumerate(self._used) if self._own.get(used, used in _DATES))


def _whole(written: str | None) -> int:
    return int(written) if written is not None and re.fullmatch("[0-9]{1,9}", written) else 0


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_REFERENCE = re.compile("([A-Z]{1,3})([0-9]{1,7})")
_EXACT = 15
"""Digits that a float gives back as they were typed."""
_TO_15 = Context(prec=_EXACT, rounding=ROUND_HALF_EVEN)
_DAY_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+)?")


class _Unread(Exception):
    """A cell that cannot be taken as it stands; the key says why."""


class _Grid:
    """A sheet's part: its cells, and what is wrong with them."""

    def __init__(
        self, title: str, texts: list[str], dated: frozenset[int], from_1904: bool, bounds: Bounds, rows: int
    ) -> None:
        self.title, self._texts, self._dated, self._from_1904 = title, texts, dated, from_1904
        self._bounds, self._most_rows = bounds, rows
        self.rows: dict[int, dict[int, Value]] = {}
        self.found: list[Finding] = []
        self._row = self._column = 0
        self._kind: str = "n"
        self._style = 0
        self._formula = False
        self._parts: list[str] = []
        self._taking = ""
        self._in_reading = False

    def start(self, name: str, given: dict[str, str]) -> None:
        match name:
            case "row":
                self._row = _whole(given.get("r")) or self._row + 1
                self._column = 0
            case "c":
                named = _REFERENCE.fullmatch(given.get("r", ""))
                self._column = _column_number(named[1]) if named else self._column + 1
                self._row = int(named[2]) if named else self._row
                self._kind, self._style = given.get("t", "n"), _whole(given.get("s"))
                self._formula, self._parts = False, []
            case "f":
                self._formula = True
            case "rPh":
                self._in_reading = True
            case "v" | "t":
                self._taking = "" if self._in_reading else name
            case "mergeCell":
                self._note("workbook.merged", given.get("ref", "?"), range=given.get("ref", "?"))

    def end(self, name: str) -> None:
        match name:
            case "v" | "t":
                self._taking = ""
            case "rPh":
                self._in_reading = False
            case "c":
                self._take()

    def text(self, written: str) -> None:
        if self._taking:
            self._parts.append(written)

    def sheet(self) -> FilledSheet:
        """The sheet under its titles; cells beside the titled columns are findings."""
        numbers = sorted(self.rows)
        head = self.rows.get(1, {})
        last = max(head, default=0)
        columns = tuple(str(head.get(at, "")).strip() for at in range(1, last + 1))
        rows = []
        for number in numbers:
            if number == 1:
                continue
            row = self.rows[number]
            for at, value in row.items():
                if at > last or not columns[at - 1]:
                    self._note("workbook.untitled", _reference(at, number), given=_short(value))
            rows.append(FilledRow(number, tuple(row.get(at) for at in range(1, last + 1))))
        return FilledSheet(title=self.title, columns=columns, rows=tuple(rows))

    def _take(self) -> None:
        written = "".join(self._parts)
        if self._formula:
            self._note("workbook.formula", self._here())
            return
        if not written:
            return
        try:
            value = self._value(written)
        except _Unread as unread:
            self._note(str(unread), self._here(), given=_short(written))
            return
        if value is None or value == "":
            return
        if self._column > self._bounds.columns:
            raise refuse("workbook.columns", sheet=self.title, most=self._bounds.columns)
        if self._row not in self.rows and len(self.rows) >= self._most_rows:
            raise refuse("workbook.rows", sheet=self.title, most=self._bounds.rows)
        self.rows.setdefault(self._row, {})[self._column] = value

    def _value(self, written: str) -> Value:
        match self._kind:
            case "s":
                place = int(written) if re.fullmatch("[0-9]{1,9}", written) else len(self._texts)
                if place >= len(self._texts):
                    raise _Unread("workbook.cell")
                return self._texts[place]
            case "inlineStr" | "str":
                return _unescape(written)
            case "b":
                return written == "1"
            case "e":
                raise _Unread("workbook.error")
            case "d":
                return _iso(written)
            case _:
                number = _number(written)
                return self._date(number) if self._style in self._dated else number

    def _date(self, serial: int | Decimal) -> date | datetime:
        base = datetime(1904, 1, 1) if self._from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
        if not (0 if self._from_1904 else 61) <= serial < 2_958_466:
            raise _Unread("workbook.date")
        seconds = int((Decimal(serial) * 86_400).to_integral_value(ROUND_HALF_EVEN))
        at = base + timedelta(seconds=seconds)
        return at.date() if seconds % 86_400 == 0 else at

    def _here(self) -> str:
        return _reference(self._column, self._row)

    def _note(self, key: str, reference: str, **args: object) -> None:
        if len(self.found) <= self._bounds.findings:
            self.found.append(Finding(message=message(key, **args), path=f"{self.title}!{reference}"))


def _number(written: str) -> int | Decimal:
    """The number that a person sees: what no float holds is written with up to 17 digits and shown with 15."""
    if len(written) > 60 or not _NUMBER.fullmatch(written):
        raise _Unread("workbook.cell")
    value = Decimal(written)
    if value and not -300 < value.adjusted() < _EXACT:
        raise _Unread("workbook.digits")
    if len(value.as_tuple().digits) > _EXACT:
        value = _TO_15.plus(value).normalize()
    if value == value.to_integral_value():
        return int(value)
    return Decimal(f"{value:f}")


def _iso(written: str) -> date | datetime:
    try:
        if not _DAY_TEXT.fullmatch(written):
            raise ValueError
        at = datetime.fromisoformat(written)
    except ValueError:
        raise _Unread("workbook.date") from None
    return at.date() if len(written) == 10 else at


def _short(value: Value) -> str:
    shown = str(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _reference(column: int, row: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
