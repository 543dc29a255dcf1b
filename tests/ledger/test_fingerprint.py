"""Fingerprints: equal for equal lists in any order and any parts, different for all others, in few buckets."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from ledger.fingerprint import BUCKETS, Fingerprint, differences, differing

ITEMS = some.lists(some.tuples(some.text("abc", max_size=2), some.integers(-3, 3)), max_size=12)


def taken(items: list[tuple[str, int]], kept: range | tuple[int, ...] = ()) -> Fingerprint:
    made = Fingerprint(b"secret", kept)
    for key, number in items:
        made.add(key, number)
    return made


def summed(items: list[tuple[str, int]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for key, number in items:
        found[key] += number
    return {key: number for key, number in found.items() if number}


@given(ITEMS, ITEMS)
def test_they_differ_just_where_the_sums_do(one: list[tuple[str, int]], other: list[tuple[str, int]]) -> None:
    apart = differing(taken(one), taken(other))
    assert bool(apart) == (summed(one) != summed(other))
    kept = [taken(items, tuple(apart)) for items in (one, other)]
    found = {key: (there, due) for key, there, due in differences(*kept)}
    keys = {*summed(one), *summed(other)}
    expected = {key: (summed(one).get(key, 0), summed(other).get(key, 0)) for key in keys}
    assert found == {key: both for key, both in expected.items() if both[0] != both[1]}


@given(some.randoms(), ITEMS, some.integers(0, 12))
def test_order_and_parts_do_not_matter(rng: random.Random, items: list[tuple[str, int]], cut: int) -> None:
    shuffled = list(items)
    rng.shuffle(shuffled)
    joined = taken(shuffled[:cut], range(BUCKETS))
    joined.join(taken(shuffled[cut:], range(BUCKETS)))
    whole = taken(items, range(BUCKETS))
    assert joined.sums == whole.sums
    assert joined.items == whole.items


def test_another_secret_is_another_fingerprint() -> None:
    one, other = Fingerprint(b"a"), Fingerprint(b"b")
    one.add("key")
    other.add("key")
    assert one.sums != other.sums
