"""Answers (回执): what recording an event came to, derived from what the ledger holds, so that it can be repeated."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.bureau import Bureau
from engine.charging import charged_by
from engine.event import EventKey
from engine.rulebook import VetoRule
from engine.scene import Matchers, set_scene
from ledger.current import Connection
from ledger.desk import Receipt
from ledger.present import read_recorded
from ledger.reading import EntryView, EventView, find_event, view_entry, view_event
from ledger.rehearsal import Rehearsal

MOST_ENTRIES = 500
"""Entries that the answer to an act tells at most."""


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that fired for an event, and what it charges whom. A veto charges nothing."""

    rule: str
    version: int
    subject: str
    nominal: Decimal | None
    posted: Decimal | None


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """An event, the rules that fired for it, and every entry that it made."""

    event: EventView
    fired: tuple[Fired, ...]
    entries: tuple[EntryView, ...]


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was withdrawn, by which act, and the entries that this made."""

    event: EventView
    act: int
    entries: tuple[EntryView, ...]


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A correction: the act, the event that was withdrawn, the one that replaces it, and the entries of both.

    ``act`` is None where both were there already, each by itself.
    """

    act: int | None
    withdrawn: EventView
    event: EventView
    fired: tuple[Fired, ...]
    entries: tuple[EntryView, ...]


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """What an act changed: its number (None: a preview), how many entries, and the first of them."""

    act: int | None
    changes: int
    entries: tuple[EntryView, ...]


async def posted(connection: Connection, bureau: Bureau, matchers: Matchers, key: EventKey) -> Posted:
    """The answer to an event that was recorded."""
    row = await find_event(connection, key)
    entries = await entries_of(connection, row["number"] - 1 if row["corrects"] is not None else row["number"])
    return Posted(
        event=view_event(row), fired=(*_fired(entries, key), *_vetoes(bureau, matchers, row)), entries=entries
    )


def posted_now(receipt: Receipt, bureau: Bureau, matchers: Matchers) -> Posted:
    """The answer to an event that was recorded this very moment, without reading it again."""
    event, *rows = receipt.rows
    row = {**event, "standing": True, "corrects": None, "corrected_by": None, "withdrawn_by": None}
    entries = tuple(view_entry(each) for each in rows)
    fired = (*_fired(entries, EventKey(row["source"], row["id"])), *_vetoes(bureau, matchers, row))
    return Posted(event=view_event(row), fired=fired, entries=entries)


async def withdrawn(connection: Connection, key: EventKey) -> Withdrawn:
    """The answer to a retraction."""
    row = await find_event(connection, key)
    number = row["withdrawn_by"] or row["number"]
    return Withdrawn(event=view_event(row), act=number, entries=await entries_of(connection, number))


async def corrected(
    connection: Connection, bureau: Bureau, matchers: Matchers, key: EventKey, by: EventKey
) -> Corrected:
    """The answer to a correction."""
    before, after = await find_event(connection, key), await posted(connection, bureau, matchers, by)
    return Corrected(
        act=None if after.event.corrects is None else after.event.number - 1,
        withdrawn=view_event(before),
        event=after.event,
        fired=after.fired,
        entries=after.entries,
    )


async def acted(connection: Connection, number: int) -> Acted:
    """The answer to an act."""
    changes = await connection.fetchval("SELECT count(*) FROM entry WHERE cause = $1", number)
    rows = await connection.fetch("SELECT * FROM entry WHERE cause = $1 ORDER BY number LIMIT $2", number, MOST_ENTRIES)
    return Acted(act=number, changes=changes, entries=tuple(view_entry(row) for row in rows))


def rehearsed(desk: Rehearsal) -> Acted:
    """The answer to an act that was rehearsed only."""
    entries = tuple(view_entry(row) for row in desk.rows[:MOST_ENTRIES])
    return Acted(act=None, changes=len(desk.entries), entries=entries)


async def entries_of(connection: Connection, cause: int) -> tuple[EntryView, ...]:
    """The entries that an event or an act made, in order."""
    rows = await connection.fetch("SELECT * FROM entry WHERE cause = $1 ORDER BY number", cause)
    return tuple(view_entry(row) for row in rows)


def _fired(entries: Sequence[EntryView], key: EventKey) -> list[Fired]:
    return [
        Fired(rule=each.rule, version=each.version, subject=each.subject, nominal=each.nominal, posted=each.posted)
        for each in entries
        if each.kind in ("direct", "joint") and (each.source, each.event) == key
    ]


def _vetoes(bureau: Bureau, matchers: Matchers, row: Mapping[str, Any]) -> list[Fired]:
    """The vetoes that the event's own version fires: they bound totals and post nothing."""
    version = next((each for each in bureau.versions if each.number == row["version"]), None)
    rules = () if version is None else version.rulebook.rules
    vetoes = [rule for rule in rules if isinstance(rule, VetoRule) and rule.enabled and rule.on == row["type"]]
    if version is None or not vetoes:
        return []
    alone = msgspec.structs.replace(bureau, versions=(version,))
    event = read_recorded(row, alone).event
    scene = set_scene(alone, event, version, matchers, lambda _, __: None)
    return [
        Fired(rule=rule.code, version=version.number, subject=subject, nominal=None, posted=None)
        for rule in vetoes
        if rule.code in scene.fired
        for subject in charged_by(rule, scene)
    ]
