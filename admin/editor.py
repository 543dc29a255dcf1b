"""The guided editor of rules (规则编辑): a list, a page for each rule, and what the page asks while somebody types.

A rule is read and saved by itself. What is saved is the one rule that was opened, in one transaction
with its record, and only if nobody changed it meanwhile.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from admin import changes
from admin.case_changes import follow_rule
from admin.editor_scope import next_code, pickers
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import fragment, language_of, refuse_page, show
from admin.rule_conflict import beside
from admin.rule_list import KINDS, Sought, list_rules
from admin.rule_reading import Asked, Reading, Told, picture_of, read_asked, read_tree
from admin.tables import ChangeLog, Role
from engine.finding import Refused
from engine.language import render
from engine.scalar import Raw
from ledger.current import get_current
from rules.draft import snapshot, transaction
from rules.row_values import Document, to_json
from rules.rule_form import Kind, RuleForm
from rules.rule_saving import Changed, SavedRule, delete_rule, move_rule, named_by, rule_hash, save_rule
from rules.rule_scope import DraftScope, Listed, read_one, read_scope, read_scope_now
from rules.tables import DraftRule

Web = Request[Any, Any, Any]

_READERS = (Role.office, Role.approver, Role.auditor)
_BELONGING = ("factors", "limits", "of", "differentiation", "undifferentiated", "differentiated")
"""What stands in rows of its own, and is written down with the rule that it belongs to."""
_MOST = 200_000
"""Bytes that the editor sends at most."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as its page was opened."""

    code: str
    hash: str = ""
    to: int = 1


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the editor's script is told: both forms of the rule, what it says and what is wrong with it."""

    tree: Document | None
    text: str
    form: RuleForm | None
    sentences: tuple[str, ...]
    findings: tuple[Told, ...]
    picture: str
    blocked: bool


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What the page's script begins with."""

    code: str
    hash: str
    writes: bool
    reading: Answer
    pickers: Any


def editor_routes(office: Office) -> Router:
    """``/desk/rules`` and what belongs to it."""

    def answer(request: Web, reading: Reading, scope: DraftScope) -> Answer:
        language = language_of(request)
        picture = picture_of(reading.rule, scope, language)
        return Answer(
            tree=reading.tree,
            text=reading.text,
            form=reading.form,
            sentences=reading.sentences,
            findings=reading.findings,
            picture="" if picture is None else fragment(request, "rule_picture.html", picture=picture),
            blocked=reading.blocked,
        )

    async def page(request: Web, scope: DraftScope, tree: Document | None, reading: Reading) -> Response[str]:
        """The editor's page; no tree: of a new rule."""
        language, person = language_of(request), person_of(request)
        code = "" if tree is None else str(tree["rule"])
        listed = scope.listed(code)
        begun = Page(
            code=code,
            hash=rule_hash(tree),
            writes=Role.office in person.roles,
            reading=answer(request, reading, scope),
            pickers=pickers(scope, get_current().bureau.organisation, language),
        )
        return await show(
            request,
            office,
            "rule_editor.html",
            begun=msgspec.json.encode(begun).decode().replace("<", "\\u003c"),
            code=code,
            title="" if listed is None else listed.title,
            kind=listed.kind if listed else reading.form.kind if reading.form else "event",
            listed=listed,
            count=len(scope.rules),
            named=() if listed is None else await named_by(listed.id),
            before=_neighbour(scope, listed, -1),
            after=_neighbour(scope, listed, 1),
            writes=Role.office in person.roles,
            saved="saved" in request.query_params,
        )

    @get("/desk/rules", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def rules_page(
        request: Web, q: FromQuery[str] = "", kind: FromQuery[str] = "", on: FromQuery[str] = "",
        page: FromQuery[int] = 1,
    ) -> Response[str]:  # fmt: skip
        sought = Sought(q=q.strip()[:200].replace("\0", ""), kind=kind, on=on, page=page)
        found = await list_rules(sought, language_of(request))
        writes = Role.office in person_of(request).roles
        return await show(request, office, "rules.html", found=found, kinds=KINDS, writes=writes)

    @get("/desk/rules/new", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def new_page(request: Web, kind: FromQuery[str] = "", copy: FromQuery[str] = "") -> Response[Any]:
        async with snapshot():
            scope = await read_scope_now()
            source = await read_one(copy, scope) if copy else None
            if not kind and not copy and (own := await read_one("new", scope)) is not None:
                return await page(request, scope, own, read_tree(own, scope, language_of(request)))
        if Role.office not in person_of(request).roles:
            return Redirect("/desk/rules", status_code=303)
        code = next_code(scope, copy)
        if source is not None:
            reading = read_tree({**source, "rule": code}, scope, language_of(request))
        else:
            chosen: Kind = msgspec.convert(kind if kind in KINDS else "event", Kind)
            form = RuleForm(kind=chosen, code=code, among="group" if chosen == "differentiation" else "",
                            progress="rank" if chosen == "progress" else "")  # fmt: skip
            reading = read_asked(Asked(form=form), scope, language_of(request))
        return await page(request, scope, None, reading)

    @get("/desk/rules/{code:str}", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def rule_page(request: Web, code: FromPath[str]) -> Response[str]:
        async with snapshot():
            scope = await read_scope_now()
            tree = await read_one(code, scope)
            if tree is None:
                raise NotFoundException
            return await page(request, scope, tree, read_tree(tree, scope, language_of(request)))

    @post("/desk/editor/reading", guards=[signed_in(*_READERS)], status_code=200, include_in_schema=False)
    async def read(request: Web) -> Response[Any]:
        asked = await _asked(request, Asked)
        scope = await read_scope()
        return _json(answer(request, read_asked(asked, scope, language_of(request)), scope))

    @post("/desk/editor/saving", guards=[signed_in(Role.office)], status_code=200, include_in_schema=False)
    async def save(request: Web) -> Response[Any]:
        asked = await _asked(request, Asked)
        language = language_of(request)
        scope = await read_scope()
        reading = read_asked(asked, scope, language)
        if reading.tree is None or reading.blocked:
            return _json(answer(request, reading, scope), 422)
        try:
            async with transaction():
                saved = await save_rule(reading.tree, asked.code, asked.hash)
                await _record(request, saved)
                if saved.before is not None and saved.before["rule"] != saved.after["rule"]:
                    codes = str(saved.before["rule"]), str(saved.after["rule"])
                    await follow_rule(*codes, person_of(request).name)
        except Changed as changed:
            return await conflict(request, reading.tree, changed.theirs, scope, asked.code)
        except Refused as refused:
            told = tuple(Told(path=each.path, message=render(each.message, language)) for each in refused.findings)
            refused_answer = answer(request, reading, scope)
            merged = (*told, *(each for each in reading.findings if each.path not in {one.path for one in told}))
            return _json(msgspec.structs.replace(refused_answer, findings=merged), 422)
        code = str(saved.after["rule"])
        return _json({"code": code, "hash": saved.hash, "href": f"/desk/rules/{quote(code, safe='')}"})

    async def conflict(
        request: Web, mine: Document, theirs: Document | None, scope: DraftScope, code: str
    ) -> Response[Any]:
        """Both versions, field by field, and who wrote the other."""
        listed = scope.listed(code)
        last = None
        if listed is not None:
            last = (
                await ChangeLog.select(ChangeLog.user, ChangeLog.at)
                .where((ChangeLog.table == "draft_rule") & (ChangeLog.row == str(listed.id)))
                .order_by(ChangeLog.id, ascending=False)
                .first()
            )
        fields = () if theirs is None else beside(theirs, mine, scope)
        html = fragment(request, "rule_conflict.html", fields=fields, gone=theirs is None, last=last, code=code,
                        timezone=office.timezone)  # fmt: skip
        reading = None if theirs is None else read_tree(theirs, scope, language_of(request))
        told = None if reading is None else answer(request, reading, scope)
        return _json({"html": html, "hash": rule_hash(theirs), "gone": theirs is None, "theirs": told}, 409)

    @post("/desk/editor/deletion", guards=[signed_in(Role.office)], status_code=200, include_in_schema=False)
    async def delete(request: Web) -> Response[Any]:
        asked = await _asked(request, Opened)
        try:
            async with transaction():
                saved = await delete_rule(asked.code, asked.hash)
                await _record(request, saved)
        except Refused as refused:
            status = 409 if isinstance(refused, Changed) else 422
            return _json({"message": _said(request, refused)}, status)
        return _json({"href": "/desk/rules"})

    @post("/desk/editor/place", guards=[signed_in(Role.office)], status_code=200, include_in_schema=False)
    async def move(request: Web) -> Response[Any]:
        asked = await _asked(request, Opened)
        try:
            async with transaction():
                moved = await move_rule(asked.code, asked.to)
                before, after = (
                    {"code": asked.code, "title": moved.title, "place": at} for at in (moved.before, moved.after)
                )
                await changes.record(
                    person_of(request).name, "move", DraftRule, moved.id, before, after, owner=asked.code
                )
        except Refused as refused:
            return _json({"message": _said(request, refused)}, 422)
        return _json({"place": moved.after})

    return Router(
        "/",
        route_handlers=[rules_page, new_page, rule_page, read, save, delete, move],
        exception_handlers=refuse_page(office),
    )


async def _record(request: Web, saved: SavedRule) -> None:
    action = "create" if saved.before is None else "change" if saved.after else "delete"
    before, after = _logged(saved.row_before, saved.before), _logged(saved.row_after, saved.after)
    code = str((saved.after or saved.before or {})["rule"])
    await changes.record(person_of(request).name, action, DraftRule, saved.id, before, after, owner=code)


def _logged(row: Mapping[str, Any] | None, tree: Document | None) -> dict[str, Any] | None:
    """A rule as the change log keeps it: the columns of its row, and what belongs to it, each part as one text."""
    if row is None or tree is None:
        return None
    points = tree.get("points")
    belongings = {key: _lines(tree.get(key)) for key in _BELONGING}
    return {**row, **belongings, "schedule": _lines(points if isinstance(points, dict) else None)}


def _lines(value: Raw) -> list[str]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [item if isinstance(item, str) else to_json(item) for item in items]


async def _asked(request: Web, kind: type[Any]) -> Any:
    """What the page's script sends. What is no such thing was not made by our page."""
    body = await request.body()
    if len(body) > _MOST:
        raise ClientException(status_code=413)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError):
        raise ClientException(status_code=400) from None


def _json(content: Any, status: int = 200) -> Response[Any]:
    """An answer to the page's script, numbers with the digits that they have."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json", headers=headers)


def _said(request: Web, refused: Refused) -> str:
    return " ".join(render(finding.message, language_of(request)) for finding in refused.findings)


def _neighbour(scope: DraftScope, listed: Listed | None, step: int) -> str:
    """The code of the rule before or after; empty where there is none."""
    at = 0 if listed is None else listed.place + step
    return scope.rules[at - 1].code if 1 <= at <= len(scope.rules) else ""
