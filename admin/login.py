"""Signing in and out (登录、退出), one door for every role."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect
from piccolo_api.rate_limiting.middleware import InMemoryLimitProvider, RateLimitError

from admin.guard import own_form, person_of, signed_in
from admin.office import Office
from admin.page import LANGUAGE_COOKIE, local_path, refuse_page, show
from admin.session import COOKIE, LIFETIME, SessionRow
from admin.users import set_password, verify
from engine.finding import Refused
from engine.language import message

Web = Request[Any, Any, Any]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)

SPAN = 300
TRIES_OF_A_NAME = 8
TRIES_OF_AN_ADDRESS = 100


class Credentials(msgspec.Struct):
    """What the sign-in form sends."""

    username: str = ""
    password: str = ""
    next: str = "/"


class NewPassword(msgspec.Struct):
    """What the password form sends."""

    current: str = ""
    new: str = ""
    again: str = ""


class Limiter:
    """Slows guessing down: failures of a name from an address, and of an address, within five minutes.

    A whole office may sit behind one address, so that one person's mistakes do not lock out the others.
    """

    def __init__(self) -> None:
        self._names = InMemoryLimitProvider(timespan=SPAN, limit=TRIES_OF_A_NAME, block_duration=SPAN)
        self._addresses = InMemoryLimitProvider(timespan=SPAN, limit=TRIES_OF_AN_ADDRESS, block_duration=SPAN)

    def blocked(self, address: str, name: str) -> bool:
        """Whether no more tries are heard for now."""
        return self._names.is_already_blocked(f"{address} {name}") or self._addresses.is_already_blocked(address)

    def failed(self, address: str, name: str) -> None:
        """One more failure."""
        for provider, key in ((self._names, f"{address} {name}"), (self._addresses, address)):
            try:
                provider.increment(key)
            except RateLimitError:
                continue


def login_routes(office: Office) -> Router:
    """``/login``, ``/logout``, ``/password`` and ``/language``."""
    limiter = Limiter()

    @get("/login", include_in_schema=False)
    async def login_page(request: Web, next: FromQuery[str] = "/", changed: FromQuery[bool] = False) -> Response[str]:  # noqa: A002
        return await show(request, office, "login.html", next=local_path(next), problem=None, name="", changed=changed)

    @post("/login", guards=[own_form], include_in_schema=False)
    async def login(request: Web, data: Annotated[Credentials, Form]) -> Response[Any]:
        async def again(problem: str, status: int) -> Response[str]:
            return await show(
                request,
                office,
                "login.html",
                status,
                next=local_path(data.next),
                problem=problem,
                name=data.username,
                changed=False,
            )

        address = request.client.host if request.client else ""
        if limiter.blocked(address, data.username):
            return await again("login.too_often", 429)
        user = await verify(data.username, data.password)
        if user is None:
            limiter.failed(address, data.username)
            return await again("login.wrong", 401)
        if old := request.cookies.get(COOKIE):
            await SessionRow.remove_session(old)
        await SessionRow.sweep()
        opened = await SessionRow.create_session(user)
        cookie = Cookie(
            COOKIE,
            value=opened.token,
            path="/",
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
            max_age=int(LIFETIME.total_seconds()),
        )
        return Redirect(local_path(data.next), status_code=303, cookies=[cookie])

    @post("/logout", guards=[own_form], include_in_schema=False)
    async def logout(request: Web) -> Response[Any]:
        if token := request.cookies.get(COOKIE):
            await SessionRow.remove_session(token)
        return Redirect("/login", status_code=303, cookies=[Cookie(COOKIE, value="", path="/", max_age=0)])

    @get("/password", guards=[signed_in(before_password_change=True)], include_in_schema=False)
    async def password_page(request: Web) -> Response[str]:
        return await show(request, office, "password.html", problem=None)

    @post("/password", guards=[signed_in(before_password_change=True)], include_in_schema=False)
    async def password(request: Web, data: Annotated[NewPassword, Form]) -> Response[Any]:
        person = person_of(request)
        address = request.client.host if request.client else ""
        problem = None
        if limiter.blocked(address, person.name):
            problem = message("login.too_often")
        elif await verify(person.name, data.current) is None:
            limiter.failed(address, person.name)
            problem = message("login.wrong_current")
        elif data.new != data.again:
            problem = message("login.not_equal")
        elif data.new == data.current:
            problem = message("login.same_password")
        if problem is None:
            try:
                await set_password(person.name, data.new, must_change=False)
            except Refused as refused:
                problem = refused.findings[0].message
        if problem is not None:
            return await show(request, office, "password.html", 422, problem=problem)
        return Redirect("/login?changed=1", status_code=303, cookies=[Cookie(COOKIE, value="", path="/", max_age=0)])

    @get("/language/{code:str}", include_in_schema=False)
    async def language(request: Web, code: FromPath[str], next: FromQuery[str] = "/") -> Response[Any]:  # noqa: A002
        chosen = "en" if code == "en" else "zh-CN"
        cookie = Cookie(
            LANGUAGE_COOKIE,
            value=chosen,
            path="/",
            max_age=365 * 86400,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return Redirect(local_path(next), status_code=303, cookies=[cookie])

    return Router(
        "/",
        route_handlers=[login_page, login, logout, password_page, password, language],
        exception_handlers=refuse_page(office),
    )
