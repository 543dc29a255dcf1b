"""Events over the interface."""

import pytest

from tests.api.conftest import Client, event

pytestmark = pytest.mark.anyio


async def test_an_event_is_recorded_and_answered(client: Client) -> None:
    answer = await client.post("/api/events", json=event())
    assert answer.status_code == 201, answer.text
    told = answer.json()
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
