"""What one more event in order costs in a short and in a long ledger: time, statements, rows read.

The rulebook has joint liability of depth two, a limit by the quarter and one by the year, matters
and repetitions; the subjects are few, so that every window is hot. Run: ``python -m bench.posting``.
"""

import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from piccolo.engine import engine_finder

from api.database import pooled
from api.embedded import Database, throwaway
from api.migrating import migrate
from bench.results import Finding, table
from engine.organisation import TIMEZONE
from engine.report import Report, parse_report
from ledger import acts
from ledger.current import Current, use_current
from ledger.desk import open_desk
from ledger.recording import Recorder
from rules.document import read_rulebook
from rules.roster import read_periods, read_relations, read_subjects
from rules.tree import load_yaml

SHORT, LONG, QUICK = 1_000, 1_000_000, 3_000
MOST = 1.5
SAMPLE = 200
GROUP = 500

WORLD = """
rulebook: bench
effective: 2026-01-01T00:00:00+08:00
joint: {depth: 2}
event_types:
  notice:
    fields:
      level: {type: choice, choices: {city: 市局, province: 省局}}
      problem: {type: text}
limits:
  quarter: {sign: deduction, per: quarter, max: 3.00}
  year: {sign: deduction, per: year, max: 1000000.00}
rules:
  - {rule: K01, on: notice, when: level == "city", points: -0.01, limits: [year],
     factors: [{title: 重复, repeat: {within_days: 90, same: [problem]}, by: 2}]}
  - {rule: K02, on: notice, when: level == "province", points: -0.02, matter: highest, limits: [year]}
  - {rule: J01, joint: lead_dept, share: 0.3, limits: [quarter]}
  - {rule: J02, joint: principal, share: 0.5, limits: [year]}
"""
SUBJECTS = "".join(f"- {{code: U{n}, kind: unit, group: county}}\n" for n in range(20)) + "".join(
    f"- {{code: P{n}, kind: person, group: staff, unit: U{n}}}\n" for n in range(20)
)
RELATIONS = "".join(
    f"- {{subject: U{n}, relation: lead_dept, answers: U{(n + 1) % 20}}}\n"
    f"- {{subject: U{n}, relation: principal, answers: P{n}}}\n"
    for n in range(20)
)
PERIODS = "- {code: '2026', kind: year, from: 2026-01-01, to: 2027-01-01}\n"


def report(number: int) -> Report:
    """The event of that number, a minute after the one before."""
    time_ = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return parse_report(
        {
            "id": f"E{number}",
            "source": "bench",
            "type": "notice",
            "subject": f"U{number % 20}",
            "time": time_.isoformat(),
            "matter": f"M{number % 1000}",
            "data": {"level": "province" if number % 4 == 0 else "city", "problem": f"p{number % 7}"},
        }
    )


class Meter:
    """Counts statements on the pool's connections, and rows that the tables gave."""

    def __init__(self) -> None:
        self.statements = 0

    async def watch(self) -> None:
        """Count from now on."""
        engine: Any = engine_finder()
        async with engine.pool.acquire() as connection:
            connection._con.add_query_logger(self._count)

    def _count(self, _: Any) -> None:
        self.statements += 1

    async def rows(self) -> int:
        """Rows read so far, by index or by scan."""
        engine: Any = engine_finder()
        async with engine.pool.acquire() as connection:
            await connection.execute("SELECT pg_stat_force_next_flush()")
            found: int = await connection.fetchval(
                "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_user_tables"
            )
            return found


async def fill(current: Current, first: int, entries: int) -> int:
    """Record events in groups until the ledger has so many entries; the next number."""
    while True:
        async with open_desk(current) as desk:
            if await desk.connection.fetchval("SELECT count(*) FROM entry") >= entries:
                return first
            reports = [report(number) for number in range(first, first + GROUP)]
            await desk.prepare(reports)
            for each in reports:
                await desk.record(each, datetime.now(UTC))
        first += GROUP


async def sample(current: Current, first: int) -> tuple[float, float, float]:
    """Post one by one: median milliseconds, statements and rows read for each."""
    recorder, meter = Recorder(current), Meter()
    for number in range(first, first + 20):
        await recorder.record(report(number))
    await meter.watch()
    rows, times = await meter.rows(), []
    meter.statements = 0
    for number in range(first + 20, first + 20 + SAMPLE):
        current.present = None  # nothing is in mind, as where other processes post too
        begun = time.perf_counter()
        await recorder.record(report(number))
        times.append(time.perf_counter() - begun)
    statements = meter.statements
    read = await meter.rows() - rows
    return statistics.median(times) * 1000, statements / SAMPLE, read / SAMPLE


async def sample_both(database: Database, sizes: tuple[int, int]) -> list[tuple[float, float, float]]:
    """Fill, sample, fill, sample."""
    await migrate(database.migrate_url, database.url)
    async with pooled(database.url, size=1):
        current = Current(TIMEZONE)
        use_current(current)
        await acts.declare(read_periods(load_yaml(PERIODS)[0].raw), actor="bench")
        subjects, relations = read_subjects(load_yaml(SUBJECTS)[0].raw), read_relations(load_yaml(RELATIONS)[0].raw)
        await acts.organise(datetime.now(UTC).date(), subjects, relations, reason="", actor="bench")
        await acts.publish_rulebook(read_rulebook(load_yaml(WORLD)[0].raw), actor="bench")
        found = []
        number = 0
        for entries in sizes:
            number = await fill(current, number, entries)
            found.append(await sample(current, number))
            number += 20 + SAMPLE
        return found


def measure(*, quick: bool = False) -> Finding:
    """Measure on a throw-away database; what to write down."""
    sizes = (SHORT, QUICK if quick else LONG)
    with throwaway() as cluster:
        found = anyio.run(sample_both, cluster.database("bench"), sizes)
    ratios = [after / before for before, after in zip(*found, strict=True)]
    rows = [[f"{size:,}", *(f"{each:.1f}" for each in sampled)] for size, sampled in zip(sizes, found, strict=True)]
    rows.append(["ratio", *(f"{each:.2f}" for each in ratios)])
    grew = max(ratios) > MOST
    return Finding(
        title="One more event, in a short and in a long ledger",
        command="python -m bench.posting",
        lines=(
            "On a throw-away PostgreSQL; joint liability along two hops, limits by the quarter and the year, matters, "
            f"repetitions, few subjects. Median of {SAMPLE} events, with nothing in mind of those before, as where "
            "other processes post too.",
            "",
            *table(["entries before", "ms", "statements", "rows read"], rows),
        ),
        missed=(f"one more event costs more than {MOST} times as much in the long ledger.",) if grew else (),
    )


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
    sys.exit(bool(finding.missed))
