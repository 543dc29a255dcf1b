"""Days late (超期天数): from the due date, exclusive, to the day it was done, inclusive; never below 0.

The working calendar skips Saturdays, Sundays and holidays, and counts the weekend days that are
worked (调休). While a task is not done its days run to the event's own date or to the last day of
the latest period settled so far, whichever is later.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from engine.event import Event, Value
from engine.field import DaysLate, EventType
from engine.rulebook import Rulebook

SATURDAY = 5


def days_between(due: date, done: date) -> int:
    """Calendar days late."""
    return max(0, (done - due).days)


def working_days_between(due: date, done: date, holidays: frozenset[date], workdays: frozenset[date]) -> int:
    """Working days late. A day that is both a holiday and worked is worked."""
    if done <= due:
        return 0
    weeks, rest = divmod((done - due).days, 7)
    days = 5 * weeks + sum((due + timedelta(days=n)).weekday() < SATURDAY for n in range(1, rest + 1))
    within = due + timedelta(days=1), done
    days -= sum(within[0] <= day <= within[1] and day.weekday() < SATURDAY and day not in workdays for day in holidays)
    days += sum(within[0] <= day <= within[1] and day.weekday() >= SATURDAY for day in workdays)
    return days


def unfinished(event: Event, event_type: EventType) -> bool:
    """Whether the event is a task that was due and is not done: it grows at each settlement."""
    return any(
        field.days_late is not None and field.days_late.due in event.data and field.days_late.done not in event.data
        for field in event_type.fields.values()
    )


def derive(event: Event, event_type: EventType, rulebook: Rulebook, as_of: date) -> Mapping[str, Value]:
    """The derived fields of an event; one whose due date is missing is left out: unknown."""
    derived: dict[str, Value] = {}
    for name, field in event_type.fields.items():
        if field.days_late is None:
            continue
        due = event.data.get(field.days_late.due)
        done = event.data.get(field.days_late.done, as_of)
        if isinstance(due, date) and isinstance(done, date):
            derived[name] = _count(field.days_late, due, done, rulebook)
    return derived


def _count(days_late: DaysLate, due: date, done: date, rulebook: Rulebook) -> int:
    if days_late.calendar == "all":
        return days_between(due, done)
    return working_days_between(due, done, rulebook.holidays, rulebook.workdays)
