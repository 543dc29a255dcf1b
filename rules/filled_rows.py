"""Filled rows (读入的行): what putting a document together from them has in common: keys, numbers, owners."""

from collections.abc import Iterable

from engine import scalar
from engine.language import Message, message
from engine.scalar import Raw, Unfit
from rules.fault import Fault
from rules.form_reading import Entry
from rules.piece import Located, Piece


class FilledRows:
    """The rows of every sheet by the form's name; what is wrong with one goes to ``faults``."""

    def __init__(self, entries: dict[str, list[Entry]], faults: list[Fault]) -> None:
        self._entries = entries
        self.faults = faults
        self._located = Located()
        self._whole = Piece()

    def _find(self, entry: Entry, said: Message, column: str = "") -> None:
        self.faults.append(entry.fault(said, column))

    def _keyed(self, form: str, column: str = "code") -> Iterable[tuple[str, Entry]]:
        """The rows of a sheet by their code; one that has none, or another's, is a fault."""
        seen: set[str] = set()
        for entry in self._entries[form]:
            code = entry.get(column)
            if not isinstance(code, str):
                self._missing(entry, column)
            elif code in seen:
                self._find(entry, message("document.twice", given=scalar.shown(code)), column)
            else:
                seen.add(code)
                yield code, entry

    def _missing(self, entry: Entry, column: str) -> None:
        if column not in entry.shown:
            self._find(entry, message("sheet.missing"), column)

    def _parent(self, entry: Entry, column: str, pieces: dict[str, Piece]) -> Piece | None:
        """What the row belongs to."""
        code = entry.get(column)
        if code is None:
            self._missing(entry, column)
        elif code not in pieces:
            self._find(entry, message("sheet.no_parent", code=scalar.shown(code)), column)
        return pieces.get(str(code)) if code is not None else None

    def _number(self, entry: Entry, column: str, instead: int) -> int:
        raw = entry.get(column)
        if raw is None:
            return instead
        try:
            return scalar.integer(raw)
        except Unfit as unfit:
            self._find(entry, unfit.expected, column)
            return instead

    def _pairs(self, piece: Piece, where: tuple[str, ...], steps: list[Entry], first: str, second: str) -> None:
        piece.put(where, [[step.get(first), step.get(second)] for step in steps])
        for place, step in enumerate(steps):
            piece.stands((*where, place), step)
            piece.stands((*where, place, 0), step, first)
            piece.stands((*where, place, 1), step, second)

    def _table(self, piece: Piece, where: tuple[str, ...], steps: list[Entry], first: str, second: str) -> None:
        table: dict[str, Raw] = {}
        for step in steps:
            key = step.get(first)
            if key is None:
                self._missing(step, first)
            elif key in table:
                self._find(step, message("document.twice", given=scalar.shown(key)), first)
            else:
                table[str(key)] = step.get(second)
                piece.stands((*where, str(key)), step, first if step.get(second) is not None else second)
        piece.put(where, table)

    def _listed(self, piece: Piece, entry: Entry, **columns: str) -> None:
        for column, key in columns.items():
            raw = piece.tree.get(key)
            for place in range(len(raw) if isinstance(raw, list) else 0):
                piece.stands((key, place), entry, column)
