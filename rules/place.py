"""A place in a document (位置): what stands there, its path and line, and what is wrong with it.

Reading goes on after a finding, so that one reading reports everything: what cannot be read is
replaced by a blank of its type, and the document as a whole is refused at the end.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, TypeVar, overload

from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.scalar import Raw, Unfit, shown
from rules.tree import Path, dotted, line_of

T = TypeVar("T")
TITLE_LENGTH = 500
TEXT_LENGTH = 2_000
NOTE_LENGTH = 10_000

BLANK = ""
"""What a code or a word is read as where it cannot be read; it refers to nothing."""


class Findings:
    """Everything found while a document is read, with the lines of its text where they are known."""

    def __init__(self, lines: Mapping[Path, int] | None = None) -> None:
        self.lines = lines or {}
        self.found: list[Finding] = []

    def add(
        self, path: Path, said: Message, level: Literal["error", "warning"] = "error", column: int | None = None
    ) -> None:
        """One more, at the path."""
        line = line_of(self.lines, path)
        self.found.append(Finding(message=said, path=dotted(path), level=level, line=line, column=column))

    @property
    def errors(self) -> list[Finding]:
        """Those that refuse the document."""
        return [finding for finding in self.found if finding.level == "error"]

    def close(self) -> None:
        """Refuse the document if anything is wrong with it; all findings are told, the odd ones too."""
        if self.errors:
            raise Refused(*self.found)


class Place:
    """What stands at a path of a document."""

    def __init__(self, raw: Raw, findings: Findings, path: Path = ()) -> None:
        self.raw = raw
        self.findings = findings
        self.path = path

    def refuse(self, key: str, column: int | None = None, **args: object) -> None:
        """What stands here is wrong."""
        self.findings.add(self.path, message(key, **args), column=column)

    def warn(self, key: str, **args: object) -> None:
        """What stands here is odd."""
        self.findings.add(self.path, message(key, **args), "warning")

    def at(self, step: str | int, raw: Raw) -> "Place":
        """A place below this one."""
        return Place(raw, self.findings, (*self.path, step))

    def at_key(self) -> "Place":
        """The key that this place stands under, as a place of its own."""
        return Place(str(self.path[-1]), self.findings, self.path)

    def read(self, reader: Callable[[Raw], T], instead: T) -> T:
        """What the reader makes of it; where it is unfit, that is said and the blank is returned."""
        try:
            return reader(self.raw)
        except Unfit as unfit:
            self.findings.add(self.path, unfit.expected)
            return instead

    def code(self) -> str:
        """A code."""
        return self.read(scalar.code, BLANK)

    def word(self) -> str:
        """A free word of the office: 1–64 characters."""
        return self.read(lambda raw: scalar.text(raw, 64, 1), BLANK)

    def title(self) -> str:
        """What people read."""
        return self.read(lambda raw: scalar.text(raw, TITLE_LENGTH), BLANK)

    def text(self) -> str:
        """A text of some sentences."""
        return self.read(lambda raw: scalar.text(raw, TEXT_LENGTH), BLANK)

    def note(self) -> str:
        """A longer text."""
        return self.read(lambda raw: scalar.text(raw, NOTE_LENGTH), BLANK)

    def number(self) -> Decimal:
        """An exact number."""
        return self.read(scalar.number, Decimal(0))

    def size(self) -> Decimal:
        """A number that is not below 0."""
        value = self.number()
        if value < 0:
            self.refuse("document.size", given=value)
        return abs(value)

    def integer(self) -> int:
        """A whole number."""
        return self.read(scalar.integer, 0)

    def boolean(self) -> bool:
        """``true`` or ``false``."""
        return self.read(scalar.boolean, False)

    def day(self) -> date:
        """A date."""
        return self.read(scalar.day, date.min)

    def instant(self) -> datetime:
        """An instant with its offset."""
        return self.read(scalar.instant, datetime.min.replace(tzinfo=UTC))

    def one_of(self, *words: T) -> T:
        """One of the words of the schema."""
        for word in words:
            if self.raw == word:
                return word
        self.refuse("document.one_of", words=", ".join(map(str, words)), given=shown(self.raw))
        return words[0]

    def known(self, codes: Iterable[str], what: str) -> str:
        """The code of something that is defined; ``what`` is the message that names its kind."""
        code = self.code()
        if code != BLANK and code not in (defined := list(codes)):
            self.refuse("document.undefined", what=message(what), code=code, defined=", ".join(defined[:20]) or "–")
            return BLANK
        return code

    def items(self) -> "list[Place]":
        """The places of a list; nothing is an empty list."""
        if self.raw is None:
            return []
        if not isinstance(self.raw, list):
            self.refuse("document.list", given=shown(self.raw))
            return []
        return [self.at(step, item) for step, item in enumerate(self.raw)]

    def each(self, reader: "Callable[[Place], T]") -> tuple[T, ...]:
        """What the reader makes of every place of a list."""
        return tuple(reader(item) for item in self.items())

    def distinct(self, reader: "Callable[[Place], T]") -> tuple[T, ...]:
        """The same, nothing twice."""
        seen: list[T] = []
        for item in self.items():
            value = reader(item)
            if value in seen and value != BLANK:
                item.refuse("document.twice", given=shown(item.raw))
            else:
                seen.append(value)
        return tuple(seen)

    def pairs(self) -> "list[tuple[str, Place]]":
        """The keys and places of a mapping whose keys the office chooses; nothing is an empty one."""
        if self.raw is None:
            return []
        if not isinstance(self.raw, Mapping):
            self.refuse("document.mapping", given=shown(self.raw))
            return []
        return [(key, self.at(key, value)) for key, value in self.raw.items()]

    def coded(self, reader: "Callable[[str, Place], T]") -> dict[str, T]:
        """A mapping by codes."""
        return {self.at(key, key).code(): reader(key, place) for key, place in self.pairs()}

    def keys(self, *known: str) -> "Keys":
        """The keys of a mapping whose keys the schema knows; others are said to be unknown."""
        return Keys(self, known)


class Keys:
    """A mapping whose keys the schema knows. A key without a value counts as left out."""

    def __init__(self, place: Place, known: tuple[str, ...]) -> None:
        self.place = place
        self.inside: dict[str, Place] = {}
        if not isinstance(place.raw, Mapping):
            place.refuse("document.mapping_of", keys=", ".join(known), given=shown(place.raw))
            self.broken = True
            return
        self.broken = False
        for key, raw in place.raw.items():
            here = place.at(key, raw)
            if key not in known:
                here.refuse("document.unknown", name=shown(key), keys=", ".join(known))
            elif raw is not None:
                self.inside[key] = here

    def __contains__(self, key: str) -> bool:
        return key in self.inside

    def at(self, key: str) -> Place | None:
        """What stands under the key; None where it is left out."""
        return self.inside.get(key)

    @overload
    def get(self, key: str, reader: Callable[[Place], T]) -> T | None: ...

    @overload
    def get(self, key: str, reader: Callable[[Place], T], instead: T) -> T: ...

    def get(self, key: str, reader: Callable[[Place], T], instead: T | None = None) -> T | None:
        """What the reader makes of what stands under the key, else what counts where it is left out."""
        here = self.inside.get(key)
        return instead if here is None else reader(here)

    def items(self, key: str) -> list[Place]:
        """The places of the list under the key; left out, there are none."""
        return self.get(key, Place.items) or []

    def pairs(self, key: str) -> list[tuple[str, Place]]:
        """The keys and places of the mapping under the key; left out, there are none."""
        return self.get(key, Place.pairs) or []

    def need(self, key: str, reader: Callable[[Place], T]) -> T:
        """The same where the key must be there; its absence is a finding, and a blank is returned."""
        here = self.inside.get(key)
        if here is not None:
            return reader(here)
        if not self.broken:
            self.place.at(key, None).refuse("document.missing", name=key)
        return reader(Place(None, Findings(), (*self.place.path, key)))
