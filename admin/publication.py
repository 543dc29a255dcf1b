"""The page of publication and approval (发布与审批): where things stand, what is missing, what would follow."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from admin.approving import approve, editors, voices
from admin.audit import names_of
from admin.comparing import compare_sides, list_versions
from admin.draft_rows import draft_rows, row_of
from admin.effective import WHENS, choose, offered
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.publishing import Grown, digest, failing, foresee_publication, publish, reaches, ready
from admin.session import Person
from admin.tables import Role
from engine.finding import Finding, Refused
from engine.language import message
from ledger.acts import Publication
from ledger.current import get_current
from ledger.foreseeing import Foreseen
from rules.document import read_document
from rules.draft import Stale, dated, findings, read_draft, tree_hash
from rules.publishing import Prepared
from rules.sides import read_side, read_tree

__all__ = ["approve", "publication_routes", "publish"]

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

_SHOWN = 20
"""Things that differ, on this page; the comparison has them all."""
_TRIES = 3


class PublicationForm(msgspec.Struct):
    """What the publication form sends; ``effective`` is local time, ``step`` preview or confirm.

    ``head`` and ``digest`` say which preview is confirmed.
    """

    hash: str
    effective: str = ""
    when: str = ""
    note: str = ""
    reason: str = ""
    step: str = ""
    head: str = ""
    digest: str = ""


class ApprovalForm(msgspec.Struct):
    """What the approval form sends."""

    hash: str


class Previewed(msgspec.Struct, frozen=True, kw_only=True):
    """What a publication would change, as it is shown; ``again``: the ledger has changed since it was looked at."""

    effective: datetime
    concerned: int
    foreseen: Foreseen
    digest: str
    again: bool = False


def publication_routes(office: Office) -> Router:
    """``/publish``."""

    async def page(
        request: Web,
        status: int = 200,
        problems: tuple[Finding, ...] = (),
        form: PublicationForm | None = None,
        preview: Previewed | None = None,
    ) -> Response[str]:
        now = datetime.now(UTC)
        tree = await read_draft()
        hash_now = tree_hash(tree)
        found = findings(tree, now)
        broken = any(finding.level == "error" for finding in found)
        versions = await list_versions()
        ruling, scheduled = _ruling(versions, now)
        named = await draft_rows()
        usable = not broken and bool(tree.get("rulebook"))
        edited = await editors()
        heard = await voices(hash_now)
        return await show(
            request,
            office,
            "publish.html",
            status,
            hash=hash_now,
            empty=not tree.get("rulebook"),
            form=form or PublicationForm(hash=hash_now),
            whens=WHENS,
            offered=offered(office, now),
            problems=problems,
            findings=[(finding, row_of(finding.path, named)) for finding in found],
            broken=broken,
            failing=await failing(office, _prepared(tree, hash_now, now)) if usable else (),
            cases=len(_listed(tree.get("cases"))),
            versions=versions,
            ruling=ruling,
            scheduled=scheduled,
            compared=await _compared(request, tree, ruling, now) if usable else None,
            voices=heard,
            approved_by=[each.name for each in heard if each.state == "approved"],
            editors=sorted(edited),
            published=_of(versions, request.query_params.get("published")),
            restored=_of(versions, request.query_params.get("restored")),
            period=_current_period(now),
            preview=preview,
            names=await names_of(_subjects(preview)),
        )

    @get("/publish", guards=[signed_in(Role.office, Role.approver, Role.auditor)], include_in_schema=False)
    async def publish_page(request: Web) -> Response[str]:
        return await page(request)

    @post("/publish", guards=[signed_in(Role.office)], include_in_schema=False)
    async def publish_draft(request: Web, data: Annotated[PublicationForm, Form]) -> Response[Any]:
        person = person_of(request)
        try:
            effective = choose(data.when, data.effective, office, datetime.now(UTC))
            data.note, data.reason = data.note.strip(), data.reason.strip()
            if data.step == "confirm" and data.head:
                done = await _confirm(office, data, effective, person)
            else:
                done = await _begin(office, data, effective, person)
        except Refused as refused:
            return await page(request, 409 if isinstance(refused, Stale) else 422, refused.findings, data)
        if isinstance(done, Previewed):
            return await page(request, 409 if done.again else 200, form=data, preview=done)
        return Redirect(f"/publish?published={done.number}", status_code=303)

    @post("/publish/approval", guards=[signed_in(Role.approver)], include_in_schema=False)
    async def approve_draft(request: Web, data: Annotated[ApprovalForm, Form]) -> Response[Any]:
        try:
            await approve(data.hash, person_of(request))
        except Refused as refused:
            return await page(request, 409 if isinstance(refused, Stale) else 422, refused.findings)
        return Redirect("/publish", status_code=303)

    return Router(
        "/",
        route_handlers=[publish_page, publish_draft, approve_draft],
        exception_handlers=refuse_page(office),
    )


async def _begin(office: Office, form: PublicationForm, effective: datetime, person: Person) -> Publication | Previewed:
    """Publish at once where nothing past is concerned; else, or where it is asked for, show what would follow."""
    prepared, _ = await ready(office, form.hash, effective, person)
    concerned = await reaches(effective)
    if not concerned and form.step != "preview":
        return await publish(office, form.hash, effective, note=form.note, reason=form.reason, person=person)
    return await _look(prepared, form, effective, person, concerned)


async def _confirm(
    office: Office, form: PublicationForm, effective: datetime, person: Person
) -> Publication | Previewed:
    """Publish what was previewed; where the ledger has grown since and something else would follow, show it again."""
    head = form.head
    for _ in range(_TRIES):
        try:
            return await publish(
                office, form.hash, effective, note=form.note, reason=form.reason, person=person, head=head
            )
        except Grown:
            prepared, _ = await ready(office, form.hash, effective, person)
            seen = await _look(prepared, form, effective, person, await reaches(effective))
            if seen.digest != form.digest:
                return msgspec.structs.replace(seen, again=True)
            head = seen.foreseen.head
    raise Grown(Finding(message=message("publish.grown")))


async def _look(
    prepared: Prepared, form: PublicationForm, effective: datetime, person: Person, concerned: int
) -> Previewed:
    foreseen = await foresee_publication(prepared, effective, form.reason, person)
    return Previewed(effective=effective, concerned=concerned, foreseen=foreseen, digest=digest(foreseen))


async def _compared(request: Web, tree: Mapping[str, Any], ruling: Mapping[str, Any] | None, now: datetime) -> Any:
    old = None if ruling is None else await read_side(str(ruling["number"]))
    return compare_sides(old, read_tree(dated(dict(tree), now)), language_of(request), most=_SHOWN)


def _prepared(tree: Mapping[str, Any], hash_: str, now: datetime) -> Prepared:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    document = read_document(dict(tree) if tree.get("effective") else dated(dict(tree), midnight))
    return Prepared(hash=hash_, rulebook=document.rulebook, cases=document.cases)


def _ruling(versions: list[dict[str, Any]], now: datetime) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The version that rules now, and those that will, in the order in which they come."""
    order = sorted(versions, key=lambda row: (row["effective"], row["number"]))
    ruling = [row for row in order if row["effective"] <= now]
    later = {row["effective"]: row for row in order if row["effective"] > now}
    return (ruling[-1] if ruling else None), list(later.values())


def _of(versions: list[dict[str, Any]], number: str | None) -> dict[str, Any] | None:
    return next((row for row in versions if str(row["number"]) == number), None)


def _current_period(now: datetime) -> str:
    """The shortest open period that holds today: what a simulation is tried on first; empty where there is none."""
    current = get_current()
    today = now.astimezone(current.timezone).date()
    held = [
        period
        for period in current.bureau.calendar.periods.values()
        if period.contains(today) and period.state == "open"
    ]
    return min(held, key=lambda period: (period.end - period.start, period.code)).code if held else ""


def _listed(raw: object) -> list[Any]:
    return list(raw) if isinstance(raw, list) else []


def _subjects(preview: Previewed | None) -> set[str]:
    if preview is None:
        return set()
    found = preview.foreseen
    return {each.subject for held in (found.entries, found.moved, found.events) for each in held}
