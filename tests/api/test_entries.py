"""Entries, scores and standings over the interface."""

from typing import Any

import pytest

from tests.api.conftest import Client, event, with_key

pytestmark = pytest.mark.anyio


async def fill(client: Client) -> None:
    for number, (subject, month, source) in enumerate(
        [("U1", "02", "office"), ("U1", "03", "office"), ("U2", "03", "audit"), ("U1", "04", "audit")], 1
    ):
        body = event(id=f"E{number}", subject=subject, source=source, time=f"2026-{month}-10T09:00:00+08:00")
        assert (await client.post("/api/events", json=body)).status_code == 201


async def listed(client: Client, query: str = "", **headers: str) -> list[tuple[str, str, str]]:
    answer = await client.get(f"/api/entries{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [(each["event"], each["rule"], each["subject"]) for each in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["E4", "E4", "E3", "E2", "E2", "E1", "E1"]),
        ("?subject=D1", ["E4", "E2", "E1"]),
        ("?rule=K02", ["E4", "E3", "E2", "E1"]),
        ("?source=audit", ["E4", "E4", "E3"]),
        ("?event=E2", ["E2", "E2"]),
        ("?kind=joint&period=2026-03", ["E2"]),
        ("?period=2026-03", ["E3", "E2", "E2"]),
        ("?from=2026-03-10&to=2026-04-10", ["E3", "E2", "E2"]),
        ("?from=2026-03-11&to=2026-04-10", []),
        ("?indicator=I1", []),
        ("?indicator=I1,I2", []),
        ("?not_indicator=I1&rule=K05", ["E4", "E2", "E1"]),
    ],
)
async def test_filters(client: Client, query: str, expected: list[str]) -> None:
    await fill(client)
    assert [each[0] for each in await listed(client, query)] == expected


async def test_pages_are_whole_and_disjoint(client: Client) -> None:
    await fill(client)
    everything = [each["id"] for each in (await client.get("/api/entries")).json()["items"]]
    assert everything == sorted(everything, reverse=True)
    for size in (1, 2, 7):
        collected: list[int] = []
        query = f"/api/entries?limit={size}"
        while True:
            page = (await client.get(query)).json()
            assert len(page["items"]) <= size
            collected += [each["id"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            query = f"/api/entries?limit={size}&cursor={page['next_cursor']}"
        assert collected == everything


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("limit=0", "/limit"), ("limit=501", "/limit"), ("cursor=!!", "/cursor"), ("cursor=YWJj", "/cursor"),
     ("from=2026-13-01", "/from"), ("to=soon", "/to")],
)  # fmt: skip
async def test_a_query_that_makes_no_sense(client: Client, query: str, pointer: str) -> None:
    answer = await client.get(f"/api/entries?{query}")
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


async def test_an_entry_explains_itself(client: Client) -> None:
    await fill(client)
    answer = await client.get("/api/entries?kind=joint&event=E4")
    (entry,) = answer.json()["items"]
    told = (await client.get(f"/api/entries/{entry['id']}", headers={"accept-language": "en"})).json()
    assert told["entry"] == entry
    assert entry["path"] == ["U1", "D1"]
    assert told["rule"]["code"] == "K05"
    assert told["version"]["number"] == 1
    assert [each["step"] for each in told["arithmetic"]] == ["source", "share", "nominal"]
    assert [(each["subject"], each["rule"]) for each in told["path"]] == [("U1", "K02"), ("D1", "K05")]
    assert told["limits"][0]["limit"] == "joint-quarter"
    for number in ("0", "999", str(2**70)):
        assert (await client.get(f"/api/entries/{number}")).status_code == 404


async def test_a_score_names_what_is_behind_it(client: Client) -> None:
    await fill(client)
    score = (await client.get("/api/subjects/U1/score?period=2026-03")).json()
    assert (score["base"], score["posted"], score["total"], score["final"]) == ("100.00", "-0.50", "99.50", "99.50")
    behind = (await client.get(score["entries"])).json()["items"]
    assert [each["posted"] for each in behind] == ["-0.50"]
    assert (await client.get("/api/subjects/U9/score?period=2026-03")).status_code == 404
    assert (await client.get("/api/subjects/U1/score?period=2027-03")).status_code == 404
    missing = await client.get("/api/subjects/U1/score")
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/period")


async def test_standings_are_ranked(client: Client) -> None:
    await client.post("/api/events", json=event(data={"level": "province"}))
    await client.post("/api/events", json=event(id="E2", subject="U2"))
    told = (await client.get("/api/periods/2026-03/standings?group=county")).json()
    assert [(each["subject"], each["total"], each["rank"], each["previous_rank"]) for each in told["items"]] == [
        ("U2", "99.50", 1, 1),
        ("U1", "99.00", 2, 1),
    ]
    first = (await client.get("/api/periods/2026-03/standings?limit=2")).json()
    second = (await client.get(f"/api/periods/2026-03/standings?limit=2&cursor={first['next_cursor']}")).json()
    assert [each["subject"] for each in (*first["items"], *second["items"])] == ["U2", "U1", "D1"]
    assert second["next_cursor"] is None
    assert (await client.get("/api/periods/2027-03/standings")).status_code == 404


async def test_a_score_says_why_its_rank(client: Client) -> None:
    await client.post("/api/events", json=event())
    score = (await client.get("/api/subjects/U1/score?period=2026-03")).json()
    assert score["ranking"] == {
        "group": "county", "among": 2, "ahead": [{"subject": "U2", "final": "100.00"}], "tied": [], "tiers": [],
    }  # fmt: skip
    await client.post("/api/periods/2026-03/closing")
    frozen = (await client.get("/api/subjects/U1/score?period=2026-03")).json()
    assert frozen["entries"].endswith("&snapshot=1")
    behind = (await client.get(frozen["entries"])).json()["items"]
    assert [each["posted"] for each in behind] == ["-0.50"]
    assert (await client.get("/api/entries?period=2026-03&snapshot=2")).status_code == 404


async def test_a_bound_key_sees_its_source_only(client: Client) -> None:
    await fill(client)
    headers = await with_key(client, "entries:read", "events:read", source="audit")
    assert [each[0] for each in await listed(client, **headers)] == ["E4", "E4", "E3"]
    assert (await client.get("/api/entries?source=office", headers=headers)).status_code == 403
    other: Any = (await client.get("/api/entries?source=office&limit=1")).json()["items"][0]["id"]
    assert (await client.get(f"/api/entries/{other}", headers=headers)).status_code == 404
    assert (await client.get("/api/events/office/E1", headers=headers)).status_code == 403
    assert (await client.get("/api/events/audit/E3", headers=headers)).status_code == 200


async def test_the_seal_grows(client: Client) -> None:
    before = (await client.get("/api/ledger/seal")).json()
    told = (await client.post("/api/events", json=event())).json()
    after = (await client.get("/api/ledger/seal")).json()
    assert after == {"length": before["length"] + 3, "head": told["entries"][-1]["hash"]}
