"""The home page (首页): what a signed-in person's roles allow."""

from typing import Any

from litestar import Request, Response, Router, get

from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import refuse_page, show
from admin.tables import Role

_LINKS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("panel", "/admin/", frozenset({Role.office})),
    ("publish", "/publish", frozenset({Role.office, Role.approver})),
    ("entries", "/entries", frozenset({Role.office, Role.approver, Role.auditor, Role.assessor, Role.subject})),
    ("password", "/password", frozenset(Role)),
)
"""What there is, where, and for whom."""


def home_routes(office: Office) -> Router:
    """``/``."""

    @get("/", guards=[signed_in()], include_in_schema=False)
    async def home(request: Request[Any, Any, Any]) -> Response[str]:
        roles = person_of(request).roles
        links = [(name, path) for name, path, allowed in _LINKS if allowed & roles or name == "password"]
        return await show(request, office, "home.html", links=links)

    return Router("/", route_handlers=[home], exception_handlers=refuse_page(office))
