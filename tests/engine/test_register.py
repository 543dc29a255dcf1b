"""The property: whatever happens, in whatever order, the ledger's sums equal a fresh evaluation."""

import os
from collections import Counter

import pytest

from engine.amount import ZERO
from engine.limits import windows_of
from tests.worlds import History

HISTORIES = int(os.environ.get("JIKAO_HISTORIES", "300"))


def check_sums(history: History) -> None:
    register = history.register
    fresh = register.fresh()
    for key in {*register.sums, *fresh}:
        expected = fresh[key].posted if key in fresh else ZERO
        assert register.sums[key] == expected, key
    present = {posting.charge.key: posting for sheet in register.book.sheets.values() for posting in sheet.postings}
    assert {key: each.posted for key, each in present.items()} == {key: each.posted for key, each in fresh.items()}


@pytest.mark.parametrize("block", range(10))
def test_the_ledger_equals_a_fresh_evaluation(block: int) -> None:
    for seed in range(block * HISTORIES // 10, (block + 1) * HISTORIES // 10):
        history = History(seed)
        for _ in range(40):
            history.step()
            check_sums(history)
