"""Long work (长任务): one piece at a time in this worker, beside what it serves; processes of its own do it.

How far it is stands in a row, where every worker finds it and where it is asked to stop.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

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
