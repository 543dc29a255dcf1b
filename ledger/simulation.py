"""A simulation (试算): a draft, or any version, against what is published, on a period's real events.

The events that stand are replayed with the direct matcher, in parallel lanes (:mod:`ledger.lanes`), from a snapshot of
the database, in a process of their own: posting goes on meanwhile, and nothing is kept in the ledger. What the period
is charged as a whole is settled anew in both lanes. The figures before are the ledger's entries and what settling them
anew would add; those after are the same and what the supposed rulebook would make different, booked where the ledger
would book it.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from time import perf_counter
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from engine.account import Account
from engine.amount import ZERO
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.evaluation import PeriodCharge
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.period import Period
from engine.replay import Cents, amount
from engine.rulebook import DifferentiationRule, EventRule, ProgressRule, Rulebook
from engine.settlement import settle
from engine.standing import Figures, Standing, figures
from engine.supposition import bounds_of, open_days, replaced, suppose
from ledger.crew import Reader, gather_crew
from ledger.current import Connection, get_current, load_version
from ledger.lanes import Bureaus, Moved, Moves, Posting, Scoring, lines_in
from ledger.present import Present
from ledger.reading import reading, telling_types
from ledger.rereading import COLUMNS
from ledger.simulated import EntryChange, RuleChange, Simulated, SubjectChange
from ledger.snapshot import decode_figures
from rules.document import read_document, write_rulebook
from rules.draft import dated, read_draft, tree_hash

Stage = Literal["scoring", "posting", "settling"]
STAGES: tuple[Stage, ...] = ("scoring", "posting", "settling")
Progressing = Callable[[Stage, int, int], None]

DRAFT = "draft"
PAGE = 500
"""Entry changes in one page."""
MOST_ENTRIES = 100_000
"""Entry changes that are kept, the largest; all are counted."""
SHORT = 2_000
"""So few events are gone through sooner than a process is started."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated: a period, from when in it, and a version or (None) the draft, as this document.

    ``hash`` is the draft's, or the version's number, as text: whether it is still what it was. ``until``: no event
    from then on can matter; ``events`` is how many are gone through.
    """

    period: str
    start: datetime
    version: int | None
    document: str
    hash: str
    until: datetime | None = None
    events: int = 0

    @property
    def named(self) -> str:
        """The version as it is named: a number, or ``draft``."""
        return DRAFT if self.version is None else str(self.version)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: :class:`Simulated` and the pages of its entry changes, compressed JSON all."""

    summary: bytes
    pages: tuple[bytes, ...]

    @property
    def simulated(self) -> Simulated:
        """The summary, read."""
        return read_summary(self.summary)


def read_summary(packed: bytes) -> Simulated:
    """A summary as it was packed."""
    return msgspec.json.decode(zlib.decompress(packed), type=Simulated)


def read_page(packed: bytes) -> tuple[EntryChange, ...]:
    """A page of entry changes as it was packed."""
    return msgspec.json.decode(zlib.decompress(packed), type=tuple[EntryChange, ...])


def _pack(value: object) -> bytes:
    return zlib.compress(msgspec.json.encode(value))


async def ask(period: str, version: str, start: datetime | None = None) -> Question:
    """Make a question of what somebody asks. Refused, with ``/period``, ``/version`` or ``/from``, where it is none;
    with the findings of the draft, or of a publication, where the rulebook could not rule."""
    if version == DRAFT:
        tree = await read_draft()
        if not tree.get("rulebook"):
            raise Refused(Finding(path="/version", message=message("simulation.no_draft")))
        async with reading():
            begun = start or _bounds(period)[0]
        return await pose(period, read_document(dated(tree, begun)).rulebook, start=start, hashed=tree_hash(tree))
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Refused(Finding(path="/version", message=message("simulation.version_named")))
    number = int(version)
    async with reading():
        held = {each.number: each.rulebook for each in get_current().bureau.versions}
    if number not in held:
        raise Refused(Finding(path="/version", message=message("simulation.no_version", number=number)))
    return await pose(period, held[number], start=start, version=number, hashed=version)


async def pose(
    period: str, rulebook: Rulebook, *, start: datetime | None = None, version: int | None = None, hashed: str = ""
) -> Question:
    """The question what the rulebook would have made of a period. Refused as :func:`ask` refuses."""
    async with reading() as connection:
        first, end = _bounds(period)
        begun = first if start is None else start
        if not first <= begun < end:
            raise Refused(Finding(path="/from", message=message("simulation.from", first=first, end=end)))
        supposed = suppose(get_current().bureau, rulebook, begun, end)
        until = None if any(_competes(each.rulebook) for each in supposed.versions) else end
        where = "$1::timestamptz IS NULL OR time < $1"
        events = await connection.fetchval(f"SELECT count(*) FROM event WHERE {where}", until)  # noqa: S608  (ours)
    return Question(
        period=period,
        start=begun,
        version=version,
        document=msgspec.json.encode(write_rulebook(rulebook)).decode(),
        hash=hashed,
        until=until,
        events=events,
    )


def _bounds(period: str) -> tuple[datetime, datetime]:
    bureau = get_current().bureau
    known = bureau.calendar.periods.get(period)
    if known is None:
        raise Refused(Finding(path="/period", message=message("simulation.no_period", period=period)))
    return bounds_of(known, bureau)


def _competes(rulebook: Rulebook) -> bool:
    """Whether a later event can take away what an earlier one of the same matter charges."""
    return any(isinstance(rule, EventRule) and rule.matter == "highest" for rule in rulebook.rules)


async def simulate(
    url: str, timezone: ZoneInfo, question: Question, progress: Progressing | None = None, *, processes: int = 1
) -> Answer:
    """Simulate on a database, in a process of its own (0: in this one).

    ``progress`` hears the stage, how many events it went through, and of how many.
    """
    done = 0

    def heard(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None and question.events:
            stage = min(done // question.events, len(STAGES) - 1)
            progress(STAGES[stage], min(done - stage * question.events, question.events), question.events)

    async with gather_crew(url, timezone, processes, heard) as crew:
        heard(0)
        return await crew.start(simulate_on, question)


async def simulate_on(reader: Reader, question: Question) -> Answer:
    """Simulate what a reader reads."""
    return await _Simulation(reader, question).run()


class _Simulation:
    """One simulation on a reader's snapshot."""

    def __init__(self, reader: Reader, question: Question) -> None:
        self._begun = perf_counter()
        self._reader = reader
        self._connection: Connection = reader.connection
        self._question = question
        self._telling: tuple[list[Recorded], list[Recorded]] = ([], [])

    async def run(self) -> Answer:
        bureau = (await self._reader.history()).now.bureau
        self._published = bureau
        period = self._period = bureau.calendar.find(self._question.period)
        rulebook = load_version(0, self._question.document).rulebook
        _, self._end = bounds_of(period, bureau)
        now = msgspec.structs.replace(bureau, calendar=open_days(bureau.calendar, period))
        through = max(period.last_day, bureau.settled_through or period.last_day)
        base = now if through == now.settled_through else msgspec.structs.replace(now, settled_through=through)
        supposed = suppose(base, rulebook, self._question.start, self._end)
        self._bureaus = bureaus = Bureaus(now=now, base=base, supposed=supposed)
        previous = now.calendar.previous(period)
        self._frozen = previous is not None and previous.state == "closed"
        self._previous = previous
        self._periods = [period] if previous is None or self._frozen else [period, previous]
        self._sums = {each.code: await self._read_sums(each) for each in self._periods}
        self._types = [
            {kind for each in self._periods for kind in telling_types(self._account(each, in_force, None, lane))}
            for lane, in_force in enumerate((base, supposed))
        ]
        scoring = await self._score(bureaus)
        former = await self._period_charges()
        charges: Sequence[tuple[PeriodCharge, ...]] = ((), ())
        if any(self._charges_periods(in_force) for in_force in (base, supposed)):
            first = self._post(scoring, (former, former, former))
            charges = [await self._settle(lane, in_force, first) for lane, in_force in enumerate((base, supposed))]
        else:
            self._reader.report(self._question.events)
        others = [each for each in former if each.charge.key.id != period.code]
        second = self._post(scoring, ((*others, *charges[0]), former, (*others, *charges[1])))
        before = figures(self._account(period, base, second.base[period.code], 0))
        after = figures(self._account(period, supposed, second.supposed[period.code], 1))
        return await self._answer(scoring, second, before, after)

    def _charges_periods(self, bureau: Bureau) -> bool:
        """Whether the period is charged as a whole by the version in effect at its end."""
        version = self._account(self._period, bureau, None, 0).version
        return version is not None and any(
            rule.enabled and rule.per in (None, self._period.kind)
            for rule in version.rulebook.rules
            if isinstance(rule, (DifferentiationRule, ProgressRule))
        )

    async def _score(self, bureaus: Bureaus) -> Scoring:
        history = await self._reader.history()
        scoring = Scoring(bureaus, self._reader.matcher, (self._question.start, self._end), self._tell)
        query = f"""
            SELECT {COLUMNS} FROM event WHERE $1::timestamptz IS NULL OR time < $1
            ORDER BY time, coalesce(recorded_at, time), source COLLATE "C", id COLLATE "C"
            """  # noqa: S608  (our own words)
        with self._file.open("wb") as file:
            async for rows in self._reader.rows(query, self._question.until):
                scoring.write((row for row in rows if row["number"] not in history.withdrawn), file)
            scoring.finish(file)
        return scoring

    @property
    def _file(self) -> Any:
        return self._reader.folder / "simulated"

    def _tell(self, recorded: Recorded, lane: int) -> None:
        """Keep an event that a measure or a veto looks at."""
        if recorded.event.type in self._types[lane] and any(each.contains(recorded.booked) for each in self._periods):
            self._telling[lane].append(recorded)

    def _post(self, scoring: Scoring, charges: Sequence[Sequence[PeriodCharge]]) -> Posting:
        posting = Posting(self._bureaus, scoring.claims, charges, self._periods)
        left = self._question.events

        def report(done: int) -> None:
            nonlocal left
            left -= done
            self._reader.report(done)

        posting.post(lines_in(self._file), report)
        self._reader.report(max(0, left))  # events that charge nobody are not gone through
        return posting

    async def _period_charges(self) -> tuple[PeriodCharge, ...]:
        """What periods are charged as they were settled."""
        rows = await self._connection.fetch("SELECT DISTINCT id FROM present_sheet WHERE source = ''")
        present = Present(self._connection, self._published)
        await present.load_events([EventKey("", row["id"]) for row in rows])
        return tuple(
            PeriodCharge(charge=posting.charge, booked=posting.booked, turn=sheet.turn)
            for sheet in present.sheets.values()
            for posting in sheet.postings
        )

    async def _settle(self, lane: int, bureau: Bureau, posting: Posting) -> tuple[PeriodCharge, ...]:
        """What the period is charged as a whole."""
        moves = posting.supposed if lane else posting.base
        before: Account | Figures | None = None
        if self._previous is not None and self._frozen:
            _, before = await self._snapshot(self._previous)
        elif self._previous is not None:
            before = self._account(self._previous, bureau, moves[self._previous.code], lane)
        settlement = settle(self._account(self._period, bureau, moves[self._period.code], lane), before)
        return tuple(each for lot in settlement.charges.values() for each in lot)

    # accounts

    async def _read_sums(self, period: Period) -> Sequence[Any]:
        rows: Sequence[Any] = await self._connection.fetch(
            """
            SELECT subject, indicator, rule, period IS NOT DISTINCT FROM $3 AS own, sum(posted) AS posted
            FROM entry WHERE booked >= $1 AND booked < $2 GROUP BY 1, 2, 3, 4
            """,
            period.start,
            period.end,
            period.code,
        )
        return rows

    def _account(self, period: Period, bureau: Bureau, moves: Moves | None, lane: int) -> Account:
        """A period's account in a lane: the ledger's entries, and what the lane posts otherwise."""
        posted: dict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
        own: dict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
        for row in self._sums[period.code]:
            posted[row["subject"], row["indicator"]] += row["posted"]
            if row["own"]:
                own[row["subject"], row["indicator"]] += row["posted"]
        if moves is not None:
            _add(posted, moves.posted)
            _add(own, moves.own)
        return Account(
            bureau=bureau,
            period=period,
            standing=[each for each in self._telling[lane] if period.contains(each.booked)],
            posted=posted,
            own=own,
            matchers=self._reader.matcher,
        )

    async def _snapshot(self, period: Period) -> tuple[int, Figures]:
        row = await self._connection.fetchrow(
            "SELECT number, figures FROM snapshot WHERE period = $1 ORDER BY number DESC LIMIT 1", period.code
        )
        return row["number"], decode_figures(row["figures"])

    # the answer

    async def _answer(self, scoring: Scoring, posting: Posting, before: Figures, after: Figures) -> Answer:
        period, question = self._period, self._question
        closed = self._published.calendar.find(period.code).state == "closed"
        snapshot, shown = await self._snapshot(period) if closed else (None, None)
        if shown is None:
            shown = figures(self._account(period, self._published, None, 0))
        subjects = _subjects(before, after)
        entries = sorted(
            map(_entry, posting.moved), key=lambda each: (-abs(each.difference), each.booked, each.subject)
        )
        kept = entries[:MOST_ENTRIES]
        kinds = [each.kind for each in entries]
        length, settled = await self._connection.fetchrow(
            "SELECT (SELECT length FROM ledger_head), EXISTS (SELECT FROM act WHERE kind = 'settlement'"
            " AND content::json ->> 'period' = $1)",
            period.code,
        )
        simulated = Simulated(
            period=period.code,
            start=question.start,
            end=self._end,
            version=question.version,
            hash=question.hash,
            replaced=replaced(self._published, question.start, self._end),
            length=length,
            closed=closed,
            snapshot=snapshot,
            settled=settled,
            apart=sum(_figure(shown.of.get(code)) != _figure(each) for code, each in before.of.items()),
            ruled=scoring.ruled,
            added=kinds.count("added"),
            removed=kinds.count("removed"),
            changed=kinds.count("changed"),
            kept=len(kept),
            winners=sum(each.difference is not None and each.difference > 0 for each in subjects),
            losers=sum(each.difference is not None and each.difference < 0 for each in subjects),
            same=sum(not each.difference for each in subjects),
            ranks=sum(each.rank_before != each.rank_after for each in subjects),
            tiers=sum(each.tier_before != each.tier_after for each in subjects),
            awards=sum(bool(each.awards_gained or each.awards_lost) for each in subjects),
            subjects=subjects,
            rules=self._rules(posting),
            unfit_count=scoring.unfit_count,
            unfit=tuple(scoring.unfit),
            seconds=perf_counter() - self._begun,
        )
        pages = tuple(_pack(kept[at : at + PAGE]) for at in range(0, len(kept), PAGE))
        return Answer(summary=_pack(simulated), pages=pages)

    def _rules(self, posting: Posting) -> tuple[RuleChange, ...]:
        """What each rule posts, before and after, those with the largest difference first."""
        code = self._period.code
        sums: list[dict[str, Decimal]] = []
        for moves in (posting.base[code], posting.supposed[code]):
            found: dict[str, Decimal] = defaultdict(lambda: ZERO)
            for row in self._sums[code]:
                found[row["rule"]] += row["posted"]
            _add(found, moves.rules)
            sums.append(found)
        titles = {rule.code: rule.title for each in self._bureaus.supposed.versions for rule in each.rulebook.rules}
        number = self._question.version
        other = (
            load_version(0, self._question.document).rulebook
            if number is None
            else self._published.version(number).rulebook
        )
        titles |= {rule.code: rule.title for rule in other.rules}
        changes = [
            RuleChange(
                rule=rule,
                title=titles.get(rule, ""),
                before=sums[0].get(rule, ZERO),
                after=sums[1].get(rule, ZERO),
                difference=sums[1].get(rule, ZERO) - sums[0].get(rule, ZERO),
            )
            for rule in {**sums[0], **sums[1]}
        ]
        return tuple(sorted(changes, key=lambda each: (-abs(each.difference), each.rule)))


def _add(sums: dict[Any, Decimal], more: dict[Any, Cents]) -> None:
    for key, cents in more.items():
        sums[key] += amount(cents)


def _figure(standing: Standing | None) -> tuple[Any, ...] | None:
    return None if standing is None else (standing.final, standing.rank, standing.tier, standing.awards)


def _subjects(before: Figures, after: Figures) -> tuple[SubjectChange, ...]:
    """Every subject, the largest difference first, of equals those that change otherwise."""
    changes = [_subject(code, before.of[code], after.of[code]) for code in before.of]
    return tuple(sorted(changes, key=lambda each: (-abs(each.difference or ZERO), not each.changed, each.subject)))


def _subject(code: str, before: Standing, after: Standing) -> SubjectChange:
    difference = None if before.final is None or after.final is None else after.final - before.final
    return SubjectChange(
        subject=code,
        kind=after.place.kind,
        group=after.place.group,
        posted_before=before.posted,
        posted_after=after.posted,
        total_before=before.total,
        total_after=after.total,
        final_before=before.final,
        final_after=after.final,
        difference=difference,
        rank_before=before.rank,
        rank_after=after.rank,
        tier_before=before.tier,
        tier_after=after.tier,
        awards_gained=tuple(sorted({*after.awards} - {*before.awards})),
        awards_lost=tuple(sorted({*before.awards} - {*after.awards})),
    )


def _entry(moved: Moved) -> EntryChange:
    before, after = (None if cents is None else amount(cents) for cents in (moved.before, moved.after))
    return EntryChange(
        kind="added" if before is None else "removed" if after is None else "changed",
        source=moved.source or None,
        event=moved.id if moved.source else None,
        period=None if moved.source else moved.id,
        rule=moved.rule,
        subject=moved.subject,
        origin_rule=moved.origin_rule,
        origin_subject=moved.origin_subject,
        booked=moved.booked,
        before=before,
        after=after,
        difference=(after or ZERO) - (before or ZERO),
    )
