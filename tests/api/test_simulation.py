"""Simulations over the interface: what they say, that nothing is kept, how they run, end, and are found again."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest
from piccolo.engine import engine_finder

from admin.keys import make_key
from api.embedded import Database
from ledger import clock, long_work, settling, simulations, simulator
from ledger.simulation import Question, ask
from tests.api.conftest import RULEBOOK, Client, event, with_key
from tests.holding import held
from tests.processes import serving
from tests.small_office import fill

pytestmark = pytest.mark.anyio

CALL = "/api/rulebook/simulation"
HARDER = RULEBOOK.replace("points: -0.50}", "points: -0.80}")


@pytest.fixture
async def office(client: Client) -> AsyncIterator[Client]:
    """Two notices, one of them long ago, and a draft that deducts more."""
    for given in (
        event(),
        event(id="E2", time="2026-02-05T10:00:00+08:00"),
        event(id="E3", data={"level": "province"}),
    ):
        assert (await client.post("/api/events", json=given)).status_code == 201
    await draft(client, HARDER)
    yield client
    await simulator.simulator.stop()


async def draft(client: Client, text: str) -> None:
    headers = {"content-type": "application/yaml", "if-match": "*"}
    answer = await client.put("/api/rulebook/draft", content=text, headers=headers)
    assert answer.status_code == 200, answer.text


async def sql(query: str, *args: object) -> Any:
    engine: Any = engine_finder()
    async with engine.transaction() as transaction:
        return await transaction.connection.fetchval(query, *args)


async def ended(client: Client, where: str) -> dict[str, Any]:
    for _ in range(200):
        told: dict[str, Any] = (await client.get(where)).json()
        if told["state"] != "running":
            return told
        await asyncio.sleep(0.05)
    raise AssertionError("it does not end")


async def test_the_draft_is_tried_and_nothing_is_kept(office: Client) -> None:
    seal = (await office.get("/api/ledger/seal")).json()
    score = (await office.get("/api/subjects/U1/score?period=2026-03")).json()
    answer = await office.post(CALL, json={"period": "2026-03", "version": "draft"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["state"], told["version"], told["period"], told["owner"]) == ("done", "draft", "2026-03", "key:all")
    assert told["hash"] == (await office.get("/api/rulebook/draft")).headers["etag"].strip('"')
    result = told["result"]
    assert (result["ruled"], result["replaced"], result["remarks"]) == (2, [1], [])
    assert (result["added"], result["removed"], result["changed"]) == (0, 0, 3)
    assert (result["winners"], result["losers"], result["same"]) == (0, 1, 2)
    first = result["subjects"][0]
    assert (first["subject"], first["final_before"], first["final_after"]) == ("U1", "98.50", "98.20")
    assert (first["difference"], first["final_before"]) == ("-0.30", score["final"])
    # February's notice leaves 0.25 of the quarter's 0.40 in either case; what K05 takes first leaves less for the next.
    changes = {(each["event"], each["rule"], each["before"], each["after"]) for each in result["entries"]}
    assert changes == {
        ("E1", "K02", "-0.50", "-0.80"),
        ("E1", "K05", "-0.15", "-0.24"),
        ("E3", "K05", "-0.10", "-0.01"),
    }
    assert next((each["rule"], each["difference"]) for each in result["rules"]) == ("K02", "-0.30")
    assert (await office.get("/api/ledger/seal")).json() == seal
    assert (await office.get("/api/subjects/U1/score?period=2026-03")).json() == score
    again = await office.get(answer.headers["location"])
    assert again.json() == told


async def test_the_version_in_force_changes_nothing(office: Client) -> None:
    result = (await office.post(CALL, json={"period": "2026-03", "version": 1})).json()["result"]
    assert (result["entries"], result["same"], result["ranks"]) == ([], 3, 0)
    assert "没有任何变化" in result["summary"]
    english = await office.post(CALL, json={"period": "2026-03", "version": "1"}, headers={"accept-language": "en"})
    assert "nothing would change" in english.json()["result"]["summary"]


async def test_it_may_rule_from_within_the_period_on(office: Client) -> None:
    late = {"period": "2026-03", "version": "draft", "from": "2026-03-05T10:00:01+08:00"}
    assert (await office.post(CALL, json=late)).json()["result"]["changed"] == 0
    late["from"] = "2026-03-05T10:00:00+08:00"
    told = (await office.post(CALL, json=late)).json()
    assert told["from"] == "2026-03-05T10:00:00+08:00"
    assert told["result"]["changed"] == 3


async def test_an_event_that_no_longer_fits_is_named_and_not_there(office: Client) -> None:
    field = "missing: {title: 必填, type: text, required: true}"
    await draft(office, HARDER.replace("weight: {title", f"{field}\n      weight: {{title"))
    result = (await office.post(CALL, json={"period": "2026-03", "version": "draft"})).json()["result"]
    assert result["unfit_count"] == 2
    assert {each["id"] for each in result["unfit"]} == {"E1", "E3"}
    assert all(each["findings"] for each in result["unfit"])
    assert "2 个事件不符合" in result["remarks"][0]
    assert {each["kind"] for each in result["entries"]} == {"removed"}
    assert next(each for each in result["subjects"] if each["subject"] == "U1")["final_after"] == "100.00"


async def test_a_closed_period_keeps_its_snapshot(office: Client) -> None:
    await settling.settle("2026-03", actor="test")
    await settling.close("2026-03", actor="test")
    before = (await office.get("/api/periods/2026-03/standings")).json()
    result = (await office.post(CALL, json={"period": "2026-03", "version": "draft"})).json()["result"]
    assert (result["closed"], result["snapshot"], result["settled"], result["apart"]) == (True, 1, True, 0)
    assert "第 1 号快照不变" in result["remarks"][0]
    assert result["losers"] == 1
    assert (await office.get("/api/periods/2026-03/standings")).json() == before


async def test_entries_are_paged_and_filtered(office: Client) -> None:
    where = (await office.post(CALL, json={"period": "2026-03", "version": "draft"})).headers["location"]
    whole = (await office.get(f"{where}/entries")).json()
    assert [len(whole["items"]), whole["next_cursor"]] == [3, None]
    first = (await office.get(f"{where}/entries?limit=1")).json()
    rest = (await office.get(f"{where}/entries?limit=2&cursor={first['next_cursor']}")).json()
    assert [*first["items"], *rest["items"]] == whole["items"]
    assert rest["next_cursor"] is None
    assert {each["rule"] for each in (await office.get(f"{where}/entries?rule=K02")).json()["items"]} == {"K02"}
    assert (await office.get(f"{where}/entries?subject=U2")).json()["items"] == []
    for query, status in (("limit=0", 422), ("cursor=!", 422)):
        assert (await office.get(f"{where}/entries?{query}")).status_code == status
    assert (await office.get(f"{CALL}/999/entries")).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"period": "2026-09", "version": "draft"}, "/period"),
        ({"period": 3, "version": "draft"}, "/period"),
        ({"period": "2026-03", "version": "latest"}, "/version"),
        ({"period": "2026-03", "version": 7}, "/version"),
        ({"period": "2026-03", "version": 1.5}, "/version"),
        ({"period": "2026-03", "version": None}, "/version"),
        ({"period": "2026-03", "version": 1, "from": "2026-04-01T00:00:00+08:00"}, "/from"),
        ({"period": "2026-03", "version": 1, "from": "soon"}, "/from"),
        ({"period": "2026-03", "version": 1, "keep": True}, "/keep"),
        ({"period": "2026-03"}, "/version"),
    ],
)
async def test_what_is_no_question_is_refused(office: Client, body: Any, pointer: str) -> None:
    answer = await office.post(CALL, json=body)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


async def test_a_draft_that_is_no_rulebook_is_refused_with_its_findings(office: Client) -> None:
    await draft(office, HARDER.replace('when: level == "city"', 'when: levle == "city"'))
    answer = await office.post(CALL, json={"period": "2026-03", "version": "draft"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/rules/1/when"
    await draft(office, HARDER.replace("per: quarter", "per: year"))
    answer = await office.post(CALL, json={"period": "2026-03", "version": "draft"})
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/limits/joint-quarter"]


async def test_whoever_sees_a_part_only_may_not(office: Client) -> None:
    body = {"period": "2026-03", "version": "draft"}
    where = (await office.post(CALL, json=body)).headers["location"]
    for scopes, source, status in (
        (("rules:read",), None, 403),
        (("entries:read",), None, 403),
        (("rules:read", "entries:read"), "office", 403),
        (("rules:read", "entries:read"), None, 200),
    ):
        headers = await with_key(office, *scopes, source=source)
        assert (await office.post(CALL, json=body, headers=headers)).status_code == status, scopes
        assert (await office.get(where, headers=headers)).status_code == status, scopes
        assert (await office.get(f"{where}/entries", headers=headers)).status_code == status, scopes
        assert (await office.delete(where, headers=headers)).status_code == 403, scopes
    assert (await office.post(CALL, json=body, headers={"authorization": "Bearer no"})).status_code == 401
    assert (await office.delete(where)).status_code == 204
    assert (await office.get(where)).status_code == 404


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Simulations that go half way and stay there; those that were left."""
    left: list[Question] = []

    async def simulate(_url: str, _zone: Any, question: Question, progress: Callable[..., None], **_: Any) -> Any:
        try:
            progress("posting", 1, 2)
            await asyncio.sleep(60)
        finally:
            left.append(question)

    monkeypatch.setattr(simulator, "simulate", simulate)
    monkeypatch.setattr(long_work, "LOOK", 0.02)
    return left


async def test_a_long_one_is_answered_202_and_can_be_cancelled(office: Client, slow: list[Question]) -> None:
    body = {"period": "2026-03", "version": "draft"}
    answer = await office.post(CALL, json=body, headers={"prefer": "respond-async"})
    assert (answer.status_code, answer.json()["state"], answer.json()["result"]) == (202, "running", None)
    where = answer.headers["location"]
    await asyncio.sleep(0.2)
    told = (await office.get(where)).json()
    assert (told["stage"], told["done"], told["of"]) == ("posting", 1, 2)
    busy = await office.post(CALL, json=body, headers={"prefer": "wait=0"})
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "1")
    assert "key:all" in busy.json()["detail"]
    assert (await office.delete(where)).status_code == 204
    assert (await ended(office, where))["state"] == "cancelled"
    assert len(slow) == 1
    assert (await office.delete(where)).status_code == 204
    assert (await office.get(where)).status_code == 404
    answer = await office.post(CALL, json=body, headers={"prefer": "wait=0"})
    assert answer.status_code == 202
    await simulator.simulator.stop()
    assert (await office.get(answer.headers["location"])).json()["state"] == "cancelled"


async def test_what_fails_and_what_is_left_behind_is_told(
    office: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def simulate(*_: Any, **__: Any) -> Any:
        raise ValueError("no such luck")

    monkeypatch.setattr(simulator, "simulate", simulate)
    answer = await office.post(CALL, json={"period": "2026-03", "version": "draft"})
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert "no such luck" in caplog.text
    assert "luck" not in answer.text
    number = await simulations.begin(await ask("2026-03", "draft"), "somebody")
    assert (await office.get(f"{CALL}/{number}")).json()["state"] == "running"
    await sql("UPDATE simulation SET seen = seen - interval '1 minute' WHERE id = $1", number)
    assert (await office.get(f"{CALL}/{number}")).json()["state"] == "lost"


async def test_old_ones_go(office: Client) -> None:
    question = await ask("2026-03", "draft")
    numbers = [await simulations.begin(question, "somebody") for _ in range(simulations.KEPT + 3)]
    assert await sql("SELECT min(id) FROM simulation") == numbers[3]
    await sql("UPDATE simulation SET at = $1", clock.now() - timedelta(days=simulations.DAYS, seconds=1))
    last = await simulations.begin(question, "somebody")
    assert [each.id for each in await simulations.latest()] == [last]


async def prepare() -> str:
    """The small office, and a key that may simulate."""
    await fill()
    return await make_key("desk", ["rules:read", "entries:read"])


def test_every_worker_finds_and_cancels_it(database: Database) -> None:
    key = anyio.run(prepare)
    with serving(database, JIKAO_WORKERS="2") as server:

        def call(method: str, path: str, **given: Any) -> httpx.Response:
            """On a connection of its own, so that either worker may answer."""
            headers = {"authorization": f"Bearer {key}", "prefer": "respond-async"}
            return httpx.request(method, server.url + path, headers=headers, timeout=120, **given)

        assert call("GET", "/ready").status_code == 200  # the workers may still be starting
        with held(database, "present_sheet"):
            where = call("POST", CALL, json={"period": "2026-01", "version": 1}).headers["location"]
            deadline = time.monotonic() + 120
            while call("GET", where).json()["stage"] != "posting":
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert {call("GET", where).json()["state"] for _ in range(20)} == {"running"}
            assert call("DELETE", where).status_code == 204
            while call("GET", where).json()["state"] == "running":
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert call("GET", where).json()["state"] == "cancelled"
            where = call("POST", CALL, json={"period": "2026-01", "version": 1}).headers["location"]
            # The server ends in order while one runs.
            server.process.send_signal(signal.SIGINT)
            server.process.wait(60)
