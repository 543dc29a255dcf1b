"""The home page (首页): what a signed-in person's roles allow."""

from typing import Any

from litestar import Request, Response, Router, get

from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import refuse_page, show
from admin.tables import Role

_ANYBODY, _SUBJECT = "anybody", "a subject"

_LINKS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("panel", "/admin/", frozenset({Role.office})),
    ("publish", "/publish", frozenset({Role.office, Role.approver})),
    ("entries", "/entries", frozenset({Role.office, Role.approver, Role.auditor, _SUBJECT})),
    ("appeals", "/appeals", frozenset({Role.office, Role.approver, Role.auditor, _SUBJECT})),
    ("periods", "/periods", frozenset({Role.office, Role.approver, Role.auditor})),
    ("receptions", "/receptions", frozenset({Role.office, Role.approver, Role.auditor, Role.integrator})),
    ("acts", "/audit/acts", frozenset({Role.office, Role.approver, Role.auditor})),
    ("versions", "/audit/versions", frozenset({_ANYBODY})),
    ("verification", "/audit/verification", frozenset({Role.office, Role.approver, Role.auditor})),
    ("password", "/password", frozenset({_ANYBODY})),
)
"""What there is, where, and for whom."""


def home_routes(office: Office) -> Router:
    """``/``."""

    @get("/", guards=[signed_in()], include_in_schema=False)
    async def home(request: Request[Any, Any, Any]) -> Response[str]:
        person = person_of(request)
        roles = person.roles | {_ANYBODY} | ({_SUBJECT} if person.subject else frozenset())
        links = [(name, path) for name, path, allowed in _LINKS if allowed & roles]
        return await show(request, office, "home.html", links=links)

    return Router("/", route_handlers=[home], exception_handlers=refuse_page(office))
