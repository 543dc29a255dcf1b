"""Periods (考评期): declared, settled, closed, reopened."""

from datetime import date
from typing import Any

import msgspec
from litestar import Request, Router, get, post, put
from litestar.params import FromPath, FromQuery

from api.answers import Acted, acted
from api.authorization import caller_of, needs
from api.bodies import DOCUMENT_SIZE, mapping, read_json
from api.database import borrowed
from api.describing import body
from api.paging import read_cursor, read_limit, write_cursor
from api.routes.organisation import carry_out, inside_items, read_reason
from engine.finding import Refused
from ledger import acts, settling
from ledger.current import get_current
from ledger.desk import Desk, Receipt
from ledger.reading import Unknown
from rules.roster import read_periods

Web = Request[Any, Any, Any]


class PeriodView(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """A period, [from, to)."""

    code: str
    title: str
    kind: str
    start: date
    end: date
    state: str
    appeal_days: int | None


class PeriodList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of periods, by their first day."""

    items: tuple[PeriodView, ...]
    next_cursor: str | None


@get("/", guards=[needs("periods:write", "entries:read")])
async def get_periods(
    kind: FromQuery[str | None] = None, limit: FromQuery[int | None] = None, cursor: FromQuery[str | None] = None
) -> PeriodList:
    """考评期 / the declared periods."""
    most, after = read_limit(limit), read_cursor(cursor)
    async with borrowed() as connection:
        await get_current().refresh(connection)
    held = sorted(get_current().bureau.calendar.periods.values(), key=lambda each: (each.start, each.code))
    wanted = [each for each in held if kind in (None, each.kind)]
    if after is not None:
        wanted = [each for each in wanted if f"{each.start} {each.code}" > after]
    items = tuple(
        PeriodView(
            code=each.code,
            title=each.title,
            kind=each.kind,
            start=each.start,
            end=each.end,
            state=each.state,
            appeal_days=each.days_to_appeal,
        )
        for each in wanted[:most]
    )
    more = f"{items[-1].start} {items[-1].code}" if len(wanted) > most else None
    return PeriodList(items=items, next_cursor=write_cursor(more))


@put("/", guards=[needs("periods:write")], request_max_body_size=DOCUMENT_SIZE, operation_class=body("periods"))
async def put_periods(request: Web, preview: FromQuery[bool] = False) -> Acted:
    """声明考评期 / declare periods, or change title, bounds and days to appeal of open ones."""
    given = mapping(await read_json(request), ("items", "reason"), ("items",))
    try:
        periods = read_periods(_without_state(given["items"]))
    except Refused as refused:
        raise inside_items(refused) from refused
    reason = read_reason(given.get("reason"), needed=False)

    async def change(desk: Desk) -> Receipt:
        return await acts.declare(periods, reason=reason, actor=caller_of(request).name, desk=desk)

    return await carry_out(change, preview)


def _without_state(items: Any) -> Any:
    """The items as they are listed, less their state, which only closing and reopening change."""
    if not isinstance(items, list):
        return items
    return [
        {key: value for key, value in item.items() if key != "state"} if isinstance(item, dict) else item
        for item in items
    ]


@post("/{code:str}/settlement", guards=[needs("periods:write")], status_code=200, operation_class=body("act"))
async def settle_period(request: Web, code: FromPath[str]) -> Acted:
    """结算 / run the period-level rules; may be repeated while the period is open."""
    reason = await _reason_of(request, needed=False)
    await _known(code)
    receipt = await settling.settle(code, reason=reason, actor=caller_of(request).name)
    return await _told(receipt)


@post("/{code:str}/closing", guards=[needs("periods:write")], status_code=200, operation_class=body("act"))
async def close_period(request: Web, code: FromPath[str]) -> Acted:
    """关闭 / freeze the period's figures in a numbered snapshot."""
    reason = await _reason_of(request, needed=False)
    await _known(code)
    receipt = await settling.close(code, reason=reason, actor=caller_of(request).name)
    return await _told(receipt)


@post("/{code:str}/reopening", guards=[needs("periods:write")], status_code=200, operation_class=body("act"))
async def reopen_period(request: Web, code: FromPath[str]) -> Acted:
    """重新打开 / open a closed period again, for a reason; its snapshots stay."""
    reason = await _reason_of(request, needed=True)
    await _known(code)
    receipt = await settling.reopen(code, reason=reason, actor=caller_of(request).name)
    return await _told(receipt)


async def _reason_of(request: Web, *, needed: bool) -> str:
    """The reason that the body gives; where none is needed, neither is a body."""
    if not needed and not await request.body():
        return ""
    given = mapping(await read_json(request), ("reason",))
    return read_reason(given.get("reason"), needed=needed)


async def _known(code: str) -> None:
    """Unknown where there is no such period."""
    async with borrowed() as connection:
        await get_current().refresh(connection)
    try:
        get_current().bureau.calendar.find(code)
    except Refused as refused:
        raise Unknown(*refused.findings) from None


async def _told(receipt: Receipt) -> Acted:
    async with borrowed() as connection:
        return await acted(connection, receipt.number)


period_routes = Router(
    "/periods",
    tags=["考评期 periods"],
    route_handlers=[get_periods, put_periods, settle_period, close_period, reopen_period],
)
