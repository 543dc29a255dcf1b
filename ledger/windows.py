"""The window of appeals (申诉期): until which day an entry may be appealed.

An entry's period is the shortest declared one that contains its booking date; outside every period nothing can
be appealed, nor where the period's ``appeal_days`` is null. Until that period is first settled its figures are not
made public (公示), and the window has no end. From then on it ends with the day that lies ``appeal_days`` calendar
days after the later of two: the day of the period's latest settlement (of its latest closing, where it was never
settled), and the day on which the entry itself was posted, so that what is posted later has days of its own. A
settlement that carries out the decision of an appeal does not begin the window again; the entries that it posts have
their own days all the same. Days are dates in the organisation's time zone, and the last one counts whole.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.period import Period
from ledger import clock
from ledger.current import Connection, get_current


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """When an entry may be appealed. ``until`` is the last day, included; None: without an end."""

    period: str
    until: date | None

    def contains(self, day: date) -> bool:
        """Whether it may be appealed on that day."""
        return self.until is None or day <= self.until

    def days_left(self, day: date) -> int | None:
        """Days left after that one, 0 where it is the last or over; None: without an end."""
        return None if self.until is None else max((self.until - day).days, 0)


def today() -> date:
    """The organisation's date."""
    return clock.now().astimezone(get_current().timezone).date()


async def find_window(connection: Connection, entry: Mapping[str, Any]) -> Window:
    """The window of an entry's row. Refused where it has none: no period, or one without appeals."""
    calendar = get_current().bureau.calendar
    period = calendar.shortest(entry["booked"])
    if period is None:
        raise Refused(Finding(path="/entry", message=message("appeal.no_period", day=entry["booked"])))
    if period.days_to_appeal is None:
        raise Refused(Finding(path="/entry", message=message("appeal.none_in_period", period=period.code)))
    return (await find_windows(connection, [entry]))[entry["number"]]


async def find_windows(connection: Connection, entries: Iterable[Mapping[str, Any]]) -> dict[int, Window]:
    """The windows of entries' rows, by number; those that have none are left out."""
    calendar, held = get_current().bureau.calendar, dict[int, Period]()
    for entry in entries:
        period = calendar.shortest(entry["booked"])
        if period is not None and period.days_to_appeal is not None:
            held[entry["number"]] = period
    begun = await _figures_days(connection, {period.code for period in held.values()})
    posted = await _posting_days(connection, held)
    return {
        number: Window(period=period.code, until=_until(period, begun.get(period.code), posted[number]))
        for number, period in held.items()
    }


def _until(period: Period, begun: date | None, posted: date) -> date | None:
    days = period.days_to_appeal
    if begun is None or days is None:
        return None
    return max(begun, posted) + timedelta(days=days)


async def _figures_days(connection: Connection, periods: Iterable[str]) -> dict[str, date]:
    """The day of the latest settlement of each period, of its latest closing where it was never settled."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (content::jsonb ->> 'period') content::jsonb ->> 'period' AS period, at FROM act
        WHERE kind IN ('settlement', 'closing') AND content::jsonb ->> 'period' = ANY($1)
          AND NOT content::jsonb ? 'appeal'
        ORDER BY content::jsonb ->> 'period', kind DESC, number DESC
        """,
        sorted(periods),
    )
    return {row["period"]: _day(row["at"]) for row in rows}


async def _posting_days(connection: Connection, numbers: Iterable[int]) -> dict[int, date]:
    """The day on which each entry was posted: that of the event or act that caused it."""
    rows = await connection.fetch(
        """
        SELECT e.number, coalesce(v.received_at, a.at) AS at
        FROM unnest($1::bigint[]) AS asked (number) JOIN entry e ON e.number = asked.number
        LEFT JOIN event v ON v.number = e.cause LEFT JOIN act a ON a.number = e.cause
        """,
        sorted(numbers),
    )
    return {row["number"]: _day(row["at"]) for row in rows}


def _day(at: datetime) -> date:
    return at.astimezone(get_current().timezone).date()
