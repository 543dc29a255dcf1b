"""Checking the present (核对现行账): the tables present_… say what the ledger says, for they hold nothing of their own.

A sheet's amounts are those of the recount; its takings and claims follow from its charges; the tables of
takings, claims, rooms and recurrences follow from the sheets and the events. What a sheet further keeps
to be shown (the arithmetic, the path, the room that was found when it was made, who is counted instead)
is what its entries say, and is not compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.amount import EXACT
from engine.book import Lot, Sheet, draw_up, windows_held
from engine.bureau import Bureau
from engine.charge import Charge, Posting
from engine.evaluation import PeriodCharge
from engine.turn import order_in
from ledger.beside_check import plain
from ledger.crew import Reader
from ledger.difference import Difference
from ledger.fingerprint import SEPARATOR, Fingerprint
from ledger.history import History
from ledger.past import indicators_of
from ledger.recount import charge_key, sheet_item

PLACES = 20
"""Digits behind the point to which rooms are added up; no amount has more."""

_TABLES: Mapping[str, str] = {
    "present_taking": "limit_code, span, subject, sign, turn, taken, source, id, rule, compared, content",
    "present_claim": "subject, matter, sign, size, place, rule, source, id, content",
    "present_recurrence": "digest, place, source, id",
}


@dataclass
class Sheets:
    """What the present sheets say: their charges, and the takings, rooms and claims that follow from them."""

    charges: Fingerprint
    takings: Fingerprint
    rooms: Fingerprint
    claims: Fingerprint
    found: Difference | None = None


async def pages_of(reader: Reader, table: str, parts: int) -> list[tuple[int, int]]:
    """A table in parts, by the pages it lies on."""
    pages: int = await reader.connection.fetchval(
        "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::int + 1", table
    )
    bounds = [pages * part // parts for part in range(parts)]
    return list(zip(bounds, [*bounds[1:], 2**31], strict=True))


def _within(first: int, last: int) -> str:
    return f"ctid >= '({first},0)'::tid AND ctid < '({last},0)'::tid"


async def read_sheets(
    reader: Reader, first: int, last: int, charges: Sequence[PeriodCharge], kept: Sequence[int] = ()
) -> Sheets:
    """Read the sheets on some pages, each held to what follows from its charges."""
    bureau = (await reader.history()).now.bureau
    checking = _Checking(bureau, charges)
    found = Sheets(
        charges=reader.fingerprint(kept),
        takings=reader.fingerprint(kept),
        rooms=reader.fingerprint(kept),
        claims=reader.fingerprint(kept),
    )
    decoder = msgspec.json.Decoder(Sheet)
    query = f"SELECT source, id, rule, compared, content FROM present_sheet WHERE {_within(first, last)}"  # noqa: S608
    async for rows in reader.rows(query):
        for *lot, content in rows:
            found.found = found.found or _read_sheet(found, checking, Lot(*lot), content, decoder)
    return found


def _read_sheet(
    found: Sheets, checking: "_Checking", lot: Lot, content: str, decoder: "msgspec.json.Decoder[Sheet]"
) -> Difference | None:
    where = " ".join(filter(None, lot))
    try:
        sheet = decoder.decode(content)
        expected = checking.expect(sheet)
    except (msgspec.MsgspecError, LookupError) as error:
        return Difference.of("present", "present_sheet", where=where, there=error)
    if sheet.lot != lot or sheet != expected:
        return Difference.of("present", "present_sheet", where=where, there=content, expected=plain(expected))
    for posting in sheet.postings:
        charge = posting.charge
        superseded = posting.superseded_by is not None
        amounts = cents_of(charge.nominal), cents_of(posting.posted)
        item = sheet_item(charge_key(charge.key), sheet.turn, charge.version, *amounts, charge.matter, superseded)
        found.charges.add(item)
    for window, taking in sheet.takings:
        room = SEPARATOR.join((window.limit, window.span, window.subject, str(window.sign)))
        written = (room, taking.turn, f"{taking.taken:f}", *taking.lot, plain(taking))
        found.takings.add(SEPARATOR.join(written))
        if taking.taken:
            found.rooms.add(room, _whole(taking.taken))
    for matter, claim in sheet.claims:
        said = (matter.subject, matter.matter, str(matter.sign), claim.size, claim.order, str(claim.rule))
        found.claims.add(SEPARATOR.join((*said, *claim.key.event, plain(claim))))
    return None


class _Checking:
    """What a sheet should be by its charges."""

    def __init__(self, bureau: Bureau, charges: Iterable[PeriodCharge]) -> None:
        self._bureau = bureau
        self._of_periods = {each.charge.key: each.charge for each in charges}
        self._limits = {
            (version.number, rule.code): getattr(rule, "limits", ())
            for version in bureau.versions
            for rule in version.rulebook.rules
        }
        self._indicators = {version.number: indicators_of(version.rulebook) for version in bureau.versions}

    def expect(self, sheet: Sheet) -> Sheet:
        """The sheet drawn up anew from its charges."""
        order = order_in(sheet.turn) if sheet.lot.source else ""
        booked = date.fromisoformat(sheet.turn[:10])
        postings = [self._posting(posting, booked) for posting in sheet.postings]
        return draw_up(sheet.lot, sheet.turn, order, postings, windows_held(self._bureau, postings))

    def _posting(self, posting: Posting, booked: date) -> Posting:
        charge = self._charge(posting.charge)
        if charge is posting.charge and posting.booked == booked:
            return posting
        return msgspec.structs.replace(posting, charge=charge, booked=booked)

    def _charge(self, charge: Charge) -> Charge:
        """The charge with the limits and the indicator of its rule; a period's charge as it was settled."""
        key = charge.key
        if not key.source:
            return msgspec.structs.replace(self._of_periods[key], arithmetic=charge.arithmetic)
        limits = self._limits[charge.version, key.rule]
        indicator = self._indicators[charge.version][key.origin_rule, key.rule]
        if charge.limits == limits and charge.indicator == indicator:
            return charge
        return msgspec.structs.replace(charge, limits=limits, indicator=indicator)


async def read_table(reader: Reader, table: str, first: int, last: int, kept: Sequence[int] = ()) -> Fingerprint:
    """What the rows of a table say that lie on some pages."""
    found = reader.fingerprint(kept)
    columns = _TABLES[table].replace("taken", "taken::text")
    query = f"SELECT concat_ws(E'{SEPARATOR}', {columns}) FROM {table} WHERE {_within(first, last)}"  # noqa: S608
    async for rows in reader.rows(query):
        for (said,) in rows:
            found.add(said)
    return found


async def read_rooms(reader: Reader, kept: Sequence[int] = ()) -> Fingerprint:
    """What is used of every room."""
    found = reader.fingerprint(kept)
    async for rows in reader.rows("SELECT limit_code, span, subject, sign, used FROM present_room"):
        for limit, span, subject, sign, used in rows:
            if used:
                found.add(SEPARATOR.join((limit, span, subject, str(sign))), _whole(used))
    return found


async def check_events(reader: Reader, history: History, growing: Iterable[int]) -> Difference | None:
    """The events that stand are those that were recorded and not withdrawn, as they were recorded."""
    rows = await reader.connection.fetch(
        """
        SELECT coalesce(e.number, p.number) AS number,
               coalesce(p.source, e.source) || '/' || coalesce(p.id, e.id) AS name,
               e.number IS NOT NULL AS recorded, p.number IS NOT NULL AS stands
        FROM event e FULL JOIN present_event p ON p.number = e.number
        WHERE e.number IS NULL OR p.number IS NULL OR (p.source, p.id, p.type, p.instant, p.booked, p.day) IS DISTINCT
              FROM (e.source::text, e.id::text, e.type::text, e.time, e.booked, (e.time AT TIME ZONE $1)::date)
        ORDER BY 1
        """,
        reader.task.timezone,
    )
    missing = {row["number"]: row["name"] for row in rows if row["recorded"] and not row["stands"]}
    for row in rows:
        if row["stands"]:
            return Difference.of("present_event", "present_event", row["number"], where=row["name"])
    for number in sorted({*missing, *history.withdrawn}):
        if number not in history.withdrawn:
            return Difference.of("not_standing", "present_event", number, where=missing[number])
        if number not in missing:
            return Difference.of("standing", "present_event", number)
    there = {row["number"] for row in await reader.connection.fetch("SELECT number FROM present_event WHERE grows")}
    for number in sorted(there ^ set(growing)):
        return Difference.of("grows", "present_event", number, there=number in there, expected=number not in there)
    return None


def cents_of(amount: Decimal) -> int | Fraction:
    """An amount in cents."""
    exact = Fraction(amount) * 100 if amount.as_tuple().exponent < -2 else None  # type: ignore[operator]
    if exact is None or exact.denominator == 1:
        return int(EXACT.scaleb(amount, 2))
    return exact


def _whole(amount: Decimal) -> int:
    return int(EXACT.scaleb(amount, PLACES))
