"""Bringing tables up to date, and what the application may do with them afterwards."""

import asyncio
import sys
from collections.abc import Iterator

import anyio
import asyncpg
import pytest
from piccolo.apps.migrations.commands.forwards import run_forwards

from api import migrating
from api.database import check_role, connect
from api.embedded import OWNER, Cluster, Database
from api.migrating import append_only, migrate, missing, removable
from engine.finding import Refused
from engine.language import render


@pytest.fixture
def empty(postgres: Cluster) -> Iterator[Database]:
    yield postgres.database("unmigrated")
    postgres.drop("unmigrated")


async def done(url: str, *statements: str) -> list[asyncpg.Record]:
    """Statements in one connection; the rows of the last."""
    connection = await connect(url)
    try:
        rows: list[asyncpg.Record] = []
        for statement in statements:
            rows = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_it_runs_what_is_missing_and_then_nothing(empty: Database) -> None:
    before = await missing(empty.url)
    assert before
    assert list(await migrate(empty.migrate_url, empty.url)) == list(before)
    assert await missing(empty.url) == []
    assert await migrate(empty.migrate_url, empty.url) == []


@pytest.mark.anyio
async def test_two_at_once_do_it_once(empty: Database) -> None:
    command = "import sys, anyio; from api.migrating import migrate; print(len(anyio.run(migrate, *sys.argv[1:])))"
    pair = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            command,
            empty.migrate_url,
            empty.url,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    told = sorted([int((await process.communicate())[0]) for process in pair])
    assert told == [0, len(await done(empty.url, "SELECT FROM migration"))]


@pytest.mark.anyio
async def test_a_migration_that_fails_leaves_nothing_behind(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_forwards

    async def fails(app_name: str) -> object:
        await whole(app_name=app_name)
        raise asyncpg.DataError("no such luck")

    monkeypatch.setattr(migrating, "run_forwards", fails)
    before = await missing(empty.url)
    with pytest.raises(Refused):
        await migrate(empty.migrate_url, empty.url)
    assert await missing(empty.url) == before
    assert await done(empty.url, "SELECT FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.anyio
async def test_what_is_written_once_can_only_be_read_and_added(database: Database) -> None:
    kept = append_only()
    assert {"migration"} < kept
    rows = await done(
        database.url,
        """
        SELECT c.relname AS name, array_agg(p ORDER BY p) FILTER (WHERE has_table_privilege(c.oid, p)) AS rights
        FROM pg_class c, unnest(ARRAY['DELETE', 'INSERT', 'SELECT', 'TRUNCATE', 'UPDATE']) p
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname
        """,
    )
    rights = {row["name"]: row["rights"] for row in rows}
    assert kept <= rights.keys()
    for table, may in rights.items():
        more = [] if table in kept else ["UPDATE"] if table in removable() else ["DELETE", "UPDATE"]
        assert may == sorted(["INSERT", "SELECT", *more]), table


@pytest.mark.anyio
async def test_tables_made_later_can_be_read_and_added_to(database: Database) -> None:
    await done(database.migrate_url, "CREATE TABLE later (id serial)")
    assert await done(database.url, "INSERT INTO later DEFAULT VALUES", "SELECT * FROM later")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await done(database.url, "DELETE FROM later")


@pytest.mark.anyio
async def test_the_applications_role_is_made_where_the_owner_may(postgres: Cluster, empty: Database) -> None:
    wanted = empty.url.replace("jikao_app:", "county_app:")
    with pytest.raises(Refused) as refused:
        await migrate(empty.migrate_url, wanted)
    assert refused.value.findings[0].message.key == "database.role_missing"
    superuser = postgres.url("postgres", "unmigrated")
    await done(superuser, f"ALTER ROLE {OWNER} CREATEROLE", "GRANT CONNECT ON DATABASE unmigrated TO PUBLIC")
    try:
        assert await migrate(empty.migrate_url, wanted)
        assert (await done(wanted, "SELECT count(*) FROM migration"))[0][0]
        async with asyncio.timeout(10):
            connection = await connect(wanted)
            await check_role(connection)
            await connection.close()
    finally:
        await done(superuser, f"ALTER ROLE {OWNER} NOCREATEROLE", "DROP OWNED BY county_app", "DROP ROLE county_app")


@pytest.mark.anyio
async def test_a_schema_of_its_own(empty: Database) -> None:
    await done(empty.migrate_url, "CREATE SCHEMA county7")
    owner, application = (f"{url}&search_path=county7" for url in (empty.migrate_url, empty.url))
    assert await migrate(owner, application)
    assert await missing(application) == []
    assert await done(empty.url, "SELECT FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize(("role", "said"), [(OWNER, "database.owner"), ("postgres", "database.superuser")])
@pytest.mark.anyio
async def test_a_role_with_too_much_power_is_refused(
    postgres: Cluster, database: Database, role: str, said: str
) -> None:
    name = database.url.split("/")[-1].split("?")[0]
    connection = await connect(postgres.url(role, name))
    try:
        with pytest.raises(Refused) as refused:
            await check_role(connection)
    finally:
        await connection.close()
    assert refused.value.findings[0].message.key == said
    assert "JIKAO_MIGRATE_URL" in render(refused.value.findings[0].message)


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    with pytest.raises(Refused) as refused:
        anyio.run(connect, "postgresql://app:hidden@127.0.0.1:1/jikao")
    (finding,) = refused.value.findings
    assert finding.path == "postgresql://app@127.0.0.1:1/jikao"
    assert "hidden" not in str(finding)
