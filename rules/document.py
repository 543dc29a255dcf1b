"""The rulebook's document (规则文档): read whole, with every finding, and written back the same.

What a document leaves out has its default; an unknown key, a wrong type, a reference to something
that is not defined are refused with the path (``rules[3].points.by``), the line where the text is
known, and what was expected. Odd things are warnings. The office's own cases stand beside the
rules; they are kept as written and read by ``rules/case.py``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from engine.amount import cents
from engine.field import DaysLate, EventType, Field, FieldType
from engine.finding import Finding
from engine.language import message
from engine.report import canonical_json
from engine.rulebook import (
    Award,
    EventRule,
    Indicator,
    JointRule,
    JointSettings,
    Limit,
    Part,
    Rule,
    Rulebook,
    Scorecard,
    StandingSettings,
    VetoRule,
    Window,
)
from engine.scalar import Raw, written_instant
from engine.term import check_field_name
from rules.measure import read_indicator
from rules.place import BLANK, Findings, Keys, Place
from rules.rule import Scope, read_rule, read_sign, serve
from rules.tree import Path
from rules.writing import write_rulebook

__all__ = [
    "Document",
    "check_succession",
    "read_document",
    "read_document_at",
    "read_rulebook",
    "rulebook_hash",
    "write_rulebook",
]

KEYS = (
    "rulebook", "title", "effective", "base", "joint", "late", "holidays", "workdays", "event_types", "indicators",
    "limits", "rules", "scorecards", "standing", "cases",
)  # fmt: skip
TYPES: tuple[FieldType, ...] = ("text", "choice", "choices", "integer", "decimal", "boolean", "date", "datetime")
DEEPEST_PATH = 10


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook, the office's own tests of it as they were written, and what is odd in it."""

    rulebook: Rulebook
    cases: tuple[Raw, ...] = ()
    warnings: tuple[Finding, ...] = ()


def read_rulebook(raw: Raw, lines: Mapping[Path, int] | None = None) -> Rulebook:
    """The rulebook of a document's tree. Refused with every finding."""
    return read_document(raw, lines).rulebook


def read_document(raw: Raw, lines: Mapping[Path, int] | None = None) -> Document:
    """The rulebook and its own cases. Refused with every finding."""
    findings = Findings(lines)
    document = read_document_at(Place(raw, findings))
    findings.close()
    return document


def read_document_at(place: Place) -> Document:
    """The document that stands at a place of another one; its findings are added to those of that place."""
    before = len(place.findings.found)
    keys = place.keys(*KEYS)
    event_types = keys.get("event_types", lambda here: here.coded(_event_type)) or {}
    indicators = (
        keys.get("indicators", lambda here: here.coded(lambda code, at: read_indicator(code, at, event_types))) or {}
    )
    limits = keys.get("limits", lambda here: here.coded(_limit)) or {}
    rulebook = Rulebook(
        code=keys.need("rulebook", Place.code),
        title=keys.get("title", Place.title, ""),
        effective=keys.need("effective", Place.instant),
        base=keys.get("base", Place.number, Decimal(100)),
        joint=keys.get("joint", _joint, JointSettings()),
        late=keys.get("late", lambda here: here.one_of("carry", "refuse"), "carry"),
        holidays=frozenset(keys.get("holidays", lambda here: here.distinct(Place.day)) or ()),
        workdays=frozenset(keys.get("workdays", lambda here: here.distinct(Place.day)) or ()),
        event_types=event_types,
        indicators=indicators,
        limits=limits,
        rules=_rules(keys, event_types, indicators, limits),
        scorecards=keys.get("scorecards", lambda here: here.each(_scorecard)) or (),
        standing=keys.get("standing", _standing, StandingSettings()),
    )
    _look_for_oddities(place, keys, rulebook)
    cases = keys.get("cases", lambda here: tuple(item.raw for item in here.items())) or ()
    warnings = tuple(finding for finding in place.findings.found[before:] if finding.level == "warning")
    return Document(rulebook=rulebook, cases=cases, warnings=warnings)


def _event_type(code: str, place: Place) -> EventType:
    keys = place.keys("title", "fields")
    fields = {name: _field(name, here) for name, here in keys.pairs("fields")}
    for name, here in keys.pairs("fields"):
        derived = fields[name].days_late
        for role in ("due", "done") if derived is not None else ():
            named = getattr(derived, role)
            if named != BLANK and (named not in fields or fields[named].type != "date" or fields[named].days_late):
                here.at("days_late", None).at(role, None).refuse("document.date_field", field=named)
    return EventType(code=code, title=keys.get("title", Place.title, ""), fields=fields)


def _field(name: str, place: Place) -> Field:
    wrong = check_field_name(name)
    if wrong is not None:
        place.findings.add(place.path, wrong)
    keys = place.keys("title", "type", "choices", "required", "days_late")
    field_type = keys.need("type", lambda here: here.one_of(*TYPES))
    choosing = field_type in {"choice", "choices"}
    choices = {here.at_key().word(): "" if here.raw is None else here.title() for _, here in keys.pairs("choices")}
    if choosing and not choices:
        place.at("choices", None).refuse("document.missing", name="choices")
    if not choosing and "choices" in keys:
        keys.inside["choices"].refuse("document.choices", type=field_type)
    required = keys.get("required", Place.boolean, False)
    days_late = keys.get("days_late", _days_late)
    if days_late is not None and field_type != "integer" and "type" in keys:
        keys.inside["type"].refuse("document.derived_type")
    if days_late is not None and required:
        keys.inside["required"].refuse("document.derived_required")
    return Field(
        name=name,
        title=keys.get("title", Place.title, ""),
        type=field_type,
        choices=choices,
        required=required,
        days_late=days_late,
    )


def _days_late(place: Place) -> DaysLate:
    keys = place.keys("due", "done", "calendar")
    return DaysLate(
        due=keys.need("due", Place.title),
        done=keys.need("done", Place.title),
        calendar=keys.get("calendar", lambda here: here.one_of("all", "working"), "all"),
    )


def _limit(code: str, place: Place) -> Limit:
    keys = place.keys("title", "sign", "per", "max")
    windows: tuple[Window, ...] = ("event", "month", "quarter", "half", "year", "period")
    return Limit(
        code=code,
        title=keys.get("title", Place.title, ""),
        sign=keys.get("sign", read_sign, "both"),
        per=keys.need("per", lambda here: here.one_of(*windows)),
        max=keys.need("max", Place.size),
    )


def _joint(place: Place) -> JointSettings:
    keys = place.keys("depth", "basis")
    depth = keys.get("depth", Place.integer, 1)
    if not 1 <= depth <= DEEPEST_PATH:
        keys.inside["depth"].refuse("document.between", least=1, most=DEEPEST_PATH, given=depth)
    basis: Literal["nominal", "posted"] = keys.get("basis", lambda here: here.one_of("nominal", "posted"), "nominal")
    return JointSettings(depth=depth, basis=basis)


def _rules(
    keys: Keys, event_types: Mapping[str, EventType], indicators: Mapping[str, Indicator], limits: Mapping[str, Limit]
) -> tuple[Rule, ...]:
    places = keys.items("rules")
    scope = Scope(event_types=event_types, indicators=indicators, limits=limits, served=serve(places))
    rules: dict[str, Rule] = {}
    for place in places:
        rule = read_rule(place, scope)
        if rule is not None and rule.code != BLANK and rule.code in rules:
            place.at("rule", rule.code).refuse("document.twice", given=rule.code)
        elif rule is not None:
            rules[rule.code] = rule
    return tuple(rules.values())


def _scorecard(place: Place) -> Scorecard:
    keys = place.keys("for", "parts")
    fits: dict[str, str] = {}
    if (here := keys.at("for")) is not None:
        chosen = here.keys("kind", "group", "post")
        fits = {key: chosen.inside[key].word() for key in ("group", "post") if key in chosen}
        if "kind" in chosen:
            fits["kind"] = chosen.inside["kind"].one_of("unit", "person")
    parts = keys.need("parts", lambda here: here.each(_part))
    if "parts" in keys and not parts:
        keys.inside["parts"].refuse("document.empty")
    return Scorecard(parts=parts, **fits)


def _part(place: Place) -> Part:
    keys = place.keys("title", "weight", "category")
    weight = keys.need("weight", Place.number)
    if weight <= 0 and "weight" in keys:
        keys.inside["weight"].refuse("document.positive", given=weight)
    return Part(title=keys.get("title", Place.title, ""), weight=weight, category=keys.need("category", Place.word))


def _standing(place: Place) -> StandingSettings:
    keys = place.keys("linkage", "floor", "tiers", "awards")
    linkage: dict[str, Decimal] = {}
    for _, here in keys.pairs("linkage"):
        linkage[here.at_key().word()] = share = here.size()
        if share > 1:
            here.refuse("rule.ratio", given=share)
    awards = keys.get("awards", lambda here: here.each(_award)) or ()
    codes = [award.code for award in awards]
    for step, code in enumerate(codes):
        if code != BLANK and code in codes[:step]:
            keys.inside["awards"].at(step, None).at("code", code).refuse("document.twice", given=code)
    return StandingSettings(
        linkage=linkage,
        floor=keys.get("floor", Place.number),
        tiers=keys.get("tiers", _tiers) or (),
        awards=awards,
    )


def _tiers(place: Place) -> tuple[Decimal, ...]:
    keys = place.keys("shares")
    shares = keys.need("shares", lambda here: here.each(Place.size))
    if "shares" in keys and not shares:
        keys.inside["shares"].refuse("document.empty")
    if shares and sum(shares) != 100:
        keys.inside["shares"].warn("document.shares", sum=sum(shares))
    return shares


def _award(place: Place) -> Award:
    keys = place.keys("code", "title", "kind", "top_share", "quota", "per")
    top_share = keys.need("top_share", Place.size)
    if top_share > 100:
        keys.inside["top_share"].refuse("document.between", least=0, most=100, given=top_share)
    quota = keys.get("quota", Place.integer)
    if quota is not None and quota < 0:
        keys.inside["quota"].refuse("document.size", given=quota)
    return Award(
        code=keys.need("code", Place.code),
        title=keys.get("title", Place.title, ""),
        kind=keys.need("kind", lambda here: here.one_of("unit", "person")),
        top_share=top_share,
        quota=quota,
        per=keys.get("per", Place.word),
    )


def _look_for_oddities(place: Place, keys: Keys, rulebook: Rulebook) -> None:
    """Warn of what has no effect as it stands, or one that an office will hardly want."""
    named = {limit for rule in rulebook.rules if not isinstance(rule, VetoRule) for limit in rule.limits}
    for code, limit in rulebook.limits.items():
        here = keys.inside["limits"].at(code, None)
        if code not in named:
            here.warn("document.idle_limit", limit=code)
        if limit.max != cents(limit.max):
            here.at("max", None).warn("document.fine_limit", max=limit.max)
    serving = {rule.code for rule in rulebook.rules if isinstance(rule, EventRule) and rule.enabled}
    for step, rule in enumerate(rulebook.rules):
        if isinstance(rule, JointRule) and rule.enabled and serving.isdisjoint(rule.of or serving):
            keys.inside["rules"].at(step, None).warn("document.idle_joint", rule=rule.code)
    categories = {indicator.category for indicator in rulebook.indicators.values()}
    for step, card in enumerate(rulebook.scorecards):
        for part_step, part in enumerate(card.parts):
            if part.category not in categories and part.category != BLANK:
                parts = keys.inside["scorecards"].at(step, None).at("parts", None)
                parts.at(part_step, None).at("category", None).warn("document.empty_part", category=part.category)
    both = rulebook.holidays & rulebook.workdays
    if both:
        place.at("workdays", None).warn("document.holiday_worked", day=min(both))


def check_succession(previous: Sequence[Rulebook], new: Rulebook) -> list[Finding]:
    """What a further version may not change: the window and the sign of a limit that keeps its code."""
    findings: list[Finding] = []
    for code, limit in new.limits.items():
        for key in ("per", "sign"):
            before = {getattr(each.limits[code], key) for each in previous if code in each.limits}
            after = getattr(limit, key)
            if before - {after}:
                said = message(
                    "document.limit_changed",
                    limit=code,
                    name=key,
                    before=", ".join(sorted(before)),
                    after=getattr(limit, key),
                )
                findings.append(Finding(message=said, path=f"limits.{code}.{key}"))
    return findings


def rulebook_hash(rulebook: Rulebook) -> str:
    """What the rulebook says, as a SHA-256 in hexadecimal: the same rules, the same hash, however written."""
    tree = write_rulebook(rulebook) | {"effective": written_instant(rulebook.effective)}
    return hashlib.sha256(canonical_json(tree)).hexdigest()
