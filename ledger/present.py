"""The present on PostgreSQL (现行账): what planning reads, loaded as it asks.

:class:`Present` is a book of which only parts are known. Where planning asks for more it is given
the likeliest answer, "nothing", and the question is noted; :meth:`Present.load` then reads all that
was asked in a few statements, and the plan is made again. One more event in order asks the same
few things however long the ledger is.
"""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from itertools import islice
from typing import TypeVar

import msgspec

from engine.amount import ZERO
from engine.book import Book, Lot, Sheet, Taking
from engine.bureau import Bureau
from engine.charge import ChargeKey, Recorded
from engine.event import Event, EventKey
from engine.limits import Window
from engine.matters import Claim, Matter
from engine.publication import reread_report
from engine.recurrence import Recurrence, recurrence_of
from engine.turn import order_of
from ledger.current import Connection
from ledger.pending import Pending, columns, digest

USERS = 10
"""Charges named at most where a limit left too little room."""
CLAIMS = 32
"""Claims of one matter read at a time: the best ones."""
MOST_KEPT = 20_000
"""Events and sheets that a process keeps in mind at most from one transaction to the next: some 50 MB."""
LATEST_KEPT = 100
"""Takings of a window that it keeps in mind from one transaction to the next: the latest in turn."""

READ = 1_000
"""Events that are read at a time, so that the process answers others in between."""

_sheets = msgspec.json.Decoder(Sheet)
_takings = msgspec.json.Decoder(Taking)
_claims = msgspec.json.Decoder(Claim)

T = TypeVar("T", Taking, Claim)


class Unread(Exception):
    """Planning needs something that was not read and cannot be guessed; it is noted."""


class Present(Book):
    """The known part of the present: of one transaction, and of those after it as long as nobody else posts.

    ``head`` is the hash of the chain's head at which it was true.
    """

    def __init__(self, connection: Connection, bureau: Bureau) -> None:
        super().__init__()
        self.bureau = bureau
        self.head = ""
        self._connection = connection
        self._known_events: set[EventKey] = set()
        self._known_takings: dict[Window, str] = {}
        self._grown: set[Window] = set()
        self._known_claims: dict[Matter, int] = {}
        self._known_recurrences: dict[Recurrence, str] = {}
        self._ask_events: set[EventKey] = set()
        self._ask_takings: dict[Window, str] = {}
        self._ask_claims: dict[Matter, int] = {}
        self._ask_recurrences: dict[Recurrence, str] = {}
        self.pending = Pending()

    # across transactions

    def go_on(self, connection: Connection) -> "Present":
        """The same knowledge in a further transaction, of every window the latest takings."""
        self._connection = connection
        for window in self._grown:
            held = self._takings[window]
            if len(held) > 2 * LATEST_KEPT:
                self._forget_early(window, held)
        self._grown.clear()
        return self

    def _forget_early(self, window: Window, held: list[Taking]) -> None:
        """Keep the latest takings, all of the first one's turn, and the few before that may have used the room."""
        start = held[-LATEST_KEPT].turn
        place = bisect_left(held, (start,))
        users = [taking for taking in reversed(held[:place]) if taking.taken][:USERS]
        held[:place] = reversed(users)
        self._known_takings[window] = max(start, self._known_takings[window])

    def holds(self, head: str, bureau: Bureau) -> bool:
        """Whether it is still all true: nobody posted since, and the bureau is the same; and it is not too much."""
        return self.head == head and self.bureau is bureau and len(self.sheets) + len(self.events) < MOST_KEPT

    # what planning asks

    def recorded(self, key: EventKey) -> Recorded | None:
        if key not in self._known_events:
            self._ask_events.add(key)
            raise Unread
        return self.events.get(key)

    def sheet(self, lot: Lot) -> Sheet | None:
        if EventKey(lot.source, lot.id) not in self._known_events:
            self._ask_events.add(EventKey(lot.source, lot.id))
            raise Unread
        return self.sheets.get(lot)

    def recalled(self, recurrence: Recurrence, before: str) -> Event | None:
        return super().recalled(recurrence, before) if self._knows_recurrence(recurrence, before) else None

    def recalling(self, recurrence: Recurrence, after: str) -> Sequence[Event]:
        return super().recalling(recurrence, after) if self._knows_recurrence(recurrence, after) else ()

    def leading(self, matter: Matter, without: Collection[Lot]) -> Claim | None:
        known = self._known_claims.get(matter)
        if known is None:
            self._ask_claims[matter] = CLAIMS
            return None
        found = super().leading(matter, without)
        if found is None and known and len(self._claims.get(matter, ())) >= known:
            self._ask_claims[matter] = known * 8
        return found

    def used(self, window: Window) -> Decimal:
        if window not in self._known_takings:
            return ZERO
        return super().used(window)

    def takings(self, window: Window, start: str) -> Sequence[Taking]:
        known = self._known_takings.get(window)
        if known is None or start < known:
            self._ask_takings[window] = min(start, self._ask_takings.get(window, start))
            return ()
        return super().takings(window, start)

    def _knows_recurrence(self, recurrence: Recurrence, place: str) -> bool:
        known = self._known_recurrences.get(recurrence)
        if known is not None and known <= place:
            return True
        self._ask_recurrences[recurrence] = min(place, self._ask_recurrences.get(recurrence, place))
        return False

    # reading

    @property
    def asked(self) -> bool:
        """Whether planning asked for something that is not known."""
        return bool(self._ask_events or self._ask_takings or self._ask_claims or self._ask_recurrences)

    def expect_new(self, keys: Iterable[EventKey]) -> None:
        """These events are not in the ledger; there is nothing to read of them."""
        self._known_events.update(keys)

    def foresee(self, event: Event) -> None:
        """Ask what recording an event will most likely ask: who rivals it for its matter, and what it repeats."""
        if event.matter is not None:
            for sign in (-1, 1):
                matter = Matter(event.subject, event.matter, sign)
                if matter not in self._known_claims:
                    self._ask_claims[matter] = CLAIMS
        for same in self.bureau.repeats(event.type):
            recurrence = recurrence_of(event, same)
            if recurrence is not None:
                self._knows_recurrence(recurrence, order_of(event))

    async def load(self) -> None:
        """Read everything that was asked. What changed must be written already."""
        if self._ask_claims:
            await self._load_claims()
        if self._ask_takings:
            await self._load_takings()
        if self._ask_recurrences:
            await self._load_recurrences()
        if self._ask_events:
            await self.load_events(self._ask_events)
            self._ask_events = set()

    async def load_events(self, keys: Iterable[EventKey]) -> None:
        """Read events and their sheets, those that do not stand too."""
        wanted = [key for key in keys if key not in self._known_events]
        for begun in range(0, len(wanted), READ):
            await self._load_some(wanted[begun : begun + READ])

    async def _load_some(self, keys: Sequence[EventKey]) -> None:
        sources, ids = columns(keys, 2)
        rows = await self._connection.fetch(
            """
            SELECT e.source, e.id, e.type, e.subject, e.time, e.recorded_at, e.matter, e.parties, e.basis, e.data,
                   e.number, p.booked
            FROM unnest($1::text[], $2::text[]) AS a (source, id)
            JOIN present_event p ON p.source = a.source AND p.id = a.id
            JOIN event e ON e.number = p.number
            """,
            sources,
            ids,
        )
        for row in rows:
            recorded = read_recorded(row, self.bureau)
            self.events[recorded.event.key] = recorded
        sheets = await self._connection.fetch(
            """
            SELECT s.source, s.id, s.content FROM unnest($1::text[], $2::text[]) AS a (source, id)
            JOIN present_sheet s ON s.source = a.source AND s.id = a.id
            """,
            sources,
            ids,
        )
        for row in sheets:
            sheet = _sheets.decode(row["content"])
            self.sheets[sheet.lot] = sheet
        self._known_events.update(keys)

    async def _load_takings(self) -> None:
        asked = list(self._ask_takings.items())
        of = columns((window for window, _ in asked), 4)
        rows = await self._connection.fetch(
            """
            SELECT t.limit_code, t.span, t.subject, t.sign, t.content
            FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[])
                 AS a (lim, span, subject, sign, start)
            CROSS JOIN LATERAL (
                (SELECT * FROM present_taking n WHERE n.limit_code = a.lim AND n.span = a.span
                 AND n.subject = a.subject AND n.sign = a.sign AND n.turn >= a.start COLLATE "C")
                UNION ALL
                (SELECT * FROM present_taking b WHERE b.limit_code = a.lim AND b.span = a.span
                 AND b.subject = a.subject AND b.sign = a.sign AND b.turn < a.start COLLATE "C" AND b.taken > 0
                 ORDER BY b.turn DESC LIMIT $6)) AS t
            """,
            *of,
            [start for _, start in asked],
            USERS,
        )
        used = await self._connection.fetch(
            """
            SELECT r.limit_code, r.span, r.subject, r.sign, r.used
            FROM unnest($1::text[], $2::text[], $3::text[], $4::int[]) AS a (lim, span, subject, sign)
            JOIN present_room r ON r.limit_code = a.lim AND r.span = a.span AND r.subject = a.subject
                 AND r.sign = a.sign
            """,
            *of,
        )
        for window, start in asked:
            self._takings[window] = []
            self._used[window] = ZERO
            self._known_takings[window] = start
            self._grown.add(window)
        for row in rows:
            taking = _takings.decode(row["content"])
            window = Window(row["limit_code"], row["span"], row["subject"], row["sign"])
            self._takings[window].append(taking)
            if taking.turn >= self._known_takings[window]:
                self._ask_events.add(EventKey(taking.lot.source, taking.lot.id))
        for window, _ in asked:
            self._takings[window].sort()
        for row in used:
            self._used[Window(row["limit_code"], row["span"], row["subject"], row["sign"])] = row["used"]
        self._ask_takings = {}

    async def _load_claims(self) -> None:
        asked = list(self._ask_claims.items())
        rows = await self._connection.fetch(
            """
            SELECT c.subject, c.matter, c.sign, c.content
            FROM unnest($1::text[], $2::text[], $3::int[], $4::int[]) AS a (subject, matter, sign, most)
            CROSS JOIN LATERAL (
                SELECT * FROM present_claim p WHERE p.subject = a.subject AND p.matter = a.matter AND p.sign = a.sign
                ORDER BY p.size, p.place, p.rule LIMIT a.most) AS c
            """,
            *columns((matter for matter, _ in asked), 3),
            [most for _, most in asked],
        )
        for matter, most in asked:
            self._claims[matter] = []
            self._known_claims[matter] = most
        for row in rows:
            claim = _claims.decode(row["content"])
            insort(self._claims[Matter(row["subject"], row["matter"], row["sign"])], claim)
        self._ask_claims = {}

    async def _load_recurrences(self) -> None:
        asked = list(self._ask_recurrences.items())
        rows = await self._connection.fetch(
            """
            SELECT a.digest AS digest, a.start, r.place, r.source, r.id
            FROM unnest($1::text[], $2::text[]) AS a (digest, start)
            JOIN present_recurrence r ON r.digest = a.digest AND r.place >= coalesce(
                (SELECT max(b.place) FROM present_recurrence b
                 WHERE b.digest = a.digest AND b.place < a.start COLLATE "C"),
                a.start) COLLATE "C"
            ORDER BY r.place
            """,
            [digest(recurrence) for recurrence, _ in asked],
            [start for _, start in asked],
        )
        by_digest = {digest(recurrence): recurrence for recurrence, _ in asked}
        for recurrence, start in asked:
            self._recurring[recurrence] = []
            self._known_recurrences[recurrence] = start
        for row in rows:
            key = EventKey(row["source"], row["id"])
            self._recurring[by_digest[row["digest"]]].append((row["place"], key))
            self._ask_events.add(key)
        self._ask_recurrences = {}

    def users(self, window: Window, before: str) -> list[ChargeKey]:
        """The latest charges that took of a window's room before a turn, the latest first."""
        held = self._takings[window]
        earlier = held[: bisect_left(held, (before,))]
        return list(islice((taking.key for taking in reversed(earlier) if taking.taken), USERS))

    # how it changes

    def _list(self, recurrence: Recurrence) -> list[tuple[str, EventKey]]:
        return self._recurring[recurrence]

    def _recurrences(self, event: Event) -> Iterable[Recurrence]:
        found = (recurrence_of(event, same) for same in self.bureau.repeats(event.type))
        return [each for each in found if each is not None and each in self._known_recurrences]

    def keep(self, recorded: Iterable[Recorded], withdrawn: Iterable[EventKey], sheets: Mapping[Lot, Sheet]) -> None:
        """Take over a plan; it is written at the next :meth:`flush`."""
        recorded, withdrawn = list(recorded), list(withdrawn)
        for each in recorded:
            self.pending.admit(each, again=each.event.key in self.events)
        for key in withdrawn:
            self.pending.withdraw(key)
        super().keep(recorded, withdrawn, sheets)

    def _replace(self, lot: Lot, sheet: Sheet) -> None:
        before = self.sheets.pop(lot, None)
        self.pending.replace(before, sheet)
        for held, direction in ((before, -1), (sheet, 1)):
            for window, taking in held.takings if held is not None else ():
                if window in self._known_takings:
                    _change(self._takings[window], taking, direction)
                    self._grown.add(window)
                    self._used[window] += direction * taking.taken
            for matter, claim in held.claims if held is not None else ():
                if matter in self._known_claims:
                    _change(self._claims[matter], claim, direction)
        if sheet.postings:
            self.sheets[lot] = sheet

    # writing

    async def flush(self) -> None:
        """Write what changed."""
        pending, self.pending = self.pending, Pending()
        await pending.write(self._connection, self.bureau)

    def learn_recurrences(self, standing: Mapping[Recurrence, Iterable[Recorded]]) -> None:
        """Take over what later events may repeat, of each recurrence everything that stands."""
        for recurrence, events in standing.items():
            self._recurring[recurrence] = sorted((order_of(each.event), each.event.key) for each in events)
            self._known_recurrences[recurrence] = ""

    async def write_recurrences(self, rows: Sequence[tuple[str, str, str, str]]) -> None:
        """Note what later events may repeat."""
        if rows:
            await self._connection.execute(
                """
                INSERT INTO present_recurrence (digest, place, source, id)
                SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING
                """,
                *columns(rows, 4),
            )


def read_recorded(row: Mapping[str, object], bureau: Bureau) -> Recorded:
    """An event's row as it stands, typed by the version that now rules its time."""
    tree = {key: row[key] for key in ("source", "id", "type", "subject", "matter", "basis") if row[key] is not None}
    for key in ("time", "recorded_at"):
        instant = row[key]
        if instant is not None:
            tree[key] = instant.astimezone(UTC).isoformat()  # type: ignore[attr-defined]
    tree["parties"] = msgspec.json.decode(str(row["parties"]))
    tree["data"] = msgspec.json.decode(str(row["data"]))
    number = row["number"]
    assert isinstance(number, int)
    return Recorded(event=reread_report(tree, bureau), booked=row["booked"], number=number)  # type: ignore[arg-type]


def _change(held: list[T], item: T, direction: int) -> None:
    place = bisect_left(held, item)
    if direction > 0:
        held.insert(place, item)
    elif place < len(held) and held[place] == item:
        del held[place]
