"""Checking the chain (核对链): numbers without a gap, every hash recomputed, the head, noted seals.

A range is checked by itself, given the hash that the record before it bears. What its entries posted is
fingerprinted on the way, to be compared with the recount.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.crew import Reader
from ledger.difference import Difference, Seal
from ledger.fingerprint import SEPARATOR, Fingerprint
from ledger.records import FORMS, Record, bind, read_records

_ENTRY = FORMS["entry"]
_KEY = [
    _ENTRY.places[name]
    for name in ("source", "event", "period", "origin_rule", "origin_subject", "rule", "subject", "indicator")
]
_POSTED = _ENTRY.places["posted"]
_ON = [_ENTRY.places[name] for name in ("version", "origin_rule", "rule", "indicator")]

Charged = tuple[int, str, str, str | None]
"""Of an entry: version, origin rule, rule, indicator."""


@dataclass
class Link:
    """What checking a range found: the first difference, what its entries posted, and on which indicators."""

    sums: Fingerprint
    found: Difference | None = None
    charged: dict[Charged, int] = field(default_factory=dict)
    last: str = ""
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FORMS, 0))


async def check_range(reader: Reader, first: int, last: int, kept: Sequence[int] = ()) -> Link:
    """Check the records of a range."""
    link = Link(reader.fingerprint(kept), last=await _hash_of(reader, first - 1))
    expected = first
    async for block in read_records(reader.connection, first, last):
        for record in block:
            link.found = link.found or _follow(link, record, expected)
            expected = record.number + 1
            link.counts[record.kind] += 1
            if record.kind == "entry":
                _add(link, record)
        reader.report(len(block))
    if expected <= last:
        link.found = link.found or Difference.of("missing", "record", expected)
    return link


def _follow(link: Link, record: Record, expected: int) -> Difference | None:
    """What is wrong with the next record."""
    if record.number < expected:
        return Difference.of("twice", record.kind, record.number)
    if record.number > expected:
        return Difference.of("missing", "record", expected)
    bound = bind(link.last, record)
    link.last = record.hash
    if bound != record.hash:
        return Difference.of("hash", record.kind, record.number, there=record.hash, expected=bound)
    return None


def entry_key(values: Sequence[str | None]) -> str:
    """The key of what an entry posts to: its columns source, event, period, origin, rule, subject, indicator."""
    source, event, period, *charge, indicator = values
    return SEPARATOR.join([source or "", (event if source else period) or "", *map(str, charge), indicator or ""])


def _add(link: Link, record: Record) -> None:
    values = record.values
    posted = int(values[_POSTED].replace(".", ""))
    if posted:
        link.sums.add(entry_key([values[place] for place in _KEY]), posted)
    version, origin, rule, indicator = [values[place] for place in _ON]
    link.charged.setdefault((version, origin, rule, indicator), record.number)


async def _hash_of(reader: Reader, number: int) -> str:
    for kind in FORMS:
        query = f"SELECT hash FROM {kind} WHERE number = $1"  # noqa: S608  (our own words)
        found: str | None = await reader.connection.fetchval(query, number)
        if found is not None:
            return found
    return ""


async def check_ends(reader: Reader, length: int) -> Difference | None:
    """Whether a record lies before the first or behind the last number."""
    for kind in FORMS:
        query = f"SELECT min(number) FROM {kind} WHERE number < 1 OR number > $1"  # noqa: S608  (our own words)
        number = await reader.connection.fetchval(query, length)
        if number is not None:
            return Difference.of("beyond", kind, number, expected=length)
    return None


async def check_seals(reader: Reader, length: int, seals: Iterable[Seal]) -> Difference | None:
    """Whether the chain has just that head at the length of each seal."""
    for seal in sorted(seals, key=lambda each: each.length):
        if seal.length > length:
            return Difference.of("cut", "chain", seal.length, there=length, expected=seal.length)
        hashed = await _hash_of(reader, seal.length)
        if hashed != seal.head:
            return Difference.of("seal", "chain", seal.length, there=hashed, expected=seal.head)
    return None
