"""A report read straight from its bytes is the event that the long way makes of it, or is refused alike."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine import decoding
from engine.admission import admit
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.decoding import Decoder
from engine.field import DaysLate, EventType, Field
from engine.finding import Refused
from engine.organisation import Organisation, Place, Subject
from engine.period import Calendar, Period
from engine.report import parse_report
from engine.rulebook import Rulebook, Version
from tests.worlds import draw_limits, draw_report, draw_rulebook, draw_subjects

FIELDS = [
    Field(name="级别", type="choice", choices={"省局": "", "市局": ""}),
    Field(name="tags", type="choices", choices={"a": "", "b": "", "c": ""}),
    Field(name="from", type="text"),
    Field(name="times", type="integer"),
    Field(name="rate", type="decimal", required=True),
    Field(name="done", type="date"),
    Field(name="due", type="date"),
    Field(name="seen", type="datetime"),
    Field(name="reported", type="boolean"),
    Field(name="late", type="integer", days_late=DaysLate(due="due", done="done")),
]
TYPE = EventType(code="t", fields={field.name: field for field in FIELDS})
BUREAU = Bureau(
    versions=(
        Version(
            number=1, rulebook=Rulebook(code="r", effective=datetime(2026, 1, 1, tzinfo=UTC), event_types={"t": TYPE})
        ),
    ),
    organisation=Organisation([Subject(code=code, places=(Place(kind="unit"),)) for code in ("U1", "局2")]),
    calendar=Calendar([Period(code="m", kind="m", start=date(2026, 2, 1), end=date(2026, 3, 1), state="closed")]),
)
DECODER = Decoder(BUREAU)

ENVELOPE: dict[str, Any] = {"id": "E1", "type": "t", "subject": "U1", "time": "2026-03-05T10:00:00+08:00"}
ENVELOPES: list[dict[str, Any]] = [
    {},
    {"source": "oa", "matter": "M/1", "basis": "文〔2026〕1号", "recorded_at": "2026-03-05T10:00:00.5Z"},
    {"parties": {"lead_dept": ["U1", "局2", "U1"], "自定": [], "one": "U1"}},
    {"parties": {"lead_dept": ["U1", "局2"]}},
    {"parties": {"lead_dept": ["U9"]}},
    {"parties": {"lead dept": ["U1"]}},
    {"parties": None, "source": None},
    {"subject": "U9"},
    {"type": "other"},
    {"time": "2025-03-05T10:00:00+08:00"},
    {"time": "2026-03-05T10:00:00"},
    {"time": "2026-03-05t10:00:00.1234567Z"},
    {"time": "2026-03-05T10:00:00.1234560Z"},
    {"time": "2026-03-05T24:00:00Z"},
    {"time": "2026-02-05T10:00:00+08:00"},
    {"time": "0001-03-05T10:00:00Z"},
    {"id": ""},
    {"id": "a/b"},
    {"id": "事" * 200},
    {"id": "事" * 201},
    {"id": "a\x7fb"},
    {"id": 7},
    {"source": "o a"},
    {"matter": ""},
    {"matter": "x" * 201},
    {"basis": "a\0b"},
    {"extra": 1},
    {"data": []},
    {"data": None},
]
RATES = ["0.10", "1e2", "-0.0", "0", "12.", '"0.50"', '" 1"', '"1_0"', '"0x1"', '"NaN"', "123456789012345",
         "1234567890123456", "0.1234567890123", "0.123456789012", "1.5000000000000000", "1e999999999", "true", "null",
         "12345678901234.123456789012", "-7.25", '"１"', "[]"]  # fmt: skip
DATA: list[dict[str, Any]] = [
    {"级别": "省局"},
    {"级别": "县局"},
    {"级别": None},
    {"tags": ["a", "b", "a"]},
    {"tags": []},
    {"tags": ["z"]},
    {"tags": "a"},
    {"from": ""},
    {"from": "a\0"},
    {"from": 3},
    {"times": 3},
    {"times": "3"},
    {"times": True},
    {"times": 10**15},
    {"times": -(10**15) + 1},
    {"times": 10**30},
    {"done": "2026-03-01"},
    {"done": "2026-3-1"},
    {"done": "2026-02-30"},
    {"done": "20260301"},
    {"seen": "2026-03-05T10:00:00-00:30"},
    {"seen": "2026-03-05T10:00:00+24:00"},
    {"seen": "2026-03-05 10:00:00.000001Z"},
    {"reported": True},
    {"reported": "true"},
    {"reported": 1},
    {"late": 3},
    {"unheard": 1},
]


def long_way(bureau: Bureau, line: bytes) -> Recorded | Refused:
    try:
        return admit(bureau, parse_report(json.loads(line, parse_float=Decimal)))
    except Refused as refused:
        return refused


def check(decoder: Decoder, bureau: Bureau, line: bytes) -> None:
    expected = long_way(bureau, line)
    if isinstance(expected, Refused):
        with pytest.raises(Refused) as caught:
            decoder.decode(line)
        assert caught.value.findings == expected.findings
    else:
        found = decoder.decode(line)
        assert found == expected
        assert repr(found.event.data) == repr(expected.event.data)


@pytest.mark.parametrize("envelope", ENVELOPES, ids=str)
def test_envelopes(envelope: dict[str, Any]) -> None:
    check(DECODER, BUREAU, json.dumps({**ENVELOPE, "data": {"rate": 1}, **envelope}).encode())
    check(DECODER, BUREAU, json.dumps({**ENVELOPE, "data": {"rate": 1}, **envelope}, ensure_ascii=False).encode())


@pytest.mark.parametrize("rate", RATES)
def test_decimals(rate: str) -> None:
    line = json.dumps({**ENVELOPE, "data": {"rate": "RATE"}}).replace('"RATE"', rate).encode()
    if rate == "12.":
        with pytest.raises((msgspec.DecodeError, json.JSONDecodeError)):
            DECODER.decode(line)
    else:
        check(DECODER, BUREAU, line)


@pytest.mark.parametrize("data", DATA, ids=str)
def test_data(data: dict[str, Any]) -> None:
    check(DECODER, BUREAU, json.dumps({**ENVELOPE, "data": {"rate": "0.5", **data}}).encode())


def test_what_is_ordinary_does_not_go_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {
        "级别": "省局",
        "tags": ["a"],
        "from": "督查",
        "times": 2,
        "rate": "RATE",
        "done": "2026-03-01",
        "reported": True,
    }
    line = json.dumps({**ENVELOPE, "source": "oa", "parties": {"lead_dept": ["U1"]}, "data": data}, ensure_ascii=False)
    monkeypatch.setattr(decoding, "parse_report", lambda raw: pytest.fail(str(raw)))
    for rate in ("98.60", '"98.60"'):
        assert str(DECODER.decode(line.replace('"RATE"', rate).encode()).event.data["rate"]) == "98.60"


def test_random_reports() -> None:
    rng = random.Random(7)
    limits = draw_limits(rng)
    rulebook = draw_rulebook(rng, datetime(2026, 1, 1, tzinfo=UTC), limits)
    bureau = Bureau(versions=(Version(number=1, rulebook=rulebook),), organisation=Organisation(draw_subjects()))
    decoder = Decoder(bureau)
    for number in range(500):
        report = msgspec.structs.asdict(draw_report(rng, f"E{number}", None))
        raw = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in report.items()
            if value is not None
        }
        check(decoder, bureau, json.dumps(raw).encode())
