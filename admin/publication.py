"""Publishing and approving (发布与审批): who may, what must hold, and the page for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect
from piccolo.table import Table

from admin import changes
from admin.guard import person_of, signed_in
from admin.interests import Touched, interest, touched_by_draft
from admin.office import Office
from admin.page import refuse_page, show
from admin.session import Person
from admin.tables import Approval, Role, User
from engine.finding import Finding, Refused
from engine.language import message
from ledger.acts import Publication, publish_rulebook
from rules.draft import Stale, draft_hash, findings, read_draft, tree_hash
from rules.publishing import differences, in_force, prepare
from rules.row_values import identity, placed
from rules.tables import (
    DraftAward,
    DraftConsequence,
    DraftEventType,
    DraftField,
    DraftIndicator,
    DraftLimit,
    DraftLinkage,
    DraftPart,
    DraftRule,
    DraftScorecard,
    DraftTier,
)

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class PublicationForm(msgspec.Struct):
    """What the publication form sends; ``effective`` is local time."""

    hash: str
    effective: str = ""
    note: str = ""
    reason: str = ""


class ApprovalForm(msgspec.Struct):
    """What the approval form sends."""

    hash: str


async def approvers(hash: str, publisher: str = "") -> tuple[str, ...]:  # noqa: A002
    """Those whose approval of this draft counts: who edited it, publishes it, or gains by it is no second person."""
    approved = await Approval.select(Approval.user).where(Approval.hash == hash).output(as_list=True)
    excluded = {*await changes.editors(), publisher}
    return tuple(sorted(set(approved) - excluded - await interested(set(approved) - excluded)))


async def interested(names: Iterable[str]) -> set[str]:
    """Of these users those who may not approve the draft, for their own benefit."""
    rows = await User.select(User.username, User.subject).where(User.username.is_in([*names, ""]))
    subjects = {row["username"]: row["subject"] for row in rows if row["subject"]}
    found = await touched_by_draft() if subjects else Touched()
    return {name for name, subject in subjects.items() if await interest(subject, found) is not None}


async def approve(hash: str, person: Person) -> None:  # noqa: A002
    """Approve the draft as it stands. Refused where it has changed since, or the person had a hand in it."""
    if hash != await draft_hash():
        raise Stale(Finding(message=message("draft.stale")))
    if person.name in await changes.editors():
        raise Refused(Finding(message=message("publish.own_edit")))
    if person.subject and (why := await interest(person.subject, await touched_by_draft())) is not None:
        raise Refused(Finding(message=why))
    if not await Approval.exists().where((Approval.hash == hash) & (Approval.user == person.name)):
        await Approval(hash=hash, user=person.name).save()


async def publish(
    office: Office,
    hash: str,  # noqa: A002
    effective: datetime,
    *,
    note: str = "",
    reason: str = "",
    person: Person,
) -> Publication:
    """Publish the draft of this hash as the next version. Refused with findings unless all holds that must."""
    prepared = await prepare(hash, effective)
    if office.check_cases is not None and (failed := office.check_cases(prepared.rulebook, prepared.cases)):
        raise Refused(*failed)
    approved_by = await approvers(hash, person.name)
    if len(approved_by) < office.approvals:
        missing = office.approvals - len(approved_by)
        raise Refused(Finding(message=message("publish.approvals_missing", missing=missing)))
    return await publish_rulebook(
        prepared.rulebook, note=note, reason=reason, actor=person.name, approved_by=approved_by
    )


def publication_routes(office: Office) -> Router:
    """``/publish``."""

    async def page(
        request: Web, status: int = 200, problems: tuple[Finding, ...] = (), form: PublicationForm | None = None
    ) -> Response[str]:
        now = datetime.now(office.timezone).replace(second=0, microsecond=0)
        tree = await read_draft()
        hash_now = tree_hash(tree)
        found = findings(tree, now)
        version = await in_force(now)
        named = await _rows()
        return await show(
            request,
            office,
            "publish.html",
            status,
            hash=hash_now,
            empty=not tree.get("rulebook"),
            effective=form.effective if form else "",
            form=form or PublicationForm(hash=hash_now),
            problems=problems,
            findings=[(finding, _row_of(finding.path, named)) for finding in found],
            broken=any(finding.level == "error" for finding in found),
            version=version and version[0],
            changes=differences(version and version[1], tree, now),
            approved_by=await approvers(hash_now),
            editors=sorted(await changes.editors()),
            published=request.query_params.get("published"),
        )

    @get("/publish", guards=[signed_in(Role.office, Role.approver)], include_in_schema=False)
    async def publish_page(request: Web) -> Response[str]:
        return await page(request)

    @post("/publish", guards=[signed_in(Role.office)], include_in_schema=False)
    async def publish_draft(request: Web, data: Annotated[PublicationForm, Form]) -> Response[Any]:
        try:
            effective = read_local(data.effective, office)
            made = await publish(
                office, data.hash, effective, note=data.note, reason=data.reason, person=person_of(request)
            )
        except Refused as refused:
            return await page(request, 409 if isinstance(refused, Stale) else 422, refused.findings, data)
        return Redirect(f"/publish?published={made.number}", status_code=303)

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


def read_local(text: str, office: Office) -> datetime:
    """A local time as a form sends it (``2026-03-01T09:00``), in the office's time zone; nothing means at once."""
    if not text.strip():
        return datetime.now(office.timezone).replace(microsecond=0)
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(Finding(path="effective", message=message("publish.effective"))) from None
    return local if local.tzinfo is not None else local.replace(tzinfo=office.timezone)


Named = Mapping[str, tuple[str, str]]
"""The path of each item of the draft → the page of its row in the panel, and what it is called."""


async def _rows() -> Named:
    held: dict[str, tuple[str, str]] = {
        "holidays": ("/admin/#/draft_days", ""),
        "workdays": ("/admin/#/draft_days", ""),
        "rules": ("/admin/#/draft_rule", ""),
        "standing.tiers": ("/admin/#/draft_tier", ""),
    }
    paths: dict[int, str] = {}

    async def name(table: type[Table], path: Callable[[Any, int], str], called: str = "") -> None:
        """The rows of a table: their path from the row and its number among all, and the column they are known by."""
        rows = placed(await table.objects())
        for at, row in enumerate(rows):
            paths[row.id] = path(row, at)
            held[paths[row.id]] = (f"/admin/#/{table._meta.tablename}/{row.id}", str(getattr(row, called, "")))

    await name(DraftEventType, lambda row, _: f"event_types.{row.code}", "code")
    owners = dict(paths)
    await name(DraftField, lambda row, _: f"{owners[identity(row.event_type)]}.fields.{row.name}", "name")
    await name(DraftIndicator, lambda row, _: f"indicators.{row.code}", "code")
    await name(DraftLimit, lambda row, _: f"limits.{row.code}", "code")
    await name(DraftRule, lambda _, at: f"rules[{at}]", "code")
    rules = dict(paths)
    await name(DraftConsequence, lambda row, _: f"{rules[identity(row.rule)]}.{row.verdict}")
    await name(DraftScorecard, lambda _, at: f"scorecards[{at}]")
    cards, parts = dict(paths), Counter[int]()

    def part(row: Any, _: int) -> str:
        parts[identity(row.scorecard)] += 1
        return f"{cards[identity(row.scorecard)]}.parts[{parts[identity(row.scorecard)] - 1}]"

    await name(DraftPart, part, "title")
    await name(DraftLinkage, lambda row, _: f"standing.linkage.{row.post}", "post")
    await name(DraftTier, lambda _, at: f"standing.tiers.shares[{at}]")
    await name(DraftAward, lambda _, at: f"standing.awards[{at}]", "code")
    return held


def _row_of(path: str, named: Named) -> tuple[str, str]:
    """The panel's page of the row that a finding is about, and its code; the settings where it is about no row."""
    fits = [held for held in named if path == held or path.startswith((f"{held}.", f"{held}["))]
    return named[max(fits, key=len)] if fits else ("/admin/#/draft/1", "")
