"""The crew (核验进程): several processes, each with a connection of its own to one snapshot of the ledger.

Posting goes on meanwhile; all see the ledger as it was when the snapshot was taken. Pieces of work are
asynchronous functions that are given a reader; without processes they are done here, one by one.
"""

import asyncio
import contextlib
import gc
import marshal
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess as ParentProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from engine.direct import DirectMatcher
from engine.matching import Matcher
from engine.rulebook import Version
from ledger.current import load_version
from ledger.fingerprint import Fingerprint
from ledger.history import ACT_ROW, ActRow, History

_SETTINGS = {
    "timezone": "UTC",
    "application_name": "jikao verify",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
_BLOCK = 2_000

T = TypeVar("T")
Report = Callable[[int], None]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What every process needs to know: the database, its snapshot, the secret of fingerprints, a folder to share."""

    url: str
    timezone: str
    secret: bytes
    folder: str
    snapshot: str | None = None


class Reader:
    """One process's way to read: a connection on the snapshot, and what was in force."""

    def __init__(self, task: Task, connection: asyncpg.Connection, report: Report) -> None:
        self.task = task
        self.connection = connection
        self.report = report
        self.folder = Path(task.folder)
        self._history: History | None = None
        self._matchers: dict[int, DirectMatcher] = {}

    async def history(self) -> History:
        """The acts, folded once."""
        if self._history is None:
            rows = await self.connection.fetch("SELECT number, document FROM rulebook_version ORDER BY number")
            documents = {row["number"]: load_version(row["number"], row["document"]) for row in rows}
            acts = [ActRow(*row) for row in await self.connection.fetch(ACT_ROW)]
            self._history = History.fold(acts, ZoneInfo(self.task.timezone), documents)
        return self._history

    def matcher(self, version: Version) -> Matcher:
        """The direct matcher of a version."""
        known = self._matchers.get(version.number)
        if known is None:
            known = self._matchers[version.number] = DirectMatcher(version.rulebook)
        return known

    def fingerprint(self, kept: Iterable[int] = ()) -> Fingerprint:
        """A fingerprint under the task's secret."""
        return Fingerprint(self.task.secret, frozenset(kept))

    async def rows(self, query: str, *args: object) -> AsyncIterator[Sequence[Any]]:
        """The rows of a query, many at a time."""
        cursor = await self.connection.cursor(query, *args)
        while rows := await cursor.fetch(_BLOCK):
            yield rows
            self.report(len(rows))


class Crew:
    """Does pieces of work, in processes where there are any."""

    def __init__(self, reader: Reader, pool: ProcessPoolExecutor | None, parts: int) -> None:
        self.reader = reader
        self.parts = parts
        self._pool = pool

    async def each(self, work: Callable[..., Awaitable[T]], given: Iterable[Sequence[Any]]) -> list[T]:
        """Do a piece of work with each of several arguments; what they came to, in order."""
        if self._pool is None:
            return [await work(self.reader, *args) for args in given]
        return list(await asyncio.gather(*(self.start(work, *args) for args in given)))

    async def start(self, work: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Do one piece of work."""
        if self._pool is None:
            return await work(self.reader, *args)
        done: T = await asyncio.get_running_loop().run_in_executor(self._pool, _work, work, args)
        return done


@asynccontextmanager
async def gather_crew(url: str, timezone: ZoneInfo, processes: int, report: Report) -> AsyncIterator[Crew]:
    """A crew on a snapshot that is taken now; ``report`` hears how many records or rows were gone through."""
    with TemporaryDirectory(prefix="jikao-") as folder:
        task = Task(url=url, timezone=timezone.key, secret=secrets.token_bytes(32), folder=folder)
        connection = await asyncpg.connect(url, server_settings=_SETTINGS, timeout=10)
        try:
            async with connection.transaction():
                reader = Reader(task, connection, report)
                if not processes:
                    yield Crew(reader, None, 1)
                    return
                snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
                loop = asyncio.get_running_loop()

                def heard(done: int) -> None:
                    loop.call_soon_threadsafe(report, done)

                with _processes(msgspec.structs.replace(task, snapshot=snapshot), processes, heard) as pool:
                    yield Crew(reader, pool, processes)
        finally:
            await connection.close()


class _processes:  # noqa: N801  (reads like a function where it is used)
    """Processes that report to a thread of ours, and end when nobody waits for them any more."""

    def __init__(self, task: Task, count: int, report: Report) -> None:
        context = get_context("spawn")
        self._reader, self._writer = context.Pipe(duplex=False)
        self._listener = threading.Thread(target=self._listen, args=(report,), daemon=True)
        self._pool = ProcessPoolExecutor(
            count, mp_context=context, initializer=_begin, initargs=(task, self._writer, context.Lock())
        )

    def __enter__(self) -> ProcessPoolExecutor:
        self._listener.start()
        return self._pool

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is not None:
            for process in list((self._pool._processes or {}).values()):  # ours alone: other crews may be at work
                process.terminate()
        self._pool.shutdown(cancel_futures=True)
        self._writer.close()  # the last one: the listener comes to the end, whoever was killed in the middle of a word
        self._listener.join()
        self._reader.close()

    def _listen(self, report: Report) -> None:
        with contextlib.suppress(EOFError):
            while True:
                report(self._reader.recv())


_loop: asyncio.AbstractEventLoop
_reader: Reader


def _begin(task: Task, writer: Any, lock: Any) -> None:
    """Connect to the snapshot, for as long as the process lives."""
    global _loop, _reader
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # next to nothing here makes cycles
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is interrupted ends us
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _loop = asyncio.new_event_loop()

    def report(done: int) -> None:
        with lock:
            writer.send(done)

    _reader = _loop.run_until_complete(_connect(task, report))


def _end_with(parent: ParentProcess) -> None:
    parent.join()
    os._exit(1)


async def _connect(task: Task, report: Report) -> Reader:
    connection = await asyncpg.connect(task.url, server_settings=_SETTINGS, timeout=30)
    await connection.transaction().start()
    await connection.execute(f"SET TRANSACTION SNAPSHOT '{task.snapshot}'")
    return Reader(task, connection, report)


def _work(work: Callable[..., Awaitable[T]], args: Sequence[Any]) -> T:
    return _loop.run_until_complete(_await(work(_reader, *args)))


async def _await(work: Awaitable[T]) -> T:
    return await work


def dump(path: Path, items: Iterator[Any]) -> None:
    """Write items of plain kinds, so that they are read back in order in constant memory."""
    with path.open("wb") as file:
        while block := list(islice(items, _BLOCK)):
            marshal.dump(block, file)
        marshal.dump([], file)


def load(path: Path) -> Iterator[Any]:
    """What was dumped."""
    with path.open("rb") as file:
        while block := marshal.load(file):
            yield from block
