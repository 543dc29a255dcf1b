"""Notices of two branches, in a database and in the draft: events, somebody who answers, one rule that lost its field.

Now is 15 June 2026 for whoever asks the ledger's clock.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from admin.changes import replace_draft
from admin.declaring import periods_of
from engine.direct import DirectMatcher
from engine.organisation import TIMEZONE
from engine.report import parse_report
from ledger import acts, clock
from ledger.current import Current, use_current
from ledger.recording import Recorder
from rules.document import read_rulebook
from rules.roster import read_relations, read_subjects
from rules.tree import load_yaml

RULES = """
rulebook: notices
title: 通报
effective: 2026-01-01T00:00:00+08:00
event_types:
  notice:
    title: 通报批评
    fields:
      level: {title: 级别, type: choice, choices: {province: 省局, city: 市局, county: 县局}}
      times: {title: 次数, type: integer}
  accident: {title: 事故, fields: {}}
rules:
  - {rule: K01, title: 省局通报, on: notice, when: level == "province", points: -1.00}
  - {rule: K02, title: 市局通报, on: notice, when: level == "city", points: -0.50}
  - {rule: J01, title: 牵头连带, joint: lead_dept, of: [K01, K02], share: 0.30}
  - {rule: V01, title: 一票否决, veto: total, on: accident, to: 60}
  - {rule: P01, title: 进步, progress: total, points: 0.10}
"""
SUBJECTS: list[Any] = [
    {"code": "B1", "name": "城关分局", "kind": "unit", "group": "branch"},
    {"code": "B2", "name": "河西分局", "kind": "unit", "group": "branch"},
    {"code": "D1", "name": "征管科", "kind": "unit", "group": "dept"},
]
RELATIONS: list[Any] = [{"subject": "B1", "relation": "lead_dept", "answers": "D1"}]


def notice(number: int, subject: str, at: str, **given: Any) -> dict[str, Any]:
    """A notice as a system reports it; ``at`` is a day of 2026, with an hour where it matters."""
    time = at if "T" in at else f"{at}T10:00:00+08:00"
    data = {key: value for key, value in given.items() if key in ("level", "times")}
    rest = {key: value for key, value in given.items() if key not in data}
    return {"id": f"N{number}", "source": "office", "type": "notice", "subject": subject, "time": time,
            "data": data, **rest}  # fmt: skip


NOTICES = [
    notice(1, "B1", "2026-01-20", level="city"),
    notice(2, "B1", "2026-02-10", level="city", times=3),
    notice(3, "B2", "2026-03-10", level="city"),
    notice(4, "B1", "2026-04-10", level="province", times=1),
    notice(5, "B1", "2026-05-10", level="county"),
    notice(6, "B1", "2026-05-11", level="city", parties={"lead_dept": []}),
    notice(7, "B2", "2026-05-12", level="city", parties={"direct_person": ["D1"]}),
    notice(8, "B2", "2026-05-13"),
]


@pytest.fixture(name="june")
def _june(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 6, 15, 4, tzinfo=UTC))


async def fill_notices(current: Current | None = None) -> Recorder:
    """Publish the rules, make them the draft, record the notices; the last but two is withdrawn again."""
    current = current or Current(TIMEZONE, DirectMatcher)
    use_current(current)
    recorder = Recorder(current)
    subjects = read_subjects(SUBJECTS)
    await acts.organise(date(2025, 1, 1), subjects, read_relations(RELATIONS), reason="test", actor="test")
    await acts.declare(periods_of(2026), actor="test")
    raw = load_yaml(RULES)[0].raw
    await acts.publish_rulebook(read_rulebook(raw), reason="test", actor="test")
    await recorder.record_all([parse_report(each) for each in NOTICES])
    await replace_draft(raw, "somebody")
    return recorder
