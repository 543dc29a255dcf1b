"""The saving of one rule (单条规则保存): whole or not at all, and only if nobody changed it meanwhile.

Only the rule's own rows are written: its row keeps its id, so that joint rules that name it go on
naming it when its code changes, and every other row of the draft stays as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from piccolo.table import Table

from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Raw
from rules.draft import Stale, fresh_ids, lock_draft, transaction, tree_hash
from rules.row_values import Document
from rules.rows import take_rule_apart
from rules.rule_scope import BELONGINGS, DraftScope, read_one, read_scope_now
from rules.tables import DRAFT_TABLES, DraftJointOf, DraftRule


class Changed(Stale):
    """The rule is not the one that was opened; ``theirs`` is what stands there now, None where it is gone."""

    def __init__(self, theirs: Document | None) -> None:
        super().__init__(Finding(message=message("rule.changed_meanwhile")))
        self.theirs = theirs


class SavedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was written: what stood there and what stands there now, its content hash, its row's columns.

    Empty on a side: there was nothing, or nothing is left.
    """

    id: int
    before: Document | None
    after: Document
    hash: str
    row_before: Mapping[str, Any] | None = None
    row_after: Mapping[str, Any] | None = None


class MovedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that has another place in the draft's order."""

    id: int
    title: str
    before: int
    after: int


def rule_hash(tree: Document | None) -> str:
    """The content hash of a rule as its rows say it; empty where there is none."""
    return "" if tree is None else tree_hash(tree)


async def save_rule(tree: Raw, opened: str = "", replacing: str = "") -> SavedRule:
    """Write one rule: the one that was opened under the code ``opened``, with the hash that it had; else a new one.

    Raises :class:`Changed` where it is not as it was opened, and :class:`~engine.finding.Refused` with all that the
    rows cannot hold; paths begin at the rule.
    """
    async with transaction():
        await lock_draft()
        scope = await read_scope_now()
        listed = scope.listed(opened) if opened else None
        before = await read_one(opened, scope) if listed is not None else None
        if rule_hash(before) != replacing:
            raise Changed(before)
        number = listed.id if listed is not None else next(await fresh_ids(DraftRule, 1))
        columns = None if listed is None else await _row(number)
        place = await _last() + 1 if columns is None else int(columns["place"])
        known = _known(scope, number)
        wanted = take_rule_apart(tree, place=place, number=number, known=known)
        drawn = {table: await fresh_ids(table, len(wanted[table])) for table in DRAFT_TABLES if wanted.get(table)}
        rows = take_rule_apart(tree, place=place, number=number, known=known, ids=drawn)
        for table in BELONGINGS:
            await table.delete().where(table._meta.get_column_by_name("rule") == number)
        (row,) = rows.pop(DraftRule)
        if listed is None:
            await DraftRule.insert(row)
        else:
            await DraftRule.update(row.to_dict()).where(DraftRule.id == number)
        for table in DRAFT_TABLES:
            if held := rows.get(table):
                await table.insert(*held)
        after = await read_one(row.code, await read_scope_now())
        assert after is not None
        return SavedRule(
            id=number,
            before=before,
            after=after,
            hash=rule_hash(after),
            row_before=columns,
            row_after=await _row(number),
        )


async def delete_rule(code: str, replacing: str) -> SavedRule:
    """Delete a rule as it was opened; refused while joint rules name it. ``after`` is empty."""
    async with transaction():
        await lock_draft()
        scope = await read_scope_now()
        listed, before = scope.listed(code), await read_one(code, scope)
        if listed is None or before is None or rule_hash(before) != replacing:
            raise Changed(before)
        if names := await named_by(listed.id):
            raise Refused(Finding(message=message("rule.named", rules="、".join(names))))
        columns = await _row(listed.id)
        await DraftRule.delete().where(DraftRule.id == listed.id)
        return SavedRule(id=listed.id, before=before, after={}, hash="", row_before=columns)


async def named_by(rule: int) -> tuple[str, ...]:
    """The codes of the joint rules that name a rule."""
    query = DraftJointOf.select(DraftJointOf.rule.code.as_alias("code")).where(DraftJointOf.source == rule)
    return tuple(row["code"] for row in await query.order_by(DraftJointOf.rule.place))


async def move_rule(code: str, to: int) -> MovedRule:
    """Give a rule another place among all, from 1; beyond the end is the end. Refused where there is no such rule."""
    async with transaction():
        await lock_draft()
        rows = await DraftRule.select(DraftRule.id, DraftRule.place, DraftRule.code, DraftRule.title).order_by(
            DraftRule.place, DraftRule.id
        )
        at = next((at for at, row in enumerate(rows) if row["code"] == code), None)
        if at is None:
            raise Refused(Finding(message=message("rule.gone", code=code)))
        moved = rows.pop(at)
        to = max(1, min(to, len(rows) + 1))
        rows.insert(to - 1, moved)
        await _renumber([row["id"] for row in rows], [row["place"] for row in rows])
        return MovedRule(id=moved["id"], title=moved["title"], before=at + 1, after=to)


async def _renumber(ids: Sequence[int], places: Sequence[int]) -> None:
    """Write the places that differ, in one statement."""
    changed = [(number, at) for at, (number, place) in enumerate(zip(ids, places, strict=True), 1) if place != at]
    if changed:
        rows = ", ".join(f"({int(number)}, {int(at)})" for number, at in changed)
        await DraftRule.raw(
            f"UPDATE draft_rule SET place = moved.at FROM (VALUES {rows}) AS moved (id, at) "  # noqa: S608  (integers)
            "WHERE draft_rule.id = moved.id"
        )


async def _row(number: int) -> Mapping[str, Any] | None:
    return await DraftRule.select().where(DraftRule.id == number).first()


async def _last() -> int:
    """The last place of all."""
    last = await DraftRule.select(DraftRule.place).order_by(DraftRule.place, ascending=False).first()
    return int((last or {}).get("place") or 0)


def _known(scope: DraftScope, own: int) -> dict[type[Table], dict[str, int]]:
    """The ids of everything that the rule may name, by code; itself apart."""
    return {
        table: {code: number for number, code in codes.items() if (table, number) != (DraftRule, own)}
        for table, codes in scope.codes.items()
    }
