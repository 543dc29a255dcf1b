"""The verifier (核验台): runs the verification that somebody started on the page; one at a time among all workers."""

import logging
from collections.abc import Coroutine, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from piccolo.engine import engine_finder

from ledger import verifications
from ledger.difference import Seal
from ledger.long_work import LongWork, Progress, see_through
from ledger.verification import processes_for, verify

_log = logging.getLogger("jikao.verification")


class Verifier(LongWork):
    """The verification of this process."""

    async def start(self, timezone: ZoneInfo, length: int, seals: Sequence[Seal], owner: str) -> None:
        """Start one, unless one is running anywhere."""
        number = await verifications.begin(seals, owner)
        if number is not None:
            await self.stop()
            self.begin(_run(number, timezone, length, seals))


def _run(number: int, timezone: ZoneInfo, length: int, seals: Sequence[Seal]) -> Coroutine[Any, Any, None]:
    database: Any = engine_finder()
    progress = Progress("chain", length)
    processes = max(1, processes_for(length))  # never in this process, which serves
    work = verify(database.config["dsn"], timezone, seals=seals, progress=progress.tell, processes=processes)
    return see_through(work, progress, number, verifications, left="lost", log=_log)


verifier = Verifier()
"""One a process."""
