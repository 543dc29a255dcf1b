"""Checking the account (核对账目): where entries are booked, what settlements charged, what closings froze.

All of it is made again as of the moment of the act, from the records before it.
"""

from typing import Any

import msgspec

from engine.comparison import Comparison
from engine.evaluation import PeriodCharge
from engine.finding import Refused
from engine.indicators import IndicatorScore
from engine.progress import Progress
from engine.settlement import Settlement
from engine.standing import Figures, Standing
from ledger.crew import Reader
from ledger.difference import Difference
from ledger.history import ActRow
from ledger.past import Past
from ledger.rereading import NoLongerFits
from ledger.snapshot import decode_figures, from_plain


async def check_bookings(reader: Reader, start: int, end: int) -> Difference | None:
    """Every entry is booked where its charge is booked, or, as a difference, where that was carried to then."""
    history = await reader.history()
    rows = reader.rows(
        """
        SELECT n.number, n.kind, n.booked, coalesce(e.booked, $3::date) AS day, n.cause, n.period
        FROM entry n LEFT JOIN event e ON e.source = n.source AND e.id = n.event
        WHERE n.number BETWEEN $1 AND $2 AND (n.kind NOT IN ('direct', 'joint') OR n.booked IS DISTINCT FROM e.booked)
        ORDER BY n.number
        """,
        start,
        end,
        None,
    )
    async for block in rows:
        for number, kind, booked, day, cause, period in block:
            calendar = history.after(cause).bureau.calendar
            if period is not None:
                day = calendar.periods[period].last_day if period in calendar.periods else None
            expected = day if kind in ("direct", "joint") or day is None else calendar.book(day)
            if booked != expected:
                return Difference.of("booked", "entry", number, there=booked, expected=expected)
    return None


async def check_periods(reader: Reader) -> tuple[Difference | None, list[PeriodCharge]]:
    """Every settlement and closing, made again from the records before it; and what periods are charged in the end."""
    history = await reader.history()
    past = Past(reader.connection, history, reader.matcher)
    found: Difference | None = None
    for act in history.periodical:
        try:
            differs = await _make_again(reader, past, act)
        except (Refused, NoLongerFits, LookupError, TypeError, ValueError, msgspec.MsgspecError) as error:
            differs = Difference.of("unreadable", "act", act.number, there=error)
        found = found or differs
    return found, [charge for lot in past.charges.values() for charge in lot]


async def _make_again(reader: Reader, past: Past, act: ActRow) -> Difference | None:
    content = msgspec.json.decode(act.content)
    code = content["period"]
    if act.kind == "settlement":
        return _compare_settlement(act, content, await past.settle(act, code))
    return await _compare_closing(reader, act, code, await past.figures(act, code))


def _compare_settlement(act: ActRow, content: Any, expected: Settlement) -> Difference | None:
    made = {"comparisons": tuple[Comparison, ...], "progress": tuple[Progress, ...]}
    for what, kind in made.items():
        there, due = from_plain(content[what], kind), getattr(expected, what)
        for one, other in zip([*there, *[None] * len(due)], [*due, *[None] * len(there)], strict=True):
            if one != other:
                where = f"{content['period']} {getattr(one or other, 'rule', '')}"
                return Difference.of("settlement", "act", act.number, where=where, there=one, expected=other)
    return None


async def _compare_closing(reader: Reader, act: ActRow, code: str, expected: Figures) -> Difference | None:
    row = await reader.connection.fetchrow("SELECT version, figures FROM snapshot WHERE act = $1", act.number)
    there = decode_figures(row["figures"])
    if (there.version, row["version"]) != (expected.version, expected.version):
        return Difference.of("figures", "act", act.number, where=code, there=there.version, expected=expected.version)
    for subject in sorted({*there.of, *expected.of}):
        one, other = there.of.get(subject), expected.of.get(subject)
        if _sorted(one) != _sorted(other):
            totals = {"there": one and one.final, "expected": other and other.final}
            return Difference.of("figures", "act", act.number, where=f"{code} {subject}", **totals)
    return None


def _sorted(standing: Standing | None) -> Standing | None:
    """The standing with its indicators and groups of raters by code: in which order they are listed makes no figure."""
    if standing is None:
        return None
    parts = tuple(
        msgspec.structs.replace(part, counted=tuple(sorted(part.counted)), left_out=tuple(sorted(part.left_out)))
        for part in standing.parts
    )
    indicators = tuple(sorted(map(_with_raters_sorted, standing.indicators), key=lambda each: each.indicator))
    return msgspec.structs.replace(standing, parts=parts, indicators=indicators)


def _with_raters_sorted(score: IndicatorScore) -> IndicatorScore:
    if score.measurement is None:
        return score
    raters = tuple(sorted(score.measurement.raters, key=lambda each: each.group))
    return msgspec.structs.replace(score, measurement=msgspec.structs.replace(score.measurement, raters=raters))
