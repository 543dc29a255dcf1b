"""Rulebooks, subjects and relations in files, for the commands that bring and take them (导入导出的命令)."""

from datetime import UTC, date, datetime

import msgspec

from admin.changes import replace_draft
from admin.exports import export_all, export_roster, export_rulebook
from admin.imports import ending_of, look_at_roster, look_at_rulebook, organise_from, read_roster
from api.commands.speaking import say, tell
from api.settings import Settings, language
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Message, message, render
from engine.scalar import Unfit
from ledger.current import get_current
from ledger.desk import open_desk
from rules.draft import draft_hash
from rules.exchange import ReadRoster, ReadRulebook, kinds_in, read_rulebook_file

WHATS = ("rulebook", "subjects", "relations", "organisation", "all")
SENDER = "jikao import"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported: a file's bytes, which part of it, and of an organisation from when and why."""

    file: str
    data: bytes
    what: str | None
    since: date
    reason: str


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """What an import came to, or would: the draft's hash, the act's number, sentences, entries that change."""

    preview: bool = False
    draft: str | None = None
    act: int | None = None
    entries: int | None = None
    changes: tuple[Message, ...] = ()


def read_since(text: str | None, settings: Settings) -> date:
    """The day of an option; today where it is left out. Refused where it is none."""
    if text is None:
        return datetime.now(settings.timezone).date()
    try:
        return scalar.day(text)
    except Unfit as unfit:
        raise Refused(Finding(path="--since", message=unfit.expected)) from None


async def bring_tables(asked: Asked) -> Tables:
    """Import the parts, all or none: one transaction."""
    rulebook, roster = await _parts(asked)
    before = await draft_hash()
    hashed: str | None = None
    act: int | None = None
    async with open_desk(get_current()) as desk:
        if roster is not None:
            act = await organise_from(desk, asked.since, roster, asked.reason, SENDER)
        if rulebook is not None:
            hashed = await replace_draft(rulebook.tree, SENDER, replacing=before)
    return Tables(draft=hashed, act=act, changes=_odd(rulebook))


async def preview_tables(asked: Asked) -> Tables:
    """What importing the parts would change; nothing is kept."""
    rulebook, roster = await _parts(asked)
    changes: list[Message] = list(_odd(rulebook))
    entries: int | None = None
    hashed: str | None = None
    if rulebook is not None:
        seen = await look_at_rulebook(asked.file, asked.data, language())
        hashed = seen.draft
        changes += seen.compared.summary if seen.compared is not None else ()
    if roster is not None:
        found = await look_at_roster(asked.file, asked.data, asked.since, SENDER, _kind(asked.what))
        entries = found.foreseen.changes
        for each in found.changes.changes:
            for said in each.sentences or (message("tables.as_it_is"),):
                kind = message(f"exchange.kind.{each.kind}")
                changes.append(message("tables.change", kind=kind, code=each.code, name=each.name, said=said))
    return Tables(preview=True, draft=hashed, entries=entries, changes=tuple(changes))


async def _parts(asked: Asked) -> tuple[ReadRulebook | None, ReadRoster | None]:
    """The parts of the file that are wanted, read. Refused where one of them is not there."""
    ending = ending_of(asked.file, asked.data)
    held = kinds_in(asked.data, ending)
    what = asked.what or _found(held)
    rulebook = roster = None
    if what in ("rulebook", "all"):
        rulebook = read_rulebook_file(asked.data, ending, datetime.now(UTC))
    if what != "rulebook" and (what != "all" or held & {"subjects", "relations"}):
        roster = await read_roster(asked.file, asked.data, asked.since, _kind(what))
    return rulebook, roster


def _found(held: frozenset[str]) -> str:
    if "rulebook" in held:
        return "all" if held - {"rulebook"} else "rulebook"
    return "organisation" if held else "rulebook"


def _kind(what: str | None) -> str:
    return what if what in ("subjects", "relations") else "organisation"


def _odd(rulebook: ReadRulebook | None) -> tuple[Message, ...]:
    return () if rulebook is None else tuple(fault.said for fault in rulebook.odd)


def tell_tables(done: Tables, *, as_json: bool) -> None:
    """What came of it, to people or machines."""
    if as_json:
        said = [render(each, language()) for each in done.changes]
        tell({"preview": done.preview, "draft": done.draft, "act": done.act, "entries": done.entries, "changes": said})
        return
    for each in done.changes:
        say(each)
    if done.entries is not None:
        say(message("tables.entries", entries=f"{done.entries:,}"))
    if done.preview:
        say(message("tables.preview"))
        return
    if done.draft is not None:
        say(message("tables.draft", hash=done.draft))
    if done.act is not None:
        say(message("tables.act", act=done.act))


async def take_tables(what: str, ending: str, version: int | None, day: date | None) -> bytes:
    """The file that holds it. Refused where there is none, or the ending does not hold it."""
    if (ending == "csv" and what not in ("subjects", "relations")) or (ending != "xlsx" and what == "all"):
        raise Refused(Finding(message=message("tables.ending", what=what, ending=f".{ending}")))
    which = "draft" if version is None else str(version)
    if what == "all":
        return await export_all(which, language(), day)
    if what == "rulebook":
        return await export_rulebook(which, "yaml" if ending == "yaml" else "xlsx", language())
    return await export_roster(what, ending, language(), day)
