"""Recording (入账): events on their way into the ledger, many waiting ones in one commit.

One task a process holds the desk at a time and takes along whatever waits, so that one commit
serves many. A refusal concerns its event alone. Live events are matched before the lock by both
matchers; where they differ the event is kept out and an alarm names both.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from engine.admission import admit
from engine.both import Disagreement
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import EventKey
from engine.finding import Refused
from engine.report import Report
from engine.scene import gather
from ledger import clock
from ledger.connection import is_lost
from ledger.current import Current
from ledger.desk import Desk, Receipt, open_desk

GROUP = 500
"""Posts that share a commit at most."""
SLICE = 100
"""Posts of a group after which PostgreSQL begins to write while the next are planned."""
GATHERING = 0.001
"""Seconds that a commit waits for more posts where far fewer wait than the one before answered: those who were
answered are about to send their next, and the first of them would have a commit to itself while the others wait."""

Job = Callable[[Desk], Awaitable[Receipt]]
_log = logging.getLogger("jikao.recording")


class Spoilt(Exception):
    """One of several events that are kept all or none may not be kept; its cause says why."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


class Checked(NamedTuple):
    """A report on which the matchers agreed, and what it was admitted as by that bureau; None where it was refused."""

    report: Report
    bureau: Bureau
    recorded: Recorded | None


class Waiting(NamedTuple):
    """A post on its way: what it does at the desk, who waits for it, and the report that it records."""

    job: Job
    answer: "asyncio.Future[Receipt]"
    checked: Checked | None


class Recorder:
    """Takes posts and answers when they are durably committed."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._waiting: list[Waiting] = []
        self._work: asyncio.Task[None] | None = None
        self._answered = 0
        self.disagreements = 0

    async def record(self, report: Report) -> Receipt:
        """Record an event.

        Raises:
            Refused: it may not be kept.
            Disagreement: the two matchers came to different rules; it is not kept.
        """
        return await self.submit(report)

    def submit(self, report: Report) -> "asyncio.Future[Receipt]":
        """Put an event among those that are recorded next; what :meth:`record` will answer."""
        received_at = clock.now()
        checked = self.check(report, self._current.bureau)

        async def job(desk: Desk) -> Receipt:
            if desk.bureau is not checked.bureau:
                self.check(report, desk.bureau)
            return await desk.record(report, received_at)

        return self._submit(job, checked)

    async def record_all(self, reports: Sequence[Report]) -> list[Receipt]:
        """Record events in one transaction, all or none; the first that may not be kept is named in :class:`Spoilt`."""
        received_at = clock.now()
        receipts = []
        async with open_desk(self._current) as desk:
            await desk.prepare(reports)
            for place, report in enumerate(reports):
                try:
                    self.check(report, desk.bureau)
                    receipts.append(await desk.record(report, received_at))
                except (Refused, Disagreement) as error:
                    raise Spoilt(place) from error
        return receipts

    async def retract(self, key: EventKey, reason: str, actor: str) -> Receipt:
        """Withdraw an event."""
        return await self._submit(lambda desk: desk.retract(key, reason, actor, clock.now()))

    async def correct(self, key: EventKey, report: Report, reason: str, actor: str) -> Receipt:
        """Withdraw an event and record what replaces it."""

        async def job(desk: Desk) -> Receipt:
            self.check(report, desk.bureau)
            return await desk.correct(key, report, reason, actor, clock.now())

        return await self._submit(job)

    def check(self, report: Report, bureau: Bureau) -> Checked:
        """Match the event by both matchers; what may not be kept is for the desk to refuse."""
        try:
            recorded = admit(bureau, report)
        except Refused:
            return Checked(report, bureau, None)
        event = recorded.event
        version = bureau.version_at(event.time)
        assert version is not None
        try:
            self._current.live(version).match(event.type, gather(bureau, event, version))
        except Disagreement as difference:
            self.disagreements += 1
            _log.critical("matchers disagree on %s/%s: %s", report.source, report.id, difference)
            raise
        return Checked(report, bureau, recorded)

    def _submit(self, job: Job, checked: Checked | None = None) -> "asyncio.Future[Receipt]":
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(job, answer, checked))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        return answer

    async def _run(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._answered // 2:
                await asyncio.sleep(GATHERING)
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            self._answered = len(group)
            try:
                answers = await self._post(group)
            except Exception as error:  # noqa: BLE001  (told to the one whose fault it is)
                if is_lost(error):
                    self._give_up(group, error)
                elif len(group) == 1:
                    _answer(group[0].answer, error)
                else:
                    await self._post_alone(group)
            else:
                for waiting, answer in zip(group, answers, strict=True):
                    _answer(waiting.answer, answer)

    async def _post(self, group: list[Waiting]) -> list[Receipt | Exception]:
        answers: list[Receipt | Exception] = []
        async with open_desk(self._current) as desk:
            checked = [waiting.checked for waiting in group if waiting.checked is not None]
            admitted = [each.recorded if each.bureau is desk.bureau else None for each in checked]
            await desk.prepare([each.report for each in checked], admitted)
            for done, waiting in enumerate(group, 1):
                try:
                    answers.append(await waiting.job(desk))
                except (Refused, Disagreement) as refused:
                    answers.append(refused)
                if done % SLICE == 0:
                    desk.begin_writing()
                if desk.writing:
                    await asyncio.sleep(0)
        return answers

    async def _post_alone(self, group: list[Waiting]) -> None:
        for waiting in group:
            try:
                answers = await self._post([waiting])
            except Exception as error:  # noqa: BLE001  (told to the one whose fault it is)
                if is_lost(error):
                    return self._give_up(group, error)
                _answer(waiting.answer, error)
            else:
                _answer(waiting.answer, answers[0])
        return None

    def _give_up(self, group: list[Waiting], error: Exception) -> None:
        """The database is away, which is nobody's fault: whoever still waits is told at once, and sends it again."""
        left, self._waiting = (*group, *self._waiting), []
        for waiting in left:
            _answer(waiting.answer, error)


def _answer(future: "asyncio.Future[Receipt]", answer: Receipt | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
