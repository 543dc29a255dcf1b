"""The home page (首页): what a signed-in person's roles allow."""

from typing import Any

from litestar import Request, Response, Router, get

from admin.guard import person_of, signed_in
from admin.menu import items_for
from admin.office import Office
from admin.page import refuse_page, show
from admin.readers import sight_of
from admin.tables import Role


def home_routes(office: Office) -> Router:
    """``/``."""

    @get("/", guards=[signed_in()], include_in_schema=False)
    async def home(request: Request[Any, Any, Any]) -> Response[str]:
        person = person_of(request)
        lost = sight_of(person).blind and bool(person.roles & {Role.assessor, Role.subject})
        return await show(request, office, "home.html", items=items_for(person), lost=lost)

    return Router("/", route_handlers=[home], exception_handlers=refuse_page(office))
