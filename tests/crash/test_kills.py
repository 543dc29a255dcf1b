"""Nothing is lost (不丢不重): the service and PostgreSQL are killed at random moments, while eight systems post.

A real ``jikao serve`` with two workers on its embedded PostgreSQL, as it runs in an office. The systems send singles,
batches of every form, retractions and corrections, and all of it again: the same from several systems, out of order,
and whatever was not answered. What was acknowledged must then be there once and whole; nothing else may be.

``JIKAO_KILLS`` is the number of kills, ``JIKAO_SEED`` the seed of all choices.
"""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from admin.keys import SCOPES, make_key
from api.database import point, pooled
from api.embedded import embedded
from api.migrating import migrate
from engine.event import EventKey
from engine.organisation import TIMEZONE
from engine.register import Register
from engine.report import parse_report
from engine.scalar import Raw
from ledger import acts
from ledger.current import Current, use_current
from ledger.present import read_recorded
from ledger.recording import Recorder
from tests.books import add_up, check_chain, check_present
from tests.processes import listening, start
from tests.worlds import DAY, draw_limits, draw_periods, draw_raw, draw_relation, draw_rulebook, draw_subjects

KILLS = int(os.environ.get("JIKAO_KILLS", "20"))
SEED = os.environ.get("JIKAO_SEED") or str(random.SystemRandom().randrange(1_000_000))
SYSTEMS = 8
PATIENCE = 120
"""Seconds in which the service must be back after a kill."""

BEGIN = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
LINES = "application/x-ndjson"


# what is sent


def letter(number: int) -> dict[str, Raw]:
    """What is reported under a number; every twentieth is refused."""
    rng = random.Random(f"{SEED} event {number}")
    latest = BEGIN + timedelta(minutes=15 * number)
    raw = draw_raw(rng, f"E{number}", latest, lambda rng: latest - timedelta(hours=rng.randrange(0, 200)))
    raw["source"] = "s"
    if number % 20 == 7:
        raw["subject"] = "nobody"
    return raw


def otherwise(number: int) -> dict[str, Raw]:
    """Something else under the same id."""
    raw = letter(number)
    return {**raw, "time": (parse_report(raw).time - timedelta(hours=1)).isoformat()}


def replacement(number: int) -> dict[str, Raw]:
    """What an event is corrected by."""
    return {**letter(number + 1_000_000), "id": f"C{number}", "subject": "U1"}


class Notes:
    """What was sent, and what was answered."""

    def __init__(self) -> None:
        self.sent: dict[str, set[str]] = defaultdict(set)
        self.kept: dict[str, set[str]] = defaultdict(set)
        self.refused: set[tuple[str, str]] = set()
        self.withdrawn: set[str] = set()
        self.withdrawing: set[str] = set()
        self.entries: dict[int, dict[int, str]] = {}
        self.seen: Counter[str] = Counter()
        self.progress = asyncio.Event()

    def keep(self, raw: Mapping[str, Any]) -> None:
        self.progress.set()
        self.kept[raw["id"]].add(_instant(raw["time"]))

    def note(self, cause: int, entries: list[dict[str, Any]]) -> None:
        """An answer's entries; another answer to the same must tell the same."""
        told = {entry["id"]: entry["hash"] for entry in entries}
        assert self.entries.setdefault(cause, told) == told, cause


class System:
    """One of the systems that report: it goes on until it is told to stop, and sends again what was not answered."""

    def __init__(self, number: int, http: httpx.AsyncClient, notes: Notes) -> None:
        self.number = number
        self.http = http
        self.notes = notes
        self.rng = random.Random(f"{SEED} system {number}")
        self.begun = 0

    async def live(self, stop: asyncio.Event) -> None:
        verbs = {"new": 8, "again": 4, "differ": 1, "array": 3, "lines": 3, "together": 3, "retract": 2, "correct": 2}
        while not stop.is_set():
            verb = self.rng.choices(list(verbs), list(verbs.values()))[0]
            await getattr(self, verb)()
            self.notes.seen[verb] += 1

    async def send(self, path: str, body: bytes, kind: str = "application/json") -> httpx.Response:
        """Send it until it is answered. Whoever cannot be served is told so, and when to come again."""
        while True:
            try:
                answer = await self.http.post(path, content=body, headers={"content-type": kind})
            except httpx.TimeoutException as error:
                raise AssertionError(f"{path} hangs") from error
            except httpx.TransportError:
                self.notes.seen["no answer"] += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code != 503:
                assert answer.status_code < 500, answer.text
                return answer
            assert "retry-after" in answer.headers, answer.text
            self.notes.seen["503"] += 1
            await asyncio.sleep(0.1)

    def next(self) -> int:
        """The number of a new event of this system."""
        self.begun += 1
        return self.begun * SYSTEMS + self.number

    def any(self) -> int:
        """The number of an event that some system has sent, or is about to."""
        return (1 + self.rng.randrange(self.begun + 2)) * SYSTEMS + self.rng.randrange(SYSTEMS)

    def mine(self) -> int:
        """The number of an event that this system sent."""
        return self.rng.randrange(1, self.begun + 1) * SYSTEMS + self.number

    async def post(self, raw: dict[str, Raw]) -> None:
        self.notes.sent[str(raw["id"])].add(_instant(raw["time"]))
        answer = await self.send("/api/events", _json(raw))
        if answer.status_code in (200, 201):
            told = answer.json()
            self.notes.keep(raw)
            if answer.status_code == 201:
                self.notes.note(told["event"]["number"], told["entries"])
        else:
            assert answer.status_code in (409, 422), answer.text
            self.notes.refused.add((str(raw["id"]), _instant(raw["time"])))

    async def new(self) -> None:
        await self.post(letter(self.next()))

    async def again(self) -> None:
        await self.post(letter(self.any()))

    async def differ(self) -> None:
        await self.post(otherwise(self.any()))

    def several(self) -> list[dict[str, Raw]]:
        """New ones and known ones, in any order."""
        raws = [letter(self.next()) for _ in range(self.rng.randrange(2, 12))]
        raws += [letter(self.any()) for _ in range(self.rng.randrange(0, 4))]
        self.rng.shuffle(raws)
        for raw in raws:
            self.notes.sent[str(raw["id"])].add(_instant(raw["time"]))
        return raws

    async def batch(self, raws: list[dict[str, Raw]], body: bytes, kind: str) -> None:
        answer = await self.send("/api/events/batch", body, kind)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        refused = {each["index"] for each in told["refused"]}
        assert told["accepted"] + told["repeated"] + len(refused) == len(raws)
        for place, raw in enumerate(raws):
            if place in refused:
                self.notes.refused.add((str(raw["id"]), _instant(raw["time"])))
            else:
                self.notes.keep(raw)

    async def array(self) -> None:
        raws = self.several()
        await self.batch(raws, json.dumps(raws).encode(), "application/json")

    async def lines(self) -> None:
        raws = self.several()
        await self.batch(raws, b"\n".join(map(_json, raws)), LINES)

    async def together(self) -> None:
        raws = self.several()
        if self.rng.random() < 0.7:
            raws = [raw for raw in raws if raw["subject"] != "nobody"]
        answer = await self.send("/api/events/batch?atomic=true", json.dumps(raws).encode())
        assert answer.status_code in (200, 409, 422), answer.text
        for raw in raws if answer.status_code == 200 else ():
            self.notes.keep(raw)

    async def retract(self) -> None:
        number = self.mine() if self.begun else self.next()
        if number % 3 == 0:
            await self._withdraw(number, "retraction", {"reason": "撤回"})

    async def correct(self) -> None:
        number = self.mine() if self.begun else self.next()
        if number % 3 == 1:
            raw = replacement(number)
            self.notes.sent[str(raw["id"])].add(_instant(raw["time"]))
            await self._withdraw(number, "correction", {"reason": "更正", "event": raw})

    async def _withdraw(self, number: int, how: str, body: dict[str, Any]) -> None:
        self.notes.withdrawing.add(f"E{number}")
        answer = await self.send(f"/api/events/s/E{number}/{how}", _json(body))
        assert answer.status_code in (200, 404, 409), answer.text
        if answer.status_code != 200:
            return
        told = answer.json()
        self.notes.withdrawn.add(f"E{number}")
        if how == "correction":
            self.notes.keep(body["event"])
        elif told["act"] is not None:
            self.notes.note(told["act"], told["entries"])


def _json(raw: Mapping[str, Any]) -> bytes:
    return json.dumps(raw).encode()


def _instant(text: Any) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


# what is killed


class Machine:
    """``jikao serve`` with two workers on its own PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        settings = {
            "JIKAO_VAR": str(self.folder),
            "JIKAO_WORKERS": "2",
            "JIKAO_LISTEN": f"127.0.0.1:{self.port}",
        }
        with (self.folder / "complaints").open("a") as complaints:
            self.process = start(("serve", "--empty"), settings, complaints)
        listening(self.process)

    def kill(self, what: str) -> bool:
        """Kill −9; whether there was something to kill."""
        if what == "server":
            assert self.process is not None
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            return True
        with suppress(OSError, ValueError, IndexError):
            postmaster = int((self.folder / "postgres/data/postmaster.pid").read_text().split()[0])
            victims = [postmaster] if what == "postmaster" else list(_backends(postmaster))
            if victims:
                os.kill(random.choice(victims), signal.SIGKILL)
                return True
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.communicate(timeout=PATIENCE)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)


def _backends(postmaster: int) -> Iterator[int]:
    """The processes that serve connections of the application's."""
    for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        if b"jikao_app" in Path(f"/proc/{child}/cmdline").read_bytes():
            yield int(child)


# what must hold


async def prepare(folder: Path) -> str:
    """A database with an organisation, months and a rulebook; a key with every right."""
    rng = random.Random(f"{SEED} world")
    with embedded(folder / "postgres") as database:
        await migrate(database.migrate_url, database.url)
        async with pooled(database.url, size=2):
            use_current(Current(TIMEZONE))
            relations = [draw_relation(rng) for _ in range(8)]
            await acts.organise(DAY, draw_subjects(), relations, reason="x", actor="test")
            await acts.declare(draw_periods(), actor="test")
            await acts.publish_rulebook(draw_rulebook(rng, BEGIN, draw_limits(rng)), reason="x", actor="test")
            return await make_key("all", SCOPES)


async def check(folder: Path, notes: Notes) -> None:
    """What was acknowledged is there once and whole, nothing else is, and posting goes on rightly."""
    with embedded(folder / "postgres") as database:
        async with pooled(database.url, size=2):
            current = Current(TIMEZONE)
            use_current(current)
            connection = await asyncpg.connect(database.url)
            await current.refresh(connection)
            assert await connection.fetchval("SHOW fsync") == "on"
            await check_kept(connection, notes)
            await check_sums(connection, current)
            recorder = Recorder(current)
            receipts = await asyncio.gather(*(recorder.record(parse_report(letter(n))) for n in (10**7, 10**7 + 1)))
            assert not any(receipt.repeated for receipt in receipts)
            await check_sums(connection, current)
            await connection.close()


async def check_kept(connection: asyncpg.Connection, notes: Notes) -> None:
    """The events, and the entries that were told."""
    rows = await connection.fetch(
        "SELECT e.*, p.source IS NOT NULL AS standing FROM event e LEFT JOIN present_event p USING (source, id)"
    )
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows), "an event is there twice"
    assert found.keys() <= notes.sent.keys(), "an event is there that was never sent"
    missing = notes.kept.keys() - found.keys()
    assert not missing, f"acknowledged and not there: {sorted(missing)}"
    for known, row in found.items():
        instant = row["time"].astimezone(UTC).isoformat()
        assert row["subject"] != "nobody", known
        assert instant in notes.sent[known], known
        assert notes.kept.get(known, {instant}) == {instant}, f"{known} was acknowledged with other content"
        assert row["standing"] or known in notes.withdrawing, f"{known} was withdrawn by nobody"
        assert not (row["standing"] and known in notes.withdrawn), (
            f"{known} stands though its withdrawal was acknowledged"
        )
    entries = await connection.fetch("SELECT number, cause, hash FROM entry")
    caused: dict[int, dict[int, str]] = defaultdict(dict)
    for entry in entries:
        caused[entry["cause"]][entry["number"]] = entry["hash"]
    for cause, told in notes.entries.items():
        assert told == caused[cause], f"the entries that {cause} made are not those that were told"


async def check_sums(connection: asyncpg.Connection, current: Current) -> None:
    """Chain, sums and the tables of the present: those of a register to which only what stands was ever reported."""
    await current.refresh(connection)
    records = await check_chain(connection)
    sums = add_up(records)
    rows = await connection.fetch(
        "SELECT e.*, p.booked AS taken FROM event e JOIN present_event p USING (source, id) ORDER BY e.number"
    )
    register = Register(current.bureau)
    for row in rows:
        recorded = read_recorded(row, current.bureau)
        register.book.events[recorded.event.key] = recorded
    fresh = {key: posting.posted for key, posting in register.fresh().items() if posting.posted}
    assert {key: amount for key, amount in sums.items() if amount} == fresh
    register = Register(current.bureau)
    for row in rows:
        register.record(_report(row))
    await check_present(connection, register)
    assert {EventKey(row["source"], row["id"]) for row in rows} == register.held.keys()


def _report(row: Mapping[str, Any]) -> Any:
    tree = {name: row[name] for name in ("source", "id", "type", "subject", "matter", "basis") if row[name] is not None}
    for name in ("time", "recorded_at"):
        if row[name] is not None:
            tree[name] = row[name].isoformat()
    return parse_report({**tree, "parties": json.loads(row["parties"]), "data": json.loads(row["data"])})


@pytest.fixture
def folder() -> Iterator[Path]:
    """On the disk, where what is written is synced."""
    with tempfile.TemporaryDirectory(prefix="jikao-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.mark.slow
@pytest.mark.anyio
async def test_nothing_is_lost(folder: Path) -> None:
    print(f"JIKAO_SEED={SEED} JIKAO_KILLS={KILLS}")
    rng = random.Random(f"{SEED} kills")
    machine, notes, stop = Machine(folder), Notes(), asyncio.Event()
    key = await prepare(folder)
    await asyncio.to_thread(machine.start)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{machine.port}",
            headers={"authorization": f"Bearer {key}"},
            timeout=PATIENCE,
        ) as http, asyncio.TaskGroup() as group:  # fmt: skip
            for number in range(SYSTEMS):
                group.create_task(System(number, http, notes).live(stop))
            for _ in range(KILLS):
                await asyncio.sleep(rng.uniform(0.2, 1.2))
                what = rng.choices(["server", "backend", "postmaster"], [2, 3, 3])[0]
                assert machine.kill(what) or what != "server"
                notes.seen[f"killed {what}"] += 1
                print(f"{datetime.now(UTC):%H:%M:%S} kill {what}", flush=True)
                if what == "server":
                    await asyncio.to_thread(machine.start)
                await answering(notes)
                print(f"{datetime.now(UTC):%H:%M:%S} answers", flush=True)
            stop.set()
    finally:
        await asyncio.to_thread(machine.stop)
        print((folder / "complaints").read_text()[-20_000:])
        point("postgresql://no_test_database@127.0.0.1:1/none")
    print(dict(notes.seen), len(notes.kept))
    await check(folder, notes)


async def answering(notes: Notes) -> None:
    """The service acknowledges something again."""
    notes.progress.clear()
    async with asyncio.timeout(PATIENCE):
        await notes.progress.wait()
