"""The office's pages on a fresh database: the starter as its draft, and people who sign in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from admin.changes import replace_draft
from admin.office import Office
from admin.panel import Panel, Room, make_panel
from admin.routes import routes
from admin.tables import User
from admin.users import make_user, set_password
from api.embedded import Database
from engine.direct import DirectMatcher
from engine.organisation import TIMEZONE
from ledger.current import Current, use_current
from ledger.filling import read_starter
from ledger.recording import Recorder

PASSWORD = "correct-horse-battery"

SignIn = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as always, only not six hundred thousand times."""
    monkeypatch.setattr(User, "_pbkdf2_iteration_count", 1_000)


@pytest.fixture(autouse=True)
def one_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel is made once: that takes a second, and it holds nothing of a test."""
    monkeypatch.setattr("admin.routes.make_panel", _made)


def _made(office: Office, rooms: Sequence[Room] = ()) -> Panel:
    return make_panel(office, rooms) if rooms else _without_rooms(office.timezone)


@cache
def _without_rooms(timezone: ZoneInfo) -> Panel:
    return make_panel(Office(secret="", timezone=timezone))


async def open_client(stack: AsyncExitStack, app: Any, **headers: str) -> httpx.AsyncClient:
    """A browser's worth of cookies."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    return await stack.enter_async_context(
        httpx.AsyncClient(transport=transport, base_url="http://office.test", headers=headers)
    )


def as_the_panel(client: httpx.AsyncClient) -> Callable[[httpx.Request], Awaitable[None]]:
    """What saves a row has opened it before, as in the panel; ``x-unopened`` leaves that out."""

    async def open_first(request: httpx.Request) -> None:
        left_out = "x-unopened" in request.headers or "if-match" in request.headers
        if request.method == "PATCH" and "/admin/api/tables/" in request.url.path and not left_out:
            opened = await client.get(request.url)
            if "etag" in opened.headers:
                request.headers["if-match"] = opened.headers["etag"]

    return open_first


@pytest.fixture
async def app(pool: Database) -> Litestar:
    """The pages, with the starter as the draft; a publication needs one approval."""
    current = Current(TIMEZONE, DirectMatcher)
    use_current(current)
    raw, _ = read_starter()
    await replace_draft(raw, "somebody")
    return Litestar(
        route_handlers=routes(Office(secret="s" * 40, second_persons=1)),
        state=State({"recorder": Recorder(current)}),
        openapi_config=None,
    )


@pytest.fixture
async def sign_in(app: Litestar) -> AsyncIterator[SignIn]:
    """Make a user of these roles and sign in; the client sends the token of its forms."""
    async with AsyncExitStack() as stack:

        async def signed(name: str, *roles: str, subject: str = "", language: str = "zh-CN") -> httpx.AsyncClient:
            await make_user(name, PASSWORD, roles, subject)
            await set_password(name, PASSWORD, must_change=False)
            client = await open_client(stack, app, **{"accept-language": language})
            await client.get("/login")
            client.headers["x-csrftoken"] = client.cookies["csrftoken"]
            client.event_hooks["request"].append(as_the_panel(client))
            answer = await client.post("/login", data={"username": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            return client

        yield signed


@pytest.fixture
async def browser_of_nobody(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which nobody is signed in."""
    async with AsyncExitStack() as stack:
        yield await open_client(stack, app)
