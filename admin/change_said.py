"""Changes in words (变更的说法): what one row of the change log says, with the titles that people know."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from piccolo.columns import Column, ForeignKey, Timestamptz
from piccolo.table import Table

from admin.changes import WHOLE, called
from admin.marking import Piece, mark
from admin.tables import ApiKey, Source, User, UserRole
from admin.titles import column_title, label
from engine.language import Language, Message, message, render
from rules.naming import Names, said_of
from rules.tables import DRAFT_TABLES, Version

TABLES: tuple[type[Table], ...] = (*DRAFT_TABLES, Version, User, UserRole, Source, ApiKey)
"""Tables whose changes are written down."""
_BY_NAME: Mapping[str, type[Table]] = {str(table._meta.tablename): table for table in TABLES}
NAMES = tuple(_BY_NAME)
"""What the database calls them."""
_UNNAMED = Names({}, {})
_LONG = 60
"""Letters of a value up to which the old one stands whole beside the new one."""
_MOST_COLUMNS = 5
_SILENT = ("id", "place", "password", "cases_json")
"""Columns that say nothing of a row as a whole."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A column that changed; None on a side: the row was not there."""

    column: str
    before: str | None
    after: str | None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Both sides of a long text as one, with what moved marked; empty where the sides stand apart."""
        if self.before is None or self.after is None or max(len(self.before), len(self.after)) <= _LONG:
            return ()
        return mark(self.before, self.after)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A change as people read it. ``whole``: the whole draft was replaced; ``version``: by which version's content."""

    id: int
    at: datetime
    user: str
    action: str
    table: str
    what: str
    row: str
    owner: str
    name: str
    lines: tuple[Line, ...]
    whole: bool = False
    version: int | None = None


async def say_changes(rows: Sequence[Mapping[str, Any]], language: Language, zone: ZoneInfo) -> tuple[Said, ...]:
    """What these rows of the change log say."""
    read = [(row, _side(row["before"]), _side(row["after"])) for row in rows]
    named = await _references(read)
    return tuple(_say(row, before, after, named, language, zone) for row, before, after in read)


def say_change(said: Said, language: Language) -> str:
    """A change in one sentence: who did what to which columns, and when."""
    columns = [
        render(
            message("changes.column_said", name=line.column, before=line.before or "", after=line.after or ""), language
        )
        for line in said.lines[:_MOST_COLUMNS]
        if line.before is not None and line.after is not None
    ]
    what = ("；" if language == "zh-CN" else "; ").join(columns)
    told = message(
        "changes.said" if what else "changes.said_short",
        user=said.user,
        at=said.at.strftime("%m-%d %H:%M:%S"),
        action=message(f"changes.action.{said.action}"),
        what=what,
    )
    return render(told, language)


def table_title(name: str, language: Language) -> str:
    """What a table is called."""
    return label(language, f"table.{name}") or name


def _say(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None,
    named: Mapping[tuple[str, Any], str], language: Language, zone: ZoneInfo,
) -> Said:  # fmt: skip
    table = _BY_NAME.get(row["table"])
    whole = row["action"] in WHOLE
    lines: tuple[Line, ...] = ()
    if not whole:
        columns = {} if table is None else {column._meta.name: column for column in table._meta.columns}
        keys = dict.fromkeys([*(before or {}), *(after or {})])
        both = before is not None and after is not None

        def said(side: Mapping[str, Any] | None, key: str) -> str | None:
            return None if side is None else _value(side.get(key), key, columns.get(key), named, language, zone)

        lines = tuple(
            Line(
                column=key if table is None else column_title(table, key, language),
                before=said(before, key),
                after=said(after, key),
            )
            for key in keys
            if both or (key not in _SILENT and not _empty((after or before or {}).get(key)))
        )
    return Said(
        id=row["id"],
        at=row["at"].astimezone(zone),
        user=row["user"],
        action=row["action"],
        table=row["table"],
        what=table_title(row["table"], language),
        row=row["row"],
        owner=row["owner"],
        name=row["name"],
        lines=lines,
        whole=whole,
        version=(after or {}).get("version") if whole else None,
    )


def _value(
    value: Any, key: str, column: Column | None, named: Mapping[tuple[str, Any], str], language: Language,
    zone: ZoneInfo,
) -> str:  # fmt: skip
    if key == "cases_json":
        held = json.loads(value) if value else []
        return render(message("changes.cases", count=len(held)), language)
    if _empty(value) and value is not False:
        return render(message("comparison.nothing"), language)
    if isinstance(value, bool):
        return render(message("comparison.yes" if value else "comparison.no"), language)
    if isinstance(value, list):
        return ("、" if language == "zh-CN" else ", ").join(_item(str(item), key, language) for item in value)
    if isinstance(column, ForeignKey):
        table = str(column._foreign_key_meta.resolved_references._meta.tablename)
        return named.get((table, value)) or render(message("changes.gone", number=value), language)
    if isinstance(column, Timestamptz):
        return datetime.fromisoformat(str(value)).astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if column is not None and column._meta.choices is not None:
        table = str(column._meta.table._meta.tablename)
        return label(language, f"choice.{table}.{key}.{value}", f"choice.{key}.{value}") or str(value)
    return str(value)


def _item(text: str, key: str, language: Language) -> str:
    """An item of a list; a part of a document, kept as JSON, in words."""
    if not text.startswith(("{", "[")):
        return text
    try:
        part = json.loads(text, parse_float=str)
    except ValueError:
        return text
    said = said_of(part, key, _UNNAMED)
    return render(said, language) if isinstance(said, Message) else said


async def _references(
    read: Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | None, Mapping[str, Any] | None]],
) -> dict[tuple[str, Any], str]:
    """What the rows are called that these changes refer to, as far as they are still there."""
    wanted: dict[type[Table], set[Any]] = defaultdict(set)
    for row, *sides in read:
        table = _BY_NAME.get(row["table"])
        for column in () if table is None else table._meta.foreign_key_columns:
            held = {side.get(column._meta.name) for side in sides if side is not None} - {None}
            wanted[column._foreign_key_meta.resolved_references] |= held
    named: dict[tuple[str, Any], str] = {}
    for table, ids in wanted.items():
        if ids:
            key = table._meta.primary_key
            for found in await table.select().where(key.is_in(sorted(ids))):
                held_row = cast(Mapping[str, Any], found)
                named[str(table._meta.tablename), held_row[key._meta.name]] = called(held_row)
    return named


def _side(text: str) -> dict[str, Any] | None:
    return json.loads(text) if text else None


def _empty(value: Any) -> bool:
    return value in (None, "", [], False)
