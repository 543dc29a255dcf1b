"""Redress (纠正): what a decision on an appeal does, never by an amount: it retracts events or corrects them.

``{"retract": {source, id}}`` or ``{"correct": {source, id, event: {…}}}``. The replacement is a report like any
other, with an id of its own; leaving a party out of joint liability (排除连带) is a correction with that party
``[]``. A replacement takes the place of what it replaces in the order of events: when the first report reached us
counts for it as well.

For an entry of an event the redress may concern that event, or one that its explanation names: whose room it
found used, whose matter counts instead, whose repetition was counted, whose late arrival caused it, or what corrects
one of these. For an entry of a period it may concern every event booked in that period, or in the one before it of the
same kind, with which progress is measured.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import Report, parse_report, pointer
from engine.scalar import Raw
from ledger.current import Connection, get_current

MOST = 20
"""Events that one decision concerns at most."""
MOST_CHOICES = 50


class Redress(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a decision withdraws, and what replaces it; None: nothing does."""

    key: EventKey
    report: Report | None = None

    def plain(self) -> dict[str, Any]:
        """As the decision's act holds it: which event, and by which it is replaced."""
        named: dict[str, Any] = {"source": self.key.source, "id": self.key.id}
        if self.report is None:
            return {"retract": named}
        return {"correct": {**named, "by": list(self.report.key)}}


def read_redress(raw: Raw) -> tuple[Redress, ...]:
    """The acts that a decision names. Refused with a pointer to each that is wrong."""
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > MOST:
        raise Refused(Finding(path="/acts", message=message("redress.list", most=MOST)))
    read = [_read(place, item) for place, item in enumerate(raw)]
    for place, each in enumerate(read):
        if each.key in {other.key for other in read[:place]}:
            said = message("redress.twice", source=each.key.source, id=each.key.id)
            raise Refused(Finding(path=pointer("acts", place), message=said))
    return tuple(read)


def _read(place: int, raw: Raw) -> Redress:
    wrong = Refused(Finding(path=pointer("acts", place), message=message("redress.kind")))
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise wrong
    ((verb, given),) = raw.items()
    keys = {"retract": {"source", "id"}, "correct": {"source", "id", "event"}}.get(verb)
    if keys is None or not isinstance(given, Mapping) or given.keys() != keys:
        raise wrong
    source, identity = given["source"], given["id"]
    if not isinstance(source, str) or not isinstance(identity, str):
        raise wrong
    key = EventKey(source, identity)
    if verb == "retract":
        return Redress(key=key)
    return Redress(key=key, report=_report(given["event"], key, place))


def _report(raw: Raw, key: EventKey, place: int) -> Report:
    where = pointer("acts", place, "correct", "event")
    own = {"source": key.source, **raw} if isinstance(raw, Mapping) else raw
    try:
        report = parse_report(own)
    except Refused as refused:
        raise Refused(
            *(msgspec.structs.replace(each, path=where + each.path) for each in refused.findings)
        ) from refused
    if report.recorded_at is not None:
        raise Refused(Finding(path=f"{where}/recorded_at", message=message("redress.recorded_at")))
    return report


async def named_events(connection: Connection, entry: Mapping[str, Any]) -> set[EventKey]:
    """The events that redress of an event's entry may concern."""
    detail = msgspec.json.decode(entry["detail"])
    named = {EventKey(entry["source"], entry["event"])}
    used_by: Sequence[Sequence[str]] = [key for held in detail.get("used_by", {}).values() for key in held]
    superseding = detail.get("superseded_by")
    named |= {EventKey(key[0], key[1]) for key in (*used_by, *([superseding] if superseding else ())) if key[0]}
    named |= {EventKey(*step["event"]) for step in detail["arithmetic"] if step.get("event")}
    caused = await connection.fetch(
        """
        SELECT source, id FROM event WHERE number = $1
        UNION ALL
        SELECT e.source, e.id FROM act a JOIN event e ON e.number = (a.content::jsonb ->> 'event')::bigint
        WHERE a.number = $1 AND a.kind IN ('retraction', 'correction')
        """,
        entry["cause"],
    )
    named |= {EventKey(row["source"], row["id"]) for row in caused}
    return named | await _replacements(connection, named)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A standing event that redress may concern."""

    key: EventKey
    subject: str
    booked: date


async def choices(connection: Connection, entry: Mapping[str, Any]) -> list[Choice]:
    """The standing events that redress of an entry may concern, its own first; of a period's entry the latest few."""
    if entry["source"] is None:
        period = get_current().bureau.calendar.find(entry["period"])
        rows = await connection.fetch(
            """
            SELECT e.source, e.id, e.subject, e.booked FROM event e JOIN present_event p ON p.number = e.number
            WHERE e.booked >= $1 AND e.booked < $2 AND e.type = ANY($3) ORDER BY e.number DESC LIMIT $4
            """,
            period.start,
            period.end,
            _measured_types(),
            MOST_CHOICES,
        )
        return [_choice(row) for row in rows]
    named = await named_events(connection, entry)
    rows = await connection.fetch(
        """
        SELECT e.source, e.id, e.subject, e.booked FROM unnest($1::text[], $2::text[]) AS k (source, id)
        JOIN present_event p ON p.source = k.source AND p.id = k.id JOIN event e ON e.number = p.number
        """,
        [key.source for key in named],
        [key.id for key in named],
    )
    own = EventKey(entry["source"], entry["event"])
    return sorted((_choice(row) for row in rows), key=lambda each: (each.key != own, each.key))


def _choice(row: Mapping[str, Any]) -> Choice:
    return Choice(key=EventKey(row["source"], row["id"]), subject=row["subject"], booked=row["booked"])


def _measured_types() -> list[str]:
    """The types of events that measures of the rulebook look at."""
    return sorted(
        {
            indicator.measure.on
            for version in get_current().bureau.versions
            for indicator in version.rulebook.indicators.values()
            if indicator.measure is not None
        }
    )


async def _replacements(connection: Connection, named: set[EventKey]) -> set[EventKey]:
    """What these events were corrected by, and those again."""
    found, asked = set[EventKey](), named
    while asked:
        rows = await connection.fetch(
            """
            SELECT a.content::jsonb -> 'by' ->> 0 AS source, a.content::jsonb -> 'by' ->> 1 AS id
            FROM unnest($1::text[], $2::text[]) AS k (source, id)
            JOIN event e ON e.source = k.source AND e.id = k.id
            JOIN act a ON a.kind = 'correction' AND a.content::jsonb -> 'event' = to_jsonb(e.number)
            """,
            [key.source for key in asked],
            [key.id for key in asked],
        )
        asked = {EventKey(row["source"], row["id"]) for row in rows} - found - named
        found |= asked
    return found


async def is_of_period(connection: Connection, key: EventKey, code: str) -> bool:
    """Whether redress of an entry of the period may concern the event."""
    calendar = get_current().bureau.calendar
    period = calendar.find(code)
    previous = calendar.previous(period)
    booked = await connection.fetchval("SELECT booked FROM event WHERE source = $1 AND id = $2", *key)
    if booked is None:
        return False
    return period.contains(booked) or (previous is not None and previous.contains(booked))
