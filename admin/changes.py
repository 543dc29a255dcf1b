"""Who changed what (变更记录): every row that is made, changed or deleted, before and after, by whom and when.

The log is written in the transaction of the change itself, and never again. Changes of the draft are ordered by their
numbers, for each is made under the draft's lock; what was approved or published says up to which number it saw.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from piccolo.table import Table

from admin.tables import ChangeLog
from engine.scalar import Raw
from rules.draft import lock_draft, read_draft, tree_hash, write_draft
from rules.row_values import Document, to_json
from rules.tables import DRAFT_TABLES, Draft, Version

DRAFT_NAMES = [str(table._meta.tablename) for table in DRAFT_TABLES]
WHOLE = ("replace", "restore")
"""Actions that replace the whole draft."""
PUBLISHED = "publish"
_CALLED = ("code", "name", "key", "value", "post", "rater_group", "username", "title")
_DEEPEST = 4


async def record(
    user: str,
    action: str,
    table: type[Table],
    row: object,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    owner: str | None = None,
) -> None:
    """Write one change down. What did not change in it is left out.

    ``owner``: the code of what the row belongs to, where it cannot be looked up any more.
    """
    held = after or before or {}
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
        owner=(await owner_of(table, held) if owner is None else owner)[:64],
        name=called(held),
        before="" if before is None else as_text(before),
        after="" if after is None else as_text(after),
    ).save()


async def owner_of(table: type[Table], row: Mapping[str, Any]) -> str:
    """The code of the rule, indicator or event type that a row is, or belongs to; empty where there is none."""
    for _ in range(_DEEPEST):
        if isinstance(row.get("code"), str):
            return str(row["code"])
        reference = next(iter(table._meta.foreign_key_columns), None)
        if reference is None or row.get(reference._meta.name) is None:
            return ""
        table = reference._foreign_key_meta.resolved_references
        found = await table.select().where(table._meta.primary_key == row[reference._meta.name]).first()
        if found is None:
            return ""
        row = found
    return ""


def called(row: Mapping[str, Any]) -> str:
    """What people call a row: its code or name, and its title."""
    said = [str(row[key]) for key in _CALLED if isinstance(row.get(key), str) and row[key]]
    return " ".join(dict.fromkeys(said))[:500]


async def replace_draft(document: Raw, user: str, *, replacing: str | None = None, version: int | None = None) -> str:
    """Replace the whole draft, and write down who did, with both documents; the new hash.

    ``version``: the number of the version that it is taken from. See :func:`rules.draft.write_draft`.
    """
    async with ChangeLog._meta.db.transaction(allow_nested=True):
        await lock_draft()
        tree = await read_draft()
        hash_after = await write_draft(document, replacing=replacing)
        before, after = _whole(tree, tree_hash(tree)), _whole(await read_draft(), hash_after)
        if version is not None:
            after = {**after, "version": version}
        if before != after:
            await ChangeLog(
                user=user,
                action="replace" if version is None else "restore",
                table=str(Draft._meta.tablename),
                row="1",
                before=as_text(before),
                after=as_text(after),
            ).save()
    return hash_after


def _whole(tree: Document, hash_: str) -> dict[str, Any]:
    return {"hash": hash_, "document": to_json(tree)}


async def record_publication(user: str, number: int, hash_: str) -> None:
    """Write down which version was made of the draft: later changes belong to the next one."""
    await record(user, PUBLISHED, Version, number, None, {"number": number, "hash": hash_})


async def latest_change() -> int:
    """The number of the last change of the draft; 0 where there was none."""
    row = (
        await ChangeLog.select(ChangeLog.id)
        .where(ChangeLog.table.is_in(DRAFT_NAMES))
        .order_by(ChangeLog.id, ascending=False)
        .first()
    )
    return 0 if row is None else int(row["id"])


async def editors() -> frozenset[str]:
    """Everybody who edited the draft since the last version was published."""
    query = ChangeLog.select(ChangeLog.user).where(ChangeLog.table.is_in(DRAFT_NAMES))
    latest = (
        await Version.select(Version.number, Version.published_at).order_by(Version.number, ascending=False).first()
    )
    if latest is not None:
        mark = await ChangeLog.select(ChangeLog.id).where(
            (ChangeLog.action == PUBLISHED) & (ChangeLog.row == str(latest["number"]))
        ).order_by(ChangeLog.id, ascending=False).first()  # fmt: skip
        # Versions that another way than the pages or the interface led to left no mark; their time has to do.
        query = query.where(ChangeLog.at > latest["published_at"] if mark is None else ChangeLog.id > mark["id"])
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
