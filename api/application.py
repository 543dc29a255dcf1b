"""The HTTP application: the routes of every room, on one pool of connections."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from litestar import Litestar, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from litestar.types import ControllerRouterHandler

from api import settings as environment
from api.database import pooled
from api.opening import database
from api.piccolo_conf import DB
from api.settings import Settings

log = logging.getLogger("jikao")


@get("/health", sync_to_thread=False)
def health() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@get("/ready")
async def ready() -> Response[dict[str, str]]:
    """The database answers."""
    try:
        await DB._run_in_pool("SELECT 1")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("not ready: %s", error)
        return Response({"status": "unavailable"}, status_code=HTTP_503_SERVICE_UNAVAILABLE)
    return Response({"status": "ok"}, status_code=HTTP_200_OK)


ROUTES: tuple[ControllerRouterHandler, ...] = (health, ready)


def create(settings: Settings | None = None) -> Litestar:
    """The application on settings whose database is known, else on those of the environment."""
    settings = settings or environment.read()
    url = database(settings).url

    @asynccontextmanager
    async def connections(_: Litestar) -> AsyncIterator[None]:
        async with pooled(url):
            yield

    return Litestar(route_handlers=ROUTES, lifespan=[connections], openapi_config=None)
