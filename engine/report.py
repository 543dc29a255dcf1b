"""A report of an event (报送): what a sender says, read once at the edge.

The envelope is typed first, so that the sender's source and id are known and a repetition can be
told; the data is typed by the fields of the event's type, which depends on the version in force
at the event's time. Every finding carries a JSON pointer (``/data/level``) and what was expected.
Whether the subjects exist is for the organisation to say.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from engine import scalar
from engine.event import MANUAL, Event, EventKey, Value
from engine.field import EventType, Field
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.scalar import Raw, Unfit

T = TypeVar("T")

_canonical = msgspec.json.Encoder(order="sorted")

KEYS = ("id", "source", "type", "subject", "time", "recorded_at", "matter", "parties", "basis", "data")
MATTER_LENGTH = 200
BASIS_LENGTH = 2_000


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event whose envelope is typed and whose data is not yet."""

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    recorded_at: datetime | None = None
    matter: str | None = None
    parties: Mapping[str, tuple[str, ...]] = {}
    basis: str | None = None
    data: Mapping[str, Raw] = {}

    @property
    def key(self) -> EventKey:
        """The event's identity."""
        return EventKey(self.source, self.id)


def read_report(raw: Raw, find_type: Callable[[Report], EventType | None]) -> Event:
    """The typed event of a report; ``find_type`` knows what its type declares at its time. Refused otherwise."""
    report = parse_report(raw)
    event_type = find_type(report)
    if event_type is None:
        raise Refused(_finding(message("report.type", type=report.type), "type"))
    return fit(report, event_type)


def parse_report(raw: Raw) -> Report:
    """The envelope of a report, typed. Refused with every finding."""
    if not isinstance(raw, Mapping):
        raise Refused(_finding(Unfit("report.mapping", raw).expected))
    reader = _Reader()
    for key in raw:
        if key not in KEYS:
            reader.findings.append(_finding(message("report.key", name=scalar.shown(key), keys=", ".join(KEYS)), key))
    report = Report(
        id=reader.need(scalar.identity, raw.get("id"), "", "id"),
        source=reader.may(scalar.code, raw.get("source"), "source") or MANUAL,
        type=reader.need(scalar.code, raw.get("type"), "", "type"),
        subject=reader.need(scalar.code, raw.get("subject"), "", "subject"),
        time=reader.need(scalar.instant, raw.get("time"), datetime.min.replace(tzinfo=UTC), "time"),
        recorded_at=reader.may(scalar.instant, raw.get("recorded_at"), "recorded_at"),
        matter=reader.may(lambda given: scalar.text(given, MATTER_LENGTH, 1), raw.get("matter"), "matter"),
        parties=reader.parties(raw.get("parties")),
        basis=reader.may(lambda given: scalar.text(given, BASIS_LENGTH, 1), raw.get("basis"), "basis"),
        data=reader.data(raw.get("data")),
    )
    reader.close()
    return report


def fit(report: Report, event_type: EventType) -> Event:
    """The event, its data typed by the fields that its type declares. Refused with every finding."""
    reader = _Reader()
    data: dict[str, Value] = {}
    for name in report.data:
        if name not in event_type.fields:
            known = ", ".join(field.name for field in event_type.fields.values() if field.days_late is None)
            said = message("report.field", field=scalar.shown(name), type=report.type, fields=known or "–")
            reader.findings.append(_finding(said, "data", name))
    for name, field in event_type.fields.items():
        given = report.data.get(name)
        if field.days_late is not None:
            if given is not None:
                reader.findings.append(_finding(message("report.derived", field=name), "data", name))
        elif given is not None:
            value = reader.value(field, given)
            if value is not None:
                data[name] = value
        elif field.required:
            reader.findings.append(_finding(message("report.required", field=name), "data", name))
    reader.close()
    return Event(
        source=report.source,
        id=report.id,
        type=report.type,
        subject=report.subject,
        time=report.time,
        recorded_at=report.recorded_at,
        matter=report.matter,
        parties=report.parties,
        basis=report.basis,
        data=data,
    )


def read_value(field: Field, raw: Raw) -> Value:
    """A value of the field's type; Unfit with what was expected."""
    match field.type:
        case "text":
            return scalar.text(raw)
        case "integer":
            return scalar.integer(raw)
        case "decimal":
            return scalar.number(raw)
        case "boolean":
            return scalar.boolean(raw)
        case "date":
            return scalar.day(raw)
        case "datetime":
            return scalar.instant(raw)
        case "choice":
            return _choice(field, raw)
        case "choices":
            if not isinstance(raw, list):
                raise Unfit("report.choices", raw, choices=", ".join(field.choices))
            return tuple(dict.fromkeys(_choice(field, item) for item in raw))


def _choice(field: Field, raw: Raw) -> str:
    if isinstance(raw, str) and raw in field.choices:
        return raw
    raise Unfit("report.choice", raw, choices=", ".join(field.choices))


def write_event(event: Event) -> dict[str, Any]:
    """The event as a plain tree in canonical form: the same values, the same tree. What is missing is left out."""
    tree: dict[str, Any] = {
        "basis": event.basis,
        "data": {name: write_value(event.data[name]) for name in sorted(event.data)},
        "id": event.id,
        "matter": event.matter,
        "parties": {name: list(event.parties[name]) for name in sorted(event.parties)},
        "recorded_at": None if event.recorded_at is None else scalar.written_instant(event.recorded_at),
        "source": event.source,
        "subject": event.subject,
        "time": scalar.written_instant(event.time),
        "type": event.type,
    }
    return {key: value for key, value in tree.items() if value is not None and value != {}}


def write_value(value: Value) -> Any:
    """A field's value as plain JSON can hold it: decimals and instants as text in their one normal form."""
    if isinstance(value, Decimal):
        return scalar.written_number(value)
    if isinstance(value, datetime):
        return scalar.written_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value


def content_hash(event: Event) -> str:
    """What the event says, as a SHA-256 in hexadecimal; when it reached us is left out of it."""
    return hash_content(write_event(event))


def hash_content(tree: Mapping[str, Any]) -> str:
    """The same of an event's tree."""
    said = {key: value for key, value in tree.items() if key != "recorded_at"}
    return hashlib.sha256(canonical_json(said)).hexdigest()


def canonical_json(tree: Any) -> bytes:
    """The tree's one text: keys in code point order, no spaces, UTF-8."""
    return _canonical.encode(tree)


class _Reader:
    """Reads value by value and keeps every finding."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def close(self) -> None:
        if self.findings:
            raise Refused(*self.findings)

    def need(self, read: Callable[[Raw], T], raw: Raw, instead: T, *path: str | int) -> T:
        try:
            return read(raw)
        except Unfit as unfit:
            self.findings.append(_finding(unfit.expected, *path))
            return instead

    def may(self, read: Callable[[Raw], T], raw: Raw, *path: str | int) -> T | None:
        return None if raw is None else self.need(read, raw, None, *path)

    def value(self, field: Field, raw: Raw) -> Value | None:
        if field.type == "choices" and isinstance(raw, list):
            one = msgspec.structs.replace(field, type="choice")
            read = [
                self.may(lambda item: str(read_value(one, item)), item, "data", field.name, place)
                for place, item in enumerate(raw)
            ]
            return tuple(dict.fromkeys(item for item in read if item is not None))
        return self.may(lambda given: read_value(field, given), raw, "data", field.name)

    def parties(self, raw: Raw) -> dict[str, tuple[str, ...]]:
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            self.findings.append(_finding(Unfit("report.parties", raw).expected, "parties"))
            return {}
        return {
            self.need(scalar.code, name, "", "parties", name): self._party(name, given) for name, given in raw.items()
        }

    def _party(self, name: str, raw: Raw) -> tuple[str, ...]:
        if isinstance(raw, list):
            read = [self.need(scalar.code, item, "", "parties", name, place) for place, item in enumerate(raw)]
            return tuple(dict.fromkeys(read))
        if isinstance(raw, str):
            return (self.need(scalar.code, raw, "", "parties", name),)
        self.findings.append(_finding(Unfit("report.party", raw).expected, "parties", name))
        return ()

    def data(self, raw: Raw) -> Mapping[str, Raw]:
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            self.findings.append(_finding(Unfit("report.data", raw).expected, "data"))
            return {}
        return raw


def _finding(said: Message, *path: str | int) -> Finding:
    return Finding(message=said, path=pointer(*path))


def pointer(*path: str | int) -> str:
    """The JSON pointer of a place; the whole report is the empty pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
