"""Keys and sessions: who may do what over the interface."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest

from admin.guard import FORM_COOKIE
from admin.keys import list_keys, make_key, revoke_key
from admin.session import COOKIE, SessionRow, form_token, use_secret
from admin.tables import ApiKey, Role, User
from admin.users import make_user, set_password
from api import keyring
from api.embedded import Database
from api.keyring import Keyring
from engine.finding import Refused
from tests.api.conftest import RULEBOOK, Client, event, with_key
from tests.processes import jikao

pytestmark = pytest.mark.anyio


async def test_nobody_comes_in_without_a_key(client: Client) -> None:
    for header in ("", "Bearer", "Bearer nonsense", "Basic abc"):
        answer = await client.post("/api/events", json=event(), headers={"authorization": header})
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get("/api/entries")).json()["items"] == []


async def test_each_scope_opens_what_it_says(client: Client) -> None:
    writer, reader = await with_key(client, "events:write"), await with_key(client, "events:read")
    assert (await client.post("/api/events", json=event(), headers=reader)).status_code == 403
    assert (await client.post("/api/events", json=event(), headers=writer)).status_code == 201
    assert (await client.get("/api/events/office/E1", headers=writer)).status_code == 403
    assert (await client.get("/api/events/office/E1", headers=reader)).status_code == 200
    path = "/api/events/office/E1/retraction"
    answer = await client.post(path, json={"reason": "x"}, headers={**writer, "accept-language": "en"})
    assert answer.status_code == 403
    assert "events:retract" in answer.json()["detail"]
    assert (await client.get("/api/entries", headers=reader)).status_code == 403


async def test_a_bound_key_writes_its_source_only(client: Client) -> None:
    await client.post("/api/events", json=event())
    headers = await with_key(client, "events:write", "events:retract", source="audit")
    told = (await client.post("/api/events", json=event(source=None), headers=headers)).json()
    assert told["event"]["source"] == "audit"
    assert (await client.post("/api/events", json=event(), headers=headers)).status_code == 403
    answer = await client.post("/api/events/office/E1/retraction", json={"reason": "x"}, headers=headers)
    assert answer.status_code == 403
    body = {"reason": "x", "event": event(id="E2")}
    answer = await client.post("/api/events/audit/E1/correction", json=body, headers=headers)
    assert answer.status_code == 403
    batch = (
        await client.post("/api/events/batch", json=[event(id="E5"), event(id="E6", source=None)], headers=headers)
    ).json()
    assert (batch["accepted"], [each["problem"]["status"] for each in batch["refused"]]) == (1, [403])


async def test_a_revoked_key_opens_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "TRUSTED", 0.2)
    text = await make_key("short", ["entries:read"])
    headers = {"authorization": f"Bearer {text}"}
    assert (await client.get("/api/entries", headers=headers)).status_code == 200
    await revoke_key("short", "a")
    await anyio.sleep(0.3)
    assert (await client.get("/api/entries", headers=headers)).status_code == 401


async def test_a_key_ends(pool: Database) -> None:
    text = await make_key("ending", ["entries:read"], expires_at=datetime.now(UTC) + timedelta(seconds=0.3))
    ring = Keyring()
    assert await ring.find(text) is not None
    await anyio.sleep(0.4)
    assert await ring.find(text) is None


async def test_a_key_is_kept_as_a_hash(pool: Database) -> None:
    text = await make_key("one", ["rules:read", "entries:read"], source="audit")
    (row,) = await ApiKey.select()
    assert text not in json.dumps(row, default=str)
    (key,) = await list_keys()
    assert (key.name, key.scopes, key.source) == ("one", ("entries:read", "rules:read"), "audit")
    wrong: list[dict[str, Any]] = [
        {"name": "one"},
        {"name": "a b"},
        {"scopes": ["everything"]},
        {"scopes": []},
        {"source": "a/b"},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ]
    for given in wrong:
        wanted = {"name": "two", "scopes": ["rules:read"], **given}
        with pytest.raises(Refused):
            await make_key(**wanted)
    with pytest.raises(Refused):
        await revoke_key("three", "a")


# people


class Visitor:
    """A signed-in person at a browser."""

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.form = form_token()
        self.cookies = f"{COOKIE}={token}; {FORM_COOKIE}={self.form}"

    async def ask(self, method: str, path: str, form: bool = True, **given: Any) -> httpx.Response:
        headers = {"cookie": self.cookies} | ({"x-csrftoken": self.form} if form else {})
        request = self.client.build_request(method, path, headers=headers, **given)
        del request.headers["authorization"]
        return await self.client.send(request)


@pytest.fixture
async def sign_in(client: Client) -> Any:
    """Signs people in, by their roles."""
    use_secret("s" * 32)

    async def enter(*roles: Role, subject: str = "", changed: bool = True) -> Visitor:
        name = "-".join(roles) or "nobody"
        await make_user(name, roles=roles, subject=subject)
        if changed:
            await set_password(name, must_change=False)
        user = await User.objects().get(User.username == name)
        assert user is not None
        session = await SessionRow.create_session(user.id)
        return Visitor(client, session.token)

    return enter


async def test_the_office_writes_with_a_form_token_only(sign_in: Any) -> None:
    office = await sign_in(Role.office)
    assert (await office.ask("POST", "/api/events", json=event(), form=False)).status_code == 403
    assert (await office.ask("POST", "/api/events", json=event())).status_code == 201
    assert (await office.ask("GET", "/api/entries", form=False)).status_code == 200
    late = event(id="E2", recorded_at="2026-03-06T00:00:00+08:00")
    assert (await office.ask("POST", "/api/events", json=late)).status_code == 403


async def test_an_auditor_reads_and_writes_nothing(sign_in: Any, client: Client) -> None:
    await client.post("/api/events", json=event())
    auditor = await sign_in(Role.auditor)
    for path in ("/api/entries", "/api/events/office/E1", "/api/rulebook", "/api/periods/2026-03/standings"):
        assert (await auditor.ask("GET", path)).status_code == 200, path
    for method, path in (("POST", "/api/events"), ("PUT", "/api/subjects"), ("PUT", "/api/rulebook/draft"),
                         ("POST", "/api/periods/2026-03/closing")):  # fmt: skip
        assert (await auditor.ask(method, path, json={})).status_code == 403, path


async def test_a_subject_sees_what_concerns_it(sign_in: Any, client: Client) -> None:
    told = (await client.post("/api/events", json=event())).json()
    person = await sign_in(Role.subject, subject="D1")
    items = (await person.ask("GET", "/api/entries")).json()["items"]
    assert {each["subject"] for each in items} == {"D1"}
    assert (await person.ask("GET", "/api/entries?subject=U1")).json()["items"] == []
    own, other = told["entries"][1]["id"], told["entries"][0]["id"]
    assert (await person.ask("GET", f"/api/entries/{own}")).status_code == 200
    assert (await person.ask("GET", f"/api/entries/{other}")).status_code == 404
    assert (await person.ask("GET", "/api/subjects/D1/score?period=2026-03")).status_code == 200
    assert (await person.ask("GET", "/api/subjects/U1/score?period=2026-03")).status_code == 404
    assert (await person.ask("GET", "/api/events/office/E1")).status_code == 403


async def test_who_has_no_role_or_an_old_password_does_nothing(sign_in: Any) -> None:
    nobody = await sign_in()
    assert (await nobody.ask("GET", "/api/entries")).status_code == 403
    fresh = await sign_in(Role.office, changed=False)
    assert (await fresh.ask("GET", "/api/entries")).status_code == 403


async def test_a_second_person_approves(sign_in: Any, client: Client) -> None:
    draft = await client.put(
        "/api/rulebook/draft", content=RULEBOOK.encode(), headers={"content-type": "application/yaml"}
    )
    body = {"hash": draft.json()["hash"]}
    office, approver = await sign_in(Role.office), await sign_in(Role.approver)
    assert (await office.ask("POST", "/api/rulebook/approval", json=body)).status_code == 403
    assert (await approver.ask("POST", "/api/rulebook/approval", json={"hash": "0"})).status_code == 412
    told = (await approver.ask("POST", "/api/rulebook/approval", json=body)).json()
    assert told["approved_by"] == ["approver"]


# the command line


def run(database: Database, *arguments: str) -> tuple[int, str, str]:
    process = jikao("key", *arguments, DATABASE_URL=database.url, JIKAO_SECRET="s" * 32)
    out, complaints = process.communicate(timeout=60)
    return process.returncode, out, complaints


def test_keys_on_the_command_line(database: Database) -> None:
    status, out, complaints = run(database, "create", "--name", "sys", "--scope", "events:write", "--json")
    assert (status, complaints) == (0, "")
    made = json.loads(out)
    assert made["key"].startswith("jk_")
    status, out, complaints = run(database, "create", "--name", "sys", "--scope", "events:write")
    assert (status, out) == (1, "")
    assert "sys" in complaints
    status, out, _ = run(database, "revoke", "sys")
    assert status == 0
    status, out, _ = run(database, "list", "--json")
    (listed,) = json.loads(out)
    assert listed["name"] == "sys"
    assert listed["revoked_at"] is not None
    assert made["key"] not in out
