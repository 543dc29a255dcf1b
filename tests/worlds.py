"""Small worlds made from a seed: rulebooks, organisations and histories that hit every mechanism often.

Few subjects, few rules, tight limits, short windows, common matters: what is rare in an office
happens here in every other step.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from engine.bureau import Bureau
from engine.condition import names_of, parse
from engine.event import EventKey
from engine.field import DaysLate, EventType, Field
from engine.finding import Refused
from engine.organisation import Organisation, Place, Relation, Subject
from engine.period import Calendar, Period
from engine.register import Register
from engine.report import Report, parse_report
from engine.rulebook import (
    EventRule,
    Factor,
    Fixed,
    JointRule,
    JointSettings,
    Limit,
    Progressive,
    Repeat,
    Rule,
    Rulebook,
    Share,
    Table,
)

DAY = date(2026, 1, 1)
UNITS = ["U1", "U2", "D1", "D2"]
PEOPLE = ["P1", "P2", "L1"]
RELATIONS = ["lead_dept", "principal", "superior"]
MONTHS = [date(2026, month, 1) for month in range(1, 7)]

NOTICE = EventType(
    code="notice",
    fields={
        "points": Field(name="points", type="decimal"),
        "level": Field(name="level", type="choice", choices={"high": "高", "low": "低"}),
        "problem": Field(name="problem", type="text"),
    },
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


def draw_rulebook(rng: random.Random, effective: datetime, limits: dict[str, Limit]) -> Rulebook:
    """A rulebook of some rules over two event types; ``limits`` keep their windows across versions."""
    names = {"notice": names_of([NOTICE]), "task": names_of([TASK])}
    factors = names_of([NOTICE], factor=True)
    held = {code: Limit(code=code, sign=each.sign, per=each.per, max=amount(rng, 600)) for code, each in limits.items()}
    some = [code for code in limits if rng.random() < 0.6]
    rules: list[Rule] = [
        EventRule(
            code="R1",
            on="notice",
            when=parse('level == "high" or points > 1', names["notice"]) if rng.random() < 0.5 else None,
            points=rng.choice([Share("points", Decimal(-1)), Share("points", Decimal("0.5")), Fixed(Decimal("-0.35"))]),
            factors=(
                Factor(repeat=Repeat(within_days=rng.choice([5, 20, 60]), same=("problem",)), by=Decimal(2)),
                Factor(when=parse('charged_kind == "person"', factors), by=Decimal("1.5")),
            ),
            max=rng.choice([None, Decimal("2.00")]),
            matter=rng.choice(["highest", "each"]),
            limits=tuple(some),
        ),
        EventRule(
            code="R2",
            on="notice",
            charge=rng.choice(["subject", "principal", "lead_dept"]),
            points=Table("level", {"high": amount(rng), "low": -amount(rng)}),
            matter=rng.choice(["highest", "each"]),
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
        JointRule(code="J3", joint="superior", points=Decimal("0.15"), max=Decimal("0.20")),
    ]
    rng.shuffle(rules)
    return Rulebook(
        code="world",
        effective=effective,
        joint=JointSettings(depth=rng.randrange(1, 4), basis=rng.choice(["nominal", "posted"])),
        late=rng.choice(["carry", "carry", "refuse"]),
        event_types={"notice": NOTICE, "task": TASK},
        limits=held,
        rules=tuple(rules),
    )


def draw_limits(rng: random.Random) -> dict[str, Limit]:
    spans = ["event", "month", "quarter", "half", "year", "period"]
    return {
        f"L{n}": Limit(code=f"L{n}", sign=rng.choice(["bonus", "deduction", "both"]), per=rng.choice(spans), max=Decimal(1))
        for n in range(3)
    }


def draw_relation(rng: random.Random) -> Relation:
    start = rng.choice([None, rng.choice(MONTHS)])
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
        Period(code=f"2026-{n:02d}", kind="month", start=date(2026, n, 1), end=date(2026, n + 1, 1)) for n in range(1, 8)
    ]
    quarters = [
        Period(code=f"Q{n}", kind="quarter", start=date(2026, 3 * n - 2, 1), end=date(2026, 3 * n + 1, 1)) for n in (1, 2)
    ]
    return months + quarters


def instant(rng: random.Random) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(0, 24 * 170))


def draw_report(rng: random.Random, id: str, latest: datetime | None) -> Report:
    """A report: mostly in order after the latest one, often late."""
    time = instant(rng) if latest is None or rng.random() < 0.4 else latest + timedelta(hours=rng.randrange(1, 60))
    raw: dict[str, object] = {
        "id": id,
        "source": rng.choice(["s", "t"]),
        "type": rng.choice(["notice", "notice", "task"]),
        "subject": rng.choice(UNITS + PEOPLE),
        "time": time.isoformat(),
    }
    if rng.random() < 0.4:
        raw["matter"] = rng.choice(["M1", "M2", "M3"])
    if rng.random() < 0.2:
        raw["parties"] = {rng.choice(RELATIONS): rng.sample(UNITS + PEOPLE, rng.randrange(0, 3))}
    if rng.random() < 0.2:
        raw["recorded_at"] = (time + timedelta(days=rng.randrange(0, 30))).isoformat()
    if raw["type"] == "notice":
        data: dict[str, object] = {"points": str(amount(rng)), "level": rng.choice(["high", "low"])}
        if rng.random() < 0.7:
            data["problem"] = rng.choice(["x", "y"])
    else:
        due = (time - timedelta(days=rng.randrange(-3, 20))).date()
        data = {"due": due.isoformat()}
        if rng.random() < 0.5:
            data["done"] = (due + timedelta(days=rng.randrange(0, 9))).isoformat()
    raw["data"] = data
    return parse_report(raw)


class History:
    """A register that lives through random steps, and counts what they were."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.limits = draw_limits(rng)
        organisation = Organisation(draw_subjects(), [draw_relation(rng) for _ in range(rng.randrange(3, 10))])
        self.register = Register(Bureau(organisation=organisation, calendar=Calendar(draw_periods())))
        self.register.publish(draw_rulebook(rng, datetime(2026, 1, 1, tzinfo=UTC), self.limits))
        self.seen: Counter[str] = Counter()
        self.latest: datetime | None = None
        self.reports: list[Report] = []

    def step(self) -> None:
        """One thing happens; what is refused leaves no trace."""
        verb = self.rng.choices(
            ["record", "repeat", "retract", "correct", "publish", "organise", "close", "reopen", "settle"],
            [60, 5, 12, 6, 3, 5, 4, 3, 4],
        )[0]
        try:
            getattr(self, verb)()
        except Refused:
            self.seen["refused"] += 1
        else:
            self.seen[verb] += 1

    def record(self) -> None:
        report = draw_report(self.rng, f"E{len(self.reports)}", self.latest)
        self.reports.append(report)
        if self.latest is not None and report.time < self.latest:
            self.seen["late"] += 1
        self.register.record(report)
        self.latest = max(report.time, self.latest or report.time)

    def repeat(self) -> None:
        if self.reports:
            self.register.record(self.rng.choice(self.reports))

    def retract(self) -> None:
        self.register.retract(self._some_event())

    def correct(self) -> None:
        report = draw_report(self.rng, f"C{len(self.reports)}", self.latest)
        self.reports.append(report)
        self.register.correct(self._some_event(), report)

    def publish(self) -> None:
        effective = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=self.rng.randrange(0, 170))
        self.register.publish(draw_rulebook(self.rng, effective, self.limits))

    def organise(self) -> None:
        since = DAY + timedelta(days=self.rng.randrange(0, 170))
        person = Subject(
            code=self.rng.choice(PEOPLE), places=(Place(kind="person", group="p", unit=self.rng.choice(UNITS)),)
        )
        self.register.organise(since, [person], [draw_relation(self.rng)])

    def close(self) -> None:
        self.register.close(self.rng.choice(list(self.register.bureau.calendar.periods)))

    def reopen(self) -> None:
        self.register.reopen(self.rng.choice(list(self.register.bureau.calendar.periods)))

    def settle(self) -> None:
        self.register.settle(self.rng.choice(list(self.register.bureau.calendar.periods)))

    def _some_event(self) -> EventKey:
        return self.rng.choice(list(self.register.held) or [EventKey("nobody", "nothing")])
