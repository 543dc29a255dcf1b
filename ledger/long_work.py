"""Long work (长任务): one piece at a time in this worker, beside what it serves; processes of its own do it.

How far it is stands in a row, where every worker finds it and where it is asked to stop.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Asked = TypeVar("Asked", contravariant=True)

LOOK = 0.5
"""Seconds between two words about how far it is, and between being asked to stop and stopping, at most."""
LOST_AFTER = 30
"""Seconds without a word after which whoever ran it is taken to have ended."""


class LongWork:
    """The long work of one kind in this process."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a piece is being done."""
        return self._task is not None and not self._task.done()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece; the one before is done."""
        self._task = asyncio.create_task(work)

    async def wait(self, seconds: float) -> None:
        """Wait for its end, so long at most."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def stop(self) -> None:
        """Leave what is being done; the process ends."""
        if self._task is None:
            return
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        self._task = None
        gc.collect()  # what its processes shared is given back before a signal ends this one


class Rows(Protocol[Asked]):
    """Where it stands how far work is: a module of rows."""

    async def advance(self, number: int, stage: str, done: int, of: int, /) -> bool:
        """Note how far it is; whether it is to stop."""
        ...

    async def finish(self, number: int, answer: Asked, /) -> None:
        """Keep what it came to."""
        ...

    async def end(self, number: int, state: str, /) -> None:
        """It ended without an answer."""
        ...


class Progress:
    """How far work is: its stage, what is done of it, of how much."""

    def __init__(self, stage: str, of: int) -> None:
        self.far = (stage, 0, of)

    def tell(self, stage: str, done: int, of: int) -> None:
        """So far it is."""
        self.far = (stage, done, of)


async def see_through(
    work: Coroutine[Any, Any, T], progress: Progress, number: int, rows: Rows[T], *, left: str, log: logging.Logger
) -> None:
    """Do the work of a row; keep there how far it is and what it came to, or that it was ``left``, or failed."""
    try:
        answer = await attend(work, lambda: rows.advance(number, *progress.far))
        if answer is None:
            await rows.end(number, left)
        else:
            await rows.finish(number, answer)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await rows.end(number, left)
        raise
    except Exception:
        log.exception("%s failed", number)
        with contextlib.suppress(Exception):
            await rows.end(number, "failed")


async def attend(work: Coroutine[Any, Any, T], note: Callable[[], Awaitable[bool]]) -> T | None:
    """Do the work and note, now and then, how far it is; None where noting says that it is to stop.

    Whatever ends this ends the work, and its processes with it.
    """
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=LOOK))[0]:
            if await note():
                return None
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
