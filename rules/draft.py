"""The draft (规则草稿): a rulebook document goes into the database whole or not at all, and comes out again.

The rows hold a draft that is not right yet, too: a rule before its schedule, a condition before
its field. Whether the draft is a rulebook is for :func:`findings` to say.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any

from piccolo.table import Table

from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Raw
from rules.document import read_document
from rules.rows import Document, Rows, put_together, take_apart, to_json
from rules.tables import (
    DRAFT_TABLES,
    Draft,
    DraftChoice,
    DraftDays,
    DraftEventType,
    DraftField,
    DraftIndicator,
    DraftLimit,
    DraftMeasureStep,
)

_BATCH = 500
_SURROUNDINGS = (
    Draft,
    DraftDays,
    DraftEventType,
    DraftField,
    DraftChoice,
    DraftIndicator,
    DraftMeasureStep,
    DraftLimit,
)


class Stale(Refused):
    """The draft is not the one that was expected: somebody has changed it since."""


async def read_draft() -> Document:
    """The draft as a document, all of it as it was at one moment."""
    async with snapshot():
        rows: Rows = {table: await table.objects().order_by(table._meta.primary_key) for table in DRAFT_TABLES}
    return put_together(rows)


async def read_surroundings() -> Document:
    """The draft without its rules, and without what counts together with them: what one rule is read within, fast."""
    async with snapshot():
        rows: Rows = {table: await table.objects().order_by(table._meta.primary_key) for table in _SURROUNDINGS}
    return put_together(rows)


async def write_draft(document: Raw, *, replacing: str | None = None) -> str:
    """Replace the draft with the document, whole or not at all; its hash.

    ``replacing``: the hash that the draft must still have, else :class:`Stale`. Raises
    :class:`~engine.finding.Refused` with all that the rows cannot hold.
    """
    wanted = take_apart(document)
    async with transaction():
        await lock_draft()
        if replacing is not None and replacing != await draft_hash():
            raise Stale(Finding(message=message("draft.stale")))
        rows = take_apart(
            document, {table: await fresh_ids(table, len(wanted.get(table, []))) for table in DRAFT_TABLES}
        )
        for table in reversed(DRAFT_TABLES):
            await table.delete(force=True)
        for table in DRAFT_TABLES:
            held = rows.get(table, [])
            for at in range(0, len(held), _BATCH):
                await table.insert(*held[at : at + _BATCH])
        return tree_hash(put_together(rows))


def transaction() -> Any:
    """A transaction of the draft, or the one that is open."""
    return _engine().transaction(allow_nested=True)


async def draft_hash() -> str:
    """The hash of the draft as it stands: any edit makes another."""
    return tree_hash(await read_draft())


def tree_hash(tree: Raw) -> str:
    """The hash of a document's tree, as SHA-256 in hexadecimal, whatever the order of its keys in a mapping."""
    return hashlib.sha256(to_json(_sorted(tree)).encode()).hexdigest()


def findings(tree: Document, effective: datetime | None = None) -> tuple[Finding, ...]:
    """What keeps the draft from being a rulebook, or is odd in it, published with this effective time."""
    try:
        return read_document(dated(tree, effective)).warnings
    except Refused as refused:
        return refused.findings


def dated(tree: Document, effective: datetime | None) -> Document:
    """The document with the effective time that it is to be published with."""
    return tree if effective is None else {**tree, "effective": effective.isoformat()}


async def lock_draft() -> None:
    """Until the transaction ends nobody else changes the draft."""
    await Draft.raw(f"LOCK TABLE {', '.join(_name(table) for table in DRAFT_TABLES)} IN EXCLUSIVE MODE")


def _sorted(tree: Any) -> Any:
    """Mappings keep their order in a document (it is shown); their hash does not depend on it, that of rules does."""
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    if isinstance(tree, list):
        return [_sorted(item) for item in tree]
    return tree


async def fresh_ids(table: type[Table], number: int) -> Iterator[int]:
    """Fresh ids: a page that still shows an old row never saves it over a new one."""
    if table is Draft:
        return count(1)
    sequence = f"pg_get_serial_sequence('{_name(table)}', 'id')"
    drawn = await table.raw(f"SELECT nextval({sequence}) AS id FROM generate_series(1, {number})")  # noqa: S608
    return iter(sorted(int(row["id"]) for row in drawn))


def _name(table: type[Table]) -> str:
    return str(table._meta.tablename)


def _engine() -> Any:
    return Draft._meta.db


@asynccontextmanager
async def snapshot() -> AsyncIterator[None]:
    """One moment of the database; within a transaction, that transaction's view."""
    if _engine().transaction_exists():
        yield
        return
    async with _engine().transaction():
        await Draft.raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
