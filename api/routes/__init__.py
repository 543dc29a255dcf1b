"""The routes, a noun a file."""

from litestar import Router

from api.problems import PROBLEMS
from api.routes.events import event_routes


def api_routes() -> Router:
    """Everything under ``/api``."""
    return Router("/api", route_handlers=[event_routes], exception_handlers=PROBLEMS)
