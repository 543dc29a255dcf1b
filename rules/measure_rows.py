"""An indicator's measure as rows (计量方法的行): its columns on the indicator, its schedule row by row."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.scalar import Raw
from rules.row_values import Document, given, identity
from rules.row_writer import RowWriter
from rules.tables import DraftEventType, DraftIndicator, DraftMeasureStep


def take_measure(writer: RowWriter, raw: Raw, path: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The indicator's columns, and the values of the rows that belong to it."""
    if raw is None:
        return {}, []
    method = raw.get("method") if isinstance(raw, Mapping) else None
    parameters = {"bands": ("else",), "rank": ("order",)}.get(str(method), ())
    own = () if method == "direct" else (str(method),)
    tree = writer.mapping(raw, path, ("on", "field", "method", *own, *parameters))
    schedule = tree.get(str(method))
    where = f"{path}.{method}"
    efficacy = writer.mapping(schedule, where, ("bad", "good")) if method == "efficacy" else {}
    raters = writer.mapping(schedule, where, ("weights", "missing")) if method == "raters" else {}
    columns: dict[str, Any] = {
        "method": writer.option(method, DraftIndicator.method._meta.choices, f"{path}.method"),
        "measured_on": writer.reference(DraftEventType, tree.get("on"), f"{path}.on"),
        "measured_field": writer.word(tree.get("field"), f"{path}.field"),
        "measure_else": writer.number(tree.get("else"), f"{path}.else"),
        "measure_order": writer.option(
            tree.get("order"), DraftIndicator.measure_order._meta.choices, f"{path}.order"
        ),
        "efficacy_bad": writer.number(efficacy.get("bad"), f"{where}.bad"),
        "efficacy_good": writer.number(efficacy.get("good"), f"{where}.good"),
        "raters_missing": writer.option(
            raters.get("missing"), DraftIndicator.raters_missing._meta.choices, f"{where}.missing"
        ),
    }  # fmt: skip
    match method:
        case "bands":
            pairs = [(item, f"{where}[{at}]") for at, item in enumerate(writer.items(schedule, where))]
            return columns, [_point(writer, item, at) for item, at in pairs]
        case "linear":
            ends = writer.mapping(schedule, where, ("from", "to"))
            return columns, [_point(writer, ends.get(end), f"{where}.{end}") for end in ("from", "to") if ends]
        case "milestone":
            steps = writer.mapping(schedule, where).items()
            return columns, [
                {"value": writer.size(step, f"{where}.{step}"), "points": writer.size(points, f"{where}.{step}")}
                for step, points in steps
            ]
        case "rank":
            items = enumerate(writer.items(schedule, where))
            return columns, [{"points": writer.size(item, f"{where}[{at}]")} for at, item in items]
        case "raters":
            weights = writer.mapping(raters.get("weights"), f"{where}.weights")
            return columns, [
                {
                    "rater_group": writer.word(group, f"{where}.weights"),
                    "weight": writer.size(weight, f"{where}.weights.{group}"),
                }
                for group, weight in weights.items()
            ]
    return columns, []


def _point(writer: RowWriter, raw: Raw, path: str) -> dict[str, Any]:
    value, points = writer.pair(raw, path)
    return {"value": writer.size(value, f"{path}[0]"), "points": writer.size(points, f"{path}[1]")}


def put_measure(row: Any, steps: Sequence[DraftMeasureStep], event_types: Mapping[int, str]) -> Document | None:
    """The measure that the indicator's columns and rows say; None where nothing measures it."""
    if row.method is None and row.measured_on is None:
        return None
    on = None if row.measured_on is None else event_types.get(identity(row.measured_on))
    tree = given(on=on, field=row.measured_field, method=row.method)
    if row.method not in (None, "direct"):
        tree[row.method] = _schedule(row, steps)
    return tree | given(order=row.measure_order, **{"else": row.measure_else})


def _schedule(row: DraftIndicator, steps: Sequence[DraftMeasureStep]) -> Any:
    match row.method:
        case "bands":
            return [[step.value, step.points] for step in steps]
        case "linear":
            return {end: [step.value, step.points] for end, step in zip(("from", "to"), steps, strict=False)}
        case "efficacy":
            return given(bad=row.efficacy_bad, good=row.efficacy_good)
        case "milestone":
            return {f"{step.value:f}" if step.value is not None else "": step.points for step in steps}
        case "rank":
            return [step.points for step in steps]
    return given(weights={step.rater_group: step.weight for step in steps}, missing=row.raters_missing)
