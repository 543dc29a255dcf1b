"""The rulebook (考评规则): the version in force, the draft, the way from one to the other."""

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.params import FromPath, FromQuery

from admin.approving import approve, approvers
from admin.changes import replace_draft
from admin.office import Office
from admin.publishing import publish
from admin.session import Person
from admin.tables import Role
from api.answers import Acted, acted, rehearsed
from api.authorization import Caller, Forbidden, caller_of, needs
from api.bodies import DOCUMENT_SIZE, YAML, mapping, read_document, read_json
from api.database import borrowed
from api.describing import body
from api.paging import read_limit, read_number, write_cursor
from api.problems import language_of
from api.routes.organisation import PREVIEW, read_reason
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Language, Message, message, render
from engine.rulebook import Rulebook
from engine.scalar import Raw, Unfit
from ledger.acts import publish_rulebook
from ledger.current import get_current
from ledger.reading import Unknown
from ledger.rehearsal import rehearsing
from rules.checking import CaseResult, run_cases
from rules.comparison import compare
from rules.document import Document as Rules
from rules.document import read_document as read_rules
from rules.draft import Stale, findings, read_draft, tree_hash
from rules.publishing import prepare
from rules.rows import to_json
from rules.sides import DRAFT, NoSide, read_side
from rules.tables import Version
from rules.tree import dump_yaml, load_json

Web = Request[Any, Any, Any]

LARGEST = 2**31 - 1
_OFFSET = re.compile(r" (\d\d:\d\d)$")
"""A plus sign that was not escaped in a query arrives as a space."""


class FindingView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something wrong or odd in a document."""

    level: str
    path: str
    message: str
    line: int | None = None
    column: int | None = None


class DraftHash(msgspec.Struct, frozen=True, kw_only=True):
    """The draft as it now stands, and what was found in it."""

    hash: str
    findings: tuple[FindingView, ...]


class MismatchView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a case expects and that came out differently."""

    step: int
    what: str
    expected: str
    actual: str


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one of the draft's own cases."""

    case: str
    holds: bool
    mismatches: tuple[MismatchView, ...]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The draft checked: findings, and the results of its own cases."""

    hash: str
    holds: bool
    findings: tuple[FindingView, ...]
    cases: tuple[CaseView, ...]


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """Who approved the draft as it stands, and how many must."""

    hash: str
    approved_by: tuple[str, ...]
    needed: int


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A publication (``number`` None: a preview), and what it changes of past events."""

    number: int | None
    effective: datetime
    hash: str
    changed: Acted


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version, without its rules."""

    number: int
    rulebook: str
    effective: datetime
    hash: str
    note: str
    reason: str
    published_by: str
    published_at: datetime
    approved_by: tuple[str, ...]


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of versions, the latest first."""

    items: tuple[VersionView, ...]
    next_cursor: str | None


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs between two versions, in sentences."""

    section: str
    kind: Literal["added", "removed", "changed"]
    code: str
    title: str
    sentences: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True, rename={"old": "from", "new": "to"}):
    """What differs between two versions."""

    old: str
    new: str
    changes: tuple[ChangeView, ...]


# reading


@get("/", guards=[needs("rules:read")])
async def get_rulebook(request: Web, at: FromQuery[str | None] = None) -> Response[Any]:
    """现行规则 / the version in force, now or at an instant."""
    instant = datetime.now(UTC) if at is None else _instant(_OFFSET.sub(r"+\1", at), "at")
    row = (
        await Version.select(Version.number, Version.document, Version.hash)
        .where(Version.effective <= instant)
        .order_by(Version.effective, Version.number, ascending=False)
        .first()
    )
    if row is None:
        raise Unknown(Finding(message=message("version.none")))
    return _document(request, row["document"], row["hash"], row["number"])


@get("/draft", guards=[needs("rules:read")])
async def get_draft(request: Web) -> Response[Any]:
    """草稿 / the draft."""
    caller_of(request).check_draft()
    tree = await read_draft()
    if not tree.get("rulebook"):
        raise Unknown(Finding(message=message("rulebook.no_draft")))
    return _document(request, to_json(tree), tree_hash(tree))


@get("/versions", guards=[needs("rules:read")])
async def get_versions(limit: FromQuery[int | None] = None, cursor: FromQuery[str | None] = None) -> VersionList:
    """版本列表 / the versions, the latest first."""
    most, before = read_limit(limit), read_number(cursor)
    query = Version.select(*(column for column in Version._meta.columns if column._meta.name != "document"))
    if before is not None:
        query = query.where(Version.number < min(before, LARGEST))
    rows = await query.order_by(Version.number, ascending=False).limit(most + 1)
    zone = get_current().timezone
    items = tuple(
        VersionView(
            **{
                **row,
                "effective": row["effective"].astimezone(zone),
                "published_at": row["published_at"].astimezone(zone),
                "approved_by": tuple(row["approved_by"]),
            }
        )
        for row in rows[:most]
    )
    return VersionList(items=items, next_cursor=write_cursor(items[-1].number if len(rows) > most else None))


@get("/versions/{number:int}", guards=[needs("rules:read")])
async def get_version(request: Web, number: FromPath[int]) -> Response[Any]:
    """一个版本 / one version."""
    document, hashed = await _version(number)
    return _document(request, document, hashed, number)


@get("/comparison", guards=[needs("rules:read")])
async def get_comparison(request: Web) -> Comparison:
    """版本对比 / what differs between two versions (numbers, or ``draft``), in sentences."""
    old, new = (request.query_params.get(side) for side in ("from", "to"))
    if DRAFT in (old, new or DRAFT):
        caller_of(request).check_draft()
    try:
        before = None if old is None else (await read_side(old, "/from")).document
        after = (await read_side(new or DRAFT, "/to")).document
    except NoSide as refused:
        raise Unknown(*refused.findings) from refused
    language = language_of(request)
    return Comparison(
        old=old or "",
        new=new or DRAFT,
        changes=tuple(
            ChangeView(
                section=each.section,
                kind=each.kind,
                code=each.code,
                title=each.called(language),
                sentences=tuple(render(said, language) for said in each.sentences),
            )
            for each in compare(before, after)
        ),
    )


# the draft


@put("/draft", guards=[needs("rules:write")], request_max_body_size=DOCUMENT_SIZE, operation_class=body("document"))
async def put_draft(request: Web) -> Response[DraftHash]:
    """替换草稿 / replace the draft with a document; ``If-Match`` where there is one already."""
    given = await read_document(request)
    before = await read_draft()
    expected = request.headers.get("if-match")
    hash_now = tree_hash(before)
    if before.get("rulebook") and expected is None:
        raise Stale(Finding(message=message("rulebook.if_match")))
    if expected is not None and expected.strip() != "*" and hash_now not in _tags(expected):
        raise Stale(Finding(message=message("draft.stale")))
    hashed = await replace_draft(given.raw, caller_of(request).name, replacing=hash_now)
    found = _found(findings(await read_draft()), language_of(request))
    return Response(DraftHash(hash=hashed, findings=found), status_code=200, headers={"etag": f'"{hashed}"'})


@post("/check", guards=[needs("rules:write", "rules:read")], status_code=200)
async def check_draft(request: Web) -> Checked:
    """检查草稿 / findings, and the results of the draft's own cases."""
    caller_of(request).check_draft()
    tree, language = await read_draft(), language_of(request)
    found = findings(tree)
    broken = any(finding.level == "error" for finding in found)
    cases: tuple[CaseView, ...] = ()
    if not broken:
        try:
            results = await asyncio.to_thread(run_cases, read_rules(tree))
        except Refused as refused:
            found, broken = (*found, *refused.findings), True
        else:
            cases = tuple(_case(result, language) for result in results)
    return Checked(
        hash=tree_hash(tree),
        holds=not broken and all(each.holds for each in cases),
        findings=_found(found, language),
        cases=cases,
    )


@post("/approval", guards=[needs()], status_code=200, operation_class=body("hash"))
async def approve_draft(request: Web) -> Approved:
    """审批草稿 / a second person approves the draft as it stands."""
    person = caller_of(request).person
    if person is None or Role.approver not in person.roles:
        raise Forbidden(message("key.person"))
    hashed = _text(mapping(await read_json(request), ("hash",), ("hash",))["hash"], "hash")
    await approve(hashed, person)
    return Approved(hash=hashed, approved_by=await approvers(hashed), needed=office_of(request).approvals)


@post("/publication", guards=[needs("rules:write")], operation_class=body("publication"))
async def publish_draft(request: Web, preview: FromQuery[bool] = False) -> Response[Published]:
    """发布 / freeze the draft as the next version."""
    given = mapping(await read_json(request), ("hash", "effective", "note", "reason"), ("hash", "effective"))
    hashed, effective = _text(given["hash"], "hash"), _instant(given["effective"], "effective")
    note = "" if given.get("note") is None else _text(given["note"], "note")
    reason = read_reason(given.get("reason"), needed=False)
    caller = caller_of(request)
    if preview:
        return Response(await _preview(hashed, effective, reason or PREVIEW, caller), status_code=200)
    made = await publish(office_of(request), hashed, effective, note=note, reason=reason, person=_publisher(caller))
    async with borrowed() as connection:
        changed = await acted(connection, made.act)
    zone = get_current().timezone
    told = Published(number=made.number, effective=made.effective.astimezone(zone), hash=made.hash, changed=changed)
    return Response(told, status_code=201)


async def _preview(hashed: str, effective: datetime, reason: str, caller: Caller) -> Published:
    prepared = await prepare(hashed, effective)
    async with rehearsing(get_current()) as desk:
        made = await publish_rulebook(prepared.rulebook, reason=reason, actor=caller.name, desk=desk)
        return Published(number=None, effective=effective, hash=made.hash, changed=rehearsed(desk))


def office_of(request: Web) -> Office:
    """What this installation asks of a publication."""
    found: Office = request.app.state.office
    return found


def failing_cases(rulebook: Rulebook, cases: Iterable[Raw]) -> tuple[Finding, ...]:
    """The office's own cases of a rulebook that do not hold, or that cannot be read under it."""
    try:
        results = run_cases(Rules(rulebook=rulebook, cases=tuple(cases)))
    except Refused as refused:
        return refused.findings
    found = []
    for place, result in enumerate(results):
        for each in result.mismatches[:1]:
            said = message(
                "rulebook.case_fails",
                name=result.name,
                step=each.step,
                what=each.what,
                expected=each.expected,
                actual=each.actual,
            )
            found.append(Finding(path=f"cases[{place}]", message=said))
    return tuple(found)


def _publisher(caller: Caller) -> Person:
    return caller.person or Person(id=0, name=caller.name, roles=frozenset())


def _document(request: Web, document: str, hashed: str, number: int | None = None) -> Response[Any]:
    """A document as JSON or YAML, with its hash as ETag; nothing where the reader has it already."""
    headers = {"etag": f'"{hashed}"', "vary": "accept"}
    if number is not None:
        headers["x-rulebook-version"] = str(number)
    if hashed in _tags(request.headers.get("if-none-match", "")):
        return Response(None, status_code=304, headers=headers)
    accepted = request.headers.get("accept", "")
    if any(kind in accepted for kind in YAML):
        text = dump_yaml(load_json(document).raw)
        return Response(text.encode(), media_type="application/yaml; charset=utf-8", headers=headers)
    return Response(document.encode(), media_type="application/json", headers=headers)


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]


async def _version(number: int) -> tuple[str, str]:
    row = None
    if 0 < number <= LARGEST:
        row = await Version.select(Version.document, Version.hash).where(Version.number == number).first()
    if row is None:
        raise Unknown(Finding(message=message("version.unknown", number=number)))
    return row["document"], row["hash"]


def _found(given: Iterable[Finding], language: Language) -> tuple[FindingView, ...]:
    return tuple(
        FindingView(
            level=each.level,
            path=each.path,
            message=render(each.message, language),
            line=each.line,
            column=each.column,
        )
        for each in given
    )


def _case(result: CaseResult, language: Language) -> CaseView:
    def side(given: Message | str) -> str:
        return render(given, language) if isinstance(given, Message) else given

    return CaseView(
        case=result.name,
        holds=result.holds,
        mismatches=tuple(
            MismatchView(step=each.step, what=side(each.what), expected=side(each.expected), actual=side(each.actual))
            for each in result.mismatches
        ),
    )


def _instant(raw: Raw, name: str) -> datetime:
    try:
        return scalar.instant(raw)
    except Unfit as unfit:
        raise Refused(Finding(path=f"/{name}", message=unfit.expected)) from None


def _text(raw: Raw, name: str) -> str:
    try:
        return scalar.text(raw, 2_000)
    except Unfit as unfit:
        raise Refused(Finding(path=f"/{name}", message=unfit.expected)) from None


rulebook_routes = Router(
    "/rulebook",
    tags=["规则 rulebook"],
    route_handlers=[
        get_rulebook,
        get_draft,
        get_versions,
        get_version,
        get_comparison,
        put_draft,
        check_draft,
        approve_draft,
        publish_draft,
    ],
)
