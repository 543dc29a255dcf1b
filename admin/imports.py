"""Importing (导入): a file looked at, with what would change, and then carried out whole, or not at all.

A rulebook replaces the draft that was looked at; subjects and relations are an act of the ledger. Whoever confirms says
what they saw: the draft's hash, or the chain's head and the digest of what would follow.
"""

import asyncio
from datetime import UTC, date, datetime
from pathlib import PurePath

import msgspec

from admin.changes import replace_draft
from admin.comparing import Compared, compare_sides
from admin.publishing import Grown, digest
from admin.tables import Upload
from admin.uploads import take
from engine.finding import Finding, Refused
from engine.language import Language, message
from ledger import acts
from ledger.current import get_current
from ledger.desk import Desk, open_desk
from ledger.foreseeing import Foreseen, foresee
from ledger.reading import reading
from rules.draft import dated, read_draft, tree_hash
from rules.exchange import ENDINGS, Ending, ReadRoster, ReadRulebook, read_roster_file, read_rulebook_file
from rules.fault import Fault, Faulty
from rules.roster_changes import RosterChanges, roster_changes
from rules.rows import Document, to_json
from rules.sides import Side, read_tree

_PREVIEW = "preview"
_BINARY = (b"PK", b"\xd0\xcf\x11\xe0")
_SHOWN = 100


class RulebookLook(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook beside the draft that it is to replace. ``compared`` is None where the draft is no rulebook yet."""

    read: ReadRulebook
    draft: str
    empty: bool
    same: bool
    compared: Compared | None


class RosterLook(msgspec.Struct, frozen=True, kw_only=True):
    """Subjects and relations beside those there are; ``foreseen`` is what the act would do to the ledger."""

    changes: RosterChanges
    foreseen: Foreseen
    digest: str
    again: bool = False


def ending_of(name: str, data: bytes) -> Ending:
    """What a file is, by its name, else by its content. :class:`Faulty` for a table that is no workbook."""
    suffix = PurePath(name).suffix.lower()
    if suffix == ".csv":
        raise Faulty(Fault(said=message("workbook.csv")))
    if suffix in ENDINGS and not (ENDINGS[suffix] == "yaml" and data.startswith(_BINARY)):
        return ENDINGS[suffix]
    return "xlsx" if data.startswith(_BINARY) or suffix == ".xls" else "yaml"


async def look_at_rulebook(name: str, data: bytes, language: Language) -> RulebookLook:
    """Read a rulebook's file and compare it with the draft. :class:`Faulty` with everything that is wrong."""
    now = datetime.now(UTC)
    read = await asyncio.to_thread(lambda: read_rulebook_file(data, ending_of(name, data), now))
    draft = await read_draft()
    old, new = _side(draft, now), _side(read.tree, now)
    compared = None
    if new is not None and (old is not None or not draft.get("rulebook")):
        compared = compare_sides(old, new, language, most=_SHOWN)
    return RulebookLook(
        read=read,
        draft=tree_hash(draft),
        empty=not draft.get("rulebook"),
        same=old is not None and new is not None and to_json(dict(old.document)) == to_json(dict(new.document)),
        compared=compared,
    )


def _side(draft: Document, now: datetime) -> Side | None:
    try:
        return read_tree(draft if draft.get("effective") else dated(draft, now))
    except Refused:
        return None


async def import_rulebook(name: str, data: bytes, *, user: str, draft: str, code: str | None = None) -> str:
    """Replace the draft of that hash by the file's rulebook; the new hash. :class:`Stale` where it is another by now.

    ``code``: the kept file that is taken with it.
    """
    read = await asyncio.to_thread(lambda: read_rulebook_file(data, ending_of(name, data), datetime.now(UTC)))
    async with Upload._meta.db.transaction(allow_nested=True):
        if code is not None:
            await take(code)
        return await replace_draft(read.tree, user, replacing=draft)


async def look_at_roster(name: str, data: bytes, since: date, user: str, what: str = "organisation") -> RosterLook:
    """Read subjects and relations, and what importing them would come to. :class:`Faulty` with what is wrong."""
    roster = await read_roster(name, data, since, what)
    async with reading() as connection:
        organisation = get_current().bureau.organisation
        names = {row["code"]: row["name"] for row in await connection.fetch("SELECT code, name FROM subject")}
    try:
        changes = roster_changes(organisation, names, since, roster.subjects, roster.relations)

        async def carry(desk: Desk) -> int:
            return await organise_from(desk, since, roster, _PREVIEW, user)

        found = await foresee(carry, changes.first_day or since)
    except Refused as refused:
        raise _located(refused, roster) from refused
    return RosterLook(changes=changes, foreseen=found, digest=digest(found))


async def import_roster(
    name: str, data: bytes, since: date, *, user: str, reason: str, head: str | None = None, code: str | None = None
) -> int:
    """Carry out what the file says as one act; its number. :class:`Grown` where the chain's head is not ``head``."""
    roster = await read_roster(name, data, since)
    try:
        async with open_desk(get_current()) as desk:
            if head is not None and desk.head.hash != head:
                raise Grown(Finding(message=message("publish.grown")))
            if code is not None:
                await take(code)
            return await organise_from(desk, since, roster, reason, user)
    except (Grown, Faulty):
        raise
    except Refused as refused:
        raise _located(refused, roster) from refused


async def read_roster(name: str, data: bytes, since: date, what: str = "organisation") -> ReadRoster:
    """The file's subjects and relations, or those of one kind only. :class:`Faulty` with everything that is wrong."""
    async with reading():
        known = get_current().bureau.organisation.subjects
    only = frozenset({"subjects", "relations"} if what == "organisation" else {what})
    return await asyncio.to_thread(
        lambda: read_roster_file(data, ending_of(name, data), since=since, known=known, only=only)
    )


async def organise_from(desk: Desk, since: date, roster: ReadRoster, reason: str, user: str) -> int:
    """Carry out what was read as one act at a desk; its number."""
    made = await acts.organise(since, roster.subjects, roster.relations, reason=reason, actor=user, desk=desk)
    return made.number


def _located(refused: Refused, roster: ReadRoster) -> Refused:
    """The refusal of an act, at the rows that it names; what it says of nothing in the file stays as it is."""
    named = [finding for finding in refused.findings if finding.path.startswith(("subjects[", "relations["))]
    return Faulty(*map(roster.locate, refused.findings)) if named else refused
