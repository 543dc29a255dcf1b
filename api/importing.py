"""Importing events (导入): lines of a file, recorded as a batch is, with the refused ones set aside to be mended.

A refused line is written down with what is wrong with it and with its event as it was; such a line is itself taken
for that event, so that a mended file of refused lines can be imported again. Repeating an import is harmless.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

import msgspec

from admin.receptions import Noted
from api.bodies import parse_json
from api.lines import HELD, Cutter, Line
from api.problems import Fault, Malformed, problem_of
from api.receiving import note, refusal, repetition
from engine.both import Disagreement
from engine.finding import Refused
from engine.language import Language
from engine.report import Report, parse_report
from engine.scalar import Raw
from ledger.desk import Receipt
from ledger.recording import GROUP, Recorder, Spoilt

SENDER = "jikao import"
CHUNK = 1 << 16


class RefusedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is not kept: its number, counted from 1, the event's id where it has one, and what is wrong.

    ``event`` is the event as it was; ``text`` the line, where it could not be read.
    """

    line: int
    id: str | None
    errors: tuple[Fault, ...]
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | msgspec.UnsetType = msgspec.UNSET


class Imported(msgspec.Struct, kw_only=True):
    """What an import came to so far; ``read`` counts the bytes."""

    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    read: int = 0

    @property
    def lines(self) -> int:
        """The lines that were dealt with."""
        return self.accepted + self.repeated + self.refused


class Read(NamedTuple):
    """A line that was read: its event as written, its tree (None: it has none), and its report or what is wrong."""

    line: Line
    written: bytes
    raw: Raw
    report: Report | Refused


class Importer:
    """Records lines of events; ``set_aside`` is told of each that is refused, ``watch`` how far it is by now."""

    def __init__(
        self,
        recorder: Recorder,
        language: Language,
        set_aside: Callable[[RefusedLine], None],
        watch: Callable[[Imported], None],
        imported: Imported,
    ) -> None:
        self._recorder = recorder
        self._language = language
        self._set_aside = set_aside
        self._watch = watch
        self.imported = imported

    async def each(self, lines: Iterable[Line]) -> None:
        """Record each line by itself, so many at a time; memory does not grow with their number."""
        for group in _grouped(lines):
            await self._record(group)
            self._watch(self.imported)

    async def together(self, lines: Iterable[Line]) -> None:
        """Record all lines or none. Every one that cannot be read is named, else the first that may not be kept."""
        read = list[Read]()
        for line in lines:
            read.append(_read(line))
            self.imported.read += len(line) + 1
        refused: list[tuple[Read, BaseException]]
        refused = [(each, each.report) for each in read if isinstance(each.report, Refused)]
        reports = [each.report for each in read if isinstance(each.report, Report)]
        receipts = list[Receipt]()
        if not refused:
            try:
                receipts = await self._recorder.record_all(reports)
            except Spoilt as spoilt:
                refused = [(read[spoilt.place], spoilt.__cause__ or spoilt)]
        await self._count(zip(receipts, reports, strict=False), refused)

    async def _record(self, group: list[Line]) -> None:
        """Record some lines; they share commits."""
        read = [_read(line) for line in group]
        reports = [each.report for each in read if isinstance(each.report, Report)]
        answers = iter(
            await asyncio.gather(*(self._recorder.record(report) for report in reports), return_exceptions=True)
        )
        kept, refused = list[tuple[Receipt, Report]](), list[tuple[Read, BaseException]]()
        for each in read:
            self.imported.read += len(each.line) + 1
            if not isinstance(each.report, Report):
                refused.append((each, each.report))
                continue
            told = next(answers)
            if isinstance(told, Receipt):
                kept.append((told, each.report))
            elif isinstance(told, (Refused, Disagreement)):
                refused.append((each, told))
            else:
                raise told
        await self._count(kept, refused)

    async def _count(
        self, kept: Iterable[tuple[Receipt, Report]], refused: Sequence[tuple[Read, BaseException]]
    ) -> None:
        """Count them, set aside what is refused, and note what is no new event, in one statement."""
        noted = list[Noted]()
        for receipt, report in kept:
            if receipt.repeated:
                self.imported.repeated += 1
                noted.append(repetition(SENDER, report))
            else:
                self.imported.accepted += 1
        for each, error in refused:
            self.imported.refused += 1
            self._set_aside(_refused(each, error, self._language))
            noted.append(refusal(SENDER, None, each.raw, error))
        await note(noted)


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a file as it is read."""
    cutter = Cutter()
    while chunk := stream.read(CHUNK):
        yield from cutter.feed(chunk)
    yield from cutter.close()


def _grouped(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines that are recorded together: not too many, and not too long ones."""
    group, held = list[Line](), 0
    for line in lines:
        group.append(line)
        held += len(line)
        if len(group) >= GROUP or held > HELD:
            yield group
            group, held = [], 0
    if group:
        yield group


def _read(line: Line) -> Read:
    written, raw = (line.content or b"").strip(), None
    try:
        given = line.read()
        if isinstance(given, Malformed):
            raise given
        if isinstance(given, dict) and _was_set_aside(given):
            if "event" in given:
                written = bytes(msgspec.json.decode(written, type=dict[str, msgspec.Raw])["event"])
            else:
                written = str(given["text"]).encode("utf-8", "replace")
            given = parse_json(written)
        raw = given
        return Read(line, written, raw, parse_report(raw))
    except Refused as refused:
        return Read(line, written, raw, refused)


def _was_set_aside(given: dict[str, Raw]) -> bool:
    """Whether a line is one that an import has set aside, with the event inside."""
    return "errors" in given and "type" not in given and ("event" in given or "text" in given)


def _refused(each: Read, error: BaseException, language: Language) -> RefusedLine:
    problem = problem_of(error, language)
    given = each.raw.get("id") if isinstance(each.raw, dict) else None
    return RefusedLine(
        line=each.line.place + 1,
        id=given[:200] if isinstance(given, str) else None,
        errors=problem.errors or (Fault(pointer="", message=problem.detail),),
        event=msgspec.UNSET if isinstance(error, Malformed) else msgspec.Raw(each.written),
        text=each.written.decode("utf-8", "replace") if isinstance(error, Malformed) else msgspec.UNSET,
    )
