"""The demonstration (演示县局): an invented county bureau with its year of events, made from a seed.

A pure generator: the same seed and the same date make the same county, byte for byte. Nothing in
it is real; the unit and personal names are made up. Its events are what upstream systems would
post, in the order in which they would reach us, and fit the starter rulebook.
"""

from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from engine.organisation import Relation, Subject
from engine.period import Period
from ledger.demonstration.people import settle_people
from ledger.demonstration.year import Tree, year_of_events

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = 365
STARTER_YEAR = 2026
QUARTERS = ("第一季度", "第二季度", "第三季度", "第四季度")


class Demonstration(msgspec.Struct, frozen=True, kw_only=True):
    """The county: who there is, who answers for whom, the periods, and the events in the order of their arrival.

    ``effective`` is what the starter rulebook's ``effective`` must be set to, so that it rules them all.
    """

    effective: datetime
    subjects: tuple[Subject, ...]
    relations: tuple[Relation, ...]
    periods: tuple[Period, ...]
    events: tuple[Tree, ...]


def county(seed: int = 2026, *, today: date) -> Demonstration:
    """The county of that seed with the 365 days of events before ``today``, the last of them yesterday."""
    random = Random(seed)
    first = today - timedelta(days=DAYS)
    county = settle_people(random, turn=_month_start(today - timedelta(days=150)))
    return Demonstration(
        effective=effective(today),
        subjects=county.subjects,
        relations=county.relations,
        periods=periods(first, today),
        events=year_of_events(random, county, first, today),
    )


def effective(today: date) -> datetime:
    """From when the demonstration's rulebook rules: the first instant of the year before ``today``'s.

    It is never later than the starter rulebook's own date, so that the cases it carries, which lie
    in its own year, stay ruled by it.
    """
    return datetime(min(today.year - 1, STARTER_YEAR), 1, 1, tzinfo=ZONE)


def periods(first: date, today: date) -> tuple[Period, ...]:
    """Months, quarters, halves and years, all open, of every calendar year from ``first`` to ``today``."""
    return tuple(period for year in range(first.year, today.year + 1) for period in _periods_of(year))


def _periods_of(year: int) -> list[Period]:
    made = [_span(f"{year}-{month:02}", f"{year}年{month}月", "month", year, month, 1) for month in range(1, 13)]
    made += [
        _span(f"{year}-Q{place}", f"{year}年{title}", "quarter", year, place * 3 - 2, 3)
        for place, title in enumerate(QUARTERS, start=1)
    ]
    made.append(_span(f"{year}-H1", f"{year}年上半年", "half", year, 1, 6))
    made.append(_span(f"{year}-H2", f"{year}年下半年", "half", year, 7, 6))
    made.append(_span(f"{year}", f"{year}年", "year", year, 1, 12))
    return made


def _span(code: str, title: str, kind: str, year: int, month: int, months: int) -> Period:
    end = date(year + (month + months > 12), (month + months - 1) % 12 + 1, 1)
    return Period(code=code, title=title, kind=kind, start=date(year, month, 1), end=end)


def _month_start(day: date) -> date:
    return day.replace(day=1)
