"""What is in force, as a process keeps it."""

from datetime import UTC, datetime
from decimal import Decimal

from engine.condition import parse
from engine.organisation import TIMEZONE
from engine.rulebook import EventRule, Fixed, Rulebook, Version
from engine.term import names_of
from ledger.current import Current
from tests.worlds import NOTICE


def test_a_version_that_was_only_tried_leaves_no_matcher_to_the_next_of_its_number() -> None:
    def tried(level: str) -> Version:
        when = parse(f'level == "{level}"', names_of([NOTICE]))
        rule = EventRule(code="R", on="notice", when=when, points=Fixed(Decimal(-1)))
        begins = datetime(2026, 1, 1, tzinfo=UTC)
        return Version(
            number=2, rulebook=Rulebook(code="b", effective=begins, event_types={"notice": NOTICE}, rules=(rule,))
        )

    current = Current(TIMEZONE)
    low, high = tried("low"), tried("high")
    for matchers in (current.direct, current.live):
        assert matchers(low).match("notice", {"level": "high"}) == frozenset()
        assert matchers(high).match("notice", {"level": "high"}) == {"R"}
        assert matchers(high) is matchers(high)
