"""The property of simulations: they say what the ledger would say had one really published and settled.

Random histories; a random period, a random start in it, a random rulebook. The simulation goes first. Then its
period is opened, and on desks that keep nothing it is settled as it is, and settled after the publication.
"""

import os
import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from api.embedded import Database
from engine.amount import ZERO
from engine.bureau import Bureau
from engine.charge import ChargeKey
from engine.finding import Refused
from engine.organisation import TIMEZONE
from engine.rulebook import EventRule, Rulebook
from engine.standing import Figures
from engine.supposition import bounds_of
from ledger import acts, settling
from ledger.current import Current, use_current
from ledger.desk import Desk, open_desk
from ledger.reading import read_figures
from ledger.simulated import EntryChange, Simulated
from ledger.simulation import pose, read_page, simulate
from tests.ledger.test_ledger import Office
from tests.worlds import History

pytestmark = pytest.mark.anyio

HISTORIES = int(os.environ.get("JIKAO_SIMULATION_HISTORIES", "30"))
STEPS = 25
_seen: Counter[str] = Counter()


class WithoutMatters(History):
    """No later event takes away what an earlier one charges: nothing after the period is looked at."""

    def new_rulebook(self, effective: datetime) -> Rulebook:
        drawn = super().new_rulebook(effective)
        rules = (
            msgspec.structs.replace(rule, matter="each") if isinstance(rule, EventRule) else rule
            for rule in drawn.rules
        )
        return msgspec.structs.replace(drawn, rules=tuple(rules))


async def live(seed: int) -> tuple[History, Office]:
    """A history that was lived through, in memory and on the database."""
    current = Current(TIMEZONE)
    use_current(current)
    kind = WithoutMatters if seed % 4 == 0 else History
    history, office = kind(seed, periodical=seed % 3 > 0), Office(current)
    await office.live(history, STEPS)
    return history, office


async def run(url: str, period: str, rulebook: Rulebook, **given: Any) -> tuple[Simulated, list[EntryChange]]:
    question = await pose(period, rulebook, **given)
    _seen["cut off"] += question.until is not None
    answer = await simulate(url, TIMEZONE, question, processes=0)
    return answer.simulated, [each for page in answer.pages for each in read_page(page)]


async def read(desk: Desk, code: str) -> tuple[Figures, dict[ChargeKey, Decimal], dict[str, Decimal]]:
    """The figures of a period at a desk, all sums by charge, and what each rule posts in the period."""
    await desk.write()
    period = desk.bureau.calendar.find(code)
    found, _ = await read_figures(desk.connection, desk.bureau, period)
    sums: dict[ChargeKey, Decimal] = defaultdict(lambda: ZERO)
    rules: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in await desk.connection.fetch("SELECT * FROM entry"):
        origin = row["origin_rule"], row["origin_subject"]
        key = ChargeKey(row["source"] or "", row["event"] or row["period"], *origin, row["rule"], row["subject"])
        sums[key] += row["posted"]
        if period.contains(row["booked"]):
            rules[row["rule"]] += row["posted"]
    return found, sums, rules


def check(simulated: Simulated, side: str, expected: Figures, rules: dict[str, Decimal]) -> None:
    """One side of a simulation equals the ledger's figures."""
    assert {each.subject for each in simulated.subjects} == {*expected.of}
    for each in simulated.subjects:
        standing = expected.of[each.subject]
        told = {name: getattr(each, f"{name}_{side}") for name in ("posted", "total", "final", "rank", "tier")}
        assert told == {name: getattr(standing, name) for name in told}, (each.subject, side)
    told = {each.rule: getattr(each, side) for each in simulated.rules if getattr(each, side)}
    assert told == {rule: amount for rule, amount in rules.items() if amount}


async def publish_over(desk: Desk, bureau: Bureau, rulebook: Rulebook, start: Any, end: Any) -> None:
    """Really put the rulebook in the place of every version from ``start`` to ``end``."""
    inside = sorted(each.effective for each in bureau.versions if start < each.effective < end)
    for effective in (start, *inside):
        again = msgspec.structs.replace(rulebook, effective=effective)
        await acts.publish_rulebook(again, reason="test", actor="test", desk=desk)
    after = bureau.version_at(end)
    if after is not None and after.effective < end:
        again = msgspec.structs.replace(after.rulebook, effective=end)
        await acts.publish_rulebook(again, reason="test", actor="test", desk=desk)


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_it_says_what_the_ledger_would_say(pool: Database, seed: int) -> None:
    history, office = await live(seed)
    rng = random.Random(seed)
    bureau = office.current.bureau
    period = rng.choice(list(bureau.calendar.periods.values()))
    first, end = bounds_of(period, bureau)
    start = first if rng.random() < 0.6 else first + timedelta(hours=rng.randrange(1, (end - first).days * 24))
    rulebook = history.new_rulebook(start)
    simulated, entries = await run(pool.url, period.code, rulebook, start=start)
    for each in bureau.calendar.periods.values():
        if each.state == "closed" and each.start < period.end and period.start < each.end:
            await office.reopen(each.code)
    bureau = office.current.bureau
    try:
        found, before, rules = await foresee(office, period.code)
        check(simulated, "before", found, rules)
        found, after, rules = await foresee(office, period.code, (bureau, rulebook, start, end))
        check(simulated, "after", found, rules)
    except Refused as refused:
        if refused.findings[0].message.key != "period.no_open":
            raise
        _seen["refused"] += 1
        return
    for change in entries:
        whose = change.source or "", change.event or change.period or ""
        key = ChargeKey(*whose, change.origin_rule, change.origin_subject, change.rule, change.subject)
        assert (change.before or ZERO, change.after or ZERO) == (before[key], after[key]), key
        _seen[change.kind] += 1
    changed = {key for key in {*before, *after} if before[key] != after[key]}
    assert (
        len(
            {
                (each.source, each.event, each.period, each.origin_rule, each.origin_subject, each.rule, each.subject)
                for each in entries
            }
        )
        == len(entries)
        <= len(changed)
    )
    _seen["elsewhere"] += len(changed) - len(entries)
    _seen["of periods"] += any(not key.source for key in changed)


async def foresee(office: Office, code: str, published: Any = None) -> Any:
    """The ledger after a settlement, and after publications before it, at a desk that keeps nothing."""
    async with open_desk(office.current, keep=False) as desk:
        if published is not None:
            await publish_over(desk, *published)
        await settling.settle(code, actor="test", desk=desk)
        return await read(desk, code)


@pytest.mark.parametrize("seed", range(HISTORIES, HISTORIES + 5))
async def test_the_version_in_force_against_itself_changes_nothing(pool: Database, seed: int) -> None:
    _, office = await live(seed)
    bureau = office.current.bureau
    for period in bureau.calendar.periods.values():
        first, end = bounds_of(period, bureau)
        ruling = bureau.version_at(end - timedelta(microseconds=1))
        if ruling is None or any(first < each.effective < end for each in bureau.versions):
            _seen["several versions"] += 1
            continue
        simulated, entries = await run(pool.url, period.code, ruling.rulebook)
        assert (simulated.nothing, entries, simulated.replaced) == (True, [], (ruling.number,))
        assert simulated.same == len(simulated.subjects)


async def test_the_histories_show_every_kind_of_change() -> None:
    if HISTORIES >= 30:
        assert min(_seen[kind] for kind in ("added", "removed", "changed")) > 20, _seen
        assert _seen["refused"] < HISTORIES / 3, _seen
        assert _seen["of periods"] > 5, _seen
        assert _seen["cut off"] > 5, _seen
        assert _seen["several versions"] < 20, _seen
