"""A small office in a database: two branches and their people, a rulebook with every kind of figure, two months."""

from datetime import date
from typing import Any

from admin.declaring import periods_of
from engine.direct import DirectMatcher
from engine.organisation import TIMEZONE, Place, Subject
from engine.report import parse_report
from ledger import acts
from ledger.current import Current, use_current
from ledger.recording import Recorder
from rules.document import read_rulebook

RULEBOOK: Any = {
    "rulebook": "small",
    "effective": "2025-01-01T00:00:00+08:00",
    "event_types": {
        "fault": {"title": "差错", "fields": {"count": {"type": "integer"}}},
        "survey": {"title": "调查", "fields": {"rate": {"type": "decimal"}}},
    },
    "indicators": {
        "I-SAT": {
            "title": "满意率", "full": "10", "owner": "B1", "category": "key",
            "measure": {"on": "survey", "field": "rate", "method": "bands", "bands": [["98", "10"], ["95", "8"]]},
        },
        "I-DOC": {"title": "公文", "full": "10", "owner": "B2", "category": "general"},
    },
    "rules": [
        {"rule": "R1", "title": "公文差错", "on": "fault", "indicator": "I-DOC", "points": "-0.50", "times": "count"},
        {"rule": "R2", "title": "一票否决", "veto": "total", "on": "fault", "when": "count >= 9", "to": "59"},
        {"rule": "D1", "title": "无差异", "differentiation": ["I-SAT"], "among": "group",
         "undifferentiated": {"when": {"range_below": "0.10"}, "charge": "owner", "points": "-0.40"}},
        {"rule": "P1", "title": "进步", "progress": "total", "among": "group", "points": "0.10"},
    ],
    "scorecards": [
        {"for": {"kind": "unit"}, "parts": [{"title": "重点", "weight": "70", "category": "key"},
                                            {"title": "一般", "weight": "30", "category": "general"}]},
    ],
    "standing": {"linkage": {"chief": "0.55"}, "tiers": {"shares": ["50", "50"]},
                 "awards": [{"code": "star", "title": "明星", "kind": "unit", "top_share": "50", "quota": "1"}]},
}  # fmt: skip


def event(number: int, kind: str, subject: str, day: str, **data: Any) -> dict[str, Any]:
    """An event as a system reports it."""
    return {"id": f"E{number}", "type": kind, "subject": subject, "time": f"{day}T10:00:00+08:00", "data": data}


EVENTS = [
    event(1, "survey", "B1", "2026-01-10", rate="99"),
    event(2, "survey", "B2", "2026-01-10", rate="99"),
    event(3, "fault", "B1", "2026-01-12", count="2"),
    event(4, "survey", "B1", "2026-02-10", rate="99"),
    event(5, "survey", "B2", "2026-02-10", rate="96"),
    event(6, "fault", "B2", "2026-02-12", count="9"),
]


async def fill(current: Current | None = None) -> Recorder:
    """Fill the database that the ORM points at; nothing is settled yet."""
    current = current or Current(TIMEZONE, DirectMatcher)
    use_current(current)
    recorder = Recorder(current)
    places = {
        "B1": Place(kind="unit", group="branch"),
        "B2": Place(kind="unit", group="branch"),
        "P1": Place(kind="person", group="staff", unit="B1", post="chief"),
    }
    names = {"B1": "城关分局", "B2": "河西分局", "P1": "张三"}
    subjects = [Subject(code=code, name=names[code], places=(place,)) for code, place in places.items()]
    await acts.organise(date(2025, 1, 1), subjects, (), reason="test", actor="test")
    await acts.declare(periods_of(2026), actor="test")
    await acts.publish_rulebook(read_rulebook(RULEBOOK), reason="test", actor="test")
    await recorder.record_all([parse_report(raw) for raw in EVENTS])
    return recorder
