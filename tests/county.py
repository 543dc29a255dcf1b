"""A small county for tests of appeals: branches, a lead department, a chief; limits, joint rules, a period charge."""

from datetime import date
from typing import Any

from engine.direct import DirectMatcher
from engine.organisation import TIMEZONE
from ledger import acts
from ledger.current import Current, use_current
from ledger.recording import Recorder
from rules.document import read_rulebook
from rules.roster import read_periods, read_relations, read_subjects
from rules.tree import load_yaml

RULEBOOK = """
rulebook: county
effective: 2026-01-01T00:00:00+08:00
joint: {depth: 2}
event_types:
  notice:
    fields:
      level: {type: choice, choices: {province: 省局, city: 市局}, required: true}
  survey:
    fields:
      rate: {type: decimal}
indicators:
  SAT:
    title: 满意率
    full: 10
    owner: D1
    measure: {on: survey, field: rate, method: bands, bands: [[98, 10], [95, 8]]}
limits:
  month: {title: 月度封顶, sign: deduction, per: month, max: 1.20}
rules:
  - {rule: K01, on: notice, when: level == "province", points: -1.00, limits: [month]}
  - {rule: K02, on: notice, when: level == "city", points: -0.50, limits: [month]}
  - {rule: K05, joint: lead_dept, of: [K01, K02], share: 0.30}
  - {rule: K06, joint: principal, of: [K01, K02], share: 0.50}
  - {rule: K11, differentiation: [SAT], among: group,
     undifferentiated: {when: {range_below: 0.10}, charge: owner, points: -0.40}}
"""
SUBJECTS: Any = [
    {"code": "U1", "name": "城关分局", "kind": "unit", "group": "county"},
    {"code": "U2", "name": "东山分局", "kind": "unit", "group": "county"},
    {"code": "D1", "name": "征管科", "kind": "unit", "group": "dept"},
    {"code": "P1", "name": "张三", "kind": "person", "group": "staff", "unit": "U1"},
]
RELATIONS: Any = [
    {"subject": "U1", "relation": "lead_dept", "answers": "D1"},
    {"subject": "U1", "relation": "principal", "answers": "P1"},
]
PERIODS: Any = [
    {"code": "2026-02", "kind": "month", "from": "2026-02-01", "to": "2026-03-01"},
    {"code": "2026-03", "kind": "month", "from": "2026-03-01", "to": "2026-04-01"},
    {"code": "2026-04", "kind": "month", "from": "2026-04-01", "to": "2026-05-01"},
    {"code": "2026-Q1", "kind": "quarter", "from": "2026-01-01", "to": "2026-04-01"},
]


def report(id: str, day: str = "2026-03-05", subject: str = "U1", **given: Any) -> dict[str, Any]:
    made = {"id": id, "source": "s", "type": "notice", "subject": subject, "time": f"{day}T10:00:00+08:00"}
    return {**made, "data": {"level": "city"}, **given}


async def found() -> Recorder:
    """Fill the database that the ORM points at; nothing has happened yet."""
    current = Current(TIMEZONE, DirectMatcher)
    use_current(current)
    subjects, relations = read_subjects(SUBJECTS), read_relations(RELATIONS)
    await acts.organise(date(2026, 1, 1), subjects, relations, reason="", actor="test")
    await acts.declare(read_periods(PERIODS), actor="test")
    await acts.publish_rulebook(read_rulebook(load_yaml(RULEBOOK)[0].raw), actor="publisher")
    return Recorder(current)
