"""Rules as documents write them (规则): the five kinds, read and checked against what they refer to."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from engine.condition import Condition, parse
from engine.event import Value
from engine.expression import ConditionError
from engine.field import EventType, Field
from engine.language import message
from engine.projection import check_durable
from engine.report import read_value
from engine.rulebook import (
    Bands,
    Consequence,
    Difference,
    DifferentiationRule,
    EventRule,
    Factor,
    Fixed,
    Indicator,
    JointRule,
    Limit,
    Points,
    Progressive,
    ProgressRule,
    Repeat,
    Rule,
    Share,
    Table,
    VetoRule,
)
from engine.scalar import Unfit, shown
from engine.term import names_of
from rules.place import BLANK, Keys, Place

KINDS = ("on", "joint", "differentiation", "progress", "veto")
COMMON = ("rule", "title", "basis", "indicator", "enabled", "note")
NUMERIC = ("integer", "decimal")
ROWED = ("text", "choice", "integer", "decimal", "boolean", "date", "datetime")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule may refer to. ``served`` holds the event type of every event rule of the document."""

    event_types: Mapping[str, EventType]
    indicators: Mapping[str, Indicator]
    limits: Mapping[str, Limit]
    served: Mapping[str, str]


def serve(rules: Sequence[Place]) -> dict[str, str]:
    """The codes of the event rules among these and the event types they are on, before they are read."""
    served: dict[str, str] = {}
    for rule in rules:
        if isinstance(rule.raw, Mapping) and kind_of(rule.raw) == "on":
            code, on = rule.raw.get("rule"), rule.raw.get("on")
            if isinstance(code, str) and isinstance(on, str):
                served[code] = on
    return served


def kind_of(raw: Mapping[str, Any]) -> str | None:
    """The key that tells the rule's kind; a veto is on an event type too. None where there is none, or several."""
    present = [kind for kind in KINDS if raw.get(kind) is not None]
    if present == ["on", "veto"]:
        return "veto"
    return present[0] if len(present) == 1 else None


def read_rule(place: Place, scope: Scope) -> Rule | None:
    """The rule that stands at the place; None where nothing tells its kind."""
    if not isinstance(place.raw, Mapping):
        place.refuse("document.mapping_of", keys=", ".join((*COMMON, *KINDS)), given=shown(place.raw))
        return None
    kind = kind_of(place.raw)
    if kind is None:
        place.refuse("rule.kind", kinds=", ".join(KINDS))
        return None
    return _READERS[kind](place, scope)


def _common(keys: Keys, scope: Scope) -> dict[str, Any]:
    return {
        "code": keys.need("rule", Place.code),
        "title": keys.get("title", Place.title, ""),
        "basis": keys.get("basis", Place.text, ""),
        "indicator": keys.get("indicator", lambda here: here.known(scope.indicators, "document.indicator")),
        "enabled": keys.get("enabled", Place.boolean, True),
        "note": keys.get("note", Place.note, ""),
    }


def _limits(keys: Keys, scope: Scope) -> tuple[str, ...]:
    return keys.get("limits", lambda here: here.distinct(lambda item: item.known(scope.limits, "document.limit"))) or ()


def _on(keys: Keys, scope: Scope) -> EventType:
    code = keys.need("on", lambda here: here.known(scope.event_types, "document.event_type"))
    return scope.event_types.get(code, EventType(code=code))


def read_condition(place: Place, event_types: Sequence[EventType], *, factor: bool = False) -> Condition | None:
    """The condition that stands at the place; what is wrong with it has its column."""
    if not isinstance(place.raw, str):
        place.refuse("scalar.text", given=shown(place.raw))
        return None
    if any(event_type.code == BLANK for event_type in event_types):
        return None
    try:
        condition = parse(place.raw, names_of(event_types, factor=factor))
    except ConditionError as error:
        for finding in error.findings:
            place.findings.add(place.path, finding.message, column=finding.column)
        return None
    too_much = None if factor else check_durable(condition)
    if too_much is not None:
        place.findings.add(place.path, too_much)
    return condition


def read_field(place: Place, event_type: EventType, types: Sequence[str] | None = None) -> Field | None:
    """The field of the event type that is named at the place, of one of these types."""
    if event_type.code == BLANK:
        return None
    if not isinstance(place.raw, str) or place.raw not in event_type.fields:
        defined = ", ".join(event_type.fields) or "–"
        place.refuse("document.undefined", what=message("document.field"), code=shown(place.raw), defined=defined)
        return None
    field = event_type.fields[place.raw]
    if types is not None and field.type not in types:
        place.refuse("rule.field_type", field=field.name, type=field.type, types=", ".join(types))
        return None
    return field


def _named(keys: Keys, key: str, event_type: EventType, types: Sequence[str]) -> Field | None:
    here = keys.at(key)
    return None if here is None else read_field(here, event_type, types)


def read_rows(place: Place, field: Field | None) -> dict[Value, Decimal]:
    """A table's rows; the keys are values of the field's type."""
    rows: dict[Value, Decimal] = {}
    pairs = place.pairs()
    if place.raw is not None and not pairs:
        place.refuse("document.empty")
    for key, here in pairs:
        value = here.number()
        if field is None:
            continue
        typed = _value(here.at_key(), field)
        if typed is None:
            continue
        if typed in rows:
            here.refuse("document.twice", given=shown(key))
        rows[typed] = value
    return rows


def _value(place: Place, field: Field) -> Value | None:
    try:
        return read_value(field, place.raw)
    except Unfit as unfit:
        place.findings.add(place.path, unfit.expected)
        return None


def read_pairs(place: Place, first: Callable[[Place], Any]) -> list[tuple[Any, Decimal, Place]]:
    """A list of pairs whose second is a number, with the place of each."""
    read: list[tuple[Any, Decimal, Place]] = []
    items = place.items()
    if isinstance(place.raw, list) and not items:
        place.refuse("document.empty")
    for item in items:
        if isinstance(item.raw, list) and len(item.raw) == 2:
            read.append((first(item.at(0, item.raw[0])), item.at(1, item.raw[1]).number(), item))
        else:
            item.refuse("document.pair", given=shown(item.raw))
    return read


def read_bands(place: Place) -> tuple[tuple[Decimal, Decimal], ...]:
    """Thresholds and what reaching them gives; one that an earlier and lower one hides is odd."""
    pairs = read_pairs(place, Place.number)
    for (before, _, _), (threshold, _, here) in itertools.pairwise(pairs):
        if threshold >= before:
            here.warn("rule.band_hidden", threshold=threshold, before=before)
    return tuple((threshold, points) for threshold, points, _ in pairs)


def _progressive(place: Place) -> tuple[tuple[Decimal | None, Decimal], ...]:
    pairs = read_pairs(place, lambda here: None if here.raw is None else here.number())
    bound: Decimal | None = Decimal(0)
    for upper, _, here in pairs:
        if bound is None or (upper is not None and upper <= bound):
            here.refuse("rule.bounds")
            break
        bound = upper
    return tuple((upper, rate) for upper, rate, _ in pairs)


def read_points(place: Place, event_type: EventType) -> Points:
    """A number of points, or a schedule over a field."""
    if not isinstance(place.raw, Mapping):
        return Fixed(place.number())
    schedules = ("table", "bands", "progressive", "share")
    keys = place.keys("field", *schedules, "else")
    chosen = [schedule for schedule in schedules if schedule in keys]
    if len(chosen) != 1:
        place.refuse("rule.schedule", schedules=", ".join(schedules))
        return Fixed(Decimal(0))
    if "else" in keys and chosen != ["bands"]:
        keys.inside["else"].refuse("rule.else")
    field = _named(keys, "field", event_type, ROWED if chosen == ["table"] else NUMERIC)
    name = BLANK if field is None else field.name
    if "field" not in keys:
        place.at("field", None).refuse("document.missing", name="field")
    here = keys.inside[chosen[0]]
    if chosen == ["table"]:
        return Table(name, read_rows(here, field))
    if chosen == ["bands"]:
        return Bands(name, read_bands(here), keys.get("else", Place.number))
    if chosen == ["progressive"]:
        return Progressive(name, _progressive(here))
    return Share(name, here.number())


def _factor(place: Place, event_type: EventType) -> Factor:
    keys = place.keys("title", "when", "by", "field", "table", "repeat")
    field = _named(keys, "field", event_type, ROWED if "table" in keys else NUMERIC)
    if ("by" in keys) == ("field" in keys):
        place.refuse("rule.factor")
    if "table" in keys and "field" not in keys:
        keys.inside["table"].refuse("rule.factor_table")
    if "repeat" in keys and "field" in keys:
        keys.inside["repeat"].refuse("rule.factor_repeat")
    return Factor(
        title=keys.get("title", Place.title, ""),
        when=keys.get("when", lambda here: read_condition(here, [event_type], factor=True)),
        by=keys.get("by", Place.number),
        field=field.name if field else None,
        table=keys.get("table", lambda here: read_rows(here, field)),
        repeat=keys.get("repeat", lambda here: _repeat(here, event_type)),
    )


def _repeat(place: Place, event_type: EventType) -> Repeat:
    keys = place.keys("within_days", "same")
    days = keys.need("within_days", Place.integer)
    if days < 0:
        keys.inside["within_days"].refuse("document.size", given=days)

    def same(here: Place) -> str:
        field = read_field(here, event_type)
        if field is not None and field.days_late is not None:
            here.refuse("rule.same_derived", field=field.name)
        return field.name if field else BLANK

    return Repeat(within_days=days, same=keys.get("same", lambda here: here.distinct(same), ()))


def _event_rule(place: Place, scope: Scope) -> EventRule:
    keys = place.keys(*COMMON, "on", "when", "charge", "points", "times", "factors", "max", "matter", "limits")
    on = _on(keys, scope)
    times = _named(keys, "times", on, NUMERIC)
    return EventRule(
        **_common(keys, scope),
        on=on.code,
        when=keys.get("when", lambda here: read_condition(here, [on])),
        charge=keys.get("charge", Place.code, "subject"),
        points=keys.need("points", lambda here: read_points(here, on)),
        times=times.name if times else None,
        factors=keys.get("factors", lambda here: here.each(lambda item: _factor(item, on)), ()),
        max=keys.get("max", Place.size),
        matter=keys.get("matter", lambda here: here.one_of("each", "highest"), "each"),
        limits=_limits(keys, scope),
    )


def _joint_rule(place: Place, scope: Scope) -> JointRule:
    keys = place.keys(*COMMON, "joint", "of", "sign", "when", "share", "points", "split", "max", "limits")
    of = keys.get("of", lambda here: here.distinct(lambda item: item.known(scope.served, "document.event_rule")))
    if of == () and not keys.inside["of"].raw:
        keys.inside["of"].refuse("document.empty")
    if ("share" in keys) == ("points" in keys):
        place.refuse("rule.joint_size")
    served = dict.fromkeys(scope.served.get(code, BLANK) for code in (of or scope.served))
    types = [scope.event_types[code] for code in served if code in scope.event_types]
    return JointRule(
        **_common(keys, scope),
        joint=keys.need("joint", Place.code),
        of=of,
        sign=keys.get("sign", read_sign, "both"),
        when=keys.get("when", lambda here: read_condition(here, types)),
        share=keys.get("share", Place.size),
        points=keys.get("points", Place.size),
        split=keys.get("split", lambda here: here.one_of("each", "pro_rata"), "each"),
        max=keys.get("max", Place.size),
        limits=_limits(keys, scope),
    )


def read_sign(place: Place) -> Literal["bonus", "deduction", "both"]:
    """Bonuses, deductions, or both."""
    return place.one_of("both", "bonus", "deduction")


def _groups(keys: Keys) -> tuple[str, ...] | None:
    here = keys.at("groups")
    if here is not None and here.raw == []:
        here.refuse("document.empty")
    return keys.get("groups", lambda here: here.distinct(Place.word))


def _differentiation_rule(place: Place, scope: Scope) -> DifferentiationRule:
    keys = place.keys(
        *COMMON, "differentiation", "among", "groups", "per", "at_least", "undifferentiated", "differentiated", "limits"
    )
    here = keys.inside["differentiation"]
    of = None if here.raw == "total" else here.distinct(lambda item: item.known(scope.indicators, "document.indicator"))
    if of == () and here.raw == []:
        here.refuse("document.empty")
    among: Literal["group", "unit"] = keys.need("among", lambda here: here.one_of("group", "unit"))
    at_least = keys.get("at_least", Place.integer, 2)
    if at_least < 1:
        keys.inside["at_least"].refuse("rule.at_least", given=at_least)
    consequences = {
        key: keys.get(key, lambda here: _consequence(here, of, among, scope))
        for key in ("undifferentiated", "differentiated")
    }
    lone = keys.at("undifferentiated")
    if lone is None and "differentiated" not in keys:
        place.refuse("rule.consequence")
    for key, consequence in consequences.items():
        needs_test = key == "undifferentiated" or lone is None
        if consequence is not None and consequence.when is None and needs_test:
            keys.inside[key].at("when", None).refuse("document.missing", name="when")
    return DifferentiationRule(
        **_common(keys, scope),
        of=of,
        among=among,
        groups=_groups(keys),
        per=keys.get("per", Place.word),
        at_least=at_least,
        undifferentiated=consequences["undifferentiated"],
        differentiated=consequences["differentiated"],
        limits=_limits(keys, scope),
    )


def _consequence(place: Place, of: tuple[str, ...] | None, among: str, scope: Scope) -> Consequence:
    keys = place.keys("when", "charge", "points")
    charge: Literal["members", "owner", "unit"] = keys.need(
        "charge", lambda here: here.one_of("members", "owner", "unit")
    )
    if charge == "unit" and among != "unit":
        keys.inside["charge"].refuse("rule.charge_unit")
    if charge == "owner" and of is None:
        keys.inside["charge"].refuse("rule.total_owner")
    for code in of or () if charge == "owner" else ():
        if code in scope.indicators and scope.indicators[code].owner is None:
            keys.inside["charge"].refuse("rule.no_owner", indicator=code)
    return Consequence(
        when=keys.get("when", lambda here: _difference(here, of)),
        charge=charge,
        points=keys.need("points", Place.number),
    )


def _difference(place: Place, of: tuple[str, ...] | None) -> Difference:
    keys = place.keys(*Difference.__struct_fields__)
    if isinstance(place.raw, Mapping) and not keys.inside:
        place.refuse("rule.tests", tests=", ".join(Difference.__struct_fields__))
    full = keys.get("full_share_at_least", Place.size)
    if full is not None and full > 1:
        keys.inside["full_share_at_least"].refuse("rule.ratio", given=full)
    if full is not None and of is None:
        keys.inside["full_share_at_least"].refuse("rule.total_full")
    return Difference(
        all_equal=keys.get("all_equal", Place.boolean),
        range_below=keys.get("range_below", Place.size),
        range_above=keys.get("range_above", Place.size),
        cv_below=keys.get("cv_below", Place.size),
        cv_above=keys.get("cv_above", Place.size),
        full_share_at_least=full,
        distinct_below=keys.get("distinct_below", Place.integer),
    )


def _progress_rule(place: Place, scope: Scope) -> ProgressRule:
    keys = place.keys(*COMMON, "progress", "among", "points", "max", "both", "groups", "per", "limits")
    keys.get("among", lambda here: here.one_of("group"))
    return ProgressRule(
        **_common(keys, scope),
        progress=keys.need("progress", lambda here: here.one_of("rank", "total")),
        points=keys.need("points", Place.number),
        max=keys.get("max", Place.size),
        both=keys.get("both", Place.boolean, False),
        groups=_groups(keys),
        per=keys.get("per", Place.word),
        limits=_limits(keys, scope),
    )


def _veto_rule(place: Place, scope: Scope) -> VetoRule:
    keys = place.keys(*COMMON, "veto", "on", "when", "charge", "to")
    keys.need("veto", lambda here: here.one_of("total"))
    on = _on(keys, scope)
    return VetoRule(
        **_common(keys, scope),
        on=on.code,
        when=keys.get("when", lambda here: read_condition(here, [on])),
        charge=keys.get("charge", Place.code, "subject"),
        to=keys.need("to", Place.number),
    )


_READERS: dict[str, Callable[[Place, Scope], Rule]] = {
    "on": _event_rule,
    "joint": _joint_rule,
    "differentiation": _differentiation_rule,
    "progress": _progress_rule,
    "veto": _veto_rule,
}
