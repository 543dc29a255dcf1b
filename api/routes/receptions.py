"""Reconciliation with sources (对账): what became of what they sent, and statements of what they say that they sent."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Router, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from admin.receptions import Place, ReceptionFilter, ReceptionView, list_receptions, possible
from admin.statements import (
    MOST_IDS,
    Reconciliation,
    StatementFilter,
    StatementView,
    list_statements,
    read_statement,
    reconcile,
)
from admin.tables import Outcome, Role
from api.authorization import Caller, Connection, Forbidden, Guard, caller_of, find_caller, needs
from api.bodies import mapping, read_json
from api.describing import body
from api.paging import read_cursor, read_limit, read_number, write_cursor, wrong_cursor
from api.problems import language_of
from api.routes.organisation import read_day
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import pointer
from engine.scalar import Raw, Unfit
from ledger.current import get_current
from ledger.reading import Unknown

Web = Request[Any, Any, Any]

_T = TypeVar("_T")

STATEMENT_SIZE = 32 << 20
"""Bytes of a statement at most."""
MOST = 2**31 - 1
"""What a statement may count at most, and its highest number."""

From = Annotated[str | None, QueryParameter(name="from", description="含当日 / on or after this day")]
To = Annotated[str | None, QueryParameter(name="to", description="不含当日 / before this day")]


def _reconciles(*roles: Role) -> Guard:
    """A guard: a key that reads or writes events, or a person with one of the roles."""
    of_keys, wanted = needs("events:read", "events:write"), frozenset(str(role) for role in roles)

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        person = (await find_caller(connection)).person
        if person is None:
            await of_keys(connection, handler)
        elif not wanted & person.roles:
            raise Forbidden(message("key.reconciliation"))

    return guard


_reader = _reconciles(Role.office, Role.approver, Role.auditor, Role.integrator)
_stater = _reconciles(Role.office, Role.integrator)


class ReceptionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the log, newest first."""

    items: tuple[ReceptionView, ...]
    next_cursor: str | None


class StatementList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of statements, newest first."""

    items: tuple[StatementView, ...]
    next_cursor: str | None


@get("/receptions", guards=[_reader])
async def get_receptions(
    request: Web,
    source: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    outcome: FromQuery[Outcome | None] = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> ReceptionList:
    """接收记录 / the log of receptions, newest first: what was repeated and what was refused."""
    after = read_cursor(cursor)
    place = None if after is None else Place.read(after)
    if after is not None and place is None:
        raise wrong_cursor()
    wanted = ReceptionFilter(source=_own(caller_of(request), source), day=_read_day(day, "day"), outcome=outcome)
    items, following = await list_receptions(
        wanted, english=language_of(request) == "en", before=place, limit=read_limit(limit)
    )
    return ReceptionList(items=tuple(items), next_cursor=write_cursor(None if following is None else following.write()))


@post(
    "/reconciliations",
    guards=[_stater],
    request_max_body_size=STATEMENT_SIZE,
    operation_class=body("statement"),
)
async def post_reconciliation(request: Web) -> Reconciliation:
    """对账 / what a source says that it sent on a day, held to what is there; the statement is kept."""
    caller = caller_of(request)
    given = mapping(await read_json(request), ("source", "day", "count", "ids"), ("day",))
    if given.get("source") is None and caller.source is None:
        raise Refused(Finding(path="/source", message=message("body.missing", name="source")))
    source = _own(caller, _read(scalar.code, given.get("source") or caller.source, "source"))
    assert source is not None
    day = _day(given["day"])
    if (given.get("count") is None) == (given.get("ids") is None):
        raise Refused(Finding(message=message("statement.count_or_ids")))
    english = language_of(request) == "en"
    if given.get("ids") is not None:
        return await reconcile(source, day, sender=caller.name, english=english, ids=_ids(given["ids"]))
    count = _read(scalar.integer, given["count"], "count")
    if not 0 <= count <= MOST:
        raise Refused(Finding(path="/count", message=message("statement.count", most=MOST)))
    return await reconcile(source, day, sender=caller.name, english=english, stated=count)


@get("/reconciliations", guards=[_reader])
async def get_reconciliations(
    request: Web,
    source: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    start: From = None,
    end: To = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> StatementList:
    """对账单 / statements, newest first; the first of a source and day is the one that counts."""
    first, last = _read_day(start, "from"), _read_day(end, "to")
    on = _read_day(day, "day")
    if on is not None:
        first = on if first is None else max(first, on)
        last = on + timedelta(days=1) if last is None else min(last, on + timedelta(days=1))
    wanted = StatementFilter(source=_own(caller_of(request), source), start=first, end=last)
    before = read_number(cursor)
    items, following = await list_statements(wanted, before=before, limit=read_limit(limit))
    return StatementList(items=tuple(items), next_cursor=write_cursor(following))


@get("/reconciliations/{number:int}", guards=[_reader])
async def get_reconciliation(request: Web, number: FromPath[int]) -> Reconciliation:
    """一份对账单 / a statement with its ids."""
    found = await read_statement(number, english=language_of(request) == "en") if 0 < number <= MOST else None
    if found is None or caller_of(request).source not in (None, found.source):
        raise Unknown(Finding(message=message("statement.unknown", number=number)))
    return found


def _own(caller: Caller, source: str | None) -> str | None:
    """The source that is asked for; of a bound key its own. Forbidden where that is another's."""
    if source is not None:
        caller.check_source(source)
    return source if source is not None else caller.source


def _read_day(raw: Raw, name: str) -> date | None:
    day = read_day(raw, name)
    if day is not None and not possible(day):
        raise Refused(Finding(path=f"/{name}", message=message("query.wrong", name=name)))
    return day


def _day(raw: Raw) -> date:
    day = _read_day(raw, "day")
    assert day is not None
    if day > datetime.now(get_current().timezone).date():
        raise Refused(Finding(path="/day", message=message("statement.ahead")))
    return day


def _ids(raw: Raw) -> list[str]:
    if not isinstance(raw, list) or len(raw) > MOST_IDS:
        raise Refused(Finding(path="/ids", message=message("statement.ids", most=MOST_IDS)))
    findings, ids = list[Finding](), list[str]()
    for place, given in enumerate(raw):
        try:
            ids.append(scalar.identity(given))
        except Unfit as unfit:
            findings.append(Finding(path=pointer("ids", place), message=unfit.expected))
    if findings:
        raise Refused(*findings)
    return ids


def _read(read: Callable[[Raw], _T], raw: Raw, name: str) -> _T:
    try:
        return read(raw)
    except Unfit as unfit:
        raise Refused(Finding(path=f"/{name}", message=unfit.expected)) from None


reception_routes = Router(
    "/",
    route_handlers=[get_receptions, post_reconciliation, get_reconciliations, get_reconciliation],
    tags=["对账 reconciliation"],
)
