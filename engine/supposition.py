"""A supposition (假设): what would be in force had a rulebook ruled a period, in place of every published version.

Before its start and after the period the published versions rule as they do. The organisation stays. The periods
that share days with it count as open, so that a difference is booked on its own day.
"""

from datetime import datetime, time

import msgspec

from engine.bureau import Bureau
from engine.period import Calendar, Period
from engine.publication import succeed
from engine.rulebook import Rulebook, Version


def bounds_of(period: Period, bureau: Bureau) -> tuple[datetime, datetime]:
    """The period's first instant and the first one after it, in the organisation's time zone."""
    zone = bureau.organisation.timezone
    return datetime.combine(period.start, time(), zone), datetime.combine(period.end, time(), zone)


def suppose(bureau: Bureau, rulebook: Rulebook, start: datetime, end: datetime) -> Bureau:
    """The bureau had the rulebook ruled every instant in ``[start, end)``. Refused where it could not be published:
    where it changes the window or the sign of a limit."""
    put = succeed(bureau, msgspec.structs.replace(rulebook, effective=start)).versions[-1]
    # Of versions with the same effective time the later one rules: what is set aside keeps its number, for charges
    # of other periods that were made by it.
    versions = [
        msgspec.structs.replace(each, rulebook=msgspec.structs.replace(each.rulebook, effective=start))
        if start < each.effective < end
        else each
        for each in bureau.versions
    ]
    versions.append(put)
    resumed = bureau.version_at(end)
    if resumed is not None and resumed.effective < end:
        again = msgspec.structs.replace(resumed.rulebook, effective=end)
        versions.append(Version(number=put.number + 1, rulebook=again))
    return msgspec.structs.replace(bureau, versions=tuple(versions))


def replaced(bureau: Bureau, start: datetime, end: datetime) -> tuple[int, ...]:
    """The numbers of the versions that rule some instant in ``[start, end)``, in order of their effective times."""
    first = bureau.version_at(start)
    inside = [each for each in bureau.versions if start < each.effective < end]
    ruling = [each for each in inside if bureau.version_at(each.effective) is each]
    ruling.sort(key=lambda each: each.effective)
    return tuple(each.number for each in (*([] if first is None else [first]), *ruling))


def open_days(calendar: Calendar, period: Period) -> Calendar:
    """The calendar with every period open that shares a day with this one."""
    return Calendar(
        msgspec.structs.replace(each, state="open") if each.start < period.end and period.start < each.end else each
        for each in calendar.periods.values()
    )
