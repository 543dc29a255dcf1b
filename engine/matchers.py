"""Matchers kept (匹配): each is made once, for the rulebook of a version.

A version that was only tried (a preview, a refused publication) leaves its number to another rulebook, so that a
matcher is never known by the number alone.
"""

from collections.abc import Callable

from engine.matching import Matcher
from engine.rulebook import Rulebook, Version


class KeptMatchers:
    """The matchers of versions, made as they are asked for."""

    def __init__(self, make: Callable[[Rulebook], Matcher]) -> None:
        self._make = make
        self._kept: dict[int, tuple[Rulebook, Matcher]] = {}

    def __call__(self, version: Version) -> Matcher:
        """The matcher of the version's rulebook."""
        known = self._kept.get(version.number)
        if known is None or known[0] is not version.rulebook:
            known = self._kept[version.number] = (version.rulebook, self._make(version.rulebook))
        return known[1]
