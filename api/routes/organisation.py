"""The organisation (组织): subjects and relations, dated, changed all or none."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from litestar import Request, Router, get, put
from litestar.params import FromQuery

from admin.tables import Role
from api.answers import Acted, acted, rehearsed
from api.authorization import Caller, caller_of, needs
from api.bodies import DOCUMENT_SIZE, mapping, read_json
from api.database import borrowed
from api.describing import body
from api.paging import read_cursor, read_limit, write_cursor
from api.problems import pointed
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import pointer
from engine.scalar import Raw, Unfit
from ledger import acts
from ledger.current import get_current
from ledger.desk import Desk, Receipt, open_desk
from ledger.rehearsal import rehearsing
from rules.roster import read_relations, read_subjects

Web = Request[Any, Any, Any]

PREVIEW = "preview"
_OF_SUBJECT = re.compile(r"subjects\[(.+)\]\.(\w+)")
_OF_RELATION = re.compile(r"relations\[(.+)/(.+)/(.+)\]")


class SubjectView(msgspec.Struct, frozen=True, kw_only=True):
    """A subject as it is on a day."""

    code: str
    name: str
    kind: str
    group: str | None
    unit: str | None
    post: str | None


class SubjectList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of subjects, by code."""

    items: tuple[SubjectView, ...]
    next_cursor: str | None


class RelationView(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """For the subject, the relation is ``answers``, on days in [from, to)."""

    subject: str
    relation: str
    answers: str
    indicator: str | None
    start: date | None
    end: date | None


class RelationList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of relations."""

    items: tuple[RelationView, ...]
    next_cursor: str | None


@put("/subjects", guards=[needs("organisation:write")], request_max_body_size=DOCUMENT_SIZE,
     operation_class=body("subjects"))  # fmt: skip
async def put_subjects(request: Web, preview: FromQuery[bool] = False) -> Acted:
    """新增或变更考评对象 / upsert subjects by code, all or none, dated from ``since``."""
    given = mapping(await read_json(request), ("since", "items", "reason"), ("items",))
    since = read_day(given.get("since"), "since") or today()
    try:
        subjects = read_subjects(given["items"], since=since, known=get_current().bureau.organisation.subjects.values())
    except Refused as refused:
        raise inside_items(refused) from refused
    reason = read_reason(given.get("reason"), needed=False)

    async def change(desk: Desk) -> Receipt:
        return await acts.organise(
            since, subjects, (), reason=_reason(reason, preview), actor=caller_of(request).name, desk=desk
        )

    try:
        return await carry_out(change, preview)
    except Refused as refused:
        raise _by_item(refused, given["items"]) from refused


@put("/relations", guards=[needs("organisation:write")], request_max_body_size=DOCUMENT_SIZE,
     operation_class=body("relations"))  # fmt: skip
async def put_relations(request: Web, preview: FromQuery[bool] = False) -> Acted:
    """新增或变更关系 / upsert relations by (subject, relation, answers, indicator, from); ``to`` ends one."""
    given = mapping(await read_json(request), ("items", "reason"), ("items",))
    try:
        relations = read_relations(given["items"])
    except Refused as refused:
        raise inside_items(refused) from refused
    reason = read_reason(given.get("reason"), needed=False)

    async def change(desk: Desk) -> Receipt:
        return await acts.organise(
            today(), (), relations, reason=_reason(reason, preview), actor=caller_of(request).name, desk=desk
        )

    try:
        return await carry_out(change, preview)
    except Refused as refused:
        raise _by_item(refused, given["items"]) from refused


@get("/subjects", guards=[needs("organisation:write", "events:read", "entries:read")])
async def get_subjects(
    request: Web, day: FromQuery[str | None] = None, limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> SubjectList:  # fmt: skip
    """考评对象 / the subjects, as they are on a day (default today)."""
    on, most, after = read_day(day, "day") or today(), read_limit(limit), read_cursor(cursor) or ""
    only = _own_code(caller_of(request))
    async with borrowed() as connection:
        rows = await connection.fetch(
            "SELECT code, name FROM subject WHERE code > $1 AND ($2::text IS NULL OR code = $2) ORDER BY code LIMIT $3",
            after,
            only,
            most + 1,
        )
        await get_current().refresh(connection)
    held = get_current().bureau.organisation.subjects
    items = []
    for row in rows[:most]:
        place = held[row["code"]].on(on)
        items.append(
            SubjectView(
                code=row["code"], name=row["name"], kind=place.kind, group=place.group, unit=place.unit, post=place.post
            )
        )
    return SubjectList(items=tuple(items), next_cursor=write_cursor(items[-1].code if len(rows) > most else None))


@get("/relations", guards=[needs("organisation:write", "events:read", "entries:read")])
async def get_relations(
    request: Web,
    subject: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> RelationList:
    """关系 / the relations, by subject."""
    most, after = read_limit(limit), read_cursor(cursor)
    only = _own_code(caller_of(request))
    try:
        last = msgspec.json.decode(after, type=tuple[str, int]) if after else ("", 0)
    except msgspec.DecodeError:
        raise Refused(Finding(path="/cursor", message=message("query.cursor"))) from None
    async with borrowed() as connection:
        rows = await connection.fetch(
            "SELECT id, subject, relation, answers, indicator, starts, ends FROM relation"
            " WHERE (subject, id) > ($1, $2) AND ($3::text IS NULL OR subject = $3)"
            " AND ($4::text IS NULL OR $4 IN (subject, answers)) ORDER BY subject, id LIMIT $5",
            *last,
            subject,
            only,
            most + 1,
        )
    items = tuple(
        RelationView(
            subject=row["subject"],
            relation=row["relation"],
            answers=row["answers"],
            indicator=row["indicator"],
            start=row["starts"],
            end=row["ends"],
        )
        for row in rows[:most]
    )
    last_row = rows[most - 1] if len(rows) > most else None
    further = None if last_row is None else msgspec.json.encode((last_row["subject"], last_row["id"])).decode()
    return RelationList(items=items, next_cursor=write_cursor(further))


def _own_code(caller: Caller) -> str | None:
    """The one subject of whom a caller reads the organisation: of who is a subject and nothing more, themselves."""
    person = caller.person
    return person.subject if person is not None and person.roles <= {Role.subject} else None


async def carry_out(change: Callable[[Desk], Awaitable[Receipt]], preview: bool) -> Acted:
    """Carry an act out and tell what it changes; with ``preview`` nothing of it is kept."""
    if preview:
        async with rehearsing(get_current()) as rehearsal:
            await change(rehearsal)
            return rehearsed(rehearsal)
    async with open_desk(get_current()) as desk:
        receipt = await change(desk)
        await desk.write()
        return await acted(desk.connection, receipt.number)


def today() -> date:
    """The organisation's date."""
    return datetime.now(get_current().timezone).date()


def read_day(raw: Raw, name: str) -> date | None:
    """A date of a body or a query. Refused where it is none."""
    if raw is None:
        return None
    try:
        return scalar.day(raw)
    except Unfit as unfit:
        raise Refused(Finding(path=f"/{name}", message=unfit.expected)) from None


def read_reason(raw: Raw, *, needed: bool) -> str:
    """Why somebody does something; where it is needed, more than spaces."""
    if raw is None and not needed:
        return ""
    try:
        given = scalar.text(raw, 2_000).strip()
    except Unfit as unfit:
        raise Refused(Finding(path="/reason", message=unfit.expected)) from None
    if needed and not given:
        raise Refused(Finding(path="/reason", message=message("act.reason_missing")))
    return given


def inside_items(refused: Refused) -> Refused:
    """The refusal of a list that stands at ``items``."""
    return type(refused)(
        *(msgspec.structs.replace(each, path="/items" + pointed(each.path)) for each in refused.findings)
    )


def _reason(reason: str, preview: bool) -> str:
    return reason or (PREVIEW if preview else "")


def _by_item(refused: Refused, items: Raw) -> Refused:
    """The refusal, pointing at the items that it is about, where it names them by their codes."""
    return type(refused)(
        *(msgspec.structs.replace(each, path=_item_path(each.path, items)) for each in refused.findings)
    )


def _item_path(path: str, items: Raw) -> str:
    found = _OF_SUBJECT.fullmatch(path)
    if found is not None:
        place = _place(items, {"code": found[1]})
        return path if place is None else pointer("items", place, found[2])
    found = _OF_RELATION.fullmatch(path)
    if found is not None:
        place = _place(items, {"subject": found[1], "relation": found[2], "answers": found[3]})
        return path if place is None else pointer("items", place)
    return path


def _place(items: Raw, wanted: dict[str, str]) -> int | None:
    listed: Sequence[Any] = items if isinstance(items, list) else ()
    return next(
        (place for place, item in enumerate(listed) if all(item.get(key) == value for key, value in wanted.items())),
        None,
    )


organisation_routes = Router(
    "/", route_handlers=[put_subjects, put_relations, get_subjects, get_relations], tags=["组织 organisation"]
)
