"""A row as it is to be saved (一行的值): what is asked of its columns whatever the table."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

from piccolo.table import Table

from engine import scalar
from engine.condition import parse
from engine.expression import ConditionError
from engine.field import EventType, Field, FieldType
from engine.language import Message, message
from engine.scalar import Unfit
from engine.term import names_of
from rules.tables import DraftChoice, DraftEventType, DraftField

Values = Mapping[str, Any]
Problem = tuple[str, Message]
"""The column at fault, and what was expected."""

_NUMERIC = ("integer", "decimal")


def needed(table: type[Table], values: Values) -> Iterable[Problem]:
    """Columns that must be given."""
    for column in table._meta.columns:
        if values.get(column._meta.name) is None and not column._meta.null and not column._meta.primary_key:
            yield column._meta.name, message("panel.needed")


def options(table: type[Table], values: Values) -> Iterable[Problem]:
    """Columns that take one of their choices."""
    for column in table._meta.columns:
        choices, value = column._meta.choices, values.get(column._meta.name)
        if choices is None or value is None:
            continue
        allowed = [option.value for option in choices]
        if value not in allowed:
            given = scalar.shown(str(value))
            yield column._meta.name, message("draft.option", options=", ".join(allowed), given=given)


def numbers(table: type[Table], values: Values) -> Iterable[Problem]:
    """Numbers and texts that can be kept."""
    for column in table._meta.columns:
        value = values.get(column._meta.name)
        if column.value_type is Decimal and value is not None:
            yield from fits(column._meta.name, scalar.number, str(value))
        if isinstance(value, str) and ("\0" in value or not scalar.storable(value)):
            yield column._meta.name, message("scalar.text_characters", given=scalar.shown(value))


def fits(column: str, read: Callable[[Any], object], value: Any) -> Iterable[Problem]:
    """Whether a value reads as it must."""
    try:
        read(value)
    except Unfit as unfit:
        yield column, unfit.expected


def code(values: Values, column: str = "code") -> Iterable[Problem]:
    """A code."""
    yield from fits(column, scalar.code, values.get(column) or "")


def maybe_code(values: Values, column: str) -> Iterable[Problem]:
    """A code, or nothing."""
    if values.get(column):
        yield from code(values, column)


def numeric(event_type: EventType) -> list[str]:
    """The number fields of an event type."""
    return [name for name, field in event_type.fields.items() if field.type in _NUMERIC]


def among(key: str, name: str, allowed: list[str]) -> Message:
    """A message that names what there is."""
    return message(key, name=name, known=", ".join(allowed) or message("draft.none"))


def condition(values: Values, event_types: list[EventType], *, factor: bool = False) -> Iterable[Problem]:
    """What is wrong with the row's condition, with the column of its text."""
    text = values.get("condition") or ""
    if not text.strip():
        return
    try:
        parse(text, names_of(event_types, factor=factor))
    except ConditionError as refused:
        for finding in refused.findings:
            said = finding.message
            if finding.column is not None:
                said = message("panel.column", column=finding.column, what=said)
            yield "condition", said


async def event_type_of(number: int) -> EventType:
    """The event type of a row, as a condition sees it; without its fields where it is gone."""
    row = await DraftEventType.objects().get(DraftEventType.id == number)
    if row is None:
        return EventType(code="")
    fields = await DraftField.objects().where(DraftField.event_type == number).order_by(DraftField.place)
    choices = await DraftChoice.objects().where(DraftChoice.field.event_type == number).order_by(DraftChoice.place)
    return EventType(
        code=row.code,
        title=row.title,
        fields={
            field.name: Field(
                name=field.name,
                title=field.title,
                type=cast(FieldType, field.type),
                choices={choice.value: choice.title for choice in choices if choice.field == field.id},
            )
            for field in fields
        },
    )


def own_id(values: Values) -> int:
    """The row's id; 0 where it has none yet."""
    number = values.get("id")
    return number if isinstance(number, int) else 0


def given(values: Values, column: str) -> bool:
    """Whether the column holds anything."""
    return values.get(column) not in (None, "", [], False)


def at_least(values: Values, column: str, least: int) -> Iterable[Problem]:
    """A number that is not too small."""
    value = values.get(column)
    if value is not None and value < least:
        yield column, message("panel.at_least", least=least)


def ratio(values: Values, column: str, most: int = 1) -> Iterable[Problem]:
    """A share, of 1 or of 100."""
    value = values.get(column)
    if value is not None and not 0 <= value <= most:
        yield column, message("panel.between", least=0, most=most)
