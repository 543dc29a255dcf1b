"""The embedded PostgreSQL: how it is set up, shared, and survives being killed."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import asyncpg
import pytest

from api.embedded import APPLICATION, OWNER, Cluster, Database, cluster, embedded
from api.postmaster import RESTARTS
from engine.finding import Refused
from engine.language import render

USER = """
import sys
from pathlib import Path
from api.embedded import embedded
with embedded(Path(sys.argv[1])) as database:
    print(database.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "postgres"
    assert not is_running(tmp_path / "postgres"), "a server was left running"


def asked(url: str, query: str) -> object:
    """One value from the database."""

    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return anyio.run(ask)


def is_running(folder: Path) -> bool:
    return (folder / "data" / "postmaster.pid").exists()


def server_process(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def wait_until_stopped(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while is_running(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(folder)


def user(folder: Path) -> "subprocess.Popen[str]":
    """Another process that uses the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def end(process: "subprocess.Popen[str]", kill: bool = False) -> None:
    if kill:
        process.kill()
    process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SHOW data_checksums", "on"),
        ("SHOW server_encoding", "UTF8"),
        ("SELECT datcollate FROM pg_database WHERE datname = current_database()", "C"),
        ("SHOW timezone", "UTC"),
        ("SHOW listen_addresses", ""),
        ("SELECT current_user::text", APPLICATION),
        ("SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname IN ('jikao_app', 'jikao_owner')", 0),
        ("SELECT count(*) FROM pg_hba_file_rules() WHERE auth_method <> 'scram-sha-256'", 0),
        ("SELECT count(*) FROM pg_class WHERE pg_has_role(relowner, 'MEMBER')", 0),
    ],
)
def test_how_it_is_set_up(postgres: Cluster, database: Database, query: str, value: object) -> None:
    allowed = postgres.url("postgres", database.url.split("/")[-1].split("?")[0]) if "hba" in query else database.url
    assert asked(allowed, query) == value


def test_the_owner_makes_tables_and_the_application_cannot(postgres: Cluster) -> None:
    made = postgres.database("ownership")
    try:
        asked(made.migrate_url, "CREATE TABLE one (a int)")
        assert (
            asked(made.url, "SELECT count(*) FROM pg_tables WHERE tablename = 'one' AND tableowner = 'jikao_owner'")
            == 1
        )
        for forbidden in ("CREATE TABLE two (a int)", "DROP TABLE one", "SELECT * FROM one", "SET ROLE jikao_owner"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                asked(made.url, forbidden)
    finally:
        postgres.drop("ownership")


def test_no_one_gets_in_without_the_password(database: Database, postgres: Cluster) -> None:
    for role in (APPLICATION, OWNER, "postgres"):
        wrong = postgres.url(role, "postgres").replace(postgres.passwords[role], "guess")
        with pytest.raises(asyncpg.InvalidPasswordError):
            asked(wrong, "SELECT 1")


def test_it_is_made_once_kept_and_stopped(folder: Path) -> None:
    with embedded(folder) as database:
        asked(database.migrate_url, "CREATE TABLE kept AS SELECT 7 AS a")
        assert is_running(folder)
        assert stat.S_IMODE((folder / "passwords.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
    assert not is_running(folder)
    with embedded(folder) as again:
        assert again.url.split("?")[0] == database.url.split("?")[0]
        assert asked(again.migrate_url, "SELECT a FROM kept") == 7


def test_two_processes_share_it_and_the_last_one_stops_it(folder: Path) -> None:
    first = user(folder)
    server = server_process(folder)
    with embedded(folder) as database:
        assert server_process(folder) == server
        end(first)
        assert asked(database.url, "SELECT 1") == 1
        assert server_process(folder) == server
    assert not is_running(folder)


def test_two_processes_may_make_it_at_the_same_moment(folder: Path) -> None:
    command = [sys.executable, "-c", USER, str(folder)]
    pair = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60) for process in pair]
    assert told[0] == told[1]
    assert told[0][1] == ""
    wait_until_stopped(folder)


def test_the_process_that_started_it_is_killed_and_the_other_goes_on(folder: Path) -> None:
    first = user(folder)
    second = user(folder)
    server = server_process(folder)
    end(first, kill=True)
    with embedded(folder) as database:
        assert asked(database.url, "SELECT 1") == 1
        assert server_process(folder) == server
    end(second)
    wait_until_stopped(folder)


def test_the_only_process_is_killed_and_the_server_stops(folder: Path) -> None:
    end(user(folder), kill=True)
    wait_until_stopped(folder)
    with embedded(folder) as database:
        assert asked(database.url, "SELECT 1") == 1


def test_the_server_is_killed_and_comes_back(folder: Path) -> None:
    with embedded(folder) as database:
        for _ in range(RESTARTS + 2):  # however often
            killed = server_process(folder)
            os.kill(killed, signal.SIGKILL)
            deadline = time.monotonic() + 20
            while True:
                try:
                    assert asked(database.url, "SELECT 1") == 1
                    break
                except (OSError, asyncpg.PostgresError):
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            assert server_process(folder) != killed


def test_its_keeper_is_killed_and_the_next_process_starts_it_again(folder: Path) -> None:
    process = user(folder)
    os.kill(int((folder / "server.lock").read_text()), signal.SIGKILL)
    with embedded(folder) as database:
        assert asked(database.url, "SELECT 1") == 1
    end(process)
    wait_until_stopped(folder)


def test_a_stale_pid_file_that_names_a_living_stranger_does_no_harm(folder: Path) -> None:
    with embedded(folder):
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    (folder / "data" / "postmaster.pid").write_text("\n".join([str(os.getppid()), *lines[1:]]))
    with embedded(folder) as database:
        assert asked(database.url, "SELECT 1") == 1
    os.kill(os.getppid(), 0)


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("深" * 40) / "postgres"
    with cluster(deep, durable=False) as server:
        assert asked(server.database("one").url, "SELECT 1") == 1
        assert deep not in server.sockets.parents
    assert not is_running(deep)
    assert not server.sockets.exists()


def test_lost_passwords_are_told(folder: Path) -> None:
    with embedded(folder):
        pass
    (folder / "passwords.json").write_text(json.dumps({"postgres": "x"}))
    with pytest.raises(Refused) as refused, embedded(folder):
        pass
    (finding,) = refused.value.findings
    assert finding.path == str(folder / "passwords.json")


def test_data_of_another_release_is_told(folder: Path) -> None:
    with embedded(folder):
        pass
    (folder / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(Refused) as refused, embedded(folder):
        pass
    assert "PostgreSQL 15; expected 18" in render(refused.value.findings[0].message, "en")


def test_a_server_that_does_not_start_is_told_in_one_line(folder: Path) -> None:
    with embedded(folder):
        pass
    (folder / "data" / "postgresql.conf").write_text("no_such_thing = 1\n")
    with pytest.raises(Refused) as refused, embedded(folder):
        pass
    said = render(refused.value.findings[0].message, "en")
    assert "did not start" in said
    assert "\n" not in said


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused) as refused, embedded(tmp_path / "file" / "postgres"):
        pass
    assert refused.value.findings[0].path == str(tmp_path / "file" / "postgres")
