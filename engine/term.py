"""A term (条件用词): a name that a condition may use: a field of its events, or a circumstance of the event."""

import unicodedata
from collections.abc import Mapping, Sequence

import msgspec

from engine.expression import FUNCTIONS, KEYWORDS
from engine.field import EventType, FieldType
from engine.language import Message, message


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One name that a condition may use. ``conflict`` holds the types that its declarations disagree on."""

    name: str
    title: str | Message
    type: FieldType
    choices: Mapping[str, str | Message] = {}
    days: bool = False
    conflict: tuple[FieldType, ...] = ()


Names = Mapping[str, Term]
"""What a condition may name; made by :func:`names_of`."""

_KINDS: dict[str, str | Message] = {"unit": message("condition.kind.unit"), "person": message("condition.kind.person")}
_EVENT_TYPES: dict[str, FieldType] = {
    "subject": "text", "subject_kind": "choice", "subject_group": "text", "post": "text", "source": "text",
    "matter": "text", "year": "integer", "month": "integer",
}  # fmt: skip
_CHARGED_TYPES: dict[str, FieldType] = {
    "charged": "text", "charged_kind": "choice", "charged_group": "text", "charged_post": "text",
}  # fmt: skip


def _context(types: dict[str, FieldType]) -> dict[str, Term]:
    return {
        name: Term(
            name=name, title=message(f"condition.name.{name}"), type=type_, choices=_KINDS if type_ == "choice" else {}
        )
        for name, type_ in types.items()
    }


CONTEXT: Names = _context(_EVENT_TYPES)
"""The names that describe the event and its subject, whoever is charged."""
CHARGED: Names = _context(_CHARGED_TYPES)
"""The names that describe who is being charged; a factor may use them."""

RESERVED = frozenset({*KEYWORDS, *FUNCTIONS, *CONTEXT, *CHARGED})
"""Words that no field may be called by."""


def names_of(event_types: Sequence[EventType], *, factor: bool = False) -> Names:
    """What a condition on events of these types may name; in a factor also who is being charged."""
    names: dict[str, Term] = {}
    for event_type in event_types:
        for declared in event_type.fields.values():
            term = Term(
                name=declared.name,
                title=declared.title or declared.name,
                type=declared.type,
                choices={code: title or code for code, title in declared.choices.items()},
                days=declared.days_late is not None,
            )
            known = names.get(declared.name)
            names[declared.name] = term if known is None else _united(known, term)
    return {**names, **CONTEXT, **(CHARGED if factor else {})}


def _united(one: Term, other: Term) -> Term:
    conflict = one.conflict
    if one.type != other.type and other.type not in conflict:
        conflict = (*(conflict or (one.type,)), other.type)
    return Term(
        name=one.name,
        title=one.title,
        type=one.type,
        choices={**other.choices, **one.choices},
        days=one.days and other.days,
        conflict=conflict,
    )


def check_field_name(name: str) -> Message | None:
    """What is wrong with a field's name: it is an identifier in NFC and no word of the language or the context."""
    if not name.isidentifier():
        return message("condition.field.identifier", name=name)
    if unicodedata.normalize("NFC", name) != name:
        return message("condition.field.nfc", name=name)
    if name in RESERVED:
        return message("condition.field.reserved", name=name)
    return None
