"""What a page of entries and an explanation cost in a ledger of 1,000,000 entries: every filter, alone and in pairs,
with and without a range of booking dates, at the newest, the middle and the oldest page.

The entries are written by plain SQL: 200,000 events a year long with four charges each, of subjects from rare to
everywhere, sources, rules and indicators that have long ceased, and a settlement each month. Run:
``python -m bench.reading``.
"""

import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any

import anyio
import msgspec

from api.database import connect, pooled
from api.embedded import Database, throwaway
from api.migrating import migrate
from bench.results import Finding, table
from engine.event import EventKey
from engine.organisation import TIMEZONE
from ledger import acts
from ledger.current import Current, use_current
from ledger.explanation import explain_entry
from ledger.firing import explain_event
from ledger.listing import LOOK, MOST_LOOKS, EntryFilter, page_entries
from rules.document import read_rulebook
from rules.roster import read_periods, read_subjects
from rules.tree import load_yaml

EVENTS, QUICK = 200_000, 4_000
MOST = 20.0
REPEATED = 3

WORLD = """
rulebook: bench
effective: 2026-01-01T00:00:00+08:00
joint: {depth: 2}
event_types:
  notice:
    fields:
      level: {type: choice, choices: {city: 市局, province: 省局}}
limits:
  K10: {sign: deduction, per: quarter, max: 3.00}
rules:
""" + "".join(f'  - {{rule: K{n}, on: notice, when: level == "city", points: -0.50}}\n' for n in (*range(24), 99))
WORLD += "".join(f"  - {{rule: J{n}, joint: lead_dept, share: 0.3, limits: [K10]}}\n" for n in (2, 3, 4))
SUBJECTS = "".join(
    f"- {{code: {kind}{n}, kind: unit, group: county}}\n"
    for kind, count in (("U", 30), ("D", 18), ("P", 210), ("L", 5))
    for n in range(count)
)
PERIODS = "".join(
    f"- {{code: '2026-{n:02}', kind: month, from: 2026-{n:02}-01, to: {2026 + n // 12}-{n % 12 + 1:02}-01}}\n"
    for n in range(1, 13)
)

EVENT = """
INSERT INTO event (number, source, id, type, subject, time, received_at, version, booked, content_hash, hash, data)
SELECT 100 + n * 5, CASE WHEN n < $1 / 50 THEN 's9' ELSE 's' || n % 4 END, 'E' || n, 'notice', 'U' || n % 30,
       instant, instant, 1, instant::date, '', '', '{"level":"city"}'
FROM (SELECT n, timestamptz '2026-01-01T00:00:00+08:00' + n * (interval '364 days' / $1) AS instant
      FROM generate_series(0, $1 - 1) n) made
"""
STANDING = """
INSERT INTO present_event (source, id, number, type, day, instant, booked, grows)
SELECT source, id, number, type, booked, time, booked, false FROM event
"""
ENTRY = """
INSERT INTO entry (number, kind, source, event, rule, version, subject, indicator, origin_rule, origin_subject, nominal,
                   posted, booked, cause_act, cause, detail, hash)
SELECT e.number + k, CASE WHEN k = 1 THEN 'direct' WHEN k = 4 AND n % 200 = 1 THEN 'adjustment'
                          WHEN k = 4 AND n % 300 = 1 THEN 'reversal' ELSE 'joint' END,
       e.source, e.id, CASE WHEN k > 1 THEN 'J' || k WHEN n < $1 / 33 THEN 'K99' ELSE 'K' || n % 24 END, 1,
       CASE k WHEN 1 THEN e.subject WHEN 2 THEN 'D' || n % 18 WHEN 3 THEN 'P' || n % 210 ELSE 'L' || n % 5 END,
       CASE WHEN n % 3 = 0 THEN NULL WHEN n < $1 / 16 THEN 'I-OLD' ELSE 'I' || n % 40 END,
       CASE WHEN n < $1 / 33 THEN 'K99' ELSE 'K' || n % 24 END, e.subject, -0.50, -0.50,
       CASE WHEN n % 97 = 0 THEN greatest(e.booked - n % 40, '2026-01-01') ELSE e.booked END, 'event', e.number,
       CASE WHEN k = 1 THEN
       '{"path":[],"arithmetic":[{"step":"points","value":"-0.50"},{"step":"nominal","value":"-0.50"}],"rooms":[],'
       '"used_by":{},"superseded_by":null}' ELSE
       '{"path":[{"rule":"J' || k || '","relation":"lead_dept","subject":"D1"}],"arithmetic":[{"step":"source",'
       '"value":"-0.50","given":"nominal"},{"step":"share","value":"0.30","title":"J2"},{"step":"nominal",'
       '"value":"-0.15"}],"rooms":[{"limit":"K10","window":"quarter 2026-01","room":"3.00","taken":"0.15"}],'
       '"used_by":{},"superseded_by":null}' END, ''
FROM (SELECT *, (number - 100)::int / 5 AS n FROM event) e, generate_series(1, 4) k
"""
SETTLED = """
INSERT INTO entry (number, kind, period, rule, version, subject, indicator, origin_rule, origin_subject, nominal,
                   posted, booked, cause_act, cause, detail, hash)
SELECT 100 + $1 * 5 + m * 2000 + s, 'period', '2026-' || lpad(m::text, 2, '0'), 'K1', 1, 'U' || s % 30, 'I' || s % 40,
       'K1', 'I' || s % 40 || '/county', -0.20, -0.20,
       (date '2026-01-31' + (m - 1) * interval '1 month')::date, 'settlement', 100 + $1 * 5 + m * 2000,
       '{"path":[],"arithmetic":[],"rooms":[],"used_by":{},"superseded_by":null}', ''
FROM generate_series(1, 12) m, generate_series(1, $2) s
"""
ACTS = """
INSERT INTO act (number, kind, at, actor, content, hash)
SELECT 200 + $1 * 6 + n, CASE WHEN n % 4 = 0 THEN 'correction' ELSE 'retraction' END,
       timestamptz '2026-01-01T00:00:00+08:00' + n * interval '20 minutes', 'a' || n % 20,
       json_build_object('event', n * 5, 'source', 's1', 'id', 'x')::text, ''
FROM generate_series(1, $1 / 10) n
"""

VALUES: dict[str, tuple[str, ...]] = {
    "subject": ("U1", "L0", "P7"),
    "rule": ("K99", "K3", "J2"),
    "event": ("E1500",),
    "source": ("s9", "s1"),
    "kind": ("adjustment", "joint", "direct"),
    "indicator": ("I-OLD", "I3"),
}
RANGES: tuple[dict[str, Any], ...] = (
    {"period": "2026-01"},
    {"period": "2026-12"},
    {"start": date(2026, 1, 1), "end": date(2026, 7, 1)},
)


class Cost(msgspec.Struct, frozen=True):
    """What one page cost, in milliseconds, and how many entries were on it."""

    asked: str
    ms: float
    found: int


def filters() -> dict[str, list[dict[str, Any]]]:
    """What may be asked for: filters alone, in pairs, and each of those with a range of booking dates."""
    single = [{name: value} for name, values in VALUES.items() for value in values]
    pairs = [one | other for one, other in combinations(single, 2) if one.keys() != other.keys()]
    return {
        "no filter, or a range of dates": [{}, *RANGES],
        "one filter": single,
        "two filters": pairs,
        "one filter and a range": [one | each for one in single for each in RANGES],
        "two filters and a range": [pair | each for pair in pairs for each in RANGES[:1]],
    }


async def fill(database: Database, events: int) -> None:
    """Write the ledger, as its owner."""
    owner = await connect(database.migrate_url)
    try:
        for statement in (EVENT, STANDING, ENTRY, SETTLED, ACTS):
            wanted = [events, max(30, events // 130)][: statement.count("$2") + 1] if "$1" in statement else []
            await owner.execute(statement, *wanted)
        for name in ("event", "entry", "act", "present_event"):
            await owner.execute(f"VACUUM ANALYZE {name}")
    finally:
        await owner.close()


async def timed(ask: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    """The best of a few tries, in milliseconds: what it costs when nobody else has the processor."""
    best, answer = float("inf"), None
    for _ in range(REPEATED):
        begun = time.perf_counter()
        answer = await ask()
        best = min(best, (time.perf_counter() - begun) * 1000)
    return best, answer


async def pages(asked: list[dict[str, Any]], depths: tuple[int | None, ...]) -> list[Cost]:
    """The cost of a page of each filter at each depth."""
    costs = []
    for given in asked:
        wanted = EntryFilter(**given)
        for before in depths:
            ms, page = await timed(lambda wanted=wanted, before=before: page_entries(wanted, before=before))  # type: ignore[misc]
            said = " ".join(f"{name}={value}" for name, value in given.items()) + f" before={before or 'newest'}"
            costs.append(Cost(said, ms, len(page.items)))
    return costs


async def explanations(events: int) -> dict[str, list[Cost]]:
    """The cost of explaining entries and events all over the ledger."""
    entries, stories = [], []
    for place in range(1, 41):
        event = events * place // 41
        for number in (101 + event * 5, 102 + event * 5):
            ms, _ = await timed(lambda number=number: explain_entry(number, "en"))  # type: ignore[misc]
            entries.append(Cost(f"entry {number}", ms, 1))
        key = EventKey("s9" if event < events // 50 else f"s{event % 4}", f"E{event}")
        ms, _ = await timed(lambda key=key: explain_event(key, "en"))  # type: ignore[misc]
        stories.append(Cost(f"event {key.id}", ms, 1))
    return {"explanation of an entry": entries, "explanation of an event": stories}


async def sample(database: Database, events: int) -> tuple[int, dict[str, list[Cost]]]:
    """Fill and measure: how many entries there are, and the costs by what was asked."""
    await migrate(database.migrate_url, database.url)
    async with pooled(database.url, size=1):
        use_current(Current(TIMEZONE))
        await acts.organise(
            datetime.now(UTC).date(), read_subjects(load_yaml(SUBJECTS)[0].raw), (), reason="", actor="bench"
        )
        await acts.declare(read_periods(load_yaml(PERIODS)[0].raw), actor="bench")
        await acts.publish_rulebook(read_rulebook(load_yaml(WORLD)[0].raw), actor="bench")
        await fill(database, events)
        depths = (None, 100 + events * 5 // 2, 100 + events * 5 // 20)
        found = {said: await pages(asked, depths) for said, asked in filters().items()}
        found.update(await explanations(events))
        last = await page_entries(EntryFilter(), limit=1)
        return last.items[0].id * 4 // 5, found


def measure(*, quick: bool = False) -> Finding:
    """Measure on a throw-away database; what to write down."""
    with throwaway() as cluster:
        entries, found = anyio.run(sample, cluster.database("bench"), QUICK if quick else EVENTS)
    rows = []
    for said, costs in found.items():
        worst = max(costs, key=lambda cost: cost.ms)
        median = statistics.median(cost.ms for cost in costs)
        over = sum(cost.ms > MOST for cost in costs)
        rows.append([said, len(costs), f"{median:.1f}", f"{worst.ms:.1f}", over, worst.asked])
    over = sum(cost.ms > MOST for costs in found.values() for cost in costs)
    return Finding(
        title=f"Reading a ledger of {entries:,} entries",
        command="python -m bench.reading",
        lines=(
            "Pages of 50 entries at three depths, and explanations, on a throw-away PostgreSQL; milliseconds, the best "
            f"of {REPEATED}. A page judges at most {LOOK * MOST_LOOKS:,} entries: where filters hardly ever hold "
            "together it is short and says where to go on.",
            "",
            *table(["asked", "measured", "median", "worst", f"over {MOST:.0f} ms", "the worst"], rows),
        ),
        missed=(f"{over} of {sum(map(len, found.values()))} took more than {MOST:.0f} ms.",) if over else (),
    )


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
