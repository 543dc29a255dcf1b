"""Evaluations (试算): what an event would come to, by the rules in force or by the draft; nothing is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Router, post
from litestar.params import FromQuery

from api.answers import Posted, posted, posted_now
from api.authorization import caller_of, needs
from api.bodies import EVENT_SIZE, JSON, expect, read_json
from api.describing import body
from api.envelopes import MEDIA_TYPE
from api.routes.events import check_sender, read_envelope, recorder
from engine.bureau import Bureau
from engine.finding import Refused
from engine.publication import succeed
from engine.report import Report, parse_report
from engine.rulebook import Rulebook
from ledger.current import get_current
from ledger.desk import Desk
from ledger.rehearsal import rehearsing
from rules.document import read_document
from rules.draft import read_draft

Web = Request[Any, Any, Any]

_MOMENT = timedelta(microseconds=1)


@post("/", guards=[needs("events:write")], status_code=200, request_max_body_size=EVENT_SIZE,
      operation_class=body("event"))  # fmt: skip
async def evaluate_event(request: Web, draft: FromQuery[bool] = False) -> Posted:
    """试算一个事件 / the same as posting an event, but nothing is kept; ``draft`` uses the draft rulebook."""
    caller = caller_of(request)
    kind = expect(request, JSON, MEDIA_TYPE)
    envelope = await read_envelope(await read_json(request, kind), kind, caller)
    rulebook = None
    if draft:
        caller.check("rules:read")
        rulebook = read_document(await read_draft()).rulebook
    try:
        report = parse_report(envelope.tree)
        check_sender(caller, report)
        return await _evaluate(request, report, rulebook)
    except Refused as refused:
        raise envelope.outward(refused) from refused


async def _evaluate(request: Web, report: Report, rulebook: Rulebook | None) -> Posted:
    current = get_current()
    async with rehearsing(current) as desk:
        if rulebook is None:
            recorder(request).check(report, desk.bureau)
        else:
            await _rule_by(desk, rulebook, report)
        receipt = await desk.record(report, datetime.now(UTC))
        if receipt.repeated:
            return await posted(desk.connection, desk.bureau, current.direct, report.key)
        return posted_now(receipt, desk.bureau, current.direct)


async def _rule_by(desk: Desk, rulebook: Rulebook, report: Report) -> None:
    """Let the rulebook rule the very instant of the event, and nothing before or after it."""
    ruling = desk.bureau.version_at(report.time)
    bureau = succeed(desk.bureau, msgspec.structs.replace(rulebook, effective=report.time))
    if ruling is not None:
        bureau = _resume(bureau, ruling.rulebook, report.time + _MOMENT)
    await desk.recall_by(bureau)
    desk.bureau = desk.present.bureau = bureau


def _resume(bureau: Bureau, rulebook: Rulebook, instant: datetime) -> Bureau:
    if any(version.effective == instant for version in bureau.versions):
        return bureau
    return succeed(bureau, msgspec.structs.replace(rulebook, effective=instant))


evaluation_routes = Router("/evaluations", route_handlers=[evaluate_event], tags=["事件 events"])
