"""The property: whatever happens, in whatever order, the ledger's sums equal a fresh evaluation."""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from engine.condition import parse
from engine.durable import DurableMatcher, available
from engine.finding import Refused
from engine.matching import Matcher
from engine.organisation import Organisation
from engine.period import Period
from engine.register import open_register
from engine.report import parse_report
from engine.rulebook import EventRule, Fixed, Rulebook, Version
from engine.scalar import Raw
from engine.term import names_of
from tests.worlds import DAY, NOTICE, History, check_limits, check_sums, draw_subjects

CENT = Decimal("0.01")
HISTORIES = int(os.environ.get("JIKAO_HISTORIES", "10000"))
STEPS = 20
BLOCKS = 40


def live(seed: int) -> History:
    """A history of some steps; every fourth without period charges. Now and then it is checked after each step."""
    history = History(seed, periodical=seed % 4 > 0)
    for _ in range(STEPS):
        history.step()
        if seed % 25 == 0:
            check_sums(history)
    check_sums(history)
    check_limits(history)
    if seed % 25 == 0 and available():
        check_sums(history, durable)
    return history


def durable(version: Version) -> Matcher:
    return DurableMatcher(version.rulebook)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_ledger_equals_a_fresh_evaluation(block: int) -> None:
    for seed in range(block * HISTORIES // BLOCKS, (block + 1) * HISTORIES // BLOCKS):
        live(seed)


def test_the_histories_hit_what_they_are_drawn_for() -> None:
    seen: Counter[str] = Counter()
    for seed in range(40):
        history = History(seed, periodical=True)
        charged: set[str] = set()
        for _ in range(40):
            step, refused = history.step()
            if step.verb == "settle" and not refused:
                seen["settled again"] += step.args[0] in charged
                charged.add(step.args[0])
        seen += history.seen
        register = history.register
        seen["reopened and settled"] += any(code in register.snapshots for code in charged)
        for posted in register.entries:
            seen[posted.entry.kind] += 1
            if not posted.entry.charge.key.source:
                seen[f"{posted.cause.act}: {posted.entry.kind} of {posted.entry.charge.key.rule}"] += 1
                seen["clipped"] += posted.entry.posted != posted.entry.nominal
    for what in ("settled again", "reopened and settled", "period", "reversal", "clipped", "late"):
        assert seen[what] > 5, (what, seen)
    for rule in ("D1", "D2", "G1"):
        assert seen[f"settlement: period of {rule}"] > 5, (rule, seen)
        assert seen[f"settlement: adjustment of {rule}"] > 5, (rule, seen)
        assert seen[f"event: adjustment of {rule}"] > 0, (rule, seen)


def test_settling_again_without_news_posts_nothing() -> None:
    for seed in range(40):
        history = History(seed, periodical=True)
        for _ in range(30):
            history.step()
        register = history.register
        for code, period in register.bureau.calendar.periods.items():
            if period.state == "closed" or code in {"2026-03", "2026-06", "Q1", "Q2"}:
                continue  # a month and a quarter that end on one day take each other's room
            try:
                register.settle(code)
            except Refused:  # a task that grew on a date that no open period can take
                continue
            assert not [each for each in register.settle(code).entries if each.posted], (seed, code)


def test_periods_declared_later_move_the_windows_that_follow_them() -> None:
    moved = 0
    for seed in range(60):
        history = History(seed, periodical=True)
        for step in range(40):
            history.step()
            if step % 10 == 9:
                start = DAY + timedelta(days=history.rng.randrange(0, 150))
                end = start + timedelta(days=history.rng.randrange(1, 40))
                planned = history.register.declare([Period(code=f"W{step}", kind="week", start=start, end=end)])
                moved += any(entry.posted and not entry.charge.key.source for entry in planned.entries)
                check_sums(history)
    assert moved > 0


def test_a_closed_period_may_not_be_declared_otherwise() -> None:
    register = History(1).register
    register.close("Q1")
    known = register.period("Q1")
    with pytest.raises(Refused):
        register.declare([msgspec.structs.replace(known, state="open", end=known.end + timedelta(days=1))])
    register.declare([msgspec.structs.replace(known, state="open")])
    assert register.period("Q1").state == "closed"


def rulebook(effective: date, when: str, points: str) -> Rulebook:
    """A rulebook of one rule on notices."""
    rule = EventRule(code="R", on="notice", when=parse(when, names_of([NOTICE])), points=Fixed(Decimal(points)))
    begins = datetime(effective.year, effective.month, effective.day, tzinfo=UTC)
    return Rulebook(code="b", effective=begins, event_types={"notice": NOTICE}, rules=(rule,))


def test_a_refused_publication_leaves_its_number_and_nothing_else() -> None:
    """The next one has the same number; its events are matched by its own rules."""
    january = Period(code="2026-01", kind="month", start=DAY, end=date(2026, 2, 1))
    register = open_register([rulebook(DAY, 'level == "high"', "-1")], Organisation(draw_subjects()), [january])

    def report(id: str, month: int) -> None:
        time = f"2026-{month:02d}-10T10:00:00+08:00"
        data: dict[str, Raw] = {"level": "high"}
        register.record(parse_report({"id": id, "type": "notice", "subject": "U1", "time": time, "data": data}))

    report("E1", 1)
    register.close("2026-01")
    with pytest.raises(Refused):  # no open period takes what it would give back
        register.publish(rulebook(DAY, 'level == "low"', "-2"))
    register.publish(rulebook(date(2026, 2, 1), 'level == "high"', "-3"))
    report("E2", 2)
    charged = {key.id: posted for key, posted in register.sums.items()}
    assert charged == {"E1": Decimal(-1), "E2": Decimal(-3)}
