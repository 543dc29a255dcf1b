"""A fresh evaluation of a million events from a file, decoding included: seconds, and memory of all processes.

A hundred rules over ten types of events, ninety that charge and ten that carry charges on along two
hops; limits by the event, the month, the quarter and the year; matters, repetitions, factors. Events
of somewhat under 500 bytes lie in their order in a file, one JSON text a line. Two processes score half
of the subjects each, then one posts in turn. On fewer events the sums are first compared with those
of :func:`engine.evaluation.evaluate`. Run: ``python -m bench.replay``.
"""

import gc
import json
import marshal
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import merge
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from bench.results import Finding, table
from engine.amount import ZERO
from engine.bureau import Bureau
from engine.decoding import Decoder
from engine.direct import DirectMatcher
from engine.evaluation import evaluate
from engine.organisation import Organisation
from engine.period import Calendar
from engine.publication import succeed
from engine.replay import Claims, Posted, Poster, Scored, Scorer, amount, contend, stake
from engine.rulebook import Version
from rules.document import read_rulebook
from rules.roster import read_periods, read_relations, read_subjects

EVENTS, QUICK, COMPARED = 1_000_000, 20_000, 20_000
PROCESSES = 2
BLOCK = 2_000
SECONDS, BYTES = 40, 1_500_000_000
UNITS, PEOPLE = 100, 400
TYPES = 10
LEVELS = ["state", "province", "city", "county"]
AREAS = [f"area{n}" for n in range(7)]

Sums = dict[tuple[str, str, str], Decimal]
"""By month of booking, subject and rule."""


def rulebook() -> dict[str, Any]:
    """A hundred rules."""
    rules: list[dict[str, Any]] = []
    for kind in range(TYPES):
        rules += [_rule(kind, place) for place in range(9)]
    for place in range(10):
        rules.append(
            {
                "rule": f"J{place}",
                "joint": ["lead_dept", "principal"][place % 2],
                "of": [f"K{kind}{place % 9}" for kind in range(TYPES)],
                "share": f"0.{place % 3 + 2}",
                "max": "1.00",
                "limits": ["joint-quarter"],
                **({"split": "pro_rata"} if place == 4 else {}),
            }
        )
    fields = {
        "level": {"type": "choice", "required": "true", "choices": dict.fromkeys(LEVELS, "级")},
        "area": {"type": "choice", "choices": dict.fromkeys(AREAS, "类")},
        "times": {"type": "integer"},
        "rate": {"type": "decimal"},
        "due": {"type": "date"},
        "done": {"type": "date"},
        "late": {"type": "integer", "days_late": {"due": "due", "done": "done"}},
        "note": {"type": "text"},
    }
    return {
        "rulebook": "bench",
        "effective": "2026-01-01T00:00:00+08:00",
        "joint": {"depth": "2"},
        "event_types": {f"type{kind}": {"fields": fields} for kind in range(TYPES)},
        "limits": {
            "event": {"per": "event", "max": "4.00"},
            "month": {"per": "month", "sign": "deduction", "max": "20.00"},
            "joint-quarter": {"per": "quarter", "max": "15.00"},
            "year": {"per": "year", "max": "90.00"},
        },
        "rules": rules,
    }


def _rule(kind: int, place: int) -> dict[str, Any]:
    """One of the nine rules on a type: four by level, the others by other fields as well."""
    level = LEVELS[place % 4]
    rule: dict[str, Any] = {"rule": f"K{kind}{place}", "on": f"type{kind}", "points": f"-0.{place + 1}0"}
    match place:
        case 0 | 1 | 2 | 3:
            rule |= {"when": f'level == "{level}"', "limits": ["month", "year"]}
            if place == 1:
                rule |= {"matter": "highest"}
            if place == 2:
                rule |= {"factors": [{"repeat": {"within_days": "30", "same": ["area"]}, "by": "2"}]}
        case 4:
            rule |= {
                "when": "late > 0",
                "points": {"field": "late", "progressive": [["3", "-0.10"], [None, "-0.20"]]},
                "max": "2.00",
            }
        case 5:
            rule |= {"when": f'area == "area1" and level != "{level}"', "times": "times", "limits": ["event"]}
        case 6:
            rule |= {"when": 'rate >= 98.5 and area in ["area2", "area3"]', "points": "0.30", "limits": ["year"]}
        case 7:
            rule |= {
                "when": 'area == "area5" and rate < 80',
                "points": {"field": "rate", "share": "-0.01"},
                "charge": "principal",
            }
        case 8:
            rule |= {
                "when": 'area == "area6" and times > 2',
                "factors": [{"when": 'charged_kind == "unit"', "by": "1.5"}],
            }
    return rule


def office() -> Bureau:
    """A hundred units and four hundred people; each unit has a lead department and two principals."""
    subjects: list[Any] = [{"code": f"U{n}", "kind": "unit", "group": "county"} for n in range(UNITS)]
    subjects += [{"code": f"P{n}", "kind": "person", "unit": f"U{n % UNITS}", "group": "staff"} for n in range(PEOPLE)]
    relations: list[Any] = [
        {"subject": f"U{n}", "relation": "lead_dept", "answers": f"U{(n + 1) % UNITS}"} for n in range(UNITS)
    ]
    relations += [{"subject": f"U{n % UNITS}", "relation": "principal", "answers": f"P{n}"} for n in range(2 * UNITS)]
    periods: list[Any] = [{"code": "2026", "kind": "year", "from": "2026-01-01", "to": "2027-01-01"}]
    bureau = Bureau(
        organisation=Organisation(read_subjects(subjects), read_relations(relations)),
        calendar=Calendar(read_periods(periods)),
    )
    return succeed(bureau, read_rulebook(rulebook()))


def write_events(path: Path, count: int) -> int:
    """So many events of 2026 in their order; the size of the file."""
    rng = random.Random(2026)
    step = timedelta(seconds=360 * 86_400 / count)
    with path.open("wb") as file:
        for number in range(count):
            at = datetime(2026, 1, 1, tzinfo=UTC) + number * step
            file.write(json.dumps(event(rng, number, at), ensure_ascii=False).encode() + b"\n")
    return path.stat().st_size


def event(rng: random.Random, number: int, at: datetime) -> dict[str, Any]:
    """An event as an upstream system reports it."""
    due = at.date() - timedelta(days=rng.randrange(-5, 6))
    data: dict[str, Any] = {
        "level": rng.choice(LEVELS),
        "area": rng.choice(AREAS),
        "times": rng.randrange(1, 4),
        "rate": rng.randrange(7000, 10001) / 100,
        "note": "经核实，该事项未按规定时限办理，已责成主办部门整改并报送书面说明。",
    }
    if rng.random() < 0.2:
        data |= {"due": due.isoformat(), "done": (due + timedelta(days=rng.randrange(0, 12))).isoformat()}
    return {
        "id": f"DB-2026-{number:07d}",
        "source": f"system{number % 5}",
        "type": f"type{rng.randrange(TYPES)}",
        "subject": f"U{rng.randrange(UNITS)}" if rng.random() < 0.6 else f"P{rng.randrange(PEOPLE)}",
        "time": at.isoformat(timespec="milliseconds"),
        "recorded_at": (at + timedelta(hours=1)).isoformat(timespec="seconds"),
        "matter": f"M-2026-{rng.randrange(100_000):06d}",
        "basis": f"县局督查通报〔2026〕{number % 400}号",
        "data": data,
        **({"parties": {"lead_dept": [f"U{rng.randrange(UNITS)}"]}} if rng.random() < 0.05 else {}),
    }


class _Subject(msgspec.Struct):
    """Of a report only whom it is about."""

    subject: str


class Part(NamedTuple):
    """What one process made of its subjects: events in turn, block by block, and the claims that count among them."""

    blocks: list[bytes]
    claims: Claims
    seconds: float
    memory: int


def score_part(path: Path, part: int) -> Part:
    """Decode and score the events of every so manieth subject."""
    gc.disable()  # nothing here makes cycles
    begun = time.process_time()
    bureau = office()
    blocks: list[bytes] = []
    claims: Claims = {}
    with path.open("rb") as file:
        scored = _score(bureau, _own(file, part))
        while block := list(islice(scored, BLOCK)):
            stake(claims, block)
            blocks.append(marshal.dumps(block))
    return Part(blocks, claims, time.process_time() - begun, memory())


def _own(lines: Iterable[bytes], part: int) -> Iterator[bytes]:
    subject = msgspec.json.Decoder(_Subject)
    return (line for line in lines if crc32(subject.decode(line).subject.encode()) % PROCESSES == part)


def _score(bureau: Bureau, lines: Iterable[bytes]) -> Iterator[Scored]:
    decoder, scorer = Decoder(bureau), Scorer(bureau, matchers())
    for line in lines:
        scored = scorer.score(decoder.decode(line))
        if scored is not None:
            yield scored


def matchers() -> Any:
    """One matcher a version."""
    known: dict[int, DirectMatcher] = {}

    def matcher(version: Version) -> DirectMatcher:
        found = known.get(version.number)
        if found is None:
            found = known[version.number] = DirectMatcher(version.rulebook)
        return found

    return matcher


def post_parts(parts: list[Part]) -> Sums:
    """Post what the processes scored, in turn; nothing here is booked on another day than its own."""
    gc.disable()
    claims: Claims = {}
    for part in parts:
        for matter, claim in part.claims.items():
            contend(claims, matter, claim)
    bureau = office()
    poster = Poster(bureau, claims)
    cents: dict[tuple[str, str, int], Any] = defaultdict(int)
    for scored in merge(*(_unpack(part.blocks) for part in parts)):
        month = scored[0][:7]
        posted: Posted
        for posted in poster.post(scored):
            cents[month, posted[3], posted[2]] += posted[4]
    rules = bureau.versions[0].rulebook.rules
    return {(month, subject, rules[place].code): amount(total) for (month, subject, place), total in cents.items()}


def _unpack(blocks: list[bytes]) -> Iterator[Scored]:
    blocks.reverse()
    while blocks:
        yield from marshal.loads(blocks.pop())


def memory() -> int:
    """The most that this process held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(path: Path) -> tuple[Sums, float, list[int], list[float]]:
    """The sums of a file, the seconds it took, and what each process held and computed."""
    begun = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(score_part, [path] * PROCESSES, range(PROCESSES)))
    posting = time.process_time()
    sums = post_parts(parts)
    took = time.perf_counter() - begun
    computed = [*(part.seconds for part in parts), time.process_time() - posting]
    return sums, took, [*(part.memory for part in parts), memory()], computed


def plain(path: Path) -> tuple[Sums, float]:
    """The sums of a file by the plain evaluation, and the seconds of processor that an event took."""
    begun = time.process_time()
    bureau = office()
    decoder = Decoder(bureau)
    with path.open("rb") as file:
        postings = evaluate(bureau, [decoder.decode(line) for line in file], matchers())
    sums: Sums = {}
    for posting in postings.values():
        key = posting.charge.key
        place = posting.booked.isoformat()[:7], key.subject, key.rule
        sums[place] = sums.get(place, ZERO) + posting.posted
    return sums, (time.process_time() - begun) / COMPARED


def measure(*, quick: bool = False) -> Finding:
    """Compare, measure; what to write down."""
    count = QUICK if quick else EVENTS
    with TemporaryDirectory() as folder:
        few, many = Path(folder) / "few.ndjson", Path(folder) / "many.ndjson"
        write_events(few, COMPARED)
        size = write_events(many, count)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            expected, plainly = pool.submit(plain, few).result()
        if run(few)[0] != expected:
            sys.exit("the replay differs from the plain evaluation")
        _, took, held, computed = run(many)
    alone = max(computed[:-1]) + computed[-1]
    missed = []
    if not quick and took > SECONDS:
        missed.append(
            f"{took:.0f} s for {SECONDS} s. The processor was at work for {alone:.0f} s on the longest way (the slower "
            "process that scores, then the one that posts); the rest is waiting for cores that others use."
        )
    if sum(held) > BYTES:
        missed.append(f"{sum(held) / 1e6:.0f} MB for {BYTES / 1e6:.0f} MB.")
    rows = [
        ["events", f"{count:,}"],
        ["bytes an event", f"{size / count:.0f}"],
        ["seconds", f"{took:.1f}"],
        ["of processor, scoring (two processes)", " and ".join(f"{each:.1f} s" for each in computed[:-1])],
        ["of processor, posting (one process)", f"{computed[-1]:.1f} s"],
        ["microseconds of processor an event", f"{sum(computed) / count * 1e6:.0f}"],
        ["the same by the plain evaluation, in one process", f"{plainly * 1e6:.0f}"],
        ["most memory, all processes", f"{sum(held) / 1e6:.0f} MB"],
    ]
    return Finding(
        title="A fresh evaluation from a file",
        command="python -m bench.replay",
        lines=(
            "100 rules over ten types of events, joint liability along two hops, four limits, matters, repetitions; "
            "500 subjects. NDJSON in, sums by month, subject and rule out; compared with the plain evaluation on "
            f"{COMPARED:,} events.",
            "",
            *table(["what", "found"], rows),
        ),
        missed=tuple(missed),
    )


if __name__ == "__main__":
    finding = measure(quick="--quick" in sys.argv)
    print("\n".join((*finding.lines, *finding.missed)))
