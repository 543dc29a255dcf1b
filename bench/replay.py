"""A fresh evaluation of a million events from a file, decoding included: seconds, and memory of all processes.

A hundred rules over ten types of events, ninety that charge and ten that carry charges on along two
hops; limits by the event, the month, the quarter and the year; matters, repetitions, factors. Events
of somewhat under 500 bytes lie in their order in a file, one JSON text a line. Two processes score half
of the subjects each, then each posts half in turn. On fewer events the sums are first compared with those
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
from engine.replay import Claims, Poster, Scored, Scorer, amount, contend, stake
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


class Done(NamedTuple):
    """What a process found for its subjects: the claims that count among them, or sums; its time and memory."""

    found: Any
    seconds: float
    memory: int


def score_part(path: Path, part: int) -> Done:
    """Decode and score the events of one part of the subjects; what they charge goes to a file, in turn."""
    gc.disable()  # nothing here makes cycles
    begun = time.process_time()
    claims: Claims = {}
    with path.open("rb") as file, _scored(path, part).open("wb") as out:
        scored = _score(office(), _own(file, part))
        while block := list(islice(scored, BLOCK)):
            stake(claims, block)
            marshal.dump(block, out)
        marshal.dump([], out)
    return Done(claims, time.process_time() - begun, memory())


def _scored(path: Path, part: int) -> Path:
    return path.with_suffix(f".{part}")


def _own(lines: Iterable[bytes], part: int) -> Iterator[bytes]:
    subject = msgspec.json.Decoder(_Subject)
    return (line for line in lines if part_of(subject.decode(line).subject) == part)


def part_of(subject: str) -> int:
    """Which process the subject's events and charges go to."""
    return crc32(subject.encode()) % PROCESSES


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


def post_part(path: Path, claims: Claims, part: int) -> Done:
    """Post for one part of the subjects what was scored, in turn. (Nothing here is booked on a later day.)"""
    gc.disable()
    begun = time.process_time()
    bureau = office()
    poster = Poster(bureau, claims, lambda subject: part_of(subject) == part)
    cents: dict[tuple[str, str, int], Any] = defaultdict(int)
    for scored in merge(*(_read(_scored(path, each)) for each in range(PROCESSES))):
        month = scored[0][:7]
        for _, _, place, subject, posted, _, _ in poster.post(scored):
            cents[month, subject, place] += posted
    rules = bureau.versions[0].rulebook.rules
    sums = {(month, subject, rules[place].code): amount(total) for (month, subject, place), total in cents.items()}
    return Done(sums, time.process_time() - begun, memory())


def _read(path: Path) -> Iterator[Scored]:
    with path.open("rb") as file:
        while block := marshal.load(file):
            yield from block


def memory() -> int:
    """The most that this process held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Run(NamedTuple):
    """The sums of a file, the seconds it took, and what the processes did that scored and that posted."""

    sums: Sums
    seconds: float
    scoring: list[Done]
    posting: list[Done]

    def bytes(self) -> int:
        """The most that all processes held together."""
        each = [max(one.memory, other.memory) for one, other in zip(self.scoring, self.posting, strict=True)]
        return sum(each) + memory()


def run(path: Path) -> Run:
    """Evaluate a file."""
    begun = time.perf_counter()
    parts = range(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        scoring = list(pool.map(score_part, [path] * PROCESSES, parts))
        claims: Claims = {}
        for each in scoring:
            for matter, claim in each.found.items():
                contend(claims, matter, claim)
        posting = list(pool.map(post_part, [path] * PROCESSES, [claims] * PROCESSES, parts))
    sums = {place: cents for each in posting for place, cents in each.found.items()}
    return Run(sums, time.perf_counter() - begun, scoring, posting)


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
        if run(few).sums != expected:
            sys.exit("the replay differs from the plain evaluation")
        done = run(many)
    scoring, posting = [each.seconds for each in done.scoring], [each.seconds for each in done.posting]
    missed = []
    if not quick and done.seconds > SECONDS:
        missed.append(
            f"{done.seconds:.0f} s for {SECONDS} s. The processor was at work for {max(scoring) + max(posting):.0f} s "
            "on the longest way; the rest is starting, passing on, and waiting for cores that others use."
        )
    if done.bytes() > BYTES:
        missed.append(f"{done.bytes() / 1e6:.0f} MB for {BYTES / 1e6:.0f} MB.")
    rows = [
        ["events", f"{count:,}"],
        ["bytes an event", f"{size / count:.0f}"],
        ["seconds", f"{done.seconds:.1f}"],
        ["of processor, decoding and scoring", " and ".join(f"{each:.1f} s" for each in scoring)],
        ["of processor, posting", " and ".join(f"{each:.1f} s" for each in posting)],
        ["microseconds of processor an event", f"{sum(scoring + posting) / count * 1e6:.0f}"],
        ["the same by the plain evaluation, in one process", f"{plainly * 1e6:.0f}"],
        ["most memory, all processes", f"{done.bytes() / 1e6:.0f} MB"],
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
