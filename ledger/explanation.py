"""The explanation of an entry (为什么): which rule, which version, on what evidence, by what arithmetic, through whom.

The arithmetic is the entry's own, as it was made; the comparisons of the conditions are judged
again from the event and the version; sentences are made in the reader's language.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from engine.condition import Evidence
from engine.event import EventKey
from engine.language import Language, Message, message, render
from engine.rulebook import EventRule, JointRule, Rulebook, Version, VetoRule
from engine.scene import gather
from ledger.cases import AppealFilter, AppealRow, appeals_behind, list_appeals
from ledger.current import Connection, get_current, load_version
from ledger.present import read_recorded
from ledger.reading import CauseView, EntryView, EventView, read_entry, read_event, reading, view_entry


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, in words."""

    code: str
    title: str
    basis: str
    sentence: str
    text: str = ""


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version, and who put it in force."""

    number: int
    effective: datetime
    published_by: str
    published_at: datetime
    approved_by: tuple[str, ...]
    note: str = ""
    hash: str = ""


class ComparisonView(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a condition: what was expected, what was found."""

    rule: str
    field: str
    title: str
    operator: str
    expected: Any
    actual: Any
    result: bool | Literal["unknown"]


class StepView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of the arithmetic; ``entry`` is the source's entry, ``event`` the one that was repeated."""

    step: str
    value: str
    entry: int | None = None
    field: str | None = None
    title: str | None = None
    given: str | None = None
    event: tuple[str, str] | None = None


class PathView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stop of responsibility, from the direct charge to the charged subject."""

    subject: str
    rule: str
    relation: str | None = None
    entry: int | None = None


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """A limit: the room it left, what was taken of it, and the entries that had used it."""

    limit: str
    title: str
    window: str
    room: str
    taken: str
    used_by: tuple[int, ...]


class LaterView(msgspec.Struct, frozen=True, kw_only=True):
    """Another entry of the same charge."""

    entry: int
    kind: str
    posted: str
    cause: CauseView


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, explained."""

    entry: EntryView
    event: EventView | None
    rule: RuleView
    version: VersionView
    comparisons: tuple[ComparisonView, ...]
    arithmetic: tuple[StepView, ...]
    path: tuple[PathView, ...]
    limits: tuple[RoomView, ...]
    superseded_by: int | None
    earlier: tuple[LaterView, ...]
    later: tuple[LaterView, ...]
    appeal: int | None
    """The appeal whose decision posted the entry."""
    appeals: tuple[AppealRow, ...]
    """The appeals that were lodged on the entry, the latest first."""


async def explain_entry(number: int, language: Language) -> Explanation:
    """Explain an entry in a language; Refused where there is none of that number."""
    row = await read_entry(number)
    event = await read_event(EventKey(row["source"], row["event"])) if row["source"] is not None else None
    async with reading() as connection:
        return await _Explainer(connection, row, event, language).explain()


class _Explainer:
    def __init__(self, connection: Connection, row: Mapping[str, Any], event: EventView | None, language: Language):
        self.connection = connection
        self.row = row
        self.event = event
        self.language = language
        self.detail = msgspec.json.decode(row["detail"])

    async def explain(self) -> Explanation:
        published = await self.connection.fetchrow(
            "SELECT * FROM rulebook_version WHERE number = $1", self.row["version"]
        )
        version = load_version(published["number"], published["document"])
        siblings = await self._siblings()
        source = await self._source()
        entry = view_entry(self.row)
        superseded = self.detail["superseded_by"]
        return Explanation(
            entry=entry,
            event=self.event,
            rule=view_rule(version.rulebook, entry.rule, self.language),
            version=VersionView(
                number=version.number,
                effective=version.effective.astimezone(get_current().timezone),
                published_by=published["published_by"],
                published_at=published["published_at"].astimezone(get_current().timezone),
                approved_by=tuple(published["approved_by"]),
                note=published["note"],
                hash=published["hash"],
            ),
            comparisons=tuple(await self._comparisons(version)),
            arithmetic=tuple(self._arithmetic(source)),
            path=tuple(self._path(source)),
            limits=tuple([await self._room(room, version.rulebook) for room in self.detail["rooms"]]),
            superseded_by=None if superseded is None else await self._first_entry(superseded),
            earlier=tuple(each for each in siblings if each.entry < entry.id),
            later=tuple(each for each in siblings if each.entry > entry.id),
            appeal=(await appeals_behind(self.connection, [entry.cause.number])).get(entry.cause.number),
            appeals=tuple((await list_appeals(AppealFilter(entry=entry.id)))[0]),
        )

    async def _siblings(self) -> list[LaterView]:
        """The other entries of the same charge."""
        rows = await self.connection.fetch(
            """
            SELECT number, kind, posted, cause_act, cause FROM entry
            WHERE source IS NOT DISTINCT FROM $1 AND event IS NOT DISTINCT FROM $2 AND period IS NOT DISTINCT FROM $3
              AND origin_rule = $4 AND origin_subject = $5 AND rule = $6 AND subject = $7 AND number <> $8
            ORDER BY number
            """,
            self.row["source"],
            self.row["event"],
            self.row["period"],
            self.row["origin_rule"],
            self.row["origin_subject"],
            self.row["rule"],
            self.row["subject"],
            self.row["number"],
        )
        return [
            LaterView(
                entry=row["number"],
                kind=row["kind"],
                posted=str(row["posted"]),
                cause=CauseView(act=row["cause_act"], number=row["cause"]),
            )
            for row in rows
        ]

    async def _source(self) -> int | None:
        """The entry of the direct charge that this one travelled from."""
        if not self.detail["path"]:
            return None
        return await self._first_entry(
            [
                self.row["source"],
                self.row["event"],
                *(self.row["origin_rule"], self.row["origin_subject"]) * 2,
            ]
        )

    async def _first_entry(self, key: list[str]) -> int | None:
        found: int | None = await self.connection.fetchval(
            """
            SELECT min(number) FROM entry WHERE source IS NOT DISTINCT FROM $1 AND coalesce(event, period) = $2
              AND origin_rule = $3 AND origin_subject = $4 AND rule = $5 AND subject = $6
            """,
            key[0] or None,
            *key[1:],
        )
        return found

    async def _comparisons(self, version: Version) -> list[ComparisonView]:
        """Those of the rule's condition, and for a joint charge those of the direct rule's first."""
        if self.row["source"] is None:
            return []
        stored = await self.connection.fetchrow(
            "SELECT * FROM event WHERE source = $1 AND id = $2", self.row["source"], self.row["event"]
        )
        bureau = msgspec.structs.replace(get_current().bureau, versions=(version,))
        event = read_recorded(stored, bureau).event
        facts = gather(bureau, event, version)
        found = []
        for code in dict.fromkeys((self.row["origin_rule"], *(hop["rule"] for hop in self.detail["path"]))):
            rule = version.rulebook.rule(code)
            if isinstance(rule, (EventRule, JointRule, VetoRule)) and rule.when is not None:
                found += [view_comparison(code, each, self.language) for each in leaves(rule.when.explain(facts))]
        return found

    def _arithmetic(self, source: int | None) -> Iterator[StepView]:
        for step in self.detail["arithmetic"]:
            yield msgspec.convert({**step, "entry": source if step["step"] == "source" else None}, StepView)

    def _path(self, source: int | None) -> Iterator[PathView]:
        if not self.detail["path"]:
            yield PathView(subject=self.row["subject"], rule=self.row["rule"], entry=self.row["number"])
            return
        yield PathView(subject=self.row["origin_subject"], rule=self.row["origin_rule"], entry=source)
        for hop in self.detail["path"]:
            last = hop is self.detail["path"][-1]
            yield PathView(
                subject=hop["subject"],
                relation=hop["relation"],
                rule=hop["rule"],
                entry=self.row["number"] if last else None,
            )

    async def _room(self, room: Mapping[str, Any], rulebook: Rulebook) -> RoomView:
        used_by = self.detail.get("used_by", {}).get(room["limit"], [])
        entries = [await self._first_entry(key) for key in used_by]
        limit = rulebook.limits.get(room["limit"])
        return RoomView(
            limit=room["limit"],
            title="" if limit is None else limit.title,
            window=room["window"],
            room=room["room"],
            taken=room["taken"],
            used_by=tuple(entry for entry in entries if entry is not None),
        )


def view_rule(rulebook: Rulebook, code: str, language: Language) -> RuleView:
    """A rule in words."""
    rule = rulebook.rule(code)
    when = rule.when if isinstance(rule, (EventRule, JointRule, VetoRule)) else None
    sentence = render(message("rule.always"), language) if when is None else when.sentence(language)
    return RuleView(
        code=code, title=rule.title, basis=rule.basis, sentence=sentence, text="" if when is None else when.text
    )


def leaves(evidence: Evidence) -> Iterator[Evidence]:
    """The comparisons of a condition, in the order they are written."""
    if evidence.kind == "comparison":
        yield evidence
    for part in evidence.parts:
        yield from leaves(part)


def view_comparison(rule: str, evidence: Evidence, language: Language) -> ComparisonView:
    """A comparison as people and systems read it."""
    title = render(evidence.title, language) if isinstance(evidence.title, Message) else evidence.title
    return ComparisonView(
        rule=rule,
        field=evidence.field,
        title=title,
        operator=str(evidence.operator or ""),
        expected=evidence.other or evidence.expected,
        actual=evidence.actual,
        result="unknown" if evidence.result == "unknown" else evidence.result == "true",
    )
