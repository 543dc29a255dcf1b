"""Measures (计量方法): what an indicator's value is, from the events that report it.

Every method but ``raters`` looks at one event: the latest that carries the field, by booking date
in the period (on one date the later in the order of events). A value is exact until it is rounded
once, to 0.01. No event, or one whose value reaches no band and no ``else``: no value, which is not 0.

- direct 直接: the field itself. bands 区间: the first threshold reached. milestone 分步: the last step reached.
- linear 线性: between two points, clamped at both.
- efficacy 功效系数: (x−bad)/(good−bad)×40+60, clamped to 0..100, × full/100.
- rank 排名: competition rank among the group's members that have a value; ties share the higher; beyond the
  table 0. Who has no group is compared with nobody and has no value.
- raters 多方评价: a rater's latest value in a group counts, the mean of each group, then weighted. A subject
  never rates itself; a group that is not listed is ignored. Where nobody's rating counts there is no value,
  under ``missing: zero`` too: zero is for a group that is absent among others.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from engine.account import Account
from engine.amount import HUNDRED, cents
from engine.points import reach
from engine.ranking import rank
from engine.readings import Reading, Readings, decimal
from engine.rulebook import Bands, Indicator, Measure, Raters


class RaterGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A listed group of raters: its weight, each rater's latest reading, and their mean (None: nobody rated)."""

    group: str
    weight: Decimal
    ratings: Mapping[str, Reading]
    mean: Fraction | None


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value and where it came from. ``value`` None: the event's value reaches nothing."""

    method: str
    value: Decimal | None
    reading: Reading | None = None
    rank: int | None = None
    members: int | None = None
    raters: tuple[RaterGroup, ...] = ()


def measure(account: Account, indicator: Indicator, given: Readings) -> Mapping[str, Measurement]:
    """The measurement of every subject that an event measures; a subject without one is left out."""
    how = indicator.measure
    if how is None:
        return {}
    if how.method == "raters":
        return _weigh(how, given)
    readings = given.latest(how.on, how.field or "")
    if how.method == "rank":
        return _rank(account, how, readings)
    return {
        subject: Measurement(method=how.method, reading=reading, value=_rounded(_score(reading, how, indicator.full)))
        for subject, reading in readings.items()
    }


def _score(reading: Reading, how: Measure, full: Decimal) -> Fraction | None:
    value = Fraction(reading.value)
    if how.method == "bands":
        reached = reach(Bands(field=how.field or "", bands=how.parameters, otherwise=how.otherwise), reading.value)
        return None if reached is None else Fraction(reached)
    if how.method == "linear":
        start, end = how.parameters
        return _interpolate(start, end, value)
    if how.method == "efficacy":
        bad, good = map(Fraction, how.parameters)
        score = (value - bad) / (good - bad) * 40 + 60
        return max(Fraction(0), min(Fraction(HUNDRED), score)) * Fraction(full) / 100
    if how.method == "milestone":
        passed = [points for step, points in how.parameters if step <= value]
        return Fraction(passed[-1] if passed else 0)
    return value


def _interpolate(start: tuple[Decimal, Decimal], end: tuple[Decimal, Decimal], value: Fraction) -> Fraction:
    (x0, y0), (x1, y1) = map(Fraction, start), map(Fraction, end)
    along = max(Fraction(0), min(Fraction(1), (value - x0) / (x1 - x0)))
    return y0 + along * (y1 - y0)


def _rank(account: Account, how: Measure, readings: Mapping[str, Reading]) -> Mapping[str, Measurement]:
    table: Sequence[Decimal] = how.parameters
    found = {}
    for members in account.groups().values():
        ranked = rank({code: readings[code].value for code in members if code in readings}, how.order)
        for subject, place in ranked.items():
            value = cents(table[place - 1] if place <= len(table) else 0)
            found[subject] = Measurement(
                method="rank", value=value, reading=readings[subject], rank=place, members=len(ranked)
            )
    return found


def _weigh(how: Measure, readings: Readings) -> Mapping[str, Measurement]:
    known: Raters = how.parameters
    latest: dict[str, dict[str, dict[str, Reading]]] = {}
    for recorded in readings.events(how.on):
        event = recorded.event
        group, rater = event.data.get("rater_group"), event.data.get("rater")
        value = decimal(event.data.get("value"))
        if isinstance(group, str) and isinstance(rater, str) and value is not None and rater != event.subject:
            ratings = latest.setdefault(event.subject, {}).setdefault(group, {})
            ratings[rater] = Reading(event=event.key, value=value)
    found = {}
    for subject, given in latest.items():
        groups = tuple(_mean(group, weight, given.get(group, {})) for group, weight in known.weights.items())
        if any(each.mean is not None for each in groups):
            value = _rounded(_average(groups, known.missing))
            found[subject] = Measurement(method="raters", raters=groups, value=value)
    return found


def _mean(group: str, weight: Decimal, ratings: Mapping[str, Reading]) -> RaterGroup:
    total = sum((Fraction(each.value) for each in ratings.values()), Fraction(0))
    return RaterGroup(group=group, weight=weight, ratings=ratings, mean=total / len(ratings) if ratings else None)


def _average(groups: tuple[RaterGroup, ...], missing: Literal["renormalise", "zero"]) -> Fraction | None:
    present = [(Fraction(each.weight), each.mean) for each in groups if each.mean is not None]
    divisor = sum(Fraction(each.weight) for each in groups if missing == "zero" or each.mean is not None)
    return sum((weight * mean for weight, mean in present), Fraction(0)) / divisor if divisor else None


def _rounded(value: Fraction | None) -> Decimal | None:
    return None if value is None else cents(value)
