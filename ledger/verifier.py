"""The verifier (核验台): runs the verification that somebody started on the page; one at a time among all workers."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from piccolo.engine import engine_finder

from ledger import verifications
from ledger.difference import Seal
from ledger.long_work import LongWork, attend
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


async def _run(number: int, timezone: ZoneInfo, length: int, seals: Sequence[Seal]) -> None:
    far: list[Any] = ["chain", 0, length]

    def progress(*told: Any) -> None:
        far[:] = told

    database: Any = engine_finder()
    processes = max(1, processes_for(length))  # never in this process, which serves
    work = verify(database.config["dsn"], timezone, seals=seals, progress=progress, processes=processes)
    try:
        verdict = await attend(work, lambda: verifications.advance(number, *far))
        if verdict is not None:
            await verifications.finish(number, verdict)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await verifications.end(number, "lost")
        raise
    except Exception:  # noqa: BLE001  (told on the page, and whole in the log)
        _log.exception("verification %s failed", number)
        with contextlib.suppress(Exception):
            await verifications.end(number, "failed")


verifier = Verifier()
"""One a process."""
