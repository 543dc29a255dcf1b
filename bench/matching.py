"""Matching beside its peers: microseconds for an event against 10, 100 and 1,000 rules, 10 and 100 to a type.

The same rules are written for our two matchers, for zen-engine (a decision table for each type, from a
static loader, hit policy ``collect``) and for CLIPS (a rule each, its activations read and the fact
retracted); the same parsed events go to each, zen by its faster way of a dict and of JSON text. Of every
event the answers are compared. A table's rules ask for a level and an area, the last two for numbers;
one to three hold. Numbers have two places at most, so that the binary ones of the peers are harmless here.
Run: ``python -m bench.matching``.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import clips
import zen

from bench.results import Finding, table
from engine.direct import DirectMatcher
from engine.durable import DurableMatcher, available
from engine.event import Value
from rules.document import read_rulebook

SIZES = [(10, 10), (100, 10), (1_000, 10), (100, 100), (1_000, 100)]
"""Rules altogether, and to a type."""
EVENTS, QUICK = 500, 50
ROUNDS = 15
LEVELS = [f"level{n}" for n in range(10)]
AREAS = [f"area{n}" for n in range(10)]
NOTE = "经核实，该事项未按规定时限办理，已责成主办部门整改并报送书面说明。" * 2

Ask = Callable[["Sample"], frozenset[str]]


class Test(NamedTuple):
    """One rule as data, so that every engine is told the same."""

    code: str
    level: str | None = None
    area: str | None = None
    times: int | None = None
    rate: str | None = None


class Sample(NamedTuple):
    """One event, as each engine takes it."""

    type: str
    facts: Mapping[str, Value]
    plain: dict[str, Any]
    text: str


def tests(event_type: int, count: int) -> list[Test]:
    """So many rules of one type: all but two by level and area."""
    words = [Test(f"K{event_type}_{n}", level=LEVELS[n % 10], area=AREAS[n // 10 % 10]) for n in range(count - 2)]
    return [
        *words,
        Test(f"K{event_type}_{count - 2}", times=3),
        Test(f"K{event_type}_{count - 1}", area="area0", rate="80.5"),
    ]


def samples(types: int, per_type: int, count: int) -> list[Sample]:
    """Events, each of which fires at least one rule."""
    rng = random.Random(per_type)
    made = []
    for number in range(count):
        event_type = rng.randrange(types)
        rule = rng.randrange(per_type - 2)
        plain = {
            "level": LEVELS[rule % 10],
            "area": AREAS[rule // 10 % 10],
            "times": rng.randrange(1, 5),
            "rate": rng.randrange(7000, 10001) / 100,
            "note": NOTE,
            "subject": f"U{rng.randrange(500)}",
            "subject_kind": "unit",
            "subject_group": "county",
            "source": "supervision-office",
            "matter": f"M-2026-{number:06d}",
            "year": 2026,
            "month": 1 + number % 12,
        }
        facts: dict[str, Value] = {**plain, "rate": Decimal(str(plain["rate"]))}  # type: ignore[dict-item]
        made.append(Sample(f"type{event_type}", facts, plain, json.dumps(plain, ensure_ascii=False)))
    return made


# --- the engines ---


def ours(make: Callable[[Any], Any], rules: dict[str, list[Test]]) -> Ask:
    """One of our matchers."""
    fields = {
        "level": {"type": "choice", "choices": dict.fromkeys(LEVELS, "级")},
        "area": {"type": "choice", "choices": dict.fromkeys(AREAS, "类")},
        "times": {"type": "integer"},
        "rate": {"type": "decimal"},
        "note": {"type": "text"},
    }
    tree: dict[str, Any] = {
        "rulebook": "bench",
        "effective": "2026-01-01T00:00:00+08:00",
        "event_types": {event_type: {"fields": fields} for event_type in rules},
        "rules": [
            {"rule": test.code, "on": event_type, "when": condition(test), "points": "-0.10"}
            for event_type, listed in rules.items()
            for test in listed
        ],
    }
    matcher = make(read_rulebook(tree))
    return lambda sample: matcher.match(sample.type, sample.facts)


def condition(test: Test) -> str:
    """The test in our language."""
    parts = [f'{name} == "{word}"' for name, word in (("level", test.level), ("area", test.area)) if word]
    parts += [f"times >= {test.times}"] if test.times is not None else []
    parts += [f"rate < {test.rate}"] if test.rate is not None else []
    return " and ".join(parts)


def by_zen(rules: dict[str, list[Test]], *, text: bool) -> Ask:
    """zen-engine, by its static loader."""
    content = {event_type: graph(listed) for event_type, listed in rules.items()}
    engine = zen.ZenEngine({"loader": {"type": "static", "content": content}})

    def ask(sample: Sample) -> frozenset[str]:
        answer = engine.evaluate(sample.type, sample.text if text else sample.plain)
        return frozenset([row["code"] for row in answer["result"]])

    return ask


def graph(listed: list[Test]) -> dict[str, Any]:
    """A decision table between an input and an output."""
    cells = [
        {
            "_id": test.code,
            "level": json.dumps(test.level) if test.level else "",
            "area": json.dumps(test.area) if test.area else "",
            "times": "" if test.times is None else f">= {test.times}",
            "rate": "" if test.rate is None else f"< {test.rate}",
            "code": json.dumps(test.code),
        }
        for test in listed
    ]
    inputs = [{"id": name, "name": name, "field": name} for name in ("level", "area", "times", "rate")]
    outputs = [{"id": "code", "name": "code", "field": "code"}]
    place = {"x": 0, "y": 0}
    return {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": place},
            {
                "id": "table",
                "type": "decisionTableNode",
                "name": "table",
                "position": place,
                "content": {"hitPolicy": "collect", "inputs": inputs, "outputs": outputs, "rules": cells},
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": place},
        ],
        "edges": [
            {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }


def by_clips(rules: dict[str, list[Test]]) -> Ask:
    """CLIPS: a fact in, its activations read, the fact out."""
    environment = clips.Environment()
    environment.build("(deftemplate event (slot type) (slot level) (slot area) (slot times) (slot rate))")
    for event_type, listed in rules.items():
        for test in listed:
            environment.build(f'(defrule {test.code} (event (type "{event_type}") {pattern(test)}) =>)')
    template = environment.find_template("event")

    def ask(sample: Sample) -> frozenset[str]:
        plain = sample.plain
        fact = template.assert_fact(
            type=sample.type, level=plain["level"], area=plain["area"], times=plain["times"], rate=plain["rate"]
        )
        fired = frozenset([activation.name for activation in environment.activations()])
        fact.retract()
        return fired

    return ask


def pattern(test: Test) -> str:
    """The test as slots of a pattern."""
    slots = [f'({name} "{word}")' for name, word in (("level", test.level), ("area", test.area)) if word]
    slots += [f"(times ?t&:(>= ?t {test.times}))"] if test.times is not None else []
    slots += [f"(rate ?r&:(< ?r {test.rate}))"] if test.rate is not None else []
    return " ".join(slots)


# --- measuring ---


def clock(ask: Ask, events: list[Sample]) -> float:
    """Microseconds of processor an event: what others do on the machine meanwhile counts little."""
    begun = time.process_time()
    for sample in events:
        ask(sample)
    return (time.process_time() - begun) / len(events) * 1e6


def compare(total: int, per_type: int, count: int) -> dict[str, float]:
    """Microseconds an event by engine; the run ends where two disagree."""
    types = total // per_type
    rules = {f"type{n}": tests(n, per_type) for n in range(types)}
    engines: dict[str, Ask] = {"direct": ours(DirectMatcher, rules)}
    if available():
        engines["durable"] = ours(DurableMatcher, rules)
    engines |= {"zen, dict": by_zen(rules, text=False), "zen, text": by_zen(rules, text=True), "clips": by_clips(rules)}
    events = samples(types, per_type, count)
    for sample in events:
        answers = {name: ask(sample) for name, ask in engines.items()}
        if len(set(answers.values())) != 1 or not 1 <= len(answers["direct"]) <= 3:
            sys.exit(f"the engines disagree about {sample.plain}: {answers}")
    rounds = [{name: clock(ask, events) for name, ask in engines.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in engines}


def size_of(total: int, per_type: int) -> str:
    """So many rules."""
    return f"{total:,} rules, {per_type} a type"


def measure(*, quick: bool = False) -> Finding:
    """Every size; what to write down."""
    found = {size: compare(*size, QUICK if quick else EVENTS) for size in SIZES}
    rows, missed = [], []
    for (total, per_type), took in found.items():
        fastest = min(took["zen, dict"], took["zen, text"])
        durable = took.get("durable")
        ratio = fastest / took["direct"]
        rows.append(
            [
                size_of(total, per_type),
                f"{took['direct']:.1f}",
                "–" if durable is None else f"{durable:.1f}",
                f"{took['zen, dict']:.1f}",
                f"{took['zen, text']:.1f}",
                f"{took['clips']:.1f}",
                f"{ratio:.1f}×",
                "–" if durable is None else f"{fastest / durable:.2f}×",
            ]
        )
        if ratio < 5:
            missed.append(
                f"direct is {ratio:.1f} times as fast as zen-engine at {total:,} rules, {per_type} a type; 5 wanted."
            )
        if durable is not None and durable > fastest:
            slower = f"{durable / fastest:.1f} times as long as zen-engine"
            missed.append(f"durable takes {slower} at {size_of(total, per_type)}.")
    heads = ["rules", "direct", "durable", "zen, dict", "zen, text", "CLIPS", "zen ÷ direct", "zen ÷ durable"]
    size = statistics.mean(len(sample.text.encode()) for sample in samples(1, 10, 100))
    grown = found[1_000, 10]["direct"] / found[10, 10]["direct"]
    return Finding(
        title="Matching an event",
        command="python -m bench.matching",
        lines=(
            f"Median of {ROUNDS} rounds, in each the engines one after the other; microseconds of processor for an "
            f"event of {size:.0f} bytes, already parsed (zen, text parses it itself). One to three rules hold; "
            "every answer of every engine is compared. zen ÷ …: its faster way by ours, above 1 we are faster.",
            "",
            *table(heads, rows),
            "",
            f"From 10 rules to 1,000, ten a type, direct takes {grown:.2f} times as long.",
        ),
        missed=tuple(missed),
    )


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
