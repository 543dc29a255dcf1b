"""Event types (事件类型) and their fields: what an event of a type may say, and of what type each word is."""

from collections.abc import Mapping
from typing import Literal

import msgspec

FieldType = Literal["text", "choice", "choices", "integer", "decimal", "boolean", "date", "datetime"]


class DaysLate(msgspec.Struct, frozen=True, kw_only=True):
    """超期天数: days from ``due`` (exclusive) to ``done`` (inclusive), never below 0."""

    due: str
    done: str
    calendar: Literal["all", "working"] = "all"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an event type. One with ``days_late`` is derived: never sent, always computed."""

    name: str
    title: str = ""
    type: FieldType
    choices: Mapping[str, str] = {}
    required: bool = False
    days_late: DaysLate | None = None


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of event and the fields it declares."""

    code: str
    title: str = ""
    fields: Mapping[str, Field] = {}
