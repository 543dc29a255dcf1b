"""The chain to those outside: records over the interface, and the commands that seal, verify, export and rebuild."""

import json
import subprocess
from pathlib import Path

import anyio
import asyncpg
import pytest

from admin.keys import SCOPES
from admin.session import Person
from admin.tables import Role
from api.authorization import Caller, Forbidden
from api.database import borrowed
from api.embedded import SUPERUSER, Cluster, Database
from api.routes.seal import check_whole
from ledger.records import BLOCK, read_lines
from tests.api.conftest import Client, event, with_key
from tests.processes import jikao
from tests.small_office import fill

pytestmark = pytest.mark.anyio

KIND = "application/x-ndjson"


async def recorded(first: int, last: int) -> bytes:
    async with borrowed() as connection:
        return b"".join([block async for block in read_lines(connection, first, last)])


async def test_records_are_streamed_in_order(client: Client) -> None:
    body = [event(id=f"E{number}") for number in range(BLOCK // 2)]
    assert (await client.post("/api/events/batch", json=body)).status_code == 200
    seal = (await client.get("/api/ledger/seal")).json()
    assert seal["length"] > BLOCK
    answer = await client.get("/api/ledger/records")
    assert answer.headers["content-type"].partition(";")[0] == KIND
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, seal["length"] + 1))
    assert lines[-1]["hash"] == seal["head"]
    assert answer.content == await recorded(1, seal["length"])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [("?from=2&to=3", [2, 3]), ("?to=1", [1]), ("?from=3&to=2", []), ("?from=999999", []), ("?from=3&to=999999", [3])],
)
async def test_a_range_of_records(client: Client, query: str, numbers: list[int]) -> None:
    answer = await client.get(f"/api/ledger/records{query}")
    assert answer.status_code == 200
    assert [json.loads(line)["number"] for line in answer.content.splitlines()] == numbers


@pytest.mark.parametrize("query", ["?from=0", "?to=-1", "?from=x"])
async def test_a_range_that_is_none(client: Client, query: str) -> None:
    answer = await client.get(f"/api/ledger/records{query}")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_records_are_for_those_who_see_everything(client: Client) -> None:
    for scopes, source, status in (
        (SCOPES, "office", 403),
        (("events:read",), None, 403),
        (("entries:read",), None, 200),
    ):
        headers = await with_key(client, *scopes, source=source)
        assert (await client.get("/api/ledger/records", headers=headers)).status_code == status
    del client.headers["authorization"]
    assert (await client.get("/api/ledger/records")).status_code == 401
    person = Person(id=1, name="zhang", roles=frozenset({Role.subject}), subject="U1")
    with pytest.raises(Forbidden):
        check_whole(Caller(name="zhang", scopes=frozenset(), person=person))


# commands


async def command(database: Database, *arguments: str) -> tuple[int, str, str]:
    """How a command ended, and what it said."""
    settings = {"DATABASE_URL": database.url, "JIKAO_SECRET": "s" * 32}

    def work() -> tuple[int, str, str]:
        process: subprocess.Popen[str] = jikao(*arguments, **settings)
        out, complaints = process.communicate(timeout=60)
        return process.returncode, out, complaints

    return await anyio.to_thread.run_sync(work)


async def tamper(postgres: Cluster, database: Database, statement: str) -> None:
    name = database.url.rpartition("/")[2].partition("?")[0]
    superuser = await asyncpg.connect(postgres.url(SUPERUSER, name))
    try:
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute(statement)
    finally:
        await superuser.close()


async def test_verifying_says_how_far_it_is_and_what_it_came_to(pool: Database, tmp_path: Path) -> None:
    await fill()
    seals = tmp_path / "seals"
    assert (await command(pool, "seal", str(seals)))[0] == 0
    code, out, _ = await command(pool, "seal")
    assert (code, json.loads(out)) == (0, json.loads(seals.read_text()))
    code, out, complaints = await command(pool, "verify")
    assert code == 0
    assert out.startswith("verified: ")
    assert out.count("\n") == 1
    stages = ["the chain", "what the chain binds beside itself", "scoring anew", "posting anew", "the present"]
    assert complaints.splitlines()[:5] == stages
    assert "no seal" in complaints.splitlines()[5]
    code, out, complaints = await command(pool, "verify", "--seal", str(seals))
    assert (code, complaints.splitlines()) == (0, stages)
    code, out, _ = await command(pool, "verify", "--json", "--seal", str(seals))
    told = json.loads(out)
    assert (code, told["holds"], told["sealed"], told["difference"]) == (0, True, True, None)
    assert told["length"] == told["events"] + told["entries"] + told["acts"]


async def test_verifying_names_what_differs(pool: Database, postgres: Cluster, tmp_path: Path) -> None:
    await fill()
    seal = tmp_path / "seal"
    assert (await command(pool, "seal", str(seal)))[0] == 0
    seal.write_text(json.dumps(json.loads(seal.read_text()) | {"length": 999}, indent=1))
    code, out, _ = await command(pool, "verify", "--seal", str(seal))
    assert code == 1
    assert out.startswith("not verified: the chain is shorter than it was sealed")
    await tamper(postgres, pool, "UPDATE entry SET posted = -9 WHERE number = (SELECT min(number) FROM entry)")
    code, out, _ = await command(pool, "verify", "--json")
    told = json.loads(out)
    assert (code, told["holds"]) == (1, False)
    async with borrowed() as connection:
        number = await connection.fetchval("SELECT min(number) FROM entry")
    assert (told["difference"]["kind"], told["difference"]["number"]) == ("hash", number)
    assert f"entry {number} does not fit the chain" in told["difference"]["message"]


@pytest.mark.parametrize("given", ["", "hello", "[]", '{"length": 1}', '{"length": -1, "head": ""}', None])
async def test_what_is_no_seal_is_asked_wrongly(pool: Database, tmp_path: Path, given: str | None) -> None:
    file = tmp_path / "seal"
    if given is not None:
        file.write_text(given)
    code, out, complaints = await command(pool, "verify", "--seal", str(file))
    assert (code, out) == (2, "")
    assert "seal" in complaints


async def test_exporting_records(pool: Database, tmp_path: Path) -> None:
    await fill()
    async with borrowed() as connection:
        length = await connection.fetchval("SELECT length FROM ledger_head")
    expected = await recorded(1, length)
    file = tmp_path / "chain.ndjson"
    assert await command(pool, "export", "--records", str(file)) == (0, "", f"{length} records exported\n")
    assert file.read_bytes() == expected
    assert (await command(pool, "export", "--records", "-"))[1].encode() == expected
    code, _, complaints = await command(pool, "export", "--records", str(tmp_path))
    assert code == 1
    assert "cannot be written" in complaints
    assert (await command(pool, "export"))[0] == 2


async def test_rebuilding_the_present(pool: Database, postgres: Cluster) -> None:
    await fill()
    await tamper(postgres, pool, "DELETE FROM present_sheet")
    assert (await command(pool, "verify"))[0] == 1
    assert await command(pool, "rebuild") == (0, "the present was made anew: 6 events stand\n", "")
    assert (await command(pool, "verify"))[0] == 0
