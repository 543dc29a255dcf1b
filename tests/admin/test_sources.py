"""Sources are registered in the panel: checked, written down, and known to envelopes from then on."""

from typing import Any

import httpx
import pytest

from admin.tables import ChangeLog, Source
from api.application import create
from api.embedded import Database
from api.settings import Settings
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.anyio

ROWS = "/admin/api/tables/source/"


@pytest.fixture
async def app(database: Database) -> Any:
    """The whole application: the panel with the tables of every room."""
    application = create(Settings(database=database, secret="s" * 40))
    async with application.lifespan():
        yield application


async def make(client: httpx.AsyncClient, **values: Any) -> httpx.Response:
    return await client.post(ROWS, json={"code": "inspection", "title": "督查平台", "uri": None, **values})


async def test_a_source_is_registered_changed_and_removed(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    assert (await make(client, uri="urn:inspection")).status_code == 201
    assert (await client.patch(f"{ROWS}1/", json={"title": "督查", "uri": ""})).status_code == 200
    assert await Source.select(Source.code, Source.title, Source.uri) == [
        {"code": "inspection", "title": "督查", "uri": None}
    ]
    assert (await make(client, code="other", uri="")).status_code == 201  # two may be without a URI
    assert (await client.delete(f"{ROWS}2/")).status_code == 204
    rows = await ChangeLog.select().where(ChangeLog.table == "source").order_by(ChangeLog.id)
    assert [(each["user"], each["action"], each["row"]) for each in rows] == [
        ("zhang", "create", "1"), ("zhang", "change", "1"), ("zhang", "create", "2"), ("zhang", "delete", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"code": "a b"}, "代码"),
        ({"code": ""}, "代码"),
        ({"uri": "urn: x"}, "CloudEvents 的 URI"),
        ({"uri": "u" * 2_001}, "CloudEvents 的 URI"),
    ],
)
async def test_what_cannot_stand_is_refused_by_its_column(sign_in: SignIn, values: Any, column: str) -> None:
    client = await sign_in("zhang", "office")
    answer = await make(client, **values)
    assert answer.status_code == 422, answer.text
    assert [finding["loc"] for finding in answer.json()["detail"]] == [[column]]
    assert not await Source.exists()


async def test_a_code_stays_and_nothing_is_registered_twice(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office")
    await make(client, uri="urn:x")
    answer = await client.patch(f"{ROWS}1/", json={"code": "other"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["代码"])
    assert (await client.patch(f"{ROWS}1/", json={"code": "inspection", "title": "x"})).status_code == 200
    for given in ({"uri": "urn:y"}, {"code": "other", "uri": "urn:x"}):
        answer = await make(client, **given)
        assert (answer.status_code, answer.json()["detail"]) == (405, "没有保存：代码或名称已被另一行使用。"), given
    assert await Source.count() == 1


async def test_only_the_office_registers(sign_in: SignIn) -> None:
    client = await sign_in("li", "auditor")
    assert (await make(client)).status_code in (401, 403)


async def test_titles_are_in_both_languages(sign_in: SignIn) -> None:
    for name, language, title in (("zhang", "zh-CN", "来源"), ("li", "en", "Sources")):
        client = await sign_in(name, "office", language=language)
        schema = (await client.get(f"{ROWS}schema/")).json()
        assert schema["title"] == title
        assert all(each["title"].isascii() == (language == "en") for each in schema["properties"].values())
