"""Appeals on PostgreSQL: windows by the day, who may take which step, decisions that act through events only."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest

from api.embedded import Cluster, Database
from api.piccolo_conf import DB
from engine.direct import DirectMatcher
from engine.event import EventKey
from engine.finding import Refused
from engine.language import render
from engine.organisation import TIMEZONE
from engine.report import Report, parse_report
from ledger import acts, settling
from ledger import clock as ledger_clock
from ledger.appeals import Barred, Case, OutOfTurn, Party, answer, find_case, fold, lodge, withdraw
from ledger.attachment import LARGEST, check_count, hash_attachment, read_attachment, told_by_content
from ledger.cases import AppealFilter, list_appeals, read_appeal, read_file
from ledger.chain import link
from ledger.current import Current, get_current, use_current
from ledger.desk import open_desk
from ledger.listing import EntryFilter, list_entries
from ledger.reading import EntryView, Unknown, reading
from ledger.recording import Recorder
from ledger.redress import read_redress
from ledger.remark import hash_text
from ledger.removals import remove
from ledger.reviewing import Outcome, decide
from ledger.verification import verify
from rules.roster import read_periods, write_periods
from tests.county import PERIODS, found, report
from tests.ledger.test_ledger import Office
from tests.worlds import History

pytestmark = pytest.mark.anyio

U1, D1, PERSON = Party(name="li", subject="U1"), Party(name="wang", subject="D1"), Party(name="san", subject="P1")
CLERK = Party(name="zhao", office=True)
REVIEWER = Party(name="sun", reviewer=True)

PDF = b"%PDF-1.7\n1 0 obj\n"

Clock = Callable[[str], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What time it is, for every act from now on."""

    def set_clock(at: str) -> None:
        instant = datetime.fromisoformat(at).astimezone(UTC)
        monkeypatch.setattr(ledger_clock, "now", lambda: instant)

    return set_clock


@pytest.fixture
async def recorder(pool: Database, clock: Clock) -> Recorder:
    """The county on the tenth of March, with nothing that has happened."""
    clock("2026-03-10T09:00:00+08:00")
    return await found()


async def record(at: str, *reports: dict[str, Any]) -> None:
    """Record events that reach us at that time."""
    async with open_desk(get_current()) as desk:
        for raw in reports:
            await desk.record(parse_report(raw), datetime.fromisoformat(at))


async def entry_of(subject: str, event: str | None = None, rule: str | None = None) -> EntryView:
    """The first entry of that event on the subject."""
    found, _ = await list_entries(EntryFilter(subject=subject, event=event, rule=rule), limit=500)
    return found[-1]


async def sums() -> dict[str, str]:
    """What stands on each subject."""
    async with reading() as connection:
        rows = await connection.fetch("SELECT subject, sum(posted) AS posted FROM entry GROUP BY subject")
    return {row["subject"]: str(row["posted"]) for row in rows if row["posted"]}


async def opened(event: str = "E1", subject: str = "U1", by: Party = U1) -> Case:
    """A case on the entry of that event."""
    return await lodge((await entry_of(subject, event)).id, "责任不在我局", [], by)


async def retracted(case: Case, recorder: Recorder, event: str = "E1", by: Party = REVIEWER) -> Outcome:
    redress = read_redress([{"retract": {"source": "s", "id": event}}])
    return await decide(case.number, "upheld", "查实", redress, by, recorder)


async def check_all(recorder: Recorder) -> None:
    """The ledger verifies, the table is what the acts say, and every text is what its hash says."""
    verdict = await verify(DB.config["dsn"], get_current().timezone, processes=0)
    assert verdict.difference is None
    async with reading() as connection:
        noted = await connection.fetch("SELECT number, content FROM act WHERE kind = 'appeal' ORDER BY number")
        held = await connection.fetch("SELECT * FROM appeal")
        remarks = await connection.fetch("SELECT * FROM remark WHERE removed_by IS NULL")
    assert fold(noted) == {row["number"]: msgspec.convert(dict(row), Case) for row in held}
    assert all(hash_text(row["salt"], row["text"]) == row["hash"] for row in remarks)


def said(error: pytest.ExceptionInfo[Refused]) -> str:
    return render(error.value.findings[0].message)


# windows


async def test_before_the_period_is_settled_the_window_has_no_end(recorder: Recorder, clock: Clock) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    clock("2027-03-10T09:00:00+08:00")
    assert (await opened()).state == "lodged"
    (row,), _ = await list_appeals(AppealFilter())
    assert (row.until, row.days_left, row.open) == (None, None, True)


@pytest.mark.parametrize(("now", "taken"), [("2026-04-06T23:59:59+08:00", True), ("2026-04-07T00:00:00+08:00", False)])
async def test_the_window_ends_with_a_day_of_the_organisation(
    recorder: Recorder, clock: Clock, now: str, taken: bool
) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    clock("2026-03-31T15:59:00+00:00")  # 23:59 in Shanghai
    await settling.settle("2026-03", actor="test")
    clock("2026-03-31T16:00:00+00:00")  # midnight: the first of April
    await settling.settle("2026-03", actor="test")
    clock(now)
    if taken:
        assert (await opened()).state == "lodged"
        (row,), _ = await list_appeals(AppealFilter())
        assert (str(row.until), row.days_left, row.open) == ("2026-04-06", 0, True)
    else:
        with pytest.raises(OutOfTurn) as refused:
            await opened()
        assert "2026-04-06" in said(refused)


async def test_what_is_posted_later_has_days_of_its_own(recorder: Recorder, clock: Clock) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    clock("2026-04-01T09:00:00+08:00")
    await settling.settle("2026-03", actor="test")
    await record("2026-04-05T17:00:00+00:00", report("E2", "2026-03-06"))  # the sixth, one o'clock, in Shanghai
    clock("2026-04-11T23:00:00+08:00")
    with pytest.raises(OutOfTurn, match=r"appeal\.over"):
        await opened("E1")
    assert (await opened("E2")).state == "lodged"
    clock("2026-04-12T00:00:00+08:00")
    await record("2026-04-05T17:00:00+00:00", report("E3", "2026-03-06"))
    with pytest.raises(OutOfTurn, match=r"2026-04-11"):
        await opened("E3")


async def test_a_closing_begins_the_window_where_nothing_was_settled(recorder: Recorder, clock: Clock) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    clock("2026-04-01T09:00:00+08:00")
    await settling.close("2026-03", actor="test")
    clock("2026-04-07T00:00:00+08:00")
    with pytest.raises(OutOfTurn, match=r"2026-04-06"):
        await opened()


async def test_a_settlement_by_a_decision_does_not_begin_the_window_again(recorder: Recorder, clock: Clock) -> None:
    await record("2026-03-05T12:00:00+08:00", *surveys("99", "99"), report("E1"))
    clock("2026-04-01T09:00:00+08:00")
    await settling.settle("2026-03", actor="test")
    case = await lodge((await entry_of("D1", rule="K11")).id, "统计有误", [], D1)
    clock("2026-04-05T09:00:00+08:00")
    await decide(case.number, "upheld", "查实", corrected_survey("96"), REVIEWER, recorder)
    async with reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM act WHERE kind = 'settlement'") == 2
    clock("2026-04-07T09:00:00+08:00")
    with pytest.raises(OutOfTurn, match=r"2026-04-06"):
        await opened()
    (latest, *_), _ = await list_entries(EntryFilter(rule="K11"))
    assert latest.cause.act == "settlement"
    assert (await lodge(latest.id, "仍有异议", [], D1)).state == "lodged"


async def test_no_days_no_period_no_appeal(recorder: Recorder, clock: Clock) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"), report("E2", "2026-05-06"), report("E3", "2026-01-06"))
    await acts.declare(read_periods([{**PERIODS[1], "appeal_days": None}]), actor="test")
    with pytest.raises(Refused, match=r"appeal\.none_in_period"):
        await opened("E1")
    with pytest.raises(Refused, match=r"appeal\.no_period"):
        await opened("E2")
    assert (await opened("E3")).period == "2026-Q1"  # the shortest that contains it


async def test_days_to_appeal_are_declared_kept_and_changed(recorder: Recorder, clock: Clock) -> None:
    def days(code: str) -> int | None:
        return get_current().bureau.calendar.find(code).days_to_appeal

    declared: Any = [{**PERIODS[1], "appeal_days": "0"}, {**PERIODS[2], "appeal_days": 366}]
    await acts.declare(read_periods(declared), actor="test")
    assert (days("2026-02"), days("2026-03"), days("2026-04")) == (5, 0, 366)
    await acts.declare(read_periods([{**PERIODS[1], "title": "三月"}]), actor="test")
    assert (days("2026-03"), get_current().bureau.calendar.find("2026-03").title) == (0, "三月")
    written: Any = write_periods(get_current().bureau.calendar.periods.values())
    assert read_periods(written) == tuple(
        msgspec.structs.replace(each, state="open") for each in get_current().bureau.calendar.periods.values()
    )
    fresh = Current(TIMEZONE, DirectMatcher)
    async with open_desk(fresh, keep=False):
        assert fresh.bureau.calendar.find("2026-03").days_to_appeal == 0
    await settling.close("2026-03", actor="test")
    with pytest.raises(Refused, match=r"period\.not_open"):
        await acts.declare(read_periods([{**PERIODS[1], "title": "三月", "appeal_days": 3}]), actor="test")
    for wrong in (-1, 367, "5.5"):
        with pytest.raises(Refused):
            read_periods([{**PERIODS[1], "appeal_days": wrong}])


# who, and in what order


async def test_an_entry_is_appealed_by_its_own_subject_or_the_office(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    with pytest.raises(Barred, match=r"appeal\.not_yours"):
        await opened(by=D1)
    case = await opened(by=CLERK)
    assert case.on_behalf
    with pytest.raises(OutOfTurn, match=r"appeal\.open_already"):
        await opened()
    assert not (await opened(subject="D1", by=D1)).on_behalf  # another subject's entry of the same event
    with pytest.raises(Unknown):
        await lodge(10_000, "?", [], U1)
    with pytest.raises(Barred, match=r"appeal\.own\.lodger"):
        await answer(case.number, "答复", CLERK)
    with pytest.raises(Barred, match=r"appeal\.office_answers"):
        await answer(case.number, "答复", U1)
    await answer(case.number, "答复", Party(name="qian", office=True))
    with pytest.raises(Barred, match=r"appeal\.own\.lodger"):
        await retracted(case, recorder, by=msgspec.structs.replace(CLERK, reviewer=True))
    await check_all(recorder)


async def test_steps_go_one_way_and_repeating_them_is_harmless(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"), report("E2", "2026-03-06"))
    case = await opened()
    assert await answer(case.number, "答复", CLERK) == await answer(case.number, "答复", CLERK)
    for text, by in (("另一答复", CLERK), ("答复", Party(name="qian", office=True))):
        with pytest.raises(OutOfTurn, match=r"appeal\.not_open"):
            await answer(case.number, text, by)
    with pytest.raises(Barred):
        await withdraw(case.number, D1)
    first = await decide(case.number, "rejected", "无误", (), REVIEWER, recorder)
    async with reading() as connection:
        length = await connection.fetchval("SELECT length FROM ledger_head")
    assert (await decide(case.number, "rejected", "无误", (), REVIEWER, recorder)).case == first.case
    with pytest.raises(OutOfTurn):
        await retracted(case, recorder)
    with pytest.raises(OutOfTurn):
        await decide(case.number, "rejected", "无误", (), Party(name="zhou", reviewer=True), recorder)
    with pytest.raises(OutOfTurn):
        await withdraw(case.number, U1)
    other = await opened("E2")
    assert (await withdraw(other.number, U1)) == (await withdraw(other.number, U1))
    with pytest.raises(OutOfTurn):
        await answer(other.number, "答复", CLERK)
    async with reading() as connection:
        assert await connection.fetchval("SELECT length FROM ledger_head") == length + 2
        with pytest.raises(Unknown):
            await find_case(connection, 1)
    await check_all(recorder)


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (Party(name="sun"), "no_reviewer"),
        (Party(name="li", subject="U1", reviewer=True), "lodger"),
        (Party(name="zhao", office=True, reviewer=True), "answerer"),
        (Party(name="other", subject="D1", reviewer=True), "appellant"),
        (Party(name="other", subject="U1", reviewer=True), "path"),
    ],
)
async def test_nobody_reviews_their_own_decision(recorder: Recorder, by: Party, why: str) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    case = await opened(subject="D1", by=msgspec.structs.replace(by, office=True) if why == "lodger" else D1)
    await answer(case.number, "答复", CLERK)
    with pytest.raises(Barred) as refused:
        await retracted(case, recorder, by=by)
    assert refused.value.findings[0].message.key == f"appeal.own.{why}"
    assert await sums() == {"U1": "-0.50", "D1": "-0.15", "P1": "-0.25"}


async def test_who_decided_before_or_posted_the_entry_does_not_decide(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    case = await opened()
    await decide(case.number, "rejected", "无误", (), REVIEWER, recorder)
    again = await opened()
    with pytest.raises(Barred, match=r"appeal\.own\.earlier"):
        await retracted(again, recorder)
    await retracted(again, recorder, by=Party(name="zhou", reviewer=True))
    reversal = next(each for each in (await list_entries(EntryFilter(subject="U1")))[0] if each.kind == "reversal")
    third = await lodge(reversal.id, "不应撤销", [], U1)
    with pytest.raises(Barred, match=r"appeal\.own\.cause"):
        await decide(third.number, "rejected", "无误", (), Party(name="zhou", reviewer=True), recorder)


# decisions


async def test_upheld_by_retraction_takes_joint_entries_and_limits_along(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1", data={"level": "province"}), report("E2", "2026-03-06"))
    assert await sums() == {"U1": "-1.20", "D1": "-0.45", "P1": "-0.75"}  # clipped to the month's limit
    case = await opened()
    redress = read_redress([{"retract": {"source": "s", "id": "E1"}}])
    foreseen = await decide(case.number, "upheld", "查实", redress, REVIEWER, recorder, preview=True)
    assert await sums() == {"U1": "-1.20", "D1": "-0.45", "P1": "-0.75"}
    outcome = await decide(case.number, "upheld", "查实", redress, REVIEWER, recorder)
    assert [(each.subject, each.event, each.posted) for each in foreseen.entries] == [
        (each.subject, each.event, each.posted) for each in outcome.entries
    ]
    assert await sums() == {"U1": "-0.50", "D1": "-0.15", "P1": "-0.25"}
    moved = {(each.period, each.subject): (str(each.total_before), str(each.total)) for each in foreseen.moved}
    assert moved["2026-03", "U1"] == ("98.80", "99.50")
    assert moved["2026-Q1", "D1"] == ("99.55", "99.85")
    assert outcome.moved == ()
    assert {each.cause.act for each in outcome.entries} == {"retraction"}
    told = await read_appeal(case.number)
    assert [(each.kind, each.source, each.id) for each in told.acts] == [("retraction", "s", "E1")]
    assert {each.id for each in told.entries} == {each.id for each in outcome.entries}
    assert told.decision is not None
    assert (told.state, told.decision.text, told.decision.by) == ("upheld", "查实", "sun")
    await check_all(recorder)


async def test_partly_by_leaving_a_party_out(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    case = await opened(subject="D1", by=D1)
    event = report("E1-R", parties={"lead_dept": []})
    await decide(
        case.number, "partly", "排除连带", read_redress([{"correct": {"source": "s", "id": "E1", "event": event}}]),
        REVIEWER, recorder,
    )  # fmt: skip
    assert await sums() == {"U1": "-0.50", "P1": "-0.25"}
    (act,) = (await read_appeal(case.number)).acts
    assert (act.kind, act.by) == ("correction", ("s", "E1-R"))
    await check_all(recorder)


async def test_a_correction_keeps_when_the_event_reached_us(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1", recorded_at="2026-03-07T10:00:00+08:00"))
    case = await opened()
    event = report("E1-R", data={"level": "province"})
    redress = read_redress([{"correct": {"source": "s", "id": "E1", "event": event}}])
    await decide(case.number, "partly", "更正", redress, REVIEWER, recorder)
    async with reading() as connection:
        at = await connection.fetchval("SELECT recorded_at FROM event WHERE id = 'E1-R'")
    assert at == datetime.fromisoformat("2026-03-07T10:00:00+08:00")
    with pytest.raises(Refused, match=r"redress\.recorded_at"):
        read_redress([{"correct": {"source": "s", "id": "E1", "event": {**event, "recorded_at": event["time"]}}}])


async def test_a_decision_never_acts_without_redress_nor_a_rejection_with_it(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    case = await opened()
    for verdict in ("upheld", "partly"):
        with pytest.raises(Refused, match=r"appeal\.no_acts"):
            await decide(case.number, verdict, "查实", (), REVIEWER, recorder)
    redress = read_redress([{"retract": {"source": "s", "id": "E1"}}])
    with pytest.raises(Refused, match=r"appeal\.rejected_acts"):
        await decide(case.number, "rejected", "查实", redress, REVIEWER, recorder)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ([{"retract": {"source": "s", "id": "E1"}}, {"retract": {"source": "s", "id": "E9"}}], "/acts/1"),
        ([{"retract": {"source": "s", "id": "E1"}}, {"retract": {"source": "s", "id": "E2"}}], "/acts/1"),
        ([{"correct": {"source": "s", "id": "E1", "event": report("E2")}}], "/acts/0/correct/event/id"),
        (
            [{"correct": {"source": "s", "id": "E1", "event": report("E1-R", data={"level": "moon"})}}],
            "/acts/0/correct/event/data/level",
        ),
        (
            [{"correct": {"source": "s", "id": "E1", "event": report("E1-R", subject="nobody")}}],
            "/acts/0/correct/event/subject",
        ),
    ],
)
async def test_where_one_act_is_refused_nothing_has_happened(recorder: Recorder, raw: Any, path: str) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"), report("E2", "2026-03-20", "U2"))
    case = await opened()
    async with reading() as connection:
        before = dict(await connection.fetchrow("SELECT length, hash FROM ledger_head"))
    with pytest.raises(Refused) as refused:
        await decide(case.number, "upheld", "查实", read_redress(raw), REVIEWER, recorder)
    assert refused.value.findings[0].path == path
    async with reading() as connection:
        assert dict(await connection.fetchrow("SELECT length, hash FROM ledger_head")) == before
        assert (await find_case(connection, case.number)).state == "lodged"
        assert await connection.fetchval("SELECT count(*) FROM present_event") == 2
    await check_all(recorder)


@pytest.mark.parametrize(
    "raw", ["x", [1], [{}], [{"write": {"source": "s", "id": "E1", "amount": 5}}], [{"retract": {"source": "s"}}],
            [{"retract": {"source": "s", "id": 5}}], [{"retract": {"source": "s", "id": "E1"}}] * 2,
            [{"correct": {"source": "s", "id": "E1", "event": []}}]],
)  # fmt: skip
def test_what_redress_may_say(raw: Any) -> None:
    with pytest.raises(Refused) as refused:
        read_redress(raw)
    assert refused.value.findings[0].path.startswith("/acts")


async def test_redress_may_concern_what_the_explanation_names(recorder: Recorder) -> None:
    await record(
        "2026-03-05T12:00:00+08:00",
        report("E1", data={"level": "province"}),
        report("E2", "2026-03-06"),
        report("E3", "2026-03-07", "U2"),
    )
    case = await opened("E2")  # the room was used by E1
    with pytest.raises(Refused, match=r"redress\.not_named"):
        await retracted(case, recorder, "E3")
    await retracted(case, recorder, "E1")
    assert (await sums())["U1"] == "-0.50"
    again = await lodge((await list_entries(EntryFilter(subject="U1", event="E2")))[0][0].id, "异议", [], U1)
    with pytest.raises(OutOfTurn, match=r"event\.not_standing"):
        await retracted(again, recorder, "E1", Party(name="zhou", reviewer=True))


async def test_what_was_corrected_meanwhile_is_found_by_its_replacement(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    case = await opened()
    async with open_desk(get_current()) as desk:
        replacement = parse_report(report("E1-C", data={"level": "province"}))
        await desk.correct(EventKey("s", "E1"), replacement, "更正", "office", datetime.now(UTC))
    await retracted(case, recorder, "E1-C")
    assert await sums() == {}


def surveys(*rates: str) -> list[dict[str, Any]]:
    return [
        report(f"S{place}", "2026-03-04", f"U{place}", type="survey", data={"rate": rate})
        for place, rate in enumerate(rates, 1)
    ]


def corrected_survey(rate: str) -> Any:
    event = report("S2-R", "2026-03-04", "U2", type="survey", data={"rate": rate})
    return read_redress([{"correct": {"source": "s", "id": "S2", "event": event}}])


async def test_a_periods_entry_changes_by_its_events_and_is_settled_again(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", *surveys("99", "99"))
    await settling.settle("2026-03", actor="test")
    assert (await sums())["D1"] == "-0.40"
    case = await lodge((await entry_of("D1", rule="K11")).id, "数据报错", [], D1)
    outcome = await decide(case.number, "upheld", "查实", corrected_survey("96"), REVIEWER, recorder)
    assert outcome.left is None
    assert await sums() == {}
    assert [each.kind for each in (await read_appeal(case.number)).acts] == ["correction", "settlement"]
    async with reading() as connection:
        noted = await connection.fetch("SELECT content FROM act WHERE kind = 'settlement' ORDER BY number")
    assert [msgspec.json.decode(row["content"]).get("appeal") for row in noted] == [None, case.number]
    await check_all(recorder)


async def test_a_closed_period_says_what_is_left_to_do(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", *surveys("99", "99"))
    await settling.settle("2026-03", actor="test")
    await settling.close("2026-03", actor="test")
    case = await lodge((await entry_of("D1", rule="K11")).id, "数据报错", [], D1)
    outcome = await decide(case.number, "upheld", "查实", corrected_survey("96"), REVIEWER, recorder)
    assert outcome.left is not None
    assert outcome.left.key == "appeal.left.closed"
    assert (await sums())["D1"] == "-0.40"


@pytest.mark.parametrize("seed", range(24))
async def test_the_ledger_equals_a_fresh_evaluation_after_decisions(pool: Database, seed: int) -> None:
    current = Current(TIMEZONE)
    use_current(current)
    history, office = History(seed, periodical=seed % 2 == 1), Office(current)
    await office.set_up(history.organisation, history.first)
    decided = 0
    for _ in range(30):
        step, refused = history.step()
        if not refused and step.verb in ("retract", "correct") and as_recorded(history, *step.args):
            case = await on_some_entry(step.args[0])
            if case is not None:
                reviewer = Party(name=f"reviewer-{decided}", reviewer=True)  # earlier ones caused some entries
                await decide(case.number, "upheld", "查实", parse_back(step.args), reviewer, office.recorder)
                decided += 1
                continue
        try:
            await getattr(office, step.verb)(*step.args)
        except Refused:
            assert refused, step
    fresh = {key: each.posted for key, each in history.register.fresh().items() if each.posted}
    assert await office.sums() == fresh
    await check_all(office.recorder)
    if seed == 0:
        assert decided


async def on_some_entry(key: EventKey) -> Case | None:
    """A case on the latest entry of a standing event; None where there is none that may be appealed."""
    entries, _ = await list_entries(EntryFilter(source=key.source, event=key.id))
    async with reading() as connection:
        standing = await connection.fetchval(
            "SELECT 1 FROM present_event WHERE source = $1 AND id = $2", key.source, key.id
        )
    if not entries or standing is None:
        return None
    try:
        return await lodge(entries[0].id, "异议", [], Party(name="li", subject=entries[0].subject))
    except OutOfTurn:
        return None


def as_recorded(history: History, key: EventKey, report: Report | None = None) -> bool:
    """Whether a decision may correct the event so: it keeps when an event was recorded."""
    return report is None or report.recorded_at == history.register.held[key].recorded.event.recorded_at


def parse_back(args: tuple[Any, ...]) -> Any:
    key, *rest = args
    redress = read_redress([{"retract": {"source": key.source, "id": key.id}}])
    if rest:
        return (msgspec.structs.replace(redress[0], report=rest[0]),)
    return redress


# attachments and removal


def archive(*names: str, **contents: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name in names:
            made.writestr(name, "<xml/>")
        for name, content in contents.items():
            made.writestr(name, content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (archive("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (archive("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (archive("OFD.xml"), "application/ofd"),
        (archive(mimetype="application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "application/x-ole-storage"),
        ("情况说明\n".encode(), "text/plain"),
        ("情况说明\n".encode("gb18030"), "text/plain"),
        (b"<script>alert(1)</script>", "text/plain"),
        (archive("setup.exe"), None),
        (archive(mimetype="text/html"), None),
        (b"PK\x03\x04broken", None),
        (b"MZ\x90\0\x03\0\0\0", None),
        (b"\x7fELF\x02\x01\x01", None),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, kind: str | None) -> None:
    assert told_by_content(content) == kind
    if kind is None:
        with pytest.raises(Refused, match=r"attachment\.kind"):
            read_attachment(0, "notice.pdf", content)
    else:
        assert read_attachment(0, "whatever.exe", content).media_type == kind


def test_the_bounds_of_attachments() -> None:
    check_count(5)
    with pytest.raises(Refused, match=r"attachment\.many"):
        check_count(6)
    assert read_attachment(0, "a.pdf", PDF + b"0" * (LARGEST - len(PDF))).size == LARGEST
    for name, content, key in (
        ("a.pdf", PDF + b"0" * LARGEST, "large"), ("a.pdf", b"", "empty"), ("a\nb", PDF, "name"), ("..\\", PDF, "name"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=rf"attachment\.{key}"):
            read_attachment(3, name, content)
    assert read_attachment(0, "C:\\文件\\说明.pdf", PDF).name == "说明.pdf"
    one, other = read_attachment(0, "a.pdf", PDF), read_attachment(0, "a.pdf", PDF)
    assert one.hash != other.hash  # each has a salt of its own
    assert one.hash != hash_attachment(one.salt, one.media_type, "b.pdf", one.content)


async def test_texts_and_files_are_removed_and_the_chain_holds(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    file = read_attachment(0, "张三病历.pdf", PDF)
    case = await lodge((await entry_of("U1", "E1")).id, "张三当日住院", [file], U1)
    assert (await read_file(case.number, file.hash))["content"] == PDF
    with pytest.raises(Unknown):
        await read_file(case.number, "0" * 64)
    gone = await remove(case.number, "remark", "含个人隐私", "zhao")
    away = await remove(case.number, file.hash, "含个人隐私", "zhao")
    assert await remove(case.number, file.hash, "再次", "zhao") == away
    told = await read_appeal(case.number)
    assert (told.grounds.text, told.grounds.removed) == ("", gone.act)
    (left,) = told.attachments
    assert (left.name, left.removed, left.size, left.hash) == (None, away.act, len(PDF), file.hash)
    with pytest.raises(Unknown, match=r"remark\.removed"):
        await read_file(case.number, file.hash)
    async with reading() as connection:
        held = await connection.fetchrow("SELECT * FROM attachment")
        assert (held["salt"], held["content"], held["name"]) == (None, None, None)
        noted = await connection.fetchval("SELECT string_agg(content, '') FROM act WHERE number >= $1", case.number)
        assert "张三" not in noted
        for table, change in (
            ("attachment", "size = 1"),
            ("attachment", "removed_by = NULL"),
            ("remark", "text = '!'"),
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                async with connection.transaction():
                    await connection.execute(f"UPDATE {table} SET {change}")
    await check_all(recorder)


async def test_only_a_removal_that_the_chain_holds_empties_a_file(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    file = read_attachment(0, "a.pdf", PDF)
    case = await lodge((await entry_of("U1", "E1")).id, "异议", [file], U1)
    emptied = "content = NULL, name = NULL, salt = NULL"
    async with reading() as connection:
        for change in (emptied, f"{emptied}, removed_by = {case.number}", f"{emptied}, removed_by = 100000"):
            with pytest.raises(asyncpg.RestrictViolationError):
                async with connection.transaction():
                    await connection.execute(f"UPDATE attachment SET {change}")
        for statement in ("DELETE FROM attachment", "TRUNCATE attachment"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(statement)


@pytest.mark.parametrize(
    ("number", "what", "reason", "kind"),
    [
        (0, "remark", "", Refused), (0, "everything", "理由", Refused), (0, "0" * 64, "理由", Unknown),
        (10_000, "remark", "理由", Unknown), (2, "remark", "理由", Unknown),
    ],
)  # fmt: skip
async def test_what_cannot_be_removed(
    recorder: Recorder, number: int, what: str, reason: str, kind: type[Refused]
) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    case = await opened()
    with pytest.raises(kind) as refused:
        await remove(number or case.number, what, reason, "zhao")
    assert type(refused.value) is kind


async def test_a_file_that_was_exchanged_no_longer_fits_its_hash(recorder: Recorder) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    file = read_attachment(0, "a.pdf", PDF)
    case = await lodge((await entry_of("U1", "E1")).id, "异议", [file], U1)
    row = await read_file(case.number, file.hash)
    assert hash_attachment(row["salt"], row["media_type"], row["name"], row["content"]) == file.hash
    assert hash_attachment(row["salt"], row["media_type"], row["name"], row["content"] + b" ") != file.hash
    async with reading() as connection:
        act = dict(await connection.fetchrow("SELECT * FROM act WHERE number = $1", case.number))
        before = await connection.fetchval("SELECT hash FROM entry WHERE number = $1", case.number - 1)
    assert link(before, {"record": "act", **act}) == act["hash"]


@pytest.mark.parametrize(
    ("tampered", "found"),
    [
        ("UPDATE attachment SET content = content || '\\x20'", "attachment"),
        ("UPDATE attachment SET name = 'b.pdf'", "attachment"),
        ("DELETE FROM attachment", "attachment_missing"),
        ("UPDATE appeal SET state = 'rejected'", "appeal"),
        ("DELETE FROM appeal", "appeal"),
    ],
)
async def test_a_case_that_was_tampered_with_is_found(
    recorder: Recorder, pool: Database, postgres: Cluster, tampered: str, found: str
) -> None:
    await record("2026-03-05T12:00:00+08:00", report("E1"))
    file = read_attachment(0, "a.pdf", PDF)
    await lodge((await entry_of("U1", "E1")).id, "异议", [file], U1)
    superuser = await asyncpg.connect(postgres.url("postgres", pool.url.split("/")[-1].split("?")[0]))
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute(tampered)
    await superuser.close()
    verdict = await verify(pool.url, get_current().timezone, processes=0)
    assert verdict.difference is not None
    assert verdict.difference.kind == found
