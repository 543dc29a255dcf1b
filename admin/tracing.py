"""The draft's cases run (用例运行): what each came to, remembered as long as neither the case nor the rules change.

A worker remembers so many traces. A list of many cases is run for so long at a time; the others are told to be not
run yet.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.rulebook import Rulebook
from engine.scalar import Raw
from rules.checking import Mismatch, Side
from rules.document import read_rulebook
from rules.draft import dated, tree_hash
from rules.kept_cases import cases_of, key_of, name_of, read_kept
from rules.proposal import read_rulebook_leniently
from rules.rows import Document
from rules.trace import Trace, trace_case

MOST_REMEMBERED = 2_000
MOST_DRAFTS = 8
AT_ONCE = 1.5
"""Seconds for which a page runs cases that were not run before."""
AT_LENGTH = 20.0
"""Seconds for which it does where it was asked to run them all."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A case of the draft and what came of it: a trace, or what keeps it from being read, or nothing yet."""

    place: int
    key: str
    name: str
    raw: Raw
    trace: Trace | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> str:
        """``passes``, ``fails``, ``unreadable``, or ``waits``."""
        if self.findings:
            return "unreadable"
        if self.trace is None:
            return "waits"
        return "passes" if self.trace.result.holds else "fails"

    @property
    def first(self) -> Mismatch | None:
        """The first thing that came out differently."""
        return self.trace.result.mismatches[0] if self.trace is not None and self.trace.result.mismatches else None


_remembered: dict[tuple[str, str], Trace] = {}


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The draft's rules by themselves: what can be read of them, and the errors that keep cases from being run."""

    hash: str
    rulebook: Rulebook
    errors: tuple[Finding, ...] = ()


_read: dict[str, Rules] = {}


def rules_of(tree: Document) -> Rules:
    """The draft's rules, read once as long as they do not change; they need no effective time to be tried."""
    alone = {key: value for key, value in tree.items() if key != "cases"}
    hashed = tree_hash(alone)
    found = _read.get(hashed)
    if found is None:
        errors: tuple[Finding, ...] = ()
        try:
            rulebook = read_rulebook(dated(alone, None if alone.get("effective") else datetime.now(UTC)))
        except Refused as refused:
            errors = tuple(each for each in refused.findings if each.level == "error")
            rulebook = read_rulebook_leniently(alone)
        if len(_read) >= MOST_DRAFTS:
            _read.clear()
        found = _read[hashed] = Rules(hash=hashed, rulebook=rulebook, errors=errors)
    return found


async def run_kept(tree: Document, *, seconds: float = AT_ONCE, only: Iterable[str] | None = None) -> list[Kept]:
    """Every case of the draft, run if there is time; ``only``: of these keys. None is run while the draft is broken."""
    chosen = None if only is None else frozenset(only)
    found = [Kept(place=at, key=key_of(raw), name=name_of(raw), raw=raw) for at, raw in enumerate(cases_of(tree))]
    if chosen is not None:
        found = [each for each in found if each.key in chosen]
    rules = rules_of(tree)
    if rules.errors:
        return [_read_only(each, rules.rulebook) for each in found]
    return await asyncio.to_thread(_run, found, rules.rulebook, rules.hash, time.monotonic() + seconds)


def _run(found: Sequence[Kept], rulebook: Rulebook, rules: str, until: float) -> list[Kept]:
    done = []
    for each in found:
        known = _remembered.get((rules, each.key))
        if known is not None or time.monotonic() > until:
            done.append(msgspec.structs.replace(each, trace=known))
            continue
        try:
            case = read_kept(each.raw, rulebook)
        except Refused as refused:
            done.append(msgspec.structs.replace(each, findings=refused.findings))
            continue
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        trace = _remembered[rules, each.key] = trace_case(case)
        done.append(msgspec.structs.replace(each, trace=trace))
    return done


def _read_only(each: Kept, rulebook: Rulebook) -> Kept:
    try:
        read_kept(each.raw, rulebook)
    except Refused as refused:
        return msgspec.structs.replace(each, findings=refused.findings)
    return each


# in words

_FIGURES = frozenset(("total", "final", "rank", "tier"))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A mismatch for people: whose, by which rule (none: a figure), of what; both sides. No subject: ``what`` says it
    all."""

    step: int
    what: Message
    subject: str = ""
    rule: str = ""
    expected: Side
    actual: Side


def tell(each: Mismatch) -> Told:
    """A mismatch with its subject and rule by themselves, where it is about what was posted."""
    args = each.what.args
    if each.what.key == "checking.posted" and isinstance(of := args["of"], Message):
        return Told(step=each.step, what=of, subject=str(args["subject"]), rule=str(args["rule"]),
                    expected=each.expected, actual=each.actual)  # fmt: skip
    if (figure := each.what.key.removeprefix("checking.")) in _FIGURES:
        what = message(f"kept.figure.{figure}", period=args["period"])
        return Told(step=each.step, what=what, subject=str(args["subject"]), expected=each.expected, actual=each.actual)
    return Told(step=each.step, what=each.what, expected=each.expected, actual=each.actual)


def say(told: Told, names: Mapping[str, str], titles: Mapping[str, str]) -> Message:
    """The mismatch as one sentence."""
    sides = {"expected": signed(told.expected), "actual": signed(told.actual)}
    if not told.subject:
        return message("kept.differs", step=told.step, what=told.what, **sides)
    if not told.rule:
        subject = _named(told.subject, names)
        return message("kept.differs_figure", step=told.step, subject=subject, what=told.what, **sides)
    return message(
        "kept.differs_posted",
        step=told.step,
        of=told.what,
        subject=_named(told.subject, names),
        rule=f"{told.rule} {titles.get(told.rule, '')}".strip(),
        **sides,
    )


def signed(side: Side) -> Side:
    """A figure with a real minus sign."""
    return side.replace("-", "−") if isinstance(side, str) and side[:1] == "-" else side


def names_in(raw: Raw) -> dict[str, str]:
    """The names that a case gives its own subjects."""
    held = raw.get("subjects") if isinstance(raw, Mapping) else None
    subjects = [each for each in held if isinstance(each, Mapping)] if isinstance(held, list) else []
    return {str(each.get("code")): str(each["name"]) for each in subjects if each.get("name")}


def _named(code: str, names: Mapping[str, str]) -> Message | str:
    return message("kept.named", name=names[code], code=code) if names.get(code) else code
