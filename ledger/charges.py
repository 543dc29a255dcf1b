"""The charges of one event, or of one comparison of a period (计分树), as the ledger has them.

A charge is the sum of its entries: what it came to first, and the differences since. Joint charges stand below the
direct one that they travelled from, in the order of their paths.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from engine.amount import ZERO
from engine.charge import ChargeKey
from engine.event import EventKey
from ledger.current import Connection
from ledger.sight import Sight

MOST = 1_000
"""Entries of one event or comparison that are read at most."""
SHOWN = 300
"""Charges that are told at most."""

_COLUMNS = (
    "number, source, event, period, rule, version, subject, indicator, origin_rule, origin_subject, nominal, posted,"
    " detail"
)


class ClippedView(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that left a charge less than it wanted: its room, and what was taken of it."""

    limit: str
    window: str
    room: Decimal
    taken: Decimal


class ChargeView(msgspec.Struct, frozen=True, kw_only=True):
    """A charge. ``path`` is from the directly charged to the charged subject, ``relation`` that of its last hop.

    ``entry`` is its first entry; ``nominal`` and ``clipped`` are as its latest one has them; ``posted`` is what all
    its entries come to; ``superseded`` tells that its matter counts another charge.
    """

    rule: str
    subject: str
    origin_rule: str
    origin_subject: str
    relation: str | None
    path: tuple[str, ...]
    entry: int
    entries: int
    nominal: Decimal
    posted: Decimal
    clipped: tuple[ClippedView, ...]
    superseded: bool


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """Charges in the order of their tree; ``hidden`` are out of sight, ``more`` are left out for their number."""

    items: tuple[ChargeView, ...]
    hidden: int = 0
    more: int = 0


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A charge elsewhere that matters here: its first entry, whose it is, and what it came to.

    Out of sight, ``posted`` is None.
    """

    entry: int
    rule: str
    subject: str
    source: str | None
    event: str | None
    period: str | None
    posted: Decimal | None


class Summed(NamedTuple):
    """A charge's first entry, what it came to, and the latest row of it."""

    entry: int
    entries: int
    posted: Decimal
    latest: Mapping[str, Any]


async def rows_of_event(connection: Connection, key: EventKey) -> Sequence[Mapping[str, Any]]:
    """The entries of an event, in order."""
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(
        f"SELECT {_COLUMNS} FROM entry WHERE source = $1 AND event = $2 ORDER BY number LIMIT {MOST + 1}",  # noqa: S608
        *key,
    )
    return rows


async def rows_of_comparison(connection: Connection, period: str, rule: str, of: str) -> Sequence[Mapping[str, Any]]:
    """The entries of one comparison of a period's settlements, in order."""
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(
        f"SELECT {_COLUMNS} FROM entry WHERE period = $1 AND origin_rule = $2 AND origin_subject = $3"  # noqa: S608
        f" ORDER BY number LIMIT {MOST + 1}",
        period,
        rule,
        of,
    )
    return rows


def key_of(row: Mapping[str, Any]) -> ChargeKey:
    """The charge that an entry is of."""
    return ChargeKey(
        row["source"] or "",
        row["event"] if row["source"] is not None else row["period"],
        row["origin_rule"],
        row["origin_subject"],
        row["rule"],
        row["subject"],
    )


def add_up(rows: Iterable[Mapping[str, Any]]) -> dict[ChargeKey, Summed]:
    """The charges that entries are of, each with the sum of its entries."""
    found: dict[ChargeKey, Summed] = {}
    for row in rows:
        key = key_of(row)
        known = found.get(key, Summed(row["number"], 0, ZERO, row))
        found[key] = Summed(known.entry, known.entries + 1, known.posted + row["posted"], row)
    return found


def view_charges(rows: Sequence[Mapping[str, Any]], sight: Sight) -> Charges:
    """The tree of these entries' charges, as far as it is in sight."""
    summed = add_up(rows[:MOST])
    seen = [_view(key, each) for key, each in summed.items() if _in_sight(each, sight)]
    seen.sort(key=lambda each: (each.origin_rule, each.origin_subject, len(each.path) > 1, each.path, each.rule))
    left = max(0, len(seen) - SHOWN) + max(0, len(rows) - MOST)
    return Charges(items=tuple(seen[:SHOWN]), hidden=len(summed) - len(seen), more=left)


def _in_sight(summed: Summed, sight: Sight) -> bool:
    """Whether a charge is in sight, as its latest entry has it."""
    row = summed.latest
    return sight.sees(row["source"], row["subject"], row["indicator"], row["version"])


def _view(key: ChargeKey, summed: Summed) -> ChargeView:
    detail = msgspec.json.decode(summed.latest["detail"])
    hops = detail["path"]
    return ChargeView(
        rule=key.rule,
        subject=key.subject,
        origin_rule=key.origin_rule,
        origin_subject=key.origin_subject,
        relation=hops[-1]["relation"] if hops else None,
        path=(key.origin_subject, *(hop["subject"] for hop in hops)) if hops else (key.subject,),
        entry=summed.entry,
        entries=summed.entries,
        nominal=summed.latest["nominal"],
        posted=summed.posted,
        clipped=tuple(view_clipped(detail["rooms"], summed.latest["nominal"])),
        superseded=detail["superseded_by"] is not None,
    )


def view_clipped(rooms: Iterable[Mapping[str, Any]], nominal: Decimal) -> Iterable[ClippedView]:
    """The limits that left less than was wanted."""
    for room in rooms:
        if Decimal(room["room"]) < abs(nominal):
            yield ClippedView(
                limit=room["limit"], window=room["window"], room=Decimal(room["room"]), taken=Decimal(room["taken"])
            )


async def charges_named(
    connection: Connection, keys: Sequence[ChargeKey], sight: Sight, *, before: int | None = None
) -> dict[ChargeKey, UserView]:
    """These charges as the ledger had them before an entry (None: as it has them), by their keys."""
    rows: list[Mapping[str, Any]] = []
    of_events = [key for key in keys if key.source]
    of_periods = [key[1:] for key in keys if not key.source]
    for text, wanted in ((_OF_EVENTS, of_events), (_OF_PERIODS, of_periods)):
        if wanted:
            rows += await connection.fetch(text, *(list(column) for column in zip(*wanted, strict=True)), before)
    found = {}
    for key, each in add_up(rows).items():
        found[key] = UserView(
            entry=each.entry,
            rule=key.rule,
            subject=key.subject,
            source=key.source or None,
            event=key.id if key.source else None,
            period=None if key.source else key.id,
            posted=each.posted if _in_sight(each, sight) else None,
        )
    return found


_OF_EVENTS = """
    SELECT e.number, e.source, e.event, e.period, e.rule, e.version, e.subject, e.indicator, e.origin_rule,
           e.origin_subject, e.posted
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         AS k (source, id, origin_rule, origin_subject, rule, subject)
    JOIN entry e ON e.source = k.source AND e.event = k.id AND e.origin_rule = k.origin_rule
         AND e.origin_subject = k.origin_subject AND e.rule = k.rule AND e.subject = k.subject
    WHERE $7::bigint IS NULL OR e.number < $7 ORDER BY e.number
"""
_OF_PERIODS = """
    SELECT e.number, e.source, e.event, e.period, e.rule, e.version, e.subject, e.indicator, e.origin_rule,
           e.origin_subject, e.posted
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
         AS k (id, origin_rule, origin_subject, rule, subject)
    JOIN entry e ON e.period = k.id AND e.origin_rule = k.origin_rule
         AND e.origin_subject = k.origin_subject AND e.rule = k.rule AND e.subject = k.subject
    WHERE $6::bigint IS NULL OR e.number < $6 ORDER BY e.number
"""
