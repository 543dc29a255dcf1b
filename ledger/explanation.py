"""The explanation of an entry (为什么): which rule, which version, on what evidence, by what arithmetic, through whom.

The arithmetic is the entry's own, as it was made; the comparisons of the conditions are judged
again from the event and the version; sentences are made in the reader's language. Besides it tells
what belongs to the entry elsewhere: the charges that travelled with it, who had used a limit's room, which
charge its matter counts instead or which it counts in place of, and why every other entry of its charge was made.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from engine.amount import sign
from engine.charge import ChargeKey
from engine.condition import Condition
from engine.evidence import Evidence
from engine.language import Language, Message, message, render
from engine.matching import Facts
from engine.rulebook import DifferentiationRule, EventRule, JointRule, ProgressRule, Rulebook, Version, VetoRule
from engine.scene import gather
from ledger.cases import AppealFilter, AppealRow, appeals_behind, list_appeals
from ledger.charges import Charges, UserView, charges_named, key_of, rows_of_comparison, rows_of_event, view_charges
from ledger.compared import ComparedView, explain_comparison
from ledger.current import Connection, get_current
from ledger.decisions import ActLine, acts_numbered, count_changes
from ledger.present import read_recorded
from ledger.reading import CauseView, EntryView, EventView, find_event, read_entry, reading, view_entry, view_event
from ledger.sight import EVERYTHING, Sight
from rules.wording import say_rule

MOST_CLAIMS = 20
"""Charges of one matter that are told at most."""


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule. ``sentence`` says when it applies, ``text`` is its condition as written, ``words`` say all of it."""

    code: str
    title: str
    basis: str
    sentence: str
    text: str = ""
    words: tuple[str, ...] = ()


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
    """One comparison of a condition: what was expected, what was found; ``expected_words`` and ``actual_words`` say
    choices by their titles."""

    rule: str
    field: str
    title: str
    operator: str
    expected: Any
    actual: Any
    expected_words: str
    actual_words: str
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
    """A limit: the room it left, what was taken of it, and the charges that had used it, the latest first.

    ``used_by`` are the first entries of the ``users``, which are told as they stood when the room was found.
    """

    limit: str
    title: str
    window: str
    room: str
    taken: str
    used_by: tuple[int, ...]
    users: tuple[UserView, ...] = ()


class LaterView(msgspec.Struct, frozen=True, kw_only=True):
    """Another entry of the same charge; ``act`` is what made it, where that was an act."""

    entry: int
    kind: str
    posted: str
    cause: CauseView
    act: ActLine | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, explained.

    ``act`` is what made the entry where that was an act, ``changes`` how many entries the same cause made.
    ``charges`` are those of the same event, or of the same comparison. ``supersedes`` are charges of the same matter
    that do not count beside this one. ``growing``: the day to which a task that is not done was reckoned.
    ``compared`` is what a period's entry stems from.
    """

    entry: EntryView
    event: EventView | None
    rule: RuleView
    version: VersionView
    comparisons: tuple[ComparisonView, ...]
    arithmetic: tuple[StepView, ...]
    path: tuple[PathView, ...]
    limits: tuple[RoomView, ...]
    superseded_by: int | None
    supersedes: tuple[UserView, ...]
    earlier: tuple[LaterView, ...]
    later: tuple[LaterView, ...]
    appeal: int | None
    """The appeal whose decision posted the entry."""
    appeals: tuple[AppealRow, ...]
    """The appeals that were lodged on the entry, the latest first."""
    act: ActLine | None
    changes: int
    charges: Charges
    compared: ComparedView | None
    growing: date | None


async def explain_entry(number: int, language: Language, sight: Sight = EVERYTHING) -> Explanation:
    """Explain an entry in a language; Unknown where there is none of that number. What is out of sight stays there."""
    row = await read_entry(number)
    async with reading() as connection:
        return await _Explainer(connection, row, language, sight).explain()


class _Explainer:
    def __init__(self, connection: Connection, row: Mapping[str, Any], language: Language, sight: Sight) -> None:
        self.connection = connection
        self.row = row
        self.language: Language = language
        self.sight = sight
        self.detail = msgspec.json.decode(row["detail"])
        self.key = key_of(row)

    async def explain(self) -> Explanation:
        stored = await find_event(self.connection, self.key.event) if self.key.source else None
        version = get_current().bureau.version(self.row["version"])
        siblings = await self._siblings()
        causes = {self.row["cause"], *(each["cause"] for each in siblings)}
        acts = await acts_numbered(self.connection, causes)
        named = await self._named()
        source = _first(named, self._source)
        others = [self._later(each, acts) for each in siblings]
        return Explanation(
            entry=view_entry(self.row),
            event=None if stored is None else view_event(stored),
            rule=view_rule(version.rulebook, self.row["rule"], self.language),
            version=await read_version(self.connection, version),
            comparisons=() if stored is None else tuple(self._comparisons(stored, version)),
            arithmetic=tuple(self._arithmetic(source)),
            path=tuple(self._path(source)),
            limits=tuple([self._room(room, version.rulebook, named) for room in self.detail["rooms"]]),
            superseded_by=_first(named, self._superseding),
            supersedes=() if stored is None else await self._supersedes(stored),
            earlier=tuple(each for each in others if each.entry < self.row["number"]),
            later=tuple(each for each in others if each.entry > self.row["number"]),
            act=acts.get(self.row["cause"]),
            changes=await count_changes(self.connection, self.row["cause"]),
            charges=view_charges(await self._lot(), self.sight),
            compared=None if self.key.source else await self._compared(siblings, version.rulebook),
            growing=None if stored is None else await self._growing(stored),
            appeal=(await appeals_behind(self.connection, [self.row["cause"]])).get(self.row["cause"]),
            appeals=tuple((await list_appeals(AppealFilter(entry=self.row["number"])))[0]),
        )

    async def _siblings(self) -> Sequence[Mapping[str, Any]]:
        """The other entries of the same charge, in order."""
        rows: Sequence[Mapping[str, Any]] = await self.connection.fetch(
            f"""
            SELECT number, kind, posted, cause_act, cause FROM entry
            WHERE {"source = $1 AND event = $2" if self.key.source else "$1 = '' AND period = $2"}
              AND origin_rule = $3 AND origin_subject = $4 AND rule = $5 AND subject = $6 AND number <> $7
            ORDER BY number
            """,  # noqa: S608
            *self.key,
            self.row["number"],
        )
        return rows

    async def _lot(self) -> Sequence[Mapping[str, Any]]:
        """The entries of the same event, or of the same comparison."""
        if self.key.source:
            return await rows_of_event(self.connection, self.key.event)
        return await rows_of_comparison(self.connection, self.key.id, self.key.rule, self.key.origin_subject)

    @property
    def _source(self) -> ChargeKey | None:
        """The direct charge that this one travelled from."""
        if not self.detail["path"]:
            return None
        return self.key._replace(rule=self.key.origin_rule, subject=self.key.origin_subject)

    @property
    def _superseding(self) -> ChargeKey | None:
        """The charge that the matter counts instead."""
        held = self.detail["superseded_by"]
        return None if held is None else ChargeKey(*held)

    def _used_by(self, limit: str) -> list[ChargeKey]:
        return [ChargeKey(*key) for key in self.detail.get("used_by", {}).get(limit, [])]

    async def _named(self) -> Mapping[ChargeKey, UserView]:
        """The charges that the entry's own record names."""
        users = [key for room in self.detail["rooms"] for key in self._used_by(room["limit"])]
        others = [key for key in (self._source, self._superseding) if key is not None]
        before = await charges_named(self.connection, users, self.sight, before=self.row["number"])
        return {**await charges_named(self.connection, others, self.sight), **before}

    async def _supersedes(self, stored: Mapping[str, Any]) -> tuple[UserView, ...]:
        """The charges that stand for the same matter beside this one, where it is this one that counts."""
        if stored["matter"] is None or self.detail["superseded_by"] is not None or not stored["standing"]:
            return ()
        rows = await self.connection.fetch(
            "SELECT content FROM present_claim WHERE subject = $1 AND matter = $2 AND sign = $3"
            " ORDER BY size, place, rule LIMIT $4",
            self.key.subject,
            stored["matter"],
            sign(self.row["nominal"]),
            MOST_CLAIMS,
        )
        claims = [ChargeKey(*msgspec.json.decode(row["content"])[-1]) for row in rows]
        if not claims or claims[0] != self.key:
            return ()
        found = await charges_named(self.connection, claims[1:], self.sight)
        return tuple(found[key] for key in claims[1:] if key in found)

    async def _growing(self, stored: Mapping[str, Any]) -> date | None:
        grows = await self.connection.fetchval(
            "SELECT grows FROM present_event WHERE source = $1 AND id = $2", *self.key.event
        )
        if not grows:
            return None
        bureau = get_current().bureau
        recorded = bureau.day(stored["recorded_at"] or stored["time"])
        return max(recorded, bureau.settled_through or recorded)

    async def _compared(self, siblings: Sequence[Mapping[str, Any]], rulebook: Rulebook) -> ComparedView | None:
        made = [each for each in (*siblings, self.row) if each["number"] <= self.row["number"]]
        acts = [each["cause"] for each in made if each["cause_act"] == "settlement"]
        if not acts:
            return None
        return await explain_comparison(self.connection, max(acts), self.row, rulebook, self.sight, self.language)

    def _comparisons(self, stored: Mapping[str, Any], version: Version) -> Iterator[ComparisonView]:
        """Those of the rule's condition, and for a joint charge those of the direct rule's first."""
        bureau = msgspec.structs.replace(get_current().bureau, versions=(version,))
        facts = gather(bureau, read_recorded(stored, bureau).event, version)
        for code in dict.fromkeys((self.key.origin_rule, *(hop["rule"] for hop in self.detail["path"]))):
            rule = version.rulebook.rule(code)
            if isinstance(rule, (EventRule, JointRule, VetoRule)) and rule.when is not None:
                yield from view_comparisons(code, rule.when, facts, self.language)

    def _arithmetic(self, source: int | None) -> Iterator[StepView]:
        for step in self.detail["arithmetic"]:
            yield msgspec.convert({**step, "entry": source if step["step"] == "source" else None}, StepView)

    def _path(self, source: int | None) -> Iterator[PathView]:
        if not self.detail["path"]:
            yield PathView(subject=self.key.subject, rule=self.key.rule, entry=self.row["number"])
            return
        yield PathView(subject=self.key.origin_subject, rule=self.key.origin_rule, entry=source)
        for hop in self.detail["path"]:
            last = hop is self.detail["path"][-1]
            yield PathView(
                subject=hop["subject"],
                relation=hop["relation"],
                rule=hop["rule"],
                entry=self.row["number"] if last else None,
            )

    def _room(self, room: Mapping[str, Any], rulebook: Rulebook, named: Mapping[ChargeKey, UserView]) -> RoomView:
        users = tuple(named[key] for key in self._used_by(room["limit"]) if key in named)
        limit = rulebook.limits.get(room["limit"])
        return RoomView(
            limit=room["limit"],
            title="" if limit is None else limit.title,
            window=room["window"],
            room=room["room"],
            taken=room["taken"],
            used_by=tuple(each.entry for each in users),
            users=users,
        )

    def _later(self, row: Mapping[str, Any], acts: Mapping[int, ActLine]) -> LaterView:
        return LaterView(
            entry=row["number"],
            kind=row["kind"],
            posted=str(row["posted"]),
            cause=CauseView(act=row["cause_act"], number=row["cause"]),
            act=acts.get(row["cause"]),
        )


def _first(named: Mapping[ChargeKey, UserView], key: ChargeKey | None) -> int | None:
    """The first entry of a charge that is named."""
    return named[key].entry if key is not None and key in named else None


async def read_version(connection: Connection, version: Version) -> VersionView:
    """A version and who put it in force."""
    row = await connection.fetchrow(
        "SELECT published_by, published_at, approved_by, note, hash FROM rulebook_version WHERE number = $1",
        version.number,
    )
    zone = get_current().timezone
    return VersionView(
        number=version.number,
        effective=version.effective.astimezone(zone),
        published_by=row["published_by"],
        published_at=row["published_at"].astimezone(zone),
        approved_by=tuple(row["approved_by"]),
        note=row["note"],
        hash=row["hash"],
    )


def view_rule(rulebook: Rulebook, code: str, language: Language) -> RuleView:
    """A rule in words."""
    rule = rulebook.rule(code)
    when = rule.when if isinstance(rule, (EventRule, JointRule, VetoRule)) else None
    words = say_rule(rule, rulebook, language)
    if isinstance(rule, (DifferentiationRule, ProgressRule)):
        sentence = words[0]
    else:
        sentence = render(message("rule.always"), language) if when is None else when.sentence(language)
    return RuleView(
        code=code,
        title=rule.title,
        basis=rule.basis,
        sentence=sentence,
        text="" if when is None else when.text,
        words=words,
    )


def leaves(evidence: Evidence) -> Iterator[Evidence]:
    """The comparisons of a condition, in the order they are written."""
    if evidence.kind == "comparison":
        yield evidence
    for part in evidence.parts:
        yield from leaves(part)


def view_comparisons(rule: str, condition: Condition, facts: Facts, language: Language) -> Iterator[ComparisonView]:
    """The comparisons of a rule's condition, as these facts decide them."""
    for evidence in leaves(condition.explain(facts)):
        term = condition.names.get(evidence.field)
        yield _view_comparison(rule, evidence, language, {} if term is None else term.choices)


def say_value(value: Any, language: Language, choices: Mapping[str, str | Message]) -> str:
    """A value in words, choices by their titles; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return render(message("comparison.yes" if value else "comparison.no"), language)
    if isinstance(value, (list, tuple)):
        return ("、" if language == "zh-CN" else ", ").join(say_value(each, language, choices) for each in value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    title = choices.get(str(value)) or str(value)
    return render(title, language) if isinstance(title, Message) else title


def _view_comparison(
    rule: str, evidence: Evidence, language: Language, choices: Mapping[str, str | Message]
) -> ComparisonView:
    """A comparison as people and systems read it."""
    title = render(evidence.title, language) if isinstance(evidence.title, Message) else evidence.title
    return ComparisonView(
        rule=rule,
        field=evidence.field,
        title=title,
        operator=str(evidence.operator or ""),
        expected=evidence.other or evidence.expected,
        actual=evidence.actual,
        expected_words=evidence.other or say_value(evidence.expected, language, choices),
        actual_words=say_value(evidence.actual, language, choices),
        result="unknown" if evidence.result == "unknown" else evidence.result == "true",
    )
