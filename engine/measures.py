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
from engine.charge import Recorded
from engine.event import EventKey, Value
from engine.points import number, reach
from engine.ranking import rank
from engine.rulebook import Bands, Indicator, Measure, Raters
from engine.scene import gather
from engine.turn import order_of


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says of the measured field."""

    event: EventKey
    value: Decimal


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


def measure(account: Account, indicator: Indicator) -> Mapping[str, Measurement]:
    """The measurement of every subject that an event measures; a subject without one is left out."""
    how = indicator.measure
    if how is None:
        return {}
    if how.method == "raters":
        return _weigh(account, how)
    readings = _latest(account, how)
    if how.method == "rank":
        return _rank(account, how, readings)
    return {
        subject: Measurement(method=how.method, reading=reading, value=_rounded(_score(reading, how, indicator.full)))
        for subject, reading in readings.items()
    }


def _score(reading: Reading, how: Measure, full: Decimal) -> Fraction | None:
    value = Fraction(reading.value)
    if how.method == "bands":
        return reach(Bands(field=how.field or "", bands=how.parameters, otherwise=how.otherwise), value)
    if how.method == "linear":
        start, end = how.parameters
        return _interpolate(start, end, value)
    if how.method == "efficacy":
        bad, good = map(Fraction, how.parameters)
        score = (value - bad) / (good - bad) * 40 + 60
        return max(Fraction(0), min(Fraction(HUNDRED), score)) * Fraction(full) / 100
    if how.method == "milestone":
        reached = [points for step, points in how.parameters if step <= value]
        return Fraction(reached[-1] if reached else 0)
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


def _weigh(account: Account, how: Measure) -> Mapping[str, Measurement]:
    known: Raters = how.parameters
    latest: dict[str, dict[str, dict[str, Reading]]] = {}
    for recorded in _in_turn(account, how.on):
        event = recorded.event
        group, rater = event.data.get("rater_group"), event.data.get("rater")
        value = _number(event.data.get("value"))
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


def _latest(account: Account, how: Measure) -> dict[str, Reading]:
    found = {}
    for recorded in _in_turn(account, how.on):
        value = _number(_carried(account, recorded, how.field or ""))
        if value is not None:
            found[recorded.event.subject] = Reading(event=recorded.event.key, value=value)
    return found


def _in_turn(account: Account, event_type: str) -> list[Recorded]:
    """The events of a type, by booking date, then in the order of events."""
    found = [each for each in account.standing if each.event.type == event_type]
    return sorted(found, key=lambda each: (each.booked, order_of(each.event)))


def _carried(account: Account, recorded: Recorded, field: str) -> Value | None:
    """The field's value, sent or derived."""
    event = recorded.event
    if field in event.data:
        return event.data[field]
    version = account.ruling(event)
    declared = version.rulebook.event_types[event.type].fields.get(field)
    if declared is None or declared.days_late is None:
        return None
    return gather(account.bureau, event, version).get(field)


def _number(value: Value | None) -> Decimal | None:
    return None if number(value) is None or not isinstance(value, (int, Decimal)) else Decimal(value)


def _rounded(value: Fraction | None) -> Decimal | None:
    return None if value is None else cents(value)
