"""What a process keeps in mind of the present from one transaction to the next, and what it forgets."""

from datetime import date

import pytest

from api.embedded import Database
from engine.event import EventKey
from engine.organisation import TIMEZONE
from engine.report import parse_report
from ledger import acts, present
from ledger.current import Current, use_current
from ledger.recording import Recorder
from ledger.verification import verify
from rules.document import read_rulebook
from rules.roster import read_periods, read_subjects
from rules.tree import load_yaml

RULEBOOK = """
rulebook: rooms
effective: 2026-01-01T00:00:00+08:00
event_types: {notice: {}}
limits: {year: {sign: deduction, per: year, max: 3}}
rules: [{rule: K01, on: notice, points: -1, limits: [year]}]
"""


@pytest.mark.anyio
async def test_room_given_back_goes_to_whom_was_forgotten(pool: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present, "LATEST_KEPT", 1)
    current = Current(TIMEZONE)
    use_current(current)
    await acts.declare(
        read_periods(load_yaml("- {code: '2026', kind: year, from: 2026-01-01, to: 2027-01-01}")[0].raw), actor="a"
    )
    subjects = read_subjects(load_yaml("- {code: U1, kind: unit, group: g}")[0].raw)
    await acts.organise(date(2026, 1, 1), subjects, (), reason="", actor="a")
    await acts.publish_rulebook(read_rulebook(load_yaml(RULEBOOK)[0].raw), actor="a")
    recorder = Recorder(current)
    for day in range(1, 8):
        raw = load_yaml(f"{{id: E{day}, source: s, type: notice, subject: U1, time: '2026-03-0{day}T09:00:00+08:00'}}")
        await recorder.record(parse_report(raw[0].raw))
    assert current.present is not None
    kept = current.present
    receipt = await recorder.retract(EventKey("s", "E1"), "x", "a")
    assert current.present is kept, "the test is of what is kept in mind"
    assert receipt.plan is not None
    assert [(entry.charge.key.id, str(entry.posted)) for entry in receipt.plan.entries] == [
        ("E1", "1.00"),
        ("E4", "-1.00"),
    ]
    assert (await verify(pool.url, TIMEZONE, processes=0)).difference is None
