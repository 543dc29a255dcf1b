"""The simulator (试算台): runs one simulation at a time in this worker."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from piccolo.engine import engine_finder

from engine.finding import Finding, Refused
from engine.language import Message, message
from ledger import simulations
from ledger.current import get_current
from ledger.long_work import LongWork, Progress, see_through
from ledger.simulation import Question, simulate

_log = logging.getLogger("jikao.simulation")


class Busy(Refused):
    """Another simulation is running in this worker."""


class Simulator(LongWork):
    """The simulation of this process."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._starting = asyncio.Lock()

    async def start(self, question: Question, owner: str) -> int:
        """Start one; its number. :class:`Busy` while another runs here."""
        async with self._starting:
            if self.busy:
                raise Busy(Finding(message=await self._busy()))
            self._number = number = await simulations.begin(question, owner)
            self.begin(_run(question, number))
            return number

    async def wait_for(self, number: int, seconds: float) -> None:
        """Wait for the end of one that runs here, so long at most."""
        if number == self._number:
            await self.wait(seconds)

    async def _busy(self) -> Message:
        run = await simulations.find(self._number, whole=False)
        return message("simulation.busy", name=run.owner, at=run.at.strftime("%Y-%m-%d %H:%M:%S"))


def _run(question: Question, number: int) -> Coroutine[Any, Any, None]:
    database: Any = engine_finder()
    progress = Progress("waiting", question.events)
    work = simulate(database.config["dsn"], get_current().timezone, question, progress.tell, processes=1)
    return see_through(work, progress, number, simulations, left="cancelled", log=_log)


simulator = Simulator()
"""One a process."""
