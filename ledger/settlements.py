"""What became of periods (结算与关账的记录): the latest settlement with its comparisons, closings, snapshots."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.comparison import Comparison
from engine.progress import Progress
from engine.standing import Figures, Standing
from ledger.current import Connection
from ledger.snapshot import from_plain


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An act on a period: its number in the chain, when and by whom."""

    number: int
    at: datetime
    actor: str
    reason: str


class Settled(Done, frozen=True, kw_only=True):
    """A settlement with every comparison that was made for it."""

    comparisons: tuple[Comparison, ...] = ()
    progress: tuple[Progress, ...] = ()


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot: its number, and when the period was closed."""

    number: int
    at: datetime
    actor: str


async def latest_acts(connection: Connection) -> Mapping[str, Mapping[str, Done]]:
    """The latest settlement and the latest closing of every period: code → kind → act."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (kind, content::json ->> 'period') content::json ->> 'period' AS period, kind, number, at,
               actor, coalesce(r.text, reason) AS reason
        FROM act LEFT JOIN remark r ON r.hash = remark
        WHERE kind IN ('settlement', 'closing') ORDER BY kind, content::json ->> 'period', number DESC
        """
    )
    found: dict[str, dict[str, Done]] = {}
    for row in rows:
        done = Done(number=row["number"], at=row["at"], actor=row["actor"], reason=row["reason"])
        found.setdefault(row["period"], {})[row["kind"]] = done
    return found


async def latest_settlement(connection: Connection, period: str) -> Settled | None:
    """The latest settlement of the period; None where it was never settled."""
    row = await connection.fetchrow(
        """
        SELECT number, at, actor, coalesce(r.text, reason) AS reason, content
        FROM act LEFT JOIN remark r ON r.hash = remark
        WHERE kind = 'settlement' AND content::json ->> 'period' = $1 ORDER BY number DESC LIMIT 1
        """,
        period,
    )
    if row is None:
        return None
    content: Any = msgspec.json.decode(row["content"])
    return Settled(
        number=row["number"],
        at=row["at"],
        actor=row["actor"],
        reason=row["reason"],
        comparisons=from_plain(content.get("comparisons", []), tuple[Comparison, ...]),
        progress=from_plain(content.get("progress", []), tuple[Progress, ...]),
    )


async def snapshots_of(connection: Connection, period: str) -> list[Frozen]:
    """The snapshots of the period, the latest first."""
    rows = await connection.fetch(
        "SELECT s.number, a.at, a.actor FROM snapshot s JOIN act a ON a.number = s.act WHERE s.period = $1"
        " ORDER BY s.number DESC",
        period,
    )
    return [Frozen(number=row["number"], at=row["at"], actor=row["actor"]) for row in rows]


def has_changed(settled: Settled, now: Figures, before: Figures | None) -> bool:
    """Whether the period that the settlement measured progress against now stands otherwise."""
    return any(_moved(progress, now, before) for progress in settled.progress)


def _moved(progress: Progress, now: Figures, before: Figures | None) -> bool:
    if before is None or progress.previous is None:
        return progress.previous != (None if before is None else before.period)
    if progress.previous != before.period:
        return True
    if any(_value(before.of.get(each.subject), progress.measure) != each.before for each in progress.advances):
        return True
    return any(_joined(subject, progress.measure, now, before) for subject in progress.left_out)


def _joined(subject: str, measure: str, now: Figures, before: Figures) -> bool:
    """Whether somebody who was left out would be compared now."""
    present, then = now.of.get(subject), before.of.get(subject)
    if present is None or then is None or present.place.group != then.place.group:
        return False
    return _value(present, measure) is not None and _value(then, measure) is not None


def _value(standing: Standing | None, measure: str) -> object:
    if standing is None:
        return None
    return standing.rank if measure == "rank" else standing.total
