"""Simulations on pages (试算): asking, seeing how far one is, cancelling it, and what it came to.

Whoever reads the whole ledger may try; nothing of it is kept there.
"""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from admin.audit import names_of
from admin.guard import NotYours, person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import READERS
from admin.session import Person
from admin.simulation_book import MOST_ENTRIES, write_book
from admin.tables import Role
from engine.bureau import Bureau
from engine.finding import Finding, Refused
from engine.language import message, render
from engine.period import Period
from ledger import simulations
from ledger.current import get_current
from ledger.reading import Unknown, reading
from ledger.simulated import Simulated, SubjectChange
from ledger.simulation import DRAFT, ask
from ledger.simulations import Run
from ledger.simulator import Busy, simulator
from rules.draft import draft_hash, read_draft

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

LISTED = 50
"""Subjects on one page."""
TOP = 8
"""Who gains and who loses most: so many of each at the head of a result."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENTRIES = 50
"""Entry changes on one page."""
SHOWN = ("changed", "up", "down", "ranks", "tiers", "awards", "all")


class AskForm(msgspec.Struct):
    """What the form that starts a simulation sends. ``start`` is local time, empty for the whole period."""

    period: str = ""
    version: str = DRAFT
    start: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What of a result is shown: which subjects, found by what, from which on; entries of whom and of which rule."""

    show: str = "changed"
    q: str = ""
    at: int = 0
    subject: str = ""
    rule: str = ""
    entries: int = 0

    def query(self, **more: object) -> str:
        """The same in an address, with something else."""
        held = {**msgspec.structs.asdict(self), **more}
        return urlencode(
            {name: value for name, value in held.items() if value and (name, value) != ("show", "changed")}
        )


def simulation_routes(office: Office) -> Router:
    """``/desk/simulations`` and below."""

    async def listing(
        request: Web, form: AskForm, status: int = 200, problems: tuple[Finding, ...] = ()
    ) -> Response[str]:
        async with reading():
            bureau = get_current().bureau
        periods = sorted(bureau.calendar.periods.values(), key=lambda each: (each.start, each.code), reverse=True)
        return await show(
            request,
            office,
            "simulations.html",
            status,
            runs=await simulations.latest(),
            periods=periods,
            titles={each.code: each.title for each in periods},
            versions=[each.number for each in reversed(bureau.versions)],
            drafted=bool((await read_draft()).get("rulebook")),
            form=form,
            chosen=form.period or _latest(periods, datetime.now(office.timezone).date()),
            problems=problems,
        )

    @get("/desk/simulations", guards=[signed_in(*READERS)], include_in_schema=False)
    async def simulations_page(
        request: Web, period: FromQuery[str] = "", version: FromQuery[str] = DRAFT
    ) -> Response[str]:
        start = request.query_params.get("from", "")
        return await listing(request, AskForm(period=period, version=version, start=start))

    @post("/desk/simulations", guards=[signed_in(*READERS)], include_in_schema=False)
    async def begin(request: Web, data: Annotated[AskForm, Form]) -> Response[Any]:
        try:
            question = await ask(data.period, data.version, _local(data.start, office))
            number = await simulator.start(question, person_of(request).name)
        except Busy as busy:
            return await listing(request, data, 429, busy.findings)
        except Refused as refused:
            return await listing(request, data, 422, refused.findings)
        return Redirect(f"/desk/simulations/{number}", status_code=303)

    @get("/desk/simulations/{number:int}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def simulation_page(request: Web, number: FromPath[int]) -> Response[str]:
        run = await _find(number)
        asked = _asked(request)
        more = {} if run.result is None else await _result(run, run.result, asked)
        async with reading():
            period = get_current().bureau.calendar.periods.get(run.period)
        return await show(
            request,
            office,
            "simulation.html",
            run=run,
            result=run.result,
            called=(period and period.title) or run.period,
            asked=asked,
            stale=run.version is None and not run.running and await draft_hash() != run.hash,
            may_end=_may_end(person_of(request), run),
            shown=SHOWN,
            **more,
        )

    @get("/desk/simulations/{number:int}/progress", guards=[signed_in(*READERS)], include_in_schema=False)
    async def progress(request: Web, number: FromPath[int]) -> Mapping[str, Any]:
        try:
            run = await simulations.find(number, whole=False)
        except Unknown:
            return {"running": False}
        stage = render(message(f"simulation.stage.{run.stage}"), language_of(request))
        return {"running": run.running, "stage": stage, "percent": run.percent, "done": run.done, "of": run.of}

    @get("/desk/simulations/{number:int}/workbook", guards=[signed_in(*READERS)], include_in_schema=False)
    async def workbook(request: Web, number: FromPath[int]) -> Response[bytes]:
        run = await _find(number)
        found = run.result
        if found is None:
            raise NotFoundException
        entries, _ = await simulations.entries(number, 0, MOST_ENTRIES)
        names = await names_of({*(each.subject for each in found.subjects), *(each.subject for each in entries)})
        async with reading():
            bureau = get_current().bureau
        period = bureau.calendar.periods.get(run.period)
        called = (period and period.title) or run.period
        written = await to_thread(
            write_book, run, found, entries, called, names, award_titles(bureau), language_of(request)
        )
        headers = {
            "content-disposition": f'attachment; filename="simulation-{number}.xlsx"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return Response(written, media_type=XLSX, headers=headers)

    @post("/desk/simulations/{number:int}/end", guards=[signed_in(*READERS)], include_in_schema=False)
    async def end(request: Web, number: FromPath[int]) -> Response[Any]:
        run = await _find(number)
        if not _may_end(person_of(request), run):
            raise NotYours
        if run.running:
            await simulations.cancel(number)
            return Redirect(f"/desk/simulations/{number}", status_code=303)
        await simulations.remove(number)
        return Redirect("/desk/simulations", status_code=303)

    return Router(
        "/",
        route_handlers=[simulations_page, begin, simulation_page, progress, workbook, end],
        exception_handlers=refuse_page(office),
    )


def _latest(periods: Sequence[Period], today: date) -> str:
    """The latest period that has begun, the shortest of those."""
    begun = [each for each in periods if each.start <= today]
    return max(begun, key=lambda each: (each.start, each.start - each.end), default=periods[0]).code if periods else ""


async def _find(number: int) -> Run:
    try:
        return await simulations.find(number)
    except Unknown as unknown:
        raise NotFoundException from unknown


def _may_end(person: Person, run: Run) -> bool:
    """Whether somebody may cancel or remove it: the office, and whoever started it."""
    return Role.office in person.roles or person.name == run.owner


def _local(text: str, office: Office) -> datetime | None:
    """What was typed as local time. Refused where it is no time."""
    if not text.strip():
        return None
    try:
        typed = datetime.fromisoformat(text.strip())
        return typed.replace(tzinfo=office.timezone) if typed.tzinfo is None else typed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(Finding(path="/from", message=message("simulations.wrong_time"))) from None


def _asked(request: Web) -> Asked:
    given = request.query_params
    numbers = {name: given.get(name, "") for name in ("at", "entries")}
    return Asked(
        show=given["show"] if given.get("show") in SHOWN else "changed",
        q=given.get("q", "").strip()[:64],
        subject=given.get("subject", "").strip()[:64],
        rule=given.get("rule", "").strip()[:64],
        **{
            name: int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
            for name, text in numbers.items()
        },
    )


async def _result(run: Run, found: Simulated, asked: Asked) -> dict[str, Any]:
    """What the page of a result shows of it."""
    names = await names_of(each.subject for each in found.subjects)
    entries, following = await simulations.entries(
        run.id, asked.entries, ENTRIES, subject=asked.subject, rule=asked.rule
    )
    wanted = [each for each in found.subjects if _fits(each, asked, names)]
    async with reading():
        bureau = get_current().bureau
    return {
        "names": names,
        "subjects": wanted[asked.at : asked.at + LISTED],
        "count": len(wanted),
        "listed": LISTED,
        "tops": _tops(found),
        "rules": [each for each in found.rules if each.difference],
        "entries": entries,
        "following": following,
        "titles": {each.rule: each.title for each in found.rules},
        "awards": award_titles(bureau),
        "tiers": any(each.tier_before or each.tier_after for each in found.subjects),
        "ends": _ends(found),
    }


def _tops(found: Simulated) -> list[tuple[str, list[SubjectChange], int]]:
    """Who gains and who loses most, and how many do; nothing where nobody does."""
    moved = [each for each in found.subjects if each.difference]
    up = [each for each in moved if each.difference is not None and each.difference > 0]
    down = [each for each in moved if each.difference is not None and each.difference < 0]
    return [("up", up[:TOP], len(up)), ("down", down[:TOP], len(down))] if moved else []


def award_titles(bureau: Bureau) -> dict[str, str]:
    """What awards are called in any version."""
    return {award.code: award.title for each in bureau.versions for award in each.rulebook.standing.awards}


def _ends(found: Simulated) -> datetime:
    return found.end.astimezone(get_current().timezone)


def _fits(each: SubjectChange, asked: Asked, names: Mapping[str, str]) -> bool:
    """Whether a subject is one of those to be shown."""
    sought = asked.q.casefold()
    if sought and sought not in f"{each.subject}\n{names.get(each.subject, '')}\n{each.group or ''}".casefold():
        return False
    match asked.show:
        case "up" | "down":
            return each.difference is not None and (each.difference > 0 if asked.show == "up" else each.difference < 0)
        case "ranks":
            return each.rank_before != each.rank_after
        case "tiers":
            return each.tier_before != each.tier_after
        case "awards":
            return bool(each.awards_gained or each.awards_lost)
        case "changed":
            return each.changed
    return True
