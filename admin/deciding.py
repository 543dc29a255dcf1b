"""The form of a decision (复核表): a reviewer chooses what happens to one event, and never an amount.

Three ways: retract the event (撤回), leave a party out of joint liability (排除连带), or correct its fields (更正).
What is sent is turned into the same redress that the interface takes, so that it is read and refused the same way.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from litestar.datastructures import FormMultiDict

from engine.bureau import Bureau
from engine.event import EventKey
from engine.field import EventType, Field
from engine.report import canonical_json
from engine.scalar import Raw
from ledger.current import Connection, get_current
from ledger.reading import EventView
from ledger.redress import Choice

Way = Literal["retract", "exclude", "correct"]
WAYS: tuple[Way, ...] = ("retract", "exclude", "correct")
_ID_LENGTH = 180


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who answers for the event's subject by a relation, and may be left out."""

    relation: str
    subject: str

    @property
    def name(self) -> str:
        """As the form sends it."""
        return f"{self.relation} {self.subject}"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the form is about: an event, what its type may say, and who answers for it.

    ``named`` are all whom each relation names for the event's subject; ``answering`` those of them who were charged.
    """

    event: EventView
    type: EventType | None
    named: Mapping[str, Sequence[str]]
    answering: tuple[Answering, ...]

    @property
    def fields(self) -> list[Field]:
        """The fields that are sent, those that are derived left out."""
        return [] if self.type is None else [each for each in self.type.fields.values() if each.days_late is None]


async def subject_of(connection: Connection, event: EventView) -> Subject:
    """What the form says of an event."""
    bureau = get_current().bureau
    version = bureau.version_at(event.time)
    hops = await _first_hops(connection, event)
    named = {relation: _named(bureau, event, relation, {hop[2] for hop in hops}) for relation in _relations(hops)}
    reached = {(relation, code) for relation, code, _ in hops}
    return Subject(
        event=event,
        type=None if version is None else version.rulebook.event_types.get(event.type),
        named=named,
        answering=tuple(
            Answering(relation=relation, subject=code)
            for relation, codes in named.items()
            for code in codes
            if (relation, code) in reached
        ),
    )


def _relations(hops: Sequence[tuple[str, str, str | None]]) -> list[str]:
    return list(dict.fromkeys(relation for relation, _, _ in hops))


async def _first_hops(connection: Connection, event: EventView) -> list[tuple[str, str, str | None]]:
    """By which relation the event's joint entries first left its subject, to whom, and on which indicator."""
    rows = await connection.fetch(
        "SELECT detail, indicator FROM entry WHERE source = $1 AND event = $2 AND origin_subject = $3 ORDER BY number",
        event.source,
        event.id,
        event.subject,
    )
    paths = [(msgspec.json.decode(row["detail"])["path"], row["indicator"]) for row in rows]
    return [(path[0]["relation"], path[0]["subject"], indicator) for path, indicator in paths if path]


def _named(bureau: Bureau, event: EventView, relation: str, indicators: Collection[str | None]) -> Sequence[str]:
    """Whom the relation names for the event's subject: as the event says, else as the organisation does."""
    if relation in event.parties:
        return event.parties[relation]
    answering, day = bureau.organisation.answering, bureau.day(event.time)
    return sorted({code for each in indicators for code in answering(event.subject, relation, day, each)})


def redress_of(form: FormMultiDict, subject: Subject | None, case: int) -> list[Raw]:
    """The redress that the form asks for, as the interface writes it; none where the case is rejected."""
    way = form.get("way")
    if subject is None or form.get("decision") == "rejected" or way not in WAYS:
        return []
    event = subject.event
    key: dict[str, Raw] = {"source": event.source, "id": event.id}
    if way == "retract":
        return [{"retract": key}]
    changed = _without(form, subject) if way == "exclude" else _with_fields(form, subject)
    return [{"correct": {**key, "event": {**_report(event, case), **changed}}}]


def _report(event: EventView, case: int) -> dict[str, Raw]:
    """The event as it was reported, under an id of its own that names the case."""
    said: dict[str, Raw] = {
        "id": f"{event.id[:_ID_LENGTH]}-R{case}",
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time.isoformat(),
        "matter": event.matter,
        "basis": event.basis,
        "parties": {name: list(codes) for name, codes in event.parties.items()},
        "data": dict(event.data),
    }
    return {name: value for name, value in said.items() if value is not None}


def _without(form: FormMultiDict, subject: Subject) -> dict[str, Raw]:
    """The parties without those who are left out; a relation that names nobody then is written as such."""
    parties: dict[str, Raw] = {name: list(codes) for name, codes in subject.event.parties.items()}
    out = set(form.getall("exclude", []))
    for relation in dict.fromkeys(each.relation for each in subject.answering if each.name in out):
        parties[relation] = [
            code for code in subject.named[relation] if Answering(relation=relation, subject=code).name not in out
        ]
    return {"parties": parties}


def _with_fields(form: FormMultiDict, subject: Subject) -> dict[str, Raw]:
    """The subject, time, matter, basis and fields as they were filled in; what is left empty is left out."""
    said: dict[str, Raw] = {}
    for name in ("subject", "time"):
        said[name] = str(form.get(name) or "").strip()
    for name in ("matter", "basis"):
        said[name] = str(form.get(name) or "").strip() or None
    data: dict[str, Raw] = {}
    for field in subject.fields:
        sent = [str(each) for each in form.getall(f"data.{field.name}", []) if str(each).strip()]
        if sent:
            data[field.name] = list(sent) if field.type == "choices" else sent[0].strip()
    return {**said, "data": data}


def written(value: Any) -> str:
    """A value of an event as a field of the form shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


def token_of(verdict: str, reason: str, redress: Sequence[Raw]) -> str:
    """What was previewed, in short, so that nothing else is confirmed."""
    return hashlib.sha256(canonical_json([verdict, reason, list(redress)])).hexdigest()


def asked_event(values: Mapping[str, Any], choices: Sequence[Choice]) -> EventKey | None:
    """The event that is asked for, else the first that may be chosen."""
    source, _, identity = str(values.get("event") or "").partition("/")
    source, identity = values.get("source") or source, values.get("id") or identity
    if source and identity:
        return EventKey(str(source), str(identity))
    return choices[0].key if choices else None
