"""What the panel checks before a row is saved (保存校验): each row a step towards a draft that holds.

A rule may be saved before its schedule; but its condition must make sense for its event type, and
what it names must be there. What can only be said of the draft as a whole is said on the
publication page.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

from piccolo.table import Table

from engine import scalar
from engine.condition import check_field_name, names_of, parse
from engine.expression import ConditionError
from engine.field import EventType, Field, FieldType
from engine.language import Message, message
from engine.report import read_value
from engine.scalar import Unfit
from rules.rows import from_json
from rules.tables import (
    Draft,
    DraftChoice,
    DraftEventType,
    DraftFactor,
    DraftFactorRow,
    DraftField,
    DraftIndicator,
    DraftJointOf,
    DraftLimit,
    DraftRule,
    DraftRuleLimit,
    DraftStep,
)

Values = Mapping[str, Any]
Problem = tuple[str, Message]
"""The column at fault, and what was expected."""

_NUMERIC = ("integer", "decimal")
_KINDS_ON_EVENTS = ("event", "veto")
_OF_EVENT_RULES = ("times", "points_kind", "points_field", "points_else", "matter")
_OF_JOINT_RULES = ("relation", "sign", "split")


async def check(table: type[Table], values: Values) -> list[Problem]:
    """Everything that is wrong with a row as it is to be saved."""
    problems = [*_needed(table, values), *_options(table, values), *_numbers(table, values)]
    checker = _CHECKERS.get(table)
    if checker is not None:
        problems += await checker(values)
    return problems


def _needed(table: type[Table], values: Values) -> Iterable[Problem]:
    for column in table._meta.columns:
        if values.get(column._meta.name) is None and not column._meta.null and not column._meta.primary_key:
            yield column._meta.name, message("panel.needed")


def _options(table: type[Table], values: Values) -> Iterable[Problem]:
    for column in table._meta.columns:
        choices, value = column._meta.choices, values.get(column._meta.name)
        if choices is None or value is None:
            continue
        allowed = [option.value for option in choices]
        if value not in allowed:
            given = scalar.shown(str(value))
            yield column._meta.name, message("draft.option", options=", ".join(allowed), given=given)


def _numbers(table: type[Table], values: Values) -> Iterable[Problem]:
    for column in table._meta.columns:
        value = values.get(column._meta.name)
        if column.value_type is Decimal and value is not None:
            yield from _fits(column._meta.name, scalar.number, str(value))
        if isinstance(value, str) and ("\0" in value or not scalar.storable(value)):
            yield column._meta.name, message("scalar.text_characters", given=scalar.shown(value))


def _fits(column: str, read: Callable[[Any], object], value: Any) -> Iterable[Problem]:
    try:
        read(value)
    except Unfit as unfit:
        yield column, unfit.expected


def _code(values: Values, column: str = "code") -> Iterable[Problem]:
    yield from _fits(column, scalar.code, values.get(column) or "")


def _maybe_code(values: Values, column: str) -> Iterable[Problem]:
    if values.get(column):
        yield from _code(values, column)


def _json(values: Values, column: str, shape: type) -> Iterable[Problem]:
    text = values.get(column)
    if not text:
        return
    try:
        tree = from_json(text)
    except ValueError as error:
        where = {"line": getattr(error, "lineno", 1), "column": getattr(error, "colno", 1)}
        yield column, message("panel.json", **where)
        return
    if not isinstance(tree, shape):
        yield column, message("panel.json_list" if shape is list else "panel.json_mapping")


# --- the tables ---


async def _draft(values: Values) -> list[Problem]:
    problems = [*_code(values), *_json(values, "scorecards_json", list), *_json(values, "standing_json", dict)]
    problems += _json(values, "cases_json", list)
    depth = values.get("joint_depth")
    if depth is not None and depth < 1:
        problems.append(("joint_depth", message("panel.at_least_one")))
    return problems


async def _event_type(values: Values) -> list[Problem]:
    return list(_code(values))


async def _field(values: Values) -> list[Problem]:
    problems: list[Problem] = []
    wrong = check_field_name(values.get("name") or "")
    if wrong is not None:
        problems.append(("name", wrong))
    ends = [column for column in ("late_due", "late_done") if values.get(column)]
    if len(ends) == 1:
        missing = "late_done" if ends == ["late_due"] else "late_due"
        problems.append((missing, message("panel.late_both")))
    if ends and values.get("type") != "integer":
        problems.append(("type", message("panel.late_integer")))
    fields = (await event_type_of(values["event_type"])).fields if ends and values.get("event_type") else {}
    for column in ends:
        field = fields.get(values[column])
        if field is None or field.type != "date":
            dates = [name for name, one in fields.items() if one.type == "date"]
            problems.append((column, _among("panel.no_date_field", values[column], dates)))
    return problems


async def _choice(values: Values) -> list[Problem]:
    problems = [] if values.get("value") else [("value", message("panel.needed"))]
    field = await DraftField.objects().get(DraftField.id == values.get("field"))
    if field is not None and field.type not in ("choice", "choices"):
        problems.append(("field", message("panel.not_choice", name=field.name)))
    return problems


async def _indicator(values: Values) -> list[Problem]:
    problems = [*_code(values), *_maybe_code(values, "owner"), *_maybe_code(values, "category")]
    problems += _json(values, "measure_json", dict)
    full = values.get("full")
    if full is not None and full <= 0:
        problems.append(("full", message("panel.positive")))
    return problems


async def _limit(values: Values) -> list[Problem]:
    problems = list(_code(values))
    size = values.get("max")
    if size is not None and size < 0:
        problems.append(("max", message("panel.not_negative")))
    return problems


async def _rule(values: Values) -> list[Problem]:
    kind = values.get("kind")
    problems = [*_code(values), *_maybe_code(values, "charge"), *_maybe_code(values, "relation")]
    problems += _json(values, "further_json", dict)
    if (values.get("max") or 0) < 0:
        problems.append(("max", message("panel.not_negative")))
    if kind != "event":
        problems += [(column, message("panel.event_only")) for column in _OF_EVENT_RULES if _given(values, column)]
    if kind != "joint":
        problems += [(column, message("panel.joint_only")) for column in _OF_JOINT_RULES if _given(values, column)]
    if kind in ("event", "joint") and values.get("further_json"):
        problems.append(("further_json", message("panel.other_kinds_only")))
    if kind == "joint":
        return problems + await _joint_rule(values)
    if kind in _KINDS_ON_EVENTS and values.get("event_type") is None:
        problems.append(("event_type", message("panel.needed")))
    if values.get("event_type") is None:
        return problems
    event_type = await event_type_of(values["event_type"])
    problems += _condition(values, [event_type])
    if kind == "event":
        problems += _points(values, event_type)
    return problems


def _given(values: Values, column: str) -> bool:
    return values.get(column) not in (None, "")


async def _joint_rule(values: Values) -> list[Problem]:
    problems: list[Problem] = []
    if not values.get("relation"):
        problems.append(("relation", message("panel.needed")))
    if values.get("event_type") is not None:
        problems.append(("event_type", message("panel.joint_no_event_type")))
    if (values.get("share") is None) == (values.get("points") is None):
        problems.append(("share", message("panel.share_or_points")))
    sources = await DraftJointOf.select(DraftJointOf.source).where(DraftJointOf.rule == values.get("id", 0))
    query = DraftRule.select(DraftRule.event_type).where(
        (DraftRule.kind == "event") & DraftRule.event_type.is_not_null()
    )
    if sources:
        query = query.where(DraftRule.id.is_in([row["source"] for row in sources]))
    types = sorted({row["event_type"] for row in await query})
    return problems + list(_condition(values, [await event_type_of(number) for number in types]))


def _condition(values: Values, event_types: list[EventType], *, factor: bool = False) -> Iterable[Problem]:
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


def _points(values: Values, event_type: EventType) -> Iterable[Problem]:
    kind, name = values.get("points_kind"), values.get("points_field") or ""
    if kind in (None, "fixed"):
        if name:
            yield "points_field", message("panel.fixed_no_field")
        if kind == "fixed" and values.get("points") is None:
            yield "points", message("panel.needed")
    else:
        if values.get("points") is not None:
            yield "points", message("panel.schedule_no_points")
        allowed = _numeric(event_type) if kind != "table" else list(event_type.fields)
        if name not in allowed:
            yield (
                "points_field",
                _among("panel.no_field" if kind == "table" else "panel.no_number_field", name, allowed),
            )
        if kind == "share" and values.get("share") is None:
            yield "share", message("panel.needed")
    if kind != "share" and values.get("share") is not None:
        yield "share", message("panel.share_only")
    if kind != "bands" and values.get("points_else") is not None:
        yield "points_else", message("panel.bands_only")
    times = values.get("times")
    if times and times not in _numeric(event_type):
        yield "times", _among("panel.no_number_field", times, _numeric(event_type))


async def _step(values: Values) -> list[Problem]:
    rule = await DraftRule.objects().get(DraftRule.id == values.get("rule"))
    if rule is None or rule.kind != "event" or rule.event_type is None:
        return [("rule", message("panel.no_schedule"))]
    if rule.points_kind not in ("table", "bands", "progressive"):
        return [("rule", message("panel.no_schedule"))]
    if rule.points_kind == "table":
        if values.get("bound") is not None:
            return [("bound", message("panel.table_by_value"))]
        return list(_key(values, (await event_type_of(rule.event_type)).fields.get(rule.points_field)))
    problems: list[Problem] = [("key", message("panel.bound_not_value"))] if values.get("key") else []
    if rule.points_kind == "bands" and values.get("bound") is None:
        problems.append(("bound", message("panel.needed")))
    return problems


def _key(values: Values, field: Field | None) -> Iterable[Problem]:
    if field is None:
        yield "key", message("panel.field_gone")
    else:
        yield from _fits("key", lambda key: read_value(field, key), values.get("key") or "")


async def _factor(values: Values) -> list[Problem]:
    rule = await DraftRule.objects().get(DraftRule.id == values.get("rule"))
    if rule is None or rule.kind != "event" or rule.event_type is None:
        return [("rule", message("panel.event_rules_have_factors"))]
    event_type = await event_type_of(rule.event_type)
    kind = values.get("kind")
    problems = list(_condition(values, [event_type], factor=True))
    if kind in ("condition", "repeat") and values.get("by") is None:
        problems.append(("by", message("panel.needed")))
    if kind in ("field", "table"):
        allowed = _numeric(event_type) if kind == "field" else list(event_type.fields)
        if values.get("by") is not None:
            problems.append(("by", message("panel.factor_by")))
        if values.get("field") not in allowed:
            key = "panel.no_number_field" if kind == "field" else "panel.no_field"
            problems.append(("field", _among(key, values.get("field") or "", allowed)))
    elif values.get("field"):
        problems.append(("field", message("panel.factor_field")))
    days, same = values.get("within_days"), values.get("same") or []
    if kind == "repeat" and (days is None or days < 0):
        problems.append(("within_days", message("panel.needed" if days is None else "panel.not_negative")))
    if kind != "repeat" and (days is not None or same):
        problems.append(("within_days" if days is not None else "same", message("panel.repeat_only")))
    known = list(event_type.fields)
    return problems + [("same", _among("panel.no_field", name, known)) for name in same if name not in known]


async def _factor_row(values: Values) -> list[Problem]:
    factor = await DraftFactor.objects().get(DraftFactor.id == values.get("factor"))
    if factor is None or factor.kind != "table":
        return [("factor", message("panel.no_factor_table"))]
    rule = await DraftRule.objects().get(DraftRule.id == factor.rule)
    if rule is None or rule.event_type is None:
        return [("factor", message("panel.no_factor_table"))]
    return list(_key(values, (await event_type_of(rule.event_type)).fields.get(factor.field)))


async def _joint_of(values: Values) -> list[Problem]:
    problems: list[Problem] = []
    for column, kind in (("rule", "joint"), ("source", "event")):
        rule = await DraftRule.objects().get(DraftRule.id == values.get(column))
        if rule is None or rule.kind != kind:
            problems.append((column, message(f"panel.must_be_{kind}")))
    return problems


def _numeric(event_type: EventType) -> list[str]:
    return [name for name, field in event_type.fields.items() if field.type in _NUMERIC]


def _among(key: str, name: str, allowed: list[str]) -> Message:
    return message(key, name=name, known=", ".join(allowed) or message("draft.none"))


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


_CHECKERS: dict[type[Table], Callable[[Values], Awaitable[list[Problem]]]] = {
    Draft: _draft,
    DraftEventType: _event_type,
    DraftField: _field,
    DraftChoice: _choice,
    DraftIndicator: _indicator,
    DraftLimit: _limit,
    DraftRule: _rule,
    DraftStep: _step,
    DraftFactor: _factor,
    DraftFactorRow: _factor_row,
    DraftJointOf: _joint_of,
}


async def named_by(table: type[Table], row: int) -> list[str]:
    """The codes of the rules that name this row, so that it cannot be deleted."""
    if table is DraftEventType:
        query = DraftRule.select(DraftRule.code.as_alias("code")).where(DraftRule.event_type == row)
    elif table is DraftIndicator:
        query = DraftRule.select(DraftRule.code.as_alias("code")).where(DraftRule.indicator == row)
    elif table is DraftLimit:
        query = DraftRuleLimit.select(DraftRuleLimit.rule.code.as_alias("code")).where(DraftRuleLimit.limit == row)
    elif table is DraftRule:
        query = DraftJointOf.select(DraftJointOf.rule.code.as_alias("code")).where(DraftJointOf.source == row)
    else:
        return []
    return sorted({found["code"] for found in await query})
