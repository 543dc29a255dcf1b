"""A rule's cases (规则的用例): a fragment under the editor, the cases that hit the rule and those that miss it.

Hitting: the rule charges somebody in the case. Missing: an event of its type is in the case, or, of a rule that is
judged when a period is settled, a settlement, and it charges nobody. Where a kind is missing it is said how to make
one, with the newest events that would be one.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from admin.audit import names_of
from admin.guard import signed_in
from admin.hits import href_of
from admin.office import Office
from admin.page import refuse_page, show
from admin.readers import READERS
from admin.tracing import AT_LENGTH, Kept, run_kept
from engine.scalar import Raw
from ledger.hits import Hit, find_hits, types_of
from rules.draft import read_draft
from rules.kept_cases import cases_of, key_of
from rules.proposal import Proposal, propose, settled_later
from rules.rows import Document

Web = Request[Any, Any, Any]

SHOWN = 20
"""Cases of each kind that are listed."""
SUGGESTED = 3
LONGEST = 0.7
"""Seconds for which the ledger is looked through for suggestions."""


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A past event that would be a case of the kind that is missing."""

    event: Hit
    name: str
    href: str
    make: str


def rule_case_routes(office: Office) -> Router:
    """``/desk/rules/{code}/cases``."""

    @get("/desk/rules/{code:str}/cases", guards=[signed_in(*READERS)], include_in_schema=False)
    async def fragment(request: Web, code: FromPath[str]) -> Response[str]:
        tree = await read_draft()
        raw = _rule(tree, code)
        if raw is None:
            return await show(request, office, "rule_cases.html", 404, code=code, known=False)
        proposal = propose(tree, raw)
        found = await run_kept(tree, seconds=AT_LENGTH, only=[key_of(each) for each in _about(tree, proposal)])
        hitting = [each for each in found if each.trace is not None and code in each.trace.charging]
        missing = [each for each in found if each.trace is not None and code not in each.trace.charging]
        missing = [each for each in missing if _concerned(each, proposal)]
        events = None if hitting and missing else await find_hits(proposal, longest=LONGEST)
        hit, missed = ((), ()) if events is None else (events.events, events.missed)
        names = await names_of(each.subject for each in (*hit, *missed))
        return await show(
            request,
            office,
            "rule_cases.html",
            code=code,
            known=True,
            hitting=hitting,
            missing=missing,
            most=SHOWN,
            unrun=sum(each.trace is None for each in found),
            settled=settled_later(proposal.rule),
            hit_events=[] if hitting else list(_suggest(hit, names)),
            missed_events=[] if missing else list(_suggest(missed, names)),
        )

    return Router("/", route_handlers=[fragment], exception_handlers=refuse_page(office))


def _rule(tree: Document, code: str) -> Raw:
    rules = tree.get("rules")
    for each in rules if isinstance(rules, list) else []:
        if isinstance(each, Mapping) and each.get("rule") == code:
            return dict(each)
    return None


def _about(tree: Document, proposal: Proposal) -> Iterator[Raw]:
    """The cases that may be about the rule: those with events of its types, or with a settlement."""
    types, later = set(types_of(proposal)), settled_later(proposal.rule)
    for raw in cases_of(tree):
        steps = raw.get("steps") if isinstance(raw, Mapping) and "rulebook" not in raw else None
        for step in steps if isinstance(steps, list) else []:
            if not isinstance(step, Mapping):
                continue
            if (later and ("settle" in step or "close" in step)) or types & set(_types(step)):
                yield raw
                break


def _types(step: Mapping[str, Any]) -> Iterator[str]:
    held: list[Any] = [step.get("event")]
    held += step["events"] if isinstance(step.get("events"), list) else []
    correct = step.get("correct")
    if isinstance(correct, Mapping):
        held.append(correct.get("event"))
    yield from (str(each.get("type")) for each in held if isinstance(each, Mapping))


def _concerned(each: Kept, proposal: Proposal) -> bool:
    if each.trace is None:
        return False
    if settled_later(proposal.rule):
        return each.trace.settles
    return bool(each.trace.types & set(types_of(proposal)))


def _suggest(events: tuple[Hit, ...], names: Mapping[str, str]) -> Iterator[Suggestion]:
    for each in events[:SUGGESTED]:
        make = f"/desk/cases/new?{urlencode({'source': each.source, 'event': each.id})}"
        yield Suggestion(event=each, name=names.get(each.subject, ""), href=href_of(each.source, each.id), make=make)
