"""Publishing the draft (发布): what must hold, what it would change of the past, and the act itself.

Who publishes names the hash of the draft that they mean; where the publication reaches back, also the head of the chain
at which they saw what it changes. After it the draft is the version: the same rules, the same effective time.
"""

import asyncio
import hashlib
from datetime import datetime
from typing import Any

from piccolo.columns import Column

from admin import changes
from admin.approving import approvers
from admin.office import Office
from admin.session import Person
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import canonical_json
from ledger.acts import Publication, publish_rulebook
from ledger.current import get_current
from ledger.desk import Desk, open_desk
from ledger.foreseeing import Foreseen, foresee, standing_since
from rules.draft import Stale, draft_hash, lock_draft
from rules.publishing import Prepared, prepare
from rules.tables import Draft, Version

_PREVIEW = "preview"
_KEPT = 20
_failing: dict[tuple[str, datetime], tuple[Finding, ...]] = {}


class Grown(Stale):
    """The ledger has grown since the preview was made."""


async def publish(
    office: Office,
    hash: str,  # noqa: A002
    effective: datetime,
    *,
    note: str = "",
    reason: str = "",
    person: Person,
    head: str | None = None,
) -> Publication:
    """Publish the draft of this hash as the next version. Refused with findings unless all holds that must.

    Raises:
        Stale: the draft is another by now.
        Grown: ``head`` is given and is not the chain's any more.
    """
    prepared, approved_by = await ready(office, hash, effective, person)
    async with open_desk(get_current()) as desk:
        if head is not None and desk.head.hash != head:
            raise Grown(Finding(message=message("publish.grown")))
        await lock_draft()
        if await draft_hash() != hash:
            raise Stale(Finding(message=message("draft.stale")))
        if not set(approved_by) <= set(await approvers(hash, person.name)):
            raise Stale(Finding(message=message("publish.approval_gone")))
        made = await publish_rulebook(
            prepared.rulebook, note=note, reason=reason, actor=person.name, approved_by=approved_by, desk=desk
        )
        values: dict[Column | str, Any] = {Draft.effective: effective}
        await Draft.update(values, force=True)
        await changes.record_publication(person.name, made.number, made.hash)
    return made


async def ready(
    office: Office,
    hash: str,  # noqa: A002
    effective: datetime,
    person: Person,
) -> tuple[Prepared, tuple[str, ...]]:
    """The draft as it would be published, and whose approval counts. Refused unless it checks, its cases hold and it is
    approved."""
    prepared = await prepare(hash, effective)
    if failed := await failing(office, prepared):
        raise Refused(*failed)
    approved_by = await approvers(hash, person.name)
    if len(approved_by) < office.approvals:
        missing = office.approvals - len(approved_by)
        raise Refused(Finding(message=message("publish.approvals_missing", missing=missing)))
    return prepared, approved_by


async def failing(office: Office, prepared: Prepared) -> tuple[Finding, ...]:
    """The draft's own cases that do not hold. They are run once for each draft and time, beside everything else."""
    if office.check_cases is None or not prepared.cases:
        return ()
    key = (prepared.hash, prepared.rulebook.effective)
    known = _failing.get(key)
    if known is None:
        known = await asyncio.to_thread(office.check_cases, prepared.rulebook, prepared.cases)
        if len(_failing) >= _KEPT:
            _failing.clear()
        _failing[key] = known
    return known


async def reaches(effective: datetime) -> int:
    """How many events that stand a version effective then would score anew."""
    later = await (
        Version.select(Version.effective).where(Version.effective > effective).order_by(Version.effective).first()
    )
    return await standing_since(effective, None if later is None else later["effective"])


async def foresee_publication(prepared: Prepared, effective: datetime, reason: str, person: Person) -> Foreseen:
    """What publishing would change of the past and of the periods that are open."""

    async def carry(desk: Desk) -> int:
        made = await publish_rulebook(prepared.rulebook, reason=reason or _PREVIEW, actor=person.name, desk=desk)
        return made.act

    return await foresee(carry, effective.astimezone(get_current().timezone).date())


def digest(foreseen: Foreseen) -> str:
    """What is the same as long as the same would happen, whatever else was recorded meanwhile."""
    said: Any = [
        foreseen.changes,
        foreseen.events_changed,
        [[each.kind, each.source, each.event, each.period, each.rule, each.subject, str(each.posted),
          each.booked.isoformat()] for each in foreseen.entries],
        [[each.period, each.subject, each.rank_before, each.rank,
          None if each.total is None or each.total_before is None else str(each.total - each.total_before)]
         for each in foreseen.moved],
    ]  # fmt: skip
    return hashlib.sha256(canonical_json(said)).hexdigest()
