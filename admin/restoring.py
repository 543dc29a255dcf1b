"""Going back (回到旧版): an old version becomes the draft. What the draft says beyond it would be lost, and is shown.

A version holds rules and no cases: the draft keeps its own. Versions never change; publishing makes a new one.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath
from litestar.response import Redirect

from admin.changes import replace_draft
from admin.comparing import Compared, compare_sides
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.tables import Role
from engine.finding import Finding, Refused
from engine.language import message
from rules.draft import Stale, read_draft, tree_hash
from rules.sides import NoSide, Side, read_side, read_tree

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class RestoreForm(msgspec.Struct):
    """What the form sends: the hash of the draft that is given up."""

    hash: str


async def restore(number: int, hash: str, user: str) -> str:  # noqa: A002
    """Make the draft what the version says, with the cases that it has; the new hash. The change log names the version.

    Raises:
        NoSide: there is no such version.
        Stale: the draft is not the one of this hash any more.
    """
    side = await read_side(str(number))
    tree = await read_draft()
    if tree_hash(tree) != hash:
        raise Stale(Finding(message=message("draft.stale")))
    document = {**side.document, **({"cases": tree["cases"]} if tree.get("cases") else {})}
    return await replace_draft(document, user, replacing=hash, version=number)


def restoring_routes(office: Office) -> Router:
    """``/desk/versions/{number}/draft``."""

    async def page(request: Web, number: int, status: int = 200, problems: tuple[Finding, ...] = ()) -> Response[str]:
        side = await _find(number)
        tree = await read_draft()
        compared: Compared | None = None
        unreadable: tuple[Finding, ...] = ()
        try:
            compared = compare_sides(read_tree(tree), side, language_of(request), most=200)
        except NoSide:
            pass
        except Refused as refused:
            unreadable = refused.findings
        cases = tree.get("cases")
        return await show(
            request,
            office,
            "restore.html",
            status,
            side=side,
            hash=tree_hash(tree),
            empty=not tree.get("rulebook"),
            compared=compared,
            unreadable=unreadable,
            cases=len(cases) if isinstance(cases, list) else 0,
            problems=problems,
        )

    @get("/desk/versions/{number:int}/draft", guards=[signed_in(Role.office)], include_in_schema=False)
    async def restore_page(request: Web, number: FromPath[int]) -> Response[str]:
        return await page(request, number)

    @post("/desk/versions/{number:int}/draft", guards=[signed_in(Role.office)], include_in_schema=False)
    async def restore_version(request: Web, number: FromPath[int], data: Annotated[RestoreForm, Form]) -> Response[Any]:
        await _find(number)
        try:
            await restore(number, data.hash, person_of(request).name)
        except Refused as refused:
            return await page(request, number, 409 if isinstance(refused, Stale) else 422, refused.findings)
        return Redirect(f"/publish?restored={number}", status_code=303)

    return Router("/", route_handlers=[restore_page, restore_version], exception_handlers=refuse_page(office))


async def _find(number: int) -> Side:
    try:
        return await read_side(str(number))
    except Refused as refused:
        raise NotFoundException from refused
