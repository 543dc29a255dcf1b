"""The verification of a year of a million events: seconds, processor, memory. Run: ``python -m bench.verifying``.

The ledger is filled by :mod:`bench.filling`, which is first compared with the desk; its months and quarters are
settled and half of the months closed, and two processes then verify all of it.
"""

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import anyio

from api.embedded import Cluster, Database, cluster, throwaway
from bench import filling
from bench.results import Finding, table
from engine.organisation import TIMEZONE
from ledger.difference import Verdict
from ledger.verification import STAGES, Stage, verify

EVENTS, QUICK = 1_000_000, 2_000
PROCESSES = 2
SECONDS = 90


class Verified(NamedTuple):
    """A verification: its verdict, the seconds of each stage, and the processor seconds of its processes."""

    verdict: Verdict
    stages: dict[Stage, float]
    processor: float
    memory: int


def measure(*, quick: bool = False) -> Finding:
    """Fill, verify; what to write down."""
    if quick:
        with throwaway() as server:
            filling.compare(server)
            return _measure(server, QUICK, quick=True)
    with TemporaryDirectory(prefix="jikao-") as folder, cluster(Path(folder) / "postgres", durable=False) as server:
        filling.compare(server)
        return _measure(server, EVENTS, quick=False)


def _measure(server: Cluster, events: int, *, quick: bool) -> Finding:
    database = server.database("year")
    begun = time.perf_counter()
    anyio.run(filling.make, database, events)
    filled = time.perf_counter() - begun
    done = run(database)
    verdict = done.verdict
    if verdict.difference is not None:
        sys.exit(f"the filled ledger does not verify: {verdict.difference}")
    rows = [
        ["events", f"{verdict.events:,}"],
        ["records in the chain", f"{verdict.length:,}"],
        ["filled in", f"{filled:.0f} s"],
        ["seconds", f"{verdict.seconds:.1f}"],
        *([f"of them: {stage}", f"{seconds:.1f}"] for stage, seconds in done.stages.items()),
        ["of processor, without PostgreSQL's", f"{done.processor:.1f} s"],
        ["most memory of one process", f"{done.memory / 1e6:.0f} MB"],
    ]
    slow = not quick and verdict.seconds > SECONDS
    return Finding(
        title="The verification of a year",
        command="python -m bench.verifying",
        lines=(
            "13 rules over seven types of events, joint liability, three limits, matters, repetitions; "
            f"660 subjects; 16 settlements and 6 closings. {PROCESSES} processes beside PostgreSQL.",
            "",
            *table(["what", "found"], rows),
        ),
        missed=(f"{verdict.seconds:.0f} s for {SECONDS} s.",) if slow else (),
    )


def run(database: Database) -> Verified:
    """Verify a database."""
    begun: dict[Stage, float] = {}

    def progress(stage: Stage, _done: int, _of: int) -> None:
        begun.setdefault(stage, time.perf_counter())

    before = _processor()
    verdict = anyio.run(lambda: verify(database.url, TIMEZONE, processes=PROCESSES, progress=progress))
    ended = time.perf_counter()
    marks = [*begun.values(), ended]
    stages = {stage: marks[place + 1] - begun[stage] for place, stage in enumerate(s for s in STAGES if s in begun)}
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Verified(verdict, stages, _processor() - before, memory)


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
    sys.exit(bool(finding.missed))
