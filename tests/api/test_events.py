"""Events over the interface."""

import asyncio
import json
from typing import Any

import pytest

from admin.tables import Reception, Source
from api.bodies import EVENT_SIZE
from engine.both import Disagreement
from ledger.recording import Recorder
from tests.api.conftest import RULEBOOK, Client, event, with_key

pytestmark = pytest.mark.anyio


async def post(client: Client, status: int = 201, **given: Any) -> Any:
    answer = await client.post("/api/events", json=event(**given))
    assert answer.status_code == status, answer.text
    return answer.json()


def pointers(told: Any) -> list[str]:
    return [each["pointer"] for each in told["errors"]]


async def length(client: Client) -> int:
    return int((await client.get("/api/ledger/seal")).json()["length"])


async def test_an_event_is_recorded_and_answered(client: Client) -> None:
    told = await post(client)
    assert told["event"]["state"] == "standing"
    assert told["event"]["data"] == {"level": "city"}
    assert told["event"]["time"] == "2026-03-05T10:00:00+08:00"
    assert told["fired"] == [
        {"rule": "K02", "version": 1, "subject": "U1", "nominal": "-0.50", "posted": "-0.50"},
        {"rule": "K05", "version": 1, "subject": "D1", "nominal": "-0.15", "posted": "-0.15"},
    ]
    assert [(each["kind"], each["subject"], each["posted"], each["path"]) for each in told["entries"]] == [
        ("direct", "U1", "-0.50", ["U1"]),
        ("joint", "D1", "-0.15", ["U1", "D1"]),
    ]
    assert {each["cause"]["number"] for each in told["entries"]} == {told["event"]["number"]}


async def test_the_same_event_again_changes_nothing(client: Client) -> None:
    first = await post(client, data={"level": "city", "weight": 0.5})
    before = await length(client)
    again = await post(
        client, 200, time="2026-03-05T02:00:00Z", data={"weight": "0.50", "level": "city"},
        recorded_at="2026-03-06T00:00:00Z",
    )  # fmt: skip
    assert again == first
    told = await post(client, 409, subject="U2")
    assert pointers(told) == ["/id"]
    assert await length(client) == before


async def test_twenty_at_once_are_one(client: Client) -> None:
    answers = await asyncio.gather(*(client.post("/api/events", json=event()) for _ in range(20)))
    assert sorted(each.status_code for each in answers) == [200] * 19 + [201]
    assert len({each.text for each in answers}) == 1
    assert len((await client.get("/api/entries")).json()["items"]) == 2


@pytest.mark.parametrize(
    ("written", "posted"),
    [
        ("0.1", "-0.10"),
        ('"0.005"', "-0.01"),
        ("0.004999", "0.00"),
        ("123456789012345", "-123456789012345.00"),
        ("1e-2", "-0.01"),
    ],
)
async def test_numbers_are_exact_however_written(client: Client, written: str, posted: str) -> None:
    body = json.dumps(event(data={"level": "city"})).replace('"level"', f'"weight": {written}, "level"')
    answer = await client.post("/api/events", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 201, answer.text
    assert [each["posted"] for each in answer.json()["entries"] if each["rule"] == "K03"] == [posted]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"type": "nothing"}, "/type"),
        ({"subject": "U9"}, "/subject"),
        ({"data": {"level": "town"}}, "/data/level"),
        ({"data": {}}, "/data/level"),
        ({"data": {"level": "city", "weight": "x"}}, "/data/weight"),
        ({"data": {"level": "city", "a/b": 1}}, "/data/a~1b"),
        ({"parties": {"lead_dept": ["D1", "D9"]}}, "/parties/lead_dept/1"),
        ({"time": "2026-03-05T10:00:00"}, "/time"),
        ({"time": "2025-03-05T10:00:00+08:00"}, "/time"),
        ({"id": "a/b"}, "/id"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_what_does_not_fit_is_pointed_at(client: Client, given: dict[str, Any], pointer: str) -> None:
    before = await length(client)
    told = await post(client, 422, **given)
    assert pointers(told) == [pointer]
    assert all(each["message"] for each in told["errors"])
    assert await length(client) == before
    (noted,) = await Reception.select()
    assert (noted["sender"], noted["outcome"], noted["status"]) == ("key:all", "refused", 422)
    assert pointer in noted["problem"]
    assert pointer in noted["problem_en"]
    assert (await client.post("/api/events", json=event())).status_code == 201  # it may be sent again


async def test_every_finding_is_told_at_once(client: Client) -> None:
    answer = await client.post("/api/events", json={"id": "", "type": 3})
    assert pointers(answer.json()) == ["/id", "/type", "/subject", "/time"]


async def test_a_closed_period_that_nothing_can_take(client: Client) -> None:
    for code in ("2026-03", "2026-04"):
        assert (await client.post(f"/api/periods/{code}/closing")).status_code == 200
    told = await post(client, 409)
    assert pointers(told) == ["/time"]


async def test_disagreeing_matchers_keep_an_event_out(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def differ(self: Recorder, report: Any, bureau: Any) -> Any:
        raise Disagreement(report.type, frozenset({"K02"}), frozenset())

    before = await length(client)
    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "check", differ)
        answer = await client.post("/api/events", json=event())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "K02" not in answer.text
    assert await length(client) == before
    await post(client)


async def test_recorded_at_needs_its_scope(client: Client) -> None:
    headers = await with_key(client, "events:write")
    body = event(recorded_at="2026-03-05T11:00:00+08:00")
    assert (await client.post("/api/events", json=body, headers=headers)).status_code == 403
    assert (await client.post("/api/events", json=body)).json()["event"]["recorded_at"] == "2026-03-05T11:00:00+08:00"


# bodies


async def test_bodies_that_cannot_be_read(client: Client) -> None:
    async def send(body: bytes, kind: str = "application/json") -> tuple[int, Any]:
        answer = await client.post("/api/events", content=body, headers={"content-type": kind})
        return answer.status_code, answer.json()

    assert (await send(b"{"))[0] == 400
    assert (await send(b""))[0] == 400
    assert (await send(b'{"id": NaN}'))[0] == 400
    assert (await send(b'{"id": "\xff"}'))[0] == 400
    status, told = await send(b'{"id": "1", "id": "2"}')
    assert status == 400
    assert "id" in told["errors"][0]["message"]
    assert (await send(b"[" * 100_000))[0] == 400
    assert (await send(b"[]"))[0] == 422
    assert (await send(b"id: E1", "application/yaml"))[0] == 415
    assert (await send(b" " * (EVENT_SIZE + 1)))[0] == 413


# CloudEvents


def enveloped(**given: Any) -> dict[str, Any]:
    envelope = {
        "specversion": "1.0",
        "id": "C1",
        "source": "urn:inspection",
        "type": "notice",
        "subject": "U1",
        "time": "2026-03-05T10:00:00+08:00",
        "matter": "M-1",
        "data": {"level": "city", "parties": {"lead_dept": []}, "basis": "〔2026〕17号"},
    }
    return {**envelope, **given}


async def test_a_cloud_event_is_the_same_event(client: Client) -> None:
    await Source(code="inspection", title="督查", uri="urn:inspection").save()
    kind = {"content-type": "application/cloudevents+json"}
    answer = await client.post("/api/events", content=json.dumps(enveloped()), headers=kind)
    assert answer.status_code == 201, answer.text
    told = answer.json()["event"]
    assert (told["source"], told["matter"], told["basis"]) == ("inspection", "M-1", "〔2026〕17号")
    assert told["parties"] == {"lead_dept": []}
    assert told["data"] == {"level": "city"}
    wrong = enveloped(data={"level": "town", "parties": {"lead_dept": "D9!"}})
    answer = await client.post("/api/events", content=json.dumps(wrong), headers=kind)
    assert pointers(answer.json()) == ["/data/parties/lead_dept"]
    answer = await client.post("/api/events", content=json.dumps(enveloped(source="urn:other")), headers=kind)
    assert (answer.status_code, pointers(answer.json())) == (422, ["/source"])
    bound = {**kind, **await with_key(client, "events:write", source="office")}
    answer = await client.post("/api/events", content=json.dumps(enveloped(source="urn:other")), headers=bound)
    assert answer.json()["event"]["source"] == "office"


# retraction and correction


async def test_a_retraction_reverses_and_may_be_repeated(client: Client) -> None:
    await post(client)
    path = "/api/events/office/E1/retraction"
    assert pointers((await client.post(path, json={"reason": " "})).json()) == ["/reason"]
    first = await client.post(path, json={"reason": "申诉成立"})
    assert first.status_code == 200, first.text
    told = first.json()
    assert told["event"]["state"] == "retracted"
    assert [(each["kind"], each["subject"], each["posted"]) for each in told["entries"]] == [
        ("reversal", "U1", "0.50"),
        ("reversal", "D1", "0.15"),
    ]
    assert {(each["cause"]["act"], each["cause"]["number"]) for each in told["entries"]} == {
        ("retraction", told["act"])
    }
    before = await length(client)
    assert (await client.post(path, json={"reason": "再来一次"})).json() == told
    assert (await client.post("/api/events", json=event())).json()["event"]["state"] == "retracted"
    assert await length(client) == before
    unknown = await client.post("/api/events/office/E9/retraction", json={"reason": "x"})
    assert unknown.status_code == 404


async def test_a_correction_replaces_in_one(client: Client) -> None:
    await post(client)
    path = "/api/events/office/E1/correction"
    before = await length(client)
    bad = await client.post(path, json={"reason": "级别有误", "event": event(id="E1b", data={"level": "town"})})
    assert (bad.status_code, pointers(bad.json())) == (422, ["/event/data/level"])
    assert await length(client) == before
    taken = await client.post(path, json={"reason": "级别有误", "event": event(subject="U2")})
    assert (taken.status_code, pointers(taken.json())[0].startswith("/event")) == (409, True)
    body = {"reason": "级别有误", "event": event(id="E1b", data={"level": "province"})}
    done = await client.post(path, json=body)
    assert done.status_code == 200, done.text
    told = done.json()
    assert (told["withdrawn"]["state"], told["withdrawn"]["corrected_by"]) == ("corrected", ["office", "E1b"])
    assert (told["event"]["state"], told["event"]["corrects"]) == ("standing", ["office", "E1"])
    assert [(each["rule"], each["posted"]) for each in told["fired"]] == [("K01", "-1.00"), ("K05", "-0.30")]
    assert {each["cause"]["number"] for each in told["entries"]} == {told["act"]}
    assert (await client.post(path, json=body)).json() == told
    found = (await client.get("/api/events/office/E1")).json()
    assert found["event"]["state"] == "corrected"
    assert [each["kind"] for each in found["entries"]] == ["direct", "joint", "reversal", "reversal"]
    again = await client.post("/api/events", json=event(id="E1b", data={"level": "province"}))
    assert (again.status_code, again.json()["fired"]) == (200, told["fired"])


async def test_amounts_have_their_cents_however_the_rulebook_writes_them(client: Client) -> None:
    rulebook = RULEBOOK.replace("max: 0.40", "max: 0.1").replace("joint: {depth: 2}", "joint: {depth: 1}")
    draft = await client.put("/api/rulebook/draft", content=rulebook.encode(), headers={"content-type": "text/yaml"})
    asked = {"hash": draft.json()["hash"], "effective": "2026-02-01T00:00:00+08:00"}
    assert (await client.post("/api/rulebook/publication", json=asked)).status_code == 201
    told = await post(client)
    assert [each["posted"] for each in told["entries"]] == ["-0.50", "-0.10"]
    assert await post(client, 200) == told


# explanation and evaluation


async def test_an_event_is_explained(client: Client) -> None:
    await post(client)
    answer = await client.get("/api/events/office/E1/explanation", headers={"accept-language": "en"})
    told = answer.json()
    assert {each["rule"]["code"]: (each["kind"], each["fired"]) for each in told["rules"]} == {
        "K01": ("event", False), "K02": ("event", True), "K03": ("event", True), "K05": ("joint", True),
    }  # fmt: skip
    (compared,) = told["rules"][0]["comparisons"]
    assert (compared["field"], compared["title"], compared["operator"]) == ("level", "通报级别", "==")
    assert (compared["expected"], compared["actual"], compared["result"]) == ("province", "city", False)
    assert told["rules"][1]["comparisons"][0]["result"] is True
    assert told["rules"][2]["silent"]  # its field is missing
    assert told["rules"][3]["entries"]
    assert (await client.get("/api/events/office/E9/explanation")).status_code == 404


async def test_a_veto_fires_and_posts_nothing(client: Client) -> None:
    told = await post(client, type="accident", data={})
    assert told["fired"] == [{"rule": "K40", "version": 1, "subject": "U1", "nominal": None, "posted": None}]
    assert told["entries"] == []
    score = (await client.get("/api/subjects/U1/score?period=2026-03")).json()
    assert (score["veto"], score["total"]) == ("60.00", "60.00")


async def test_an_evaluation_keeps_nothing(client: Client) -> None:
    before = await length(client)
    answer = await client.post("/api/evaluations", json=event())
    assert answer.status_code == 200
    evaluated = answer.json()
    assert await length(client) == before
    posted = await post(client)
    assert evaluated["fired"] == posted["fired"]
    assert [each["hash"] for each in evaluated["entries"]] != [each["hash"] for each in posted["entries"]]
    bad = await client.post("/api/evaluations", json=event(id="E2", subject="U9"))
    assert (bad.status_code, pointers(bad.json())) == (422, ["/subject"])


async def test_an_evaluation_by_the_draft(client: Client) -> None:
    draft = RULEBOOK.replace("points: -0.50", "points: -0.80")
    await client.put("/api/rulebook/draft", content=draft.encode(), headers={"content-type": "application/yaml"})
    answer = await client.post("/api/evaluations?draft=true", json=event())
    assert answer.status_code == 200, answer.text
    assert [(each["rule"], each["posted"]) for each in answer.json()["fired"]] == [("K02", "-0.80"), ("K05", "-0.24")]
    told = await post(client)
    assert [(each["rule"], each["posted"]) for each in told["fired"]] == [("K02", "-0.50"), ("K05", "-0.15")]
