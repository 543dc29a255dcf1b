"""Admission (受理): whether a reported event is kept, and on which date its charges are booked.

Refused: an event whose time no version covers, whose type that version does not declare, whose
subject or party is no subject, whose data does not fit, or whose date is closed and cannot be
carried. A refused event leaves no trace and may be sent again.
"""

from collections.abc import Iterator
from datetime import date

from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import Event, same_content
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import Report, fit


class Closed(Refused):
    """The event's date is closed, and the rulebook refuses late events or no open period can take it."""


class Conflicting(Refused):
    """The same source and id were recorded with other content."""


def admit(bureau: Bureau, report: Report) -> Recorded:
    """The event, typed, with its booking date; or :class:`Refused` with everything that is wrong."""
    event = type_event(bureau, report)
    strangers = tuple(_strangers(bureau, event))
    if strangers:
        raise Refused(*strangers)
    return Recorded(event=event, booked=book(bureau, event))


def type_event(bureau: Bureau, report: Report) -> Event:
    """The report typed by the version that rules its time."""
    version = bureau.version_at(report.time)
    if version is None:
        raise Refused(Finding(message=message("event.no_version", time=report.time.isoformat()), path="/time"))
    event_type = version.rulebook.event_types.get(report.type)
    if event_type is None:
        known = ", ".join(version.rulebook.event_types)
        raise Refused(Finding(message=message("event.unknown_type", type=report.type, known=known), path="/type"))
    return fit(report, event_type)


def book(bureau: Bureau, event: Event) -> date:
    """The booking date of the event's charges."""
    day = bureau.day(event.time)
    if not bureau.calendar.closed(day):
        return day
    version = bureau.version_at(event.time)
    if version is not None and version.rulebook.late == "refuse":
        raise Closed(Finding(message=message("period.closed", day=day), path="/time"))
    booked = bureau.calendar.book(day)
    if booked is None:
        raise Closed(Finding(message=message("period.no_open", day=day), path="/time"))
    return booked


def _strangers(bureau: Bureau, event: Event) -> Iterator[Finding]:
    if event.subject not in bureau.organisation:
        yield Finding(message=message("event.unknown_subject", subject=event.subject), path="/subject")
    for party, codes in event.parties.items():
        for place, code in enumerate(codes):
            if code not in bureau.organisation:
                yield Finding(message=message("event.unknown_subject", subject=code), path=f"/parties/{party}/{place}")


def same_report(bureau: Bureau, known: Recorded, report: Report, version: int) -> bool:
    """Whether a report repeats a recorded event: the same content, typed as it was typed then."""
    event_type = bureau.version(version).rulebook.event_types[known.event.type]
    try:
        again = fit(report, event_type)
    except Refused:
        return False
    return same_content(known.event, again)
