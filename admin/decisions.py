"""Decisions on pages (复核): a reviewer chooses, sees everything that would follow, and only then confirms.

What is confirmed is what was previewed: the page carries a digest of it, and anything else is previewed again.
"""

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from admin.appeals import given_text, seen_case
from admin.audit import names_of
from admin.deciding import Subject, asked_event, redress_of, subject_of, token_of, written
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import refuse_page, show
from admin.parties import party_of
from admin.tables import Role
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from ledger.appeals import OPEN
from ledger.cases import read_case
from ledger.reading import read_event, reading
from ledger.recording import Recorder
from ledger.redress import choices, read_redress
from ledger.reviewing import VERDICTS, Outcome, decide, why_barred

Web = Request[Any, Any, Any]


def decision_routes(office: Office) -> Router:
    """``/appeals/{number}/decision``."""

    async def deciding(
        request: Web, number: int, status: int = 200, problems: tuple[Finding, ...] = (), outcome: Outcome | None = None
    ) -> Response[str]:
        case = await seen_case(request, number)
        stands, row = await read_case(number)
        form = await request.form() if request.method == "POST" else None
        async with reading() as connection:
            barred = await why_barred(connection, stands, row, party_of(person_of(request)))
            offered = await choices(connection, row)
        asked = asked_event(form or request.query_params, offered)
        subject = None
        if asked is not None:
            try:
                subject = await _subject(asked)
            except Refused as refused:
                problems = (*problems, *refused.findings)
        concerned = {each.subject for each in offered}
        moved = () if outcome is None else outcome.moved
        codes = {case.subject, *concerned, *(each.subject for each in moved)}
        codes |= set() if outcome is None else {each.subject for each in outcome.entries}
        codes |= set() if subject is None else {each.subject for each in subject.answering} | {subject.event.subject}
        redress = [] if form is None else redress_of(form, subject, number)
        return await show(
            request,
            office,
            "decision.html",
            status,
            case=case,
            barred=barred,
            possible=case.state in OPEN and barred is None,
            offered=offered,
            subject=subject,
            form=form,
            sent={} if form is None else {key: form.getall(key, []) for key in form},
            written=written,
            outcome=outcome,
            token=None if form is None else token_of(_verdict(form), str(form.get("reason") or "").strip(), redress),
            verdicts=VERDICTS,
            names=await names_of(codes),
            problems=problems,
        )

    @get("/appeals/{number:int}/decision", guards=[signed_in(Role.approver)], include_in_schema=False)
    async def decision_page(request: Web, number: FromPath[int]) -> Response[str]:
        return await deciding(request, number)

    @post("/appeals/{number:int}/decision", guards=[signed_in(Role.approver)], include_in_schema=False)
    async def take_decision(request: Web, number: FromPath[int]) -> Response[Any]:
        form = await request.form()
        await seen_case(request, number)
        verdict, reason = _verdict(form), str(form.get("reason") or "").strip()
        recorder: Recorder = request.app.state.recorder
        try:
            asked = asked_event(form, ())
            subject = None if asked is None else await _subject(asked)
            redress = redress_of(form, subject, number)
            confirmed = form.get("step") == "confirm" and form.get("previewed") == token_of(verdict, reason, redress)
            if verdict not in VERDICTS:
                raise Refused(Finding(message=message("appeals.choose_verdict")))
            outcome = await decide(
                number,
                verdict,
                given_text(reason),
                read_redress(redress),
                party_of(person_of(request)),
                recorder,
                preview=not confirmed,
            )
        except Refused as refused:
            return await deciding(request, number, 422, refused.findings)
        if not confirmed:
            return await deciding(request, number, outcome=outcome)
        left = "" if outcome.left is None else f"&left={outcome.left.key.rsplit('.', 1)[1]}"
        return Redirect(f"/appeals/{number}?done=decided{left}", status_code=303)

    return Router("/", route_handlers=[decision_page, take_decision], exception_handlers=refuse_page(office))


async def _subject(asked: EventKey) -> Subject:
    event = await read_event(asked)
    async with reading() as connection:
        return await subject_of(connection, event)


def _verdict(form: Any) -> Any:
    return str(form.get("decision") or "")
