"""Ten offices live through two thousand steps each, with crashes between any two writes; and the simulator finds what
it is there to find.

``JIKAO_STEPS`` is the number of steps, ``JIKAO_SEEDS`` the seeds, one history each.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import asyncpg
import pytest

from api.embedded import Database
from ledger import recording
from ledger.current import Current
from ledger.desk import Desk, Receipt
from ledger.present import Present
from tests.simulator import Simulation, simulating
from tests.worlds import Step

STEPS = int(os.environ.get("JIKAO_STEPS", "2000"))
SEEDS = os.environ.get("JIKAO_SEEDS", "0 1 2 3 4 5 6 7 8 9").split()
MUTANT_SEED = 100
MUTANT_STEPS = 120
STORMY = 0.7

pytestmark = pytest.mark.anyio


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_ledger_lives_through_it_as_the_register_does(database: Database, seed: str) -> None:
    async with simulating(database, int(seed)) as simulation:
        await simulation.live(STEPS)
    if STEPS >= 2000:
        for what in ("cut", "died", "spoilt", "published", "upheld"):
            assert simulation.seen[what] > 2, (what, simulation.seen)


HEAD = """
import sys, anyio
from api.embedded import throwaway
from api.migrating import migrate
from tests.simulator import simulating
async def run(database):
    await migrate(database.migrate_url, database.url)
    async with simulating(database, int(sys.argv[1])) as simulation:
        await simulation.live(int(sys.argv[2]))
        print(simulation.verified, simulation.hash)
with throwaway() as cluster:
    anyio.run(run, cluster.database("again"))
"""


async def test_a_run_replays_exactly_from_its_seed(database: Database) -> None:
    async with simulating(database, 11) as simulation:
        await simulation.live(100)
        first = f"{simulation.verified} {simulation.hash}"
    command = [sys.executable, "-c", HEAD, "11", "100"]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    again = await anyio.run_process(command, env=environment)
    assert again.stdout.decode().strip() == first


@pytest.mark.slow
async def test_a_cut_at_every_statement_leaves_all_or_nothing(database: Database) -> None:
    """Posts of each kind, cut before and after each of their statements in turn, until none is left to cut."""
    async with simulating(database, 21) as simulation:
        await simulation.live(30)
        town = simulation.town

        def posts() -> tuple[Step, ...]:
            return (
                Step("record", (town.new_report("E"),)),
                Step("retract", (town.known_event(),)),
                Step("correct", (town.known_event(), town.new_report("C"))),
                Step("record", (town.new_report("E"),)),
            )

        for late in (False, True):
            for statement in range(100):
                struck = simulation.storm.struck
                await simulation.check_whole()
                simulation.storm.arm(statement, late=late, deadly=statement % 2 == 0)
                await simulation.live_through(*posts())
                simulation.storm.left = None
                if simulation.storm.dead:
                    await simulation.start()
                if simulation.storm.struck == struck:
                    break
            assert 5 < statement < 99
        await simulation.check(thorough=True)


# the simulator finds …


async def _head_first(self: Desk) -> None:
    """The head is committed before what it is the head of."""
    await self.connection.execute("UPDATE ledger_head SET length = $1, hash = $2", self.head.length, self.head.hash)
    await self.connection.execute("COMMIT")
    await self.connection.execute("BEGIN")
    await _finish(self)


async def _in_two(self: Desk) -> None:
    """Events are committed before their entries."""
    entries, self.journal.entries = self.journal.entries, []
    await self.write()
    await self.connection.execute("COMMIT")
    await self.connection.execute("BEGIN")
    self.journal.entries = entries
    await _finish(self)


async def _without_rooms(self: Present) -> None:
    """What limits have left is not kept."""
    self.pending._deltas = {}
    await _flush(self)


async def _without_forgetting(self: Present) -> None:
    """What is withdrawn may still be repeated."""
    self.pending._reread = set()
    withdrawn, self.pending._withdrawn = self.pending._withdrawn, set()
    if withdrawn:
        await self._connection.executemany(
            "DELETE FROM present_event WHERE source = $1 AND id = $2", [tuple(key) for key in withdrawn]
        )
    await _flush(self)


async def _unknown(self: Desk, keys: Any) -> None:
    """Nobody looks whether an event is there already."""
    self._found.update(dict.fromkeys(keys))


async def _as_before(self: Current, connection: asyncpg.Connection, *, lock: bool = False) -> Any:
    """What another process changed is not read again, once something is known."""
    head = await _refresh(self, connection, lock=lock)
    _refreshed.setdefault(id(self), self.bureau)
    self.bureau = _refreshed[id(self)]
    return head


async def _lost_is_fine(self: recording.Recorder, group: list[recording.Waiting]) -> list[Any]:
    """A lost connection is taken for success."""
    try:
        return await _post(self, group)
    except asyncpg.ConnectionDoesNotExistError:
        return [Receipt(number=0) for _ in group]


_finish, _flush, _refresh, _post = Desk.finish, Present.flush, Current.refresh, recording.Recorder._post
_refreshed: dict[int, Any] = {}

MUTANTS: dict[str, tuple[type, str, Callable[..., Awaitable[Any]]]] = {
    "a head that is committed first": (Desk, "finish", _head_first),
    "entries in a transaction of their own": (Desk, "finish", _in_two),
    "rooms that are not kept": (Present, "flush", _without_rooms),
    "withdrawn events that are still recalled": (Present, "flush", _without_forgetting),
    "repetitions that are not looked up": (Desk, "look_up", _unknown),
    "a bureau that is read once": (Current, "refresh", _as_before),
    "lost answers taken for success": (recording.Recorder, "_post", _lost_is_fine),
}


async def _fails(simulation: Simulation) -> bool:
    try:
        await simulation.live(MUTANT_STEPS)
    except Exception:  # noqa: BLE001  (whatever shows that it does not hold)
        return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_the_simulator_finds(database: Database, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    where, name, wrong = MUTANTS[mutant]
    async with simulating(database, MUTANT_SEED) as simulation:
        monkeypatch.setattr(where, name, wrong)
        simulation.stormy = STORMY
        assert await _fails(simulation), f"{MUTANT_STEPS} steps hold with {mutant}"


async def test_it_finds_nothing_where_nothing_is_wrong(database: Database) -> None:
    async with simulating(database, MUTANT_SEED) as simulation:
        simulation.stormy = STORMY
        await simulation.live(MUTANT_STEPS)
