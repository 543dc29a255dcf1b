"""Acts (管理行为): who decided what, when and why, and what it made of the ledger."""

from datetime import datetime, time
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from api.answers import MOST_ENTRIES
from api.authorization import caller_of, needs
from api.paging import read_limit, read_number, write_cursor
from api.routes.entries import LARGEST
from api.routes.organisation import read_day
from engine.finding import Finding
from engine.language import message
from ledger.current import get_current
from ledger.decisions import ActFilter, ActView, count_changes, list_acts, read_act
from ledger.listing import EntryFilter, page_entries
from ledger.reading import EntryView, Unknown, reading

Web = Request[Any, Any, Any]

From = Annotated[str | None, QueryParameter(name="from", description="日期，含当日 / on or after this date")]
To = Annotated[str | None, QueryParameter(name="to", description="日期，不含当日 / before this date")]


class ActList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of acts, newest first."""

    items: tuple[ActView, ...]
    next_cursor: str | None


class ActPage(msgspec.Struct, frozen=True, kw_only=True):
    """An act, how many entries it made (at most 1,000 are counted: 1,001 means more), and the first of them."""

    act: ActView
    changes: int
    entries: tuple[EntryView, ...]


@get("/", guards=[needs("entries:read")])
async def get_acts(
    request: Web,
    kind: FromQuery[str | None] = None,
    actor: FromQuery[str | None] = None,
    start: From = None,
    end: To = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> ActList:
    """管理行为 / acts, newest first."""
    caller_of(request).check_whole()
    wanted = ActFilter(kind=kind, actor=actor, start=_midnight(start, "from"), end=_midnight(end, "to"))
    items, following = await list_acts(wanted, before=read_number(cursor), limit=read_limit(limit))
    return ActList(items=tuple(items), next_cursor=write_cursor(following))


@get("/{number:int}", guards=[needs("entries:read")])
async def get_act(request: Web, number: FromPath[int]) -> ActPage:
    """一项管理行为 / an act, and the entries that it made."""
    caller_of(request).check_whole()
    if not 0 < number <= LARGEST:
        raise Unknown(Finding(message=message("ledger.no_act", number=number)))
    act = await read_act(number)
    async with reading() as connection:
        changes = await count_changes(connection, number)
    made = await page_entries(EntryFilter(cause=number), after=number, limit=MOST_ENTRIES)
    return ActPage(act=act, changes=changes, entries=tuple(reversed(made.items)))


def _midnight(day: str | None, name: str) -> datetime | None:
    """The first instant of a date, where the organisation is."""
    read = read_day(day, name)
    return None if read is None else datetime.combine(read, time(), get_current().timezone)


act_routes = Router("/acts", route_handlers=[get_acts, get_act], tags=["管理行为 acts"])
