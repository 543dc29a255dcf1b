"""The recount (重算): what the ledger should have posted, evaluated anew from the events that stand.

Scoring goes by parts of the events (by their subject), posting by parts of those who are charged. What
is found is fingerprinted, to be compared with the entries, and with the present sheets.
"""

import marshal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from heapq import heappop, heappush, merge
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

import msgspec

from engine.charge import ChargeKey, Recorded
from engine.evaluation import PeriodCharge
from engine.lateness import unfinished
from engine.recurrence import recurrence_of
from engine.replay import Claims, Poster, Scored, Scorer, condense_period_charges, contend, stake
from engine.rulebook import Version
from engine.turn import key_in, order_of
from ledger.crew import Reader, dump, load
from ledger.difference import Difference
from ledger.fingerprint import SEPARATOR, Fingerprint
from ledger.history import History
from ledger.past import indicators_of
from ledger.rereading import COLUMNS, NoLongerFits, Rereader

_Block: TypeAlias = list[Scored]


@dataclass
class Counted:
    """What scoring one part of the events found: differences in the events themselves, the claims that count,
    how many stand, which of them grow, and what may be repeated."""

    recurrences: Fingerprint
    found: Difference | None = None
    claims: Claims = field(default_factory=dict)
    standing: int = 0
    growing: list[int] = field(default_factory=list)


@dataclass
class Expected:
    """What posting for one part of the subjects came to: sums by charge, and what the present sheets say."""

    sums: Fingerprint
    sheets: Fingerprint


async def score(reader: Reader, part: int, parts: int, kept: Sequence[int] = ()) -> Counted:
    """Read the events of one part of the subjects in their order, check each, and score those that stand."""
    history = await reader.history()
    counted = Counted(reader.fingerprint(kept))
    scorer = _Scoring(reader, history, counted)
    query = f"""
        SELECT {COLUMNS}, version, content_hash FROM event WHERE abs(hashtext(subject)::bigint) % $1 = $2
        ORDER BY time, coalesce(recorded_at, time), source COLLATE "C", id COLLATE "C"
        """  # noqa: S608  (our own words)
    with scored_by(reader, part).open("wb") as file:
        async for rows in reader.rows(query, parts, part):
            block: _Block = []
            for row in rows:
                block += scorer.take(row)
            if block:
                stake(counted.claims, block)
                marshal.dump(block, file)
        rest = scorer.rest()
        stake(counted.claims, rest)
        marshal.dump(rest, file)
        if rest:
            marshal.dump([], file)
    return counted


def scored_by(reader: Reader, part: int) -> Path:
    """The file of what a part of the events charges, in turn."""
    return reader.folder / f"scored.{part}"


class _Scoring:
    """Scores events in their order; what is booked later waits for its turn."""

    def __init__(self, reader: Reader, history: History, counted: Counted) -> None:
        bureau = history.now.bureau
        self._history = history
        self._bureau = bureau
        self._rereader = Rereader(bureau)
        self._scorer = Scorer(bureau, reader.matcher)
        self._counted = counted
        self._waiting: list[Scored] = []
        self._sames: dict[str, list[tuple[str, ...]]] = {}
        self._growing = {
            (version.number, code): any(field.days_late is not None for field in each.fields.values())
            for version in bureau.versions
            for code, each in version.rulebook.event_types.items()
        }

    def take(self, row: Mapping[str, Any]) -> list[Scored]:
        """Check an event; where it stands, score it. What has waited for a turn before it comes out."""
        number, day = row["number"], self._bureau.day(row["time"])
        version = self._bureau.version_at(row["time"])
        if not self._check(row, day, version) or number in self._history.withdrawn:
            return []
        try:
            recorded, version = self._rereader.reread(row, version)
        except NoLongerFits:
            self._note(Difference.of("unfit", "event", number))
            return []
        self._counted.standing += 1
        self._look_at(recorded, version)
        turn = day.isoformat()
        ready = []
        while self._waiting and self._waiting[0][0] < turn:
            ready.append(heappop(self._waiting))
        scored = self._scorer.score(recorded)
        if scored is not None:
            heappush(self._waiting, scored)
        return ready

    def _check(self, row: Mapping[str, Any], day: date, now: Version | None) -> bool:
        """Whether the event was recorded as was in force then."""
        then = self._history.before(row["number"]).bureau
        version = now if then.versions is self._bureau.versions else then.version_at(row["time"])
        booked = then.calendar.book(day) if then.calendar.closed(day) else day
        if row["version"] != (None if version is None else version.number):
            there, expected = row["version"], None if version is None else version.number
            self._note(Difference.of("version", "event", row["number"], there=there, expected=expected))
        elif row["booked"] != booked:
            self._note(Difference.of("booked", "event", row["number"], there=row["booked"], expected=booked))
        elif row["content_hash"] != (hashed := hash_content(row)):
            self._note(Difference.of("content", "event", row["number"], there=row["content_hash"], expected=hashed))
        else:
            return True
        return False

    def _look_at(self, recorded: Recorded, version: Version) -> None:
        """Note whether the event grows, and what later ones may repeat of it."""
        event = recorded.event
        may_grow = self._growing[version.number, event.type]
        if may_grow and unfinished(event, version.rulebook.event_types[event.type]):
            self._counted.growing.append(recorded.number)
        found = self._sames.get(event.type)
        if found is None:
            found = self._sames[event.type] = sorted(self._bureau.repeats(event.type))
        for same in found:
            recurrence = recurrence_of(event, same)
            if recurrence is not None:
                digest = sha256(_encode(recurrence)).hexdigest()
                self._counted.recurrences.add(SEPARATOR.join((digest, order_of(event), *event.key)))

    def rest(self) -> list[Scored]:
        """What is still waiting, in turn."""
        return [heappop(self._waiting) for _ in range(len(self._waiting))]

    def _note(self, difference: Difference) -> None:
        known = self._counted.found
        if known is None or (difference.number or 0) < (known.number or 0):
            self._counted.found = difference


_encode = msgspec.json.Encoder().encode


class _Said(msgspec.Struct, omit_defaults=True, gc=False):
    """What an event says, as its content is hashed."""

    basis: str | None = None
    data: msgspec.Raw | None = None
    id: str | None = None
    matter: str | None = None
    parties: msgspec.Raw | None = None
    source: str | None = None
    subject: str | None = None
    time: str | None = None
    type: str | None = None


def hash_content(row: Mapping[str, Any]) -> str:
    """The content hash of an event's row, from its canonical texts."""
    data, parties = row["data"], row["parties"]
    said = _Said(
        row["basis"],
        None if data == "{}" else msgspec.Raw(data.encode()),
        row["id"],
        row["matter"],
        None if parties == "{}" else msgspec.Raw(parties.encode()),
        row["source"],
        row["subject"],
        row["time"].replace(tzinfo=None).isoformat() + "Z",
        row["type"],
    )
    return sha256(_encode(said)).hexdigest()


def join_claims(reader: Reader, counted: Sequence[Counted]) -> None:
    """Lay down the claims that count among all parts."""
    claims: Claims = {}
    for each in counted:
        for matter, claim in each.claims.items():
            contend(claims, matter, claim)
        each.claims = {}
    dump(reader.folder / "claims", iter(claims.items()))


async def post(
    reader: Reader, part: int, parts: int, files: int, charges: Sequence[PeriodCharge], kept: Sequence[int] = ()
) -> Expected:
    """Post for one part of the subjects, in turn, what was scored and what periods are charged."""
    bureau = (await reader.history()).now.bureau
    claims: Claims = dict(load(reader.folder / "claims"))
    poster = Poster(bureau, claims, lambda subject: crc32(subject.encode()) % parts == part)
    keys, of_periods = condense_period_charges(bureau, charges)
    codes = {version.number: [rule.code for rule in version.rulebook.rules] for version in bureau.versions}
    indicators = {version.number: indicators_of(version.rulebook) for version in bureau.versions}
    expected = Expected(reader.fingerprint(kept), reader.fingerprint(kept))
    scored_files = [load(scored_by(reader, each)) for each in range(files)]
    gone = 0
    for turn, number, directs in merge(sorted(of_periods), *scored_files):
        posted = poster.post((turn, number, directs))
        gone += 1
        if gone % 2_000 == 0:
            reader.report(2_000)
        if not posted:
            continue
        event = key_in(turn)
        whose, rules = SEPARATOR.join(event), codes[number]
        matters = {(place, subject): matter for place, subject, _, matter, _, _ in directs}
        compared = {key.subject: key.origin_subject for key in keys.get(turn, ())}
        for origin, origin_subject, place, subject, cents, nominal, superseded in posted:
            if compared:
                origin_subject = compared[subject]
            key = SEPARATOR.join((whose, rules[origin], origin_subject, rules[place], subject))
            if cents:
                indicator = indicators[number][rules[origin], rules[place]] or ""
                expected.sums.add(key + SEPARATOR + indicator, cents)  # type: ignore[arg-type]
            matter = matters.get((place, subject)) if place == origin and subject == origin_subject else None
            expected.sheets.add(sheet_item(key, turn, number, nominal, cents, matter, superseded))
    return expected


def charge_key(key: ChargeKey) -> str:
    """A charge's key as an item's."""
    return SEPARATOR.join(key)


def sheet_item(
    key: str, turn: str, version: int, nominal: Any, cents: Any, matter: str | None, superseded: bool
) -> str:
    """One charge as it stands in a sheet, as an item's key."""
    return SEPARATOR.join((key, turn, str(version), str(nominal), str(cents), matter or "", "~" if superseded else ""))
