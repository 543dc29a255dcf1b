"""Posts share commits: those who were answered together are taken together again."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from api.embedded import Database
from engine.report import parse_report
from ledger import recording
from ledger.recording import Recorder, Waiting
from tests.county import found, report

pytestmark = pytest.mark.anyio

SENDERS, EACH = 12, 4


@pytest.mark.parametrize(("gathering", "at_most"), [(0.2, EACH + 1), (0.0, SENDERS * EACH)])
async def test_senders_who_were_answered_together_are_waited_for(
    pool: Database, monkeypatch: pytest.MonkeyPatch, gathering: float, at_most: int
) -> None:
    monkeypatch.setattr(recording, "GATHERING", gathering)
    recorder, groups = await found(), list[int]()
    post = Recorder._post

    async def counted(self: Recorder, group: list[Waiting]) -> Sequence[Any]:
        groups.append(len(group))
        return await post(self, group)

    monkeypatch.setattr(Recorder, "_post", counted)

    async def send(sender: int) -> None:
        for number in range(EACH):
            await recorder.record(parse_report(report(f"E{sender}-{number}")))
            await asyncio.sleep(0.002 * sender)  # the first sends its next while the others still read their answer

    await asyncio.gather(*map(send, range(SENDERS)))
    assert sum(groups) == SENDERS * EACH
    assert len(groups) <= at_most
    assert (len(groups) > EACH + 1) == (not gathering), groups
    lonely = len(groups)
    async with asyncio.timeout(5):
        await recorder.record(parse_report(report("E-last")))
    assert len(groups) == lonely + 1
