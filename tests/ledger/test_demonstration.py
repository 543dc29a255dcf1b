"""The demonstration county: its size, its sameness, and that it fits the starter rulebook."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from api.embedded import Database
from engine.admission import admit
from engine.bureau import Bureau
from engine.charge import ChargeKey, Posting, Recorded
from engine.direct import DirectMatcher
from engine.evaluation import evaluate
from engine.organisation import TIMEZONE, Organisation
from engine.period import Calendar
from engine.register import Register
from engine.report import parse_report
from engine.rulebook import EventRule, JointRule, Rulebook, Version
from ledger.current import Current, use_current
from ledger.demonstration import Demonstration, county, effective
from ledger.desk import open_desk
from ledger.filling import fill
from ledger.verification import verify
from rules.document import read_rulebook
from rules.tree import load_yaml

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
    assert places["person", "branch-chief"] == 12
    assert places["person", "section-chief"] == 18
    assert sum(count for (kind, _), count in places.items() if kind == "person") == 210
    assert 9_500 <= len(demonstration.events) <= 11_500


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


@pytest.fixture(scope="module")
def starter() -> Rulebook:
    (tree,) = load_yaml(STARTER.read_text(encoding="utf-8"))
    return read_rulebook(tree.raw, tree.lines)


@pytest.fixture(scope="module")
def bureau(demonstration: Demonstration, starter: Rulebook) -> Bureau:
    rulebook = msgspec.structs.replace(starter, effective=demonstration.effective)
    return Bureau(
        versions=(Version(number=1, rulebook=rulebook),),
        organisation=Organisation(demonstration.subjects, demonstration.relations),
        calendar=Calendar(demonstration.periods),
    )


@pytest.fixture(scope="module")
def recorded(demonstration: Demonstration, bureau: Bureau) -> list[Recorded]:
    """Every event is admitted: its type is declared, its data fits, its subject and parties are subjects."""
    return [admit(bureau, parse_report(event)) for event in demonstration.events]


@pytest.fixture(scope="module")
def postings(bureau: Bureau, recorded: list[Recorded]) -> Mapping[ChargeKey, Posting]:
    matcher = DirectMatcher(bureau.versions[0].rulebook)
    return evaluate(bureau, recorded, lambda _: matcher)


def test_every_event_is_admitted(demonstration: Demonstration, recorded: list[Recorded]) -> None:
    assert len(recorded) == len(demonstration.events)
    assert {each.event.subject for each in recorded} <= {subject.code for subject in demonstration.subjects}


def test_indicators_are_owned_by_its_departments(demonstration: Demonstration, starter: Rulebook) -> None:
    departments = {subject.code for subject in demonstration.subjects if subject.places[0].group == "department"}
    assert {indicator.owner for indicator in starter.indicators.values()} <= departments
    owned = {(relation.indicator, relation.answers) for relation in demonstration.relations if relation.indicator}
    assert {(code, indicator.owner) for code, indicator in starter.indicators.items()} <= owned


def test_every_rule_is_hit_often(starter: Rulebook, postings: Mapping[ChargeKey, Posting]) -> None:
    posted = Counter(key.rule for key, posting in postings.items() if posting.posted)
    charging = [rule.code for rule in starter.rules if isinstance(rule, (EventRule, JointRule))]
    rare = {"K28": 3}
    assert {code: posted[code] for code in charging if posted[code] < rare.get(code, 15)} == {}
    assert len(postings) > 10_000


def test_limits_factors_and_matters_are_met_often(starter: Rulebook, postings: Mapping[ChargeKey, Posting]) -> None:
    met: Counter[str] = Counter()
    for posting in postings.values():
        if posting.superseded_by is not None:
            met["K26"] += 1
            continue
        met.update(step.title[:3] for step in posting.charge.arithmetic if step.step == "factor" and step.title)
        met.update(room.limit for room in posting.rooms if room.room < abs(posting.charge.nominal))
    often = {code: met[code] for code in ("K10", "K21", "K22", "K26")}
    assert all(count >= 20 for count in often.values()), often
    assert set(starter.limits) - {"K04-quarter", "K12-quarter"} <= set(met)


@pytest.fixture(scope="module")
def settled(demonstration: Demonstration, bureau: Bureau) -> Register:
    """The year on the register, its first quarter that is whole settled."""
    register = Register(bureau)
    for event in demonstration.events:
        register.record(parse_report(event))
    register.settle("2026-Q1")
    register.settle("2026-Q2")
    return register


def test_every_indicator_is_measured_and_tells_somebody_apart(settled: Register, starter: Rulebook) -> None:
    figures = settled.figures("2026-Q2")
    found: dict[str, set[Decimal]] = {code: set() for code in starter.indicators}
    for standing in figures.of.values():
        for score in standing.indicators:
            if score.score is not None:
                found[score.indicator].add(score.score)
    # nothing is charged on I-DATA: it is the indicator that an office would retire; a bonus goes straight to the total
    bonuses = {code for code, indicator in starter.indicators.items() if indicator.category == "bonus"}
    assert {code for code, scores in found.items() if len(scores) < 2} == {"I-DATA", *bonuses}


def test_totals_are_where_an_office_expects_them(settled: Register) -> None:
    totals = [standing.total for standing in settled.figures("2026-Q2").of.values() if standing.total is not None]
    assert len(totals) == 240
    usual = [total for total in totals if 85 <= total <= 105]
    assert len(usual) > 200
    assert all(60 < total <= 110 for total in totals)


def test_a_settled_quarter_differentiates_and_progresses(settled: Register) -> None:
    charged = Counter(key.rule for key, amount in settled.sums.items() if not key.source and amount)
    assert min(charged[rule] for rule in ("K11", "K12", "K13", "K27", "K27P")) >= 1, charged
    assert len(settled.figures("2026-Q2").candidates("five-star")) > 40


def test_one_person_is_vetoed(settled: Register) -> None:
    vetoed = [
        standing
        for period in settled.bureau.calendar.periods.values()
        if period.kind == "month"
        for standing in settled.figures(period.code).of.values()
        if standing.vetoes
    ]
    assert [standing.total for standing in vetoed] == [Decimal(59)]


def test_units_end_up_apart(demonstration: Demonstration, postings: Mapping[ChargeKey, Posting]) -> None:
    lost = dict.fromkeys((subject.code for subject in demonstration.subjects), 0)
    for key, posting in postings.items():
        lost[key.subject] += int(100 * posting.posted)
    branches = sorted(lost[subject.code] for subject in demonstration.subjects if subject.places[0].group == "branch")
    assert branches[-1] - branches[0] > 1_000
    assert len(set(branches)) == len(branches)


@pytest.mark.slow
@pytest.mark.anyio
async def test_it_verifies_as_whoever_starts_anew_reads_it(pool: Database) -> None:
    """What the process that filled it held in memory makes the same figures as what is read from the database."""
    current = Current(TIMEZONE, DirectMatcher)
    use_current(current)
    await fill(current, date(2026, 11, 26), lambda _done, _of: None)
    listed = [list(version.rulebook.indicators) for version in current.bureau.versions]
    async with open_desk(Current(TIMEZONE, DirectMatcher), keep=False) as desk:
        assert [list(version.rulebook.indicators) for version in desk.bureau.versions] == listed
        cases = await desk.connection.fetch("SELECT state FROM appeal ORDER BY state")
        assert [case["state"] for case in cases] == ["answered", "lodged", "rejected", "upheld"]
    verdict = await verify(pool.url, TIMEZONE, processes=0)
    assert verdict.difference is None
