"""Ten offices live through two thousand steps each, with crashes between any two writes."""

import os

import pytest

from api.embedded import Database
from tests.simulator import simulating

STEPS = int(os.environ.get("JIKAO_STEPS", "2000"))
SEEDS = [int(seed) for seed in os.environ.get("JIKAO_SEEDS", "0 1 2 3 4 5 6 7 8 9").split()]


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_ledger_lives_through_it_as_the_register_does(database: Database, seed: int) -> None:
    async with simulating(database, seed) as simulation:
        await simulation.live(STEPS)
    print(simulation.seen)
