"""A case (用例): events in, entries out; what a rulebook must lead to, step by step.

A file holds one case a document; a document that is a rulebook stands for the cases kept in it.
Events stay as they were written, for to be refused may be what is expected of one. Anything else
that is wrong refuses the file, with line and path.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path as File
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from engine import scalar
from engine.finding import Finding, Refused
from engine.organisation import Relation, Subject
from engine.period import Period
from engine.rulebook import Rulebook
from engine.scalar import Raw, Unfit, shown
from rules.document import check_succession, read_document, read_document_at
from rules.place import BLANK, Findings, Keys, Place
from rules.roster import read_periods_at, read_relations_at, read_subjects_at
from rules.tree import Path, Tree, load

T = TypeVar("T")
TIMEZONE = "Asia/Shanghai"
KEYS = ("case", "timezone", "rulebook", "versions", "subjects", "relations", "periods", "steps")


class EventStep(msgspec.Struct, frozen=True, kw_only=True, tag="event"):
    """One event is reported."""

    event: Raw


class EventsStep(msgspec.Struct, frozen=True, kw_only=True, tag="events"):
    """Events are reported one after the other."""

    events: tuple[Raw, ...]


class Retract(msgspec.Struct, frozen=True, kw_only=True, tag="retract"):
    """An event is withdrawn. No source: the id is enough."""

    id: str
    source: str | None = None
    reason: str = ""


class Correct(msgspec.Struct, frozen=True, kw_only=True, tag="correct"):
    """An event is withdrawn and replaced."""

    id: str
    source: str | None = None
    reason: str = ""
    event: Raw


class Publish(msgspec.Struct, frozen=True, kw_only=True, tag="publish"):
    """A further version comes into being."""

    rulebook: Rulebook


class Organise(msgspec.Struct, frozen=True, kw_only=True, tag="organise"):
    """Subjects and relations change."""

    since: date
    subjects: tuple[Subject, ...] = ()
    relations: tuple[Relation, ...] = ()


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag="settle"):
    """The rules of the period as a whole run."""

    period: str


class Close(msgspec.Struct, frozen=True, kw_only=True, tag="close"):
    """The period is closed."""

    period: str


class Reopen(msgspec.Struct, frozen=True, kw_only=True, tag="reopen"):
    """The period is opened again."""

    period: str


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted so far for an event or a period, a rule and a subject."""

    event: str | None = None
    source: str | None = None
    period: str | None = None
    rule: str
    subject: str
    points: Decimal


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is refused. No source: the id is enough."""

    id: str
    source: str | None = None


class Expect(msgspec.Struct, frozen=True, kw_only=True, tag="expect"):
    """What must hold now. What is None is not checked; a figure that is None must be none.

    ``posted`` and ``refused`` are exact sets; the others check what they list.
    """

    period: str | None = None
    totals: Mapping[str, Decimal | None] = {}
    final: Mapping[str, Decimal | None] = {}
    ranks: Mapping[str, int | None] = {}
    tiers: Mapping[str, int | None] = {}
    awards: Mapping[str, frozenset[str]] = {}
    posted: tuple[Sum, ...] | None = None
    refused: tuple[RefusedEvent, ...] | None = None


Step = EventStep | EventsStep | Retract | Correct | Publish | Organise | Settle | Close | Reopen | Expect


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case, typed. ``versions`` are in force from the beginning, in the order of their numbers."""

    name: str
    timezone: str = TIMEZONE
    versions: tuple[Rulebook, ...]
    subjects: tuple[Subject, ...] = ()
    relations: tuple[Relation, ...] = ()
    periods: tuple[Period, ...] = ()
    steps: tuple[Step, ...] = ()


def read_cases(text: str | bytes, folder: File | None = None) -> list[Case]:
    """The cases of a file; ``folder`` is where the files that it names are. Refused with every finding."""
    return [case for tree in load(text) for case in read_contents(tree, folder).cases]


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What one document of a file holds: its cases, and what is odd in it. ``rulebook``: it is one, with its own."""

    cases: tuple[Case, ...]
    warnings: tuple[Finding, ...] = ()
    rulebook: Rulebook | None = None


def read_contents(tree: Tree, folder: File | None = None) -> Contents:
    """The cases of one document, a case or a rulebook with its own. Refused with every finding."""
    if isinstance(tree.raw, Mapping) and "case" not in tree.raw and isinstance(tree.raw.get("rulebook"), str):
        document = read_document(tree.raw, tree.lines)
        own = read_own_cases(document.rulebook, document.cases, tree.lines, folder)
        return Contents(cases=tuple(own), warnings=document.warnings, rulebook=document.rulebook)
    findings = Findings(tree.lines)
    case = read_case(Place(tree.raw, findings), folder)
    findings.close()
    return Contents(cases=(case,), warnings=tuple(findings.found))


def read_own_cases(
    rulebook: Rulebook, cases: Sequence[Raw], lines: Mapping[Path, int] | None = None, folder: File | None = None
) -> list[Case]:
    """The cases that are kept beside a rulebook's rules: where they name no rulebook they are about this one, which
    then rules from their first event on."""
    findings = Findings(lines)
    place = Place(list(cases), findings, ("cases",))
    read = [read_case(here, folder, rulebook) for here in place.items()]
    findings.close()
    return read


def read_case(place: Place, folder: File | None = None, itself: Rulebook | None = None) -> Case:
    """The case that stands at a place; what is wrong is added to the findings of that place."""
    keys = place.keys(*KEYS)
    reader = _Reader(keys, folder)
    if "rulebook" in keys or itself is None:
        first = keys.need("rulebook", reader.rulebook)
    else:
        first = itself
    further = [(reader.rulebook(here), here) for here in keys.items("versions")]
    reader.versions = [] if first is None else [first]
    for version, here in further:
        reader.succeed(version, here)
    in_force = tuple(reader.versions)
    subjects = keys.get("subjects", read_subjects_at) or ()
    reader.subjects = {subject.code: subject for subject in subjects}
    relations = keys.get("relations", lambda here: read_relations_at(here, known=reader.subjects)) or ()
    periods = keys.get("periods", read_periods_at) or ()
    reader.periods = {period.code for period in periods}
    read = [reader.step(here) for here in keys.items("steps")]
    steps = tuple(step for step in read if step is not None)
    if itself is not None and "rulebook" not in keys:
        in_force = (_reach_back(itself, steps), *in_force[1:])
    return Case(
        name=keys.need("case", Place.title),
        timezone=keys.get("timezone", _timezone, TIMEZONE),
        versions=in_force,
        subjects=subjects,
        relations=relations,
        periods=periods,
        steps=steps,
    )


def _reach_back(rulebook: Rulebook, steps: Iterable[Step]) -> Rulebook:
    """The rulebook that a case is kept beside, in force from the case's first event on: the case tries its rules,
    not from when they will rule. An event that is expected to be refused does not count."""
    events: list[Raw] = []
    refused: set[str] = set()
    for step in steps:
        if isinstance(step, EventsStep):
            events += step.events
        elif isinstance(step, (EventStep, Correct)):
            events.append(step.event)
        elif isinstance(step, Expect):
            refused |= {each.id for each in step.refused or ()}
    first = min(filter(None, (_time(event) for event in events if not _among(event, refused))), default=None)
    if first is None or first >= rulebook.effective:
        return rulebook
    return msgspec.structs.replace(rulebook, effective=first)


def _among(event: Raw, refused: Collection[str]) -> bool:
    return isinstance(event, Mapping) and str(event.get("id")) in refused


def _time(event: Raw) -> datetime | None:
    try:
        return scalar.instant(event.get("time")) if isinstance(event, Mapping) else None
    except Unfit:
        return None


def _timezone(place: Place) -> str:
    name = place.word()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        place.refuse("case.timezone", given=shown(name))
    return name


class _Reader:
    """Reads the steps of one case, knowing what was defined before each."""

    def __init__(self, keys: Keys, folder: File | None) -> None:
        self.keys = keys
        self.folder = folder
        self.versions: list[Rulebook] = []
        self.subjects: dict[str, Subject] = {}
        self.periods: set[str] = set()

    def rulebook(self, place: Place) -> Rulebook | None:
        """A rulebook that is written out, or the file that holds it."""
        if isinstance(place.raw, Mapping) and set(place.raw) == {"file"}:
            tree = self._open(place.at("file", place.raw["file"]))
            return None if tree is None else self._of_file(tree, place)
        before = len(place.findings.errors)
        document = read_document_at(place)
        return document.rulebook if len(place.findings.errors) == before else None

    def _open(self, place: Place) -> Tree | None:
        name = place.title()
        if self.folder is None or name == BLANK:
            place.refuse("case.no_files")
            return None
        try:
            trees = load((self.folder / name).read_bytes())
        except OSError:
            place.refuse("case.file", file=name)
            return None
        except Refused as refused:
            place.findings.found += [
                msgspec.structs.replace(finding, path=f"{name}:{finding.path}") for finding in refused.findings
            ]
            return None
        if len(trees) != 1:
            place.refuse("case.one_document", file=name, count=len(trees))
            return None
        return trees[0]

    def _of_file(self, tree: Tree, place: Place) -> Rulebook | None:
        try:
            return read_document(tree.raw, tree.lines).rulebook
        except Refused as refused:
            file = place.raw["file"] if isinstance(place.raw, Mapping) else BLANK
            place.findings.found += [
                msgspec.structs.replace(finding, path=f"{file}:{finding.path}") for finding in refused.findings
            ]
            return None

    def succeed(self, version: Rulebook | None, place: Place) -> None:
        """A further version, which may not change what a limit is."""
        if version is None:
            return
        for finding in check_succession(self.versions, version):
            place.findings.add(place.path, finding.message)
        self.versions.append(version)

    def step(self, place: Place) -> Step | None:
        """One step: a mapping of exactly one key."""
        keys = place.keys(*_STEPS)
        if len(keys.inside) != 1:
            if not keys.broken:
                place.refuse("case.step", steps=", ".join(_STEPS))
            return None
        ((name, here),) = keys.inside.items()
        return _STEPS[name](self, here)

    def event(self, place: Place) -> Step:
        """An event, as written."""
        return EventStep(event=self._event(place))

    def events(self, place: Place) -> Step:
        """Events, as written."""
        return EventsStep(events=place.each(self._event))

    def _event(self, place: Place) -> Raw:
        if not isinstance(place.raw, Mapping):
            place.refuse("report.mapping", given=shown(place.raw))
        return place.raw

    def retract(self, place: Place) -> Step:
        """The withdrawal of an event."""
        keys = place.keys("source", "id", "reason")
        return Retract(**_identity(keys), reason=keys.get("reason", Place.text, ""))

    def correct(self, place: Place) -> Step:
        """The replacement of an event."""
        keys = place.keys("source", "id", "reason", "event")
        event = keys.need("event", self._event)
        return Correct(**_identity(keys), reason=keys.get("reason", Place.text, ""), event=event)

    def publish(self, place: Place) -> Step | None:
        """A further version: a document, or a document (or its file) and from when it is to rule."""
        inner = place.raw.get("rulebook") if isinstance(place.raw, Mapping) else None
        if isinstance(inner, Mapping):
            keys = place.keys("rulebook", "effective")
            here = keys.inside["rulebook"]
            effective = keys.at("effective")
            if effective is not None and set(inner) != {"file"}:
                here = place.at("rulebook", {**inner, "effective": effective.raw})
            version = self.rulebook(here)
            if version is not None and effective is not None:
                version = msgspec.structs.replace(version, effective=effective.instant())
        else:
            version = self.rulebook(place)
        self.succeed(version, place)
        return None if version is None else Publish(rulebook=version)

    def organise(self, place: Place) -> Step:
        """A dated change of the organisation."""
        keys = place.keys("since", "subjects", "relations")
        since = keys.need("since", Place.day)
        subjects = (
            keys.get("subjects", lambda here: read_subjects_at(here, since=since, known=self.subjects.values())) or ()
        )
        self.subjects |= {subject.code: subject for subject in subjects}
        relations = keys.get("relations", lambda here: read_relations_at(here, known=self.subjects)) or ()
        return Organise(since=since, subjects=subjects, relations=relations)

    def settle(self, place: Place) -> Step:
        """The settlement of a period."""
        return Settle(period=self._period(place))

    def close(self, place: Place) -> Step:
        """The closing of a period."""
        return Close(period=self._period(place))

    def reopen(self, place: Place) -> Step:
        """The reopening of a period."""
        return Reopen(period=self._period(place))

    def _period(self, place: Place) -> str:
        return place.known(sorted(self.periods), "document.period")

    def _subject(self, place: Place) -> str:
        return place.known(self.subjects, "document.subject")

    def expect(self, place: Place) -> Step:
        """What must hold."""
        keys = place.keys("period", "totals", "final", "ranks", "tiers", "awards", "posted", "refused")
        return Expect(
            period=keys.get("period", self._period),
            totals=self._figures(keys, "totals", Place.number),
            final=self._figures(keys, "final", Place.number),
            ranks=self._figures(keys, "ranks", Place.integer),
            tiers=self._figures(keys, "tiers", Place.integer),
            awards={here.at_key().code(): frozenset(here.distinct(self._subject)) for _, here in keys.pairs("awards")},
            posted=keys.get("posted", lambda here: here.each(self._sum)),
            refused=keys.get("refused", lambda here: here.each(_refused)),
        )

    def _figures(self, keys: Keys, key: str, read: Callable[[Place], T]) -> dict[str, T | None]:
        return {self._subject(here.at_key()): None if here.raw is None else read(here) for _, here in keys.pairs(key)}

    def _sum(self, place: Place) -> Sum:
        keys = place.keys("event", "source", "period", "rule", "subject", "points")
        if ("event" in keys) == ("period" in keys):
            place.refuse("case.sum")
        rules = {rule.code: None for version in self.versions for rule in version.rules}
        return Sum(
            event=keys.get("event", _id),
            source=keys.get("source", Place.code),
            period=keys.get("period", self._period),
            rule=keys.need("rule", lambda here: here.known(rules, "document.rule")),
            subject=keys.need("subject", self._subject),
            points=keys.need("points", Place.number),
        )


def _id(place: Place) -> str:
    return place.read(scalar.identity, BLANK)


def _identity(keys: Keys) -> dict[str, str]:
    named = {"id": keys.need("id", _id)}
    return named if "source" not in keys else named | {"source": keys.inside["source"].code()}


def _refused(place: Place) -> RefusedEvent:
    return RefusedEvent(**_identity(place.keys("id", "source")))


_STEPS: dict[str, Callable[[_Reader, Place], Step | None]] = {
    "event": _Reader.event,
    "events": _Reader.events,
    "retract": _Reader.retract,
    "correct": _Reader.correct,
    "publish": _Reader.publish,
    "organise": _Reader.organise,
    "settle": _Reader.settle,
    "close": _Reader.close,
    "reopen": _Reader.reopen,
    "expect": _Reader.expect,
}
