"""Keys are made and revoked on their page; the text of one is shown once, and who did what stands in the change log."""

import html
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from admin.guard import FORM_COOKIE
from admin.keys import list_keys
from admin.tables import ApiKey, ChangeLog, Source
from api.application import create
from api.embedded import Database
from api.settings import Settings
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.anyio

TEXT = re.compile(r"jk_[\w-]{43}")


@pytest.fixture
async def app(database: Database) -> Any:
    """The whole application, which the made key then opens."""
    application = create(Settings(database=database, secret="s" * 40))
    async with application.lifespan():
        yield application


async def send(client: httpx.AsyncClient, path: str = "/keys", **form: Any) -> httpx.Response:
    return await client.post(path, data={"csrftoken": client.cookies[FORM_COOKIE], **form})


async def make(client: httpx.AsyncClient, **form: Any) -> httpx.Response:
    return await send(client, **{"name": "inspection", "scope": ["rules:read", "events:write"], **form})


async def test_a_key_is_made_shown_once_used_and_revoked(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    await Source(code="inspection-office", title="督查平台").save()
    first = await client.get("/keys")
    assert "还没有密钥" in first.text
    assert '<option value="inspection-office">督查平台</option>' in first.text
    answer = await make(client, source="inspection-office", expires="2099-01-01")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    text = TEXT.findall(answer.text)[0]
    assert not TEXT.search((await client.get("/keys")).text)
    (key,) = await list_keys()
    assert (key.name, key.scopes, key.source) == ("inspection", ("events:write", "rules:read"), "inspection-office")
    assert (key.made_by, key.expires_at) == ("zhang", datetime(2099, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")))
    system = {"authorization": f"Bearer {text}"}
    assert (await client.post("/api/events", json={}, headers=system)).status_code == 422
    answer = await send(client, "/keys/inspection/revocation")
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys?revoked=inspection")
    shown = html.unescape((await client.get(answer.headers["location"])).text)
    assert "密钥“inspection”已吊销" in shown
    assert "/keys/inspection/revocation" not in shown
    again = await send(client, "/keys/inspection/revocation")
    assert again.status_code == 303
    rows = await ChangeLog.select().where(ChangeLog.table == "api_key").order_by(ChangeLog.id)
    assert [(row["user"], row["action"], row["name"]) for row in rows] == [
        ("zhang", "create", "inspection"), ("zhang", "change", "inspection"),
    ]  # fmt: skip
    assert text not in str(rows)
    log = (await client.get("/desk/changes?table=api_key")).text
    assert "接口密钥" in log
    assert "吊销时间" in log


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": ""}, "代码"),
        ({"name": "a b"}, "代码"),
        ({"name": "taken"}, "已有密钥"),
        ({"scope": []}, "至少给出一项权限"),
        ({"scope": ["everything"]}, "不认识权限"),
        ({"source": "a/b"}, "代码"),
        ({"expires": "2020-01-01"}, "应在将来"),
        ({"expires": "soon"}, "应为日期"),
    ],
)
async def test_what_is_wrong_is_said_and_the_form_kept(sign_in: SignIn, form: dict[str, Any], said: str) -> None:
    client = await sign_in("zhang", "office")
    await client.get("/keys")
    await make(client, name="taken")
    answer = await make(client, **{"name": "new-one", "source": "kept-source", **form})
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert f'value="{html.escape(form.get("source", "kept-source"))}"' in answer.text
    assert await ApiKey.count() == 1


async def test_others_look_and_do_not_make(sign_in: SignIn) -> None:
    office = await sign_in("zhang", "office")
    await office.get("/keys")
    await make(office)
    for role in ("approver", "auditor", "integrator"):
        client = await sign_in(role, role)
        page = await client.get("/keys")
        assert "inspection" in page.text
        assert '<form class="card' not in page.text
        assert "/revocation" not in page.text
        assert (await make(client, name=role)).status_code == 403
        assert (await send(client, "/keys/inspection/revocation")).status_code == 403
    assert (await send(office, "/keys/nobody/revocation")).status_code == 404
    office.headers["x-csrftoken"] = "another"
    assert (await office.post("/keys", data={"name": "foreign", "scope": "rules:read"})).status_code == 403
    assert [key.name for key in await list_keys()] == ["inspection"]
