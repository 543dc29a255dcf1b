"""The replay comes to the sums of a fresh evaluation, whatever happened."""

import marshal
import os
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from engine.evaluation import evaluate
from engine.replay import Claims, Poster, Scorer, replay, stake
from engine.turn import order_of
from tests.worlds import History

HISTORIES = int(os.environ.get("JIKAO_HISTORIES", "300")) // 3


def histories(seeds: range, steps: int = 40) -> Iterator[History]:
    for seed in seeds:
        history = History(seed, periodical=True)
        for _ in range(steps):
            history.step()
        yield history


def replayed(history: History) -> None:
    register = history.register
    charges = [each for lot in register.period_charges.values() for each in lot]
    fresh = evaluate(register.bureau, register.book.events.values(), register.matcher, charges)
    sums = replay(register.bureau, register.book.events.values(), register.matcher, charges)
    assert sums == {key: posting.posted for key, posting in fresh.items()}


@pytest.mark.parametrize("block", range(10))
def test_the_sums_are_those_of_a_fresh_evaluation(block: int) -> None:
    for history in histories(range(block * HISTORIES // 10, (block + 1) * HISTORIES // 10)):
        replayed(history)


def test_a_limit_finer_than_a_cent_leaves_what_it_leaves() -> None:
    fractions = 0
    for history in histories(range(40)):
        register = history.register
        finer = [
            msgspec.structs.replace(
                version,
                rulebook=msgspec.structs.replace(
                    version.rulebook,
                    limits={
                        code: msgspec.structs.replace(limit, max=limit.max + limit.max / 1000)
                        for code, limit in version.rulebook.limits.items()
                    },
                ),
            )
            for version in register.bureau.versions
        ]
        bureau = msgspec.structs.replace(register.bureau, versions=tuple(finer))
        fresh = evaluate(bureau, register.book.events.values(), register.matcher)
        sums = replay(bureau, register.book.events.values(), register.matcher)
        assert sums == {key: posting.posted for key, posting in fresh.items()}
        fractions += sum(each != round(each, 2) for each in sums.values())
    assert fractions > 10


def test_what_is_scored_travels_between_processes() -> None:
    seen: Counter[str] = Counter()
    for history in histories(range(20)):
        register = history.register
        scorer = Scorer(register.bureau, register.matcher)
        for each in sorted(register.book.events.values(), key=lambda each: order_of(each.event)):
            scored = scorer.score(each)
            if scored is not None:
                assert marshal.loads(marshal.dumps(scored)) == scored
                seen["joint"] += any(direct[4] for direct in scored[2])
                seen["journey"] += any(direct[5] is not None for direct in scored[2])
    assert min(seen.values()) > 10, seen
    assert len(seen) == 2


def test_two_posters_post_what_one_does() -> None:
    compared = 0
    for history in histories(range(40)):
        register = history.register
        if any(version.rulebook.joint.basis == "posted" for version in register.bureau.versions):
            continue
        scorer, claims = Scorer(register.bureau, register.matcher), Claims()
        recorded = sorted(register.book.events.values(), key=lambda each: order_of(each.event))
        scored = sorted(each for each in map(scorer.score, recorded) if each is not None)
        stake(claims, scored)
        one = Poster(register.bureau, claims)
        two = [
            Poster(register.bureau, claims, lambda subject: subject.startswith("U")),
            Poster(register.bureau, claims, lambda subject: not subject.startswith("U")),
        ]
        for each in scored:
            assert sorted(one.post(each)) == sorted(posted for half in two for posted in half.post(each))
            compared += 1
    assert compared > 50
