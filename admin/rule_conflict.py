"""Two versions of one rule beside each other (冲突对照): theirs, as the draft has it, and mine, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.language import Message, message
from rules.comparison import compare
from rules.naming import KEYS, Names, said_of
from rules.row_values import Document
from rules.rule_form import normal
from rules.rule_scope import DraftScope
from rules.writing import write_rulebook

Text = Message | str


class FieldPair(msgspec.Struct, frozen=True, kw_only=True):
    """A field in which the two differ; None: nothing stands there."""

    name: Text
    theirs: Text | None
    mine: Text | None


def beside(theirs: Document, mine: Document, scope: DraftScope) -> tuple[FieldPair, ...]:
    """The fields in which the two differ, what is nested by its parts."""
    old, new = normal(theirs), normal(mine)
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    rules: list[Any] = [{"rule": rule.code, "title": rule.title} for rule in scope.rules]
    book: dict[str, Any] = write_rulebook(msgspec.structs.replace(scope.rulebook, rules=())) | {"rules": rules}
    names = Names(book, book).within(new)
    return tuple(pair for key in dict.fromkeys([*old, *new]) for pair in _pairs(key, old, new, book, names))


def _pairs(
    key: str, old: Mapping[str, Any], new: Mapping[str, Any], book: Mapping[str, Any], names: Names
) -> Iterator[FieldPair]:
    was, now = old.get(key), new.get(key)
    if was == now:
        return
    if _nested(was) and _nested(now):
        sides = ({**book, "rules": [{"rule": "", "on": new.get("on"), key: side}]} for side in (was, now))
        for difference in (each for change in compare(*sides) for each in change.differences):
            yield FieldPair(name=difference.field, theirs=difference.before, mine=difference.after)
        return
    name: Text = message("editor.code") if key == "rule" else message(f"key.{key}") if key in KEYS else key
    yield FieldPair(
        name=name,
        theirs=None if was is None else said_of(was, key, names),
        mine=None if now is None else said_of(now, key, names),
    )


def _nested(value: Any) -> bool:
    """Whether it has parts that are compared by themselves."""
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )
