"""Appeals on pages (申诉): lodged from an entry, answered by the office, withdrawn; the case, and the register of all.

What a reviewer decides is in :mod:`admin.decisions`.
"""

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from admin.appealable import appealable
from admin.audit import names_of
from admin.downloads import download
from admin.guard import NoSubject, NotYours, person_of, signed_in
from admin.office import Office
from admin.page import refuse_page, show
from admin.parties import lodges, party_of, reads_case, reads_every_case
from admin.readers import may_read
from admin.tables import Role
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Unfit
from ledger import appeals
from ledger.appeals import OPEN, Barred, may_withdraw, why_not_answer
from ledger.attachment import LARGEST, MOST, Attachment, check_count, read_attachment
from ledger.cases import AppealFilter, AppealView, list_appeals, read_appeal, read_case, read_file
from ledger.reading import EntryView, Unknown, read_entry, reading, view_entry
from ledger.removals import remove
from ledger.reviewing import VERDICTS, why_barred

Web = Request[Any, Any, Any]

FORM_SIZE = MOST * LARGEST + (1 << 20)
"""Bytes of the form that lodges a case, with its files."""
REASON_LENGTH = 2_000
_PAGE = 50
_STATES = ("open", "lodged", "answered", *VERDICTS, "withdrawn")


def appeal_routes(office: Office) -> Router:
    """``/appeals`` and the pages below it, and the form under an entry."""

    async def lodging(
        request: Web, number: int, status: int = 200, problems: tuple[Finding, ...] = (), reason: str = ""
    ) -> Response[str]:
        entry = await _entry(number)
        person = person_of(request)
        if not may_read(person, entry.subject):
            raise NotYours
        lodged, _ = await list_appeals(AppealFilter(entry=number))
        return await show(
            request,
            office,
            "appeal_form.html",
            status,
            entry=entry,
            names=await names_of(entry.path),
            state=await appealable(person, entry, tuple(lodged)),
            on_behalf=person.subject != entry.subject,
            problems=problems,
            reason=reason,
            most=MOST,
            largest=LARGEST >> 20,
        )

    @get("/audit/entries/{number:int}/appeal", guards=[signed_in()], include_in_schema=False)
    async def lodge_page(request: Web, number: FromPath[int]) -> Response[str]:
        return await lodging(request, number)

    @post(
        "/audit/entries/{number:int}/appeal",
        guards=[signed_in()],
        include_in_schema=False,
        request_max_body_size=FORM_SIZE,
    )
    async def lodge(request: Web, number: FromPath[int]) -> Response[Any]:
        form = await request.form()
        reason = str(form.get("reason") or "").strip()
        if not lodges(person_of(request), (await _entry(number)).subject):
            raise NotYours
        try:
            sent = [each for each in form.getall("attachments", []) if isinstance(each, UploadFile) and each.filename]
            check_count(len(sent))
            files: list[Attachment] = []
            for place, each in enumerate(sent):
                files.append(read_attachment(place, each.filename, await each.read()))
            case = await appeals.lodge(number, given_text(reason), files, party_of(person_of(request)))
        except Refused as refused:
            return await lodging(request, number, 422, refused.findings, reason)
        return Redirect(f"/appeals/{case.number}?done=lodged", status_code=303)

    @get("/appeals", guards=[signed_in()], include_in_schema=False)
    async def register(
        request: Web,
        subject: FromQuery[str] = "",
        period: FromQuery[str] = "",
        before: FromQuery[int | None] = None,
    ) -> Response[str]:
        person = person_of(request)
        whole = reads_every_case(person)
        if not whole and Role.subject not in person.roles:
            raise NotYours
        if not whole and not person.subject:
            raise NoSubject
        standing = request.query_params.get("state", "")
        asked = {"state": standing if standing in _STATES else "", "subject": subject.strip(), "period": period.strip()}
        if not whole:
            asked["subject"] = person.subject
        wanted = AppealFilter(
            state=asked["state"] or None, subject=asked["subject"] or None, period=asked["period"] or None
        )
        found, following = await list_appeals(wanted, before=before, limit=_PAGE)
        return await show(
            request,
            office,
            "appeals.html",
            appeals=found,
            names=await names_of(each.subject for each in found),
            next=following,
            asked=asked,
            whole=whole,
            states=_STATES,
        )

    async def case_page(
        request: Web, number: int, status: int = 200, problems: tuple[Finding, ...] = (), text: str = ""
    ) -> Response[str]:
        case, party = await seen_case(request, number), party_of(person_of(request))
        entry = await _entry(case.entry)
        stands, row = await read_case(number)
        async with reading() as connection:
            barred = await why_barred(connection, stands, row, party)
        codes = {case.subject, *entry.path, *(each.subject for each in case.entries)}
        return await show(
            request,
            office,
            "appeal.html",
            status,
            case=case,
            entry=entry,
            names=await names_of(codes),
            barred=barred,
            can_answer=case.state == "lodged" and why_not_answer(case.subject, case.lodged_by, party) is None,
            can_decide=case.state in OPEN and barred is None,
            can_withdraw=case.state in OPEN and may_withdraw(case.subject, case.lodged_by, party),
            problems=problems,
            text=text,
            done=request.query_params.get("done"),
            left=request.query_params.get("left"),
        )

    @get("/appeals/{number:int}", guards=[signed_in()], include_in_schema=False)
    async def read(request: Web, number: FromPath[int]) -> Response[str]:
        return await case_page(request, number)

    @get("/appeals/{number:int}/attachments/{hash:str}", guards=[signed_in()], include_in_schema=False)
    async def attachment(
        request: Web,
        number: FromPath[int],
        hash: FromPath[str],  # noqa: A002  (as the path calls it)
    ) -> Response[bytes]:
        await seen_case(request, number)
        try:
            return download(await read_file(number, hash))
        except Unknown as unknown:
            raise NotFoundException from unknown

    @post("/appeals/{number:int}/answer", guards=[signed_in(Role.office)], include_in_schema=False)
    async def answer(request: Web, number: FromPath[int]) -> Response[Any]:
        text = str((await request.form()).get("text") or "").strip()
        try:
            await appeals.answer(number, given_text(text), party_of(person_of(request)))
        except Refused as refused:
            return await case_page(request, number, 422, refused.findings, text)
        return Redirect(f"/appeals/{number}?done=answered", status_code=303)

    @post("/appeals/{number:int}/withdrawal", guards=[signed_in()], include_in_schema=False)
    async def withdraw(request: Web, number: FromPath[int]) -> Response[Any]:
        await seen_case(request, number)
        try:
            await appeals.withdraw(number, party_of(person_of(request)))
        except Barred:
            raise NotYours from None
        except Refused as refused:
            return await case_page(request, number, 422, refused.findings)
        return Redirect(f"/appeals/{number}?done=withdrawn", status_code=303)

    @post("/appeals/{number:int}/removal", guards=[signed_in(Role.office)], include_in_schema=False)
    async def take_away(request: Web, number: FromPath[int]) -> Response[Any]:
        form = await request.form()
        act, what = str(form.get("act") or ""), str(form.get("what") or "")
        case = await seen_case(request, number)
        steps = (case.grounds, case.answer, case.decision)
        try:
            if act not in {str(each.act) for each in steps if each is not None}:
                raise NotFoundException
            await remove(int(act), what, str(form.get("reason") or "").strip(), person_of(request).name)
        except Refused as refused:
            return await case_page(request, number, 422, refused.findings)
        return Redirect(f"/appeals/{number}?done=removed", status_code=303)

    return Router(
        "/",
        route_handlers=[
            lodge_page,
            lodge,
            register,
            read,
            attachment,
            answer,
            withdraw,
            take_away,
        ],
        exception_handlers=refuse_page(office),
    )


def given_text(given: str) -> str:
    """What somebody wrote in a form. Refused where that is nothing, or too long."""
    try:
        text = scalar.text(given, REASON_LENGTH)
    except Unfit as unfit:
        raise Refused(Finding(message=unfit.expected)) from None
    if not text:
        raise Refused(Finding(message=message("act.reason_missing")))
    return text


async def _entry(number: int) -> EntryView:
    if not 0 < number < 2**63:
        raise NotFoundException
    try:
        return view_entry(await read_entry(number))
    except Refused as refused:
        raise NotFoundException from refused


async def seen_case(request: Web, number: int) -> AppealView:
    """The case, where the person may see it."""
    if not 0 < number < 2**63:
        raise NotFoundException
    try:
        case = await read_appeal(number)
    except Refused as refused:
        raise NotFoundException from refused
    if not reads_case(person_of(request), case.subject):
        raise NotYours
    return case
