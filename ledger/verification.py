"""Verification (核验): whether the ledger is what it says it is, and where it first is not.

In this order: the chain, and what it binds beside itself; what every settlement charged and every
closing froze, from the records before it; every sum, evaluated anew with the direct matcher; the tables
of the present. The first difference is named, and nothing after it is looked at. Everything is read as
of one moment while posting goes on, in memory that does not grow with the ledger (but with the number
of matters that compete).
"""

import os
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from time import perf_counter
from typing import Any, Literal
from zoneinfo import ZoneInfo

from engine.bureau import Bureau
from engine.charging import written
from engine.evaluation import PeriodCharge
from ledger import beside_check as beside
from ledger import clock
from ledger.account_check import check_bookings, check_periods
from ledger.chain_check import Charged, check_ends, check_range, check_seals
from ledger.crew import Crew, Reader, gather_crew
from ledger.difference import Difference, Seal, Verdict, first
from ledger.fingerprint import SEPARATOR, Fingerprint, differences, differing
from ledger.history import ActRow, History
from ledger.past import indicators_of
from ledger.present_check import PLACES, Sheets, check_events, pages_of, read_rooms, read_sheets, read_table
from ledger.recount import Counted, Expected, join_claims, post, score

Stage = Literal["chain", "beside", "scoring", "posting", "present"]
STAGES: tuple[Stage, ...] = ("chain", "beside", "scoring", "posting", "present")
Progressing = Callable[[Stage, int, int], None]

RANGE = 20_000
"""Records that are checked as one piece of work."""


SHORT = 20_000
"""A chain of so few records is checked sooner than a process is started."""


def processes_for(length: int) -> int:
    """How many processes a chain of that length is worth."""
    return 0 if length <= SHORT else min(os.cpu_count() or 1, 8)


def _silent(_stage: Stage, _done: int, _of: int) -> None:
    """Nobody watches."""


async def verify(
    url: str,
    timezone: ZoneInfo,
    *,
    seals: Sequence[Seal] = (),
    progress: Progressing = _silent,
    processes: int = 2,
) -> Verdict:
    """Verify the ledger of a database, in so many processes (0: in this one)."""
    begun, at = perf_counter(), clock.now()
    watched = _Watched(progress)
    async with gather_crew(url, timezone, processes, watched.advance) as crew:
        verification = Verification(crew, watched, seals)
        difference = await verification.run()
    return Verdict(
        length=verification.head["length"],
        head=verification.head["hash"],
        events=verification.counts.get("event", 0),
        entries=verification.counts.get("entry", 0),
        acts=verification.counts.get("act", 0),
        standing=verification.standing,
        at=at,
        seconds=perf_counter() - begun,
        difference=difference,
    )


class _Watched:
    """The stage that is gone through, and how far."""

    def __init__(self, progress: Progressing) -> None:
        self._progress = progress
        self._stage: Stage = "chain"
        self._done, self._of = 0, 0

    def begin(self, stage: Stage, of: int) -> None:
        """Begin a stage of so many records."""
        self._stage, self._done, self._of = stage, 0, of
        self._progress(stage, 0, of)

    def advance(self, done: int) -> None:
        """So many more."""
        self._done = min(self._of, self._done + done)
        self._progress(self._stage, self._done, self._of)

    def end(self) -> None:
        """The stage is gone through."""
        self._progress(self._stage, self._of, self._of)


class Verification:
    """One verification on a crew."""

    def __init__(self, crew: Crew, watched: _Watched, seals: Sequence[Seal]) -> None:
        self.head: Any = {}
        self.counts: dict[str, int] = {}
        self.standing = 0
        self._crew = crew
        self._reader = crew.reader
        self._watched = watched
        self._seals = seals
        self._acts: list[ActRow] = []
        self._history: History
        self._charged: dict[Charged, int] = {}
        self._posted: Fingerprint
        self._settled: Difference | None = None
        self._charges: list[PeriodCharge] = []
        self._counted: list[Counted] = []
        self._expected: list[Expected] = []

    async def run(self) -> Difference | None:
        """The first difference."""
        self.head = dict(await self._reader.connection.fetchrow("SELECT * FROM ledger_head"))
        for step in (self._chain, self._beside, self._periods_and_scores, self._sums, self._present):
            found = await step()
            self._watched.end()
            if found is not None:
                return found
        return None

    # the chain

    async def _chain(self) -> Difference | None:
        length: int = self.head["length"]
        self._watched.begin("chain", length)
        links = await self._crew.each(check_range, _ranges(length))
        self._posted = _joined(self._reader, (link.sums for link in links))
        for link in links:
            for charged, number in link.charged.items():
                self._charged.setdefault(charged, number)
            for kind, count in link.counts.items():
                self.counts[kind] = self.counts.get(kind, 0) + count
        found = next((link.found for link in links if link.found is not None), None)
        found = found or await check_ends(self._reader, length)
        last = links[-1].last if links else ""
        if found is None and last != self.head["hash"]:
            found = Difference.of("head", "ledger_head", length, there=self.head["hash"], expected=last)
        return found or await check_seals(self._reader, length, self._seals)

    # what is bound beside it

    async def _beside(self) -> Difference | None:
        self._watched.begin("beside", 1)
        self._acts = await beside.read_acts(self._reader)
        found = beside.check_contents(self._acts)
        for check in (beside.check_remarks, beside.check_attachments, beside.check_appeals):
            found = found or await check(self._reader, self._acts)
        if found is not None:
            return found
        found, versions = await beside.check_versions(self._reader, self._acts)
        if found is not None:
            return found
        found, history = await beside.fold_history(self._reader, self._acts, versions)
        if history is None:
            return found
        self._history = history
        found = await beside.check_snapshots(self._reader, self._acts, history)
        found = found or await beside.check_in_force(self._reader, history, self.head)
        return found or self._indicators(history.now.bureau)

    def _indicators(self, bureau: Bureau) -> Difference | None:
        known = {version.number: indicators_of(version.rulebook) for version in bureau.versions}
        wrong = []
        for (number, origin, rule, there), entry in self._charged.items():
            rules = known.get(number, {})
            where = f"{rule} v{number}"
            if (origin, rule) not in rules:
                wrong.append(Difference.of("rule", "entry", entry, where=where))
            elif rules[origin, rule] != there:
                expected = rules[origin, rule]
                wrong.append(Difference.of("indicator", "entry", entry, where=where, there=there, expected=expected))
        return first(*wrong)

    # settlements, closings, events

    async def _periods_and_scores(self) -> Difference | None:
        self._watched.begin("scoring", self.counts["event"])
        parts = self._crew.parts * 2 if self._crew.parts > 1 else 1
        scoring = self._crew.each(score, [(part, parts) for part in range(parts)])
        settled = self._crew.start(check_periods)
        bookings = self._crew.each(check_bookings, _ranges(self.head["length"], RANGE * 10))
        self._settled, self._charges = await settled
        self._counted = await scoring
        found = first(*(each.found for each in self._counted), *await bookings)
        self.standing = sum(each.standing for each in self._counted)
        if found is None:
            join_claims(self._reader, self._counted)
        return found

    # sums

    async def _post(self, kept: Sequence[int] = ()) -> list[Expected]:
        by_posted = any(version.rulebook.joint.basis == "posted" for version in self._history.now.bureau.versions)
        parts = 1 if by_posted else self._crew.parts
        files = len(self._counted)
        given = [(part, parts, files, self._charges, kept) for part in range(parts)]
        self._watched.begin("posting", self.standing * parts)
        return await self._crew.each(post, given)

    async def _sums(self) -> Difference | None:
        """A settlement that does not follow may come of a sum that is wrong: whatever is first is named."""
        self._expected = await self._post()
        expected = _joined(self._reader, (each.sums for each in self._expected))
        apart = differing(self._posted, expected)
        return first(self._settled, await self._name_sum(sorted(apart)) if apart else None)

    async def _name_sum(self, kept: Sequence[int]) -> Difference:
        """The first entry whose charge has another sum than it should."""
        ranges = [(*each, kept) for each in _ranges(self.head["length"])]
        there = _joined(self._reader, (link.sums for link in await self._crew.each(check_range, ranges)))
        expected = _joined(self._reader, (each.sums for each in await self._post(kept)))
        found = []
        for key, posted, due in differences(there, expected):
            number = await self._first_entry(key)
            source, id_, origin, origin_subject, rule, subject, indicator = key.split(SEPARATOR)
            via = "" if (origin, origin_subject) == (rule, subject) else f" ← {origin} {origin_subject}"
            on = f" → {indicator}" if indicator else ""
            where = f"{source + '/' if source else ''}{id_} {rule} {subject}{via}{on}"
            amounts = {"there": _amount(posted), "expected": _amount(due)}
            if number is None:
                event = await self._reader.connection.fetchval(
                    "SELECT number FROM event WHERE source = $1 AND id = $2", source, id_
                )
                found.append(Difference.of("sum_missing", "entry", event, where=where, **amounts))
            else:
                found.append(Difference.of("sum", "entry", number, where=where, **amounts))
        return min(found, key=lambda each: each.number or 0)

    async def _first_entry(self, key: str) -> int | None:
        source, id_, *charge = key.split(SEPARATOR)
        whose = "source = $1 AND event = $2" if source else "source IS NULL AND $1 = '' AND period = $2"
        query = f"""
            SELECT min(number) FROM entry WHERE {whose}
            AND origin_rule = $3 AND origin_subject = $4 AND rule = $5 AND subject = $6
            AND coalesce(indicator, '') = $7
            """  # noqa: S608  (our own words)
        number: int | None = await self._reader.connection.fetchval(query, source, id_, *charge)
        return number

    # the present

    async def _present(self) -> Difference | None:
        sizes = "present_sheet", "present_taking", "present_claim", "present_recurrence"
        query = "SELECT count(*) FROM {}"
        rows = [await self._reader.connection.fetchval(query.format(table)) for table in sizes]
        self._watched.begin("present", sum(rows))
        growing = [number for each in self._counted for number in each.growing]
        found = await check_events(self._reader, self._history, growing)
        if found is not None:
            return found
        sheets = await self._read_sheets()
        found = first(*(each.found for each in sheets))
        if found is not None:
            return found
        parts = "charges", "takings", "rooms", "claims"
        follows = {name: _joined(self._reader, (getattr(each, name) for each in sheets)) for name in parts}
        due = _joined(self._reader, (each.sheets for each in self._expected))
        apart = differing(follows["charges"], due)
        if apart:
            kept = sorted(apart)
            there = _joined(self._reader, (each.charges for each in await self._read_sheets(kept)))
            return _name("present_sheet", there, _joined(self._reader, (e.sheets for e in await self._post(kept))))
        found = await self._compare("present_taking", follows["takings"], "takings")
        found = found or await self._compare("present_claim", follows["claims"], "claims")
        found = found or await self._compare_rooms(follows["rooms"])
        return found or await self._compare_recurrences()

    async def _read_sheets(self, kept: Sequence[int] = ()) -> list[Sheets]:
        pages = await pages_of(self._reader, "present_sheet", self._crew.parts)
        return await self._crew.each(read_sheets, [(*each, self._charges, kept) for each in pages])

    async def _read_table(self, table: str, kept: Sequence[int] = ()) -> Fingerprint:
        pages = await pages_of(self._reader, table, self._crew.parts)
        found = await self._crew.each(read_table, [(table, *each, kept) for each in pages])
        return _joined(self._reader, found)

    async def _compare(self, table: str, due: Fingerprint, part: str) -> Difference | None:
        kept = sorted(differing(await self._read_table(table), due))
        if not kept:
            return None
        again = _joined(self._reader, (getattr(each, part) for each in await self._read_sheets(kept)))
        return _name(table, await self._read_table(table, kept), again)

    async def _compare_rooms(self, due: Fingerprint) -> Difference | None:
        kept = sorted(differing(await read_rooms(self._reader), due))
        if not kept:
            return None
        again = _joined(self._reader, (each.rooms for each in await self._read_sheets(kept)))
        for key, there, expected in differences(await read_rooms(self._reader, kept), again):
            return Difference.of(
                "room",
                "present_room",
                where=key.replace(SEPARATOR, " "),
                there=_amount(there, PLACES),
                expected=_amount(expected, PLACES),
            )
        return None

    async def _compare_recurrences(self) -> Difference | None:
        due = _joined(self._reader, (each.recurrences for each in self._counted))
        kept = sorted(differing(await self._read_table("present_recurrence"), due))
        if not kept:
            return None
        parts = len(self._counted)
        counted = await self._crew.each(score, [(part, parts, kept) for part in range(parts)])
        again = _joined(self._reader, (each.recurrences for each in counted))
        return _name("present_recurrence", await self._read_table("present_recurrence", kept), again)


def _ranges(length: int, size: int = RANGE) -> list[tuple[int, int]]:
    return [(begun, min(begun + size - 1, length)) for begun in range(1, length + 1, size)]


def _joined(reader: Reader, parts: Iterable[Fingerprint]) -> Fingerprint:
    whole = reader.fingerprint()
    for part in parts:
        whole.join(part)
    return whole


def _name(table: str, there: Fingerprint, due: Fingerprint) -> Difference:
    """The first row of a table that should not be there, or is not there and should."""
    for key, found, _ in differences(there, due):
        kind = "present_extra" if found else "present_missing"
        return Difference.of(kind, table, where=key.replace(SEPARATOR, " "))
    raise LookupError(table)


def _amount(units: int | Fraction, places: int = 2) -> str:
    return written(Fraction(units) / 10**places)
