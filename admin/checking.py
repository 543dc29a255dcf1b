"""What the panel checks before a row is saved (保存校验): each row a step towards a draft that holds.

A rule may be saved before its schedule; but its condition must make sense for its event type, and
what it names must be there. What can only be said of the draft as a whole is said on the
publication page.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from piccolo.table import Table

from admin.checking_rules import (
    check_compared,
    check_consequence,
    check_factor,
    check_factor_row,
    check_joint_of,
    check_rule,
    check_rule_limit,
    check_step,
)
from admin.checking_standing import (
    check_award,
    check_indicator,
    check_linkage,
    check_measure_step,
    check_part,
    check_tier,
)
from admin.row import Problem, Values, among, at_least, code, event_type_of, needed, numbers, options, own_id
from engine.language import message
from engine.term import check_field_name
from rules.standing_rows import LONGEST
from rules.tables import (
    Draft,
    DraftAward,
    DraftChoice,
    DraftCompared,
    DraftConsequence,
    DraftDays,
    DraftEventType,
    DraftFactor,
    DraftFactorRow,
    DraftField,
    DraftIndicator,
    DraftJointOf,
    DraftLimit,
    DraftLinkage,
    DraftMeasureStep,
    DraftPart,
    DraftRule,
    DraftRuleLimit,
    DraftStep,
    DraftTier,
)


async def check(table: type[Table], values: Values) -> list[Problem]:
    """Everything that is wrong with a row as it is to be saved."""
    problems = [*needed(table, values), *options(table, values), *numbers(table, values)]
    checker = _CHECKERS.get(table)
    if checker is not None:
        problems += await checker(values)
    return problems


# --- the tables ---


async def _draft(values: Values) -> list[Problem]:
    row = await Draft.objects().get(Draft.id == own_id(values))
    problems = [*code(values), *at_least(values, "joint_depth", 1)]
    if row is not None and (values.get("cases_json") or "") != row.cases_json:
        problems.append(("cases_json", message("panel.cases_elsewhere")))
    return problems


async def _days(values: Values) -> list[Problem]:
    first, last = values.get("first"), values.get("last")
    if first is None or last is None:
        return []
    if last < first:
        return [("last", message("panel.last_before_first"))]
    return [("last", message("panel.days_too_many", most=LONGEST))] if (last - first).days >= LONGEST else []


async def _event_type(values: Values) -> list[Problem]:
    return list(code(values))


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
            problems.append((column, among("panel.no_date_field", values[column], dates)))
    return problems


async def _choice(values: Values) -> list[Problem]:
    problems = [] if values.get("value") else [("value", message("panel.needed"))]
    field = await DraftField.objects().get(DraftField.id == values.get("field"))
    if field is not None and field.type not in ("choice", "choices"):
        problems.append(("field", message("panel.not_choice", name=field.name)))
    return problems


async def _limit(values: Values) -> list[Problem]:
    problems = list(code(values))
    size = values.get("max")
    if size is not None and size < 0:
        problems.append(("max", message("panel.not_negative")))
    return problems


_CHECKERS: dict[type[Table], Callable[[Values], Awaitable[list[Problem]]]] = {
    Draft: _draft,
    DraftDays: _days,
    DraftEventType: _event_type,
    DraftField: _field,
    DraftChoice: _choice,
    DraftIndicator: check_indicator,
    DraftMeasureStep: check_measure_step,
    DraftLimit: _limit,
    DraftRule: check_rule,
    DraftStep: check_step,
    DraftFactor: check_factor,
    DraftFactorRow: check_factor_row,
    DraftRuleLimit: check_rule_limit,
    DraftJointOf: check_joint_of,
    DraftCompared: check_compared,
    DraftConsequence: check_consequence,
    DraftPart: check_part,
    DraftLinkage: check_linkage,
    DraftTier: check_tier,
    DraftAward: check_award,
}


async def named_by(table: type[Table], row: int) -> list[str]:
    """The codes of the rules and indicators that name this row, so that it cannot be deleted."""
    found: set[str] = set()
    for reference, named in _NAMED.get(table, ()):
        rows = await reference._meta.table.select(named.as_alias("code")).where(reference == row)
        found |= {str(each["code"]) for each in rows}
    return sorted(found)


_NAMED: dict[type[Table], tuple[tuple[Any, Any], ...]] = {
    DraftEventType: ((DraftRule.event_type, DraftRule.code), (DraftIndicator.measured_on, DraftIndicator.code)),
    DraftIndicator: ((DraftRule.indicator, DraftRule.code), (DraftCompared.indicator, DraftCompared.rule.code)),
    DraftLimit: ((DraftRuleLimit.limit, DraftRuleLimit.rule.code),),
    DraftRule: ((DraftJointOf.source, DraftJointOf.rule.code),),
}
