"""The rulebook over the interface: the draft, its checks, its publication."""

from typing import Any

import pytest

from rules.document import read_rulebook, rulebook_hash
from rules.tree import load_json, load_yaml
from tests.api.conftest import RULEBOOK, Client, event, with_key

pytestmark = pytest.mark.anyio

EFFECTIVE = "2026-01-01T00:00:00+08:00"
CASE = """
cases:
  - case: 市局通报
    subjects: [{code: U1, kind: unit}]
    periods: [{code: m, kind: month, from: 2026-03-01, to: 2026-04-01}]
    steps:
      - event: {id: E1, type: notice, subject: U1, time: 2026-03-05T10:00:00+08:00, data: {level: city}}
      - expect: {posted: [{event: E1, rule: K02, subject: U1, points: -0.50}]}
"""


async def put_draft(client: Client, text: str = RULEBOOK, status: int = 200, seen: str | None = None) -> Any:
    headers = {"content-type": "application/yaml"} | ({} if seen is None else {"if-match": f'"{seen}"'})
    answer = await client.put("/api/rulebook/draft", content=text.encode(), headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def publish(client: Client, status: int, query: str = "", **body: Any) -> Any:
    answer = await client.post(f"/api/rulebook/publication{query}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_draft_becomes_the_version_in_force(bare: Client) -> None:
    assert (await bare.get("/api/rulebook")).status_code == 404
    assert (await bare.get("/api/rulebook/draft")).status_code == 404
    draft = await put_draft(bare, RULEBOOK + CASE)
    assert [each for each in draft["findings"] if each["level"] == "error"] == []
    checked = (await bare.post("/api/rulebook/check")).json()
    assert checked["holds"] is True
    assert checked["cases"] == [{"case": "市局通报", "holds": True, "mismatches": []}]
    made = await publish(bare, 201, hash=draft["hash"], effective=EFFECTIVE)
    assert made["number"] == 1
    assert made["effective"] == EFFECTIVE
    answer = await bare.get("/api/rulebook")
    assert answer.headers["etag"] == f'"{made["hash"]}"'
    assert answer.headers["x-rulebook-version"] == "1"
    assert answer.json()["rules"][0]["rule"] == "K01"
    assert (await bare.get("/api/rulebook?at=2025-12-31T00:00:00%2B08:00")).status_code == 404
    assert (await bare.get("/api/rulebook?at=2026-01-01T00:00:00+08:00")).status_code == 200
    again = await bare.get("/api/rulebook", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    written = await bare.get("/api/rulebook/versions/1", headers={"accept": "application/yaml"})
    assert written.headers["content-type"].startswith("application/yaml")
    (tree,) = load_yaml(written.content)
    assert tree.raw["rules"][1]["points"] == "-0.50"  # type: ignore[index,call-overload]
    listed = (await bare.get("/api/rulebook/versions")).json()
    assert [(each["number"], each["published_by"]) for each in listed["items"]] == [(1, "key:all")]


async def test_a_draft_is_replaced_only_by_who_saw_it(bare: Client) -> None:
    first = await put_draft(bare)
    await put_draft(bare, status=412)
    await put_draft(bare, status=412, seen="00")
    second = await put_draft(bare, RULEBOOK.replace("-0.50", "-0.60"), seen=first["hash"])
    assert second["hash"] != first["hash"]
    assert (await bare.get("/api/rulebook/draft")).headers["etag"] == f'"{second["hash"]}"'


async def test_what_a_draft_lacks_is_found(bare: Client) -> None:
    draft = await put_draft(bare, RULEBOOK.replace('level == "city"', 'level == "town"'))
    (finding,) = [each for each in draft["findings"] if each["level"] == "error"]
    assert finding["path"] == "rules[1].when"
    told = await publish(bare, 422, hash=draft["hash"], effective=EFFECTIVE)
    assert told["errors"][0]["pointer"] == "/rules/1/when"
    assert (await bare.get("/api/rulebook/versions")).json()["items"] == []


async def test_a_case_that_fails_keeps_a_draft_from_being_published(bare: Client) -> None:
    draft = await put_draft(bare, RULEBOOK + CASE.replace("points: -0.50", "points: -0.70"))
    checked = (await bare.post("/api/rulebook/check", headers={"accept-language": "en"})).json()
    assert checked["holds"] is False
    assert [(each["expected"], each["actual"]) for each in checked["cases"][0]["mismatches"]] == [("-0.70", "-0.50")]
    told = await publish(bare, 422, hash=draft["hash"], effective=EFFECTIVE)
    assert told["errors"][0]["pointer"] == "/cases/0"


async def test_a_case_from_the_past_tries_rules_that_are_yet_to_come(bare: Client) -> None:
    text = RULEBOOK + CASE
    draft = await put_draft(bare, text)
    made = await publish(bare, 201, hash=draft["hash"], effective="2027-01-01T00:00:00+08:00")
    assert made["number"] == 1
    seen = (await bare.get("/api/rulebook/draft")).headers["etag"].strip('"')  # it has the version's effective time now
    wrong = await put_draft(bare, text.replace("points: -0.50}]", "points: -0.70}]"), seen=seen)
    told = await publish(bare, 422, hash=wrong["hash"], effective="2027-02-01T00:00:00+08:00")
    assert told["errors"][0]["pointer"] == "/cases/0"


async def test_after_publication_the_draft_is_the_version(bare: Client) -> None:
    draft = await put_draft(bare, RULEBOOK + CASE)
    made = await publish(bare, 201, hash=draft["hash"], effective="2026-05-01T00:00:00+08:00")
    answer = await bare.get("/api/rulebook/draft")
    tree = answer.json()
    assert [each["case"] for each in tree["cases"]] == ["市局通报"]
    assert rulebook_hash(read_rulebook(load_json(answer.text).raw)) == made["hash"]
    compared = (await bare.get("/api/rulebook/comparison?from=1&to=draft")).json()
    assert (compared["from"], compared["to"], compared["changes"]) == ("1", "draft", [])
    assert (await bare.get("/api/rulebook/comparison?from=9&to=draft")).status_code == 404
    assert (await bare.get("/api/rulebook/comparison?from=x&to=draft")).status_code == 422
    await put_draft(
        bare, RULEBOOK.replace('level == "city"', 'level == "town"'), seen=answer.headers["etag"].strip('"')
    )
    assert (await bare.get("/api/rulebook/comparison?from=1&to=draft")).status_code == 422


async def test_a_stale_hash_is_not_published(bare: Client) -> None:
    await put_draft(bare)
    await publish(bare, 412, hash="0" * 64, effective=EFFECTIVE)


async def test_a_version_that_reaches_back_is_previewed_and_adjusts(client: Client) -> None:
    await client.post("/api/events", json=event())
    draft = await put_draft(client, RULEBOOK.replace("points: -0.50", "points: -0.80"))
    asked = {"hash": draft["hash"], "effective": "2026-02-01T00:00:00+08:00"}
    before = (await client.get("/api/ledger/seal")).json()
    preview = await publish(client, 200, "?preview=true", **asked)
    assert preview["number"] is None
    assert [(each["rule"], each["posted"]) for each in preview["changed"]["entries"]] == [
        ("K02", "-0.30"),
        ("K05", "-0.09"),
    ]
    assert (await client.get("/api/ledger/seal")).json() == before
    told = await publish(client, 422, **asked)
    assert told["errors"][0]["pointer"] == "/reason"
    made = await publish(client, 201, reason="文件修订", **asked)
    assert made["changed"]["changes"] == 2
    compared = (await client.get("/api/rulebook/comparison?from=1&to=2", headers={"accept-language": "en"})).json()
    assert [(each["kind"], each["code"]) for each in compared["changes"]] == [("changed", "K02")]
    assert "0.8" in compared["changes"][0]["sentences"][0]


async def test_scopes(client: Client) -> None:
    reader = await with_key(client, "rules:read")
    assert (await client.get("/api/rulebook", headers=reader)).status_code == 200
    body = RULEBOOK.encode()
    kind = {"content-type": "application/yaml"}
    assert (await client.put("/api/rulebook/draft", content=body, headers={**reader, **kind})).status_code == 403
    assert (await client.post("/api/rulebook/publication", json={}, headers=reader)).status_code == 403
    answer = await client.post("/api/rulebook/approval", json={"hash": "0"})
    assert answer.status_code == 403  # a key is nobody's second person
    other = await with_key(client, "entries:read")
    assert (await client.get("/api/rulebook", headers=other)).status_code == 403
