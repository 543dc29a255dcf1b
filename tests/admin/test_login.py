"""Signing in: who comes in, who does not, and what ends a session."""

from datetime import datetime, timedelta

import httpx
import pytest

from admin.login import SPAN, TRIES_OF_A_NAME, Limiter
from admin.page import local_path, preferred
from admin.session import SessionRow
from admin.tables import User, UserRole
from admin.users import list_users, make_first_administrator, make_user, set_password, set_roles
from engine.finding import Refused
from tests.admin.conftest import PASSWORD, SignIn
from tests.processes import Server

pytestmark = pytest.mark.anyio


async def enter(client: httpx.AsyncClient, name: str, password: str, **further: str) -> httpx.Response:
    await client.get("/login")
    token = client.cookies["csrftoken"]
    return await client.post("/login", data={"username": name, "password": password, "csrftoken": token, **further})


async def test_a_right_password_opens_a_session_and_a_wrong_one_does_not(browser_of_nobody: httpx.AsyncClient) -> None:
    await make_user("zhang", PASSWORD, ["auditor"])
    await set_password("zhang", PASSWORD, must_change=False)
    wrong = await enter(browser_of_nobody, "zhang", PASSWORD + "x")
    assert wrong.status_code == 401
    assert "用户名或密码不正确" in wrong.text
    assert "id" not in browser_of_nobody.cookies
    unknown = await enter(browser_of_nobody, "nobody", PASSWORD)
    assert unknown.status_code == 401
    right = await enter(browser_of_nobody, "zhang", PASSWORD, next="/entries")
    assert (right.status_code, right.headers["location"]) == (303, "/entries")
    assert (await browser_of_nobody.get("/")).status_code == 200


async def test_nobody_is_sent_to_the_sign_in(browser_of_nobody: httpx.AsyncClient) -> None:
    for path in ("/", "/publish", "/entries", "/password", "/audit/entries/1", "/admin/"):
        answer = await browser_of_nobody.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login?next=/"), path


async def test_a_form_of_another_site_is_refused(browser_of_nobody: httpx.AsyncClient) -> None:
    await make_user("zhang", PASSWORD)
    without = await browser_of_nobody.post("/login", data={"username": "zhang", "password": PASSWORD})
    assert without.status_code == 403
    browser_of_nobody.cookies.set("csrftoken", "planted")
    planted = await browser_of_nobody.post(
        "/login", data={"username": "zhang", "password": PASSWORD, "csrftoken": "planted"}
    )
    assert planted.status_code == 403


async def test_the_first_password_must_be_changed_before_anything_else(browser_of_nobody: httpx.AsyncClient) -> None:
    password = await make_first_administrator()
    assert password is not None
    assert await make_first_administrator() is None
    await enter(browser_of_nobody, "admin", password)
    for path in ("/", "/admin/", "/publish", "/admin/api/tables/draft_rule/"):
        answer = await browser_of_nobody.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/password"), path
    token = browser_of_nobody.cookies["csrftoken"]
    same = await browser_of_nobody.post(
        "/password", data={"current": password, "new": password, "again": password, "csrftoken": token}
    )
    assert same.status_code == 422
    short = await browser_of_nobody.post(
        "/password", data={"current": password, "new": "short", "again": "short", "csrftoken": token}
    )
    assert "10–128" in short.text
    changed = await browser_of_nobody.post(
        "/password", data={"current": password, "new": PASSWORD, "again": PASSWORD, "csrftoken": token}
    )
    assert changed.status_code == 303
    await enter(browser_of_nobody, "admin", PASSWORD)
    assert (await browser_of_nobody.get("/admin/")).status_code == 200


@pytest.mark.parametrize("end", ["password", "roles", "role row", "inactive", "old", "signed out"])
async def test_a_session_ends_at_once(sign_in: SignIn, end: str) -> None:
    client = await sign_in("zhang", "auditor")
    assert (await client.get("/")).status_code == 200
    if end == "password":
        await User.update_password("zhang", "another-password")
    elif end == "roles":
        await set_roles("zhang", ["auditor", "assessor"])
    elif end == "role row":
        await UserRole.delete(force=True)
    elif end == "inactive":
        await User.update({User.active: False}, force=True)
    elif end == "old":
        past = datetime.now() - timedelta(seconds=1)  # noqa: DTZ005
        await SessionRow.update({SessionRow.expiry_date: past}, force=True)
    else:
        await client.post("/logout")
    assert (await client.get("/")).status_code == 303


async def test_the_database_never_holds_a_token(sign_in: SignIn) -> None:
    client = await sign_in("zhang")
    held = await SessionRow.select().first()
    assert held is not None
    assert client.cookies["id"] not in str(held)
    lasting = held["max_expiry_date"] - datetime.now()  # noqa: DTZ005
    assert timedelta(hours=7, minutes=59) < lasting <= timedelta(hours=8)


async def test_guessing_is_slowed_down_for_a_name_and_not_for_its_neighbours(
    browser_of_nobody: httpx.AsyncClient,
) -> None:
    for name in ("zhang", "li"):
        await make_user(name, PASSWORD)
    for _ in range(TRIES_OF_A_NAME + 1):
        await enter(browser_of_nobody, "zhang", "wrong-password")
    assert (await enter(browser_of_nobody, "zhang", PASSWORD)).status_code == 429
    assert (await enter(browser_of_nobody, "li", PASSWORD)).status_code == 303


async def test_two_users_need_no_mail_address_and_no_two_the_same_name(sign_in: SignIn) -> None:
    await make_user("zhang", PASSWORD, ["office"])
    await make_user("li", PASSWORD, ["approver"], "P1")
    with pytest.raises(Refused):
        await make_user("li", PASSWORD)
    with pytest.raises(Refused):
        await make_user("wang", PASSWORD, ["king"])
    assert [(user["name"], user["roles"], user["subject"]) for user in await list_users()] == [
        ("li", ["approver"], "P1"),
        ("zhang", ["office"], ""),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/publish", "/publish"),
        ("/admin/#/draft_rule", "/admin/#/draft_rule"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
async def test_a_redirect_stays_here(path: str, expected: str) -> None:
    assert local_path(path) == expected


@pytest.mark.parametrize(
    ("chosen", "accepted", "expected"),
    [
        (None, "", "zh-CN"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "fr,zh-CN;q=0.9,en;q=0.8", "zh-CN"),
        ("en", "zh-CN", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("xx", "en;q=nonsense", "zh-CN"),
    ],
)
async def test_the_language_is_the_chosen_one_else_the_one_asked_for(
    chosen: str | None, accepted: str, expected: str
) -> None:
    assert preferred(chosen, accepted) == expected


async def test_who_was_slowed_down_gets_in_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("piccolo_api.rate_limiting.middleware.time", lambda: now[0])
    limiter = Limiter()
    for _ in range(TRIES_OF_A_NAME + 1):
        limiter.failed("10.0.0.1", "zhang")
    assert limiter.blocked("10.0.0.1", "zhang")
    assert not limiter.blocked("10.0.0.2", "zhang")
    assert not limiter.blocked("10.0.0.1", "li")
    now[0] += SPAN + 1
    assert not limiter.blocked("10.0.0.1", "zhang")
    limiter.failed("10.0.0.1", "zhang")
    assert not limiter.blocked("10.0.0.1", "zhang")


def test_behind_a_proxy_it_is_the_reported_address_that_is_slowed_down(server: Server) -> None:
    with server.client() as client:
        client.get("/login")
        client.headers["x-csrftoken"] = client.cookies["csrftoken"]

        def tried(address: str) -> int:
            given = {"username": "zhang", "password": "wrong-password"}
            return client.post("/login", data=given, headers={"x-forwarded-for": address}).status_code

        assert {tried("10.0.0.1") for _ in range(TRIES_OF_A_NAME)} == {401}
        tried("10.0.0.1")
        assert (tried("10.0.0.1"), tried("10.0.0.2")) == (429, 401)
