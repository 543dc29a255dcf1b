"""The chain (台账链): events, entries and acts in one sequence, each bound to all before it.

A link is SHA-256 over the hash before it and the record's canonical text: JSON with its keys in code
point order, no spaces, UTF-8, amounts and instants as text, what is missing left out. Keys are
ordered so that any language can make the same text again; amounts are text so that no reader turns
them into binary floats; the hash before comes first so that a record cannot be moved.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from engine.report import canonical_json

_AS_THEY_ARE = frozenset((str, int, Decimal, date))
"""What the encoder writes as it should be: amounts with their cents and dates as text."""


def link(before: str, record: Mapping[str, Any]) -> str:
    """The hash of a record behind a hash, in hexadecimal."""
    return hashlib.sha256(before.encode() + b"\n" + canonical_json(canonical(record))).hexdigest()


def canonical(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with every value as text or number, what is missing left out."""
    return {
        key: value if value.__class__ in _AS_THEY_ARE else _plain(value)
        for key, value in record.items()
        if value is not None and key != "hash"
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
