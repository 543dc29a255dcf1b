"""A difference (差异): the first thing that verification found otherwise than it should be, and the verdict."""

from datetime import datetime

import msgspec

from engine.language import Message, message


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The chain's length and its head at a moment, as it was noted elsewhere (封印)."""

    length: int
    head: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: of which kind, in which record (or table) and where there, what is there, what should be."""

    kind: str
    record: str
    number: int | None = None
    where: str = ""
    there: str = ""
    expected: str = ""

    @classmethod
    def of(
        cls,
        kind: str,
        record: str,
        number: int | None = None,
        *,
        where: str = "",
        there: object = None,
        expected: object = None,
    ) -> "Difference":
        """A difference; what is nothing is written as a dash."""
        written = {"there": there, "expected": expected}
        return cls(
            kind=kind,
            record=record,
            number=number,
            where=where,
            **{name: "–" if value is None or value == "" else str(value) for name, value in written.items()},
        )

    @property
    def said(self) -> Message:
        """The difference in words."""
        return message(
            f"difference.{self.kind}",
            record=message(f"record.{self.record}"),
            number="–" if self.number is None else self.number,
            where=self.where,
            there=self.there,
            expected=self.expected,
        )


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification came to: what it went through, the head it saw, how long it took, the first difference."""

    length: int
    head: str
    events: int
    entries: int
    acts: int
    standing: int
    at: datetime
    seconds: float
    difference: Difference | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return self.difference is None


def first(*found: Difference | None) -> Difference | None:
    """The one with the least number; of none, none."""
    differences = [each for each in found if each is not None]
    return min(differences, key=lambda each: (each.number is None, each.number or 0), default=None)
