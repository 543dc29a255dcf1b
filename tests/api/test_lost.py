"""The database goes away while somebody posts: a clear answer, nothing by half, and the process recovers by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from api import database as connecting
from api.database import POOL
from api.embedded import Cluster, Database
from api.piccolo_conf import DB
from ledger.desk import Desk
from tests.api.conftest import Client, event

pytestmark = pytest.mark.anyio

Kill = Callable[[asyncpg.Connection], Awaitable[None]]


@pytest.fixture
async def kill(postgres: Cluster) -> Kill:
    """End the server's process of a connection, as a crash of it would."""

    async def kill(connection: asyncpg.Connection) -> None:
        other = await asyncpg.connect(postgres.url("postgres", "postgres"))
        await other.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        await other.close()

    return kill


def check_away(answer: httpx.Response) -> None:
    """The answer says that the database is away, and when to come again."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "urn:jikao:problem:unavailable"


@pytest.mark.parametrize("moment", ["prepare", "record", "finish"])
async def test_a_lost_connection_is_told_and_replaced(
    client: Client, kill: Kill, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    work: Any = getattr(Desk, moment)

    async def cut(self: Desk, *given: Any) -> Any:
        await kill(self.connection)
        return await work(self, *given)

    before = (await client.get("/api/ledger/seal")).json()
    with monkeypatch.context() as patched:
        patched.setattr(Desk, moment, cut)
        for number in range(POOL + 2):  # more than the pool has: none may be lost with its connection
            check_away(await client.post("/api/events", json=event(id=f"E{number}")))
    assert (await client.get("/api/ledger/seal")).json() == before
    async with asyncio.timeout(10):
        answer = await client.post("/api/events", json=event(id="E0"))
    assert answer.status_code == 201, answer.text


async def test_all_who_wait_are_told(client: Client, kill: Kill, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = Desk.prepare

    async def cut(self: Desk, *given: Any) -> Any:
        await kill(self.connection)
        return await prepare(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Desk, "prepare", cut)
        answers = await asyncio.gather(*(client.post("/api/events", json=event(id=f"E{n}")) for n in range(30)))
    for answer in answers:
        check_away(answer)
    answers = await asyncio.gather(*(client.post("/api/events", json=event(id=f"E{n}")) for n in range(30)))
    assert {answer.status_code for answer in answers} == {201}


async def test_an_answer_that_was_lost_after_the_commit_is_given_again(
    client: Client, kill: Kill, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = asyncpg.transaction.Transaction.commit

    async def cut(self: Any) -> None:
        await commit(self)
        raise asyncpg.ConnectionDoesNotExistError("the answer to COMMIT was lost")

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.transaction.Transaction, "commit", cut)
        check_away(await client.post("/api/events", json=event()))
    answer = await client.post("/api/events", json=event())
    assert (answer.status_code, len(answer.json()["entries"])) == (200, 2), answer.text


async def test_whoever_holds_the_lock_too_long_is_not_waited_for(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connecting._SERVING, "lock_timeout", "200ms")
    assert DB.pool is not None
    await DB.pool.expire_connections()
    other = await asyncpg.connect(database.url)
    async with other.transaction():
        await other.execute("SELECT * FROM ledger_head FOR UPDATE")
        begun = time.monotonic()
        check_away(await client.post("/api/events", json=event()))
        assert time.monotonic() - begun < 5
    await other.close()
    assert (await client.post("/api/events", json=event())).status_code == 201


async def test_pages_of_the_interface_recover_too(client: Client, kill: Kill, postgres: Cluster) -> None:
    other = await asyncpg.connect(postgres.url("postgres", "postgres"))
    for _ in range(POOL + 2):
        await other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'jikao'"
        )
        answer = await client.get("/api/entries")
        assert answer.status_code in (200, 503)
    await other.close()
    assert (await client.get("/ready")).status_code == 200
    assert (await client.get("/api/entries")).status_code == 200
