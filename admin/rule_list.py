"""The draft's rules as a list (规则列表): searched and filtered over all, read and said for one page of it."""

from collections import Counter

import msgspec

from admin.rule_reading import counted, read_tree
from engine.language import Language
from rules.draft import snapshot
from rules.rule_scope import DraftScope, Listed, read_rules, read_scope_now
from rules.tables import DraftRule

PAGE = 50
KINDS = ("event", "joint", "differentiation", "progress", "veto")


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is narrowed to; ``page`` from 1."""

    q: str = ""
    kind: str = ""
    on: str = ""
    page: int = 1


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the list: its sentences, or none while it cannot be read, and how many findings it has."""

    rule: Listed
    type: str
    sentences: tuple[str, ...]
    errors: int
    warnings: int


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the rules that were sought. ``all``: how many there are; ``kinds``: of each kind."""

    sought: Sought
    lines: tuple[Line, ...]
    found: int
    all: int
    kinds: tuple[tuple[str, int], ...]
    types: tuple[tuple[str, str], ...]
    pages: int


async def list_rules(sought: Sought, language: Language) -> RuleList:
    """The rules that are sought, in the draft's order."""
    async with snapshot():
        scope = await read_scope_now()
        named = await _named(sought.q)
        found = [
            rule
            for rule in scope.rules
            if (named is None or rule.id in named)
            and sought.kind in ("", rule.kind)
            and sought.on in ("", rule.on)
        ]  # fmt: skip
        pages = max(1, -(-len(found) // PAGE))
        page = max(1, min(sought.page, pages))
        shown = found[(page - 1) * PAGE : page * PAGE]
        trees = await read_rules([rule.id for rule in shown], scope.codes)
    lines = []
    for rule in shown:
        reading = read_tree(trees[rule.id], scope, language)
        errors, warnings = counted(reading.findings)
        lines.append(
            Line(rule=rule, type=_type(rule.on, scope), sentences=reading.sentences, errors=errors, warnings=warnings)
        )
    kinds = Counter(rule.kind for rule in scope.rules)
    used = Counter(rule.on for rule in scope.rules)
    return RuleList(
        sought=msgspec.structs.replace(sought, page=page),
        lines=tuple(lines),
        found=len(found),
        all=len(scope.rules),
        kinds=tuple((kind, kinds[kind]) for kind in KINDS),
        types=tuple((code, f"{each.title or code}（{used[code]}）" if language == "zh-CN" else
                     f"{each.title or code} ({used[code]})") for code, each in scope.rulebook.event_types.items()),
        pages=pages,
    )  # fmt: skip


async def _named(q: str) -> frozenset[int] | None:
    """The rules in whose code, title, basis, note or condition the words stand; None: nothing is sought."""
    words = q.split()
    if not words:
        return None
    searched = "lower(concat_ws(' ', code, title, basis, note, condition))"
    asked = " AND ".join(f"position(lower({{}}) IN {searched}) > 0" for _ in words)
    rows = await DraftRule.raw(f"SELECT id FROM draft_rule WHERE {asked}", *words)  # noqa: S608  (no value of theirs)
    return frozenset(row["id"] for row in rows)


def _type(code: str, scope: DraftScope) -> str:
    held = scope.rulebook.event_types.get(code)
    return "" if held is None else held.title or code
