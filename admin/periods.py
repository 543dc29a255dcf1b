"""Periods and standings (考评期与排名): what the office does with a period, and how everybody stands in it."""

from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction
from itertools import groupby
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from admin.audit import names_of
from admin.declaring import missing, periods_of
from admin.guard import NotYours, person_of, signed_in
from admin.office import Office
from admin.owned import owned_figures
from admin.page import refuse_page, show
from admin.readers import READERS, may_read, reads_all, seen_by
from admin.tables import Role
from admin.waterfall import Waterfall, rounded
from engine.comparison import Check
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.period import MOST_APPEAL_DAYS, Period
from engine.rulebook import Rulebook
from engine.standing import Figures, Standing
from ledger import acts, settling
from ledger.current import get_current
from ledger.known_figures import figures_now
from ledger.reading import reading
from ledger.settlements import has_changed, latest_acts, latest_settlement, snapshots_of

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

_SEEING = (*READERS, Role.assessor)
_KINDS = ("month", "quarter", "half", "year")
_ACTIONS = ("settlement", "closing", "reopening", "appeals")
_YEARS = range(2000, 2100)


class YearForm(msgspec.Struct):
    """What the form that declares a year sends."""

    year: str


class ActForm(msgspec.Struct):
    """What the form that settles, closes or reopens sends, or changes the days to appeal (empty: no appeals)."""

    reason: str = ""
    days: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One subject in the ranked list."""

    standing: Standing
    previous: int | None


def period_routes(office: Office) -> Router:
    """``/periods`` and the pages below it."""

    def ahead(period: Period) -> bool:
        return period.last_day >= datetime.now(office.timezone).date()

    async def listing(
        request: Web, status: int = 200, problems: tuple[Finding, ...] = (), year: str = ""
    ) -> Response[str]:
        async with reading() as connection:
            periods = get_current().bureau.calendar.periods
            done = await latest_acts(connection)
        ordered = sorted(periods.values(), key=lambda each: (_place(each.kind), each.start, each.code), reverse=True)
        ordered.sort(key=lambda each: _place(each.kind))
        asked = int(year) if year.isascii() and year.isdigit() and int(year) in _YEARS else None
        wanted = periods_of(asked) if asked is not None else ()
        if year and asked is None:
            problems = (*problems, Finding(message=message("periods.wrong_year")))
        return await show(
            request,
            office,
            "periods.html",
            status,
            kinds=[(kind, list(held)) for kind, held in groupby(ordered, key=lambda each: each.kind)],
            done=done,
            problems=problems,
            asked=asked,
            wanted=wanted,
            missing={each.code for each in missing(wanted, periods)},
            this_year=datetime.now(office.timezone).year,
            declared=request.query_params.get("declared"),
            known_kinds=_KINDS,
        )

    @get("/periods", guards=[signed_in(*_SEEING)], include_in_schema=False)
    async def periods_page(request: Web, declare: FromQuery[str] = "") -> Response[str]:
        seen_by(person_of(request))
        return await listing(request, year=declare.strip())

    @post("/periods", guards=[signed_in(Role.office)], include_in_schema=False)
    async def declare_year(request: Web, data: Annotated[YearForm, Form]) -> Response[Any]:
        if not (data.year.isascii() and data.year.isdigit() and int(data.year) in _YEARS):
            return await listing(request, 422, year=data.year or "?")
        try:
            async with reading():
                declared = get_current().bureau.calendar.periods
            wanted = missing(periods_of(int(data.year)), declared)
            if wanted:
                await acts.declare(wanted, reason="", actor=person_of(request).name)
        except Refused as refused:
            return await listing(request, 422, refused.findings, data.year)
        return Redirect(f"/periods?declared={data.year}", status_code=303)

    @get("/periods/{code:str}", guards=[signed_in(*_SEEING)], include_in_schema=False)
    async def period_page(request: Web, code: FromPath[str], snapshot: FromQuery[int | None] = None) -> Response[str]:
        async with reading() as connection:
            bureau = get_current().bureau
            period = _find(code)
            found, number = await _figures(connection, period, snapshot)
            previous = bureau.calendar.previous(period)
            before = None if previous is None else (await figures_now(connection, bureau, previous))[0]
            settled = await latest_settlement(connection, code)
            frozen = await snapshots_of(connection, code)
        sight = seen_by(person_of(request))
        if sight.partial:
            return await show(
                request,
                office,
                "period_owned.html",
                **await owned_figures(found, settled, sight),
                period=period,
                found=found,
                snapshot=number,
                permanent=None if number is None else f"snapshot={number}",
                frozen=frozen,
                settled=settled,
                said=say_check,
            )
        rulebook = None if found.version is None else bureau.version(found.version).rulebook
        return await show(
            request,
            office,
            "period.html",
            period=period,
            found=found,
            snapshot=number,
            permanent=None if number is None else f"snapshot={number}",
            frozen=frozen,
            groups=_groups(found, before),
            awards={} if rulebook is None else {each.code: each for each in rulebook.standing.awards},
            tiers=bool(rulebook and rulebook.standing.tiers),
            linked=any(each.linkage is not None for each in found.of.values()),
            names=await names_of(found.of),
            previous=previous,
            settled=settled,
            changed=settled is not None and period.state == "open" and has_changed(settled, found, before),
            rules={} if rulebook is None else {each.code: each.title for each in rulebook.rules},
            indicators=_titles(rulebook),
            said=say_check,
            ahead=period.state == "open" and ahead(period),
            done=request.query_params.get("done"),
            known_kinds=_KINDS,
        )

    async def confirming(
        request: Web,
        code: str,
        action: str,
        status: int = 200,
        problems: tuple[Finding, ...] = (),
        reason: str = "",
        days: str | None = None,
    ) -> Response[str]:
        if action not in _ACTIONS:
            raise NotFoundException
        async with reading():
            period = _find(code)
        return await show(
            request,
            office,
            "period_act.html",
            status,
            period=period,
            action=action,
            problems=problems,
            reason=reason,
            days=days if days is not None else "" if period.days_to_appeal is None else str(period.days_to_appeal),
            most=MOST_APPEAL_DAYS,
            ahead=ahead(period),
            possible=(period.state == "closed") == (action == "reopening"),
        )

    @get("/periods/{code:str}/{action:str}", guards=[signed_in(Role.office)], include_in_schema=False)
    async def act_page(request: Web, code: FromPath[str], action: FromPath[str]) -> Response[str]:
        return await confirming(request, code, action)

    @post("/periods/{code:str}/{action:str}", guards=[signed_in(Role.office)], include_in_schema=False)
    async def act(
        request: Web, code: FromPath[str], action: FromPath[str], data: Annotated[ActForm, Form]
    ) -> Response[Any]:
        actor, reason = person_of(request).name, data.reason.strip()
        if action not in _ACTIONS:
            raise NotFoundException
        try:
            if action == "settlement":
                await settling.settle(code, reason=reason, actor=actor)
            elif action == "closing":
                await settling.close(code, reason=reason, actor=actor)
            elif action == "appeals":
                await _let_appeal(code, data.days.strip(), reason, actor)
            else:
                await settling.reopen(code, reason=reason, actor=actor)
        except Refused as refused:
            return await confirming(request, code, action, 422, refused.findings, data.reason, data.days)
        return Redirect(f"/periods/{code}?done={action}", status_code=303)

    @get("/periods/{code:str}/subjects/{subject:str}", guards=[signed_in()], include_in_schema=False)
    async def subject_page(
        request: Web, code: FromPath[str], subject: FromPath[str], snapshot: FromQuery[int | None] = None
    ) -> Response[str]:
        person = person_of(request)
        if not may_read(person, subject):
            raise NotYours
        async with reading() as connection:
            bureau = get_current().bureau
            period = _find(code)
            found, number = await _figures(connection, period, snapshot)
        standing = found.of.get(subject)
        if standing is None:
            raise NotFoundException
        rulebook = None if found.version is None else bureau.version(found.version).rulebook
        titles = _titles(rulebook)
        ranking = found.ranking(subject, () if rulebook is None else rulebook.standing.tiers)
        rivals = () if ranking is None else (*(code for code, _ in ranking.ahead), *ranking.tied)
        return await show(
            request,
            office,
            "subject.html",
            period=period,
            standing=standing,
            snapshot=number,
            permanent=None if number is None else f"snapshot={number}",
            bars=Waterfall(standing, code, titles, number).bars(),
            ranking=ranking,
            titles=titles,
            parts=rulebook is not None and bool(standing.parts),
            rounded=rounded,
            names=await names_of({subject, standing.place.unit or "", *rivals}),
            awards={} if rulebook is None else {each.code: each for each in rulebook.standing.awards},
            whole=reads_all(person),
        )

    return Router(
        "/",
        route_handlers=[periods_page, declare_year, period_page, act_page, act, subject_page],
        exception_handlers=refuse_page(office),
    )


async def _let_appeal(code: str, given: str, reason: str, actor: str) -> None:
    """Change the days in which a period's entries may be appealed; none given: they may not be."""
    if given and not (given.isascii() and given.isdigit() and int(given) <= MOST_APPEAL_DAYS):
        raise Refused(Finding(message=message("roster.appeal_days", most=MOST_APPEAL_DAYS, given=given)))
    async with reading():
        period = _find(code)
    changed = msgspec.structs.replace(period, appeal_days=int(given) if given else None)
    await acts.declare([changed], reason=reason, actor=actor)


def _place(kind: str) -> tuple[int, str]:
    return (_KINDS.index(kind) if kind in _KINDS else len(_KINDS), kind)


def _find(code: str) -> Period:
    try:
        return get_current().bureau.calendar.find(code)
    except Refused as refused:
        raise NotFoundException from refused


async def _figures(connection: Any, period: Period, snapshot: int | None) -> tuple[Figures, int | None]:
    try:
        return await figures_now(connection, get_current().bureau, period, snapshot)
    except Refused as refused:
        raise NotFoundException from refused


def _titles(rulebook: Rulebook | None) -> dict[str, str]:
    return {} if rulebook is None else {code: each.title for code, each in rulebook.indicators.items()}


def _groups(found: Figures, before: Figures | None) -> list[tuple[str, list[Line]]]:
    """The ranked list of every group; those without a group last."""
    held: dict[str, list[Line]] = {}
    for code, standing in found.of.items():
        then = None if before is None else before.of.get(code)
        line = Line(standing=standing, previous=None if then is None else then.rank)
        held.setdefault(standing.place.group or "", []).append(line)
    for members in held.values():
        members.sort(key=lambda line: (line.standing.rank or 10**9, line.standing.subject))
    return sorted(held.items(), key=lambda item: (item[0] == "", item[0]))


def say_check(check: Check) -> Message:
    """What a test found, beside its bound; of a coefficient of variation the root of what was kept."""
    found: str | Message = message("periods.unknown")
    if check.found is not None:
        found = _root(check.found) if check.test.startswith("cv_") else rounded(check.found)
    return message(f"periods.test.{check.test}", found=found, bound=f"{check.bound:f}")


def _root(square: Fraction) -> str:
    context = Context(prec=30)
    ratio = context.divide(Decimal(square.numerator), Decimal(square.denominator))
    return f"{context.sqrt(ratio).quantize(Decimal('0.0001')):f}"
