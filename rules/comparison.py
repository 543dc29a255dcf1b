"""A comparison of two rulebooks (规则对比): what was added, removed and changed, field by field, in sentences.

Two documents are compared in their canonical form, so that only what they mean counts: a default
that is written out is no change. The office's own cases are no rules and are left out.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from engine.language import Message, message

Section = Literal["settings", "event_types", "indicators", "limits", "rules"]
SECTIONS: tuple[Section, ...] = ("settings", "event_types", "indicators", "limits", "rules")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs. ``sentences`` say each field of it that does; empty where it is new or gone."""

    section: Section
    kind: Literal["added", "removed", "changed"]
    code: str
    title: str
    sentences: tuple[Message, ...] = ()


def compare(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two canonical documents; no old one: everything is new."""
    before = old or {}
    changes = [*_settings(before, new)] if old is not None else []
    for section in SECTIONS[1:]:
        changes += _coded(section, _by_code(before.get(section)), _by_code(new.get(section)))
    if old is not None:
        changes += _order(_by_code(before.get("rules")), _by_code(new.get("rules")))
    return tuple(changes)


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Change]:
    held = {key for key in (*old, *new) if key not in (*SECTIONS, "cases", "effective")}
    sentences = tuple(_fields({key: old.get(key) for key in held}, {key: new.get(key) for key in held}))
    if sentences:
        yield Change(section="settings", kind="changed", code="", title="", sentences=sentences)


def _coded(section: Section, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Change]:
    for code, item in new.items():
        if code not in old:
            yield Change(section=section, kind="added", code=code, title=_title(item))
        elif sentences := tuple(_fields(old[code], item)):
            yield Change(section=section, kind="changed", code=code, title=_title(item), sentences=sentences)
    for code, item in old.items():
        if code not in new:
            yield Change(section=section, kind="removed", code=code, title=_title(item))


def _order(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Change]:
    kept, now = [code for code in old if code in new], [code for code in new if code in old]
    if kept != now:
        said = message("comparison.order", order="、".join(now))
        yield Change(section="settings", kind="changed", code="", title="", sentences=(said,))


def _fields(old: Any, new: Any) -> Iterable[Message]:
    for field in differing(old, new):
        if field.before is None:
            yield message("comparison.set", field=field.name, after=field.after)
        elif field.after is None:
            yield message("comparison.unset", field=field.name, before=field.before)
        else:
            yield message("comparison.changed", field=field.name, before=field.before, after=field.after)


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs, and what it holds on either side; None: nothing."""

    name: Message
    before: Message | str | None
    after: Message | str | None


def differing(old: Any, new: Any) -> Iterator[FieldChange]:
    """The fields in which two items of a document differ."""
    before, after = dict(_flat(old)), dict(_flat(new))
    for path in dict.fromkeys([*before, *after]):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        key = path[-1] if path else ""
        yield FieldChange(
            name=_name(path),
            before=None if was is None else _said(was, key),
            after=None if now is None else _said(now, key),
        )


def _flat(item: Any, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    """The fields of an item, those of mappings inside it by their path, those in a list by their name or number."""
    if isinstance(item, Mapping) and item:
        for key, value in item.items():
            yield from _flat(value, (*path, key))
    elif isinstance(item, list) and item and all(isinstance(one, Mapping) for one in item):
        for number, one in enumerate(item, 1):
            yield from _flat(one, (*path, str(one.get("code") or one.get("category") or number)))
    elif item is not None:
        yield path, item


def _name(path: tuple[str, ...]) -> Message:
    said = [message(f"key.{step}") if step in KEYS else message("key.other", name=step) for step in path]
    name = said[0] if said else message("key.other", name="")
    for further in said[1:]:
        name = message("key.within", outer=name, inner=further)
    return name


def _said(value: Any, key: str) -> Message | str:
    if isinstance(value, bool):
        return message("comparison.yes" if value else "comparison.no")
    if isinstance(value, str) and value in WORDS.get(key, ()):
        return message(f"value.{value}")
    if isinstance(value, list) and all(isinstance(item, list) and len(item) == 2 for item in value):
        return "、".join(f"{'…' if bound is None else bound} → {points}" for bound, points in value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "、".join(value) or message("comparison.nothing")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _by_code(items: Any) -> dict[str, Any]:
    if isinstance(items, list):
        return {str(item["rule"]): {k: v for k, v in item.items() if k != "rule"} for item in items if "rule" in item}
    return dict(items) if isinstance(items, dict) else {}


def _title(item: Any) -> str:
    return str(item.get("title") or "") if isinstance(item, Mapping) else ""


KEYS = frozenset({
    "title", "basis", "indicator", "enabled", "note", "on", "when", "charge", "points", "times", "factors", "max",
    "matter", "limits", "joint", "of", "sign", "share", "split", "field", "table", "bands", "progressive", "else",
    "base", "depth", "late", "holidays", "workdays", "scorecards", "standing", "rulebook", "fields", "type",
    "choices", "required", "days_late", "full", "owner", "category", "overdraw", "measure", "per", "veto", "to",
    "differentiation", "progress", "among", "groups", "at_least", "undifferentiated", "differentiated", "both",
    "method", "direct", "linear", "from", "efficacy", "bad", "good", "milestone", "rank", "raters", "weights",
    "missing", "order", "all_equal", "range_below", "range_above", "cv_below", "cv_above", "full_share_at_least",
    "distinct_below", "for", "kind", "group", "post", "parts", "weight", "linkage", "floor", "tiers", "shares",
    "awards", "top_share", "quota", "repeat", "within_days", "same", "by",
})  # fmt: skip
"""Keys of a document that have a name in both languages."""

WORDS: Mapping[str, frozenset[str]] = {
    "charge": frozenset({"subject", "members", "owner", "unit"}),
    "among": frozenset({"group", "unit"}),
    "differentiation": frozenset({"total"}),
    "progress": frozenset({"rank", "total"}),
    "kind": frozenset({"unit", "person"}),
    "method": frozenset({"direct", "bands", "linear", "efficacy", "milestone", "rank", "raters"}),
    "order": frozenset({"ascending", "descending"}),
    "missing": frozenset({"renormalise", "zero"}),
    "sign": frozenset({"bonus", "deduction", "both"}),
    "split": frozenset({"each", "pro_rata"}),
    "matter": frozenset({"each", "highest"}),
    "late": frozenset({"carry", "refuse"}),
    "basis": frozenset({"nominal", "posted"}),
}
"""Words of the schema that are said in the reader's language, by the key that they stand under."""
