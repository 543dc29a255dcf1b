"""Differentiation (无差异无管理): who cannot tell the compared apart has not managed, and is charged for it.

The members of a group (or the people of a unit) are compared by their scores on one indicator after
the other, or by their totals. Compared are those with data; the others are left out, never counted
as 0. Fewer than ``at_least``: insufficient (数据不足), nobody is charged, and it is said. If the tests of
both consequences hold, they are undifferentiated; if neither holds, the result is neutral.

How it is read where two readings are possible:

- Where a verdict hangs on a coefficient of variation with mean 0, it is insufficient; where another
  test decides by itself, that decides.
- Scores and totals alike are compared without the period's own period charges: to settle again must
  not compare what the last settlement charged.
- A group that the rule lists and that has no member is compared all the same: insufficient.
- The people of a unit are those whose unit it is on the last day, whatever their groups; with
  ``groups``, the unit's group counts.
- An owner who is missing, or is no subject, is not charged, and it is said.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from engine.account import Account
from engine.amount import cents
from engine.charge import Step
from engine.charging import written
from engine.comparison import Check, Comparison, all_hold, check
from engine.language import message
from engine.rulebook import Consequence, DifferentiationRule, Rulebook

Values = Callable[[str, str | None], Decimal | None]
"""(subject, indicator or None for the total) → what is compared; None: no data."""


def compare(rule: DifferentiationRule, rulebook: Rulebook, account: Account, values: Values) -> list[Comparison]:
    """Every comparison that the rule asks for: by indicator as listed, then by group or unit."""
    gathered = _gather(rule, account)
    indicators: Iterable[str | None] = (None,) if rule.of is None else dict.fromkeys(rule.of)
    return [
        _decide(rule, rulebook, account, _line_up(rule, account, indicator, within, members, values))
        for indicator in indicators
        for within, members in sorted(gathered.items())
    ]


def explain(comparison: Comparison, subject: str) -> tuple[Step, ...]:
    """A charge's arithmetic.

    ``compared``: a member's value, ``given`` the member; of every member where one subject is charged
    for all, of the charged member alone where each is charged. ``members``: how many were compared.
    Then the tests that decided, ``value`` what was found (of a coefficient of variation the square)
    and ``given`` the bound; ``verdict``; ``points``; ``nominal``.
    """
    consequence = comparison.consequence
    if consequence is None:
        return ()
    shown = (subject,) if consequence.charge == "members" else tuple(comparison.compared)
    decisive = getattr(comparison, comparison.verdict) or comparison.undifferentiated
    return (
        *(Step(step="compared", value=str(comparison.compared[member]), given=member) for member in shown),
        Step(step="members", value=str(len(comparison.compared))),
        *(
            Step(step=each.test, value="" if each.found is None else written(each.found), given=str(each.bound))
            for each in decisive
        ),
        Step(step="verdict", value=comparison.verdict),
        Step(step="points", value=str(consequence.points)),
        Step(step="nominal", value=str(cents(consequence.points))),
    )


def _gather(rule: DifferentiationRule, account: Account) -> dict[str, list[str]]:
    """The groups, or the units, that the rule compares within, each with its members."""
    if rule.among == "unit":
        return {
            unit: people
            for unit, people in account.people().items()
            if rule.groups is None or account.place(unit).group in rule.groups
        }
    groups = account.groups()
    return groups if rule.groups is None else {group: groups.get(group, []) for group in rule.groups}


def _line_up(
    rule: DifferentiationRule,
    account: Account,
    indicator: str | None,
    within: str,
    members: list[str],
    values: Values,
) -> Comparison:
    """The comparison before it is decided: who is compared, by what, and who is left out."""
    known = {member: values(member, indicator) for member in members}
    compared = {member: value for member, value in known.items() if value is not None}
    return Comparison(
        rule=rule.code,
        period=account.period.code,
        indicator=indicator,
        among=rule.among,
        within=within,
        compared=compared,
        left_out=tuple(member for member in members if member not in compared),
        verdict="insufficient",
    )


def _decide(rule: DifferentiationRule, rulebook: Rulebook, account: Account, comparison: Comparison) -> Comparison:
    count = len(comparison.compared)
    if count < rule.at_least:
        said = message("differentiation.few", count=count, least=rule.at_least)
        return msgspec.structs.replace(comparison, silent=said)
    values = list(comparison.compared.values())
    full = None if comparison.indicator is None else rulebook.indicators[comparison.indicator].full
    under, over = rule.undifferentiated, rule.differentiated
    found = msgspec.structs.replace(
        comparison,
        undifferentiated=check(under.when if under else None, values, full),
        differentiated=check(over.when if over else None, values, full),
    )
    same = False if under is None else all_hold(found.undifferentiated)
    different = _differ(over, same, found.differentiated)
    if same:
        return _charge(msgspec.structs.replace(found, verdict="undifferentiated"), under, rulebook, account)
    if same is None or different is None:
        return msgspec.structs.replace(found, silent=message("differentiation.mean_zero"))
    if different:
        return _charge(msgspec.structs.replace(found, verdict="differentiated"), over, rulebook, account)
    return msgspec.structs.replace(found, verdict="neutral")


def _differ(over: Consequence | None, same: bool | None, checks: tuple[Check, ...]) -> bool | None:
    """Whether the members count as differentiated; without a test of its own: when not undifferentiated."""
    if over is None:
        return False
    if over.when is None:
        return None if same is None else not same
    return all_hold(checks)


def _charge(
    comparison: Comparison, consequence: Consequence | None, rulebook: Rulebook, account: Account
) -> Comparison:
    """Name those whom the consequence charges, or say why it charges nobody."""
    if consequence is None:
        return comparison
    decided = msgspec.structs.replace(comparison, consequence=consequence)
    if consequence.charge == "members":
        return msgspec.structs.replace(decided, charged=tuple(sorted(comparison.compared)))
    if consequence.charge == "unit":
        return msgspec.structs.replace(decided, charged=(comparison.within,))
    indicator = comparison.indicator or ""
    owner = rulebook.indicators[indicator].owner if indicator else None
    if owner is None:
        return msgspec.structs.replace(decided, silent=message("differentiation.no_owner", indicator=indicator))
    if owner not in account.bureau.organisation:
        said = message("differentiation.unknown_owner", indicator=indicator, owner=owner)
        return msgspec.structs.replace(decided, silent=said)
    return msgspec.structs.replace(decided, charged=(owner,))
