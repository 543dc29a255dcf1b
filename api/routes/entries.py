"""Entries (台账明细): what was posted, and why."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from api.authorization import caller_of, needs
from api.paging import read_limit, read_number, write_cursor
from api.problems import language_of
from api.routes.organisation import read_day
from engine.finding import Finding
from engine.language import message
from ledger.explanation import Explanation, explain_entry
from ledger.listing import EntryFilter, list_entries
from ledger.reading import EntryView, Unknown

Web = Request[Any, Any, Any]

LARGEST = 2**63 - 1

From = Annotated[str | None, QueryParameter(name="from", description="记账日期，含当日 / booked on or after this date")]
To = Annotated[str | None, QueryParameter(name="to", description="记账日期，不含当日 / booked before this date")]
Cause = Annotated[int | None, QueryParameter(description="引起它的事件或管理行为的编号 / the number of what made it")]
SnapshotOf = Annotated[
    int | None,
    QueryParameter(name="snapshot", description="该考评期某号快照所含 / what a snapshot of the period was made of"),
]


class EntryList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries, newest first."""

    items: tuple[EntryView, ...]
    next_cursor: str | None


@get("/", guards=[needs("entries:read")])
async def get_entries(
    request: Web,
    subject: FromQuery[str | None] = None,
    rule: FromQuery[str | None] = None,
    event: FromQuery[str | None] = None,
    source: FromQuery[str | None] = None,
    kind: FromQuery[str | None] = None,
    period: FromQuery[str | None] = None,
    indicator: FromQuery[str | None] = None,
    not_indicator: FromQuery[str | None] = None,
    start: From = None,
    end: To = None,
    cause: Cause = None,
    snapshot: SnapshotOf = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> EntryList:
    """明细列表 / entries, newest first."""
    caller = caller_of(request)
    if source is not None:
        caller.check_source(source)
    wanted = EntryFilter(
        sight=caller.sight,
        subject=subject,
        rule=rule,
        event=event,
        source=source,
        kind=kind,
        period=period,
        indicator=indicator,
        not_indicator=not_indicator,
        cause=None if cause is None else max(-1, min(cause, LARGEST)),
        snapshot=snapshot,
        start=read_day(start, "from"),
        end=read_day(end, "to"),
    )
    items, following = await list_entries(wanted, before=read_number(cursor), limit=read_limit(limit))
    return EntryList(items=tuple(items), next_cursor=write_cursor(following))


@get("/{number:int}", guards=[needs("entries:read")])
async def get_entry(request: Web, number: FromPath[int]) -> Explanation:
    """一条明细与它的说明 / an entry with its explanation."""
    unknown = Unknown(Finding(message=message("ledger.no_entry", number=number)))
    if not 0 < number <= LARGEST:
        raise unknown
    caller = caller_of(request)
    explained = await explain_entry(number, language_of(request), caller.sight)
    entry = explained.entry
    if not caller.sight.sees(entry.source, entry.subject, entry.indicator, entry.version):
        raise unknown
    return explained


entry_routes = Router("/entries", route_handlers=[get_entries, get_entry], tags=["台账 entries"])
