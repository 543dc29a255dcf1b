"""Indicators as documents write them (指标): full marks, the owner, and how the value is measured.

``Measure.parameters`` is, by method: ``bands`` pairs of threshold and points; ``linear`` the two
points (value, points) of a line; ``efficacy`` the bad and the good value; ``milestone`` pairs of
step and points, steps ascending; ``rank`` the points by rank; ``raters`` a :class:`Raters`;
``direct`` None.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from engine import scalar
from engine.field import EventType
from engine.report import read_value
from engine.rulebook import Indicator, Measure, Raters
from engine.scalar import shown
from rules.place import BLANK, Keys, Place
from rules.rule import NUMERIC, read_bands, read_field

Method = Literal["direct", "bands", "linear", "efficacy", "milestone", "rank", "raters"]
METHODS: tuple[Method, ...] = ("direct", "bands", "linear", "efficacy", "milestone", "rank", "raters")


def read_indicator(code: str, place: Place, event_types: Mapping[str, EventType]) -> Indicator:
    """The indicator that stands under its code."""
    keys = place.keys("title", "full", "owner", "category", "overdraw", "measure")
    full = keys.get("full", Place.number, Decimal(100))
    if full <= 0:
        keys.inside["full"].refuse("document.positive", given=full)
    return Indicator(
        code=code,
        title=keys.get("title", Place.title, ""),
        full=full,
        owner=keys.get("owner", Place.code),
        category=keys.get("category", Place.word),
        overdraw=keys.get("overdraw", Place.boolean, False),
        measure=keys.get("measure", lambda here: _measure(here, event_types)),
    )


def _measure(place: Place, event_types: Mapping[str, EventType]) -> Measure:
    raw = place.raw if isinstance(place.raw, Mapping) else {}
    method = raw.get("method")
    keys = place.keys("on", "field", "method", *_beside(method))
    chosen = keys.need("method", lambda here: here.one_of(*METHODS))
    code = keys.need("on", lambda here: here.known(event_types, "document.event_type"))
    event_type = event_types.get(code, EventType(code=code))
    if chosen == "raters":
        _rated(keys, event_type)
        field = None
    else:
        field = keys.need("field", lambda here: read_field(here, event_type, NUMERIC))
    if chosen != "direct" and chosen not in keys and chosen == method:
        place.at(chosen, None).refuse("document.missing", name=chosen)
    return Measure(
        on=code,
        field=field.name if field else None,
        method=chosen,
        parameters=keys.get(chosen, lambda here: _PARAMETERS[chosen](here, event_type)) if chosen != "direct" else None,
        otherwise=keys.get("else", Place.number),
        order=keys.get("order", lambda here: here.one_of("descending", "ascending"), "descending"),
    )


def _beside(method: object) -> tuple[str, ...]:
    """The keys that may stand beside the method."""
    if method not in METHODS:
        return (*METHODS[1:], "else", "order")
    extra = {"bands": ("else",), "rank": ("order",)}.get(str(method), ())
    return extra if method == "direct" else (str(method), *extra)


def _rated(keys: Keys, event_type: EventType) -> None:
    """Ratings stand in the fields ``rater_group``, ``rater`` and ``value`` of their event type."""
    if event_type.code == BLANK:
        return
    for name, types in (("rater_group", ("text", "choice")), ("rater", ("text", "choice")), ("value", NUMERIC)):
        declared = event_type.fields.get(name)
        if declared is None or declared.type not in types:
            keys.place.refuse("measure.rater_field", field=name, type=event_type.code, types=", ".join(types))
    here = keys.at("field")
    if here is not None:
        here.one_of("value")


def _linear(place: Place, _: EventType) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
    keys = place.keys("from", "to")
    start, end = keys.need("from", _point), keys.need("to", _point)
    if start[0] == end[0] and "from" in keys and "to" in keys:
        place.refuse("measure.flat")
    return start, end


def _point(place: Place) -> tuple[Decimal, Decimal]:
    if isinstance(place.raw, list) and len(place.raw) == 2:
        first, second = place.each(Place.number)
        return first, second
    place.refuse("document.pair", given=shown(place.raw))
    return Decimal(0), Decimal(0)


def _efficacy(place: Place, _: EventType) -> tuple[Decimal, Decimal]:
    keys = place.keys("bad", "good")
    bad, good = keys.need("bad", Place.number), keys.need("good", Place.number)
    if bad == good and "bad" in keys and "good" in keys:
        place.refuse("measure.flat")
    return bad, good


def _milestone(place: Place, _: EventType) -> tuple[tuple[Decimal, Decimal], ...]:
    steps: dict[Decimal, Decimal] = {}
    for _key, here in _some(place):
        step = here.at_key().number()
        if step in steps:
            here.refuse("document.twice", given=step)
        steps[step] = here.number()
    return tuple(sorted(steps.items()))


def _some(place: Place) -> list[tuple[str, Place]]:
    pairs = place.pairs()
    if isinstance(place.raw, Mapping) and not pairs:
        place.refuse("document.empty")
    return pairs


def _rank(place: Place, _: EventType) -> tuple[Decimal, ...]:
    if place.raw == []:
        place.refuse("document.empty")
    return place.each(Place.number)


def _raters(place: Place, event_type: EventType) -> Raters:
    keys = place.keys("weights", "missing")
    weights: dict[str, Decimal] = {}
    group = event_type.fields.get("rater_group")
    for code, here in keys.need("weights", _some):
        if group is not None and group.type == "choice":
            here.at_key().read(lambda raw: str(read_value(group, raw)), BLANK)
        weights[code] = here.size()
    if weights and not any(weights.values()):
        keys.inside["weights"].refuse("measure.weights")
    missing: Literal["renormalise", "zero"] = keys.get(
        "missing", lambda here: here.one_of("renormalise", "zero"), "renormalise"
    )
    return Raters(weights=weights, missing=missing)


_PARAMETERS: dict[str, Any] = {
    "bands": lambda place, _: read_bands(place),
    "linear": _linear,
    "efficacy": _efficacy,
    "milestone": _milestone,
    "rank": _rank,
    "raters": _raters,
}


def write_parameters(measure: Measure) -> Any:
    """The parameters as a document writes them."""
    given = measure.parameters
    number = scalar.written_number
    match measure.method:
        case "direct":
            return None
        case "bands":
            return [[number(threshold), number(points)] for threshold, points in given]
        case "linear":
            return {"from": [number(part) for part in given[0]], "to": [number(part) for part in given[1]]}
        case "efficacy":
            return {"bad": number(given[0]), "good": number(given[1])}
        case "milestone":
            return {number(step): number(points) for step, points in given}
        case "rank":
            return [number(points) for points in given]
        case "raters":
            weights = {group: number(weight) for group, weight in given.weights.items()}
            return {"weights": weights} if given.missing == "renormalise" else {"weights": weights, "missing": "zero"}
