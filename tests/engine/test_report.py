"""Reports: read once, typed by the fields, refused with every finding and where it is."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.event import Event, EventKey, same_content
from engine.field import DaysLate, EventType, Field
from engine.finding import Refused
from engine.language import render
from engine.report import content_hash, fit, parse_report, read_report, write_event

FIELDS = [
    Field(name="level", type="choice", choices={"state": "总局", "on": "在"}, required=True),
    Field(name="problems", type="choices", choices={"a": "", "b": "", "001": ""}),
    Field(name="times", type="integer"),
    Field(name="rate", type="decimal"),
    Field(name="reported", type="boolean"),
    Field(name="note", type="text"),
    Field(name="due", type="date"),
    Field(name="done", type="date"),
    Field(name="seen", type="datetime"),
    Field(name="late", type="integer", days_late=DaysLate(due="due", done="done")),
]
NOTICE = EventType(code="notice", fields={field.name: field for field in FIELDS})


def report(**changes: Any) -> dict[str, Any]:
    said = {"id": "E1", "source": "office", "type": "notice", "subject": "U1", "time": "2026-03-05T10:00:00+08:00"}
    return said | {"data": {"level": "on"}} | changes


def event(**changes: Any) -> Event:
    return read_report(report(**changes), lambda _: NOTICE)


def paths(raw: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        read_report(raw, lambda read: NOTICE if read.type == "notice" else None)
    for finding in refused.value.findings:
        assert render(finding.message)
        assert render(finding.message, "en")
    return [finding.path for finding in refused.value.findings]


def test_a_whole_report() -> None:
    read = event(
        recorded_at="2026-03-05T03:00:00Z",
        matter="M-2026-17",
        basis="国税函〔2026〕17号",
        parties={"lead_dept": "D2", "direct_person": ["P7", "P8", "P7"], "superior": []},
        data={
            "level": "on", "problems": ["001", "b", "001"], "times": "2", "rate": "0.10", "reported": "true",
            "note": "007", "due": "2026-03-01", "done": None, "seen": "2026-03-05T10:00:00+08:00",
        },
    )  # fmt: skip
    assert read.key == EventKey("office", "E1")
    assert read.time == datetime(2026, 3, 5, 10, tzinfo=timezone(timedelta(hours=8)))
    assert read.recorded_at == datetime(2026, 3, 5, 3, tzinfo=UTC)
    assert read.parties == {"lead_dept": ("D2",), "direct_person": ("P7", "P8"), "superior": ()}
    assert read.data == {
        "level": "on", "problems": ("001", "b"), "times": 2, "rate": Decimal("0.1"), "reported": True,
        "note": "007", "due": date(2026, 3, 1), "seen": datetime(2026, 3, 5, 2, tzinfo=UTC),
    }  # fmt: skip
    assert isinstance(read.data["times"], int)
    assert isinstance(read.data["rate"], Decimal)


def test_json_numbers_and_yaml_text_say_the_same() -> None:
    from_json = event(data={"level": "on", "times": 2, "rate": Decimal("0.50"), "reported": True})
    from_yaml = event(data={"level": "on", "times": "2.0", "rate": "0.5", "reported": "true"})
    assert same_content(from_json, from_yaml)
    assert content_hash(from_json) == content_hash(from_yaml)


def test_the_order_of_choices_and_of_names_says_nothing() -> None:
    one = event(parties={"owner": ["D1", "D2"]}, data={"level": "on", "problems": ["001", "b"]})
    assert same_content(one, event(parties={"owner": ["D2", "D1"]}, data={"level": "on", "problems": ["b", "001"]}))
    assert not same_content(one, event(parties={"owner": ["D2"]}, data={"level": "on", "problems": ["b", "001"]}))
    assert not same_content(one, event(parties={"owner": ["D2", "D1"]}, data={"level": "on", "problems": ["b"]}))


def test_what_is_left_out() -> None:
    read = parse_report(
        {"id": "E1", "type": "notice", "subject": "U1", "time": "2026-03-05T10:00:00+08:00", "data": None}
    )
    assert (read.source, read.matter, read.basis, read.parties, read.data) == ("manual", None, None, {}, {})
    assert read.key == EventKey("manual", "E1")


def test_the_identity_is_known_before_the_data_is_read() -> None:
    read = parse_report(report(data={"nonsense": [1]}))
    assert read.key == EventKey("office", "E1")
    with pytest.raises(Refused):
        fit(read, NOTICE)


def test_every_finding_has_its_place() -> None:
    assert paths({"time": "2026-03-05T10:00:00", "parties": {"owner": ["D1", "D 2"]}, "sub/ject": 1, "data": []}) == [
        "/sub~1ject", "/id", "/type", "/subject", "/time", "/parties/owner/1", "/data",
    ]  # fmt: skip
    assert paths(report(data={"levl": 1, "late": 3, "times": "2.5", "problems": ["a", "z"], "rate": True})) == [
        "/data/levl", "/data/level", "/data/problems/1", "/data/times", "/data/rate", "/data/late",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": "a/b"}, "/id"),
        ({"id": 7}, "/id"),
        ({"source": "a b"}, "/source"),
        ({"subject": None}, "/subject"),
        ({"time": "2026-03-05"}, "/time"),
        ({"recorded_at": "yesterday"}, "/recorded_at"),
        ({"matter": "x" * 201}, "/matter"),
        ({"matter": ""}, "/matter"),
        ({"basis": "x" * 2001}, "/basis"),
        ({"basis": "a\0b"}, "/basis"),
        ({"parties": ["D1"]}, "/parties"),
        ({"parties": {"lead_dept": None}}, "/parties/lead_dept"),
        ({"parties": {"lead dept": "D1"}}, "/parties/lead dept"),
        ({"type": "unknown"}, "/type"),
        ({"data": {"level": "city"}}, "/data/level"),
        ({"data": {"level": None}}, "/data/level"),
        ({"data": {}}, "/data/level"),
        ({"data": {"level": "on", "note": 7}}, "/data/note"),
        ({"data": {"level": "on", "note": "x" * 20_001}}, "/data/note"),
        ({"data": {"level": "on", "note": "\ud800"}}, "/data/note"),
        ({"data": {"level": "on", "problems": "a"}}, "/data/problems"),
        ({"data": {"level": "on", "reported": 1}}, "/data/reported"),
        ({"data": {"level": "on", "rate": {"a": "b"}}}, "/data/rate"),
        ({"data": {"level": "on", "due": "2026-03-01T00:00:00+08:00"}}, "/data/due"),
        ({"data": {"level": "on", "seen": "2026-03-01"}}, "/data/seen"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], path: str) -> None:
    assert paths(report(**changes)) == [path]


def test_no_report_at_all() -> None:
    nothing: list[Any] = [None, [], "E1", 1]
    for raw in nothing:
        assert paths(raw) == [""]


def test_the_canonical_form() -> None:
    read = event(data={"rate": "0.50", "level": "on", "times": "2"}, parties={"b": "D1", "a": []}, matter=None)
    assert write_event(read) == {
        "data": {"level": "on", "rate": "0.5", "times": 2},
        "id": "E1",
        "parties": {"a": [], "b": ["D1"]},
        "source": "office",
        "subject": "U1",
        "time": "2026-03-05T02:00:00Z",
        "type": "notice",
    }
    assert list(write_event(read)["parties"]) == ["a", "b"]


def test_the_hash_is_of_the_content() -> None:
    first = event()
    assert content_hash(first) == content_hash(event(recorded_at="2026-03-06T00:00:00Z", time="2026-03-05T02:00:00Z"))
    others = [
        event(data={"level": "state"}), event(data={"level": "on", "times": 1}), event(parties={"lead_dept": []}),
        event(matter="M"), event(basis="M"), event(subject="U2"), event(time="2026-03-05T02:00:01Z"),
    ]  # fmt: skip
    assert len({content_hash(first), *map(content_hash, others)}) == 8


values = st.fixed_dictionaries(
    {"level": st.sampled_from(["state", "on"])},
    optional={
        "problems": st.lists(st.sampled_from(["a", "b", "001"])),
        "times": st.integers(-(10**14), 10**14),
        "rate": st.decimals(-(10**9), 10**9, places=6),
        "reported": st.booleans(),
        "note": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        "due": st.dates().map(str),
        "seen": st.datetimes(timezones=st.just(UTC)).filter(lambda at: 2 <= at.year <= 9998).map(datetime.isoformat),
    },
)


@given(values)
def test_what_is_written_reads_the_same(data: dict[str, Any]) -> None:
    read = event(data=data)
    again = read_report(write_event(read), lambda _: NOTICE)
    assert again == read
    assert content_hash(again) == content_hash(read)
