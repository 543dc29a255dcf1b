"""Small worlds made from a seed: rulebooks, organisations and histories that hit every mechanism often.

Few subjects, few rules, tight limits, short windows, common matters: what is rare in an office
happens here in every other step.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from engine import limits
from engine.amount import ZERO
from engine.bureau import Bureau
from engine.charge import ChargeKey
from engine.condition import parse
from engine.event import EventKey
from engine.field import DaysLate, EventType, Field
from engine.finding import Refused
from engine.organisation import Organisation, Place, Relation, Subject
from engine.period import Calendar, Period
from engine.register import Register
from engine.report import Report, parse_report
from engine.rulebook import (
    Consequence,
    Difference,
    DifferentiationRule,
    EventRule,
    Factor,
    Fixed,
    Indicator,
    JointRule,
    JointSettings,
    Limit,
    Measure,
    Points,
    Progressive,
    ProgressRule,
    Repeat,
    Rule,
    Rulebook,
    Share,
    Table,
    VetoRule,
    Window,
)
from engine.scalar import Raw
from engine.scene import Matchers
from engine.term import names_of

DAY = date(2026, 1, 1)
CENT = Decimal("0.01")
UNITS = ["U1", "U2", "D1", "D2"]
PEOPLE = ["P1", "P2", "L1"]
RELATIONS = ["lead_dept", "principal", "superior"]
MONTHS = [date(2026, month, 1) for month in range(1, 7)]
SAME: Sequence[tuple[str, ...]] = [("problem",), ("problem",), ("level",), ("problem", "level")]

NOTICE = EventType(
    code="notice",
    fields={
        "points": Field(name="points", type="decimal"),
        "level": Field(name="level", type="choice", choices={"high": "高", "low": "低"}),
        "problem": Field(name="problem", type="text"),
    },
)
MEASURED = Indicator(
    code="I", full=Decimal(4), owner="D1", measure=Measure(on="notice", field="points", method="direct")
)
TASK = EventType(
    code="task",
    fields={
        "due": Field(name="due", type="date"),
        "done": Field(name="done", type="date"),
        "late": Field(name="late", type="integer", days_late=DaysLate(due="due", done="done")),
    },
)


def amount(rng: random.Random, most: int = 400) -> Decimal:
    return Decimal(rng.randrange(0, most)) / 100


def draw_rulebook(
    rng: random.Random, effective: datetime, limits: dict[str, Limit], *, periodical: bool = False
) -> Rulebook:
    """A rulebook of some rules over two event types; ``limits`` keep their windows across versions.

    ``periodical``: with rules of periods as well, which share the limits.
    """
    aside = random.Random(f"{effective} {rng.getstate()[1][0]}")  # draws that leave the others as they were
    names = {"notice": names_of([NOTICE]), "task": names_of([TASK])}
    factors = names_of([NOTICE], factor=True)
    held = {code: Limit(code=code, sign=each.sign, per=each.per, max=amount(rng, 600)) for code, each in limits.items()}
    some = [code for code in limits if rng.random() < 0.6]
    schedules: list[Points] = [Share("points", Decimal(-1)), Share("points", Decimal("0.5")), Fixed(Decimal("-0.35"))]
    rules: list[Rule] = [
        EventRule(
            code="R1",
            on="notice",
            indicator=aside.choice([None, None, "I"]),
            when=parse('level == "high" or points > 1', names["notice"]) if rng.random() < 0.5 else None,
            points=rng.choice(schedules),
            factors=(
                Factor(repeat=Repeat(within_days=rng.choice([5, 20, 60]), same=aside.choice(SAME)), by=Decimal(2)),
                Factor(when=parse('charged_kind == "person"', factors), by=Decimal("1.5")),
            ),
            max=rng.choice([None, Decimal("2.00")]),
            matter=rng.choice(["highest", "highest", "each"]),
            limits=tuple(some),
        ),
        EventRule(
            code="R2",
            on="notice",
            charge=rng.choice(["subject", "principal", "lead_dept"]),
            points=Table("level", {"high": amount(rng), "low": -amount(rng)}),
            matter=rng.choice(["highest", "highest", "each"]),
            limits=tuple(code for code in limits if rng.random() < 0.5),
            enabled=rng.random() < 0.9,
        ),
        EventRule(
            code="R3",
            on="task",
            when=parse("late > 0", names["task"]),
            points=Progressive("late", ((Decimal(3), Decimal("-0.1")), (None, Decimal("-0.21")))),
            max=Decimal("3.00"),
            limits=tuple(code for code in limits if rng.random() < 0.5),
        ),
        JointRule(
            code="J1",
            joint="lead_dept",
            share=Decimal(rng.choice(["0.3", "1.2", "0.333"])),
            split=rng.choice(["each", "pro_rata"]),
            max=rng.choice([None, Decimal("0.80")]),
            limits=tuple(code for code in limits if rng.random() < 0.5),
        ),
        JointRule(
            code="J2",
            joint="principal",
            sign=rng.choice(["both", "deduction", "bonus"]),
            of=rng.choice([None, ("R1", "R3")]),
            share=Decimal("0.5"),
            limits=tuple(code for code in limits if rng.random() < 0.5),
        ),
        JointRule(
            code="J3", indicator=rng.choice([None, "I"]), joint="superior", points=Decimal("0.15"), max=Decimal("0.20")
        ),
    ]
    if periodical:
        rules += draw_period_rules(rng, limits)
    rng.shuffle(rules)
    return Rulebook(
        code="world",
        effective=effective,
        joint=JointSettings(depth=rng.randrange(1, 4), basis=rng.choice(["nominal", "posted"])),
        late=rng.choice(["carry", "carry", "refuse"]),
        event_types={"notice": NOTICE, "task": TASK},
        indicators={"I": MEASURED},
        limits=held,
        rules=tuple(rules),
    )


def draw_period_rules(rng: random.Random, limits: dict[str, Limit]) -> list[Rule]:
    """Differentiation by an indicator and by totals, progress by rank and by total, a veto."""

    def some() -> tuple[str, ...]:
        return tuple(code for code in limits if rng.random() < 0.6)

    kinds = [None, None, "month", "quarter"]
    return [
        DifferentiationRule(
            code="D1",
            of=("I",),
            among="group",
            per=rng.choice(kinds),
            undifferentiated=Consequence(
                when=Difference(range_below=amount(rng)), charge="owner", points=-amount(rng, 150)
            ),
            differentiated=Consequence(charge="members", points=amount(rng, 150)),
            limits=some(),
        ),
        DifferentiationRule(
            code="D2",
            of=None,
            among=rng.choice(["group", "unit"]),
            per=rng.choice(kinds),
            undifferentiated=Consequence(
                when=Difference(range_below=amount(rng)), charge="members", points=-amount(rng, 150)
            ),
            differentiated=Consequence(charge="members", points=amount(rng, 150)),
            limits=some(),
        ),
        ProgressRule(
            code="G1",
            progress=rng.choice(["rank", "total"]),
            points=amount(rng, 60),
            max=rng.choice([None, Decimal("0.90")]),
            both=rng.random() < 0.5,
            per=rng.choice(kinds),
            limits=some(),
        ),
        VetoRule(code="V1", on="notice", when=None, to=Decimal("98.50")),
    ]


def draw_limits(rng: random.Random) -> dict[str, Limit]:
    spans: list[Window] = ["event", "month", "quarter", "half", "year", "period"]
    return {
        f"L{n}": Limit(
            code=f"L{n}", sign=rng.choice(["bonus", "deduction", "both"]), per=rng.choice(spans), max=Decimal(1)
        )
        for n in range(3)
    }


def draw_relation(rng: random.Random, months: Sequence[date] = MONTHS) -> Relation:
    start = rng.choice([None, rng.choice(months)])
    return Relation(
        subject=rng.choice(UNITS + PEOPLE),
        relation=rng.choice(RELATIONS),
        answers=rng.choice(UNITS + PEOPLE),
        start=start,
        end=None if rng.random() < 0.7 else (start or DAY) + timedelta(days=rng.randrange(1, 120)),
    )


def draw_subjects() -> list[Subject]:
    units = [Subject(code=code, places=(Place(kind="unit", group="g"),)) for code in UNITS]
    people = [Subject(code=code, places=(Place(kind="person", group="p", unit="U1"),)) for code in PEOPLE]
    return units + people


def draw_periods() -> list[Period]:
    months = [
        Period(code=f"2026-{n:02d}", kind="month", start=date(2026, n, 1), end=date(2026, n + 1, 1))
        for n in range(1, 8)
    ]
    quarters = [
        Period(code=f"Q{n}", kind="quarter", start=date(2026, 3 * n - 2, 1), end=date(2026, 3 * n + 1, 1))
        for n in (1, 2)
    ]
    return months + quarters


def instant(rng: random.Random) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(0, 24 * 170))


def draw_report(
    rng: random.Random,
    id: str,
    latest: datetime | None,
    anywhere: Callable[[random.Random], datetime] = instant,
) -> Report:
    """A report: mostly in order after the latest one, often late: anywhere."""
    return parse_report(draw_raw(rng, id, latest, anywhere))


def draw_raw(
    rng: random.Random, id: str, latest: datetime | None, anywhere: Callable[[random.Random], datetime] = instant
) -> dict[str, Raw]:
    """The same, as a system writes it."""
    time = anywhere(rng) if latest is None or rng.random() < 0.4 else latest + timedelta(hours=rng.randrange(1, 60))
    raw: dict[str, Raw] = {
        "id": id,
        "source": rng.choice(["s", "t"]),
        "type": rng.choice(["notice", "notice", "task"]),
        "subject": rng.choice(UNITS + PEOPLE),
        "time": time.isoformat(),
    }
    if rng.random() < 0.7:
        raw["matter"] = rng.choice(["M1", "M2"])
    if rng.random() < 0.2:
        raw["parties"] = {rng.choice(RELATIONS): list(rng.sample(UNITS + PEOPLE, rng.randrange(0, 3)))}
    if rng.random() < 0.2:
        raw["recorded_at"] = (time + timedelta(days=rng.randrange(0, 30))).isoformat()
    if raw["type"] == "notice":
        data: dict[str, Raw] = {"points": str(amount(rng)), "level": rng.choice(["high", "low"])}
        if rng.random() < 0.7:
            data["problem"] = rng.choice(["x", "y"])
    else:
        due = (time - timedelta(days=rng.randrange(-3, 20))).date()
        data = {"due": due.isoformat()}
        if rng.random() < 0.5:
            data["done"] = (due + timedelta(days=rng.randrange(0, 9))).isoformat()
    raw["data"] = data
    return raw


class Step(NamedTuple):
    """One thing that happens: a verb of the register, and what it is done with."""

    verb: str
    args: tuple[Any, ...]


STEPS = {
    "record": 60,
    "repeat": 5,
    "retract": 10,
    "correct": 6,
    "publish": 3,
    "organise": 5,
    "close": 4,
    "reopen": 6,
    "settle": 4,
}


class History:
    """A register that lives through random steps, and counts what they were."""

    def __init__(self, seed: int, *, periodical: bool = False) -> None:
        self.rng = rng = random.Random(seed)
        self.periodical = periodical
        self.limits = draw_limits(rng)
        self.organisation = Organisation(draw_subjects(), [draw_relation(rng) for _ in range(rng.randrange(3, 10))])
        self.first = self.new_rulebook(datetime(2026, 1, 1, tzinfo=UTC))
        self.register = Register(Bureau(organisation=self.organisation, calendar=Calendar(self.first_periods())))
        self.register.publish(self.first)
        self.seen: Counter[str] = Counter()
        self.latest: datetime | None = None
        self.reports: list[Report] = []

    def first_periods(self) -> Sequence[Period]:
        """The periods that are declared from the start."""
        return draw_periods()

    def new_rulebook(self, effective: datetime) -> Rulebook:
        """A rulebook that is in effect from then on."""
        return draw_rulebook(self.rng, effective, self.limits, periodical=self.periodical)

    def step(self) -> tuple[Step, bool]:
        """One thing happens; what is refused leaves no trace. The step, and whether it was refused."""
        step = self.draw()
        return step, self.live(step)

    def live(self, step: Step) -> bool:
        """Live through a step; whether it was refused."""
        try:
            getattr(self.register, step.verb)(*step.args)
        except Refused:
            self.seen["refused"] += 1
            return True
        self.seen[step.verb] += 1
        return False

    def draw(self) -> Step:
        """Something that may happen next."""
        rng = self.rng
        steps = {**STEPS, "settle": 16} if self.periodical else STEPS
        verb = rng.choices(list(steps), list(steps.values()))[0]
        periods = self.register.bureau.calendar.periods
        match verb:
            case "record":
                return Step("record", (self._report("E"),))
            case "repeat":
                return Step("record", (rng.choice(self.reports),)) if self.reports else self.draw()
            case "retract":
                return Step("retract", (self._some_event(),))
            case "correct":
                return Step("correct", (self._some_event(), self._report("C")))
            case "publish":
                effective = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(0, 170))
                return Step("publish", (self.new_rulebook(effective),))
            case "organise":
                since = DAY + timedelta(days=rng.randrange(0, 170))
                place = Place(kind="person", group="p", unit=rng.choice(UNITS))
                return Step(
                    "organise", (since, [Subject(code=rng.choice(PEOPLE), places=(place,))], [draw_relation(rng)])
                )
            case "reopen":
                closed = [code for code, period in periods.items() if period.state == "closed"]
                return Step("reopen", (rng.choice(closed),)) if closed else self.draw()
            case "settle":
                settled = list(self.register.settlements)
                return Step("settle", (rng.choice(settled if settled and rng.random() < 0.4 else list(periods)),))
        return Step(verb, (rng.choice(list(periods)),))

    def _report(self, letter: str) -> Report:
        report = draw_report(self.rng, f"{letter}{len(self.reports)}", self.latest)
        self.reports.append(report)
        if self.latest is not None and report.time < self.latest:
            self.seen["late"] += 1
        self.latest = max(report.time, self.latest or report.time)
        return report

    def _some_event(self) -> EventKey:
        return self.rng.choice(list(self.register.held) or [EventKey("nobody", "nothing")])


def check_sums(history: History, matchers: Matchers | None = None) -> None:
    """The sums, and the charges that stand, equal a fresh evaluation by the register's matchers or by others."""
    register = history.register
    fresh = register.fresh(matchers)
    for key in {*register.sums, *fresh}:
        expected = fresh[key].posted if key in fresh else ZERO
        assert register.sums[key] == expected, key
    found: dict[tuple[ChargeKey, str | None], Decimal] = defaultdict(lambda: ZERO)
    for each in register.entries:
        found[each.entry.charge.key, each.entry.charge.indicator] += each.entry.posted
    wanted = {(key, each.charge.indicator): each.posted for key, each in fresh.items() if each.posted}
    assert {key: posted for key, posted in found.items() if posted} == wanted
    present = {posting.charge.key: posting for sheet in register.book.sheets.values() for posting in sheet.postings}
    assert {key: each.posted for key, each in present.items()} == {key: each.posted for key, each in fresh.items()}


def check_limits(history: History) -> None:
    """No window holds more than the most that any version allows, no joint charge stands without its source,
    and amounts are whole cents."""
    register = history.register
    charges = {posting.charge.key: posting for sheet in register.book.sheets.values() for posting in sheet.postings}
    for posting in charges.values():
        key = posting.charge.key
        assert posting.posted == posting.posted.quantize(CENT)
        if key.joint and key.source:
            source = charges[ChargeKey(key.source, key.id, *(key.origin_rule, key.origin_subject) * 2)]
            assert source.superseded_by is None
            assert source.charge.nominal
    used: dict[limits.Window, Decimal] = defaultdict(lambda: ZERO)
    most: dict[limits.Window, Decimal] = {}
    for sheet in register.book.sheets.values():
        for window, taking in sheet.takings:
            used[window] += taking.taken
            most[window] = max(most.get(window, ZERO), taking.most)
    assert all(amount <= most[window] for window, amount in used.items())
