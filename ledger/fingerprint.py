"""Fingerprints (指纹): whether two long lists say the same, without holding either.

An item is a key and a whole number. Each key is hashed to 128 bits under a secret drawn for this one
comparison, and the numbers are added up weighted by the hashes: the order does not matter, and numbers
under one key add up, as entries do. Lists that differ agree in this by chance once in 2**128 tries, and
nobody can arrange it, for nobody knows the secret before the end. The sums are kept by bucket (of the
hash), so that a difference is then looked for in few items.
"""

from collections.abc import Collection, Iterable
from hashlib import blake2b

BUCKETS = 1024
_BYTES = 16
SEPARATOR = "\x1f"
"""Between the parts of a key; no code, id or amount holds it."""


class Fingerprint:
    """The fingerprint of a list; of the items in the buckets ``kept`` the sums by key as well."""

    def __init__(self, secret: bytes, kept: Collection[int] = ()) -> None:
        self.sums = [0] * BUCKETS
        self.items: dict[str, int] = {}
        self._secret = secret
        self._kept = frozenset(kept)

    def add(self, key: str, number: int = 1) -> None:
        """Add an item."""
        digest = blake2b(key.encode(), key=self._secret, digest_size=_BYTES).digest()
        hashed = int.from_bytes(digest, "little")
        bucket = hashed % BUCKETS
        self.sums[bucket] += hashed * number
        if self._kept and bucket in self._kept:
            self.items[key] = self.items.get(key, 0) + number

    def join(self, other: "Fingerprint") -> None:
        """Add another part of the same list, taken with the same secret."""
        self.sums = [one + two for one, two in zip(self.sums, other.sums, strict=True)]
        for key, number in other.items.items():
            self.items[key] = self.items.get(key, 0) + number


def differing(one: Fingerprint, other: Fingerprint) -> frozenset[int]:
    """The buckets in which two lists differ."""
    return frozenset(bucket for bucket in range(BUCKETS) if one.sums[bucket] != other.sums[bucket])


def differences(one: Fingerprint, other: Fingerprint) -> Iterable[tuple[str, int, int]]:
    """The kept keys under which two lists differ, with what is in each."""
    for key in sorted({*one.items, *other.items}):
        numbers = one.items.get(key, 0), other.items.get(key, 0)
        if numbers[0] != numbers[1]:
            yield key, *numbers
