"""The command line as it is used: started, stopped, killed and started again."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.embedded import Cluster, Database
from tests.processes import Server, jikao, listening, serving

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start commands of ours on an embedded PostgreSQL in a folder of the test's; none is left behind."""
    started: list[subprocess.Popen[str]] = []

    def one(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
        started.append(jikao(*arguments, **{"JIKAO_VAR": str(tmp_path / "var"), **settings}))
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.communicate()
    wait_until_stopped(tmp_path)


def said(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """How a command ended, and what it said on its two outputs."""
    out, complaints = process.communicate(timeout=60)
    return process.returncode, out, complaints


def answers(url: str) -> None:
    """The server answers and reaches its database, within a few seconds."""
    deadline = time.monotonic() + 20
    while True:
        try:
            assert httpx.get(f"{url}/health").json() == {"status": "ok"}
            assert httpx.get(f"{url}/ready").json() == {"status": "ok"}
            return
        except (httpx.TransportError, AssertionError):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def wait_until_stopped(tmp_path: Path) -> None:
    """Nothing of the embedded PostgreSQL runs any more."""
    deadline = time.monotonic() + 20
    while (tmp_path / "var" / "postgres" / "data" / "postmaster.pid").exists():
        assert time.monotonic() < deadline, "the embedded PostgreSQL still runs"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_stops_in_order(start: Start, tmp_path: Path, way: signal.Signals, workers: str) -> None:
    process = start("serve", "--empty", JIKAO_WORKERS=workers)
    answers(listening(process))
    process.send_signal(way)
    code, _, complaints = said(process)
    assert (code, complaints) == (0, "")
    assert not (tmp_path / "var" / "postgres" / "data" / "postmaster.pid").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_is_killed_and_started_again_at_once(start: Start, workers: str) -> None:
    given = {"JIKAO_LISTEN": f"127.0.0.1:{free_port()}", "JIKAO_WORKERS": workers}
    killed = start("serve", "--empty", **given)
    answers(listening(killed))
    killed.kill()
    killed.wait()
    deadline = time.monotonic() + 30
    while True:  # workers need a moment to notice that their parent is gone
        again = start("serve", "--empty", **given)
        if again.stdout and again.stdout.readline():
            break
        assert "Address already in use" in said(again)[2]
        assert time.monotonic() < deadline
    answers(f"http://{given['JIKAO_LISTEN']}")
    again.send_signal(signal.SIGINT)
    assert said(again)[0] == 0


def test_two_commands_share_one_embedded_database(start: Start) -> None:
    serving = start("serve", "--empty")
    url = listening(serving)
    assert said(start("migrate")) == (0, "the database's tables are current\n", "")
    answers(url)
    serving.send_signal(signal.SIGTERM)
    assert said(serving)[0] == 0


def test_migrating_for_machines(start: Start) -> None:
    first = said(start("migrate", "--json"))
    assert first[0] == 0
    assert json.loads(first[1])["ran"]
    assert json.loads(said(start("migrate", "--json"))[1]) == {"ran": []}


def test_a_busy_address_is_told_in_one_line(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, out, complaints = said(start("serve", "--empty", JIKAO_LISTEN=address))
    assert (code, out) == (1, "")
    assert complaints == f"jikao: JIKAO_LISTEN: cannot listen on {address}: Address already in use\n"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "jikao: JIKAO_WORKERS: is “many”; expected a whole number from 1 to 64\n"),
        ("zh-CN", "jikao: JIKAO_WORKERS: 设置为“many”；应为1 到 64 的整数\n"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_line(start: Start, language: str, sentence: str) -> None:
    assert said(start("serve", JIKAO_WORKERS="many", JIKAO_LANGUAGE=language)) == (1, "", sentence)


def test_a_wrong_language_is_told(start: Start) -> None:
    code, _, complaints = said(start("migrate", JIKAO_LANGUAGE="fr"))
    assert (code, complaints) == (1, "jikao: JIKAO_LANGUAGE: 设置为“fr”；应为zh-CN 或 en\n")


def test_errors_for_machines(start: Start) -> None:
    code, out, complaints = said(start("migrate", "--json", JIKAO_WORKERS="0"))
    assert (code, complaints) == (1, "")
    (error,) = json.loads(out)["errors"]
    assert error["path"] == "JIKAO_WORKERS"
    assert error["message"]


def test_an_unknown_command_is_refused(start: Start) -> None:
    code, _, complaints = said(start("scoreboard"))
    assert code == 2
    assert "scoreboard" in complaints


def test_a_given_database(server: Server) -> None:
    answers(server.url)
    with server.client() as client:
        assert client.get("/nowhere").status_code == 404


def test_the_owner_may_not_serve(database: Database, start: Start) -> None:
    code, _, complaints = said(start("serve", DATABASE_URL=database.migrate_url, JIKAO_SECRET="s" * 32))
    assert code == 1
    assert complaints.startswith("jikao: DATABASE_URL: the role “jikao_owner” owns the tables")
    assert "JIKAO_MIGRATE_URL" in complaints
    assert complaints.count("\n") == 1


def test_a_database_that_is_behind_is_told(postgres: Cluster, start: Start) -> None:
    empty = postgres.database("behind")
    given = {"DATABASE_URL": empty.url, "JIKAO_SECRET": "s" * 32}
    try:
        code, _, complaints = said(start("serve", **given))
        assert (code, complaints.count("\n")) == (1, 1)
        assert "run jikao migrate" in complaints
        assert said(start("migrate", **given))[2].startswith("jikao: JIKAO_MIGRATE_URL: ")
        assert said(start("migrate", JIKAO_MIGRATE_URL=empty.migrate_url, **given))[0] == 0
        with serving(empty) as running:
            answers(running.url)
    finally:
        postgres.drop("behind")


def test_a_database_that_does_not_answer_is_told(start: Start) -> None:
    url = "postgresql://app:hidden@127.0.0.1:1/jikao"
    code, _, complaints = said(start("serve", DATABASE_URL=url, JIKAO_SECRET="s" * 32))
    assert (code, complaints.count("\n")) == (1, 1)
    assert complaints.startswith("jikao: postgresql://app@127.0.0.1:1/jikao: the database does not answer")


def test_it_is_not_ready_while_its_database_is_gone(postgres: Cluster, database: Database, start: Start) -> None:
    url = listening(start("serve", DATABASE_URL=database.url, JIKAO_SECRET="s" * 32))
    answers(url)
    postgres.drop(database.url.split("/")[-1].split("?")[0])
    answer = httpx.get(f"{url}/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert httpx.get(f"{url}/health").status_code == 200
