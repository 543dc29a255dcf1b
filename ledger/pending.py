"""What is pending (待写): what changed of the present and is not written to PostgreSQL yet.

Rows that are new are copied; what a change replaces is removed first.
"""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from engine.amount import ZERO
from engine.book import Lot, Sheet, Taking
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import EventKey
from engine.lateness import unfinished
from engine.limits import Window
from engine.matters import Claim
from engine.recurrence import Recurrence, recurrence_of
from engine.report import canonical_json
from engine.turn import order_of
from ledger.current import Connection

_encoder = msgspec.json.Encoder()

_COLUMNS = {
    "event": "source id number type day instant booked grows",
    "recurrence": "digest place source id",
    "sheet": "source id rule compared content",
    "taking": "limit_code span subject sign turn taken source id rule compared content",
    "claim": "subject matter sign size place rule source id content",
}


class Pending:
    """Changes of the present in one transaction, between two writes."""

    def __init__(self) -> None:
        self._written: dict[Lot, Sheet] = {}
        self._replaced: set[Lot] = set()
        self._admitted: dict[EventKey, Recorded] = {}
        self._withdrawn: set[EventKey] = set()
        self._reread: set[EventKey] = set()
        self._deltas: dict[Window, Decimal] = {}

    def admit(self, recorded: Recorded, *, again: bool) -> None:
        """An event stands; ``again``: it did already, and is read anew."""
        key = recorded.event.key
        if again and key not in self._admitted:
            self._reread.add(key)
        self._admitted[key] = recorded

    def withdraw(self, key: EventKey) -> None:
        """An event stands no longer."""
        self._admitted.pop(key, None)
        self._withdrawn.add(key)

    def replace(self, before: Sheet | None, sheet: Sheet) -> None:
        """A sheet takes the place of another."""
        if before is not None:
            self._replaced.add(before.lot)
        for held, direction in ((before, -1), (sheet, 1)):
            for window, taking in held.takings if held is not None else ():
                self._deltas[window] = self._deltas.get(window, ZERO) + direction * taking.taken
        self._written[sheet.lot] = sheet

    async def write(self, connection: Connection, bureau: Bureau) -> None:
        """Write it all."""
        await self._remove(connection)
        await self._write_events(connection, bureau)
        await self.write_sheets(connection)
        deltas = [(*window, delta) for window, delta in self._deltas.items() if delta]
        if deltas:
            await connection.execute(
                """
                INSERT INTO present_room (limit_code, span, subject, sign, used)
                SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::numeric[])
                ON CONFLICT (limit_code, span, subject, sign) DO UPDATE SET used = present_room.used + excluded.used
                """,
                *columns(deltas, 5),
            )

    async def _remove(self, connection: Connection) -> None:
        if self._withdrawn:
            await connection.execute(
                "DELETE FROM present_event t USING unnest($1::text[], $2::text[]) AS a (source, id)"
                " WHERE t.source = a.source AND t.id = a.id",
                *columns(self._withdrawn, 2),
            )
        if self._withdrawn or self._reread:
            await connection.execute(
                "DELETE FROM present_recurrence t USING unnest($1::text[], $2::text[]) AS a (source, id)"
                " WHERE t.source = a.source AND t.id = a.id",
                *columns(self._withdrawn | self._reread, 2),
            )
        if not self._replaced:
            return
        lots = columns(self._replaced, 4)
        for table in ("sheet", "taking"):
            await connection.execute(
                f"""
                DELETE FROM present_{table} t USING unnest($1::text[], $2::text[], $3::text[], $4::text[])
                AS a (source, id, rule, compared)
                WHERE t.source = a.source AND t.id = a.id AND t.rule = a.rule AND t.compared = a.compared
                """,  # noqa: S608  (our own words only)
                *lots,
            )
        await connection.execute(
            "DELETE FROM present_claim t USING unnest($1::text[], $2::text[]) AS a (source, id)"
            " WHERE t.source = a.source AND t.id = a.id",
            *lots[:2],
        )

    async def _write_events(self, connection: Connection, bureau: Bureau) -> None:
        new: list[tuple[object, ...]] = []
        again: list[tuple[object, ...]] = []
        recurrences: list[tuple[object, ...]] = []
        for key, recorded in self._admitted.items():
            event = recorded.event
            version = bureau.version_at(event.time)
            grows = version is not None and unfinished(event, version.rulebook.event_types[event.type])
            if key in self._reread:
                again.append((*key, grows))
            else:
                day = bureau.day(event.time)
                new.append((*key, recorded.number, event.type, day, event.time, recorded.booked, grows))
            for same in bureau.repeats(event.type):
                recurrence = recurrence_of(event, same)
                if recurrence is not None:
                    recurrences.append((digest(recurrence), order_of(event), *key))
        if again:
            await connection.execute(
                """
                UPDATE present_event t SET grows = a.grows
                FROM unnest($1::text[], $2::text[], $3::boolean[]) AS a (source, id, grows)
                WHERE t.source = a.source AND t.id = a.id
                """,
                *columns(again, 3),
            )
        await _copy(connection, "event", new)
        await _copy(connection, "recurrence", recurrences)

    async def write_sheets(self, connection: Connection) -> None:
        """Write the sheets with their takings and claims, and nothing else."""
        sheets = [sheet for sheet in self._written.values() if sheet.postings]
        await _copy(connection, "sheet", [(*sheet.lot, _json(sheet)) for sheet in sheets])
        await _copy(
            connection,
            "taking",
            [
                (*window, taking.turn, taking.taken, *taking.lot, _json(taking))
                for sheet in sheets
                for window, taking in sheet.takings
            ],
        )
        await _copy(
            connection,
            "claim",
            [
                (*matter, claim.size, claim.order, claim.rule, *claim.key.event, _json(claim))
                for sheet in sheets
                for matter, claim in sheet.claims
            ],
        )


def digest(recurrence: Recurrence) -> str:
    """A recurrence as a short text."""
    return hashlib.sha256(canonical_json(recurrence)).hexdigest()


def columns(rows: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """The rows' columns, for ``unnest``."""
    found: list[list[object]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(found, row, strict=True):
            column.append(value)
    return found


async def _copy(connection: Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        await connection.copy_records_to_table(f"present_{table}", records=rows, columns=_COLUMNS[table].split())


def _json(held: Sheet | Taking | Claim) -> str:
    return _encoder.encode(held).decode()
