"""Which rules a matcher looks at, and which hold; both matchers are held to it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.condition import Condition, parse
from engine.direct import DirectMatcher
from engine.durable import DurableMatcher, available
from engine.event import Value
from engine.field import EventType, Field
from engine.matching import Matcher
from engine.rulebook import DifferentiationRule, EventRule, Fixed, JointRule, Rule, Rulebook, VetoRule
from engine.term import names_of

LEVELS = {"state": "总局", "province": "省局", "city": "市局", "county": "县局"}
FIELDS = {
    "level": Field(name="level", type="choice", choices=LEVELS),
    "note": Field(name="note", type="text"),
    "times": Field(name="times", type="integer"),
    "reported": Field(name="reported", type="boolean"),
}
TYPES = {code: EventType(code=code, fields=FIELDS) for code in ("notice", "award")}
MATCHERS = [
    DirectMatcher,
    pytest.param(DurableMatcher, marks=pytest.mark.skipif(not available(), reason="no Rete on this Python")),
]


def when(text: str) -> Condition:
    return parse(text, names_of([TYPES["notice"]]))


def event_rule(code: str, text: str | None = None, on: str = "notice", enabled: bool = True) -> EventRule:
    condition = None if text is None else when(text)
    return EventRule(code=code, on=on, when=condition, enabled=enabled, points=Fixed(Decimal(-1)))


def joint(code: str, of: tuple[str, ...] | None, text: str | None = None, enabled: bool = True) -> JointRule:
    condition = None if text is None else when(text)
    return JointRule(code=code, joint="lead", of=of, when=condition, enabled=enabled, share=Decimal("0.3"))


def rulebook(*rules: Rule) -> Rulebook:
    return Rulebook(code="r", effective=datetime(2026, 1, 1, tzinfo=UTC), event_types=TYPES, rules=rules)


def matched(
    made: Callable[[Rulebook], Matcher], rules: list[Rule], facts: Mapping[str, Value], on: str = "notice"
) -> set[str]:
    matcher = made(rulebook(*rules))
    try:
        found = matcher.match(on, facts)
        assert matcher.match(on, facts) == found
        return set(found)
    finally:
        matcher.close()


@pytest.mark.parametrize("made", MATCHERS)
class TestServing:
    def test_only_rules_of_the_type(self, made: Callable[[Rulebook], Matcher]) -> None:
        rules: list[Rule] = [
            event_rule("K1"),
            event_rule("K2", on="award"),
            VetoRule(code="V", on="notice", to=Decimal(60)),
        ]
        assert matched(made, rules, {}) == {"K1", "V"}
        assert matched(made, rules, {}, "award") == {"K2"}
        assert matched(made, rules, {}, "unheard-of") == set()

    def test_disabled_rules_never_hold(self, made: Callable[[Rulebook], Matcher]) -> None:
        veto = VetoRule(code="V", on="notice", to=Decimal(60), enabled=False)
        assert matched(made, [event_rule("K1", enabled=False), joint("J", None), veto], {}) == set()

    def test_a_joint_rule_serves_the_types_of_the_rules_it_is_of(self, made: Callable[[Rulebook], Matcher]) -> None:
        rules: list[Rule] = [
            event_rule("K1"),
            event_rule("K2", on="award"),
            event_rule("K3", on="award", enabled=False),
            joint("all", None),
            joint("first", ("K1",)),
            joint("second", ("K2", "K3")),
            joint("none", ("K3",)),
            joint("both", ("K1", "K2"), "times > 1"),
            joint("off", None, enabled=False),
        ]
        assert matched(made, rules, {"times": 2}) == {"K1", "all", "first", "both"}
        assert matched(made, rules, {"times": 1}, "award") == {"K2", "all", "second"}

    def test_a_veto_carries_no_joint_rule(self, made: Callable[[Rulebook], Matcher]) -> None:
        assert matched(made, [VetoRule(code="V", on="notice", to=Decimal(60)), joint("J", None)], {}) == {"V"}

    def test_period_rules_match_no_event(self, made: Callable[[Rulebook], Matcher]) -> None:
        differing = DifferentiationRule(code="D", of=None, among="group")
        assert matched(made, [differing, event_rule("K1")], {}) == {"K1"}

    @pytest.mark.parametrize(
        ("text", "facts", "expected"),
        [
            ('level == "city"', {"level": "city"}, True),
            ('level == "city"', {"level": "state"}, False),
            ('level == "city"', {}, False),
            ('level in ["city", "state"] and level in ["state", "county"]', {"level": "state"}, True),
            ('level in ["city", "state"] and level in ["state", "county"]', {"level": "city"}, False),
            ('level == "city" and level == "state"', {"level": "city"}, False),
            ('level == "city" or level == "state"', {"level": "state"}, True),
            ('level == "city" or times > 1', {"level": "state", "times": 2}, True),
            ('level == "city" and (level == "city" and times > 1)', {"level": "city", "times": 2}, True),
            ('level == "city" and (level == "city" and times > 1)', {"level": "city", "times": 1}, False),
            ('(level == "city" or level == "state") and note == "x"', {"level": "state", "note": "x"}, True),
            ('(level == "city" or level == "state") and note == "x"', {"level": "state", "note": "y"}, False),
            ('not level == "city"', {"level": "state"}, True),
            ('not level == "city"', {}, False),
            ('level != "city"', {"level": "state"}, True),
            ("level in []", {"level": "state"}, False),
            ("level not in []", {"level": "state"}, True),
            ('level == "city" and times > 1 and reported and note == "x"',
             {"level": "city", "times": 2, "reported": True, "note": "x"}, True),
            ('level == "city" and times > 1 and reported and note == "x"',
             {"level": "city", "times": 2, "reported": True}, False),
            ("times > 1 or reported or note == 'x'", {"note": "x"}, True),
            ("times > 1 or reported", {"times": 0}, False),
            ("not (times > 1 and reported)", {"reported": False}, True),
            ("not (times > 1 and reported)", {"reported": True}, False),
            ("True", {}, True),
            ("False", {}, False),
        ],
    )  # fmt: skip
    def test_a_rule_holds_when_its_condition_is_true(
        self, made: Callable[[Rulebook], Matcher], text: str, facts: Mapping[str, Value], expected: bool
    ) -> None:
        assert matched(made, [event_rule("K1", text), event_rule("K2", 'level == "county"')], facts) == (
            {"K1"} if expected else set()
        )


def test_a_rule_is_looked_at_only_under_the_words_it_needs() -> None:
    looked: list[str] = []

    class Watched(dict[str, Value]):
        def get(self, name: str, _default: object = None) -> Value | None:  # type: ignore[override]
            looked.append(name)
            return super().get(name)

    rules = [event_rule(f"K{place}", f'level == "{level}" and times > {place}') for place, level in enumerate(LEVELS)]
    matcher = DirectMatcher(rulebook(*rules))
    assert matcher.match("notice", Watched(level="city", times=9)) == {"K2"}
    assert looked == ["level", "times"]
