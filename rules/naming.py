"""What the parts of a document are called (规则书用语): keys, words, codes with their titles, schedules on one line."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.language import Message, message

Text = Message | str


class Names:
    """The titles that two documents give to codes; the newer one's where both do. ``on`` is the event type at hand."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any], on: str = "", by: str = "") -> None:
        self._documents = (new, old)
        self._on, self._by = on, by

    def within(self, rule: Mapping[str, Any]) -> "Names":
        """The names as a rule uses them: the fields are those of its event type."""
        points = rule.get("points")
        by = points.get("field") if isinstance(points, Mapping) else None
        new, old = self._documents
        return Names(old, new, str(rule.get("on") or ""), str(by or ""))

    def of(self, section: str, code: str) -> str:
        """A code with its title."""
        for document in self._documents:
            items = document.get(section)
            item = items.get(code) if isinstance(items, Mapping) else None
            if isinstance(item, Mapping) and item.get("title"):
                return titled(code, item["title"])
        return code

    def rule(self, code: str) -> str:
        """A rule's code with its title."""
        for document in self._documents:
            for item in document.get("rules") or ():
                if item.get("rule") == code:
                    return titled(code, item.get("title"))
        return code

    def field(self, name: str) -> str:
        """A field with its title."""
        title = self._field(name).get("title")
        return titled(name, title)

    def choice(self, value: str) -> str:
        """A choice of the field that the points go by."""
        return str((self._field(self._by).get("choices") or {}).get(value) or value)

    def scorecard(self, given: Mapping[str, Any]) -> Message:
        """Whom a scorecard is for."""
        said: list[Text] = []
        if given.get("kind"):
            said.append(message(f"value.{given['kind']}"))
        said += [message("comparison.for", what=message(f"key.{key}"), value=given[key])
                 for key in ("group", "post") if given.get(key)]  # fmt: skip
        return message("comparison.scorecard", of=joined(said) if said else message("comparison.everybody"))

    def _field(self, name: str) -> Mapping[str, Any]:
        for document in self._documents:
            held = ((document.get("event_types") or {}).get(self._on) or {}).get("fields") or {}
            if name in held:
                found: Mapping[str, Any] = held[name]
                return found
        return {}


def said_of(value: Any, key: str, names: Names) -> Text:
    """A value of a document as people read it, on one line."""
    if isinstance(value, bool):
        return message("comparison.yes" if value else "comparison.no")
    if isinstance(value, str):
        return _word(value, key, names)
    if isinstance(value, Mapping):
        return joined([_pair(step, item, key, names) for step, item in value.items()]) or message("comparison.nothing")
    if key in ("from", "to") and isinstance(value, Sequence) and len(value) == 2:
        return message("comparison.point", value=value[0], points=value[1])
    if isinstance(value, Sequence):
        if key in ("bands", "progressive"):
            return joined([message("comparison.row", bound="…" if at is None else str(at), points=str(to))
                           for at, to in value])  # fmt: skip
        return joined([said_of(item, key, names) for item in value]) or message("comparison.nothing")
    return str(value)


def _word(value: str, key: str, names: Names) -> Text:
    if value in WORDS.get(key, ()):
        return message(f"value.{value}")
    match key:
        case "on":
            return names.of("event_types", value)
        case "indicator" | "differentiation":
            return names.of("indicators", value)
        case "limits":
            return names.of("limits", value)
        case "of":
            return names.rule(value)
        case "field" | "times" | "same" | "due" | "done":
            return names.field(value)
    return value or message("comparison.nothing")


def _pair(step: str, item: Any, key: str, names: Names) -> Message:
    called: Text = step
    if key == "table":
        called = names.choice(step)
    elif key == "fields":
        called = names.field(step)
    elif key not in ("choices", "weights", "milestone", "linkage") and step in KEYS:
        called = message(f"key.{step}")
    said = said_of(item, step, names)
    nested = isinstance(item, Mapping)
    return message("comparison.pair_within" if nested else "comparison.pair", name=called, value=said)


def titled(code: str, title: object) -> str:
    """A code with its title; the title alone where it says the code already."""
    called = str(title or "")
    return code if not called else called if called.startswith(code) else f"{code} {called}"


def joined(items: Iterable[Text]) -> Text:
    """The items with the reader's comma between them; an empty text for none."""
    said: Text = ""
    for item in items:
        said = message("comparison.and", one=said, other=item) if said else item
    return said


KEYS = frozenset({
    "title", "basis", "indicator", "enabled", "note", "on", "when", "charge", "points", "times", "factors", "max",
    "matter", "limits", "joint", "of", "sign", "share", "split", "field", "table", "bands", "progressive", "else",
    "base", "depth", "late", "holidays", "workdays", "scorecards", "standing", "rulebook", "fields", "type",
    "choices", "required", "days_late", "full", "owner", "category", "overdraw", "measure", "per", "veto", "to",
    "differentiation", "progress", "among", "groups", "at_least", "undifferentiated", "differentiated", "both",
    "method", "direct", "linear", "from", "efficacy", "bad", "good", "milestone", "rank", "raters", "weights",
    "missing", "order", "all_equal", "range_below", "range_above", "cv_below", "cv_above", "full_share_at_least",
    "distinct_below", "for", "kind", "group", "post", "parts", "weight", "linkage", "floor", "tiers", "shares",
    "awards", "top_share", "quota", "repeat", "within_days", "same", "by", "due", "done", "calendar", "code",
})  # fmt: skip
"""Keys of a document that have a name in both languages."""

WORDS: Mapping[str, frozenset[str]] = {
    "charge": frozenset({"subject", "members", "owner", "unit"}),
    "among": frozenset({"group", "unit"}),
    "differentiation": frozenset({"total"}),
    "progress": frozenset({"rank", "total"}),
    "veto": frozenset({"total"}),
    "kind": frozenset({"unit", "person"}),
    "method": frozenset({"direct", "bands", "linear", "efficacy", "milestone", "rank", "raters"}),
    "order": frozenset({"ascending", "descending"}),
    "missing": frozenset({"renormalise", "zero"}),
    "sign": frozenset({"bonus", "deduction", "both"}),
    "split": frozenset({"each", "pro_rata"}),
    "matter": frozenset({"each", "highest"}),
    "late": frozenset({"carry", "refuse"}),
    "basis": frozenset({"nominal", "posted"}),
    "per": frozenset({"event", "month", "quarter", "half", "year", "period"}),
    "type": frozenset({"text", "choice", "choices", "integer", "decimal", "boolean", "date", "datetime"}),
    "calendar": frozenset({"all", "working"}),
}
"""Words of the schema that are said in the reader's language, by the key that they stand under."""
