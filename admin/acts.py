"""Acts on pages (管理行为): the list, and each one in words with the entries that it made."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from admin.audit import names_of
from admin.guard import signed_in
from admin.office import Office
from admin.page import refuse_page, show
from admin.readers import READERS
from engine.finding import Refused
from ledger.decisions import MOST_COUNTED, ActFilter, ActView, count_changes, list_acts, read_act
from ledger.listing import PAGE, EntryFilter, page_entries
from ledger.reading import reading
from ledger.tables import ActKind

Web = Request[Any, Any, Any]

_KINDS = tuple(kind for kind in ActKind if kind != ActKind.event)
_MOST_SHOWN = 200
"""Subjects or relations of one act that its page shows."""


def act_routes(office: Office) -> Router:
    """``/audit/acts`` and ``/audit/acts/{number}``."""

    @get("/audit/acts", guards=[signed_in(*READERS)], include_in_schema=False)
    async def acts_page(
        request: Web,
        kind: FromQuery[str] = "",
        actor: FromQuery[str] = "",
        first: FromQuery[str] = "",
        last: FromQuery[str] = "",
        before: FromQuery[int | None] = None,
    ) -> Response[str]:
        found, older, wrong = list[ActView](), None, False
        try:
            wanted = ActFilter(
                kind=kind or None,
                actor=actor.strip() or None,
                start=_midnight(first, office),
                end=_midnight(last, office, timedelta(days=1)),
            )
            found, older = await list_acts(wanted, before=None if before is None else min(before, 2**63 - 1))
        except (ValueError, OverflowError):
            wrong = True
        asked = {"kind": kind, "actor": actor, "first": first, "last": last}
        return await show(
            request,
            office,
            "acts.html",
            acts=found,
            asked=asked,
            query=urlencode({name: value for name, value in asked.items() if value}),
            older=older,
            begun=before is not None,
            kinds=_KINDS,
            wrong=wrong,
        )

    @get("/audit/acts/{number:int}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def act_page(request: Web, number: FromPath[int], after: FromQuery[int | None] = None) -> Response[str]:
        if not 0 < number < 2**63:
            raise NotFoundException
        try:
            act = await read_act(number)
        except Refused as refused:
            raise NotFoundException from refused
        async with reading() as connection:
            changes = await count_changes(connection, number)
        begun = max(number, min(after or 0, 2**63 - 2))
        made = await page_entries(EntryFilter(cause=number), after=begun, limit=PAGE)
        entries = tuple(reversed(made.items))
        return await show(
            request,
            office,
            "act.html",
            act=act,
            content=act.content,
            entries=entries,
            changes=changes,
            many=changes > MOST_COUNTED,
            following=made.newer,
            begun=after is not None,
            most=_MOST_SHOWN,
            names=await names_of({*(each.subject for each in entries), *_subjects_of(act)}),
        )

    return Router("/", route_handlers=[acts_page, act_page], exception_handlers=refuse_page(office))


def _midnight(day: str, office: Office, later: timedelta = timedelta()) -> datetime | None:
    """The first instant of a date, or of the one after it. ValueError where it is none."""
    return datetime.combine(date.fromisoformat(day) + later, time(), office.timezone) if day else None


def _subjects_of(act: ActView) -> Iterator[str]:
    if act.kind == ActKind.organisation:
        yield from (each["code"] for each in act.content["subjects"][:_MOST_SHOWN])
        for relation in act.content["relations"][:_MOST_SHOWN]:
            yield from (relation["subject"], relation["answers"])
    elif act.content.get("step") == "lodging":
        yield act.content["subject"]
