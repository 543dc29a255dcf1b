"""A simulation of a year of 100,000 events: seconds, memory, and what posting through the server feels of it.

The ledger is filled by :mod:`bench.filling`; the draft deducts more for two rules. The server simulates the year while
a client posts one event after the other. Run: ``python -m bench.simulating``.
"""

import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio
import httpx

from admin.keys import make_key
from api.database import pooled
from api.embedded import Cluster, Database, cluster, throwaway
from bench import filling
from bench.recording import running
from bench.results import Finding, table

EVENTS, QUICK = 100_000, 2_000
POSTED = 300
PERIODS = "2026", "2026-09"


class Used(NamedTuple):
    """The most memory of a process, in bytes, and the seconds of processor that it had."""

    memory: int
    processor: float


def measure(*, quick: bool = False) -> Finding:
    """Fill, simulate; what to write down."""
    if quick:
        with throwaway() as server:
            return _measure(server, QUICK)
    with TemporaryDirectory(prefix="jikao-") as folder, cluster(Path(folder) / "postgres", durable=False) as server:
        return _measure(server, EVENTS)


def _measure(server: Cluster, events: int) -> Finding:
    database = server.database("year")
    anyio.run(filling.make, database, events)
    key = anyio.run(_key, database)
    ours = {"DATABASE_URL": database.url, "JIKAO_SECRET": secrets.token_hex(32), "JIKAO_LISTEN": "127.0.0.1:0"}
    rows = []
    with running(["api.command", "serve"], **ours) as (port, process), _client(port, key) as client:
        draft = filling.WORLD.replace("points: -0.50, matter", "points: -0.80, matter").replace(
            "-0.10, times", "-0.15, times"
        )
        client.put(
            "/api/rulebook/draft", content=draft, headers={"content-type": "application/yaml"}
        ).raise_for_status()
        posts = _posts(client)
        for _ in range(50):
            next(posts)
        alone = [next(posts) for _ in range(POSTED)]
        rows.append(["one post, alone: median, 95 % of them within", *_spread(alone)])
        for period in PERIODS:
            told, beside, used = _simulate(client, posts, period, process.pid)
            result = told["result"]
            rows += [
                [f"{period}: events gone through, ruled anew", f"{told['of']:,}", f"{result['ruled']:,}"],
                ["entries that would change", f"{result['added'] + result['removed'] + result['changed']:,}", ""],
                ["seconds; of processor, without PostgreSQL's", result["seconds"], f"{used.processor:.1f}"],
                ["most memory of its process", f"{used.memory / 1e6:.0f} MB", ""],
                ["one post meanwhile: median, 95 % of them within", *_spread(beside)],
            ]
    return Finding(
        title="A simulation of a year",
        command="python -m bench.simulating",
        lines=(
            "One worker; the simulation's process, PostgreSQL and the client share the machine.",
            "",
            *table(["what", "found", ""], rows),
        ),
    )


def _simulate(client: httpx.Client, posts: Iterator[float], period: str, server: int) -> tuple[Any, list[float], Used]:
    """Simulate while events are posted; what it came to, the seconds of each post, what it used."""
    before = _children(server)
    answer = client.post(
        "/api/rulebook/simulation", json={"period": period, "version": "draft"}, headers={"prefer": "respond-async"}
    )
    where, beside, used = answer.headers["location"], list[float](), Used(0, 0.0)
    while True:
        beside += [next(posts) for _ in range(20)]
        used = max([used, *(_used(child) for child in _children(server) - before)])
        told = client.get(where).json()
        if told["state"] != "running":
            if told["state"] != "done":
                raise AssertionError(told)
            return told, beside, used


def _posts(client: httpx.Client) -> Iterator[float]:
    """Post one event after the other; the seconds of each."""
    number = 0
    while True:
        number += 1
        body = {"id": f"S{number}", "source": "bench", "type": "absence", "subject": f"P{number % 600}",
                "time": f"2026-12-31T{10 + number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}+08:00",
                "data": {"times": 1}}  # fmt: skip
        begun = time.perf_counter()
        answer = client.post("/api/events", content=json.dumps(body), headers={"content-type": "application/json"})
        if answer.status_code != 201:
            raise AssertionError(answer.text)
        yield time.perf_counter() - begun


def _spread(seconds: list[float]) -> tuple[str, str]:
    late = sorted(seconds)[int(len(seconds) * 0.95)]
    return f"{statistics.median(seconds) * 1000:.1f} ms", f"{late * 1000:.1f} ms"


def _client(port: int, key: str) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {key}"}, timeout=60)


async def _key(database: Database) -> str:
    async with pooled(database.url, size=1):
        return await make_key("bench", ["events:write", "rules:read", "rules:write", "entries:read"])


def _children(parent: int) -> set[int]:
    """The processes below one."""
    found: set[int] = set()
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= {int(child), *_children(int(child))}
    return found


def _used(process: int) -> Used:
    """What a process used; nothing where it has ended."""
    try:
        status, spent = (Path(f"/proc/{process}/{name}").read_text() for name in ("status", "stat"))
    except OSError:
        return Used(0, 0.0)
    memory = next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
    ticks = spent.rpartition(")")[2].split()[11:13]
    return Used(memory, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
