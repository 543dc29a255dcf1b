"""The routes, a noun a file."""

from litestar import Router

from api.problems import PROBLEMS
from api.routes.acts import act_routes
from api.routes.appeals import appeal_routes, removal_routes
from api.routes.batches import post_batch
from api.routes.docs import docs_files, get_description, get_docs
from api.routes.entries import entry_routes
from api.routes.evaluations import evaluation_routes
from api.routes.events import event_routes
from api.routes.organisation import organisation_routes
from api.routes.periods import period_routes
from api.routes.receptions import reception_routes
from api.routes.rulebook import rulebook_routes
from api.routes.seal import get_records, get_seal
from api.routes.simulation import simulation_routes
from api.routes.standings import standing_routes


def api_routes() -> Router:
    """Everything under ``/api``."""
    return Router(
        "/api",
        route_handlers=[
            event_routes,
            Router("/events", route_handlers=[post_batch], tags=["事件 events"]),
            evaluation_routes,
            entry_routes,
            appeal_routes,
            removal_routes,
            act_routes,
            organisation_routes,
            period_routes,
            rulebook_routes,
            simulation_routes,
            standing_routes,
            reception_routes,
            get_seal,
            get_records,
            get_docs,
            get_description,
            docs_files,
        ],
        exception_handlers=PROBLEMS,
    )
