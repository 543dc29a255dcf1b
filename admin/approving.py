"""Approving the draft (审批): who may, whose approval counts, and why another's does not.

An approval counts while all of this holds: the draft is the one that was approved and nobody has changed it since, not
even to and fro; who approved it neither edited it nor publishes it, by their own hand or by a key that they made; and
they may still sign in and are still an approver; and neither they nor their department gain or lose by it
(:mod:`admin.interests`).
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal

import msgspec

from admin import changes
from admin.interests import Touched, interest, touched_by_draft
from admin.session import Person
from admin.tables import ApiKey, Approval, ChangeLog, Role, User, UserRole
from engine.finding import Finding, Refused
from engine.language import message
from rules.draft import Stale, findings, lock_draft, read_draft, tree_hash

KEY = "key:"
"""How the name of somebody who comes in with a key begins."""

State = Literal["approved", "open", "edited", "interested", "withdrawn", "no_approver"]


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """An approver, or somebody who approved: whether they count, or why they do not.

    ``open``: they may approve and have not. ``edited``: they edited the draft. ``interested``: they or their department
    gain or lose by it. ``withdrawn``: it was changed after they approved it. ``no_approver``: they approved it and are
    no approver any more, or may not sign in.
    """

    name: str
    state: State


async def approvers(hash: str, publisher: str = "") -> tuple[str, ...]:  # noqa: A002
    """Those whose approval of this draft counts; ``publisher`` is no second person."""
    excluded = await hands({publisher})
    return tuple(each.name for each in await voices(hash) if each.state == "approved" and each.name not in excluded)


async def voices(hash: str) -> tuple[Voice, ...]:  # noqa: A002
    """Every approver, and whoever approved the draft since the last publication, with what their word is worth."""
    edited, latest, able = await editors(), await changes.latest_change(), await approvers_now()
    given = await Approval.select(Approval.user, Approval.hash, Approval.change).where(Approval.hash == hash)
    held = {row["user"] for row in given if row["change"] == latest}
    earlier = {row["user"] for row in given} | await _approved_before(latest)
    interested = await _interested(able)
    return tuple(
        Voice(name=name, state="interested")
        if name in interested and name not in edited
        else Voice(name=name, state=_state(name in edited, name in held, name in earlier, name in able))
        for name in sorted({*able, *held})
    )


async def _interested(names: Collection[str]) -> set[str]:
    """Of these users those who may not approve the draft, for their own benefit."""
    rows = await User.select(User.username, User.subject).where(User.username.is_in([*names, ""]))
    subjects = {row["username"]: row["subject"] for row in rows if row["subject"]}
    found = await touched_by_draft() if subjects else Touched()
    return {name for name, subject in subjects.items() if await interest(subject, found) is not None}


def _state(edited: bool, held: bool, earlier: bool, able: bool) -> State:
    if not able:
        return "no_approver"
    if edited:
        return "edited"
    if held:
        return "approved"
    return "withdrawn" if earlier else "open"


async def _approved_before(latest: int) -> set[str]:
    """Who approved what the draft was before, since it was last published."""
    mark = (
        await ChangeLog.select(ChangeLog.id)
        .where(ChangeLog.action == changes.PUBLISHED)
        .order_by(ChangeLog.id, ascending=False)
        .first()
    )
    since = 0 if mark is None else mark["id"]
    rows = await Approval.select(Approval.user).where((Approval.change > since) & (Approval.change < latest))
    return {row["user"] for row in rows}


async def approve(hash: str, person: Person) -> None:  # noqa: A002
    """Approve the draft as it stands. Refused where it has changed since, cannot be published, or the person had a hand
    in it or is no approver."""
    async with Approval._meta.db.transaction(allow_nested=True):
        await lock_draft()
        tree = await read_draft()
        if hash != tree_hash(tree):
            raise Stale(Finding(message=message("draft.stale")))
        if broken := [finding for finding in findings(tree, datetime.now(UTC)) if finding.level == "error"]:
            raise Refused(Finding(message=message("publish.approve_broken")), *broken)
        if person.name in await editors():
            raise Refused(Finding(message=message("publish.own_edit")))
        if person.subject and (why := await interest(person.subject, await touched_by_draft())) is not None:
            raise Refused(Finding(message=why))
        if person.name not in await approvers_now():
            raise Refused(Finding(message=message("publish.no_approver")))
        seen = await changes.latest_change()
        known = (Approval.hash == hash) & (Approval.user == person.name) & (Approval.change == seen)
        if not await Approval.exists().where(known):
            await Approval(hash=hash, user=person.name, change=seen).save()


async def editors() -> frozenset[str]:
    """Everybody who edited the draft since the last publication, by their own hand or by a key that they made."""
    return await hands(await changes.editors())


async def hands(names: Collection[str]) -> frozenset[str]:
    """The names, and whoever made the keys among them."""
    keys = [name.removeprefix(KEY) for name in names if name.startswith(KEY)]
    made = await ApiKey.select(ApiKey.made_by).where(ApiKey.name.is_in(keys)).output(as_list=True) if keys else []
    return frozenset({*names, *made} - {""})


async def approvers_now() -> frozenset[str]:
    """Who may sign in and is an approver."""
    rows = await UserRole.select(UserRole.user.username.as_alias("name")).where(
        (UserRole.role == Role.approver) & (UserRole.user.active == True)  # noqa: E712
    )
    return frozenset(row["name"] for row in rows)
