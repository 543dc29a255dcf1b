"""What a rule that is not published yet would have hit, among 100,000 events. Run: ``python -m bench.hits``."""

import statistics
import sys
import time

import anyio

from api.database import pooled
from api.embedded import throwaway
from bench.filling import WORLD, make
from bench.results import Finding, table
from engine.organisation import TIMEZONE
from engine.scalar import Raw
from ledger.current import Current, use_current
from ledger.hits import find_hits
from rules.draft import read_draft, write_draft
from rules.proposal import propose
from rules.tree import load_yaml

EVENTS, QUICK = 100_000, 4_000
REPEATED = 5
RULES: dict[str, Raw] = {
    "one comparison": {"rule": "K03", "on": "notice", "when": 'level == "city"', "points": "-0.50"},
    "three fields and a table": {
        "rule": "K99", "on": "notice", "when": 'area in ["data", "service"] and not (level == "state" or month < 3)',
        "points": {"field": "level", "table": {"city": "-0.5", "county": "-0.1"}},
    },
    "days late": {"rule": "K05", "on": "task", "when": "late > 3", "points": "-0.10"},
    "joint": {"rule": "J01", "joint": "lead_dept", "share": "0.30"},
}  # fmt: skip


def measure(*, quick: bool = False) -> Finding:
    """Milliseconds of one question, the draft read anew each time."""
    count = QUICK if quick else EVENTS
    with throwaway() as cluster:
        database = cluster.database("hits")
        anyio.run(lambda: make(database, count, settled=False))
        rows = anyio.run(_ask, database.url)
    return Finding(
        title="What a rule would have hit",
        command="python -m bench hits",
        lines=tuple(table(("rule", "events looked at", "hit", "ms, median", "events a second"), rows)),
    )


async def _ask(url: str) -> list[tuple[object, ...]]:
    async with pooled(url, size=2):
        use_current(Current(TIMEZONE))
        await write_draft(load_yaml(WORLD)[0].raw)
        rows: list[tuple[object, ...]] = []
        for name, rule in RULES.items():
            took = []
            for _ in range(REPEATED):
                begun = time.perf_counter()
                found = await find_hits(propose(await read_draft(), rule), 6, longest=60)
                took.append(time.perf_counter() - begun)
            middle = statistics.median(took)
            rows.append(
                (name, f"{found.checked:,}", f"{found.hit:,}", f"{middle * 1000:.0f}", f"{found.checked / middle:,.0f}")
            )
        return rows


if __name__ == "__main__":
    print("\n".join(measure(quick="--quick" in sys.argv).lines))
