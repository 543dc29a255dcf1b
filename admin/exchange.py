"""The page of import and export (导入导出): take files, send one in, see faults or what would change, confirm."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect, Stream

from admin import uploads
from admin.audit import names_of
from admin.comparing import list_versions
from admin.exports import MEDIA, ROSTER, export_events, export_roster, export_rulebook, stamp, template
from admin.guard import person_of, signed_in
from admin.imports import (
    RosterLook,
    RulebookLook,
    import_roster,
    import_rulebook,
    look_at_roster,
    look_at_rulebook,
)
from admin.office import Office
from admin.page import draw, language_of, refuse_page, show
from admin.publishing import Grown
from admin.tables import Role
from admin.uploads import Gone, Sent
from engine.finding import Finding, Refused
from engine.language import Language, message, render
from rules.draft import Stale, read_draft
from rules.exchange import write_csv
from rules.fault import Fault, faults_of
from rules.workbook import BOUNDS, Sheet

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

READERS = (Role.office, Role.approver, Role.auditor)
WHATS = ("rulebook", "organisation")
FORM_SIZE = BOUNDS.bytes + (1 << 20)
_SHOWN = 200
_TRIES = 3


class ConfirmForm(msgspec.Struct):
    """What is confirmed: the draft that is replaced, or the ledger's head and what would follow, and why."""

    draft: str = ""
    head: str = ""
    digest: str = ""
    reason: str = ""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent in: its faults, or what would change."""

    sent: Sent
    faults: tuple[Fault, ...] = ()
    odd: tuple[Fault, ...] = ()
    rulebook: RulebookLook | None = None
    roster: RosterLook | None = None
    again: bool = False


def exchange_routes(office: Office) -> Router:
    """``/desk/exchange`` and the files below it."""

    async def cards(request: Web, status: int = 200, problems: tuple[Finding, ...] = ()) -> Response[str]:
        return await show(
            request,
            office,
            "exchange.html",
            status,
            problems=problems,
            versions=await list_versions(),
            draft=bool((await read_draft()).get("rulebook")),
            today=datetime.now(office.timezone).date(),
            imported=request.query_params.get("imported"),
            act=_number(request.query_params.get("act")),
            largest=BOUNDS.bytes // 1_000_000,
        )

    async def looking(
        request: Web, looked: Looked, status: int = 200, problems: tuple[Finding, ...] = (), reason: str = ""
    ) -> Response[str]:
        return await show(
            request,
            office,
            "exchange_upload.html",
            status,
            sent=looked.sent,
            faults=looked.faults[:_SHOWN],
            more=max(0, len(looked.faults) - _SHOWN),
            count=len(looked.faults),
            odd=looked.odd[:_SHOWN],
            rulebook=looked.rulebook,
            roster=looked.roster,
            again=looked.again,
            problems=problems,
            reason=reason,
            names={**await names_of(_subjects(looked.roster)), **_new_names(looked.roster)},
        )

    @get("/desk/exchange", guards=[signed_in(*READERS)], include_in_schema=False)
    async def exchange_page(request: Web) -> Response[str]:
        return await cards(request)

    @post(
        "/desk/exchange/uploads", guards=[signed_in(Role.office)], include_in_schema=False,
        request_max_body_size=FORM_SIZE, status_code=200,
    )  # fmt: skip
    async def send(request: Web) -> Response[Any]:
        form = await request.form()
        what, given = str(form.get("what") or ""), form.get("file")
        if what not in WHATS or not isinstance(given, UploadFile) or not given.filename:
            return await cards(request, 422, (Finding(message=message("exchange.no_file")),))
        try:
            since = _day(str(form.get("since") or ""), office) if what == "organisation" else None
        except ValueError:
            return await cards(request, 422, (Finding(message=message("exchange.since")),))
        sent = await uploads.keep(person_of(request).name, what, given.filename, await given.read(), since)
        looked = await _look(sent, request)
        return await looking(request, looked, 422 if looked.faults else 200)

    @get("/desk/exchange/uploads/{code:str}", guards=[signed_in(Role.office)], include_in_schema=False)
    async def upload_page(request: Web, code: FromPath[str]) -> Response[str]:
        try:
            sent = await uploads.find(person_of(request).name, code)
        except Gone as gone:
            return await cards(request, 404, gone.findings)
        return await looking(request, await _look(sent, request))

    @get("/desk/exchange/uploads/{code:str}/faults.csv", guards=[signed_in(Role.office)], include_in_schema=False)
    async def faults_table(request: Web, code: FromPath[str]) -> Response[Any]:
        try:
            sent = await uploads.find(person_of(request).name, code)
        except Gone as gone:
            return await cards(request, 404, gone.findings)
        looked, language = await _look(sent, request), language_of(request)
        table = write_csv(faults_sheet((*looked.faults, *looked.odd), language))
        return _file(table, "csv", f"{render(message('exchange.faults'), language)}-{stamp()}.csv")

    @post("/desk/exchange/uploads/{code:str}", guards=[signed_in(Role.office)], include_in_schema=False)
    async def confirm(request: Web, code: FromPath[str], data: Annotated[ConfirmForm, Form]) -> Response[Any]:
        person = person_of(request)
        try:
            sent = await uploads.find(person.name, code)
        except Gone as gone:
            return await cards(request, 404, gone.findings)
        reason = data.reason.strip()
        try:
            if sent.what == "rulebook":
                await import_rulebook(sent.name, sent.content, user=person.name, draft=data.draft, code=code)
                return Redirect("/desk/exchange?imported=rulebook", status_code=303)
            done = await _carry(sent, data, reason, person.name)
        except Gone as gone:
            return await cards(request, 404, gone.findings)
        except Refused as refused:
            status = 409 if isinstance(refused, Stale) else 422
            return await looking(request, await _look(sent, request), status, refused.findings, reason)
        if isinstance(done, RosterLook):
            return await looking(request, Looked(sent=sent, roster=done, again=True), 409, reason=reason)
        return Redirect(f"/desk/exchange?imported=organisation&act={done}", status_code=303)

    @get("/desk/exchange/rulebook", guards=[signed_in(*READERS)], include_in_schema=False)
    async def rulebook_file(
        request: Web, which: FromQuery[str] = "draft", ending: FromQuery[str] = "xlsx"
    ) -> Response[Any]:
        if ending not in ("yaml", "xlsx"):
            raise NotFoundException
        language = language_of(request)
        try:
            data = await export_rulebook(which, "yaml" if ending == "yaml" else "xlsx", language)
        except Refused as refused:
            return await cards(request, 404, refused.findings)
        called = render(
            message("exchange.file.draft" if which == "draft" else "exchange.file.version", number=which), language
        )
        return _file(data, ending, f"{called}-{stamp()}.{ending}")

    @get("/desk/exchange/roster/{what:str}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def roster_file(
        request: Web, what: FromPath[str], ending: FromQuery[str] = "xlsx", day: FromQuery[str] = ""
    ) -> Response[Any]:
        if what not in ROSTER or ending not in MEDIA or (what == "organisation" and ending == "csv"):
            raise NotFoundException
        try:
            on = date.fromisoformat(day) if day else None
        except ValueError:
            return await cards(request, 422, (Finding(message=message("exchange.since")),))
        language = language_of(request)
        data = await export_roster(what, ending, language, on)
        called = render(message(f"exchange.file.{what}"), language)
        return _file(data, ending, f"{called}-{stamp()}.{ending}")

    @get("/desk/exchange/events.csv", guards=[signed_in(*READERS)], include_in_schema=False)
    async def events_file(request: Web) -> Stream:
        language = language_of(request)
        called = f"{render(message('exchange.file.events'), language)}-{stamp()}.csv"
        return Stream(export_events(language), media_type=MEDIA["csv"], headers=_headers(called))

    @get("/desk/exchange/template/{what:str}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def template_file(request: Web, what: FromPath[str]) -> Response[Any]:
        if what not in WHATS:
            raise NotFoundException
        language = language_of(request)
        return _file(template(what, language), "xlsx", f"{render(message(f'exchange.template.{what}'), language)}.xlsx")

    def too_large(request: Web, error: HTTPException) -> Response[Any]:
        if error.status_code != 413:
            return refuse_page(office)[HTTPException](request, error)  # type: ignore[no-any-return]
        said = message("workbook.large", most=f"{BOUNDS.bytes:,}")
        return draw(request, office, "refused.html", 413, reason=said)

    return Router(
        "/",
        route_handlers=[
            exchange_page, send, upload_page, faults_table, confirm, rulebook_file, roster_file, events_file,
            template_file,
        ],
        exception_handlers={**refuse_page(office), HTTPException: too_large},
    )  # fmt: skip


async def _look(sent: Sent, request: Web) -> Looked:
    """What a file that was sent in comes to."""
    user = person_of(request).name
    try:
        if sent.what == "rulebook":
            rulebook = await look_at_rulebook(sent.name, sent.content, language_of(request))
            return Looked(sent=sent, rulebook=rulebook, odd=rulebook.read.odd)
        assert sent.since is not None
        return Looked(sent=sent, roster=await look_at_roster(sent.name, sent.content, sent.since, user))
    except Refused as refused:
        found = faults_of(refused)
        return Looked(
            sent=sent,
            faults=tuple(fault for fault in found if not fault.odd),
            odd=tuple(fault for fault in found if fault.odd),
        )


async def _carry(sent: Sent, data: ConfirmForm, reason: str, user: str) -> int | RosterLook:
    """Carry out what was looked at; where the ledger has grown since and something else would follow, show it again."""
    assert sent.since is not None
    head = data.head
    for _ in range(_TRIES):
        try:
            return await import_roster(
                sent.name, sent.content, sent.since, user=user, reason=reason, head=head, code=sent.code
            )
        except Grown:
            seen = await look_at_roster(sent.name, sent.content, sent.since, user)
            if seen.digest != data.digest:
                return msgspec.structs.replace(seen, again=True)
            head = seen.foreseen.head
    raise Grown(Finding(message=message("publish.grown")))


def faults_sheet(faults: Iterable[Fault], language: Language) -> Sheet:
    """Faults as a table, for whoever mends the file."""
    columns = ("sheet", "row", "cell", "column", "given", "said")
    return Sheet(
        title=render(message("exchange.faults"), language),
        columns=tuple(render(message(f"exchange.fault.{column}"), language) for column in columns),
        rows=tuple(
            (each.sheet, each.row, each.cell, each.column, each.given, render(each.said, language)) for each in faults
        ),
    )


def _file(data: bytes, ending: str, name: str) -> Response[bytes]:
    return Response(data, media_type=MEDIA[ending], headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


def _subjects(roster: RosterLook | None) -> set[str]:
    if roster is None:
        return set()
    found = roster.foreseen
    return {each.subject for held in (found.entries, found.moved, found.events) for each in held}


def _new_names(roster: RosterLook | None) -> dict[str, str]:
    """The names that the file brings."""
    changes = () if roster is None else roster.changes.changes
    return {each.code: each.name for each in changes if each.section == "subjects" and each.name}


def _day(text: str, office: Office) -> date:
    return date.fromisoformat(text) if text.strip() else datetime.now(office.timezone).date()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
