"""Matching (匹配): which of a version's rules hold for an event. One protocol, two matchers.

``engine/direct.py`` evaluates conditions in plain Python; ``engine/durable.py`` drives a Rete.
They share the syntax tree of a condition and nothing else, so that each checks the other.
"""

from collections.abc import Mapping
from typing import Protocol

from engine.event import Value

Facts = Mapping[str, Value]
"""Names a condition may use → their values. A name that is absent is unknown."""


class Matcher(Protocol):
    """Made once for a rulebook; may then be asked from several threads."""

    def match(self, event_type: str, facts: Facts) -> frozenset[str]:
        """The codes of the enabled rules that an event of the type fires, joint rules included.

        An event rule or a veto holds when it is ``on`` the type and its ``when`` is true; a joint
        rule when one of the event rules it is ``of`` is on the type and its ``when`` is true.
        Unknown is not true. No ``when`` always holds.
        """
        ...

    def close(self) -> None:
        """Give back what the matcher holds. It is not asked again."""
        ...
