"""The demonstration county: its size, its sameness, and that it fits the starter rulebook."""

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from engine.organisation import Organisation
from engine.period import Calendar
from ledger.demonstration import Demonstration, county, effective

TODAY = date(2026, 11, 23)
STARTER = Path(__file__).parents[2] / "rules" / "starter" / "county.yaml"


@pytest.fixture(scope="module")
def demonstration() -> Demonstration:
    return county(today=TODAY)


def test_is_as_large_as_a_county(demonstration: Demonstration) -> None:
    places = Counter((subject.places[0].kind, subject.places[0].group) for subject in demonstration.subjects)
    assert places["unit", "branch"] == 12
    assert places["unit", "department"] == 18
    assert places["person", "leader"] == 5
    assert places["person", "chief"] == 30
    assert sum(count for (kind, _), count in places.items() if kind == "person") == 210
    assert 9_500 <= len(demonstration.events) <= 10_500


def test_every_code_and_name_is_given_once(demonstration: Demonstration) -> None:
    assert len({subject.code for subject in demonstration.subjects}) == 240
    assert len({subject.name for subject in demonstration.subjects}) == 240
    assert len({(event["source"], event["id"]) for event in demonstration.events}) == len(demonstration.events)


def test_the_same_seed_and_date_make_the_same_bytes() -> None:
    once, again = (msgspec.json.encode(county(7, today=TODAY)) for _ in range(2))
    assert once == again
    assert once != msgspec.json.encode(county(8, today=TODAY))


def test_relations_name_subjects_there_are(demonstration: Demonstration) -> None:
    known = {subject.code for subject in demonstration.subjects}
    for relation in demonstration.relations:
        assert {relation.subject, relation.answers} <= known
        assert relation.subject != relation.answers
    assert any(relation.indicator and relation.relation == "lead_dept" for relation in demonstration.relations)
    assert any(relation.end and relation.relation == "lead_dept" for relation in demonstration.relations)


def test_someone_answers_for_every_unit_on_every_day(demonstration: Demonstration) -> None:
    organisation = Organisation(demonstration.subjects, demonstration.relations)
    for subject in demonstration.subjects:
        for day in (TODAY - timedelta(days=365), TODAY - timedelta(days=1)):
            place = subject.on(day)
            if place.kind == "unit":
                assert len(organisation.answering(subject.code, "principal", day)) == 1
                assert len(organisation.answering(subject.code, "supervising_leader", day)) == 1
            if place.group == "branch":
                assert len(organisation.answering(subject.code, "lead_dept", day)) == 1
                assert len(organisation.answering(subject.code, "co_dept", day)) == 2
            if place.post in ("deputy", "staff"):
                (chief,) = organisation.answering(subject.code, "principal", day)
                assert organisation.on(chief, day).unit == place.unit


def test_events_lie_in_the_year_before_today_and_arrive_in_order(demonstration: Demonstration) -> None:
    calendar = Calendar(demonstration.periods)
    arrivals = []
    for event in demonstration.events:
        moment = datetime.fromisoformat(str(event["time"]))
        arrived = datetime.fromisoformat(str(event.get("recorded_at", event["time"])))
        arrivals.append(arrived)
        assert TODAY - timedelta(days=365) <= moment.date() < TODAY
        assert moment <= arrived
        assert arrived.date() < TODAY
        assert moment >= demonstration.effective
        kinds = [period.kind for period in calendar.containing(moment.date())]
        assert kinds == ["month", "quarter", "half", "year"]
    assert arrivals == sorted(arrivals)
    assert sum("recorded_at" in event for event in demonstration.events) > 100


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 12, 31), date(2028, 2, 29), date(2029, 3, 1)])
def test_any_day_can_be_today(today: date) -> None:
    made = county(today=today)
    calendar = Calendar(made.periods)
    assert made.effective == effective(today)
    assert made.effective <= datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    for event in made.events:
        moment = datetime.fromisoformat(str(event["time"]))
        assert moment >= made.effective
        assert len(calendar.containing(moment.date())) == 4
