"""The Rete behind its door: bounds, hashes, shards, threads, and life without it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.condition import Condition, parse
from engine.direct import DirectMatcher
from engine.durable import DurableMatcher, available
from engine.event import Value
from engine.field import EventType, Field
from engine.finding import Refused
from engine.language import render
from engine.projection import (
    MOST_CONJUNCTIONS,
    MOST_LEAVES,
    MOST_MARKS,
    Projection,
    check_durable,
    fnv1a,
    normal_form,
    short_names,
)
from engine.rulebook import EventRule, Fixed, Rulebook
from engine.term import names_of

NOTICE = EventType(
    code="notice",
    fields={
        "n": Field(name="n", type="integer"),
        "x": Field(name="x", type="decimal"),
        "note": Field(name="note", type="text"),
        "b": Field(name="b", type="boolean"),
        "c": Field(name="c", type="boolean"),
        "d": Field(name="d", type="boolean"),
    },
)
needs_rete = pytest.mark.skipif(not available(), reason="no Rete on this Python")


def condition(text: str) -> Condition:
    return parse(text, names_of([NOTICE]))


def rulebook(*texts: str | None) -> Rulebook:
    return Rulebook(
        code="r",
        effective=datetime(2026, 1, 1, tzinfo=UTC),
        event_types={"notice": NOTICE},
        rules=tuple(
            EventRule(
                code=f"K{place}", on="notice", when=None if text is None else condition(text), points=Fixed(Decimal(1))
            )
            for place, text in enumerate(texts)
        ),
    )


def alternatives(number: int) -> str:
    return " or ".join(f"n == {each}" for each in range(number))


def requirements(number: int) -> str:
    return " and ".join(f"n != {each}" for each in range(number))


def test_the_rete_is_here_below_3_13() -> None:
    assert available() is (sys.version_info < (3, 13))


def test_alternatives_are_bounded() -> None:
    assert check_durable(condition(alternatives(MOST_CONJUNCTIONS))) is None
    said = check_durable(condition(alternatives(MOST_CONJUNCTIONS + 1)))
    assert said is not None
    assert said.key == "condition.alternatives"
    assert "64" in render(said)
    assert check_durable(condition(f"n in [{', '.join(map(str, range(300)))}]")) is None


def test_an_explosion_is_refused_soon() -> None:
    both = " and ".join(f"(n == {each} or x == {each} or note == '{each}')" for each in range(40))
    said = check_durable(condition(both))
    assert said is not None
    assert said.key == "condition.alternatives"


def test_requirements_are_bounded() -> None:
    assert check_durable(condition(requirements(MOST_MARKS))) is None
    said = check_durable(condition(requirements(MOST_MARKS + 1)))
    assert said is not None
    assert said.key == "condition.together"


@needs_rete
def test_a_condition_out_of_bounds_is_refused_with_its_rule() -> None:
    with pytest.raises(Refused) as caught:
        DurableMatcher(rulebook(None, alternatives(65)))
    (finding,) = caught.value.findings
    assert finding.path == "rules[K1].when"


@pytest.mark.parametrize(
    ("text", "conjunctions"),
    [
        ("b", 1),
        ("b or c", 2),
        ("not (b and c)", 2),
        ("not (b or c)", 1),
        ("(b or c) and (b or d)", 2),
        ("b or (b and c)", 1),
        ("b and not b", 1),
        ("not 0 < n < 5", 2),
        ("True", 1),
        ("False or 2 < 1", 0),
        ("b and False", 0),
        ("b or True", 1),
    ],
)
def test_the_normal_form_is_small(text: str, conjunctions: int) -> None:
    assert len(normal_form(condition(text).tree)) == conjunctions


def test_slots_are_small_integers_whatever_the_facts() -> None:
    tree = condition("n > 9007199254740993 and x <= 98.6 and note == 'a' and b and has(d) and n in [1, 2]").tree
    projection = Projection(normal_form(tree))
    hostile: dict[str, Value] = {
        "n": 10**400,
        "x": Decimal("1E-9999"),
        "note": "\x00\ud800" + "x" * 100_000,
        "b": True,
    }
    slots = projection.slots(hostile)
    assert len(slots) == 6
    assert all(type(number) is int and 0 <= number <= 5 for number in slots.values())
    assert projection.slots({}).keys() == {name for slot, name in projection.names.items() if slot.kind == "given"}


def test_slot_names_differ_in_their_hash() -> None:
    assert fnv1a("") == 0x811C9DC5
    assert fnv1a("a") == 0xE40C292C
    assert fnv1a("foobar") == 0xBF9CF968
    names = [name for name, _ in zip(short_names(), range(20_000), strict=False)]
    hashes = {fnv1a(name) for name in names}
    assert len(hashes) == len(set(names)) == 20_000
    assert hashes.isdisjoint(map(fnv1a, ("id", "sid", "m", "_g", "_w", "$s")))


@needs_rete
def test_many_rules_hold_at_once() -> None:
    """300 rules without a condition, 150 on one comparison: more than one node of the Rete bears."""
    book = rulebook(*[None] * 300, *["n > 1"] * 150, *[f"n != {each}" for each in range(100, 300)])
    durable = DurableMatcher(book)
    try:
        assert durable.match("notice", {"n": 2}) == {f"K{place}" for place in range(650)}
        assert durable.match("notice", {}) == {f"K{place}" for place in range(300)}
    finally:
        durable.close()


@needs_rete
def test_the_largest_conditions_hold() -> None:
    texts = [alternatives(MOST_CONJUNCTIONS), requirements(MOST_MARKS), f"not ({alternatives(MOST_MARKS)})"]
    texts.append(" or ".join(f"n >= {each}" for each in range(60)))
    durable, direct = DurableMatcher(rulebook(*texts)), DirectMatcher(rulebook(*texts))
    try:
        for number in range(-2, 70):
            assert durable.match("notice", {"n": number}) == direct.match("notice", {"n": number})
        assert durable.match("notice", {}) == frozenset()
    finally:
        durable.close()


@needs_rete
def test_shards_stay_within_their_leaves() -> None:
    durable = DurableMatcher(rulebook(*[f"n > {each} and x < {each} and b" for each in range(40)], requirements(58)))
    try:
        _, shards = durable._types["notice"]
        assert len(shards) > 3
        assert all(1 <= shard.leaves <= MOST_LEAVES for shard in shards)
        assert max(shard.leaves for shard in shards) == MOST_LEAVES
    finally:
        durable.close()


@needs_rete
def test_the_same_facts_again_are_matched_again() -> None:
    durable = DurableMatcher(rulebook("n > 1", "b"))
    try:
        assert [durable.match("notice", {"n": 2}) for _ in range(200)] == [frozenset({"K0"})] * 200
        assert durable.match("notice", {"b": True}) == {"K1"}
    finally:
        durable.close()


@needs_rete
def test_threads_ask_at_once() -> None:
    book = rulebook(*[f"n > {each}" for each in range(50)], *[f"n in [{each}]" for each in range(50)])
    durable, direct = DurableMatcher(book), DirectMatcher(book)

    def agree(number: int) -> bool:
        facts: dict[str, Value] = {"n": number % 60}
        return durable.match("notice", facts) == direct.match("notice", facts)

    try:
        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(agree, range(3_000)))
    finally:
        durable.close()


@needs_rete
def test_closed_is_closed() -> None:
    durable = DurableMatcher(rulebook("n > 1"))
    _, (shard,) = durable._types["notice"]
    durable.close()
    durable.close()
    with pytest.raises(RuntimeError):
        shard.fired({})


@needs_rete
def test_many_rulesets_come_and_go() -> None:
    for number in range(1_100):
        durable = DurableMatcher(rulebook(f"n > {number}"))
        assert durable.match("notice", {"n": number + 1}) == {"K0"}
        durable.close()


def test_without_the_module_there_is_no_rete_and_no_error() -> None:
    script = (
        "import sys; sys.modules['durable_rules_engine'] = None\n"
        "import engine.durable as d; assert d.available() is False\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
