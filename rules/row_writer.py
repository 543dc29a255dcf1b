"""The writing of rows (写成草稿行): values of a tree as columns hold them, every misfit kept with its path."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from piccolo.table import Table

from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.scalar import Raw, Unfit
from rules.row_values import Rows

T = TypeVar("T")


class RowWriter:
    """Makes rows of what stands in a tree. Every misfit is kept; :meth:`close` refuses with all of them."""

    def __init__(
        self,
        ids: Mapping[type[Table], Iterator[int]] | None = None,
        known: Mapping[type[Table], Mapping[str, int]] | None = None,
    ) -> None:
        self.rows: Rows = defaultdict(list)
        self.findings: list[Finding] = []
        self._ids = dict(ids or {})
        self._known: dict[type[Table], dict[str, int]] = defaultdict(dict)
        for table, codes in (known or {}).items():
            self._known[table].update(codes)

    def close(self) -> Rows:
        """The rows; raises Refused where something did not fit."""
        if self.findings:
            raise Refused(*self.findings)
        return self.rows

    # --- values ---

    def find(self, path: str, said: Message) -> None:
        """Keep a finding."""
        self.findings.append(Finding(path=path, message=said))

    def need(self, read: Callable[[Raw], T], raw: Raw, instead: T, path: str) -> T:
        """The value as ``read`` types it."""
        try:
            return read(raw)
        except Unfit as unfit:
            self.find(path, unfit.expected)
            return instead

    def number(self, raw: Raw, path: str) -> Decimal | None:
        """A number, or nothing."""
        return None if raw is None else self.need(scalar.number, raw, None, path)

    def integer(self, raw: Raw, path: str) -> int | None:
        """A whole number, or nothing."""
        return None if raw is None else self.need(scalar.integer, raw, None, path)

    def boolean(self, raw: Raw, path: str, default: bool = False) -> bool:
        """A truth value, or its default."""
        return default if raw is None else self.need(scalar.boolean, raw, default, path)

    def text(self, raw: Raw, path: str) -> str:
        """A text; nothing is the empty text."""
        return "" if raw is None else self.need(scalar.text, raw, "", path)

    def word(self, raw: Raw, path: str) -> str:
        """A short text; nothing is the empty text."""
        return "" if raw is None else self.need(short, raw, "", path)

    def option(self, raw: Raw, options: Any, path: str) -> str | None:
        """One of a column's choices, or nothing."""
        if raw is None:
            return None
        values = [option.value for option in options]
        if raw not in values:
            self.find(path, message("draft.option", options=", ".join(values), given=scalar.shown(raw)))
            return None
        return str(raw)

    def mapping(self, raw: Raw, path: str, keys: Iterable[str] | None = None) -> Mapping[str, Raw]:
        """A mapping, of these keys only."""
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            self.find(path, message("draft.mapping", given=scalar.shown(raw)))
            return {}
        if keys is not None:
            allowed = tuple(keys)
            for key in raw:
                if key not in allowed:
                    self.find(_at(path, key), message("draft.key", name=key, keys=", ".join(allowed)))
        return raw

    def items(self, raw: Raw, path: str) -> list[Raw]:
        """A list."""
        if raw is None:
            return []
        if not isinstance(raw, list):
            self.find(path, message("draft.list", given=scalar.shown(raw)))
            return []
        return raw

    def words(self, raw: Raw, path: str) -> list[str]:
        """A list of short texts."""
        return [self.word(item, f"{path}[{at}]") for at, item in enumerate(self.items(raw, path))]

    def size(self, raw: Raw, path: str) -> Decimal:
        """A number that must be there; where it is not, that is said."""
        return self.need(scalar.number, raw, Decimal(0), path)

    def pair(self, raw: Raw, path: str) -> tuple[Raw, Raw]:
        """Two values."""
        if isinstance(raw, list) and len(raw) == 2:
            return raw[0], raw[1]
        self.find(path, message("draft.pair", given=scalar.shown(raw)))
        return "0", "0"

    def reference(self, table: type[Table], raw: Raw, path: str) -> int | None:
        """The row of that code."""
        if raw is None:
            return None
        found = self._known[table].get(raw) if isinstance(raw, str) else None
        if found is None:
            known = ", ".join(self._known[table]) or message("draft.none")
            self.find(path, message("draft.unknown", code=scalar.shown(raw), known=known))
        return found

    def add(self, table: type[Table], known_as: str | None = None, path: str = "", /, **values: Any) -> int:
        """One more row; its id."""
        number = next(self._ids.setdefault(table, count(1)))
        self.rows[table].append(table(id=number, **values))
        if known_as is not None:
            if known_as in self._known[table]:
                self.find(path, message("draft.twice", code=known_as.rpartition(" ")[2]))
            self._known[table][known_as] = number
        return number


def short(raw: Raw) -> str:
    """A text that fits a column of codes and words."""
    return scalar.text(raw, longest=64)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
