"""A piece of a document that is put together from filled rows (文档片段), and where each part of it stands."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.finding import Finding
from engine.scalar import Raw
from rules.fault import Fault
from rules.form_reading import Entry
from rules.tree import Path, dotted


class Origin(msgspec.Struct, frozen=True):
    """The row that something comes from, and the column of it."""

    entry: Entry
    column: str = ""


class Piece:
    """A mapping that is being put together."""

    def __init__(self, entry: Entry | None = None, column: str = "") -> None:
        self.tree: dict[str, Any] = {}
        self.origins: dict[Path, Origin] = {} if entry is None else {(): Origin(entry, column)}

    def take(self, entry: Entry, **paths: str | tuple[str, ...]) -> None:
        """Put what stands in these columns of the row where the paths say; what is empty is left out."""
        for column, path in paths.items():
            where = (path,) if isinstance(path, str) else path
            raw = entry.get(column)
            if raw is not None:
                self.put(where, raw)
            self.origins[where] = Origin(entry, column)

    def put(self, path: Path, raw: Raw, entry: Entry | None = None, column: str = "") -> None:
        """Put something there, which stands in that column of the row."""
        inside = self.tree
        for step in path[:-1]:
            inside = inside.setdefault(str(step), {})
        inside[str(path[-1])] = raw
        if entry is not None:
            self.origins[path] = Origin(entry, column)

    def stands(self, path: Path, entry: Entry, column: str = "") -> None:
        """What is there, or is missing there, belongs to that column of the row."""
        self.origins[path] = Origin(entry, column)

    def within(self, *path: str | int) -> Mapping[Path, Origin]:
        """Where its parts stand, below a path of the document."""
        return {(*path, *below): origin for below, origin in self.origins.items()}


class Located:
    """Where the parts of a whole document stand."""

    def __init__(self) -> None:
        self._origins: dict[str, Origin] = {}

    def add(self, origins: Mapping[Path, Origin]) -> None:
        """Further parts."""
        self._origins |= {dotted(path): origin for path, origin in origins.items()}

    def fault(self, finding: Finding) -> Fault:
        """What was found in the document, at the row that it comes from."""
        path = finding.path
        while path and path not in self._origins:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        origin = self._origins.get(path)
        odd = finding.level == "warning"
        if origin is None:
            return Fault(said=finding.message, column=finding.path, odd=odd)
        return origin.entry.fault(finding.message, origin.column, odd=odd)
