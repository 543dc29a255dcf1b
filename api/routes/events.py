"""Events (考评事件): reported, withdrawn, corrected, read."""

from typing import Annotated, Any, cast

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import PathParameter

from api.answers import Corrected, Posted, Withdrawn, corrected, posted, posted_now, withdrawn
from api.authorization import Caller, caller_of, needs
from api.bodies import EVENT_SIZE, JSON, expect, mapping, read_json
from api.database import borrowed
from api.describing import body
from api.envelopes import MEDIA_TYPE, Envelope, open_envelope
from api.problems import below, language_of
from api.receiving import note, refusal, repetition
from engine.both import Disagreement
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import Report, parse_report
from engine.scalar import Raw, Unfit, text
from ledger.current import get_current
from ledger.firing import Firing, explain_event
from ledger.listing import EntryFilter, list_entries, sees_event
from ledger.reading import EntryView, EventView, Unknown, read_event
from ledger.recording import Recorder

Web = Request[Any, Any, Any]
REASON_LENGTH = 2_000

Source = Annotated[str, PathParameter(description="来源代码 / the source's code")]
Id = Annotated[str, PathParameter(description="事件编号 / the event's id")]


class Reason(msgspec.Struct, kw_only=True):
    """Why an event is withdrawn."""

    reason: str


class Correction(msgspec.Struct, kw_only=True):
    """Why an event is corrected, and what replaces it."""

    reason: str
    event: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """An event and its entries."""

    event: EventView
    entries: tuple[EntryView, ...]


@post("/", guards=[needs("events:write")], request_max_body_size=EVENT_SIZE, operation_class=body("event"))
async def post_event(request: Web) -> Response[Posted]:
    """报送一个事件 / report one event: 201 recorded, 200 the same again."""
    caller = caller_of(request)
    kind = expect(request, JSON, MEDIA_TYPE)
    envelope, seen = Envelope(tree={}), cast(Raw, None)
    try:
        seen = await read_json(request, kind)
        envelope = await read_envelope(seen, kind, caller)
        seen = envelope.tree
        report = parse_report(envelope.tree)
        check_sender(caller, report)
        receipt = await recorder(request).record(report)
    except (Refused, Disagreement, HTTPException) as error:
        outward = envelope.outward(error) if isinstance(error, Refused) else error
        await note([refusal(caller.name, caller.source, seen, outward)])
        raise outward from error
    current = get_current()
    if not receipt.repeated:
        return Response(posted_now(receipt, current.bureau, current.direct), status_code=201)
    await note([repetition(caller.name, report)])
    async with borrowed() as connection:
        return Response(await posted(connection, current.bureau, current.direct, report.key), status_code=200)


@post(
    "/{source:str}/{id:str}/retraction",
    guards=[needs("events:retract")],
    status_code=200,
    request_max_body_size=EVENT_SIZE,
    operation_class=body("reason"),
)
async def retract_event(request: Web, source: Source, id: Id) -> Withdrawn:  # noqa: A002
    """撤回事件 / withdraw an event; repeating it is harmless."""
    caller = caller_of(request)
    caller.check_source(source)
    given = mapping(await read_json(request), ("reason",), ("reason",))
    key = EventKey(source, id)
    await recorder(request).retract(key, read_reason(given["reason"]), caller.name)
    async with borrowed() as connection:
        return await withdrawn(connection, key)


@post(
    "/{source:str}/{id:str}/correction",
    guards=[needs("events:retract")],
    status_code=200,
    request_max_body_size=EVENT_SIZE,
    operation_class=body("correction"),
)
async def correct_event(request: Web, source: Source, id: Id) -> Corrected:  # noqa: A002
    """更正事件 / withdraw an event and record what replaces it, in one."""
    caller = caller_of(request)
    caller.check("events:write")
    caller.check_source(source)
    given = mapping(await read_json(request), ("reason", "event"), ("reason", "event"))
    reason = read_reason(given["reason"])
    key = EventKey(source, id)
    seen = given["event"]
    try:
        seen = own_source(seen, caller)
        report = parse_report(seen)
    except Refused as refused:
        await note([refusal(caller.name, caller.source, seen, refused)])
        raise below(refused, "event") from refused
    check_sender(caller, report)
    try:
        receipt = await recorder(request).correct(key, report, reason, caller.name)
    except Refused as refused:
        await note([refusal(caller.name, caller.source, seen, refused)])
        raise _inside_event(refused) from refused
    if receipt.repeated:
        await note([repetition(caller.name, report)])
    current = get_current()
    async with borrowed() as connection:
        return await corrected(connection, current.bureau, current.direct, key, report.key)


@get("/{source:str}/{id:str}", guards=[needs("events:read")])
async def get_event(request: Web, source: Source, id: Id) -> EventPage:  # noqa: A002
    """事件及其明细 / the event, its state, its entries."""
    sight = caller_of(request).sight
    event = await _seen(request, EventKey(source, id))
    entries, _ = await list_entries(EntryFilter(source=source, event=id, sight=sight), limit=500)
    return EventPage(event=event, entries=tuple(reversed(entries)))


@get("/{source:str}/{id:str}/explanation", guards=[needs("events:read")])
async def explain(request: Web, source: Source, id: Id) -> Firing:  # noqa: A002
    """为什么 / every rule of the event's type: fired or not, each comparison, whom it charged or why nobody."""
    key = EventKey(source, id)
    await _seen(request, key)
    return await explain_event(key, language_of(request), caller_of(request).sight)


async def _seen(request: Web, key: EventKey) -> EventView:
    """The event, where the caller may see it; Unknown otherwise."""
    caller = caller_of(request)
    caller.check_source(key.source)
    event = await read_event(key)
    if not await sees_event(event, caller.sight):
        raise Unknown(Finding(message=message("event.unknown", source=key.source, id=key.id)))
    return event


def recorder(request: Web) -> Recorder:
    """The recorder of this process."""
    found: Recorder = request.app.state.recorder
    return found


async def read_envelope(raw: Raw, kind: str, caller: Caller) -> Envelope:
    """The report as it was sent: by itself or in a CloudEvents envelope."""
    if kind == MEDIA_TYPE:
        return await open_envelope(raw, caller.source)
    return Envelope(tree=own_source(raw, caller))


def own_source(raw: Raw, caller: Caller) -> dict[str, Raw]:
    """The report with the sender's own source where it names none."""
    if not isinstance(raw, dict):
        raise Refused(Finding(message=message("body.mapping")))
    if caller.source is not None and raw.get("source") is None:
        return {**raw, "source": caller.source}
    return raw


def check_sender(caller: Caller, report: Report) -> None:
    """Forbidden where the caller may not report this: another's source, or when it reached us."""
    caller.check_source(report.source)
    if report.recorded_at is not None:
        caller.check("events:backdate")


def read_reason(raw: Raw) -> str:
    """Why somebody does something: some text, not only spaces."""
    try:
        given = text(raw, REASON_LENGTH, 1).strip()
    except Unfit as unfit:
        raise Refused(Finding(path="/reason", message=unfit.expected)) from None
    if not given:
        raise Refused(Finding(path="/reason", message=message("act.reason_missing")))
    return given


def _inside_event(refused: Refused) -> Refused:
    """What is wrong with the replacement stands below ``event``; what names the act itself stays."""
    if any(finding.path.startswith("/event") for finding in refused.findings) or not any(
        finding.path for finding in refused.findings
    ):
        return refused
    return below(refused, "event")


event_routes = Router(
    "/events", route_handlers=[post_event, retract_event, correct_event, get_event, explain], tags=["事件 events"]
)
