"""Verification on a page (核验页): the seal to be kept elsewhere, and a verification that whoever reads all may start.

One runs at a time in a process; its result is kept until the next one, with who started it and when.
"""

import asyncio
import gc
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect
from piccolo.engine import engine_finder

from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.tables import Role
from engine.finding import Finding, Refused
from engine.language import message, render
from ledger import clock
from ledger.difference import Seal, Verdict
from ledger.reading import reading
from ledger.seal import parse_seals, read_seal
from ledger.verification import Stage, processes_for, verify

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

_READERS = (Role.office, Role.approver, Role.auditor)
_log = logging.getLogger("jikao.verification")


class SealForm(msgspec.Struct):
    """What the form that starts a verification sends: seals that were noted, if any."""

    seals: str = ""


class Run(msgspec.Struct, kw_only=True):
    """A verification: who started it and when, how far it is, and what it came to."""

    by: str
    at: datetime
    seals: tuple[Seal, ...] = ()
    stage: Stage = "chain"
    done: int = 0
    of: int = 0
    verdict: Verdict | None = None
    failed: bool = False

    @property
    def running(self) -> bool:
        """Whether it is not done yet."""
        return self.verdict is None and not self.failed

    @property
    def percent(self) -> int:
        """How much of the stage is done."""
        return 100 * self.done // self.of if self.of else 0

    def advance(self, stage: Stage, done: int, of: int) -> None:
        """So far it is."""
        self.stage, self.done, self.of = stage, done, of


class Verifier:
    """The verification of this process."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, office: Office, length: int, by: str, seals: tuple[Seal, ...]) -> None:
        """Start one, unless one is running."""
        if self.run is None or not self.run.running:
            self.run = run = Run(by=by, at=clock.now(), seals=seals)
            self._task = asyncio.create_task(self._verify(office, length, run))

    async def stop(self) -> None:
        """Leave a verification that is running; the process ends."""
        if self._task is None:
            return
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        self.run = self._task = None
        gc.collect()  # what its processes shared is given back before a signal ends this one

    async def _verify(self, office: Office, length: int, run: Run) -> None:
        database: Any = engine_finder()
        try:
            run.verdict = await verify(
                database.config["dsn"],
                office.timezone,
                seals=run.seals,
                progress=run.advance,
                processes=max(1, processes_for(length)),  # never in this process, which serves
            )
        except Exception:  # noqa: BLE001  (told on the page, and whole in the log)
            _log.exception("verification failed")
            run.failed = True


verifier = Verifier()
"""One a process."""


def verification_routes(office: Office) -> Router:
    """``/audit/verification`` and what belongs to it."""

    async def page(
        request: Web, status: int = 200, problems: tuple[Finding, ...] = (), seals: str = ""
    ) -> Response[str]:
        async with reading() as connection:
            seal = await read_seal(connection)
        return await show(
            request,
            office,
            "verification.html",
            status,
            seal=seal,
            noted=msgspec.json.encode(seal).decode(),
            run=verifier.run,
            timezone=office.timezone,
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
        run = verifier.run
        if run is None:
            return {"running": False}
        stage = render(message(f"verification.stage.{run.stage}"), language_of(request))
        return {"running": run.running, "stage": stage, "percent": run.percent}

    @post("/audit/verification", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def begin(request: Web, data: Annotated[SealForm, Form]) -> Response[Any]:
        try:
            seals = parse_seals(data.seals.encode()) if data.seals.strip() else ()
        except Refused as refused:
            return await page(request, 422, refused.findings, data.seals)
        async with reading() as connection:
            length = (await read_seal(connection)).length
        verifier.start(office, length, person_of(request).name, seals)
        return Redirect("/audit/verification", status_code=303)

    return Router(
        "/", route_handlers=[verification_page, download, progress, begin], exception_handlers=refuse_page(office)
    )
