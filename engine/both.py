"""Both matchers at once: live events go through the Rete and through plain Python.

If the sets of rules differ, nothing is said about the event: it is not kept, and an alarm names both.
"""

from engine.direct import DirectMatcher
from engine.durable import DurableMatcher, available
from engine.matching import Facts, Matcher
from engine.rulebook import Rulebook


class Disagreement(Exception):
    """The two matchers came to different sets of rules for an event of a type."""

    def __init__(self, event_type: str, direct: frozenset[str], durable: frozenset[str]) -> None:
        super().__init__(f"{event_type}: direct {sorted(direct)}, durable {sorted(durable)}")
        self.event_type = event_type
        self.direct = direct
        self.durable = durable


def live_matcher(rulebook: Rulebook) -> Matcher:
    """Both matchers where the Rete can be had, else the direct one alone."""
    return BothMatcher(rulebook) if available() else DirectMatcher(rulebook)


class BothMatcher:
    """Asks both, and answers only where they agree."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._direct: Matcher = DirectMatcher(rulebook)
        self._durable: Matcher = DurableMatcher(rulebook)

    def match(self, event_type: str, facts: Facts) -> frozenset[str]:
        """The rules that both hold to fire; :class:`Disagreement` where they differ."""
        direct = self._direct.match(event_type, facts)
        try:
            durable = self._durable.match(event_type, facts)
        except RuntimeError as error:  # the Rete left its bounds: as good as another answer
            raise Disagreement(event_type, direct, frozenset()) from error
        if direct != durable:
            raise Disagreement(event_type, direct, durable)
        return direct

    def close(self) -> None:
        """Close both."""
        self._direct.close()
        self._durable.close()
