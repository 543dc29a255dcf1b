"""The rule desk (规则工作台): its first page, with what stands now and how far the draft is on its way."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from litestar import Request, Response, Router, get

from admin.approving import approvers
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import refuse_page, show
from admin.readers import READERS
from admin.tables import ChangeLog, Role
from rules.draft import findings, read_draft, tree_hash
from rules.publishing import differences, in_force
from rules.rows import Document, from_json
from rules.tables import Version

Web = Request[Any, Any, Any]

State = Literal["done", "now", "later", "free"]
STEPS = ("draft", "check", "simulate", "approve", "publish")


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A version: its number and from when it rules."""

    number: int
    effective: datetime


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands now.

    ``changes`` count against the version in force, ``unpublished`` against the latest one, which may be still to come
    (``ahead``: those that are, the next first). ``given`` and ``needed`` are approvals.
    """

    hash: str
    empty: bool
    rules: int
    cases: int
    errors: int
    warnings: int
    changes: int
    unpublished: int
    given: int
    needed: int
    ruling: Published | None
    ahead: tuple[Published, ...]
    versions: int
    last_change: tuple[str, datetime] | None

    @property
    def steps(self) -> tuple[tuple[str, State], ...]:
        """How far the draft is: each step with its state; trying is free, and never in the way."""
        reached: list[tuple[str, bool]] = [
            ("draft", self.unpublished > 0 and not self.empty),
            ("check", not self.errors),
            ("approve", self.given >= self.needed),
        ]
        states: dict[str, State] = {"simulate": "free" if self._goes_on(reached[:2]) else "later"}
        going = True
        for name, holds in reached:
            states[name] = ("done" if holds else "now") if going else "later"
            going = going and holds
        states["publish"] = "now" if going else "later"
        return tuple((name, states[name]) for name in STEPS)

    def _goes_on(self, reached: Sequence[tuple[str, bool]]) -> bool:
        return all(holds for _, holds in reached)


def desk_routes(office: Office) -> Router:
    """``/desk``."""

    @get("/desk", guards=[signed_in(*READERS)], include_in_schema=False)
    async def desk(request: Web) -> Response[str]:
        roles = person_of(request).roles
        return await show(request, office, "desk.html", facts=await facts(office), edits=Role.office in roles)

    return Router("/", route_handlers=[desk], exception_handlers=refuse_page(office))


async def facts(office: Office) -> Facts:
    """What the first page tells."""
    now = datetime.now(office.timezone)
    tree = await read_draft()
    hash_now, found = tree_hash(tree), findings(tree, now)
    errors = sum(each.level == "error" for each in found)
    held = await in_force(now)
    rows = await Version.select(Version.number, Version.effective).order_by(Version.number, ascending=False)
    ahead = [Published(number=row["number"], effective=row["effective"]) for row in rows if row["effective"] > now]
    ruling = None if held is None else next(row for row in rows if row["number"] == held[0])
    latest = None if not rows else await _document(rows[0]["number"])
    last = await ChangeLog.select(ChangeLog.user, ChangeLog.at).order_by(ChangeLog.id, ascending=False).first()
    return Facts(
        hash=hash_now,
        empty=not tree.get("rulebook"),
        rules=_count(tree, "rules"),
        cases=_count(tree, "cases"),
        errors=errors,
        warnings=len(found) - errors,
        changes=len(differences(held and held[1], tree, now)),
        unpublished=len(differences(latest, tree, now)) if not errors else 1,
        given=len(await approvers(hash_now)),
        needed=office.approvals,
        ruling=None if ruling is None else Published(number=ruling["number"], effective=ruling["effective"]),
        ahead=tuple(sorted(ahead, key=lambda each: each.effective.astimezone(UTC))),
        versions=len(rows),
        last_change=None if last is None else (last["user"], last["at"]),
    )


def _count(tree: Document, name: str) -> int:
    held = tree.get(name)
    return len(held) if isinstance(held, list) else 0


async def _document(number: int) -> Document:
    row = await Version.select(Version.document).where(Version.number == number).first()
    assert row is not None
    document = from_json(row["document"])
    assert isinstance(document, dict)
    return document
