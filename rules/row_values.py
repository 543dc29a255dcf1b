"""Rows and what they hold (草稿行的值): what both ways between a document and its rows share."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from piccolo.table import Table

from engine.scalar import Raw

Document = dict[str, Raw]
Rows = dict[type[Table], list[Any]]
"""The rows of each table, in document order."""


def to_json(tree: Raw) -> str:
    """The tree as JSON text; decimals as numbers with the digits that they have."""
    return msgspec.json.Encoder(decimal_format="number").encode(tree).decode()


def from_json(text: str) -> Raw:
    """The tree of a JSON text, numbers exact."""
    tree: Raw = json.loads(text, parse_float=Decimal)
    return tree


def given(**values: Any) -> Document:
    """What is given: nothing, an empty text, list or mapping is left out."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}


def identity(reference: Any) -> int:
    """The id that a foreign key holds."""
    return int(getattr(reference, "id", reference))


def placed(rows: Iterable[Any]) -> list[Any]:
    """The rows in document order."""
    return sorted(rows, key=lambda row: (getattr(row, "place", 0), row.id))


def owned(rows: Mapping[type[Table], list[Any]], table: type[Table], owner: str) -> dict[int, list[Any]]:
    """The rows of a table by whom they belong to."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in placed(rows.get(table, [])):
        found[identity(getattr(row, owner))].append(row)
    return found
