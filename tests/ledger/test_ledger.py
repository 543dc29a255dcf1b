"""The property on PostgreSQL: the ledger's sums equal those of the register in memory, and a fresh evaluation.

Every event, publication and change of the organisation is rehearsed first, which must come to the same. Every history
ends with a verification of the whole ledger, which takes a tenth of a second.
"""

import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from api.embedded import Database
from engine.amount import ZERO
from engine.charge import ChargeKey
from engine.event import EventKey
from engine.finding import Refused
from engine.organisation import TIMEZONE, Organisation
from engine.period import Period
from engine.report import Report
from engine.rulebook import Rulebook
from ledger import acts, present, settling
from ledger.current import Current, use_current
from ledger.desk import Desk, open_desk
from ledger.reading import reading
from ledger.recording import Recorder
from ledger.rehearsal import rehearsing
from ledger.verification import verify
from tests.worlds import History, draw_periods

HISTORIES = int(os.environ.get("JIKAO_LEDGER_HISTORIES", "100"))
STEPS = 20


class Office:
    """The ledger, spoken to in the register's words."""

    def __init__(self, current: Current) -> None:
        self.current = current
        self.recorder = Recorder(current)

    async def set_up(self, organisation: Organisation, rulebook: Rulebook) -> None:
        await acts.declare(draw_periods(), actor="test")
        await acts.organise(
            date(2026, 1, 1), organisation.subjects.values(), organisation.relations, reason="test", actor="test"
        )
        await self.publish(rulebook)

    async def live(self, history: History, steps: int) -> None:
        """Found the history's office and live through so many steps of it."""
        await self.set_up(history.organisation, history.first)
        for _ in range(steps):
            step, refused = history.step()
            if not refused:
                await getattr(self, step.verb)(*step.args)

    async def record(self, report: Report) -> None:
        rehearsed = await self._rehearse(lambda desk: desk.record(report, datetime.now(UTC)))
        receipt = await _as(rehearsed, self.recorder.record(report))
        assert rehearsed == ([] if receipt.repeated else await self._made(receipt.number))

    async def retract(self, key: EventKey) -> None:
        await self.recorder.retract(key, "test", "test")

    async def correct(self, key: EventKey, report: Report) -> None:
        await self.recorder.correct(key, report, "test", "test")

    async def publish(self, rulebook: Rulebook) -> None:
        await self._act(partial(acts.publish_rulebook, rulebook, reason="test", actor="test"))

    async def organise(self, since: date, subjects: Any, relations: Any) -> None:
        await self._act(partial(acts.organise, since, subjects, relations, reason="test", actor="test"))

    async def declare(self, periods: Sequence[Period]) -> None:
        await self._act(partial(acts.declare, periods, actor="test"))

    async def _act(self, act: Callable[..., Awaitable[Any]]) -> None:
        """Carry it out, once it was rehearsed; the same is posted, or the same is refused."""
        rehearsed = await self._rehearse(lambda desk: act(desk=desk))
        made = await _as(rehearsed, act())
        assert rehearsed == await self._made(made.act if isinstance(made, acts.Publication) else made.number)

    async def _rehearse(self, what: Callable[[Desk], Awaitable[Any]]) -> Any:
        try:
            async with rehearsing(self.current) as desk:
                await what(desk)
                return [{**row, "hash": ""} for row in desk.rows]
        except Refused as refused:
            return refused

    async def _made(self, cause: int) -> list[dict[str, Any]]:
        async with reading() as connection:
            rows = await connection.fetch("SELECT * FROM entry WHERE cause = $1 ORDER BY number", cause)
        return [{**row, "hash": ""} for row in rows]

    async def close(self, code: str) -> None:
        await settling.close(code, actor="test")

    async def reopen(self, code: str) -> None:
        await settling.reopen(code, reason="test", actor="test")

    async def settle(self, code: str) -> None:
        await settling.settle(code, actor="test")

    async def sums(self) -> dict[ChargeKey, Decimal]:
        found: dict[ChargeKey, Decimal] = defaultdict(lambda: ZERO)
        async with open_desk(self.current, keep=False) as desk:
            for row in await desk.connection.fetch("SELECT * FROM entry"):
                key = ChargeKey(
                    row["source"] or "",
                    row["event"] or row["period"],
                    row["origin_rule"],
                    row["origin_subject"],
                    row["rule"],
                    row["subject"],
                )
                found[key] += row["posted"]
        return {key: amount for key, amount in found.items() if amount}


async def _as(rehearsed: Any, work: Awaitable[Any]) -> Any:
    """What comes of it; refused as its rehearsal was, and only then."""
    if not isinstance(rehearsed, Refused):
        return await work
    with pytest.raises(Refused) as raised:
        await work
    assert raised.value.findings == rehearsed.findings
    raise raised.value


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_the_ledger_equals_the_register(pool: Database, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present, "LATEST_KEPT", 1 + seed % 3)  # so that short histories have more than is kept in mind
    current = Current(TIMEZONE)
    use_current(current)
    history, office = History(seed, periodical=seed % 2 == 1), Office(current)
    await office.set_up(history.organisation, history.first)
    for _ in range(STEPS):
        step, refused = history.step()
        try:
            await getattr(office, step.verb)(*step.args)
        except Refused:
            assert refused, step
        else:
            assert not refused, step
    fresh = {key: each.posted for key, each in history.register.fresh().items() if each.posted}
    assert await office.sums() == fresh
    verdict = await verify(pool.url, TIMEZONE, processes=0)
    assert verdict.difference is None
