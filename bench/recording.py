"""Recording over HTTP beside a bare handler: from the body to committed entries, one worker, everything on.

Ours parses, matches by both matchers, scores joint liability, limits, matters and repetitions, chains and commits.
The bare handler decodes the body and inserts the same rows into tables with the same indexes of the same PostgreSQL:
one transaction a request, a batch by COPY. The client shares the machine. Run: ``python -m bench.recording``.
"""

import asyncio
import json
import os
import pickle
import re
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import asyncpg

from admin.keys import make_key
from api.database import pooled
from api.embedded import Database, throwaway
from api.migrating import migrate
from bench.loading import request, send_all
from bench.posting import PERIODS, RELATIONS, SUBJECTS, WORLD
from bench.results import Finding, table
from engine.organisation import TIMEZONE
from ledger import acts
from ledger.current import Current, use_current
from rules.document import read_rulebook
from rules.roster import read_periods, read_relations, read_subjects
from rules.tree import load_yaml

SINGLES, BATCHES, SIZE, ROUNDS = 4_000, 20, 500, 3
CONNECTIONS = 32
WANTED = {"singles": 0.5, "batches": 0.25}


def event(number: int) -> dict[str, Any]:
    """The event of that number, a minute after the one before."""
    time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number * 7)
    return {
        "id": f"E{number}",
        "source": "bench",
        "type": "notice",
        "subject": f"U{number % 20}",
        "time": time.isoformat(),
        "matter": f"M{number % 1000}",
        "data": {"level": "province" if number % 4 == 0 else "city", "problem": f"p{number % 7}"},
    }


async def set_up(database: Database) -> str:
    """The office's world, and a key to report by."""
    await migrate(database.migrate_url, database.url)
    async with pooled(database.url, size=1):
        use_current(Current(TIMEZONE))
        await acts.declare(read_periods(load_yaml(PERIODS)[0].raw), actor="bench")
        subjects, relations = read_subjects(load_yaml(SUBJECTS)[0].raw), read_relations(load_yaml(RELATIONS)[0].raw)
        await acts.organise(datetime.now(UTC).date(), subjects, relations, reason="", actor="bench")
        await acts.publish_rulebook(read_rulebook(load_yaml(WORLD)[0].raw), actor="bench")
        return await make_key("bench", ["events:write"])


async def set_up_floor(database: Database) -> bytes:
    """Tables with the same indexes for the bare handler; the rows of a usual event."""
    owner = await asyncpg.connect(database.migrate_url)
    for name in ("event", "entry"):
        await owner.execute(f"CREATE TABLE floor_{name} (LIKE {name} INCLUDING ALL)")
        await owner.execute(f"GRANT SELECT, INSERT ON floor_{name} TO PUBLIC")
    written = await owner.fetchval("SELECT count(*) FROM event"), await owner.fetchval("SELECT count(*) FROM entry")
    most = round(written[1] / written[0])
    found = await owner.fetchrow(
        "SELECT number FROM event e WHERE (SELECT count(*) FROM entry WHERE cause = e.number) = $1"
        " ORDER BY number DESC LIMIT 1",
        most,
    )
    one = tuple(await owner.fetchrow("SELECT * FROM event WHERE number = $1", found["number"]))
    entries = [tuple(row) for row in await owner.fetch("SELECT * FROM entry WHERE cause = $1", found["number"])]
    await owner.close()
    return pickle.dumps((one, entries))


@contextmanager
def running(arguments: Sequence[str], **settings: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A server as a process of its own; its port."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JIKAO_", "DATABASE_URL"))}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], env=environment | settings, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                yield int(found.group(1)), process
                break
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def measure(*, quick: bool = False) -> Finding:
    """Measure on a throw-away database; what to write down."""
    singles, batches, rounds = (400, 4, 1) if quick else (SINGLES, BATCHES, ROUNDS)
    found: dict[tuple[str, str], list[float]] = {}
    with throwaway() as cluster, tempfile.TemporaryDirectory() as folder:
        database = cluster.database("bench")
        key = anyio.run(set_up, database)
        ours = {"DATABASE_URL": database.url, "JIKAO_SECRET": secrets.token_hex(32), "JIKAO_LISTEN": "127.0.0.1:0"}
        rows = Path(folder) / "rows"
        number = 0
        with running(["api.command", "serve"], **ours) as (port, _):
            number = _singles("warm", port, key, number, 500, found)
            rows.write_bytes(asyncio.run(set_up_floor(database)))
            with running(["bench.floor", database.url, str(rows)]) as (bare, _):
                for _ in range(rounds):
                    number = _singles("ours", port, key, number, singles, found)
                    number = _singles("bare", bare, key, number, singles, found)
                    number = _batches("ours", port, key, number, batches, found)
                    number = _batches("bare", bare, key, number, batches, found)
    lines, missed = [], []
    for what, wanted in WANTED.items():
        own, bare_rate = (statistics.median(found[what, who]) for who in ("ours", "bare"))
        ratio = statistics.median(a / b for a, b in zip(found[what, "ours"], found[what, "bare"], strict=True))
        lines.append([what, f"{own:,.0f}", f"{bare_rate:,.0f}", f"{ratio:.2f}", f"{wanted}"])
        if ratio < wanted:
            missed.append(f"{what} at {ratio:.2f} of the bare handler's speed; {wanted} wanted.")
    return Finding(
        title="Recording over HTTP, beside a bare handler",
        command="python -m bench.recording",
        lines=(
            f"One worker each; {CONNECTIONS} connections of a client on the same machine; batches of {SIZE} as a JSON "
            f"array, one after the other. Events a second, median of {rounds} rounds, in each one after the other.",
            "",
            *table(["", "ours", "bare handler", "ours ÷ bare", "wanted"], lines),
        ),
        missed=tuple(missed),
    )


def _singles(who: str, port: int, key: str, number: int, many: int, found: dict[tuple[str, str], list[float]]) -> int:
    bodies = [json.dumps(event(each)).encode() for each in range(number, number + many)]
    load = asyncio.run(send_all(port, [request("/api/events", key, body) for body in bodies], CONNECTIONS))
    if load.statuses != {201: many}:
        raise AssertionError(load.statuses)
    found.setdefault(("singles", who), []).append(many / load.seconds)
    return number + many


def _batches(who: str, port: int, key: str, number: int, many: int, found: dict[tuple[str, str], list[float]]) -> int:
    starts = range(number, number + many * SIZE, SIZE)
    bodies = [json.dumps([event(each) for each in range(start, start + SIZE)]).encode() for start in starts]
    load = asyncio.run(send_all(port, [request("/api/events/batch", key, body) for body in bodies], 1))
    if load.statuses != {200: many}:
        raise AssertionError(load.statuses)
    found.setdefault(("batches", who), []).append(many * SIZE / load.seconds)
    return number + many * SIZE


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
