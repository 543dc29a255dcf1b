"""The HTTP application: the routes of every room, on one pool of connections."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import asyncpg
from litestar import Litestar, Response, get
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from litestar.types import ControllerRouterHandler

from admin.office import Office
from admin.registers import registers
from admin.routes import routes as office_routes
from admin.sources import sources
from api import settings as environment
from api.database import borrowed, pooled
from api.describing import Description
from api.engine import PATIENCE
from api.keyring import Keyring
from api.metrics import Meter
from api.opening import database
from api.piccolo_conf import DB
from api.problems import PROBLEMS
from api.routes import api_routes
from api.routes.metrics import get_metrics
from api.routes.rulebook import failing_cases
from api.settings import Settings
from engine.both import BothMatcher
from engine.direct import DirectMatcher
from ledger.connection import LOST
from ledger.current import Current, use_current
from ledger.recording import Recorder
from ledger.simulator import simulator
from ledger.verifier import verifier

log = logging.getLogger("jikao")


@get("/health", sync_to_thread=False, tags=["状态 state"])
def health() -> dict[str, str]:
    """进程状态 / this process answers."""
    return {"status": "ok"}


@get("/ready", tags=["状态 state"])
async def ready() -> Response[dict[str, str]]:
    """就绪状态 / the database answers."""
    try:
        await DB._run_in_pool("SELECT 1")
    except (*LOST, asyncpg.PostgresError) as error:
        log.warning("not ready: %s", error)
        return Response({"status": "unavailable"}, status_code=HTTP_503_SERVICE_UNAVAILABLE)
    return Response({"status": "ok"}, status_code=HTTP_200_OK)


ROUTES: tuple[ControllerRouterHandler, ...] = (health, ready)


def create(settings: Settings | None = None, *, pages: bool = True) -> Litestar:
    """The application on settings whose database is known, else on those of the environment.

    Without ``pages`` it is the interface alone: nobody signs in, and it is made at once.
    """
    settings = settings or environment.read()
    url = database(settings).url
    current = Current(settings.timezone, DirectMatcher if settings.matcher == "direct" else BothMatcher)

    @asynccontextmanager
    async def connections(_: Litestar) -> AsyncIterator[None]:
        async with pooled(url, patience=PATIENCE):  # it may be killed while a worker of ours starts
            use_current(current)
            async with borrowed() as connection:
                await current.refresh(connection)
            yield
            await verifier.stop()
            await simulator.stop()

    office = Office(
        secret=settings.secret,
        timezone=settings.timezone,
        second_persons=settings.approvals,
        check_cases=failing_cases,
    )
    recorder = Recorder(current)
    meter = Meter(recorder)
    return Litestar(
        route_handlers=[
            *ROUTES,
            get_metrics,
            api_routes(),
            *(office_routes(office, [registers(), sources()]) if pages else ()),
        ],
        lifespan=[connections],
        middleware=[meter],
        state=State({"office": office, "recorder": recorder, "keyring": Keyring(), "meter": meter}),
        exception_handlers=PROBLEMS,
        openapi_config=OpenAPIConfig(
            title="绩考 jikao",
            version=version("jikao"),
            path="/api/description",  # its own page for what is not found would stand before ours under /api
            render_plugins=[Description()],
            use_handler_docstrings=True,
        ),
    )
