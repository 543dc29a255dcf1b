"""Entries and why (台账明细与说明): every charge with its rule, version, evidence, arithmetic and path."""

from collections.abc import Iterable
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from admin.guard import NotYours, person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.session import Person
from admin.tables import Role
from engine.finding import Refused
from ledger.explanation import explain_entry
from ledger.listing import EntryFilter, list_entries
from ledger.reading import EntryView
from ledger.tables import Subject

Web = Request[Any, Any, Any]

_EVERYTHING = frozenset({Role.office, Role.approver, Role.auditor})
"""Who may read every entry; the others read their own subject's."""

_PAGE = 50


def may_read(person: Person, subject: str) -> bool:
    """Whether a person may read entries on this subject."""
    return bool(_EVERYTHING & person.roles) or (bool(person.subject) and person.subject == subject)


async def names_of(codes: Iterable[str]) -> dict[str, str]:
    """The names of these subjects."""
    rows = await Subject.select(Subject.code, Subject.name).where(Subject.code.is_in(sorted({*codes, ""})))
    return {row["code"]: row["name"] for row in rows}


def audit_routes(office: Office) -> Router:
    """``/entries`` and ``/audit/entries/{id}``."""

    @get("/audit/entries/{number:int}", guards=[signed_in()], include_in_schema=False)
    async def entry_page(request: Web, number: FromPath[int]) -> Response[str]:
        try:
            explanation = await explain_entry(number, language_of(request))
        except Refused as refused:
            raise NotFoundException from refused
        if not may_read(person_of(request), explanation.entry.subject):
            raise NotYours
        codes = {explanation.entry.subject, *(stop.subject for stop in explanation.path)}
        codes.update(step.given for step in explanation.arithmetic if step.step == "compared" and step.given)
        if explanation.event is not None:
            codes.add(explanation.event.subject)
        return await show(
            request, office, "entry.html", x=explanation, entry=explanation.entry, names=await names_of(codes)
        )

    @get("/entries", guards=[signed_in()], include_in_schema=False)
    async def entries_page(
        request: Web,
        subject: FromQuery[str] = "",
        rule: FromQuery[str] = "",
        period: FromQuery[str] = "",
        indicator: FromQuery[str] = "",
        before: FromQuery[int | None] = None,
    ) -> Response[str]:
        person = person_of(request)
        whole = bool(_EVERYTHING & person.roles)
        if not whole and not person.subject:
            raise NotYours
        asked = subject if whole else person.subject
        wanted = EntryFilter(
            subject=asked or None, rule=rule or None, period=period or None, indicator=indicator or None
        )
        unknown, found, following = False, list[EntryView](), None
        try:
            found, following = await list_entries(wanted, before=before, limit=_PAGE)
        except Refused:
            unknown = True
        return await show(
            request,
            office,
            "entries.html",
            entries=found,
            names=await names_of(entry.subject for entry in found),
            next=following,
            unknown=unknown,
            whole=whole,
            asked={"subject": asked, "rule": rule, "period": period, "indicator": indicator},
        )

    return Router("/", route_handlers=[entry_page, entries_page], exception_handlers=refuse_page(office))
