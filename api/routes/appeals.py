"""Appeals (申诉与复核) over the interface, and the removal of texts and files. Persons take steps; keys only read."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from admin.downloads import download
from admin.parties import lodges, party_of, reads_case, reads_every_case
from admin.session import Person
from admin.tables import Role
from api.authorization import Caller, Forbidden, caller_of, needs
from api.bodies import mapping, read_json
from api.describing import body
from api.paging import read_limit, read_number, write_cursor
from api.problems import language_of
from api.routes.events import read_reason, recorder
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import message, render
from engine.report import pointer
from engine.scalar import Raw, Unfit
from ledger import appeals
from ledger.attachment import LARGEST, MOST, Attachment, check_count, read_attachment
from ledger.cases import AppealFilter, AppealRow, AppealView, list_appeals, read_appeal, read_file
from ledger.moving import Moved
from ledger.reading import EntryView, Unknown, read_entry
from ledger.redress import read_redress
from ledger.removals import Removed, remove
from ledger.reviewing import VERDICTS, Outcome, Verdict, decide

Web = Request[Any, Any, Any]

BODY_SIZE = MOST * LARGEST * 4 // 3 + (1 << 20)
"""Bytes of a case that is lodged, its attachments in base64."""
LARGEST_NUMBER = 2**63 - 1
State = Annotated[str | None, QueryParameter(name="state", description="open: 未复核的 / those not decided yet")]

STATES = ("open", "lodged", "answered", *VERDICTS, "withdrawn")


class AppealList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of cases, newest first."""

    items: tuple[AppealRow, ...]
    next_cursor: str | None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision came to, or with ``preview`` would come to: the case as it stands then, the entries made.

    ``moved`` is told in a preview; ``left`` is what remains for the office to do.
    """

    appeal: AppealView
    preview: bool
    changes: int
    entries: tuple[EntryView, ...]
    moved: tuple[Moved, ...] | None
    left: str | None


@post("/", guards=[needs()], request_max_body_size=BODY_SIZE, operation_class=body("appeal"))
async def post_appeal(request: Web) -> Response[AppealView]:
    """提出申诉 / appeal an entry, with grounds and attachments."""
    person = _person(caller_of(request))
    given = mapping(
        await read_json(request, largest=BODY_SIZE), ("entry", "reason", "attachments"), ("entry", "reason")
    )
    entry = _entry_number(given["entry"])
    await _check_lodging(person, entry)
    reason, files = read_reason(given["reason"]), _attachments(given.get("attachments"))
    case = await appeals.lodge(entry, reason, files, party_of(person))
    return Response(await read_appeal(case.number), status_code=201)


@get("/", guards=[needs("entries:read")])
async def get_appeals(
    request: Web,
    standing: State = None,
    subject: FromQuery[str | None] = None,
    period: FromQuery[str | None] = None,
    entry: FromQuery[int | None] = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> AppealList:
    """申诉台账 / the register of appeals, newest first."""
    if standing is not None and standing not in STATES:
        raise Refused(Finding(path="/state", message=message("appeal.state_asked")))
    caller = caller_of(request)
    own = None
    if caller.person is not None and not reads_every_case(caller.person):
        if Role.subject not in caller.person.roles:
            raise Forbidden(message("key.own_appeals"))
        own = caller.person.subject
    if own is not None and subject not in (None, own):
        return AppealList(items=(), next_cursor=None)
    wanted = AppealFilter(
        state=standing, subject=subject if own is None else own, period=period, entry=entry, source=caller.source
    )
    items, following = await list_appeals(wanted, before=read_number(cursor), limit=read_limit(limit))
    return AppealList(items=tuple(items), next_cursor=write_cursor(following))


@get("/{number:int}", guards=[needs("entries:read")])
async def get_appeal(request: Web, number: FromPath[int]) -> AppealView:
    """一件申诉 / a case with its steps, attachments, and what its decision did."""
    return await _seen(caller_of(request), number)


@get("/{number:int}/attachments/{hash:str}", guards=[needs("entries:read")])
async def get_attachment(
    request: Web,
    number: FromPath[int],
    hash: FromPath[str],  # noqa: A002  (as the path calls it)
) -> Response[bytes]:
    """附件 / an attachment, to be saved, never to be shown in the browser."""
    await _seen(caller_of(request), number)
    return download(await read_file(number, hash))


@post("/{number:int}/answer", guards=[needs()], status_code=200, operation_class=body("answer"))
async def answer_appeal(request: Web, number: FromPath[int]) -> AppealView:
    """绩效办答复 / the office's statement on a case."""
    caller = caller_of(request)
    person = _person(caller)
    await _seen(caller, number)
    given = mapping(await read_json(request), ("text",), ("text",))
    try:
        text = read_reason(given["text"])
    except Refused as refused:
        raise Refused(*(msgspec.structs.replace(each, path="/text") for each in refused.findings)) from refused
    await appeals.answer(number, text, party_of(person))
    return await read_appeal(number)


@post("/{number:int}/decision", guards=[needs()], status_code=200, operation_class=body("decision"))
async def decide_appeal(request: Web, number: FromPath[int]) -> Decided:
    """复核决定 / a reviewer decides; with ``preview`` everything is computed and nothing kept."""
    caller = caller_of(request)
    person = _person(caller)
    await _seen(caller, number)
    keys = ("decision", "reason", "acts", "preview")
    given = mapping(await read_json(request), keys, ("decision", "reason"))
    verdict = read_verdict(given["decision"])
    preview = given.get("preview") or False
    if not isinstance(preview, bool):
        raise Refused(Finding(path="/preview", message=message("appeal.preview")))
    outcome = await decide(
        number,
        verdict,
        read_reason(given["reason"]),
        read_redress(given.get("acts")),
        party_of(person),
        recorder(request),
        preview=preview,
    )
    return _decided(request, outcome, await read_appeal(number), preview)


@post("/{number:int}/withdrawal", guards=[needs()], status_code=200)
async def withdraw_appeal(request: Web, number: FromPath[int]) -> AppealView:
    """撤回申诉 / withdraw a case before it is decided; repeating it is harmless."""
    caller = caller_of(request)
    person = _person(caller)
    await _seen(caller, number)
    await appeals.withdraw(number, party_of(person))
    return await read_appeal(number)


@post("/{number:int}/removal", guards=[needs()], status_code=200, operation_class=body("removal"))
async def remove_text(request: Web, number: FromPath[int]) -> Removed:
    """依规清除 / remove an act's text, or one of its attachments; the chain holds."""
    person = _person(caller_of(request))
    if Role.office not in person.roles:
        raise Forbidden(message("key.office"))
    if not 0 < number <= LARGEST_NUMBER:
        raise Unknown(Finding(message=message("act.unknown", number=number)))
    given = mapping(await read_json(request), ("reason", "what"), ("reason", "what"))
    what = given["what"]
    return await remove(number, what if isinstance(what, str) else "", read_reason(given["reason"]), person.name)


def read_verdict(raw: Raw) -> Verdict:
    """A decision's word."""
    for verdict in VERDICTS:
        if raw == verdict:
            return verdict
    raise Refused(Finding(path="/decision", message=message("appeal.verdict")))


def _person(caller: Caller) -> Person:
    if caller.person is None:
        raise Forbidden(message("key.appeals"))
    return caller.person


async def _seen(caller: Caller, number: int) -> AppealView:
    """The case, where the caller may see it; Unknown otherwise."""
    unknown = Unknown(Finding(message=message("appeal.unknown", number=number)))
    if not 0 < number <= LARGEST_NUMBER:
        raise unknown
    found = await read_appeal(number)
    seen = caller.source in (None, found.source) if caller.person is None else reads_case(caller.person, found.subject)
    if not seen:
        raise unknown
    return found


async def _check_lodging(person: Person, entry: int) -> None:
    """Another's entry is unknown to a subject, as it is where entries are read."""
    if Role.office in person.roles:
        return
    row = await read_entry(entry)
    if not reads_case(person, row["subject"]):
        raise Unknown(Finding(path="/entry", message=message("ledger.no_entry", number=entry)))
    if not lodges(person, row["subject"]):
        raise Forbidden(message("appeal.not_yours"))


def _entry_number(raw: Raw) -> int:
    try:
        number = scalar.integer(raw)
    except Unfit:
        number = 0
    if not 0 < number <= LARGEST_NUMBER:
        raise Refused(Finding(path="/entry", message=message("appeal.entry_number")))
    return number


def _attachments(raw: Raw) -> list[Attachment]:
    if raw is None:
        return []
    wrong = Refused(Finding(path="/attachments", message=message("appeal.attachments")))
    if not isinstance(raw, list):
        raise wrong
    check_count(len(raw))
    files = []
    for place, item in enumerate(raw):
        if not isinstance(item, Mapping) or item.keys() != {"name", "content"}:
            raise wrong
        files.append(read_attachment(place, item["name"], _decoded(place, item["content"])))
    return files


def _decoded(place: int, raw: Raw) -> bytes:
    try:
        return base64.b64decode(raw if isinstance(raw, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        where = pointer("attachments", place, "content")
        raise Refused(Finding(path=where, message=message("attachment.encoding"))) from None


def _decided(request: Web, outcome: Outcome, appeal: AppealView, preview: bool) -> Decided:
    return Decided(
        appeal=appeal,
        preview=preview,
        changes=outcome.changes,
        entries=outcome.entries,
        moved=outcome.moved if preview else None,
        left=None if outcome.left is None else render(outcome.left, language_of(request)),
    )


appeal_routes = Router(
    "/appeals",
    route_handlers=[
        post_appeal,
        get_appeals,
        get_appeal,
        get_attachment,
        answer_appeal,
        decide_appeal,
        withdraw_appeal,
    ],
    tags=["申诉 appeals"],
)
removal_routes = Router("/acts", route_handlers=[remove_text], tags=["台账 entries"])
