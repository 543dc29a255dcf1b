"""The demonstration's year: about 10,000 events as upstream systems would post them.

Mostly small things, more of them in spring and at the year's end, few at weekends. Units differ
in care and in merit, people in zeal; a unit tends to repeat its own kind of problem. A few events
reach us days late; some matters come up again at a higher level. What is measured is reported month by
month (revenue, people) or quarter by quarter (surveys, steps, rankings, ratings), and follows the same care
and zeal.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from typing import TypeVar

from engine.scalar import Raw
from ledger.demonstration.people import BRANCHES, DEPARTMENTS, County

Tree = dict[str, Raw]
T = TypeVar("T")

OFFSET = timezone(timedelta(hours=8))
MONTHS = (0.9, 0.5, 1.1, 1.2, 1.3, 1.1, 0.9, 0.8, 1.0, 0.9, 1.1, 1.4)
WEEKEND = 0.04
LATE_ARRIVALS = 0.04

SOURCES: Mapping[str, tuple[str, str]] = {
    "criticism_notice": ("inspection-office", "JC"),
    "superior_deduction": ("inspection-office", "JC"),
    "supervision_task": ("supervision-office", "DB"),
    "returned_work": ("supervision-office", "DB"),
    "document_error": ("oa", "OA"),
    "meeting_absence": ("oa", "OA"),
    "leader_instruction": ("oa", "OA"),
    "innovation_article": ("oa", "OA"),
    "award": ("hr", "RS"),
    "claimed_task": ("hr", "RS"),
    "cadre_review": ("hr", "RS"),
    "rotating_rating": ("hr", "RS"),
    "revenue_progress": ("revenue-system", "SR"),
    "satisfaction_survey": ("service-survey", "MY"),
    "enforcement_check": ("inspection-office", "JC"),
    "grave_fault": ("inspection-office", "JC"),
    "key_task_step": ("supervision-office", "DB"),
    "improvement_notice": ("performance-office", "JX"),
    "provincial_rank": ("performance-office", "JX"),
    "unit_rating": ("performance-office", "JX"),
}
"""Event type → the system that posts it, and the letters its ids begin with."""
COUNTS: Mapping[str, int] = {
    "claimed_task": 3_000,
    "supervision_task": 2_200,
    "meeting_absence": 900,
    "document_error": 350,
    "innovation_article": 540,
    "criticism_notice": 200,
    "superior_deduction": 120,
    "award": 100,
    "leader_instruction": 100,
    "returned_work": 40,
    "improvement_notice": 120,
}
PILOTS = ("B-QINGXI", "B-MATOU")
"""The branches that try rotating heads (轮值局长)."""
RISING = 55
"""So many matters come up again, at a higher level."""

ISSUERS = {"state": "税总", "province": "省局", "city": "市局", "county": "县局"}
ABOVE = {"county": "city", "city": "province", "province": "state", "state": "state"}
PROBLEMS = ("revenue", "service", "enforcement", "data", "discipline")
PAPER_PROBLEMS = ("format", "wording", "figures", "routing")


def year_of_events(random: Random, county: County, first: date, today: date) -> tuple[Tree, ...]:
    """The events of ``[first, today)``, in the order in which they reach us."""
    return _Year(random, county, first, today).events()


class _Year:
    """One year's drawing. What is drawn first changes what comes after, so the order here is fixed."""

    def __init__(self, random: Random, county: County, first: date, today: date) -> None:
        self.random = random
        self.county = county
        self.today = today
        self.days = [first + timedelta(days=place) for place in range((today - first).days)]
        self.season = [MONTHS[day.month - 1] * (WEEKEND if day.weekday() >= 5 else 1.0) for day in self.days]
        self.faults = self._spread((0.25, 0.4, 0.6, 0.8, 0.9, 1.0, 1.0, 1.1, 1.2, 1.4, 1.7, 2.1))
        self.merits = self._spread((2.6, 2.0, 1.5, 1.3, 1.1, 1.0, 1.0, 0.9, 0.8, 0.6, 0.4, 0.25))
        self.habit = {unit: random.choice(PROBLEMS) for unit in county.units}
        self.paper_habit = {unit: random.choice(PAPER_PROBLEMS) for unit in county.units}
        self.zeal = {person: random.choice((0.2, 0.5, 0.8, 1.0, 1.0, 1.2, 1.5, 3.6)) for person in county.staff}
        self.matters = 0
        self.reports: list[tuple[datetime, Tree]] = []

    def events(self) -> tuple[Tree, ...]:
        draw: dict[str, Callable[[date], None]] = {
            "claimed_task": self._claimed_task,
            "supervision_task": self._supervision_task,
            "meeting_absence": self._meeting_absence,
            "document_error": self._document_error,
            "innovation_article": self._innovation_article,
            "criticism_notice": self._criticism_notice,
            "superior_deduction": self._superior_deduction,
            "award": self._award,
            "leader_instruction": self._leader_instruction,
            "returned_work": self._returned_work,
            "improvement_notice": self._improvement_notice,
        }
        for name, count in COUNTS.items():
            for day in self.random.choices(self.days, self.season, k=count):
                draw[name](day)
        self._raise_matters()
        for day in self.days:
            if (day + timedelta(days=1)).day == 1:
                self._end_month(day)
                if day.month % 3 == 0:
                    self._end_quarter(day)
        self._grave_faults()
        return self._numbered()

    # What people and units do

    def _claimed_task(self, day: date) -> None:
        data: Tree = {
            "difficulty": self._pick(low=45, medium=35, high=20),
            "way": self._pick(claimed=80, assigned=20),
            "items": self._among((1, 2, 3, 5), (64, 20, 10, 6)),
            "portion": self._among(("1", "0.5", "0.3"), (70, 24, 6)),
            "accepted": self._chance(0.93),
        }
        self._report("claimed_task", self._weighed(self.zeal), day, data, _paper("“三单”任务清单", day))

    def _supervision_task(self, due: date) -> None:
        unit = self._weighed(dict.fromkeys(self.county.units, 1.0))
        late = self._chance(0.32 * min(self.faults[unit], 2.0))
        days = self._among((1, 2, 3, 5, 9, 16), (58, 26, 9, 4, 2, 1)) if late else -self.random.randrange(6)
        done = max(due + timedelta(days=days), self.days[0])
        data: Tree = {"due": due.isoformat()}
        if done < self.today:
            data["done"] = done.isoformat()
        feedback = self._pick(true=93, false=4, unsaid=3)
        if feedback != "unsaid":
            data["feedback"] = feedback == "true"
        reported = min(done, self.days[-1])
        self._report("supervision_task", unit, reported, data, _paper("督办通知单", due))

    def _meeting_absence(self, day: date) -> None:
        lax = {person: 1.6 / (0.4 + zeal) for person, zeal in self.zeal.items()}
        data: Tree = {"form": self._pick(late=78, absent=22), "leave": self._chance(0.35)}
        self._report("meeting_absence", self._weighed(lax), day, data)

    def _document_error(self, day: date) -> None:
        unit = self._weighed(self.faults)
        data: Tree = {
            "count": self._among((1, 2, 3), (86, 11, 3)),
            "confirmed": self._chance(0.88),
        }
        if self._chance(0.6):
            data["problem"] = self.paper_habit[unit] if self._chance(0.3) else self.random.choice(PAPER_PROBLEMS)
        self._disclose(data)
        self._report("document_error", unit, day, data, f"公文质量通报〔{day.year}〕第{day.month}期")

    def _innovation_article(self, day: date) -> None:
        data: Tree = {"published": self._chance(0.6)}
        self._report("innovation_article", self._weighed(self.merits), day, data)

    def _criticism_notice(self, day: date) -> None:
        unit = self._weighed(self.faults)
        level = self._pick(state=9, province=18, city=42, county=31)
        data: Tree = {"level": level, "problem": self._problem(unit)}
        self._disclose(data)
        matter = self._matter(day) if self._chance(0.4) else None
        self._report("criticism_notice", unit, day, data, _paper(f"{ISSUERS[level]}督查通报", day), matter)

    def _superior_deduction(self, day: date) -> None:
        unit = self._weighed(self.faults)
        level = self._pick(state=4, province=22, city=74)
        data: Tree = {
            "level": level,
            "deducted": self._among(("0.05", "0.1", "0.2", "0.25", "0.5", "0.8"), (28, 34, 20, 10, 6, 2)),
        }
        self._disclose(data)
        self._report("superior_deduction", unit, day, data, _paper(f"{ISSUERS[level]}绩效考评结果通报", day))

    def _returned_work(self, day: date) -> None:
        unit = self._weighed(self.faults)
        data: Tree = {"reason": self._pick(falsified=72, incomplete=28), "problem": self._problem(unit)}
        self._report("returned_work", unit, day, data, _paper("退办通知", day))

    def _award(self, day: date) -> None:
        subject = self._weighed(self.merits) if self._chance(0.88) else self._weighed(self.zeal)
        level = self._pick(state=3, province=11, city=32, county=54)
        matter = self._matter(day) if self._chance(0.6) else None
        self._report("award", subject, day, {"level": level}, _paper(f"{ISSUERS[level]}表彰决定", day), matter)

    def _leader_instruction(self, day: date) -> None:
        data: Tree = {"level": self._pick(province=15, city=50, county=35), "positive": self._chance(0.75)}
        matter = self._matter(day) if self._chance(0.3) else None
        self._report("leader_instruction", self._weighed(self.merits), day, data, None, matter)

    def _improvement_notice(self, due: date) -> None:
        unit = self._weighed(self.faults)
        done = max(due + timedelta(days=self._among((-3, 0, 4, 10, 17, 33), (40, 20, 18, 12, 7, 3))), self.days[0])
        data: Tree = {"scope": self._pick(common=25, individual=75), "due": due.isoformat()}
        if done < self.today:
            data["done"] = done.isoformat()
        self._report("improvement_notice", unit, min(done, self.days[-1]), data, _paper("绩效改进建议书", due))

    # What is measured

    def _end_month(self, day: date) -> None:
        for branch in sorted(BRANCHES):
            span = "quarter" if day.month % 3 == 0 else "month"
            rate = self._near(99.8 - 1.5 * self.faults[branch] + 0.9 * self.merits[branch], 1.6)
            if span == "quarter" and self._chance(0.1 * self.merits[branch]):
                rate = self._near(106.5, 0.5)
            self._report("revenue_progress", branch, day, {"rate": rate, "span": span})
        for person in self.county.staff:
            care = 96.5 + self.zeal[person]
            data: Tree = {
                "completion": self._near(care, 2.2, most=100),
                "ability": self._near(care / 10 - 0.4, 0.3, most=10),
            }
            data["opinion"] = self._near(care / 10 - 0.5, 0.4, most=10)
            self._report("cadre_review", person, day, data)
        for branch in PILOTS:
            members = self.county.members[branch][1:]
            acting = members[day.month % len(members)]
            for person in members:
                given = self._near(9.0 + 0.2 * self.zeal[person], 0.4, most=10)
                self._report("rotating_rating", person, day, {"rater_group": "acting", "rater": acting, "value": given})

    def _end_quarter(self, day: date) -> None:
        for branch in sorted(BRANCHES):
            rate = self._near(99.6 - 0.8 * self.faults[branch], 0.5, most=100)
            self._report("satisfaction_survey", branch, day, {"rate": rate}, _paper("纳税人满意度调查报告", day))
            # Nobody errs in the first quarter, so that this indicator tells the branches apart in the others only.
            rate = "99.5" if day.month == 3 else self._near(99.4 - 0.6 * self.faults[branch], 0.5, most=100)
            self._report("enforcement_check", branch, day, {"rate": rate}, _paper("执法检查通报", day))
        for unit in self.county.units:
            careless = min(self.faults[unit], 2.0)
            step = self._among((4, 3, 2), (92 - 25 * careless, 7 + 22 * careless, 1 + 3 * careless))
            self._report("key_task_step", unit, day, {"task": "年度重点工作", "step": step})
        for department in sorted(DEPARTMENTS):
            place = max(1, min(17, round(self.random.gauss(2 + 4 * self.faults[department], 2.5))))
            self._report("provincial_rank", department, day, {"place": place}, _paper("省局条线工作通报", day))
            peers = self.random.sample(sorted(set(DEPARTMENTS) - {department}), 2)
            raters = (("leaders", "L1"), *(("peers", peer) for peer in peers))
            raters += (("grassroots", self.random.choice(sorted(BRANCHES))), ("taxpayers", "纳税人代表"))
            for group, rater in raters:
                given = self._near(9.8 - 0.4 * self.faults[department], 0.3, most=10)
                self._report("unit_rating", department, day, {"rater_group": group, "rater": rater, "value": given})

    def _grave_faults(self) -> None:
        """One grave fault that is proved, of somebody lax, and one that is not."""
        lax = [person for person, zeal in self.zeal.items() if zeal < 0.5]
        for share, confirmed in ((3, True), (2, False)):
            day = self.days[len(self.days) // share]
            data: Tree = {"form": "discipline", "confirmed": confirmed}
            self._report("grave_fault", self.random.choice(lax), day, data, _paper("纪检监督通报", day))

    def _near(self, mean: float, spread: float, most: float | None = None) -> str:
        """A measured number, to a tenth, written as a system would."""
        drawn = max(0.0, self.random.gauss(mean, spread))
        return f"{drawn if most is None else min(drawn, most):.1f}"

    def _raise_matters(self) -> None:
        """Some matters come up again weeks later: at the next level, or as a deduction or an instruction."""
        known = [
            report for report in self.reports if report[1].get("matter") and report[1]["subject"] in self.county.units
        ]
        for moment, report in self.random.sample(known, min(RISING, len(known))):
            day = min(moment.date() + timedelta(days=self.random.randrange(5, 40)), self.days[-1])
            name, unit, matter = str(report["type"]), str(report["subject"]), str(report["matter"])
            given = report["data"]
            level = str(given["level"]) if isinstance(given, dict) else "county"
            if name == "criticism_notice" and self._chance(0.5):
                worse: Tree = {"level": "city", "deducted": self._among(("0.1", "0.3", "0.6"), (40, 40, 20))}
                self._report(
                    "superior_deduction",
                    unit,
                    day,
                    worse,
                    _paper("市局绩效考评结果通报", day),
                    matter,
                )
            elif name == "award" and self._chance(0.4):
                self._report("leader_instruction", unit, day, {"level": "city", "positive": True}, None, matter)
            elif name == "leader_instruction":
                self._report("award", unit, day, {"level": "city"}, _paper("市局表彰决定", day), matter)
            else:
                basis = _paper(f"{ISSUERS[ABOVE[level]]}通报", day)
                self._report(name, unit, day, {"level": ABOVE[level]}, basis, matter)

    # How it is reported

    def _report(
        self, name: str, subject: str, day: date, data: Tree, basis: str | None = None, matter: str | None = None
    ) -> None:
        moment = datetime.combine(day, time(8 + self.random.randrange(10), self.random.randrange(60)), OFFSET)
        report: Tree = {"type": name, "subject": subject, "time": moment.isoformat()}
        if self._chance(LATE_ARRIVALS):
            arrived = moment + timedelta(days=self.random.randrange(2, 21), minutes=self.random.randrange(90))
            if arrived.date() < self.today:
                report["recorded_at"] = arrived.isoformat()
        if matter is not None:
            report["matter"] = matter
        parties = self._parties(name, subject)
        if parties:
            report["parties"] = parties
        if basis is not None:
            report["basis"] = basis
        report["data"] = data
        self.reports.append((moment, report))

    def _parties(self, name: str, subject: str) -> Tree:
        """Now and then the report itself says who answers, or that no department does (排除连带)."""
        if name not in ("criticism_notice", "superior_deduction", "returned_work", "document_error"):
            return {}
        parties: Tree = {}
        if subject in BRANCHES and self._chance(0.06):
            parties["lead_dept"] = [] if self._chance(0.5) else [self.random.choice(sorted(DEPARTMENTS))]
        if self._chance(0.15):
            parties["direct_person"] = [self.random.choice(self.county.members[subject])]
        return parties

    def _disclose(self, data: Tree) -> None:
        how = self._pick(found=55, self_reported=17, concealed=4, unsaid=25)
        if how != "unsaid":
            data["disclosure"] = how

    def _problem(self, unit: str) -> str:
        return self.habit[unit] if self._chance(0.3) else self.random.choice(PROBLEMS)

    def _matter(self, day: date) -> str:
        self.matters += 1
        return f"M-{day.year}-{self.matters:03}"

    def _numbered(self) -> tuple[Tree, ...]:
        """Each source numbers its events as they happen; we get them as they arrive."""
        counters: dict[tuple[str, int], int] = {}
        arrivals: list[tuple[datetime, str, str, Tree]] = []
        for moment, report in sorted(self.reports, key=lambda drawn: drawn[0]):
            source, letters = SOURCES[str(report["type"])]
            number = counters[source, moment.year] = counters.get((source, moment.year), 0) + 1
            identity = f"{letters}-{moment.year}-{number:04}"
            arrived = datetime.fromisoformat(str(report.get("recorded_at", report["time"])))
            arrivals.append((arrived, source, identity, {"id": identity, "source": source, **report}))
        return tuple(report for *_, report in sorted(arrivals, key=lambda arrival: arrival[:3]))

    # How it is drawn

    def _spread(self, weights: Sequence[float]) -> dict[str, float]:
        """Each branch and each department its weight; the same measure for both groups."""
        spread: dict[str, float] = {}
        for group in (sorted(BRANCHES), sorted(DEPARTMENTS)):
            self.random.shuffle(group)
            spread |= {unit: weights[place % len(weights)] for place, unit in enumerate(group)}
        return {unit: spread[unit] * (1.0 if unit in BRANCHES else 0.6) for unit in self.county.units}

    def _weighed(self, weights: Mapping[str, float]) -> str:
        return self._among(tuple(weights), tuple(weights.values()))

    def _pick(self, **weights: int) -> str:
        return self._among(tuple(weights), tuple(weights.values()))

    def _among(self, choices: Sequence[T], weights: Sequence[float]) -> T:
        return self.random.choices(choices, weights)[0]

    def _chance(self, of: float) -> bool:
        return self.random.random() < of


def _paper(title: str, day: date) -> str:
    """A document, numbered by the day of the year, so that papers of a day share a number."""
    return f"{title}〔{day.year}〕{day.timetuple().tm_yday}号"
