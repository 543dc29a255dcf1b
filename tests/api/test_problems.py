"""Errors of the interface: one shape, two languages, nothing of how it is made."""

from typing import Any

import pytest

from api.problems import pointed
from ledger import listing
from ledger.desk import Desk
from tests.api.conftest import Client, event

pytestmark = pytest.mark.anyio


def check(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["type"].startswith("urn:jikao:problem:")
    assert told["title"]
    assert told["detail"]
    return told


async def test_what_is_not_there(client: Client) -> None:
    told = check(await client.get("/api/nothing"), 404)
    assert told["instance"] == "/api/nothing"
    check(await client.get("/api/events/office/E9"), 404)
    answer = await client.delete("/api/events")
    check(answer, 405)
    assert "POST" in answer.headers["allow"]


async def test_errors_speak_the_readers_language(client: Client) -> None:
    async def said(accepted: str | None) -> str:
        headers = {} if accepted is None else {"accept-language": accepted}
        answer = await client.post("/api/events", json=event(subject="U9"), headers=headers)
        return str(check(answer, 422)["errors"][0]["message"])

    chinese = await said("zh-CN,zh;q=0.9,en;q=0.8")
    assert chinese == await said(None) == await said("fr")
    assert not chinese.isascii()
    english = await said("en-GB,en;q=0.9,zh;q=0.1")
    assert "code “U9”" in english


async def test_a_failure_of_ours_shows_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("SELECT secret FROM somewhere")

    monkeypatch.setattr(listing, "view_entry", fail)
    await client.post("/api/events", json=event())
    answer = await client.get("/api/entries")
    check(answer, 500)
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text


async def test_half_of_nothing_is_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (await client.get("/api/ledger/seal")).json()
    finish = Desk.finish

    async def fail(self: Desk) -> None:
        await finish(self)
        raise RuntimeError("at the last moment")

    with monkeypatch.context() as patched:
        patched.setattr(Desk, "finish", fail)
        check(await client.post("/api/events", json=event()), 500)
    assert (await client.get("/api/ledger/seal")).json() == before
    assert (await client.get("/api/entries")).json()["items"] == []
    answer = await client.post("/api/events", json=event())
    assert (answer.status_code, answer.json()["event"]["number"]) == (201, before["length"] + 1)


async def test_odd_characters_are_no_failure(client: Client) -> None:
    check(await client.get("/api/events/office/%00"), 400)
    check(await client.get("/api/entries?subject=%00"), 400)
    told = check(await client.post("/api/events", json=event(id="\x00")), 422)
    assert told["errors"][0]["pointer"] == "/id"
    check(
        await client.post("/api/events", content=b'{"id": "\\ud800"}', headers={"content-type": "application/json"}),
        400,
    )


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("", ""),
        ("/data/level", "/data/level"),
        ("rules[3].points.by", "/rules/3/points/by"),
        ("[0].group", "/0/group"),
        ("event_types.通报.fields.级别", "/event_types/通报/fields/级别"),
        ("limits.a/b", "/limits/a~1b"),
    ],
)
def test_paths_become_pointers(path: str, pointer: str) -> None:
    assert pointed(path) == pointer


async def test_the_description_describes_every_route(client: Client) -> None:
    described = (await client.get("/api/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert {
        "/api/events", "/api/events/batch", "/api/events/{source}/{id}", "/api/events/{source}/{id}/retraction",
        "/api/events/{source}/{id}/correction", "/api/events/{source}/{id}/explanation", "/api/evaluations",
        "/api/entries", "/api/entries/{number}", "/api/subjects", "/api/relations", "/api/subjects/{code}/score",
        "/api/periods", "/api/periods/{code}/standings", "/api/periods/{code}/settlement", "/api/rulebook",
        "/api/rulebook/draft", "/api/rulebook/publication", "/api/ledger/seal",
    } <= set(described["paths"])  # fmt: skip
    body = described["paths"]["/api/events"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/cloudevents+json"}
    shapes = described["components"]["schemas"]
    assert shapes["Report"]["required"] == ["id", "type", "subject", "time"]
    references = set(_references(described))
    assert {each.removeprefix("#/components/schemas/") for each in references} <= set(shapes)


def _references(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
        return own + [each for value in tree.values() for each in _references(value)]
    return [each for value in tree for each in _references(value)] if isinstance(tree, list) else []


async def test_the_pages_need_no_other_host(client: Client) -> None:
    page = await client.get("/api/docs", headers={"authorization": ""})
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    script = await client.get("/api/static/rapidoc.js")
    assert (script.status_code, len(script.content) > 500_000) == (200, True)


async def test_metrics(client: Client) -> None:
    await client.post("/api/events", json=event())
    text = (await client.get("/metrics")).text
    length = (await client.get("/api/ledger/seal")).json()["length"]
    assert f"jikao_ledger_length {float(length)}" in text
    assert 'jikao_requests_total{method="POST",route="/api/events",status="201"} 1.0' in text
