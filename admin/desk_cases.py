"""Cases beside rules (用例): the draft's own cases on pages: what each comes to; edited as text, copied, deleted.

Office writes; approvers and auditors read. A case is addressed by its content, so that whoever saves or deletes one
means what was read.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath
from litestar.response import Redirect

from admin.audit import names_of
from admin.case_changes import write
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import READERS
from admin.tables import Role
from admin.tracing import AT_LENGTH, AT_ONCE, Kept, names_in, rules_of, run_kept, say, tell
from engine.finding import Finding, Refused
from engine.language import Message, message, render
from engine.rulebook import Rulebook
from engine.scalar import Raw
from ledger.tables import Event
from rules.draft import Stale, read_draft
from rules.kept_cases import (
    as_text,
    cases_of,
    find,
    key_of,
    name_of,
    named_apart,
    put,
    read_text,
)
from rules.kept_cases import remove as without
from rules.mending import mend
from rules.rows import Document

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

PAGE = 100
STATES = ("fails", "unreadable", "waits", "passes")
"""In the order in which they are listed."""


class CaseForm(msgspec.Struct):
    """What the form of a case sends."""

    text: str = ""


class NoForm(msgspec.Struct):
    """A button's form: it says nothing but its token."""

    csrftoken: str = ""


def case_routes(office: Office) -> Router:
    """``/desk/cases``, a case below it, and the verbs of a case."""

    @get("/desk/cases", guards=[signed_in(*READERS)], include_in_schema=False)
    async def list_page(request: Web) -> Response[str]:
        asked = request.query_params
        tree = await read_draft()
        found = await run_kept(tree, seconds=AT_LENGTH if asked.get("run") == "all" else AT_ONCE)
        words, state = asked.get("q", "").strip(), asked.get("state", "")
        chosen = [
            each
            for each in found
            if words.lower() in each.name.lower() and (state not in STATES or each.state == state)
        ]
        at = int(begun) if (begun := asked.get("at", "")).isascii() and begun.isdigit() and len(begun) < 8 else 0
        chosen.sort(key=lambda each: STATES.index(each.state))
        shown = chosen[at : at + PAGE]
        names = await names_of(tell(each.first).subject for each in shown if each.first is not None)
        rules = rules_of(tree)
        return await show(
            request,
            office,
            "desk_cases.html",
            cases=[(each, _first(each, names, rules.rulebook)) for each in shown],
            counts={each: sum(one.state == each for one in found) for each in STATES},
            total=len(found),
            found=len(chosen),
            asked={"q": words, "state": state},
            query=urlencode({key: value for key, value in (("q", words), ("state", state)) if value}),
            at=at,
            page=PAGE,
            broken=bool(rules.errors),
            deleted=bool(asked.get("deleted")),
        )

    @get("/desk/cases/at/{place:int}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def case_at(place: FromPath[int]) -> Response[Any]:
        cases = cases_of(await read_draft())
        if not 0 <= place < len(cases):
            raise NotFoundException
        return Redirect(f"/desk/cases/{key_of(cases[place])}", status_code=303)

    @get("/desk/cases/new/text", guards=[signed_in(Role.office)], include_in_schema=False)
    async def blank_page(request: Web) -> Response[str]:
        rules = rules_of(await read_draft()).rulebook
        return await _editor(request, office, None, blank(rules, render(message("kept.new"), language_of(request))))

    @get("/desk/cases/{key:str}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def case_page(request: Web, key: FromPath[str]) -> Response[str]:
        tree = await read_draft()
        if find(cases_of(tree), key) is None:
            return await show(request, office, "refused.html", 404, reason=message("kept.changed"))
        (kept,) = (await run_kept(tree, only=[key], seconds=AT_LENGTH))[:1]
        mended = _mended(kept) if "mend" in request.query_params else None
        return await _editor(
            request, office, kept, as_text(kept.raw if mended is None else mended), tree=tree, mended=mended is not None
        )

    @post("/desk/cases", guards=[signed_in(Role.office)], include_in_schema=False)
    async def add(request: Web, data: Annotated[CaseForm, Form]) -> Response[Any]:
        return await _saving(request, office, data.text, None)

    @post("/desk/cases/{key:str}", guards=[signed_in(Role.office)], include_in_schema=False)
    async def save(request: Web, key: FromPath[str], data: Annotated[CaseForm, Form]) -> Response[Any]:
        return await _saving(request, office, data.text, key)

    @post("/desk/cases/{key:str}/copy", guards=[signed_in(Role.office)], include_in_schema=False)
    async def copy(request: Web, key: FromPath[str]) -> Response[Any]:
        made: list[Raw] = []
        pattern = render(message("kept.copy_of"), language_of(request))

        cases = cases_of(await read_draft())
        at = find(cases, key)
        if at is None:
            return await show(request, office, "refused.html", 409, reason=message("kept.changed"))
        raw = cases[at]
        name = named_apart(name_of(raw), cases, pattern)
        made.append({**raw, "case": name} if isinstance(raw, dict) else raw)
        return await _try(
            request,
            lambda: write(lambda held: put(held, made[0]), person_of(request).name, None, made[0]),
            f"/desk/cases/{key_of(made[0])}?done=copied",
            office,
        )

    @post("/desk/cases/{key:str}/delete", guards=[signed_in(Role.office)], include_in_schema=False)
    async def delete(request: Web, key: FromPath[str]) -> Response[Any]:
        cases = cases_of(await read_draft())
        at = find(cases, key)
        if at is None:
            return await show(request, office, "refused.html", 409, reason=message("kept.changed"))
        raw = cases[at]
        return await _try(
            request,
            lambda: write(lambda held: without(held, key), person_of(request).name, raw, None),
            "/desk/cases?deleted=1",
            office,
        )

    return Router(
        "/",
        route_handlers=[list_page, case_at, blank_page, case_page, add, save, copy, delete],
        exception_handlers=refuse_page(office),
    )


async def _try(request: Web, act: Callable[[], Awaitable[None]], then: str, office: Office) -> Response[Any]:
    try:
        await act()
    except Refused as refused:
        return await show(request, office, "refused.html", 409, reason=refused.findings[0].message)
    return Redirect(then, status_code=303)


async def _saving(request: Web, office: Office, text: str, key: str | None) -> Response[Any]:
    """Save a text as a case, in the place of that key or as one more; else the form again, with what is wrong."""
    text = text.replace("\r\n", "\n")
    tree = await read_draft()
    cases = cases_of(tree)
    at = None if key is None else find(cases, key)
    try:
        raw = read_text(text, rules_of(tree).rulebook)
        before = None if at is None else cases[at]
        await write(lambda held: put(held, raw, key), person_of(request).name, before, raw)
    except Refused as refused:
        gone = isinstance(refused, Stale)
        kept = None
        if at is not None and not gone:
            (kept,) = await run_kept(tree, only=[key or ""])
        return await _editor(request, office, kept, text, 409 if gone else 422, refused.findings, tree=tree, gone=gone)
    return Redirect(f"/desk/cases/{key_of(raw)}?done=saved", status_code=303)


async def _editor(
    request: Web,
    office: Office,
    kept: Kept | None,
    text: str,
    status: int = 200,
    problems: tuple[Finding, ...] = (),
    tree: Document | None = None,
    *,
    gone: bool = False,
    mended: bool = False,
) -> Response[str]:
    """The page of a case: what came of it, and its text. No case: a new one, or ``gone``: one that was changed."""
    tree = await read_draft() if tree is None else tree
    mismatches = () if kept is None or kept.trace is None else kept.trace.result.mismatches
    told = [tell(each) for each in mismatches]
    names = await names_of(each.subject for each in told)
    rules, lines = rules_of(tree), text.split("\n")
    if kept is not None:
        names |= names_in(kept.raw)
    return await show(
        request,
        office,
        "desk_case.html",
        status,
        kept=kept,
        told=told,
        names=names,
        titles={rule.code: rule.title for rule in rules.rulebook.rules},
        text=text,
        lines=lines,
        problems=problems,
        by_line=_by_line(problems),
        gone=gone,
        mended=[line for line in lines if line not in as_text(kept.raw).split("\n")] if mended and kept else None,
        mendable=not mended and not problems and kept is not None and _mended(kept) is not None,
        source=await _source(kept),
        broken=bool(rules.errors),
        done=request.query_params.get("done", ""),
    )


def _mended(kept: Kept) -> Raw:
    return None if kept.trace is None else mend(kept.raw, kept.trace.result.mismatches)


def _by_line(problems: tuple[Finding, ...]) -> dict[int, list[Message]]:
    found: dict[int, list[Message]] = {}
    for each in problems:
        if each.line is not None:
            found.setdefault(each.line, []).append(each.message)
    return found


async def _source(kept: Kept | None) -> tuple[str, str] | None:
    """The event of the ledger that a case was made from: the first one in it, where the ledger has it."""
    steps = kept.raw.get("steps") if kept is not None and isinstance(kept.raw, dict) else None
    first = steps[0].get("event") if isinstance(steps, list) and steps and isinstance(steps[0], dict) else None
    if not isinstance(first, dict) or not first.get("source"):
        return None
    key = str(first.get("source")), str(first.get("id"))
    return key if await Event.exists().where((Event.source == key[0]) & (Event.id == key[1])) else None


def _first(each: Kept, names: dict[str, str], rules: Rulebook) -> Message | None:
    """The first thing that is wrong with a case, in words."""
    if each.findings:
        return each.findings[0].message
    if each.first is None:
        return None
    return say(tell(each.first), names | names_in(each.raw), {rule.code: rule.title for rule in rules.rules})


def blank(rules: Rulebook, name: str) -> str:
    """A case to begin with: the draft's first event type, somebody whom it happens to, nothing expected yet."""
    event_type = next(iter(rules.event_types), "EVENT_TYPE")
    tree: Raw = {
        "case": name,
        "subjects": [{"code": "U1", "kind": "unit", "group": "units"}],
        "steps": [
            {
                "event": {
                    "id": "E1",
                    "type": event_type,
                    "subject": "U1",
                    "time": "2026-03-05T10:00:00+08:00",
                    "data": {},
                }
            },
            {"expect": {"posted": []}},
        ],
    }
    return as_text(tree)
