"""The page of keys (接口密钥): which there are; the office makes and revokes them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from admin.guard import person_of, signed_in
from admin.keys import SCOPES, list_keys, make_key, revoke_key
from admin.office import Office
from admin.page import draw, refuse_page
from admin.readers import READERS
from admin.tables import Role, Source
from engine.finding import Finding, Refused
from engine.language import message

Web = Request[Any, Any, Any]

_USUAL = ("events:write",)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A key as the form asks for it; ``expires`` is a date."""

    name: str = ""
    scopes: tuple[str, ...] = _USUAL
    source: str = ""
    expires: str = ""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made, with its text: the only time that it is shown."""

    name: str
    text: str


def key_routes(office: Office) -> Router:
    """``/keys`` and what belongs to it."""

    async def page(
        request: Web, status: int = 200, problems: Sequence[Finding] = (), wanted: Wanted | None = None,
        made: Made | None = None, revoked: str | None = None,
    ) -> Response[str]:  # fmt: skip
        keys = await list_keys()
        now = datetime.now(UTC)
        return draw(
            request,
            office,
            "keys.html",
            status,
            keys=sorted(keys, key=lambda key: (key.state(now) != "valid", key.name)),
            at=now,
            sources=await Source.select(Source.code, Source.title).order_by(Source.code),
            scopes=SCOPES,
            wanted=wanted or Wanted(),
            problems=problems,
            made=made,
            revoked=revoked if revoked in {key.name for key in keys} else None,
            server=str(request.base_url).rstrip("/"),
        )

    @get("/keys", guards=[signed_in(*READERS, Role.integrator)], include_in_schema=False)
    async def keys_page(request: Web, revoked: FromQuery[str | None] = None) -> Response[str]:
        return await page(request, revoked=revoked)

    @post("/keys", guards=[signed_in(Role.office)], include_in_schema=False)
    async def make(request: Web) -> Response[str]:
        form = await request.form()
        given = {name: str(form.get(name) or "").strip() for name in ("name", "source", "expires")}
        wanted = Wanted(**given, scopes=tuple(str(scope) for scope in form.getall("scope", [])))
        try:
            text = await make_key(
                wanted.name,
                wanted.scopes,
                source=wanted.source or None,
                expires_at=_midnight(wanted.expires, office),
                made_by=person_of(request).name,
            )
        except Refused as refused:
            return await page(request, 422, refused.findings, wanted)
        return await page(request, 201, made=Made(name=wanted.name, text=text))

    @post("/keys/{name:str}/revocation", guards=[signed_in(Role.office)], include_in_schema=False)
    async def revoke(request: Web, name: FromPath[str]) -> Response[Any]:
        try:
            await revoke_key(name, person_of(request).name)
        except Refused as refused:
            return await page(request, 404, refused.findings)
        return Redirect("/keys", query_params={"revoked": name}, status_code=303)

    return Router("/", route_handlers=[keys_page, make, revoke], exception_handlers=refuse_page(office))


def _midnight(day: str, office: Office) -> datetime | None:
    """The beginning of a date; None of nothing."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(), office.timezone)
    except ValueError:
        raise Refused(Finding(path="/expires", message=message("key.wrong_day"))) from None
