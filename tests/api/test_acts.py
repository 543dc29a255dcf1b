"""Acts over the interface: who decided what, when and why, and what it made."""

from datetime import datetime
from typing import Any

import pytest

from tests.api.conftest import Client, event, with_key

pytestmark = pytest.mark.anyio


async def act(client: Client) -> dict[str, Any]:
    """A retraction, and its act."""
    await client.post("/api/events", json=event())
    answer = await client.post("/api/events/office/E1/retraction", json={"reason": "误报"})
    told: dict[str, Any] = (await client.get(f"/api/acts/{answer.json()['act']}")).json()
    return told


async def test_an_act_tells_who_when_why_and_what_it_made(client: Client) -> None:
    told = await act(client)
    assert (told["act"]["kind"], told["act"]["actor"], told["act"]["reason"]) == ("retraction", "key:all", "误报")
    assert (told["act"]["content"]["source"], told["act"]["content"]["id"]) == ("office", "E1")
    assert datetime.fromisoformat(told["act"]["at"]).utcoffset() is not None
    assert told["changes"] == len(told["entries"]) == 2
    assert {each["cause"]["number"] for each in told["entries"]} == {told["act"]["number"]}
    assert [each["id"] for each in told["entries"]] == sorted(each["id"] for each in told["entries"])
    by_cause = (await client.get(f"/api/entries?cause={told['act']['number']}")).json()["items"]
    assert [each["id"] for each in by_cause] == [each["id"] for each in reversed(told["entries"])]
    for number in (0, 10**6, 2**70, told["entries"][0]["id"]):
        assert (await client.get(f"/api/acts/{number}")).status_code == 404
    read = (await client.get("/api/events/office/E1")).json()["event"]
    assert (read["state"], read["withdrawn_by"]) == ("retracted", told["act"]["number"])


async def test_acts_are_listed_filtered_and_paged(client: Client) -> None:
    told = await act(client)
    listed = (await client.get("/api/acts")).json()["items"]
    assert [each["kind"] for each in listed] == ["retraction", "publication", "periods", "organisation"]
    assert "subjects" not in listed[-1]["content"]
    assert "subjects" in (await client.get(f"/api/acts/{listed[-1]['number']}")).json()["act"]["content"]

    async def kinds(query: str) -> list[str]:
        answer = await client.get(f"/api/acts?{query}")
        assert answer.status_code == 200, answer.text
        return [each["kind"] for each in answer.json()["items"]]

    assert await kinds("kind=periods") == ["periods"]
    assert await kinds("kind=wish") == []
    assert await kinds("actor=key:all") == ["retraction"]
    day = told["act"]["at"][:10]
    assert len(await kinds(f"from={day}")) == 4
    assert await kinds(f"to={day}") == []
    assert (await client.get("/api/acts?from=soon")).status_code == 422
    first = (await client.get("/api/acts?limit=3")).json()
    rest = (await client.get(f"/api/acts?limit=3&cursor={first['next_cursor']}")).json()
    assert [each["number"] for each in (*first["items"], *rest["items"])] == [each["number"] for each in listed]
    assert rest["next_cursor"] is None


async def test_who_sees_a_part_of_the_ledger_sees_no_acts(client: Client) -> None:
    told = await act(client)
    bound = await with_key(client, "entries:read", source="office")
    reader = await with_key(client, "entries:read", source=None)
    other = await with_key(client, "rules:read", source=None)
    for path in ("/api/acts", f"/api/acts/{told['act']['number']}"):
        assert (await client.get(path, headers=bound)).status_code == 403
        assert (await client.get(path, headers=reader)).status_code == 200
        assert (await client.get(path, headers=other)).status_code == 403
