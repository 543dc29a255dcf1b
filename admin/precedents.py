"""Cases from past events (成例): the page on which an event of the ledger becomes a case of the draft.

What the ledger says it came to and what the draft comes to stand side by side; the office says which of them is meant.
"""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body
from litestar.response import Redirect

from admin.audit import names_of
from admin.case_changes import write
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.tables import Role
from admin.tracing import rules_of
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message, render
from engine.scalar import Raw
from ledger.precedent import Outcome, Precedent, Sum, Total, make_precedent, with_expectation
from ledger.reading import Unknown
from rules.draft import Stale, read_draft, tree_hash
from rules.kept_cases import as_text, cases_of, key_of, named_apart, put, read_kept
from rules.rows import Document

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

SIDES = ("ledger", "draft")


class PrecedentForm(msgspec.Struct):
    """What the form sends: the event, the case's name, which side is meant, and the draft that was looked at."""

    source: str = ""
    event: str = ""
    name: str = ""
    expect: str = ""
    hash: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A sum on either side, or the ``total`` to which a veto held somebody; None: none there."""

    rule: str
    title: str
    subject: str
    total: bool = False
    ledger: Decimal | None
    draft: Decimal | None


def precedent_routes(office: Office) -> Router:
    """``/desk/cases/new``."""

    async def page(
        request: Web, form: PrecedentForm, status: int = 200, problems: tuple[Finding, ...] = ()
    ) -> Response[Any]:
        tree = await read_draft()
        made, wrong = await _make(EventKey(form.source, form.event), tree)
        rules = rules_of(tree).rulebook
        titles = {rule.code: rule.title for rule in rules.rules}
        language = language_of(request)
        pattern = render(message("kept.numbered"), language)
        event = made.event
        event_type = rules.event_types.get(event.type)
        title = event_type.title if event_type is not None and event_type.title else event.type
        held = next((each for each in _subjects(made) if each.get("code") == event.subject), {})
        said = message(
            "precedent.name", type=title, subject=held.get("name") or event.subject, day=event.time.date().isoformat()
        )
        rows = _rows(made, titles)
        missing = sorted({each.rule for each in made.ledger.sums} - titles.keys())
        return await show(
            request,
            office,
            "precedent.html",
            status,
            form=form,
            event=event,
            title=title,
            name=form.name or named_apart(render(said, language), cases_of(tree), pattern),
            rows=rows,
            same=made.draft is not None and all(each.ledger == each.draft for each in rows),
            made=made,
            missing=missing,
            wrong=wrong,
            preview=as_text(made.case),
            names=await names_of(str(each.get("code")) for each in _subjects(made)),
            hash=tree_hash(tree),
            problems=problems,
        )

    @get("/desk/cases/new", guards=[signed_in(Role.office)], include_in_schema=False)
    async def new_page(request: Web) -> Response[Any]:
        asked = request.query_params
        if not asked.get("event"):
            return Redirect("/desk/cases/new/text", status_code=303)
        return await page(request, PrecedentForm(source=asked.get("source", ""), event=asked["event"]))

    @post("/desk/cases/new", guards=[signed_in(Role.office)], include_in_schema=False)
    async def make(request: Web, data: Annotated[PrecedentForm, Form]) -> Response[Any]:
        try:
            raw = await _confirmed(data)
            await write(lambda held: put(held, raw), person_of(request).name, None, raw, replacing=data.hash)
        except Refused as refused:
            return await page(request, data, 409 if isinstance(refused, Stale) else 422, refused.findings)
        return Redirect(f"/desk/cases/{key_of(raw)}?done=made", status_code=303)

    return Router("/", route_handlers=[new_page, make], exception_handlers=refuse_page(office))


async def _make(key: EventKey, tree: Document) -> tuple[Precedent, tuple[Finding, ...]]:
    """The precedent of an event, and what keeps the draft from being asked."""
    rules = rules_of(tree)
    try:
        return await make_precedent(key, None if rules.errors else rules.rulebook), rules.errors
    except Unknown as unknown:
        raise NotFoundException from unknown


async def _confirmed(form: PrecedentForm) -> Raw:
    """The case that was confirmed. Refused where it was not said which side is meant, or the draft cannot hold it."""
    tree = await read_draft()
    if tree_hash(tree) != form.hash:
        raise Stale(Finding(message=message("precedent.stale")))
    name = form.name.strip()
    if not name:
        raise Refused(Finding(path="name", message=message("precedent.no_name")))
    if form.expect not in SIDES:
        raise Refused(Finding(path="expect", message=message("precedent.which")))
    made, _ = await _make(EventKey(form.source, form.event), tree)
    if form.expect == "draft" and made.draft is None and made.refused is None:
        raise Refused(Finding(path="expect", message=message("precedent.no_draft")))
    raw: Raw = with_expectation(made, name, made.ledger if form.expect == "ledger" else made.draft)
    read_kept(raw, rules_of(tree).rulebook)
    return raw


def _subjects(made: Precedent) -> list[dict[str, Any]]:
    held: Any = made.case.get("subjects")
    return list(held)


def _rows(made: Precedent, titles: dict[str, str]) -> list[Row]:
    ledger, draft = made.ledger, made.draft or Outcome()
    return [*_sides(titles, ledger.sums, draft.sums), *_sides(titles, ledger.totals, draft.totals, total=True)]


def _sides(
    titles: dict[str, str], one: tuple[Sum | Total, ...], other: tuple[Sum | Total, ...], *, total: bool = False
) -> list[Row]:
    """The same rule and subject on either side."""
    ledger, draft = ({(rule, subject): figure for rule, subject, figure in side} for side in (one, other))
    return [
        Row(
            rule=rule,
            title=titles.get(rule, ""),
            subject=subject,
            total=total,
            ledger=ledger.get((rule, subject)),
            draft=draft.get((rule, subject)),
        )
        for rule, subject in sorted({*ledger, *draft})
    ]
