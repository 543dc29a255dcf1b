"""Checking what the chain binds beside itself (核对链外内容): remarks, versions, snapshots, and what the acts say
of the organisation and the periods.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from engine.finding import Refused
from engine.organisation import Organisation
from engine.period import Calendar
from engine.rulebook import Version
from ledger.appeals import Case, fold
from ledger.attachment import hash_attachment
from ledger.crew import Reader
from ledger.current import load_calendar, load_organisation, load_version
from ledger.difference import Difference
from ledger.history import ACT_ROW, ActRow, History, Unreadable, instant
from ledger.remark import hash_text
from rules.document import rulebook_hash


async def read_acts(reader: Reader) -> list[ActRow]:
    """Every act in order."""
    return [ActRow(*row) for row in await reader.connection.fetch(ACT_ROW)]


_SAYS: Mapping[str, tuple[str, ...]] = {
    "retraction": ("event",),
    "correction": ("event", "by"),
    "publication": ("version", "hash"),
    "organisation": ("subjects", "relations"),
    "periods": ("periods",),
    "settlement": ("period", "through", "comparisons", "progress"),
    "closing": ("period", "snapshot", "figures"),
    "reopening": ("period",),
    "appeal": ("step",),
    "removal": ("act", "what", "hash"),
}
"""What the content of an act says at least."""


def check_contents(acts: Sequence[ActRow]) -> Difference | None:
    """Every act says what acts of its kind say."""
    for act in acts:
        try:
            content = msgspec.json.decode(act.content, type=dict[str, Any])
        except msgspec.MsgspecError:
            content = {}
        if any(key not in content for key in _SAYS.get(act.kind, ())):
            return Difference.of("unreadable", "act", act.number, there=act.content)
    return None


async def check_remarks(reader: Reader, acts: Sequence[ActRow]) -> Difference | None:
    """Every text is the one that was bound, or was removed by an act; an act's text is there."""
    rows = await reader.connection.fetch("SELECT hash, salt, text, removed_by FROM remark")
    kinds = {act.number: act.kind for act in acts}
    known = {row["hash"]: row for row in rows}
    bearing = {act.remark: act.number for act in reversed(acts) if act.remark is not None}
    for act in acts:
        if act.remark is not None and act.remark not in known:
            return Difference.of("remark_missing", "remark", act.number, where=act.remark)
    wrong = []
    for row in rows:
        number = bearing.get(row["hash"])
        if row["removed_by"] is not None:
            if kinds.get(row["removed_by"]) != "removal" or row["text"] is not None or row["salt"] is not None:
                wrong.append(Difference.of("removal", "remark", number, where=row["hash"], there=row["removed_by"]))
        elif row["text"] is None or row["salt"] is None:
            wrong.append(Difference.of("remark_missing", "remark", number, where=row["hash"]))
        elif (hashed := hash_text(row["salt"], row["text"])) != row["hash"]:
            wrong.append(
                Difference.of("remark", "remark", number, where=row["text"], there=hashed, expected=row["hash"])
            )
    return min(wrong, key=lambda each: each.number or 0, default=None)


async def check_attachments(reader: Reader, acts: Sequence[ActRow]) -> Difference | None:
    """Every file that an appeal names is the one that was bound, or was removed by an act. One is read at a time."""
    kinds = {act.number: act.kind for act in acts}
    for act in acts:
        if act.kind != "appeal":
            continue
        for hashed in msgspec.json.decode(act.content).get("attachments", ()):
            row = await reader.connection.fetchrow("SELECT * FROM attachment WHERE hash = $1", hashed)
            if row is None:
                return Difference.of("attachment_missing", "attachment", act.number, where=hashed)
            if row["removed_by"] is not None:
                if kinds.get(row["removed_by"]) != "removal" or row["content"] is not None or row["salt"] is not None:
                    return Difference.of("removal", "attachment", act.number, where=hashed, there=row["removed_by"])
                continue
            if row["content"] is None or row["salt"] is None or row["name"] is None:
                return Difference.of("attachment_missing", "attachment", act.number, where=hashed)
            there = hash_attachment(row["salt"], row["media_type"], row["name"], row["content"])
            if there != hashed:
                return Difference.of(
                    "attachment", "attachment", act.number, where=row["name"], there=there, expected=hashed
                )
    return None


async def check_appeals(reader: Reader, acts: Sequence[ActRow]) -> Difference | None:
    """The register of appeals says what the acts say."""
    rows = await reader.connection.fetch("SELECT * FROM appeal")
    there = {row["number"]: msgspec.convert(dict(row), Case) for row in rows}
    expected = fold({"number": act.number, "content": act.content} for act in acts if act.kind == "appeal")
    for number in sorted({*there, *expected}):
        one, other = there.get(number), expected.get(number)
        if one != other:
            return Difference.of("appeal", "appeal", number, there=one and plain(one), expected=other and plain(other))
    return None


async def check_versions(reader: Reader, acts: Sequence[ActRow]) -> tuple[Difference | None, Mapping[int, Version]]:
    """Every published version is the one whose hash its act holds, by the same person at the same time."""
    rows = {row["number"]: row for row in await reader.connection.fetch("SELECT * FROM rulebook_version")}
    versions: dict[int, Version] = {}
    number = 0
    for number, act in enumerate((act for act in acts if act.kind == "publication"), 1):
        content = msgspec.json.decode(act.content)
        row = rows.get(number)
        if row is None or content["version"] != number:
            return Difference.of("version_missing", "rulebook_version", act.number, where=str(number)), versions
        try:
            versions[number] = load_version(number, row["document"])
        except (Refused, ValueError, KeyError) as error:
            return Difference.of("document", "rulebook_version", act.number, where=str(number), there=error), versions
        rulebook = versions[number].rulebook
        for what, there, expected in (
            ("document", rulebook_hash(rulebook), content["hash"]),
            ("version_row", row["hash"], content["hash"]),
            ("version_row", instant(row["effective"]), instant(rulebook.effective)),
            ("version_row", row["rulebook"], rulebook.code),
            ("version_row", row["published_by"], act.actor),
            ("version_row", instant(row["published_at"]), instant(act.at)),
            ("version_row", list(row["approved_by"]), content.get("approved_by", list(row["approved_by"]))),
        ):
            if there != expected:
                where = str(number)
                found = Difference.of(what, "rulebook_version", act.number, where=where, there=there, expected=expected)
                return found, versions
    if len(rows) > number:
        return Difference.of("version_extra", "rulebook_version", where=str(max(rows))), versions
    return None, versions


async def fold_history(
    reader: Reader, acts: Sequence[ActRow], versions: Mapping[int, Version]
) -> tuple[Difference | None, History | None]:
    """What was in force over time; a difference where an act does not say what acts of its kind say."""
    try:
        return None, History.fold(acts, ZoneInfo(reader.task.timezone), versions)
    except Unreadable as error:
        return Difference.of("unreadable", "act", error.act.number, there=error.act.content), None


async def check_snapshots(reader: Reader, acts: Sequence[ActRow], history: History) -> Difference | None:
    """Every closing has its snapshot with the figures whose hash the act holds; there is no other."""
    rows = {row["act"]: row for row in await reader.connection.fetch("SELECT * FROM snapshot ORDER BY act")}
    for act in acts:
        if act.kind != "closing":
            continue
        content = msgspec.json.decode(act.content)
        row = rows.pop(act.number, None)
        where = f"{content['period']} {content['snapshot']}"
        if row is None:
            return Difference.of("snapshot_missing", "snapshot", act.number, where=where)
        hashed = sha256(row["figures"].encode()).hexdigest()
        for what, there, expected in (
            ("snapshot", hashed, content["figures"]),
            ("snapshot_row", row["hash"], content["figures"]),
            ("snapshot_row", row["period"], content["period"]),
            ("snapshot_row", row["number"], content["snapshot"]),
            ("snapshot_row", row["head"], act.hash),
            ("snapshot_row", row["organisation"], history.before(act.number).organisation),
        ):
            if there != expected:
                return Difference.of(what, "snapshot", act.number, where=where, there=there, expected=expected)
    if rows:
        return Difference.of("snapshot_extra", "snapshot", min(rows))
    return None


async def check_in_force(reader: Reader, history: History, head: Mapping[str, Any]) -> Difference | None:
    """The tables of the organisation and the periods, and the head, say what the acts say."""
    now = history.now
    timezone = ZoneInfo(reader.task.timezone)
    found = _organisation(await load_organisation(reader.connection, timezone), now.bureau.organisation)
    found = found or _periods(await load_calendar(reader.connection), now.bureau.calendar)
    if found is not None:
        return found
    latest = max((version.number for version in now.bureau.versions), default=0)
    for what, expected in (
        ("organisation", now.organisation),
        ("periods", now.periods),
        ("version", latest),
        ("settled_through", now.bureau.settled_through),
    ):
        if head[what] != expected:
            return Difference.of("head_row", "ledger_head", where=what, there=head[what], expected=expected)
    return None


def _organisation(there: Organisation, expected: Organisation) -> Difference | None:
    for code in sorted({*there.subjects, *expected.subjects}):
        places = [
            None if subject is None else [plain(place) for place in subject.places]
            for subject in (there.subjects.get(code), expected.subjects.get(code))
        ]
        if places[0] != places[1]:
            return Difference.of("place", "subject_place", where=code, there=places[0], expected=places[1])
    known = [{relation.identity: plain(relation) for relation in each.relations} for each in (there, expected)]
    for identity in sorted({*known[0], *known[1]}, key=str):
        one, other = (each.get(identity) for each in known)
        if one != other:
            where = " ".join(str(part) for part in identity if part is not None)
            return Difference.of("relation", "relation", where=where, there=one, expected=other)
    return None


def _periods(there: Calendar, expected: Calendar) -> Difference | None:
    for code in sorted({*there.periods, *expected.periods}):
        one, other = (each.periods.get(code) for each in (there, expected))
        if one != other:
            return Difference.of(
                "period", "period", where=code, there=one and plain(one), expected=other and plain(other)
            )
    return None


def plain(value: object) -> str:
    """A value as people read it in a difference: JSON."""
    return msgspec.json.encode(value).decode()
