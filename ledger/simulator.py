"""The simulator (试算台): runs one simulation at a time in this worker, beside it in a process of its own.

How far it is and what it came to stands in its row, where every worker finds it, and where it is asked to stop.
"""

import asyncio
import contextlib
import gc
import logging
from typing import Any

from piccolo.engine import engine_finder

from engine.finding import Finding, Refused
from engine.language import message
from ledger import simulations
from ledger.current import get_current
from ledger.simulation import Question, simulate

_LOOK = 0.5
"""Seconds between two words about how far it is, and between being asked to stop and stopping, at most."""
_log = logging.getLogger("jikao.simulation")


class Busy(Refused):
    """Another simulation is running in this worker."""


class Simulator:
    """The simulation of this process."""

    def __init__(self) -> None:
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def start(self, question: Question, owner: str) -> int:
        """Start one; its number. :class:`Busy` while another runs here."""
        async with self._starting:
            if self._task is not None and not self._task.done():
                raise Busy(Finding(message=await self._busy()))
            self._number = number = await simulations.begin(question, owner)
            self._task = asyncio.create_task(self._run(question, number))
            return number

    async def wait(self, number: int, seconds: float) -> None:
        """Wait for the end of one that runs here, so long at most."""
        if number == self._number and self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def stop(self) -> None:
        """Leave what is running; the process ends."""
        if self._task is None:
            return
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        self._task = None
        gc.collect()  # what its process shared is given back before a signal ends this one

    async def _busy(self) -> Any:
        run = await simulations.find(self._number, whole=False)
        return message("simulation.busy", name=run.owner, at=run.at.strftime("%Y-%m-%d %H:%M:%S"))

    async def _run(self, question: Question, number: int) -> None:
        far: list[Any] = ["waiting", 0, question.events]

        def progress(*told: Any) -> None:
            far[:] = told

        database: Any = engine_finder()
        work = asyncio.create_task(
            simulate(database.config["dsn"], get_current().timezone, question, progress, processes=1)
        )
        try:
            while not (await asyncio.wait([work], timeout=_LOOK))[0]:
                if await simulations.advance(number, *far):
                    await _leave(work)
                    await simulations.end(number, "cancelled")
                    return
            await simulations.finish(number, work.result())
        except asyncio.CancelledError:
            await _leave(work)
            with contextlib.suppress(Exception):
                await simulations.end(number, "cancelled")
            raise
        except Exception:  # noqa: BLE001  (told on the page, and whole in the log)
            _log.exception("simulation %s failed", number)
            await _leave(work)
            with contextlib.suppress(Exception):
                await simulations.end(number, "failed")


async def _leave(work: "asyncio.Task[Any]") -> None:
    """End the work, and its process with it."""
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


simulator = Simulator()
"""One a process."""
