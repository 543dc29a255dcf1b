"""Decoding (解码): a reported event straight from its JSON text, for what reads a million of them.

An ordinary report, with nothing wrong in it, is typed in one pass over its bytes by decoders made
once for each event type. Whatever is out of the ordinary goes the long way, by
:mod:`engine.report` and :mod:`engine.admission`, and is read or refused there. Both ways come to
the same event: the short one only takes what the long one would read just so. No number goes
through a float. (A key that stands twice in one object is the sender's mistake; here its last
value counts.)
"""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from engine import scalar
from engine.admission import admit, book
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import MANUAL, Event, Value
from engine.field import EventType, Field
from engine.report import BASIS_LENGTH, MATTER_LENGTH, parse_report
from engine.rulebook import Version
from engine.scalar import Unfit

_MOST = int(scalar.BOUND) - 1


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A report whose data is not read yet."""

    id: str
    type: str
    subject: str
    time: str
    source: str | None = None
    recorded_at: str | None = None
    matter: str | None = None
    parties: dict[str, list[str]] | None = None
    basis: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class Decoder:
    """Reads the reports of one bureau."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._envelopes = msgspec.json.Decoder(_Envelope)
        self._forms: dict[tuple[int, str], _Form] = {}
        self._codes: set[str] = set()

    def decode(self, line: bytes) -> Recorded:
        """The event of a JSON text, admitted. Refused as admission refuses it."""
        try:
            event = self._event(line)
        except (msgspec.ValidationError, Unfit, InvalidOperation):
            return admit(self._bureau, parse_report(json.loads(line, parse_float=Decimal)))
        return Recorded(event=event, booked=book(self._bureau, event))

    def _event(self, line: bytes) -> Event:
        read = self._envelopes.decode(line)
        time = scalar.instant(read.time)
        version = self._bureau.version_at(time)
        if version is None or read.type not in version.rulebook.event_types:
            raise Unfit("report.type", read.type, type=read.type)
        return Event(
            source=MANUAL if read.source is None else self._code(read.source),
            id=_identity(read.id),
            type=read.type,
            subject=self._subject(read.subject),
            time=time,
            recorded_at=None if read.recorded_at is None else scalar.instant(read.recorded_at),
            matter=None if read.matter is None else scalar.text(read.matter, MATTER_LENGTH, 1),
            parties=self._parties(read.parties) if read.parties else {},
            basis=None if read.basis is None else scalar.text(read.basis, BASIS_LENGTH, 1),
            data=self.data(version, read.type, read.data),
        )

    def data(self, version: Version, event_type: str, raw: msgspec.Raw) -> dict[str, Value]:
        """The data of an event of a type that the version declares; an error where it is not what is usually sent."""
        form = self._forms.get((version.number, event_type))
        if form is None:
            form = _Form(version.rulebook.event_types[event_type])
            self._forms[version.number, event_type] = form
        return form.read(raw)

    def _parties(self, given: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
        return {
            self._code(name): tuple(dict.fromkeys(self._subject(code) for code in codes))
            for name, codes in given.items()
        }

    def _subject(self, code: str) -> str:
        if code not in self._bureau.organisation.subjects:
            raise Unfit("scalar.code", code)
        return code

    def _code(self, written: str) -> str:
        """A source or a relation's name. There are few, so that each is looked at once."""
        if written not in self._codes:
            self._codes.add(scalar.code(written))
        return written


def _identity(written: str) -> str:
    if 1 <= len(written) <= 200 and written.isascii() and written.isprintable() and "/" not in written:
        return written
    return scalar.identity(written)


class _Column(NamedTuple):
    """A field as it stands in the data: its name, and what makes it a value once its JSON type is known."""

    name: str
    required: bool
    finish: Callable[[Any], Value | None] | None


class _Form:
    """The data of one event type."""

    def __init__(self, event_type: EventType) -> None:
        fields = [field for field in event_type.fields.values() if field.days_late is None]
        self._columns = [_Column(field.name, field.required, _FINISH.get(field.type)) for field in fields]
        named = {f"f{place}": field for place, field in enumerate(fields)}
        form: type[msgspec.Struct] = msgspec.defstruct(
            "Data",
            [(name, *_json_type(field)) for name, field in named.items()],
            rename={name: field.name for name, field in named.items()},
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decoder = msgspec.json.Decoder(form)

    def read(self, raw: msgspec.Raw) -> dict[str, Value]:
        """The data, typed; Unfit or ValidationError where it is not what is usually sent."""
        data: dict[str, Value] = {}
        for (name, required, finish), given in zip(
            self._columns, msgspec.structs.astuple(self._decoder.decode(raw)), strict=True
        ):
            value = given if finish is None or given is None else finish(given)
            if value is not None:
                data[name] = value
            elif required:
                raise Unfit("report.required", field=name)
        return data


def _json_type(field: Field) -> tuple[Any, Any]:
    """What the field looks like in JSON, and what stands for it where it is missing."""
    match field.type:
        case "integer":
            return Annotated[int, msgspec.Meta(ge=-_MOST, le=_MOST)] | None, None
        case "decimal":
            return msgspec.Raw, msgspec.Raw(b"null")
        case "boolean":
            return bool | None, None
        case "date":
            return date | None, None
        case "choice":
            return Literal[tuple(field.choices)] | None, None
        case "choices":
            return list[Literal[tuple(field.choices)]] | None, None  # type: ignore[misc]
        case "text" | "datetime":
            return str | None, None


def _number(raw: msgspec.Raw) -> Decimal | None:
    """A decimal, written as a JSON number or as a text, from its digits."""
    written = str(memoryview(raw), "utf-8")
    if written == "null":
        return None
    return scalar.number(msgspec.json.decode(raw, type=str) if written.startswith('"') else written)


_FINISH: dict[str, Callable[[Any], Value | None]] = {
    "text": scalar.text,
    "choices": lambda listed: tuple(dict.fromkeys(listed)),
    "datetime": scalar.instant,
    "decimal": _number,
}
