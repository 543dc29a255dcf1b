"""Who changed what (变更记录): every row that is made, changed or deleted in the panel, before and after."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from piccolo.table import Table

from admin.tables import ChangeLog
from engine.scalar import Raw
from rules.draft import draft_hash, write_draft
from rules.tables import DRAFT_TABLES, Draft, Version

_DRAFT_NAMES = [str(table._meta.tablename) for table in DRAFT_TABLES]


async def record(
    user: str, action: str, table: type[Table], row: object, before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:  # fmt: skip
    """Write one change down. What did not change in it is left out."""
    if before is not None and after is not None:
        changed = {key for key in after if before.get(key) != after[key]}
        if not changed:
            return
        before = {key: before.get(key) for key in before if key in changed}
        after = {key: after[key] for key in after if key in changed}
    await ChangeLog(
        user=user,
        action=action,
        table=str(table._meta.tablename),
        row=str(row),
        before="" if before is None else as_text(before),
        after="" if after is None else as_text(after),
    ).save()


async def replace_draft(document: Raw, user: str, *, replacing: str | None = None) -> str:
    """Replace the whole draft, and write down who did; the new hash. See :func:`rules.draft.write_draft`."""
    async with ChangeLog._meta.db.transaction(allow_nested=True):
        before = await draft_hash()
        after = await write_draft(document, replacing=replacing)
        await record(user, "replace", Draft, 1, {"hash": before}, {"hash": after})
    return after


async def editors() -> frozenset[str]:
    """Everybody who edited the draft since the last version was published."""
    latest = await Version.select(Version.published_at).order_by(Version.number, ascending=False).first()
    query = ChangeLog.select(ChangeLog.user).where(ChangeLog.table.is_in(_DRAFT_NAMES))
    if latest is not None:
        query = query.where(ChangeLog.at > latest["published_at"])
    return frozenset(await query.output(as_list=True))


def as_text(row: Mapping[str, Any]) -> str:
    """A row as JSON text."""
    return json.dumps(row, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"cannot be written down: {type(value).__name__}")
