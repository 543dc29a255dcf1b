"""Verification on a page (核验页): the seal to be kept elsewhere, and a verification that whoever reads all may start.

One runs at a time; what it came to is kept, with who started it and when.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.tables import Role
from engine.finding import Finding, Refused
from engine.language import message, render
from ledger.reading import reading
from ledger.seal import parse_seals, read_seal
from ledger.verifications import latest
from ledger.verifier import verifier

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

_READERS = (Role.office, Role.approver, Role.auditor)
_SHOWN = 20
"""Verifications that the page lists."""


class SealForm(msgspec.Struct):
    """What the form that starts a verification sends: seals that were noted, if any."""

    seals: str = ""


def verification_routes(office: Office) -> Router:
    """``/audit/verification`` and what belongs to it."""

    async def page(
        request: Web, status: int = 200, problems: tuple[Finding, ...] = (), seals: str = ""
    ) -> Response[str]:
        async with reading() as connection:
            seal = await read_seal(connection)
        runs = await latest(_SHOWN)
        return await show(
            request,
            office,
            "verification.html",
            status,
            seal=seal,
            noted=msgspec.json.encode(seal).decode(),
            run=runs[0] if runs else None,
            earlier=runs[1:],
            problems=problems,
            seals=seals,
        )

    @get("/audit/verification", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def verification_page(request: Web) -> Response[str]:
        return await page(request)

    @get("/audit/verification/seal", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def download() -> Response[bytes]:
        async with reading() as connection:
            seal = await read_seal(connection)
        name = f"jikao-seal-{seal.length}.json"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(msgspec.json.encode(seal) + b"\n", media_type="application/json", headers=headers)

    @get("/audit/verification/progress", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def progress(request: Web) -> Mapping[str, Any]:
        for run in await latest(1):
            stage = render(message(f"verification.stage.{run.stage}"), language_of(request))
            return {"running": run.running, "stage": stage, "percent": run.percent}
        return {"running": False}

    @post("/audit/verification", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def begin(request: Web, data: Annotated[SealForm, Form]) -> Response[Any]:
        try:
            seals = parse_seals(data.seals.encode()) if data.seals.strip() else ()
        except Refused as refused:
            return await page(request, 422, refused.findings, data.seals)
        async with reading() as connection:
            length = (await read_seal(connection)).length
        await verifier.start(office.timezone, length, seals, person_of(request).name)
        return Redirect("/audit/verification", status_code=303)

    return Router(
        "/", route_handlers=[verification_page, download, progress, begin], exception_handlers=refuse_page(office)
    )
