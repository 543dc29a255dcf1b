"""Why (为什么): the page of an entry and the page of an event, each with everything that it was made of.

Office, approvers and auditors see everything; a subject sees its own entries, and the events that charged it, and
of those the charges on itself alone; an assessing department what stands on its own indicators.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from admin.appealable import appealable
from admin.guard import NotYours, person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import reads_all, seen_by
from engine.event import EventKey
from engine.finding import Refused
from ledger.decisions import acts_numbered
from ledger.explanation import Explanation, explain_entry
from ledger.firing import Firing, explain_event
from ledger.listing import sees_event
from ledger.reading import EventView, read_event, reading
from ledger.tables import Subject

Web = Request[Any, Any, Any]


async def names_of(codes: Iterable[str]) -> dict[str, str]:
    """The names of these subjects."""
    rows = await Subject.select(Subject.code, Subject.name).where(Subject.code.is_in(sorted({*codes, ""})))
    return {row["code"]: row["name"] for row in rows}


def audit_routes(office: Office) -> Router:
    """``/audit/entries/{number}`` and ``/audit/events/{source}/{id}``."""

    @get("/audit/entries/{number:int}", guards=[signed_in()], include_in_schema=False)
    async def entry_page(request: Web, number: FromPath[int]) -> Response[str]:
        person = person_of(request)
        sight = seen_by(person)
        try:
            explanation = await explain_entry(number, language_of(request), sight)
        except Refused as refused:
            raise NotFoundException from refused
        entry = explanation.entry
        if not sight.sees(entry.source, entry.subject, entry.indicator, entry.version):
            raise NotYours
        return await show(
            request,
            office,
            "entry.html",
            x=explanation,
            entry=explanation.entry,
            names=await names_of(_subjects_of_entry(explanation)),
            whole=reads_all(person),
            appealing=await appealable(person, explanation.entry, explanation.appeals),
        )

    @get("/audit/events/{source:str}/{id:str}", guards=[signed_in()], include_in_schema=False)
    async def event_page(request: Web, source: FromPath[str], id: FromPath[str]) -> Response[str]:  # noqa: A002
        person, key = person_of(request), EventKey(source, id)
        sight = seen_by(person)
        try:
            event = await read_event(key)
        except Refused as refused:
            raise NotFoundException from refused
        if not await sees_event(event, sight):
            raise NotYours
        firing = await explain_event(key, language_of(request), sight)
        corrected = None if event.corrects is None else event.number - 1
        async with reading() as connection:
            acts = await acts_numbered(connection, filter(None, (event.withdrawn_by, corrected)))
        return await show(
            request,
            office,
            "event.html",
            event=event,
            x=firing,
            withdrawn=acts.get(event.withdrawn_by or 0),
            corrected=acts.get(corrected or 0),
            names=await names_of(_subjects_of_event(event, firing)),
            whole=reads_all(person),
        )

    return Router("/", route_handlers=[entry_page, event_page], exception_handlers=refuse_page(office))


def _subjects_of_entry(x: Explanation) -> Iterator[str]:
    yield x.entry.subject
    yield from (stop.subject for stop in x.path)
    yield from (step.given for step in x.arithmetic if step.step == "compared" and step.given)
    yield from (user.subject for room in x.limits for user in room.users)
    yield from (each.subject for each in x.supersedes)
    for charge in x.charges.items:
        yield from (*charge.path, charge.subject)
    if x.event is not None:
        yield x.event.subject
    if x.compared is not None:
        yield from (member.subject for member in x.compared.members)
        yield from (*x.compared.left_out, *x.compared.charged, x.compared.within)


def _subjects_of_event(event: EventView, x: Firing) -> Iterator[str]:
    yield event.subject
    for party in event.parties.values():
        yield from party
    for charge in x.charges.items:
        yield from (*charge.path, charge.subject)
    for rule in x.rules:
        for travel in rule.travels:
            yield from (travel.origin_subject, *travel.reached)
