"""What the panel checks of rules and their rows before saving (规则保存校验)."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from admin.row import (
    Problem,
    Values,
    among,
    at_least,
    code,
    condition,
    event_type_of,
    fits,
    given,
    maybe_code,
    numeric,
    own_id,
    ratio,
)
from engine.field import EventType, Field
from engine.language import message
from engine.report import read_value
from rules.difference_rows import BOUNDS
from rules.tables import (
    DraftCompared,
    DraftConsequence,
    DraftFactor,
    DraftIndicator,
    DraftJointOf,
    DraftRule,
)

_ON_EVENTS = frozenset({"event_type", "condition", "charge"})
_WITHIN = frozenset({"among", "groups", "per"})
_COLUMNS = {
    "event": _ON_EVENTS | {"points", "points_kind", "points_field", "points_else", "share", "times", "matter", "max"},
    "joint": frozenset({"event_type", "condition", "points", "share", "relation", "sign", "split", "max"}),
    "differentiation": _WITHIN | {"compares", "at_least"},
    "progress": _WITHIN | {"progress", "points", "max", "both"},
    "veto": _ON_EVENTS | {"veto_to"},
}
"""The columns that rules of a kind use; that a joint rule has no event type has words of its own."""
_OWN = frozenset().union(*_COLUMNS.values())


async def check_rule(values: Values) -> list[Problem]:
    """A rule of any kind."""
    kind = str(values.get("kind"))
    problems = [*code(values), *maybe_code(values, "charge"), *maybe_code(values, "relation")]
    problems += at_least(values, "max", 0)
    said = message("panel.not_this_kind", kind=message(f"choice.kind.{kind}" if kind in _COLUMNS else "draft.none"))
    own = _COLUMNS.get(kind, _OWN)
    problems += [(column, said) for column in sorted(_OWN - own) if given(values, column)]
    return problems + await _KINDS[kind](values) if kind in _KINDS else problems


async def _event_rule(values: Values) -> list[Problem]:
    if values.get("event_type") is None:
        return [("event_type", message("panel.needed"))]
    event_type = await event_type_of(values["event_type"])
    return [*condition(values, [event_type]), *_points(values, event_type)]


async def _veto_rule(values: Values) -> list[Problem]:
    problems = [] if values.get("veto_to") is not None else [("veto_to", message("panel.needed"))]
    if values.get("event_type") is None:
        return [*problems, ("event_type", message("panel.needed"))]
    return [*problems, *condition(values, [await event_type_of(values["event_type"])])]


async def _differentiation_rule(values: Values) -> list[Problem]:
    problems = [(column, message("panel.needed")) for column in ("compares", "among") if not given(values, column)]
    problems += [*at_least(values, "at_least", 1), *_groups(values)]
    if await _compared_before(own_id(values)) and values.get("compares") == "total":
        problems.append(("compares", message("panel.total_no_indicators")))
    held = await DraftConsequence.select().where(DraftConsequence.rule == own_id(values))
    for consequence in held:
        problems += [
            ("compares" if "total" in said.key else "among", said) for _, said in _fitting(consequence, values)
        ]
    return problems


async def _compared_before(rule: Any) -> bool:
    return bool(rule) and await DraftCompared.exists().where(DraftCompared.rule == rule)


async def _progress_rule(values: Values) -> list[Problem]:
    problems = [(column, message("panel.needed")) for column in ("progress", "points") if not given(values, column)]
    if values.get("among") not in (None, "", "group"):
        problems.append(("among", message("panel.progress_group")))
    return [*problems, *_groups(values)]


def _groups(values: Values) -> Iterable[Problem]:
    groups = values.get("groups") or []
    if any(not group or not group.strip() or len(group) > 64 for group in groups):
        yield "groups", message("panel.word")
    elif len(set(groups)) < len(groups):
        yield "groups", message("panel.word_twice")


async def _joint_rule(values: Values) -> list[Problem]:
    problems: list[Problem] = []
    if not values.get("relation"):
        problems.append(("relation", message("panel.needed")))
    if values.get("event_type") is not None:
        problems.append(("event_type", message("panel.joint_no_event_type")))
    if (values.get("share") is None) == (values.get("points") is None):
        problems.append(("share", message("panel.share_or_points")))
    sources = await DraftJointOf.select(DraftJointOf.source).where(DraftJointOf.rule == own_id(values))
    query = DraftRule.select(DraftRule.event_type).where(
        (DraftRule.kind == "event") & DraftRule.event_type.is_not_null()
    )
    if sources:
        query = query.where(DraftRule.id.is_in([row["source"] for row in sources]))
    types = sorted({row["event_type"] for row in await query})
    return problems + list(condition(values, [await event_type_of(number) for number in types]))


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
        allowed = numeric(event_type) if kind != "table" else list(event_type.fields)
        if name not in allowed:
            yield (
                "points_field",
                among("panel.no_field" if kind == "table" else "panel.no_number_field", name, allowed),
            )
        if kind == "share" and values.get("share") is None:
            yield "share", message("panel.needed")
    if kind != "share" and values.get("share") is not None:
        yield "share", message("panel.share_only")
    if kind != "bands" and values.get("points_else") is not None:
        yield "points_else", message("panel.bands_only")
    times = values.get("times")
    if times and times not in numeric(event_type):
        yield "times", among("panel.no_number_field", times, numeric(event_type))


async def check_step(values: Values) -> list[Problem]:
    """A row of a rule's schedule."""
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
        yield from fits("key", lambda key: read_value(field, key), values.get("key") or "")


async def check_factor(values: Values) -> list[Problem]:
    """A factor."""
    rule = await DraftRule.objects().get(DraftRule.id == values.get("rule"))
    if rule is None or rule.kind != "event" or rule.event_type is None:
        return [("rule", message("panel.event_rules_have_factors"))]
    event_type = await event_type_of(rule.event_type)
    kind = values.get("kind")
    problems = list(condition(values, [event_type], factor=True))
    if kind in ("condition", "repeat") and values.get("by") is None:
        problems.append(("by", message("panel.needed")))
    if kind in ("field", "table"):
        allowed = numeric(event_type) if kind == "field" else list(event_type.fields)
        if values.get("by") is not None:
            problems.append(("by", message("panel.factor_by")))
        if values.get("field") not in allowed:
            key = "panel.no_number_field" if kind == "field" else "panel.no_field"
            problems.append(("field", among(key, values.get("field") or "", allowed)))
    elif values.get("field"):
        problems.append(("field", message("panel.factor_field")))
    days, same = values.get("within_days"), values.get("same") or []
    if kind == "repeat" and (days is None or days < 0):
        problems.append(("within_days", message("panel.needed" if days is None else "panel.not_negative")))
    if kind != "repeat" and (days is not None or same):
        problems.append(("within_days" if days is not None else "same", message("panel.repeat_only")))
    known = list(event_type.fields)
    return problems + [("same", among("panel.no_field", name, known)) for name in same if name not in known]


async def check_factor_row(values: Values) -> list[Problem]:
    """A row of a factor's table."""
    factor = await DraftFactor.objects().get(DraftFactor.id == values.get("factor"))
    if factor is None or factor.kind != "table":
        return [("factor", message("panel.no_factor_table"))]
    rule = await DraftRule.objects().get(DraftRule.id == factor.rule)
    if rule is None or rule.event_type is None:
        return [("factor", message("panel.no_factor_table"))]
    return list(_key(values, (await event_type_of(rule.event_type)).fields.get(factor.field)))


async def check_joint_of(values: Values) -> list[Problem]:
    """A source of a joint rule."""
    problems: list[Problem] = []
    for column, kind in (("rule", "joint"), ("source", "event")):
        rule = await DraftRule.objects().get(DraftRule.id == values.get(column))
        if rule is None or rule.kind != kind:
            problems.append((column, message(f"panel.must_be_{kind}")))
    return problems


async def check_rule_limit(values: Values) -> list[Problem]:
    """A rule under a limit."""
    rule = await DraftRule.objects().get(DraftRule.id == values.get("rule"))
    return [("rule", message("panel.veto_no_limit"))] if rule is not None and rule.kind == "veto" else []


async def check_compared(values: Values) -> list[Problem]:
    """An indicator that a differentiation rule compares."""
    rule = await DraftRule.objects().get(DraftRule.id == values.get("rule"))
    if rule is None or rule.kind != "differentiation":
        return [("rule", message("panel.must_be_differentiation"))]
    if rule.compares == "total":
        return [("rule", message("panel.compares_total"))]
    indicator = await DraftIndicator.objects().get(DraftIndicator.id == values.get("indicator"))
    owned = await DraftConsequence.exists().where(
        (DraftConsequence.rule == rule.id) & (DraftConsequence.charge == "owner")
    )
    if owned and indicator is not None and not indicator.owner:
        return [("indicator", message("panel.no_owner", indicator=indicator.code))]
    return []


async def check_consequence(values: Values) -> list[Problem]:
    """What a comparison costs or earns."""
    rule = await DraftRule.objects().get(DraftRule.id == values.get("rule"))
    if rule is None or rule.kind != "differentiation":
        return [("rule", message("panel.must_be_differentiation"))]
    problems = [(column, message("panel.needed")) for column in ("charge", "points") if not given(values, column)]
    for bound in BOUNDS:
        problems += at_least(values, bound, 0)
    problems += [*ratio(values, "full_share_at_least"), *_fitting(values, rule.to_dict())]
    tested = [test for test in (*BOUNDS, "all_equal", "distinct_below") if values.get(test) is not None]
    if not tested and values.get("verdict") == "undifferentiated":
        problems.append(("range_below", message("panel.test_needed")))
    if values.get("charge") == "owner" and rule.compares == "indicators":
        problems += await _owners(rule.id)
    return problems


def _fitting(consequence: Values, rule: Values) -> Iterable[Problem]:
    """Whether a consequence fits what its rule compares."""
    if consequence.get("charge") == "unit" and rule.get("among") == "group":
        yield "charge", message("panel.charge_unit")
    if rule.get("compares") == "total":
        if consequence.get("charge") == "owner":
            yield "charge", message("panel.total_owner")
        if consequence.get("full_share_at_least") is not None:
            yield "full_share_at_least", message("panel.total_full")


async def _owners(rule: int) -> list[Problem]:
    held = await DraftCompared.select(DraftCompared.indicator.code.as_alias("code")).where(
        (DraftCompared.rule == rule) & (DraftCompared.indicator.owner == "")
    )
    return [("charge", message("panel.no_owner", indicator=row["code"])) for row in held]


_KINDS: dict[str, Callable[[Values], Awaitable[list[Problem]]]] = {
    "event": _event_rule,
    "joint": _joint_rule,
    "differentiation": _differentiation_rule,
    "progress": _progress_rule,
    "veto": _veto_rule,
}
