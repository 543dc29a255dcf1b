"""Hits for the editor (命中): while a rule is typed, which past events it would have hit; its script asks."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, Router, post

from admin.audit import names_of
from admin.guard import signed_in
from admin.office import Office
from admin.page import language_of, refuse_page
from admin.readers import READERS
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Language, Message, message, render
from engine.scalar import Raw, Unfit
from ledger.hits import MONTHS, MOST_MONTHS, Hit, Hits, find_hits, types_of
from rules.draft import read_draft, read_surroundings
from rules.proposal import Proposal, propose, settled_later
from rules.tree import load_json

Web = Request[Any, Any, Any]

LARGEST = 1_000_000
"""Characters of a question."""


class HitView(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the rule would have hit, with its subject's name and the address of its page."""

    source: str
    id: str
    type: str
    time: str
    subject: str
    name: str
    href: str


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the rule, by its path inside it; ``note``: nothing is, but something should be said."""

    path: str
    message: str
    level: str


class HitsView(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; ``unfit``: events that the draft's event type cannot type. ``said`` is the whole in one sentence."""

    checked: int
    hit: int
    unfit: int
    since: str
    capped: bool
    said: str
    events: tuple[HitView, ...]
    findings: tuple[FindingView, ...]


def hits_routes(office: Office) -> Router:
    """``POST /desk/hits``."""

    @post("/desk/hits", guards=[signed_in(*READERS)], status_code=200, request_max_body_size=LARGEST,
          include_in_schema=False)  # fmt: skip
    async def ask(request: Web) -> Response[Any]:
        language = language_of(request)
        try:
            rule, months = _read(await request.body())
        except Refused as refused:
            return Response({"findings": _findings(refused.findings, language)}, status_code=400)
        others = isinstance(rule, dict) and "joint" in rule  # whose charges it takes up
        proposal = propose(await (read_draft() if others else read_surroundings()), rule)
        found = await find_hits(proposal, months)
        return Response(await _view(proposal, found, language), headers={"cache-control": "no-store"})

    return Router("/", route_handlers=[ask], exception_handlers=refuse_page(office))


def _read(body: bytes) -> tuple[Raw, int]:
    given = load_json(body, LARGEST).raw
    if not isinstance(given, dict) or "rule" not in given or not given.keys() <= {"rule", "months"}:
        raise Refused(Finding(message=message("hits.body")))
    try:
        months = MONTHS if given.get("months") is None else scalar.integer(given["months"])
    except Unfit as unfit:
        raise Refused(Finding(path="months", message=unfit.expected)) from None
    if not 1 <= months <= MOST_MONTHS:
        raise Refused(Finding(path="months", message=message("hits.months", most=MOST_MONTHS)))
    return given["rule"], months


async def _view(proposal: Proposal, found: Hits, language: Language) -> HitsView:
    names = await names_of(each.subject for each in found.events)
    findings = _findings(proposal.findings, language)
    if settled_later(proposal.rule):
        findings = (*findings, FindingView(path="", message=render(message("hits.settled"), language), level="note"))
    return HitsView(
        checked=found.checked,
        hit=found.hit,
        unfit=found.unfit,
        since=found.since.isoformat(),
        capped=found.capped,
        said=render(say_hits(proposal, found), language),
        events=tuple(_hit(each, names.get(each.subject, "")) for each in found.events),
        findings=findings,
    )


def say_hits(proposal: Proposal, found: Hits) -> Message:
    """The answer in one sentence."""
    if settled_later(proposal.rule):
        return message("hits.settled")
    if not proposal.judged or not types_of(proposal):
        return message("hits.not_yet")
    key = ("hits.newest" if found.capped else "hits.said") + ("_unfit" if found.unfit else "")
    told = {"unfit": found.unfit} if found.unfit else {}
    return message(key, since=found.since, checked=found.checked, hit=found.hit, **told)


def href_of(source: str, id: str) -> str:  # noqa: A002
    """The page of an event."""
    return f"/audit/events/{quote(source, safe='')}/{quote(id, safe='')}"


def _hit(each: Hit, name: str) -> HitView:
    return HitView(
        source=each.source,
        id=each.id,
        type=each.type,
        time=each.time.isoformat(),
        subject=each.subject,
        name=name,
        href=href_of(each.source, each.id),
    )


def _findings(found: Iterable[Finding], language: Language) -> tuple[FindingView, ...]:
    return tuple(
        FindingView(path=each.path, message=render(each.message, language), level=each.level) for each in found
    )
