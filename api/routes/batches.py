"""Batches (批量报送): many events in one request, each by itself or all or none; as an array or streamed by lines."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.exceptions import HTTPException
from litestar.params import FromQuery

from api.authorization import Caller, caller_of, needs
from api.bodies import DOCUMENT_SIZE, JSON, expect, parse_json
from api.describing import body
from api.envelopes import BATCH_MEDIA_TYPE, MEDIA_TYPE, Envelope
from api.lines import HELD, Cutter, Line
from api.lines import MEDIA_TYPE as LINES
from api.problems import Malformed, Problem, answer, below, language_of, problem_of
from api.receiving import note, refusal, repetition
from api.routes.events import check_sender, read_envelope, recorder
from engine.both import Disagreement
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import Report, parse_report
from engine.scalar import Raw
from ledger.desk import Receipt
from ledger.recording import GROUP, Spoilt

Web = Request[Any, Any, Any]
Refusing = Refused | Disagreement | HTTPException
"""Why one event of a batch is not kept."""

MOST_REFUSED = 10_000
"""Refusals that one answer lists at most; all of them are counted, and noted in the log of receptions."""


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a batch that was not kept: its place, its id where it has one, and why."""

    index: int
    id: str | None
    problem: Problem


class Batch(msgspec.Struct, kw_only=True):
    """What a batch came to. ``refused_count`` counts the refused, also those that are no longer listed."""

    accepted: int = 0
    repeated: int = 0
    refused_count: int = 0
    refused: list[RefusedEvent] = []

    def count(self, receipt: Receipt) -> None:
        """One more that is kept."""
        if receipt.repeated:
            self.repeated += 1
        else:
            self.accepted += 1


class Sent(NamedTuple):
    """An event of a batch that waits to be recorded: as it came, as it was read, and its answer to come."""

    envelope: Envelope
    report: Report
    answer: "asyncio.Future[Receipt]"

    def told(self) -> Receipt | Refusing:
        """What came of it, once it is answered; raises what is nobody's fault."""
        try:
            return self.answer.result()
        except Refused as refused:
            return self.envelope.outward(refused)
        except Disagreement as difference:
            return difference


@post(
    "/batch",
    guards=[needs("events:write")],
    status_code=200,
    request_max_body_size=None,
    operation_class=body("events"),
)
async def post_batch(request: Web, atomic: FromQuery[bool] = False) -> Response[Any]:
    """批量报送 / many events: each by itself, or with ``atomic`` all or none."""
    kind = expect(request, JSON, BATCH_MEDIA_TYPE, LINES)
    each = MEDIA_TYPE if kind == BATCH_MEDIA_TYPE else JSON
    if kind == LINES and not atomic:
        return Response(await _record_lines(request), status_code=200)
    items = await _read_all(request, kind)
    if atomic:
        return await _record_together(request, items, each)
    batch = Batch()
    for first in range(0, len(items), GROUP):
        await _record_some(request, items[first : first + GROUP], each, batch)
    return Response(batch, status_code=200)


async def _record_lines(request: Web) -> Batch:
    """Record line by line as they come in, so many at a time; memory does not grow with their number."""
    batch, waiting, held = Batch(), list[tuple[int, Raw | Malformed]](), 0
    async for line in _lines(request):
        waiting.append((line.place, line.read()))
        held += len(line)
        if len(waiting) >= GROUP or held > HELD:
            await _record_some(request, waiting, JSON, batch)
            waiting, held = [], 0
    await _record_some(request, waiting, JSON, batch)
    return batch


async def _lines(request: Web) -> AsyncIterator[Line]:
    """The lines of the body as it comes in."""
    cutter = Cutter()
    async for chunk in request.stream():
        for line in cutter.feed(chunk):
            yield line
    for line in cutter.close():
        yield line


async def _read_all(request: Web, kind: str) -> list[tuple[int, Raw | Malformed]]:
    """Everything in the body, which is bounded, with its places."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > DOCUMENT_SIZE:
            raise HTTPException(status_code=413)
    if kind == LINES:
        cutter = Cutter()
        return [(line.place, line.read()) for line in (*cutter.feed(bytes(body)), *cutter.close())]
    raw = parse_json(bytes(body))
    if not isinstance(raw, list):
        raise Refused(Finding(message=message("body.array")))
    return list(enumerate(raw))


async def _record_some(request: Web, items: Iterable[tuple[int, Raw | Malformed]], kind: str, batch: Batch) -> None:
    """Record each by itself; they share commits."""
    caller = caller_of(request)
    listed = list(items)
    sent = [await _send(request, caller, raw, kind) for _, raw in listed]
    await asyncio.gather(*(each.answer for each in sent if isinstance(each, Sent)), return_exceptions=True)
    noted = []
    for (place, raw), each in zip(listed, sent, strict=True):
        if isinstance(each, Sent):
            told = each.told()
            if isinstance(told, Receipt):
                batch.count(told)
                if told.repeated:
                    noted.append(repetition(caller.name, each.report))
                continue
        else:
            told = each
        noted.append(refusal(caller.name, caller.source, await _seen(raw, kind, caller), told))
        batch.refused_count += 1
        if len(batch.refused) < MOST_REFUSED:
            problem = problem_of(told, language_of(request))
            batch.refused.append(RefusedEvent(index=place, id=_id_of(raw), problem=problem))
    await note(noted)


async def _send(request: Web, caller: Caller, raw: Raw | Malformed, kind: str) -> Sent | Refusing:
    """Read an event and let it wait to be recorded; or why it is refused at once."""
    try:
        envelope, report = await _read_one(caller, raw, kind)
        return Sent(envelope, report, recorder(request).submit(report))
    except (Refused, Disagreement, HTTPException) as error:
        return error


async def _read_one(caller: Caller, raw: Raw | Malformed, kind: str) -> tuple[Envelope, Report]:
    if isinstance(raw, Malformed):
        raise raw
    envelope = await read_envelope(raw, kind, caller)
    try:
        report = parse_report(envelope.tree)
    except Refused as refused:
        raise envelope.outward(refused) from refused
    check_sender(caller, report)
    return envelope, report


async def _seen(raw: Raw | Malformed, kind: str, caller: Caller) -> Raw:
    """What the log of receptions may know of a report: the tree inside its envelope, as far as it can be read."""
    if isinstance(raw, Malformed):
        return None
    try:
        return (await read_envelope(raw, kind, caller)).tree
    except Refused:
        return raw


async def _record_together(request: Web, items: list[tuple[int, Raw | Malformed]], kind: str) -> Response[Any]:
    """Record all or none; what is wrong with the first that may not be kept is said of its place."""
    caller = caller_of(request)
    read: list[tuple[Envelope, Report]] = []
    for place, raw in items:
        try:
            read.append(await _read_one(caller, raw, kind))
        except (Refused, HTTPException) as error:
            await note([refusal(caller.name, caller.source, await _seen(raw, kind, caller), error)])
            raise (below(error, place) if isinstance(error, Refused) else error) from error
    try:
        receipts = await recorder(request).record_all([report for _, report in read])
    except Spoilt as spoilt:
        cause, (envelope, _) = spoilt.__cause__, read[spoilt.place]
        assert isinstance(cause, (Refused, Disagreement))
        await note([refusal(caller.name, caller.source, envelope.tree, cause)])
        if isinstance(cause, Refused):
            raise below(envelope.outward(cause), items[spoilt.place][0]) from cause
        return answer(request, problem_of(cause, language_of(request), request.url.path), {"retry-after": "1"})
    await note([repetition(caller.name, read[place][1]) for place, each in enumerate(receipts) if each.repeated])
    batch = Batch()
    for receipt in receipts:
        batch.count(receipt)
    return Response(batch, status_code=200)


def _id_of(raw: Raw | Malformed) -> str | None:
    given = raw.get("id") if isinstance(raw, dict) else None
    return given[:200] if isinstance(given, str) else None
