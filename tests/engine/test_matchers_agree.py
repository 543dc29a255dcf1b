"""Three ways to judge a condition agree on hostile rulebooks and events: the tree itself, closures, the Rete.

A seeded world is a rulebook of random conditions on random event types with the events to match.
``JIKAO_FUZZ`` says how many worlds are made; each compares some three thousand pairs of rule and event.
"""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.condition import Condition, parse
from engine.direct import DirectMatcher
from engine.durable import DurableMatcher, available
from engine.event import Value
from engine.expression import And, Call, Comparison, Constant, Items, Name, Node, Not, Or
from engine.field import EventType, Field, FieldType
from engine.projection import check_durable
from engine.rulebook import EventRule, Fixed, JointRule, Rule, Rulebook, VetoRule
from engine.term import Names, Term, names_of

WORLDS = int(os.environ.get("JIKAO_FUZZ", "150"))
RULES, EVENTS = 36, 90
ZONE = ZoneInfo("Asia/Shanghai")

WORDS = [
    "", "a", "A", "ab", "é", "e\u0301", "已整改", "it's", 'say "x"', "a\\b", "\\", '"', "'", "null", "true", "1", "0",
    "id", "sid", "$s", "_g", "s0", "{}", '{"_g":1}', "[]", "\u2028", "😀", "x" * 300, "“”", " ", "\u200b", "N/A", "-0",
]  # fmt: skip
TEXTS = [
    *WORDS, "\x00", "a\x00", "a\x00b", "\n", "\r\n", "\x1b[0m", "\x7f", "\ud800", "a\udfff", "x" * 4_095, "x" * 4_096,
    "x" * 4_097, "x" * 65_535, "x" * 65_536, "x" * 65_537, "a" + "x" * 65_536, "已" * 70_000, "x" * 65_836,
]  # fmt: skip
EDGES = [0, 1, 2, 3, 7, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 + 1, 10**30]
INTEGERS = [*EDGES, *(-edge for edge in EDGES)]
DECIMALS = [
    *map(Decimal, INTEGERS),
    *map(Decimal, ["-0", "-0.0", "0.1", "0.10", "0.5", "98.6", "-1.50", "0.30000000000000004", "9007199254740992.5"]),
    Decimal("98.60000000000000000000000000000000000001"),
    Decimal("98.59999999999999999999999999999999999999"),
    Decimal("0.1000000000000000055511151231257827"),
]  # fmt: skip
FAR = [Decimal("1E-400"), Decimal("-1E-400"), Decimal("1E+400"), Decimal("-1E+400"), Decimal("4.9E-324")]
DAYS = [
    date.min, date(1970, 1, 1), date(1991, 9, 15), date(2024, 2, 29), date(2026, 2, 28), date(2026, 3, 1),
    date(2026, 3, 2), date(2026, 12, 31), date(2038, 1, 19), date.max,
]  # fmt: skip
MOMENTS = [
    *(datetime(day.year, day.month, day.day, tzinfo=ZONE) for day in DAYS),
    *(datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, tzinfo=ZONE) for day in DAYS),
    *(datetime(1991, 9, 14, 16, 0, tzinfo=UTC).astimezone(ZONE) + timedelta(minutes=m) for m in (15, 30, 45)),
    datetime(1991, 9, 15, 1, 15, fold=1, tzinfo=ZONE),
]
CODES = ["state", "省局", "a b", "é", "1", "True", 'x"y', "has", "-"]
FIELD_NAMES = ["level", "通报级别", "次数", "rate", "é", "_x", "due", "done", "at", "note", "tags", "ok", "n2", "说明"]
TYPES: list[FieldType] = ["text", "choice", "choices", "integer", "decimal", "boolean", "date", "datetime"]
CONTEXT_VALUES: dict[str, list[Value]] = {
    "subject": ["U1", "P1", "a"], "subject_kind": ["unit", "person"], "subject_group": ["county", "a"],
    "post": ["chief", ""], "source": ["manual", "a"], "matter": ["M-1", "a"], "year": [2025, 2026],
    "month": [1, 3, 12],
}  # fmt: skip


class World:
    """Everything random comes from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.seen: Counter[tuple[str, bool | None]] = Counter()
        self.types = {code: self.event_type(code) for code in ("甲", "b")}
        self.rulebook = Rulebook(
            code="r",
            effective=datetime(2026, 1, 1, tzinfo=ZONE),
            event_types=self.types,
            rules=tuple(self.rules()),
        )

    # --- event types and values ---

    def event_type(self, code: str) -> EventType:
        names = self.random.sample(FIELD_NAMES, 10)
        types = TYPES + self.random.choices(TYPES, k=2)
        fields = {}
        for name, type_ in zip(names, types, strict=True):
            codes = self.random.sample(CODES, self.random.randint(2, 6)) if type_ in ("choice", "choices") else []
            fields[name] = Field(name=name, type=type_, choices={each: f"题{each}" for each in codes})
        return EventType(code=code, fields=fields)

    def value(self, term: Term) -> Value:
        if term.name in CONTEXT_VALUES:
            return self.random.choice(CONTEXT_VALUES[term.name])
        match term.type:
            case "text":
                return self.random.choice(TEXTS)
            case "choice":
                return self.random.choice(list(term.choices))
            case "choices":
                return tuple(self.random.sample(list(term.choices), self.random.randint(0, len(term.choices))))
            case "integer":
                return self.random.choice(INTEGERS) + self.random.choice([0, 0, 0, 1, -1])
            case "decimal":
                return self.random.choice(DECIMALS + FAR)
            case "boolean":
                return self.random.random() < 0.5
            case "date":
                return self.random.choice(DAYS)
            case "datetime":
                return self.random.choice(MOMENTS)

    def facts(self, names: Names) -> dict[str, Value]:
        missing = self.random.choice([0, 0.1, 0.4, 1])
        return {name: self.value(term) for name, term in names.items() if self.random.random() >= missing}

    # --- conditions ---

    def constant(self, term: Term) -> str:
        value: Value
        if term.name in CONTEXT_VALUES:
            value = self.random.choice(CONTEXT_VALUES[term.name])
        elif term.type == "text":
            value = self.random.choice(WORDS)
        elif term.type in ("choice", "choices"):
            value = self.random.choice(list(term.choices))
        elif term.type in ("integer", "decimal"):
            numbers: list[Value] = [*INTEGERS, *DECIMALS]
            value = self.random.choice(numbers)
        elif term.type == "boolean":
            value = self.random.random() < 0.5
        else:
            value = self.random.choice(DAYS)
        return written(value, self.random.choice("'\""))

    def items(self, term: Term) -> str:
        return "[" + ", ".join(self.constant(term) for _ in range(self.random.choice([0, 1, 1, 2, 3, 5]))) + "]"

    def leaf(self, names: Names) -> str:
        term = self.random.choice(list(names.values()))
        if self.random.random() < 0.08:
            return f"has({term.name})"
        if term.type == "choices":
            return f"{self.random.choice(['any', 'all'])}({term.name}, {self.items(term)})"
        if term.type == "boolean":
            return self.random.choice([term.name, f"{term.name} {self.either()} {self.constant(term)}"])
        alike = [other for other in names.values() if family(other) == family(term) and family(other) != "choices"]
        if self.random.random() < 0.15:
            return f"{term.name} {self.operator(term)} {self.random.choice(alike).name}"
        if self.random.random() < 0.25:
            return f"{term.name} {self.random.choice(['in', 'not in'])} {self.items(term)}"
        if self.random.random() < 0.15 and family(term) in ("number", "date"):
            middle, last = self.operator(term), self.operator(term)
            return f"{self.constant(term)} {middle} {term.name}{last}{self.constant(term)}"
        if self.random.random() < 0.1:
            return f"{self.constant(term)} {self.operator(term)} {term.name}"
        return f"{term.name} {self.operator(term)} {self.constant(term)}"

    def either(self) -> str:
        return self.random.choice(["==", "!="])

    def operator(self, term: Term) -> str:
        if family(term) in ("text", "boolean"):
            return self.either()
        return self.random.choice(["==", "!=", "<", "<=", ">", ">=", "<=", ">=", "!="])

    def text(self, names: Names, depth: int) -> str:
        chance = self.random.random()
        if depth == 0 or chance < 0.25:
            return self.leaf(names)
        if chance < 0.4:
            return f"not {self.text(names, depth - 1)}" if chance < 0.3 else f"not ({self.text(names, depth - 1)})"
        if chance < 0.43:
            return self.random.choice(["True", "False", "1 < 2", '"a" in ["b"]', "(1 >= 2.5)"])
        word = self.random.choice([" or ", " or ", " or\n\t", " and "])
        parts = [self.text(names, depth - 1) for _ in range(self.random.randint(2, 4))]
        return word.join(f"({part})" if self.random.random() < 0.7 else part for part in parts)

    def condition(self, names: Names) -> Condition | None:
        if self.random.random() < 0.06:
            return None
        while True:
            text = self.text(names, self.random.choice([0, 0, 1, 2, 3, 4]))
            if len(text) <= 2_000:
                condition = parse(text, names)
                if check_durable(condition) is None:
                    return condition

    def rules(self) -> list[Rule]:
        rules: list[Rule] = []
        for place in range(RULES):
            code, chance = f"K{place}", self.random.random()
            enabled = self.random.random() > 0.05
            event_rules = [rule for rule in rules if isinstance(rule, EventRule)]
            if chance < 0.15 and event_rules:
                chosen = self.random.sample(event_rules, self.random.randint(1, min(3, len(event_rules))))
                whole = self.random.random() < 0.3
                on_types = self.types if whole else dict.fromkeys(rule.on for rule in chosen)
                names = names_of([self.types[event_type] for event_type in on_types])
                when = self.condition({name: term for name, term in names.items() if not term.conflict})
                of = None if whole else tuple(rule.code for rule in chosen)
                rules.append(
                    JointRule(code=code, enabled=enabled, joint="lead", of=of, when=when, share=Decimal("0.3"))
                )
                continue
            on = self.random.choice(list(self.types))
            when = self.condition(names_of([self.types[on]]))
            if chance < 0.9:
                rules.append(EventRule(code=code, enabled=enabled, on=on, when=when, points=Fixed(Decimal(-1))))
            else:
                rules.append(VetoRule(code=code, enabled=enabled, on=on, when=when, to=Decimal(60)))
        return rules

    # --- the third matcher: the tree, rule by rule ---

    def judged(self, event_type: str, facts: dict[str, Value]) -> frozenset[str]:
        on = {r.code: r.on for r in self.rulebook.rules if isinstance(r, EventRule) and r.enabled}
        held = set()
        for rule in self.rulebook.rules:
            assert isinstance(rule, (EventRule, JointRule, VetoRule))
            if isinstance(rule, JointRule):
                serves = any(on.get(code) == event_type for code in (rule.of if rule.of is not None else on))
            else:
                serves = rule.on == event_type
            if rule.enabled and serves:
                result = True if rule.when is None else rule.when.judge(facts)
                self.seen["rule", result] += 1
                if rule.when is not None:
                    self.count(rule.when, facts)
                if result:
                    held.add(rule.code)
        return frozenset(held)

    def count(self, condition: Condition, facts: dict[str, Value]) -> None:
        """Which operator came out how, where a condition is that operator at its root."""
        if self.random.random() < 0.3:
            for node in nodes(condition.tree):
                self.seen[kind(node), Condition(condition.text, node, condition.names).judge(facts)] += 1


def nodes(node: Node) -> list[Node]:
    match node:
        case And(parts) | Or(parts):
            return [node, *(each for part in parts for each in nodes(part))]
        case Not(part):
            return [node, *nodes(part)]
        case _:
            return [node]


def kind(node: Node) -> str:
    match node:
        case Comparison(operator=operator, left=Name(), right=right):
            return operator + (" constant" if isinstance(right, (Constant, Items)) else " field")
        case Call(function=function):
            return function
        case Comparison() | Constant():
            return "constant"
        case _:
            return type(node).__name__


def family(term: Term) -> str:
    return {"integer": "number", "decimal": "number", "choice": "text", "datetime": "date"}.get(term.type, term.type)


def written(value: Value, quote: str) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return f"date({quote}{value}{quote})"


SEEN: Counter[tuple[str, bool | None]] = Counter()


def disagreement(world: World, event_type: str, facts: dict[str, Value], sets: dict[str, frozenset[str]]) -> str:
    differing = frozenset.union(*sets.values()) - frozenset.intersection(*sets.values())
    lines = [f"{event_type} {facts!r}"]
    for code in sorted(differing):
        when = world.rulebook.rule(code).when  # type: ignore[union-attr]
        lines.append(f"{code} {when and when.text!r}: {[name for name, codes in sets.items() if code in codes]}")
    return "\n".join(lines)


@settings(
    max_examples=WORLDS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.integers(0, 2**64))
def compare_worlds(seed: int) -> None:
    world = World(seed)
    direct = DirectMatcher(world.rulebook)
    durable = DurableMatcher(world.rulebook) if available() else None
    try:
        for _ in range(EVENTS):
            for code in world.types:
                facts = world.facts(names_of([world.types[code]]))
                sets = {"judge": world.judged(code, facts), "direct": direct.match(code, facts)}
                if durable is not None:
                    sets["durable"] = durable.match(code, facts)
                assert len(set(sets.values())) == 1, disagreement(world, code, facts, sets)
    finally:
        if durable is not None:
            durable.close()
    SEEN.update(world.seen)


def test_matchers_agree_on_hostile_worlds() -> None:
    SEEN.clear()
    compare_worlds()
    rules = {result: SEEN["rule", result] for result in (True, False, None)}
    total = sum(rules.values())
    assert total >= 2_000 * WORLDS
    assert rules[True] >= 0.3 * total
    comparing = [
        f"{operator} {what}" for operator in ("==", "!=", "<", "<=", ">", ">=") for what in ("constant", "field")
    ]
    for operator in [*comparing, "in constant", "not in constant", "any", "all", "And", "Or", "Not", "Name"]:
        for result in (True, False, None):
            assert SEEN[operator, result] > 0, (operator, result)
    for result in (True, False):
        assert SEEN["has", result] > 0
        assert SEEN["constant", result] > 0
