"""Records (链上记录): events, entries and acts read back in the chain's order, each with its canonical text.

The text is made in another way than :mod:`ledger.chain` makes it when it writes (PostgreSQL writes
amounts and instants, msgspec the JSON), so that a mistake of either shows; a test holds them to the
same bytes. A range is read in constant memory, and can be checked by itself given the hash before it.
"""

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from heapq import merge
from typing import Any, NamedTuple

import msgspec
from piccolo.columns import Column, Date, Numeric, Timestamptz
from piccolo.table import Table

from ledger.current import Connection
from ledger.tables import Act, Entry, Event

BLOCK = 2_000
"""Numbers that are read at a time."""


class Record(NamedTuple):
    """One record: its number, its table, the values that its text is made of, and the hash that it bears."""

    number: int
    kind: str
    values: Sequence[Any]
    hash: str


class Form:
    """How the records of one table are read and written."""

    def __init__(self, table: type[Table]) -> None:
        self.kind = table._meta.tablename
        columns = {column._meta.db_column_name: column for column in table._meta.columns}
        hashed = columns.pop("hash")
        self.names = tuple(sorted([*columns, "record"]))
        self.places = {name: place for place, name in enumerate(self.names)}
        written = [_written(columns[name]) if name != "record" else f"'{self.kind}'::text" for name in self.names]
        chosen = ", ".join([*written, hashed._meta.db_column_name])
        self.range = f"SELECT {chosen} FROM {self.kind} WHERE number BETWEEN $1 AND $2 ORDER BY number"  # noqa: S608
        self.struct = _struct(self.kind, self.names)
        self.line = _struct(self.kind, sorted([*self.names, "hash"]))

    def text(self, values: Sequence[Any]) -> bytes:
        """The canonical text."""
        return _encode(self.struct(*values))

    def line_of(self, record: Record) -> bytes:
        """The canonical text with the hash among its keys: a line of an export."""
        named: dict[str, Any] = dict(zip(self.names, record.values, strict=True))
        return _encode(self.line(**named, hash=record.hash)) + b"\n"


def _written(column: Column) -> str:
    name = f'"{column._meta.db_column_name}"'
    if isinstance(column, Timestamptz):
        return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    if isinstance(column, Date):
        return f"to_char({name}, 'YYYY-MM-DD')"
    return f"{name}::text" if isinstance(column, Numeric) else name


def _struct(kind: str, names: Sequence[str]) -> type[msgspec.Struct]:
    """Fields in code point order; what is missing is left out."""
    made: type[msgspec.Struct] = msgspec.defstruct(
        kind, [(name, str | int | None, None) for name in names], omit_defaults=True, gc=False
    )
    return made


_encode = msgspec.json.Encoder().encode

FORMS = {form.kind: form for form in map(Form, (Event, Entry, Act))}


async def read_records(connection: Connection, first: int, last: int) -> AsyncIterator[Sequence[Record]]:
    """The records of a range in order, in blocks; two under one number come both."""
    for begun in range(first, last + 1, BLOCK):
        ended = min(begun + BLOCK - 1, last)
        found = []
        for form in FORMS.values():
            rows = await connection.fetch(form.range, begun, ended)
            place = form.places["number"]
            found.append([Record(row[place], form.kind, row[:-1], row[-1]) for row in rows])
        yield list(merge(*found, key=_number))


def _number(record: Record) -> int:
    return record.number


def bind(before: str, record: Record) -> str:
    """The hash of a record behind a hash, recomputed."""
    return sha256(before.encode() + b"\n" + FORMS[record.kind].text(record.values)).hexdigest()


async def read_lines(connection: Connection, first: int, last: int) -> AsyncIterator[bytes]:
    """A range as lines of an export, many at a time."""
    async for block in read_records(connection, first, last):
        yield b"".join(FORMS[record.kind].line_of(record) for record in block)
