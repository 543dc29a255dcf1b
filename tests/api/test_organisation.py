"""Subjects, relations and periods over the interface."""

from typing import Any

import pytest

from tests.api.conftest import PERIODS, RELATIONS, SUBJECTS, Client, event, with_key

pytestmark = pytest.mark.anyio


async def put(client: Client, path: str, status: int = 200, **body: Any) -> Any:
    answer = await client.put(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_an_organisation_is_put_and_read(bare: Client) -> None:
    told = await put(bare, "/api/subjects", items=SUBJECTS)
    assert told["changes"] == 0
    assert told["act"] == 1
    await put(bare, "/api/relations", items=RELATIONS)
    await put(bare, "/api/periods", items=PERIODS)
    subjects = (await bare.get("/api/subjects?limit=2")).json()
    assert [each["code"] for each in subjects["items"]] == ["D1", "U1"]
    assert subjects["items"][1] == {
        "code": "U1", "name": "城关分局", "kind": "unit", "group": "county", "unit": None, "post": None,
    }  # fmt: skip
    rest = (await bare.get(f"/api/subjects?limit=2&cursor={subjects['next_cursor']}")).json()
    assert [each["code"] for each in rest["items"]] == ["U2"]
    assert rest["next_cursor"] is None
    relations = (await bare.get("/api/relations")).json()
    assert relations["items"] == [
        {"subject": "U1", "relation": "lead_dept", "answers": "D1", "indicator": None, "from": None, "to": None}
    ]
    periods = (await bare.get("/api/periods")).json()
    assert periods["items"][0] == {
        "code": "2026-02", "title": "", "kind": "month", "from": "2026-02-01", "to": "2026-03-01", "state": "open",
        "appeal_days": 5,
    }  # fmt: skip


async def test_a_person_may_be_listed_before_their_unit(bare: Client) -> None:
    await put(
        bare,
        "/api/subjects",
        items=[{"code": "P1", "kind": "person", "unit": "U1", "post": "chief"}, {"code": "U1", "kind": "unit"}],
    )


async def test_what_is_wrong_is_pointed_at(bare: Client) -> None:
    told = await put(bare, "/api/subjects", 422, items=[{"code": "U1", "kind": "unit"}, {"code": "bad/code"}])
    assert [each["pointer"] for each in told["errors"]] == ["/items/1/kind", "/items/1/code"]
    told = await put(bare, "/api/subjects", 422, since="yesterday", items=[])
    assert [each["pointer"] for each in told["errors"]] == ["/since"]
    told = await put(bare, "/api/subjects", 422, subjects=[])
    assert [each["pointer"] for each in told["errors"]] == ["/subjects", "/items"]
    told = await put(bare, "/api/relations", 422, items=[{"subject": "U1", "relation": "lead_dept", "answers": "D9"}])
    assert [each["pointer"] for each in told["errors"]] == ["/items/0", "/items/0"]
    assert (await bare.get("/api/subjects")).json()["items"] == []
    told = await put(
        bare, "/api/periods", 422, items=[{"code": "x", "kind": "m", "from": "2026-02-01", "to": "2026-01-01"}]
    )
    assert [each["pointer"] for each in told["errors"]] == ["/items/0/to"]


async def test_reaching_back_needs_a_reason_and_can_be_previewed(client: Client) -> None:
    await client.post("/api/events", json=event())
    ended = [{**RELATIONS[0], "to": "2026-03-01"}]  # type: ignore[dict-item]
    before = (await client.get("/api/ledger/seal")).json()
    preview = await put(client, "/api/relations?preview=true", items=ended)
    assert preview["act"] is None
    assert [(each["kind"], each["subject"], each["posted"]) for each in preview["entries"]] == [
        ("adjustment", "D1", "0.15")
    ]
    assert (await client.get("/api/ledger/seal")).json() == before
    told = await put(client, "/api/relations", 422, items=ended)
    assert [each["pointer"] for each in told["errors"]] == ["/reason"]
    done = await put(client, "/api/relations", items=ended, reason="分工调整")
    assert done["changes"] == 1
    assert done["entries"][0]["cause"] == {"act": "organisation", "number": done["act"]}


async def test_periods_are_settled_closed_and_reopened(client: Client) -> None:
    assert (await client.post("/api/periods/2026-03/settlement")).status_code == 200
    assert (await client.post("/api/periods/2026-03/closing", json={})).status_code == 200
    assert (await client.get("/api/periods")).json()["items"][1]["state"] == "closed"
    for act in ("settlement", "closing"):
        answer = await client.post(f"/api/periods/2026-03/{act}")
        assert answer.status_code == 409, answer.text
    carried = (await client.post("/api/events", json=event())).json()
    assert {each["booked"] for each in carried["entries"]} == {"2026-04-01"}
    answer = await client.post("/api/periods/2026-03/reopening", json={"reason": " "})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/reason"
    assert (await client.post("/api/periods/2026-03/reopening", json={"reason": "更正"})).status_code == 200
    assert (await client.post("/api/periods/2026-03/reopening", json={"reason": "更正"})).status_code == 409
    assert (await client.post("/api/periods/2027-01/settlement")).status_code == 404


async def test_scopes(client: Client) -> None:
    headers = await with_key(client, "entries:read")
    assert (await client.put("/api/subjects", json={"items": []}, headers=headers)).status_code == 403
    assert (await client.put("/api/periods", json={"items": []}, headers=headers)).status_code == 403
    assert (await client.post("/api/periods/2026-03/closing", headers=headers)).status_code == 403
    assert (await client.get("/api/subjects", headers=headers)).status_code == 200
