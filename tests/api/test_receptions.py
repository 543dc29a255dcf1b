"""Reconciliation over the interface: what a source sent on a day, held to what is there."""

from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from admin.receptions import ReceptionFilter, list_receptions
from admin.tables import Outcome, Reception, Statement
from engine.both import Disagreement
from engine.organisation import TIMEZONE
from ledger.recording import Recorder
from tests.api.conftest import Client, event, with_key
from tests.received import at, note, record

pytestmark = pytest.mark.anyio

DAY = date(2026, 3, 5)
COUNTS = ("received", "recorded", "repeated", "refused", "scored")


async def fill() -> None:
    """Two days of the office, and something of another source."""
    await record(at(DAY, -0.01), event(id="A1"))
    await record(at(DAY, 0), event(id="B1"), event(id="B2", data={"level": "province"}))
    await record(at(DAY, 23.99), event(id="B3", type="accident", data={}), event(id="B1", source="other"))
    await record(at(DAY, 24), event(id="C1"))
    await note(at(DAY, 10), Outcome.repeated, "office", "A1", "B1", "B1")
    await note(at(DAY, 11), Outcome.refused, "office", "R1", "R2", problem="/subject ")
    await note(at(DAY, 30), Outcome.refused, "office", "R2", problem="/data ")
    await note(at(DAY, 11), Outcome.refused, "", "")


async def state(client: Client, status: int = 201, **given: Any) -> Any:
    body = {key: value for key, value in {"source": "office", "day": str(DAY), **given}.items() if value is not None}
    answer = await client.post("/api/reconciliations", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def pointers(told: Any) -> list[str]:
    return [each["pointer"] for each in told["errors"]]


async def test_a_list_is_held_to_what_is_there(client: Client) -> None:
    await fill()
    told = await state(client, ids=["A1", "B1", "B2", "R2", "X9", "B1", "C1"])
    assert [told[name] for name in COUNTS] == [8, 3, 3, 2, 2]
    assert (told["stated"], told["listed"], told["difference"]) == (6, True, None)
    assert (told["missing"], told["missing_count"]) == (["R2", "X9"], 2)  # A1 and C1 came on other days
    assert [(each["id"], each["status"], each["problem"]) for each in told["refused_ids"]] == [
        ("R2", 422, "/data 不在组织中"),
    ]
    assert (told["unexpected"], told["unexpected_count"]) == (["B3", "R1"], 2)
    assert (told["sender"], told["source"], told["day"]) == ("key:all", "office", "2026-03-05")


async def test_a_count_is_held_to_the_recorded(client: Client) -> None:
    await fill()
    for stated, missing, unexpected in ((5, 2, 0), (3, 0, 0), (1, 0, 2)):
        told = await state(client, count=stated)
        assert told["difference"] == stated - 3
        assert (told["missing_count"], told["unexpected_count"]) == (missing, unexpected)
        assert (told["missing"], told["refused_ids"], told["unexpected"], told["listed"]) == ([], [], [], False)
    nothing = await state(client, source="silent", count=4)
    assert [nothing[name] for name in (*COUNTS, "difference")] == [0, 0, 0, 0, 0, 4]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"count": 3, "ids": []}, ""),
        ({}, ""),
        ({"count": -1}, "/count"),
        ({"count": 1.5}, "/count"),
        ({"count": 2**31}, "/count"),
        ({"ids": "B1"}, "/ids"),
        ({"ids": ["B1", "a/b"]}, "/ids/1"),
        ({"ids": ["B"] * 100_001}, "/ids"),
        ({"count": 1, "source": None}, "/source"),
        ({"count": 1, "source": "a b"}, "/source"),
        ({"count": 1, "day": None}, "/day"),
        ({"count": 1, "day": "2026-02-30"}, "/day"),
        ({"count": 1, "day": "0001-01-01"}, "/day"),
        ({"count": 1, "colour": "red"}, "/colour"),
    ],
)
async def test_what_is_no_statement_is_refused(client: Client, given: dict[str, Any], pointer: str) -> None:
    assert pointers(await state(client, 422, **given)) == [pointer]
    assert not await Statement.exists()


async def test_a_day_ahead_has_no_statement(client: Client) -> None:
    ahead = datetime.now(TIMEZONE).date() + timedelta(days=2)
    assert pointers(await state(client, 422, day=str(ahead), count=1)) == ["/day"]


async def test_a_hundred_thousand_ids(client: Client) -> None:
    await fill()
    told = await state(client, ids=["B2", *(f"N{number}" for number in range(99_999))])
    assert (told["stated"], told["missing_count"], len(told["missing"])) == (100_000, 99_999, 99_999)
    assert told["unexpected"] == ["A1", "B1", "B3", "R1", "R2"]


async def test_every_statement_is_kept_and_the_latest_comes_first(client: Client) -> None:
    await fill()
    await state(client, count=9)
    second = await state(client, ids=["B1", "R1"])
    await state(client, day="2026-03-06", count=1)
    await state(client, source="other", count=1)
    listed = (await client.get("/api/reconciliations?source=office&day=2026-03-05")).json()["items"]
    assert [(each["stated"], each["missing_count"]) for each in listed] == [(2, 1), (9, 6)]
    assert "missing" not in listed[0]
    whole = await client.get(f"/api/reconciliations/{second['number']}", headers={"accept-language": "en"})
    assert whole.json() == {**second, "refused_ids": [{"id": "R1", "status": 422, "problem": "/subject  is nobody"}]}
    assert (await client.get("/api/reconciliations/99")).status_code == 404
    assert (await client.get(f"/api/reconciliations/{10**12}")).status_code == 404
    spans = {"from=2026-03-06": 1, "to=2026-03-06": 3, "from=2026-03-05&to=2026-03-07&source=office": 3}
    for span, count in spans.items():
        assert len((await client.get(f"/api/reconciliations?{span}")).json()["items"]) == count, span
    first = (await client.get("/api/reconciliations?limit=3")).json()
    rest = (await client.get(f"/api/reconciliations?limit=3&cursor={first['next_cursor']}")).json()
    assert [each["number"] for each in first["items"] + rest["items"]] == [4, 3, 2, 1]
    assert rest["next_cursor"] is None


async def test_a_bound_key_reconciles_its_own_source_only(client: Client) -> None:
    await fill()
    await state(client, source="other", count=1)
    client.headers.update(await with_key(client, "events:write", source="office"))
    assert (await state(client, source=None, count=3))["source"] == "office"
    await state(client, 403, source="other", count=1)
    for path in ("receptions", "reconciliations"):
        assert (await client.get(f"/api/{path}?source=other")).status_code == 403
        assert {each["source"] for each in (await client.get(f"/api/{path}")).json()["items"]} == {"office"}
    assert (await client.get("/api/reconciliations/1")).status_code == 404
    client.headers.update(await with_key(client, "entries:read"))
    await state(client, 403, count=1)
    assert (await client.get("/api/receptions")).status_code == 403


async def test_the_log_is_listed_newest_first(client: Client) -> None:
    await fill()
    await record(at(DAY, 40), event(id="R2"))
    told = (await client.get("/api/receptions?source=office", headers={"accept-language": "en"})).json()
    assert [(each["id"], each["outcome"], each["recorded"]) for each in told["items"]] == [
        ("R2", "refused", True), ("R2", "refused", True), ("R1", "refused", False),
        ("B1", "repeated", True), ("B1", "repeated", True), ("A1", "repeated", True),
    ]  # fmt: skip
    assert told["items"][0]["problem"] == "/data  is nobody"
    assert told["items"][0]["at"] == "2026-03-06T06:00:00+08:00"
    for query, ids in {
        "outcome=repeated": ["B1", "B1", "A1"],
        "outcome=refused&day=2026-03-05": ["", "R2", "R1"],
        "source=office&outcome=refused&day=2026-03-06": ["R2"],
    }.items():
        assert [each["id"] for each in (await client.get(f"/api/receptions?{query}")).json()["items"]] == ids
    walked = list[str]()
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get(f"/api/receptions?limit=2&cursor={cursor}")).json()
        walked += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert walked == ["R2", "", "R2", "R1", "B1", "B1", "A1"]
    assert (await client.get("/api/receptions?cursor=MQ")).status_code == 422
    assert (await client.get("/api/receptions?outcome=lost")).status_code == 422
    for query in ("receptions?day=9999-12-31", "reconciliations?day=9999-12-31", "reconciliations?from=x"):
        assert (await client.get(f"/api/{query}")).status_code == 422


async def test_a_repetition_is_noted_and_a_new_event_is_not(client: Client) -> None:
    assert (await client.post("/api/events", json=event())).status_code == 201
    assert not await Reception.exists()
    assert (await client.post("/api/events", json=event())).status_code == 200
    (noted,) = await Reception.select()
    assert (noted["sender"], noted["source"], noted["event"]) == ("key:all", "office", "E1")
    assert (noted["outcome"], noted["status"], noted["problem"]) == ("repeated", 200, "")


async def test_a_report_that_cannot_be_read_is_noted_under_the_senders_source(client: Client) -> None:
    bound = {**await with_key(client, "events:write", source="office"), "content-type": "application/json"}
    assert (await client.post("/api/events", content=b"{", headers=bound)).status_code == 400
    assert (await client.post("/api/events", json=event(source="other"), headers=bound)).status_code == 403
    assert (await client.post("/api/events", json=event(source=None, subject="U9"))).status_code == 422
    noted = await Reception.select().order_by(Reception.id)
    assert [(each["source"], each["event"], each["status"]) for each in noted] == [
        ("office", "", 400), ("office", "E1", 403), ("manual", "E1", 422),
    ]  # fmt: skip


async def test_a_correction_that_is_refused_or_repeated_is_noted(client: Client) -> None:
    await client.post("/api/events", json=event())
    path = "/api/events/office/E1/correction"
    wrong = {"reason": "有误", "event": event(id="E2", subject="U9")}
    right = {"reason": "有误", "event": event(id="E2", subject="U2")}
    assert [(await client.post(path, json=body)).status_code for body in (wrong, right, right)] == [422, 200, 200]
    noted = await Reception.select().order_by(Reception.id)
    assert [(each["event"], each["outcome"]) for each in noted] == [("E2", "refused"), ("E2", "repeated")]


async def test_a_log_that_cannot_be_written_does_not_keep_an_answer_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(noted: Any) -> None:
        raise asyncpg.PostgresError

    monkeypatch.setattr("admin.receptions.note", fail)
    assert (await client.post("/api/events", json=event(subject="U9"))).status_code == 422


async def test_what_cannot_be_stored_is_noted_as_far_as_it_can(client: Client) -> None:
    answer = await client.post("/api/events", json=event(id="E\0x", source="s" * 100))
    assert answer.status_code == 422
    (noted,), _ = await list_receptions(ReceptionFilter(), english=False)
    assert (noted.id, noted.source) == ("Ex", "s" * 64)


@pytest.mark.parametrize("table", ["reception", "statement"])
async def test_the_log_and_the_statements_are_written_once(client: Client, table: str) -> None:
    await fill()
    await state(client, count=1)
    for act in (f"UPDATE {table} SET sender = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.PostgresError):
            await Reception.raw(act)


async def test_a_disagreement_is_noted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def differ(self: Recorder, report: Any, bureau: Any) -> Any:
        raise Disagreement(report.type, frozenset({"K02"}), frozenset())

    monkeypatch.setattr(Recorder, "check", differ)
    assert (await client.post("/api/events", json=event())).status_code == 503
    (noted,) = await Reception.select()
    assert (noted["outcome"], noted["status"]) == ("refused", 503)
