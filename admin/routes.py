"""The routes of the office's pages and of the panel (路由)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from litestar import Request, asgi
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from admin.acts import act_routes
from admin.appeals import appeal_routes
from admin.audit import audit_routes
from admin.change_log import change_routes
from admin.comparing import comparison_routes
from admin.decisions import decision_routes
from admin.desk import desk_routes
from admin.desk_cases import case_routes
from admin.editor import editor_routes
from admin.entries import entry_routes
from admin.exchange import exchange_routes
from admin.guard import find_person
from admin.hits import hits_routes
from admin.home import home_routes
from admin.key_pages import key_routes
from admin.login import login_routes
from admin.office import Office
from admin.page import HERE, refuse_page, show
from admin.panel import ASKED_HOST, Room, make_panel
from admin.periods import period_routes
from admin.precedents import precedent_routes
from admin.publication import publication_routes
from admin.reconciliation import reconciliation_routes
from admin.restoring import restoring_routes
from admin.rule_cases import rule_case_routes
from admin.session import use_secret
from admin.simulations import simulation_routes
from admin.tables import Role
from admin.verification import verification_routes
from admin.versions import version_routes
from engine.language import message

_CLOSED = ("/public/login", "/public/docs", "/public/openapi", "/api/change-password", "/api/docs", "/api/openapi",
           "/openapi")  # fmt: skip
"""What the panel brings along and we do not want: its own sign-in, and pages that load from elsewhere."""


def routes(office: Office, rooms: Sequence[Room] = ()) -> list[ControllerRouterHandler]:
    """Every route of this room; ``rooms`` have tables of their own to show in the panel."""
    use_secret(office.secret)
    return [
        create_static_files_router("/static", [HERE / "static"], include_in_schema=False),
        login_routes(office),
        home_routes(office),
        publication_routes(office),
        entry_routes(office),
        audit_routes(office),
        appeal_routes(office),
        decision_routes(office),
        act_routes(office),
        version_routes(office),
        period_routes(office),
        reconciliation_routes(office),
        verification_routes(office),
        editor_routes(office),
        simulation_routes(office),
        panel_route(office, rooms),
        desk_routes(office),
        comparison_routes(office),
        restoring_routes(office),
        change_routes(office),
        hits_routes(office),
        case_routes(office),
        precedent_routes(office),
        rule_case_routes(office),
        exchange_routes(office),
        key_routes(office),
    ]


def panel_route(office: Office, rooms: Sequence[Room]) -> ControllerRouterHandler:
    """The panel, for the office only."""
    panel: Any = make_panel(office, rooms)

    @asgi("/admin", is_mount=True, copy_scope=True, exception_handlers=refuse_page(office))
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        path = "/" + str(scope["path"]).strip("/")
        person = await find_person(request)
        page = path in ("/", "/admin")
        answer: Any = None
        if any(path.startswith(closed) for closed in _CLOSED):
            answer = await show(request, office, "refused.html", 404, reason=message("page.not_found"))
        elif page and person is None:
            answer = Redirect(f"/login?next={quote('/admin/')}", status_code=303)
        elif person is not None and person.must_change_password:
            answer = Redirect("/password", status_code=303)
        elif page and person is not None and Role.office not in person.roles:
            answer = await show(request, office, "refused.html", 403, reason=message("page.not_yours"))
        if answer is None:
            ASKED_HOST.set(request.url.hostname)
            await panel(scope, receive, send)
            return
        await answer.to_asgi_response(None, request)(scope, receive, send)

    return mounted
