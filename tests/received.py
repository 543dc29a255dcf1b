"""Receptions at a time of one's choosing: what would otherwise have to be waited for."""

from datetime import date, datetime, time, timedelta

from admin.tables import Outcome, Reception
from engine.organisation import TIMEZONE
from engine.report import parse_report
from engine.scalar import Raw
from ledger.current import get_current
from ledger.desk import open_desk


def at(day: date, hour: float = 12) -> datetime:
    """An instant of a day, by the organisation's clock."""
    return datetime.combine(day, time(), TIMEZONE) + timedelta(hours=hour)


async def record(when: datetime, *reports: Raw) -> None:
    """Record events as if they had reached us then."""
    async with open_desk(get_current()) as desk:
        for report in reports:
            await desk.record(parse_report(report), when)


async def note(when: datetime, outcome: Outcome, source: str, *ids: str, problem: str = "") -> None:
    """Note receptions as if they had reached us then."""
    status = 422 if outcome == Outcome.refused else 200
    for each in ids:
        await Reception(
            at=when, sender="key:test", source=source, event=each, outcome=outcome, status=status,
            problem=problem and f"{problem}不在组织中", problem_en=problem and f"{problem} is nobody",
        ).save()  # fmt: skip
