"""What is in force (现行): the bureau as the database has it, kept in the process until it changes.

A worker re-reads, under the ledger's lock, what the head says that it lacks: versions,
organisation, periods. So a publication is in force everywhere the moment it commits.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from engine.both import live_matcher
from engine.bureau import Bureau
from engine.direct import DirectMatcher
from engine.matchers import KeptMatchers
from engine.matching import Matcher
from engine.organisation import Organisation, Place, Relation, Subject
from engine.period import Calendar, Period
from engine.rulebook import Rulebook, Version
from rules.document import read_rulebook
from rules.tree import load_json

if TYPE_CHECKING:
    from ledger.present import Present

Connection: TypeAlias = asyncpg.Connection


class Head(msgspec.Struct, kw_only=True):
    """The ledger's head row."""

    length: int
    hash: str
    organisation: int
    periods: int
    version: int
    settled_through: date | None
    demonstration: int


_WITHOUT = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""Posting looks up single rows by key; plans made for a table that was still small would scan it whole."""
BY_INDEX = "; ".join(f"SET LOCAL {setting} = off" for setting in _WITHOUT)
"""Lets a transaction look up rows by key alone, as the ledger's lock does."""

_COLUMNS = ", ".join(Head.__struct_fields__)
_HEAD = f"SELECT {_COLUMNS} FROM ledger_head"  # noqa: S608  (our own words)
_OFF = ", ".join(f"set_config('{setting}', 'off', true)" for setting in _WITHOUT)
_LOCKED = f"SELECT {_COLUMNS}, {_OFF} FROM ledger_head FOR UPDATE"  # noqa: S608  (our own words)


class Current:
    """The bureau in force, and the matchers of its versions. One a process."""

    def __init__(self, timezone: ZoneInfo, live: Callable[[Rulebook], Matcher] = live_matcher) -> None:
        self.timezone = timezone
        self.bureau = Bureau(organisation=Organisation(timezone=timezone))
        self.demonstration = False
        self.present: Present | None = None
        """What this process knows of the present since it last posted; of use while nobody else posts."""
        self._length = 0
        self._seen: tuple[int, int, int, date | None] | None = None
        self._direct = KeptMatchers(DirectMatcher)
        self._both = KeptMatchers(live)

    async def refresh(self, connection: Connection, *, lock: bool = False) -> Head:
        """Read the head, holding the ledger's lock if asked to, and whatever it says is newer.

        Without the lock it may be older than what this process has committed meanwhile, or knows; that is kept then.
        """
        row = await connection.fetchrow(_LOCKED if lock else _HEAD)
        head = Head(**{name: row[name] for name in Head.__struct_fields__})
        self.demonstration = bool(head.demonstration)
        seen = (head.version, head.organisation, head.periods, head.settled_through)
        if seen != self._seen and (lock or head.length >= self._length):
            bureau = await self._load(connection, head)
            if lock or head.length >= self._length:
                self.take_over(bureau, head)
        return head

    def take_over(self, bureau: Bureau, head: Head) -> None:
        """The bureau that this process just committed, or read, with the head that says so."""
        self.bureau = bureau
        self._length = head.length
        self._seen = (head.version, head.organisation, head.periods, head.settled_through)

    def direct(self, version: Version) -> Matcher:
        """The direct matcher of a version, for whatever is scored again."""
        return self._direct(version)

    def live(self, version: Version) -> Matcher:
        """The matcher for live events: both, unless the settings say otherwise."""
        return self._both(version)

    async def _load(self, connection: Connection, head: Head) -> Bureau:
        before, seen = self.bureau, self._seen or (0, 0, 0, None)
        versions = before.versions
        if head.version != seen[0]:
            rows = await connection.fetch(
                "SELECT number, document FROM rulebook_version WHERE number > $1 AND number <= $2 ORDER BY number",
                seen[0],
                head.version,  # who does not hold the lock may see one more, committed since the head was read
            )
            versions = (*versions, *(load_version(row["number"], row["document"]) for row in rows))
        organisation = before.organisation
        if head.organisation != seen[1]:
            organisation = await load_organisation(connection, self.timezone)
        calendar = before.calendar
        if head.periods != seen[2]:
            calendar = await load_calendar(connection)
        return Bureau(
            versions=versions, organisation=organisation, calendar=calendar, settled_through=head.settled_through
        )


_current: Current | None = None


def use_current(current: Current) -> None:
    """Let this process work for that bureau from now on."""
    global _current
    _current = current


def get_current() -> Current:
    """The bureau that this process works for; LookupError before :func:`use_current`."""
    if _current is None:
        raise LookupError("no bureau is in use")
    return _current


def load_version(number: int, document: str) -> Version:
    """A published version from its document."""
    return Version(number=number, rulebook=read_rulebook(load_json(document).raw))


async def load_organisation(connection: Connection, timezone: ZoneInfo) -> Organisation:
    """Every subject and relation, without names."""
    places: dict[str, list[Place]] = {}
    rows: Sequence[Any] = await connection.fetch(
        "SELECT subject, since, kind, group_code, unit, post FROM subject_place ORDER BY subject, since NULLS FIRST"
    )
    for row in rows:
        places.setdefault(row["subject"], []).append(
            Place(kind=row["kind"], group=row["group_code"], unit=row["unit"], post=row["post"], since=row["since"])
        )
    relations = await connection.fetch("SELECT subject, relation, answers, indicator, starts, ends FROM relation")
    return Organisation(
        (Subject(code=code, places=tuple(held)) for code, held in places.items()),
        (
            Relation(
                subject=row["subject"],
                relation=row["relation"],
                answers=row["answers"],
                indicator=row["indicator"],
                start=row["starts"],
                end=row["ends"],
            )
            for row in relations
        ),
        timezone,
    )


async def load_calendar(connection: Connection) -> Calendar:
    """Every declared period."""
    rows = await connection.fetch(
        "SELECT code, title, kind, starts, ends, state, appeal_days FROM period ORDER BY starts, code"
    )
    return Calendar(
        Period(
            code=row["code"],
            title=row["title"],
            kind=row["kind"],
            start=row["starts"],
            end=row["ends"],
            state=row["state"],
            appeal_days=row["appeal_days"],
        )
        for row in rows
    )
