"""Lists of entries (台账明细列表): filtered, in the order of their numbers, a page at a time.

A page starts where another one ended and costs the same however far in it lies. Each filter has an index that
ends in the number; the most telling one that is asked for leads, and the others are judged on what it brings.
Where they seldom hold, a page would have to look at much to be full: it looks at so many entries at most, is then
short, and says where to go on. Dates of booking go by the days of the range that have entries, so that an old
month does not begin at today's end of the ledger.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from engine.finding import Finding
from engine.language import message
from engine.rulebook import EventRule, JointRule
from ledger.current import Connection, get_current
from ledger.reading import EntryView, EventView, Unknown, reading, view_entry
from ledger.sight import EVERYTHING, Sight
from ledger.tables import EntryKind

PAGE = 50
LONGEST_PAGE = 500
LOOK = 2_000
"""Entries that are judged at a time."""
MOST_LOOKS = 3
"""Times that a page looks before it is short."""
DAYS = 16
"""Days of a range that are read at a time, those with the newest entries first."""
RARE = ("period", "reversal", "adjustment")
"""Kinds so rare that an index of their own leads."""
_LEADERS = ("event", "cause", "subject", "rule", "indicator", "source")
"""Filters that have an index, the most telling first."""
_CHUNK = 2_000
END = 2**63 - 1
_BY_INDEX = "SELECT set_config('random_page_cost', '1', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
"""Plans that go by the leading index, made for the very values: one made for all would walk the whole ledger."""
LONGEST_RANGE = 400
"""Days of a range that are looked at one by one."""


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; what is left out does not matter.

    ``start`` and ``end`` are booking dates, half-open. ``indicator`` may name several, separated by commas;
    ``not_indicator`` leaves out those on one of several. ``snapshot``: those that a snapshot of the period was made of.
    ``sight``: those that are in it.
    """

    subject: str | None = None
    rule: str | None = None
    event: str | None = None
    source: str | None = None
    kind: str | None = None
    period: str | None = None
    indicator: str | None = None
    not_indicator: str | None = None
    start: date | None = None
    end: date | None = None
    cause: int | None = None
    snapshot: int | None = None
    sight: Sight = EVERYTHING


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, newest first; ``older`` and ``newer`` are the numbers to go on before and after; None: nothing there."""

    items: tuple[EntryView, ...]
    older: int | None
    newer: int | None


async def list_entries(
    wanted: EntryFilter, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[EntryView], int | None]:
    """A page of entries, newest first, and the number that the next page is before (None: it is the last)."""
    page = await page_entries(wanted, before=before, limit=limit)
    return list(page.items), page.older


async def page_entries(
    wanted: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = PAGE
) -> EntryPage:
    """A page of entries before a number, after one, or the newest. Refused where the period is not declared, Unknown
    where it has no such snapshot."""
    limit = max(1, min(limit, LONGEST_PAGE))
    upward = after is not None
    async with reading() as connection:
        search = await _prepare(connection, wanted, before, after)
        rows, more = ([], None) if search is None else await search.find(limit, upward=upward)
    found = [view_entry(row) for row in rows]
    if upward:
        found.reverse()
        return EntryPage(items=tuple(found), older=found[-1].id if found else after, newer=more)
    newer = (found[0].id if found else before - 1) if before is not None else None
    return EntryPage(items=tuple(found), older=more, newer=newer)


async def all_entries(wanted: EntryFilter) -> AsyncIterator[Mapping[str, Any]]:
    """Every entry that is wanted, newest first, as rows with the subject's name, in bounded memory."""
    async with reading() as connection:
        search = await _prepare(connection, wanted, None, None)
        if search is None:
            return
        text, values = search.whole()
        async for row in connection.cursor(text, *values, prefetch=_CHUNK):
            yield row


async def _prepare(
    connection: Connection, wanted: EntryFilter, before: int | None, after: int | None
) -> "_Search | None":
    """The search for what is wanted; None where nothing can be found."""
    start, end = wanted.start, wanted.end
    top = END if before is None else before
    if _impossible(wanted) or _out_of_sight(wanted):
        return None
    if wanted.period is not None:
        period = get_current().bureau.calendar.find(wanted.period)
        start = period.start if start is None else max(start, period.start)
        end = period.end if end is None else min(end, period.end)
    if wanted.snapshot is not None:
        top = min(top, await _closing(connection, wanted))
    await connection.execute(_BY_INDEX)
    search = _Search(connection, wanted, (start, end), (after or 0, top))
    return search if await search.narrow() else None


async def _closing(connection: Connection, wanted: EntryFilter) -> int:
    """The number of the act that made a snapshot."""
    act: int | None = None
    if wanted.period is not None and abs(wanted.snapshot or 0) < 2**31:
        act = await connection.fetchval(
            "SELECT act FROM snapshot WHERE period = $1 AND number = $2", wanted.period, wanted.snapshot
        )
    if act is None:
        told = message("snapshot.unknown", period=wanted.period or "", number=wanted.snapshot)
        raise Unknown(Finding(message=told, path="/snapshot"))
    return act


class _Search:
    """One search. ``above`` and ``below`` bound the numbers, both left out themselves."""

    def __init__(
        self,
        connection: Connection,
        wanted: EntryFilter,
        booked: tuple[date | None, date | None],
        bounds: tuple[int, int],
    ) -> None:
        self.connection = connection
        self.booked = booked
        self.above, self.below = bounds
        self.leading: list[tuple[str, Any]] = []
        self.judged: list[tuple[str, Any]] = []
        self.heads: Sequence[Mapping[str, Any]] | None = None
        self._take(wanted)

    def _take(self, wanted: EntryFilter) -> None:
        if wanted.kind in RARE:
            self.leading = [(f"kind IN {RARE} AND kind = ?", wanted.kind)]
        elif wanted.kind is not None:
            self.judged.append(("kind = ?", wanted.kind))
        sight = wanted.sight
        bound = {"source": sight.source, "subject": None if sight.owner is not None else sight.subject}
        for column in _LEADERS:
            asked = getattr(wanted, column)
            value = bound.get(column) if asked is None else asked
            if value is None:
                continue
            if column == "indicator" and "," in value:
                self.judged.append(("indicator = ANY(?)", value.split(",")))
            elif self.leading:
                self.judged.append((f"{column} = ?", value))
            else:
                self.leading = [(f"{column} = ?", value)]
        if sight.owner is not None:
            self._take_owned(sight)
        if wanted.not_indicator:
            self.judged.append(("(indicator IS NULL OR indicator <> ALL(?))", wanted.not_indicator.split(",")))
        for operator, day in zip((">=", "<"), self.booked, strict=True):
            if day is not None:
                self.judged.append((f"booked {operator} ?", day))

    def _take_owned(self, sight: Sight) -> None:
        """Those on the owner's indicators, by the versions under which they are its, and those on the subject."""
        owned = sight.all_owned()
        if not self.leading and not sight.subject and len({code for _, code in owned}) == 1:
            self.leading = [("indicator = ?", owned[0][1])]
        seen = [f"indicator {version} {code}" for version, code in owned]
        seen += [f"subject {sight.subject}"] if sight.subject else []
        told = "ARRAY['indicator ' || version || ' ' || indicator, 'subject ' || subject]"
        self.judged.append((f"{told} && ?::text[]", seen))

    async def narrow(self) -> bool:
        """Bound the numbers by what is booked in the range; whether anything is."""
        start, end = self.booked
        if start is None or end is None or (end - start).days > LONGEST_RANGE:
            return True
        self.heads = await self.connection.fetch(
            """
            SELECT d.day, l.number AS last, f.number AS first
            FROM (SELECT day::date FROM generate_series($1::date, $2::date - 1, interval '1 day') day) d
            CROSS JOIN LATERAL (SELECT number FROM entry WHERE booked = d.day AND number < $3
                                ORDER BY number DESC LIMIT 1) l
            CROSS JOIN LATERAL (SELECT number FROM entry WHERE booked = d.day AND number > $4
                                ORDER BY number LIMIT 1) f
            ORDER BY l.number DESC
            """,
            start,
            end,
            self.below,
            self.above,
        )
        if not self.heads:
            return False
        self.below = min(self.below, self.heads[0]["last"] + 1)
        self.above = max(self.above, min(head["first"] for head in self.heads) - 1)
        return True

    async def find(self, limit: int, *, upward: bool) -> tuple[list[Mapping[str, Any]], int | None]:
        """So many at most, the nearest first, and the number to go on from (None: there is nothing more)."""
        if self.heads is not None and not (self.leading or self.judged[2:] or upward):
            return _cut(await self._by_day(limit + 1), limit)
        if not self.judged:
            return _cut(await self._look(limit + 1, limit + 1, upward=upward), limit)
        found: list[Mapping[str, Any]] = []
        last: int | None = None
        for _ in range(MOST_LOOKS):
            found += await self._look(limit + 1 - len(found), LOOK, upward=upward)
            if len(found) > limit:
                return _cut(found, limit)
            last = await self._looked_to(upward=upward)
            if last is None:
                break
            self.above, self.below = (last, self.below) if upward else (self.above, last)
        return found, last

    async def _look(self, limit: int, most: int, *, upward: bool) -> list[Mapping[str, Any]]:
        """Those that fit among the next so many that the leading filter brings."""
        near, values = self._near()
        order = "number" if upward else "number DESC"
        judged, values = self._judged(values)
        text = (
            f"SELECT * FROM (SELECT * FROM entry WHERE {near} ORDER BY {order} LIMIT {most}) near"  # noqa: S608
            f" WHERE {judged} ORDER BY {order} LIMIT {limit}"
        )
        rows: list[Mapping[str, Any]] = await self.connection.fetch(text, *values)
        return rows

    async def _looked_to(self, *, upward: bool) -> int | None:
        """The number of the last entry that was looked at; None where there were fewer."""
        near, values = self._near()
        order = "number" if upward else "number DESC"
        text = f"SELECT number FROM entry WHERE {near} ORDER BY {order} OFFSET {LOOK - 1} LIMIT 1"  # noqa: S608
        found: int | None = await self.connection.fetchval(text, *values)
        return found

    async def _by_day(self, limit: int) -> list[Mapping[str, Any]]:
        """The newest of all days of the range: those of the days with the newest entries, until no other day can
        have newer ones."""
        heads, read = self.heads or [], DAYS
        while True:
            rows: list[Mapping[str, Any]] = await self.connection.fetch(
                """
                SELECT e.* FROM (
                    SELECT n.number FROM unnest($1::date[]) day
                    CROSS JOIN LATERAL (SELECT number FROM entry WHERE booked = day AND number < $2
                                        ORDER BY number DESC LIMIT $3) n
                    ORDER BY n.number DESC LIMIT $3) k
                JOIN entry e ON e.number = k.number ORDER BY e.number DESC
                """,
                [head["day"] for head in heads[:read]],
                self.below,
                limit,
            )
            if read >= len(heads) or (len(rows) == limit and rows[-1]["number"] > heads[read]["last"]):
                return rows
            read *= 4

    def whole(self) -> tuple[str, list[Any]]:
        """The statement that finds everything."""
        near, values = self._near()
        judged, values = self._judged(values)
        text = (
            "SELECT e.*, s.name FROM entry e LEFT JOIN subject s ON s.code = e.subject"  # noqa: S608
            f" WHERE {near} AND {judged} ORDER BY number DESC"
        )
        return text, values

    def _near(self) -> tuple[str, list[Any]]:
        """What the index brings: by the leading filter, within the bounds."""
        return _numbered([("number < ?", self.below), ("number > ?", self.above), *self.leading], [])

    def _judged(self, values: list[Any]) -> tuple[str, list[Any]]:
        return _numbered(self.judged, values)


def _numbered(conditions: Sequence[tuple[str, Any]], values: list[Any]) -> tuple[str, list[Any]]:
    """Conditions with the numbers of their values, behind those that there are."""
    values = list(values)
    said = ["true"]
    for condition, value in conditions:
        values.append(value)
        said.append(condition.replace("?", f"${len(values)}"))
    return " AND ".join(said), values


def _cut(rows: Sequence[Mapping[str, Any]], limit: int) -> tuple[list[Mapping[str, Any]], int | None]:
    found = list(rows[:limit])
    return found, found[-1]["number"] if len(rows) > limit else None


async def sees_event(event: EventView, sight: Sight) -> bool:
    """Whether an event is in sight: its source's, one that charged somebody in sight, or one that measures."""
    if sight.source not in (None, event.source):
        return False
    if not sight.partial or sight.measures(event.type, event.version):
        return True
    wanted = EntryFilter(source=event.source, event=event.id, sight=sight)
    return bool((await page_entries(wanted, limit=1)).items)


def _out_of_sight(wanted: EntryFilter) -> bool:
    """Whether what is asked for is another's."""
    sight = wanted.sight
    if sight.blind or (sight.source is not None and wanted.source not in (None, sight.source)):
        return True
    return sight.owner is None and sight.subject is not None and wanted.subject not in (None, sight.subject)


def _impossible(wanted: EntryFilter) -> bool:
    """Whether the kind that is asked for contradicts the rest: nothing need be looked for."""
    if wanted.kind is None:
        return False
    if wanted.kind == "period" and (wanted.source is not None or wanted.event is not None):
        return True
    if wanted.rule is None or wanted.kind not in ("direct", "joint", "period"):
        return wanted.kind not in set(EntryKind)
    kinds = {
        "direct" if isinstance(rule, EventRule) else "joint" if isinstance(rule, JointRule) else "period"
        for version in get_current().bureau.versions
        for rule in version.rulebook.rules
        if rule.code == wanted.rule
    }
    return wanted.kind not in kinds
