"""``jikao import``: events from a file, each by itself or all or none, the refused ones named and set aside."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from admin.tables import Reception
from api.database import connect, pooled, role
from api.embedded import Database
from ledger.tables import Event
from tests.small_office import event, fill

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def office(database: Database) -> Database:
    """The small office."""
    anyio.run(fill)
    return database


@pytest.fixture
def run(office: Database) -> Run:
    """Run ``jikao import``; how it ended, and what it said on its two outputs."""

    def one(*arguments: str, given: str | None = None) -> tuple[int, str, str]:
        process = start(office, *arguments, stdin=None if given is None else subprocess.PIPE)
        out, complaints = process.communicate(given, timeout=120)
        return process.returncode, out, complaints

    return one


def start(office: Database, *arguments: str, **streams: Any) -> "subprocess.Popen[str]":
    settings = {"DATABASE_URL": office.url, "JIKAO_SECRET": "s" * 40, "JIKAO_LANGUAGE": "en"}
    return subprocess.Popen(
        [sys.executable, "-m", "api.command", "import", *arguments],
        env={**os.environ, **settings},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )


def fault(number: int, **given: Any) -> dict[str, Any]:
    return {**event(number, "fault", "B1", "2026-03-10", count="1"), **given}


def write(path: Path, *given: Any) -> str:
    """A file of lines."""
    path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in given))
    return str(path)


def ids(database: Database) -> set[str]:
    async def read() -> set[str]:
        async with pooled(database.url):
            rows = await Event.select(Event.id)
        return {row["id"] for row in rows} - {f"E{number}" for number in range(1, 7)}

    return anyio.run(read)


def test_events_are_recorded_and_repeating_it_is_harmless(run: Run, office: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "events.ndjson", *(fault(number) for number in range(100, 550)))
    assert run(file) == (0, "450 recorded, 0 repeated, 0 refused\n", "")
    assert run(file) == (0, "0 recorded, 450 repeated, 0 refused\n", "")
    assert ids(office) == {f"E{number}" for number in range(100, 550)}
    assert run("-", given=json.dumps(fault(99)))[1] == "1 recorded, 0 repeated, 0 refused\n"


def test_refused_lines_are_named(run: Run, office: Database, tmp_path: Path) -> None:
    wrong = fault(102, subject="B9"), fault(103, data={"count": "x", "size": 1})
    file = write(tmp_path / "events.jsonl", fault(101), "", "{broken", *wrong, fault(1, subject="B2"), fault(104))
    code, out, complaints = run(file)
    assert (code, out) == (1, "2 recorded, 0 repeated, 4 refused\n")
    said = complaints.splitlines()
    assert [line.split(":")[0] for line in said] == [
        "line 3", "line 4 E102 /subject", "line 5 E103 /data/size", "line 5 E103 /data/count", "line 6 E1 /id",
    ]  # fmt: skip
    assert ids(office) == {"E101", "E104"}
    noted = anyio.run(receptions, office)
    assert [(each["source"], each["event"], each["status"]) for each in noted] == [
        ("", "", 400), ("manual", "E102", 422), ("manual", "E103", 422), ("manual", "E1", 409),
    ]  # fmt: skip
    assert {each["sender"] for each in noted} == {"jikao import"}


async def receptions(database: Database) -> list[dict[str, Any]]:
    async with pooled(database.url):
        return list(await Reception.select().order_by(Reception.id))


def test_refused_lines_are_set_aside_mended_and_imported_again(run: Run, office: Database, tmp_path: Path) -> None:
    exact = (
        '{"id": "E102", "type": "survey", "subject": "B9", "time": "2026-03-10T10:00:00+08:00", "data": {"rate": 0.10}}'
    )
    file = write(tmp_path / "events.ndjson", fault(101), exact, "{broken")
    aside = tmp_path / "refused.ndjson"
    code, out, complaints = run("--refused", str(aside), file)
    assert (code, complaints) == (1, "")
    assert out.splitlines() == [
        "1 recorded, 0 repeated, 2 refused",
        f"the refused lines are in {aside}; mend them and import it",
    ]
    first, second = (json.loads(line) for line in aside.read_text().splitlines())
    assert (first["line"], first["id"], [each["pointer"] for each in first["errors"]]) == (2, "E102", ["/subject"])
    assert exact in aside.read_text()  # to the letter
    assert (second["line"], second["id"], second["text"]) == (3, None, "{broken")
    again = tmp_path / "again.ndjson"
    assert run("--refused", str(again), str(aside))[0] == 1
    assert [json.loads(line).get("text") for line in again.read_text().splitlines()] == [None, "{broken"]
    mended = aside.read_text().replace("B9", "B1").replace('"{broken"', json.dumps(json.dumps(fault(103))))
    aside.write_text(mended)
    assert run(str(aside)) == (0, "2 recorded, 0 repeated, 0 refused\n", "")
    assert ids(office) == {"E101", "E102", "E103"}


def test_the_file_of_refused_lines_is_a_new_one_and_goes_where_nothing_is_refused(
    run: Run, office: Database, tmp_path: Path
) -> None:
    file = write(tmp_path / "events.ndjson", fault(101))
    code, _, complaints = run("--refused", file, file)
    assert (code, complaints) == (1, f"jikao: {file}: this file cannot be made: File exists\n")
    assert ids(office) == set()
    assert run("--refused", str(tmp_path / "refused.ndjson"), file)[0] == 0
    assert not (tmp_path / "refused.ndjson").exists()


def test_all_or_none(run: Run, office: Database, tmp_path: Path) -> None:
    broken = write(tmp_path / "broken.ndjson", fault(101), "{broken", fault(102, id="a/b"))
    code, out, complaints = run("--atomic", broken)
    assert (code, out.splitlines()) == (
        1, ["0 recorded, 0 repeated, 2 refused", "with lines refused, nothing was recorded"],
    )  # fmt: skip
    assert [line.split(":")[0] for line in complaints.splitlines()] == ["line 2", "line 3 a/b /id"]
    wrong = write(tmp_path / "wrong.ndjson", fault(101), fault(102, subject="B9"))
    assert run("--atomic", wrong)[2].startswith("line 2 E102 /subject: ")
    assert ids(office) == set()
    fine = write(tmp_path / "fine.ndjson", fault(101), fault(102), fault(101))
    assert run("--atomic", fine) == (0, "2 recorded, 1 repeated, 0 refused\n", "")


def test_for_machines(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "events.ndjson", fault(101), fault(102, subject="B9"))
    code, out, complaints = run("--json", file)
    told = json.loads(out)
    assert (code, complaints) == (1, "")
    assert (told["accepted"], told["repeated"], told["refused_count"]) == (1, 0, 1)
    ((refused),) = told["refused"]
    assert (refused["line"], refused["id"], refused["errors"][0]["pointer"]) == (2, "E102", "/subject")


def test_other_endings_and_files_are_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    endings = ".ndjson, .jsonl, .yaml, .yml, .xlsx"
    said = f"jikao: subjects.csv: this kind of file is not known; expected one of: {endings}\n"
    assert run("subjects.csv") == (1, "", said)
    assert run(str(tmp_path / "no.ndjson"))[2].endswith("the file cannot be read: No such file or directory\n")


def test_a_database_that_fails_is_told_in_one_line(run: Run, office: Database, tmp_path: Path) -> None:
    async def forbid() -> None:
        connection = await connect(office.migrate_url)
        await connection.execute(f'REVOKE INSERT ON event FROM "{role(office.url)[0]}"')
        await connection.close()

    anyio.run(forbid)
    file = write(tmp_path / "events.ndjson", fault(101), fault(102))
    code, out, complaints = run(file)
    assert (code, out, complaints.count("\n")) == (1, "", 1)
    assert complaints.startswith("jikao: broken off after 0 lines: permission denied for table event; ")
    assert ids(office) == set()


def test_whoever_watches_sees_how_far_it_is(office: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "events.ndjson", *(fault(number) for number in range(100, 3_000)))
    terminal, theirs = pty.openpty()
    process = start(office, file, stderr=theirs)
    os.close(theirs)
    seen = b""
    while chunk := _read(terminal):
        seen += chunk
    os.close(terminal)
    assert process.communicate(timeout=60)[0] == "2900 recorded, 0 repeated, 0 refused\n"
    assert b"%, 0 refused" in seen
    assert seen.endswith(b"\r\x1b[K")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side is closed
        return b""


def test_memory_does_not_grow_with_the_file(office: Database, tmp_path: Path) -> None:
    lines = [json.dumps(fault(100 + number)) + " " * 200_000 for number in range(200)]
    process = start(office, "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    peaks = []
    for line in lines:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        peaks.append(psutil.Process(process.pid).memory_info().rss)
    assert process.communicate(timeout=60)[0] == "200 recorded, 0 repeated, 0 refused\n"
    assert max(peaks[50:]) - peaks[50] < 20 << 20
