"""Progress (进步加分): points per place gained in the group, or per point of total, since the previous period.

This period, without its own period charges, is compared with the previous one (the latest of the
same kind that begins earlier) as it now stands, its period charges included. Whoever has no rank
(or total) in one of the two, or was in another group then, is left out. No gain, no charge; losses
charge only with ``both``.

How it is read where two readings are possible: places are those among all members of the group then
and now, newcomers included; ``total`` is the total, not the final one; both lists of a group's
members are those of each period's own last day.
"""

from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.account import Account
from engine.amount import cents, clip
from engine.charge import Step
from engine.language import Message, message
from engine.rulebook import ProgressRule
from engine.standing import Figures, Standing


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """How far one member came: what it had before, what it has now, what it gained, what that is worth."""

    subject: str
    before: Decimal
    now: Decimal
    gained: Decimal
    points: Decimal
    nominal: Decimal


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One group's progress, whether it charges anybody or not. ``previous`` None: there is no earlier period."""

    rule: str
    period: str
    previous: str | None
    measure: str
    within: str
    advances: tuple[Advance, ...] = ()
    left_out: tuple[str, ...] = ()
    silent: Message | None = None

    @property
    def of(self) -> str:
        """What was compared, as a charge's origin says it: ``rank/group`` or ``total/group``."""
        return f"{self.measure}/{self.within}"


def advance(rule: ProgressRule, account: Account, now: Figures, before: Figures | None) -> list[Progress]:
    """The progress of every group that the rule looks at, by code."""
    groups = account.groups()
    chosen = groups if rule.groups is None else {group: groups.get(group, []) for group in rule.groups}
    return [_advance(rule, within, members, now, before) for within, members in sorted(chosen.items())]


def charged(rule: ProgressRule, advance: Advance) -> bool:
    """Whether the advance makes a charge."""
    return advance.gained > 0 or (rule.both and advance.gained < 0)


def explain(rule: ProgressRule, progress: Progress, advance: Advance) -> tuple[Step, ...]:
    """A charge's arithmetic: ``before`` (``given`` the previous period), ``now``, ``gained``, points, max, nominal."""
    exact = Fraction(advance.gained) * Fraction(rule.points)
    held = () if clip(exact, rule.max) == exact else (Step(step="max", value=str(rule.max)),)
    return (
        Step(step="before", value=str(advance.before), given=progress.previous),
        Step(step="now", value=str(advance.now), given=progress.period),
        Step(step="gained", value=str(advance.gained), field=rule.progress),
        Step(step="points", value=str(rule.points)),
        *held,
        Step(step="nominal", value=str(advance.nominal)),
    )


def _advance(rule: ProgressRule, within: str, members: list[str], now: Figures, before: Figures | None) -> Progress:
    found = Progress(
        rule=rule.code,
        period=now.period,
        previous=None if before is None else before.period,
        measure=rule.progress,
        within=within,
    )
    if before is None:
        return msgspec.structs.replace(found, left_out=tuple(members), silent=message("progress.no_previous"))
    advances = {member: _measure(rule, now.of[member], before.of.get(member)) for member in members}
    return msgspec.structs.replace(
        found,
        advances=tuple(each for each in advances.values() if each is not None),
        left_out=tuple(member for member, each in advances.items() if each is None),
    )


def _measure(rule: ProgressRule, now: Standing, before: Standing | None) -> Advance | None:
    if before is None or before.place.group != now.place.group:
        return None
    then, present = _value(rule, before), _value(rule, now)
    if then is None or present is None:
        return None
    gained = then - present if rule.progress == "rank" else present - then
    return Advance(
        subject=now.subject,
        before=then,
        now=present,
        gained=gained,
        points=rule.points,
        nominal=cents(clip(Fraction(gained) * Fraction(rule.points), rule.max)),
    )


def _value(rule: ProgressRule, standing: Standing) -> Decimal | None:
    if rule.progress == "total":
        return standing.total
    return None if standing.rank is None else Decimal(standing.rank)
