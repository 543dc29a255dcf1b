"""What the panel checks of measures, scorecards and standing before saving (计量与名次保存校验)."""

from collections.abc import Iterable

from admin.row import (
    Problem,
    Values,
    among,
    at_least,
    code,
    event_type_of,
    fits,
    given,
    maybe_code,
    numeric,
    own_id,
    ratio,
)
from engine.field import EventType
from engine.language import message
from engine.report import read_value
from rules.tables import DraftIndicator, DraftMeasureStep

_SCHEDULED = ("bands", "linear", "milestone", "rank", "raters")
_COLUMNS = {
    "bands": frozenset({"value", "points"}),
    "linear": frozenset({"value", "points"}),
    "milestone": frozenset({"value", "points"}),
    "rank": frozenset({"points"}),
    "raters": frozenset({"rater_group", "weight"}),
}
"""The columns of a row of each method's schedule."""
_RATED = (("rater_group", ("text", "choice")), ("rater", ("text", "choice")), ("value", ("integer", "decimal")))


async def check_indicator(values: Values) -> list[Problem]:
    """An indicator and how it is measured."""
    problems = [*code(values), *maybe_code(values, "owner"), *maybe_code(values, "category")]
    full = values.get("full")
    if full is not None and full <= 0:
        problems.append(("full", message("panel.positive")))
    method = values.get("method")
    for column, methods in (
        ("measure_else", ("bands",)),
        ("measure_order", ("rank",)),
        ("efficacy_bad", ("efficacy",)),
        ("efficacy_good", ("efficacy",)),
        ("raters_missing", ("raters",)),
    ):
        if method not in methods and given(values, column):
            problems.append((column, message("panel.not_this_method", method=message(f"choice.method.{methods[0]}"))))
    if not given(values, "method"):
        return problems + [
            (column, message("panel.no_method"))
            for column in ("measured_on", "measured_field")
            if given(values, column)
        ]
    if method == "efficacy":
        problems += [
            (column, message("panel.needed"))
            for column in ("efficacy_bad", "efficacy_good")
            if values.get(column) is None
        ]
        if values.get("efficacy_bad") is not None and values.get("efficacy_bad") == values.get("efficacy_good"):
            problems.append(("efficacy_good", message("measure.flat")))
    if values.get("measured_on") is None:
        return [*problems, ("measured_on", message("panel.needed"))]
    event_type = await event_type_of(values["measured_on"])
    problems += _rated(event_type) if method == "raters" else _measured(values, event_type)
    held = await DraftMeasureStep.select().where(DraftMeasureStep.indicator == own_id(values))
    if held and any(list(_step(row, str(method))) for row in held):
        problems.append(("method", message("panel.steps_first")))
    return problems


def _measured(values: Values, event_type: EventType) -> Iterable[Problem]:
    name = values.get("measured_field") or ""
    if name not in numeric(event_type):
        yield "measured_field", among("panel.no_number_field", name, numeric(event_type))


def _rated(event_type: EventType) -> Iterable[Problem]:
    for name, types in _RATED:
        field = event_type.fields.get(name)
        if field is None or field.type not in types:
            said = message("measure.rater_field", field=name, type=event_type.code, types=", ".join(types))
            yield "measured_on", said


async def check_measure_step(values: Values) -> list[Problem]:
    """A row of an indicator's measure."""
    indicator = await DraftIndicator.objects().get(DraftIndicator.id == values.get("indicator"))
    if indicator is None or indicator.method not in _SCHEDULED:
        return [("indicator", message("panel.no_measure_steps"))]
    problems = list(_step(values, indicator.method))
    if indicator.method == "raters" and indicator.measured_on is not None and given(values, "rater_group"):
        group = (await event_type_of(indicator.measured_on)).fields.get("rater_group")
        if group is not None and group.type == "choice":
            problems += fits("rater_group", lambda raw: read_value(group, raw), values["rater_group"])
    others = await DraftMeasureStep.select().where(
        (DraftMeasureStep.indicator == indicator.id) & (DraftMeasureStep.id != own_id(values))
    )
    if indicator.method == "linear" and len(others) > 1:
        problems.append(("indicator", message("panel.two_ends")))
    for column in {"milestone": ("value",), "raters": ("rater_group",)}.get(indicator.method, ()):
        if given(values, column) and values[column] in [row[column] for row in others]:
            problems.append((column, message("panel.twice_here")))
    return problems


def _step(values: Values, method: str) -> Iterable[Problem]:
    asked = _COLUMNS.get(method, frozenset())
    for column in ("value", "points", "rater_group", "weight"):
        if column in asked and values.get(column) in (None, ""):
            yield column, message("panel.needed")
        elif column not in asked and values.get(column) not in (None, ""):
            yield column, message("panel.not_this_measure", method=message(f"choice.method.{method}"))
    yield from at_least(values, "weight", 0)


async def check_part(values: Values) -> list[Problem]:
    """A part of a scorecard."""
    problems = [] if given(values, "category") else [("category", message("panel.needed"))]
    weight = values.get("weight")
    if weight is None or weight <= 0:
        problems.append(("weight", message("panel.needed" if weight is None else "panel.positive")))
    return problems


async def check_linkage(values: Values) -> list[Problem]:
    """The linkage of a post."""
    problems = [] if given(values, "post") else [("post", message("panel.needed"))]
    return [*problems, *ratio(values, "share")]


async def check_tier(values: Values) -> list[Problem]:
    """A tier."""
    return list(ratio(values, "share", 100))


async def check_award(values: Values) -> list[Problem]:
    """An award's candidates."""
    problems = [*code(values), *ratio(values, "top_share", 100), *at_least(values, "quota", 0)]
    return problems + [
        (column, message("panel.needed")) for column in ("kind", "top_share") if not given(values, column)
    ]
