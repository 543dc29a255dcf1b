"""Filling a demonstration (演示): the starter rulebook and the county, posted as an office and its systems would.

The months and quarters that have ended before the month of today are settled; the first months are closed, and
one of their events is withdrawn afterwards, so that the pages show a closed period, its snapshot, and what is
booked on the next (上期调整). Four units appeal (申诉), each case at another stage. Only an empty ledger is filled,
and it is marked a demonstration for good.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.period import Period
from engine.report import parse_report
from engine.rulebook import Rulebook
from ledger import acts, appeals, clock, settling
from ledger.appeals import Party
from ledger.current import Current
from ledger.demonstration import DAYS, Demonstration, county
from ledger.desk import Desk, open_desk
from ledger.reading import reading
from ledger.recording import Recorder
from ledger.redress import Redress
from ledger.reviewing import decide
from rules.document import read_rulebook
from rules.draft import write_draft
from rules.tree import load_yaml

GROUP = 500
ACTOR = "demonstration"
ADDRESSEE = "B-YUNLING"
"""The unit that a line to try reports an event about."""
WITHDRAWN = 40
"""Every so many events one is retracted and the next one corrected, as happens in an office."""
GROUNDS = (
    "当日系统停机维护，无法按时办理，请予核实。",
    "该事项已在期限内反馈，附回执编号。",
    "该事项由另一单位主办，本单位仅为协办。",
    "认为扣分偏重，请求复核。",
)
"""What the units say that appeal."""
CLOSED = 3
"""So many months, the first ones, are closed."""


def read_starter() -> tuple[dict[str, Any], Rulebook]:
    """The starter rulebook, as a tree and typed. Its cases prove the example's numbers and stay with the file:
    an office that sets numbers of its own writes cases of its own."""
    tree = load_yaml((files("rules") / "starter" / "county.yaml").read_bytes())[0]
    assert isinstance(tree.raw, dict)
    raw = {key: value for key, value in tree.raw.items() if key != "cases"}
    return raw, read_rulebook(raw)


async def fill(current: Current, today: date, progress: Callable[[int, int], None]) -> None:
    """Fill an empty ledger with the demonstration. Refused where it is not empty."""
    async with open_desk(current, keep=False) as desk:
        if desk.head.length:
            raise Refused(Finding(message=message("demonstration.not_empty")))
    demonstration = county(today=today)
    raw, starter = read_starter()
    rulebook = msgspec.structs.replace(starter, effective=demonstration.effective)
    await acts.declare(demonstration.periods, actor=ACTOR)
    await acts.organise(today, demonstration.subjects, demonstration.relations, reason="", actor=ACTOR)
    await write_draft({**raw, "effective": demonstration.effective.isoformat()})
    await acts.publish_rulebook(rulebook, note="示例规则", actor=ACTOR)
    events = list(demonstration.events)
    for begun in range(0, len(events), GROUP):
        async with open_desk(current) as desk:
            reports = [parse_report(raw_event) for raw_event in events[begun : begun + GROUP]]
            await desk.prepare(reports)
            for report in reports:
                await desk.record(report, report.recorded_at or report.time)
        progress(min(begun + GROUP, len(events)), len(events))
    async with open_desk(current) as desk:
        await _withdraw_some(desk, demonstration)
        desk.head.demonstration = 1
    ended = _ended(demonstration, today)
    for period in ended:
        await settling.settle(period.code, reason="按期结算", actor=ACTOR)
    closed = [period for period in ended if period.kind == "month"][:CLOSED]
    for period in closed:
        await settling.close(period.code, reason="公示期满，予以关闭", actor=ACTOR)
    await _withdraw_late(current, demonstration, closed)
    await _appeal(current)


def _ended(demonstration: Demonstration, today: date) -> list[Period]:
    """The months and quarters with events that end before the month of ``today``, as an office settles them in turn."""
    first, bound = today - timedelta(days=DAYS), today.replace(day=1)
    settled = [period for period in demonstration.periods if period.kind in ("month", "quarter")]
    ended = [period for period in settled if first < period.end <= bound]
    return sorted(ended, key=lambda period: (period.end, -period.start.toordinal()))


async def _withdraw_late(current: Current, demonstration: Demonstration, closed: Iterable[Period]) -> None:
    """Withdraw a notice of a month that is closed already: the difference is booked on the next open one."""
    last = max(period.last_day for period in closed)
    for place, raw in enumerate(demonstration.events):
        report = parse_report(raw)
        noted = report.type == "criticism_notice" and report.data.get("level") in ("province", "city")
        if place % WITHDRAWN and noted and report.time.date() <= last:
            async with open_desk(current) as desk:
                await desk.retract(report.key, "复核后撤销，计入下一期", ACTOR, clock.now())
            return


async def _appeal(current: Current) -> None:
    """Four units dispute the latest deduction of theirs: one case waits, one is answered, two are decided."""
    async with reading() as connection:
        rows = await connection.fetch(
            """
            SELECT DISTINCT ON (e.subject) e.number, e.subject, e.source, e.event FROM entry e
            JOIN present_event p ON p.source = e.source AND p.id = e.event JOIN subject_place s ON s.subject = e.subject
            WHERE e.kind = 'direct' AND e.posted < 0 AND s.kind = 'unit' ORDER BY e.subject, e.number DESC
            """
        )
    office = Party(name=ACTOR, office=True)
    reviewer = Party(name="复核组", reviewer=True)
    latest = sorted(rows, key=lambda row: -int(row["number"]))[: len(GROUNDS)]
    cases = [
        await appeals.lodge(row["number"], grounds, (), Party(name=row["subject"], subject=row["subject"]))
        for row, grounds in zip(latest, GROUNDS, strict=True)
    ]
    for case in cases[1:]:
        await appeals.answer(case.number, "已调取原始记录，情况说明附后，提请复核。", office)
    upheld, rejected = latest[2], cases[3]
    redress = Redress(key=EventKey(upheld["source"], upheld["event"]))
    recorder = Recorder(current)
    await decide(cases[2].number, "upheld", "经复核，该事项不属本单位职责，予以撤销。", [redress], reviewer, recorder)
    await decide(rejected.number, "rejected", "经复核，事实清楚，维持原扣分。", (), reviewer, recorder)


async def _withdraw_some(desk: Desk, demonstration: Demonstration) -> None:
    events: Iterable[Any] = list(demonstration.events)[::WITHDRAWN]
    for place, raw in enumerate(events):
        key = EventKey(raw["source"], raw["id"])
        if place % 6 == 0:
            await desk.retract(key, "申诉成立，予以撤销", ACTOR, clock.now())
        elif place % 6 == 3:
            report = parse_report({**raw, "id": f"{raw['id']}-更正"})
            await desk.correct(key, report, "情况更正", ACTOR, clock.now())
