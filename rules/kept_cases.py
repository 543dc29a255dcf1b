"""The draft's own cases (自测用例): kept beside its rules, written one at a time, each known by what it says.

A case's key is made of its content: whoever edits it means what was read, and where somebody has changed it since,
that key is nobody's any more. Names are told apart when a case is written here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.finding import Finding, Refused
from engine.language import message
from engine.rulebook import Rulebook
from engine.scalar import Raw
from rules.case import Case, read_case
from rules.draft import Stale, lock_draft, read_draft, tree_hash
from rules.place import Findings, Place
from rules.rows import Document, to_json
from rules.tables import Draft
from rules.tree import dump_yaml, load_yaml

LONGEST = 200_000
"""Characters of one case."""
KEY_LENGTH = 16

Cases = list[Raw]


def cases_of(tree: Document) -> Cases:
    """The cases of a draft, as they are written."""
    held = tree.get("cases")
    return list(held) if isinstance(held, list) else []


def key_of(raw: Raw) -> str:
    """What a case is known by: the same content, the same key."""
    return tree_hash(raw)[:KEY_LENGTH]


def name_of(raw: Raw) -> str:
    """A case's name, whatever else is wrong with it."""
    name = raw.get("case") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) else ""


def find(cases: Sequence[Raw], key: str) -> int | None:
    """The place of the case of that key."""
    return next((at for at, raw in enumerate(cases) if key_of(raw) == key), None)


def read_kept(raw: Raw, rulebook: Rulebook) -> Case:
    """A case kept beside a rulebook, typed. Refused with every finding; paths are those inside the case."""
    findings = Findings()
    case = read_case(Place(raw, findings), None, rulebook)
    findings.close()
    return case


def read_text(text: str, rulebook: Rulebook) -> Raw:
    """The case that a text says, as a tree. Refused with the lines of what is wrong."""
    if len(text) > LONGEST:
        raise Refused(Finding(message=message("kept.long", most=LONGEST)))
    trees = load_yaml(text)
    if len(trees) != 1:
        raise Refused(Finding(message=message("kept.one", count=len(trees)), line=1))
    findings = Findings(trees[0].lines)
    read_case(Place(trees[0].raw, findings), None, rulebook)
    findings.close()
    return trees[0].raw


def as_text(raw: Raw) -> str:
    """A case as a text that a person edits."""
    return dump_yaml(raw)


def plain(raw: Raw) -> Any:
    """The tree with every scalar as its text, as it comes back when the text was edited."""
    return load_yaml(dump_yaml(raw))[0].raw


def named_apart(name: str, cases: Sequence[Raw], pattern: str) -> str:
    """A name that no case has yet; ``pattern`` makes further ones of ``{name}`` and ``{number}``."""
    taken = {name_of(raw) for raw in cases}
    made, number = name, 1
    while made in taken:
        number += 1
        made = pattern.format(name=name, number=number)
    return made


async def change_cases(change: Callable[[Cases], Cases], *, replacing: str | None = None) -> None:
    """Change the draft's cases, whole or not at all. ``replacing``: the draft's hash that is meant, else Stale."""
    database: Any = Draft._meta.db
    async with database.transaction(allow_nested=True):
        await lock_draft()
        tree = await read_draft()
        if replacing is not None and tree_hash(tree) != replacing:
            raise Stale(Finding(message=message("draft.stale")))
        cases = change(cases_of(tree))
        if not await Draft.exists().where(Draft.id == 1):
            raise Refused(Finding(message=message("kept.no_draft")))
        await Draft.update({Draft.cases_json: to_json(cases) if cases else ""}).where(Draft.id == 1)


def put(cases: Cases, raw: Raw, key: str | None = None) -> Cases:
    """The cases with one more, or with another one in the place of that key. Stale where nobody has it any more."""
    at = None if key is None else find(cases, key)
    if key is not None and at is None:
        raise Stale(Finding(message=message("kept.changed")))
    others = [each for place, each in enumerate(cases) if place != at]
    if name_of(raw) in {name_of(each) for each in others}:
        raise Refused(Finding(path="case", message=message("kept.name_taken", name=name_of(raw))))
    return [*cases, raw] if at is None else [*cases[:at], raw, *cases[at + 1 :]]


def rename_rule(raw: Raw, before: str, after: str) -> Raw:
    """The case as it reads once a rule has another code: wherever it expects what was posted by the rule.

    A case that brings rulebooks of its own means theirs, and stays as it is.
    """
    steps = raw.get("steps") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(steps, list) or raw.keys() & {"rulebook", "versions"}:
        return raw
    if any(isinstance(step, Mapping) and "publish" in step for step in steps):
        return raw
    return {**raw, "steps": [_rename_in_step(step, before, after) for step in steps]}


def _rename_in_step(step: Raw, before: str, after: str) -> Raw:
    expected = step.get("expect") if isinstance(step, Mapping) else None
    posted = expected.get("posted") if isinstance(expected, Mapping) else None
    if not isinstance(step, Mapping) or not isinstance(expected, Mapping) or not isinstance(posted, list):
        return step
    renamed = [
        {**each, "rule": after} if isinstance(each, Mapping) and each.get("rule") == before else each for each in posted
    ]
    return {**step, "expect": {**expected, "posted": renamed}}


def remove(cases: Cases, key: str) -> Cases:
    """The cases without that one. Stale where nobody has its key any more."""
    at = find(cases, key)
    if at is None:
        raise Stale(Finding(message=message("kept.changed")))
    return [*cases[:at], *cases[at + 1 :]]
