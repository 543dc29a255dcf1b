"""Simulations (试算): a draft or a version against what is published, on a period's real events; nothing is kept in the
ledger."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath, FromQuery

from admin.readers import reads_all
from api.authorization import Caller, Forbidden, caller_of, needs
from api.bodies import mapping, read_json
from api.describing import body
from api.paging import read_limit, read_number, write_cursor
from api.problems import language_of
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Language, message, render
from engine.scalar import Raw, Unfit
from ledger import simulations
from ledger.simulated import EntryChange, RuleChange, Simulated, SubjectChange
from ledger.simulation import DRAFT, ask
from ledger.simulations import Run
from ledger.simulator import simulator

Web = Request[Any, Any, Any]

PATIENCE = 30
"""Seconds in which the result is the answer itself."""
FIRST_ENTRIES = 50
"""Entry changes that come with a result; the others by pages."""
_WAIT = re.compile(r"\bwait\s*=\s*(\d{1,4})\b")


class UnfitView(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the rulebook cannot type, and why; it counts as not there."""

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    findings: tuple[str, ...]


class ResultView(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation came to: before and after, the largest differences first. ``summary`` says it in words.

    ``replaced`` are the versions in whose place it stands, ``ruled`` counts the events that it rules, ``apart`` the
    subjects whose figures before are not those now shown. Of ``entries`` the first are here.
    """

    summary: str
    remarks: tuple[str, ...]
    length: int
    replaced: tuple[int, ...]
    closed: bool
    snapshot: int | None
    settled: bool
    apart: int
    ruled: int
    added: int
    removed: int
    changed: int
    winners: int
    losers: int
    same: int
    ranks: int
    tiers: int
    awards: int
    seconds: Decimal
    subjects: tuple[SubjectChange, ...]
    rules: tuple[RuleChange, ...]
    unfit_count: int
    unfit: tuple[UnfitView, ...]
    entries: tuple[EntryChange, ...]
    next_cursor: str | None


class SimulationView(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    """A simulation: what was asked, how far it is (``done`` of ``of`` events in a ``stage``), its result once it is
    done. ``state``: running, done, cancelled, failed, lost (whoever ran it ended). ``hash`` is the draft's."""

    id: int
    at: datetime
    owner: str
    period: str
    version: int | str
    start: datetime
    hash: str | None
    state: str
    stage: str
    done: int
    of: int
    result: ResultView | None


class EntryChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the entries that would change, the largest difference first."""

    items: tuple[EntryChange, ...]
    next_cursor: str | None


@post("/", guards=[needs("rules:read")], operation_class=body("simulation"), status_code=200)
async def post_simulation(request: Web) -> Response[SimulationView]:
    """试算 / what the draft or a version would have made of a period; 202 where it takes longer."""
    caller = _whole(request)
    given = mapping(await read_json(request), ("period", "version", "from"), ("period", "version"))
    start = None if given.get("from") is None else _instant(given["from"])
    question = await ask(_text(given["period"], "period"), _version(given["version"]), start)
    number = await simulator.start(question, caller.name)
    await simulator.wait_for(number, _patience(request.headers.get("prefer", "")))
    run = await simulations.find(number)
    where = {"location": f"/api/rulebook/simulation/{number}", "cache-control": "no-store"}
    return Response(await _view(run, language_of(request)), status_code=202 if run.running else 200, headers=where)


@get("/{number:int}", guards=[needs("rules:read")])
async def get_simulation(request: Web, number: FromPath[int]) -> SimulationView:
    """一次试算 / how far a simulation is, and what it came to."""
    _whole(request)
    return await _view(await simulations.find(number), language_of(request))


@get("/{number:int}/entries", guards=[needs("rules:read")])
async def get_simulation_entries(
    request: Web,
    number: FromPath[int],
    subject: FromQuery[str] = "",
    rule: FromQuery[str] = "",
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> EntryChangeList:
    """试算的明细变化 / the entries that would change, the largest difference first."""
    _whole(request)
    most, start = read_limit(limit), min(read_number(cursor) or 0, 2**31 - 1)
    await simulations.find(number, whole=False)
    items, following = await simulations.entries(number, start, most, subject=subject, rule=rule)
    return EntryChangeList(items=tuple(items), next_cursor=write_cursor(following))


@delete("/{number:int}", guards=[needs("rules:read")])
async def delete_simulation(request: Web, number: FromPath[int]) -> None:
    """取消或删除试算 / cancel one that runs; remove one that does not."""
    caller = _whole(request)
    run = await simulations.find(number, whole=False)
    if run.owner != caller.name and "rules:write" not in caller.scopes:
        raise Forbidden(message("simulation.owner"))
    if run.running:
        await simulations.cancel(number)
    else:
        await simulations.remove(number)


def _whole(request: Web) -> Caller:
    """The caller, who sees the whole ledger: a simulation shows everybody's figures."""
    caller = caller_of(request)
    caller.check("rules:read", "entries:read")
    if not caller.sight.whole or (caller.person is not None and not reads_all(caller.person)):
        raise Forbidden(message("simulation.whole"))
    return caller


def _patience(preferred: str) -> int:
    """How long a caller waits (RFC 7240): not at all, so many seconds, or half a minute."""
    if "respond-async" in preferred.lower():
        return 0
    found = _WAIT.search(preferred)
    return PATIENCE if found is None else min(PATIENCE, int(found.group(1)))


async def _view(run: Run, language: Language) -> SimulationView:
    result = None
    if run.result is not None:
        first, following = await simulations.entries(run.id, 0, FIRST_ENTRIES)
        result = _result(run, run.result, first, write_cursor(following), language)
    return SimulationView(
        id=run.id,
        at=run.at,
        owner=run.owner,
        period=run.period,
        version=DRAFT if run.version is None else run.version,
        start=run.starts,
        hash=run.hash if run.version is None else None,
        state=run.state,
        stage=run.stage,
        done=run.done,
        of=run.of,
        result=result,
    )


def _result(
    run: Run, found: Simulated, entries: list[EntryChange], following: str | None, language: Language
) -> ResultView:
    told = {name: getattr(found, name) for name in ResultView.__struct_fields__ if hasattr(found, name)}
    unfit = tuple(
        UnfitView(
            source=each.source,
            id=each.id,
            type=each.type,
            subject=each.subject,
            time=each.time.astimezone(run.at.tzinfo),
            findings=tuple(render(finding.message, language) for finding in each.findings),
        )
        for each in found.unfit
    )
    more = {
        "summary": render(found.said(run.period), language),
        "remarks": tuple(render(said, language) for said in found.remarks),
        "seconds": Decimal(f"{found.seconds:.2f}"),
        "unfit": unfit,
        "entries": tuple(entries),
        "next_cursor": following,
    }
    return ResultView(**{**told, **more})


def _version(raw: Raw) -> str:
    """A version's number as text, or ``draft``."""
    if isinstance(raw, str):
        return raw
    try:
        return str(scalar.integer(raw))
    except Unfit:
        raise Refused(Finding(path="/version", message=message("simulation.version_named"))) from None


def _text(raw: Raw, name: str) -> str:
    try:
        return scalar.text(raw, 64)
    except Unfit as unfit:
        raise Refused(Finding(path=f"/{name}", message=unfit.expected)) from None


def _instant(raw: Raw) -> datetime:
    try:
        return scalar.instant(raw)
    except Unfit as unfit:
        raise Refused(Finding(path="/from", message=unfit.expected)) from None


simulation_routes = Router(
    "/rulebook/simulation",
    tags=["规则 rulebook"],
    route_handlers=[post_simulation, get_simulation, get_simulation_entries, delete_simulation],
)
