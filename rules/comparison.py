"""A comparison of two rulebooks (规则对比): what was added, removed and changed, field by field, in sentences.

Two documents are compared in their canonical form, so that only what they mean counts: a default
that is written out is no change. Schedules are compared row by row, scorecards by whom they are for, parts, factors and
awards by their names. The office's own cases are no rules: they are compared where both documents bring them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from engine.language import Language, Message, message, render
from rules.naming import KEYS, Names, joined, said_of

Section = Literal["settings", "event_types", "indicators", "limits", "rules", "scorecards", "standing", "cases"]
SECTIONS: tuple[Section, ...] = (
    "settings", "event_types", "indicators", "limits", "rules", "scorecards", "standing", "cases",
)  # fmt: skip
_CODED: tuple[Section, ...] = ("event_types", "indicators", "limits", "rules")
_ROWS = {"bands": "comparison.from_bound", "progressive": "comparison.up_to"}
"""Lists of pairs that are compared by their first part, and how a row is called."""
_PLACES = {"rank": "comparison.rank", "shares": "comparison.tier"}
"""Lists that are compared place by place."""
_DAYS = ("holidays", "workdays")
_SETS = ("of", "limits", "groups", "same", "differentiation")
"""Lists of which it is said what came and what went."""
_LONG = 6

Path = tuple[Message | str, ...]
Text = Message | str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs; None on a side: it is not there. ``plain``: the field's name says what was done."""

    field: Text
    before: Text | None = None
    after: Text | None = None
    plain: bool = False

    @property
    def sentence(self) -> Message:
        """The difference in one sentence."""
        if self.plain:
            return message("comparison.plain", field=self.field, what=self.after)
        if self.before is None:
            return message("comparison.set", field=self.field, after=self.after)
        if self.after is None:
            return message("comparison.unset", field=self.field, before=self.before)
        return message("comparison.changed", field=self.field, before=self.before, after=self.after)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs. ``differences`` are the fields of it that do; empty where it is new or gone.

    ``title`` is what it is called, as its document has it or as a message.
    """

    section: Section
    kind: Literal["added", "removed", "changed"]
    code: str
    title: Text = ""
    differences: tuple[Difference, ...] = ()

    @property
    def sentences(self) -> tuple[Message, ...]:
        """Each field that differs, in a sentence."""
        return tuple(each.sentence for each in self.differences)

    def called(self, language: Language) -> str:
        """Its title in the reader's language."""
        return render(self.title, language) if isinstance(self.title, Message) else self.title


def compare(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two canonical documents; no old one: everything is new."""
    before = old or {}
    names = Names(before, new)
    changes = [*_whole("settings", names, _settings(before), _settings(new))] if old is not None else []
    for section in _CODED:
        changes += _coded(section, names, _by_code(before.get(section)), _by_code(new.get(section)))
    if old is not None:
        changes += _order(_by_code(before.get("rules")), _by_code(new.get("rules")))
    changes += _scorecards(names, before.get("scorecards") or (), new.get("scorecards") or ())
    changes += _whole("standing", names, before.get("standing") or {}, new.get("standing") or {})
    if "cases" in before and "cases" in new:
        changes += _cases(before["cases"] or (), new["cases"] or ())
    return tuple(changes)


def _settings(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if key not in (*SECTIONS, "effective")}


def _whole(section: Section, names: Names, old: Any, new: Any) -> Iterable[Change]:
    if differences := tuple(_differences(old, new, (), names)):
        yield Change(section=section, kind="changed", code="", differences=differences)


def _coded(section: Section, names: Names, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Change]:
    for code, item in new.items():
        if code not in old:
            yield Change(section=section, kind="added", code=code, title=_title(item))
            continue
        within = names.within(item if section == "rules" else {"on": code} if section == "event_types" else {})
        if differences := tuple(_differences(old[code], item, (), within)):
            yield Change(section=section, kind="changed", code=code, title=_title(item), differences=differences)
    for code, item in old.items():
        if code not in new:
            yield Change(section=section, kind="removed", code=code, title=_title(item))


def _order(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Change]:
    """The rules that stand elsewhere among those that stayed, as few as explain the new order."""
    kept, now = [code for code in old if code in new], [code for code in new if code in old]
    if kept == now:
        return
    moved = set(now) - set(_rising(now, {code: place for place, code in enumerate(kept)}))
    differences = []
    for place, code in enumerate(now):
        if code in moved:
            where = message("comparison.first") if place == 0 else message("comparison.behind", rule=now[place - 1])
            differences.append(Difference(field=message("comparison.order_of", rule=code), after=where, plain=True))
    yield Change(section="settings", kind="changed", code="", differences=tuple(differences))


def _rising(codes: Sequence[str], places: Mapping[str, int]) -> list[str]:
    """The longest run of codes whose places rise: what did not move."""
    best: list[tuple[int, str, Any]] = []
    for code in codes:
        at = places[code]
        low, high = 0, len(best)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if best[middle][0] < at else (low, middle)
        link = (at, code, best[low - 1] if low else None)
        best[low : low + 1] = [link]
    found: list[str] = []
    link_back: Any = best[-1] if best else None
    while link_back is not None:
        found.append(link_back[1])
        link_back = link_back[2]
    return found[::-1]


def _scorecards(names: Names, old: Sequence[Any], new: Sequence[Any]) -> Iterable[Change]:
    before, after = _by_name(old, _for), _by_name(new, _for)
    for code, card in after.items():
        title = names.scorecard(card.get("for") or {})
        if code not in before:
            yield Change(section="scorecards", kind="added", code="", title=title)
        elif differences := tuple(_differences(before[code].get("parts"), card.get("parts"), (), names)):
            yield Change(section="scorecards", kind="changed", code="", title=title, differences=differences)
    for code, card in before.items():
        if code not in after:
            title = names.scorecard(card.get("for") or {})
            yield Change(section="scorecards", kind="removed", code="", title=title)


def _cases(old: Sequence[Any], new: Sequence[Any]) -> Iterable[Change]:
    before, after = _by_name(old, _case), _by_name(new, _case)
    groups = {
        "comparison.cases_added": [name for name in after if name not in before],
        "comparison.cases_removed": [name for name in before if name not in after],
        "comparison.cases_changed": [name for name in after if name in before and before[name] != after[name]],
    }
    differences = tuple(
        Difference(field=message(key, count=len(held)), after=joined(_shortened(held)), plain=True)
        for key, held in groups.items()
        if held
    )
    if differences:
        yield Change(section="cases", kind="changed", code="", differences=differences)


def _shortened(held: Sequence[str]) -> list[Text]:
    return [*held[:_LONG], message("comparison.more", count=len(held) - _LONG)] if len(held) > _LONG else [*held]


def _differences(old: Any, new: Any, path: Path, names: Names, key: str = "") -> Iterator[Difference]:
    if old == new:
        return
    old, new = _as_mapping(old, key, new), _as_mapping(new, key, old)
    if isinstance(old, Mapping) and isinstance(new, Mapping) and (path or old or new):
        for step in dict.fromkeys([*old, *new]):
            word = step.key if isinstance(step, _Row) else step
            yield from _differences(old.get(step), new.get(step), (*path, _step(step, key, names)), names, word)
    elif key in _DAYS or (key in _SETS and _are_sets(old, new)):
        before, after = old or (), new or ()
        for said, items in (
            ("comparison.items_added", [item for item in after if item not in before]),
            ("comparison.items_removed", [item for item in before if item not in after]),
        ):
            if items:
                yield Difference(field=message(said, field=_name(path)), after=said_of(items, key, names), plain=True)
    else:
        yield Difference(
            field=_name(path),
            before=None if old in (None, {}) else said_of(old, key, names),
            after=None if new in (None, {}) else said_of(new, key, names),
        )


def _are_sets(old: Any, new: Any) -> bool:
    """Whether two lists are told apart by their members."""
    both = isinstance(old, list) and isinstance(new, list)
    return both and bool(old) and bool(new) and set(old) != set(new)


class _Row(str):
    """What a row of a schedule or an item of a list is known by; ``key`` is the list that it stands in."""

    key = ""


def _row(text: str, key: str) -> "_Row":
    made = _Row(text)
    made.key = key
    return made


def _as_mapping(value: Any, key: str, other: Any) -> Any:
    """A list whose items have names or bounds, as a mapping by them, to be compared with another; else as it is."""
    if value is None and isinstance(other, list) and other and all(isinstance(item, Mapping) for item in other):
        return {}
    if not isinstance(value, list) or not value or not (other is None or isinstance(other, list)):
        return value
    if other is None and key in (*_ROWS, *_PLACES):
        return value
    if key in _ROWS and all(isinstance(item, list) and len(item) == 2 for item in value):
        return {_row("" if bound is None else str(bound), key): points for bound, points in value}
    if key in _PLACES:
        return {_row(str(place), key): item for place, item in enumerate(value, 1)}
    if all(isinstance(item, Mapping) for item in value):
        held = _by_name(value, _item)
        return {_row(name, "item"): item for name, item in held.items()}
    return value


def _step(step: str, key: str, names: Names) -> Text:
    if isinstance(step, _Row):
        if step.key in _ROWS:
            return message(_ROWS[step.key], bound=step) if step else message("comparison.beyond")
        if step.key in _PLACES:
            return message(_PLACES[step.key], place=step)
        return message("comparison.named", name=step)
    if key == "milestone":
        return message("comparison.milestone", step=step)
    if key == "table":
        return names.choice(step)
    if key == "fields":
        return message("comparison.named", name=names.field(step))
    return message(f"key.{step}") if step in KEYS else step


def _name(path: Path) -> Text:
    name: Text = path[0] if path else ""
    for further in path[1:]:
        name = message("key.within", outer=name, inner=further)
    return name


def _by_name(items: Sequence[Any], name: Any) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for number, item in enumerate(items, 1):
        called = name(item) or str(number)
        held[called if called not in held else f"{called} ({number})"] = item
    return held


def _item(item: Mapping[str, Any]) -> str:
    return str(item.get("title") or item.get("code") or item.get("category") or "")


def _for(card: Mapping[str, Any]) -> str:
    given = card.get("for") or {}
    return "/".join(str(given.get(key) or "") for key in ("kind", "group", "post"))


def _case(case: Any) -> str:
    return str(case.get("case") or "") if isinstance(case, Mapping) else ""


def _by_code(items: Any) -> dict[str, Any]:
    if isinstance(items, list):
        return {str(item["rule"]): {k: v for k, v in item.items() if k != "rule"} for item in items if "rule" in item}
    return dict(items) if isinstance(items, dict) else {}


def _title(item: Any) -> str:
    return str(item.get("title") or "") if isinstance(item, Mapping) else ""
