"""Subjects, relations and periods as documents write them (考评对象、关系、考评期).

``from`` and ``to`` are half-open and may be left out of a relation. Whether the organisation holds
together (a unit that exists, groups of one kind) is checked where it is put together; here a list
is checked by itself, and against what is known already where that is given.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from engine.organisation import Kind, Relation, Subject
from engine.organisation import Place as Standing
from engine.period import MOST_APPEAL_DAYS, Period
from engine.scalar import Raw
from rules.place import BLANK, Findings, Keys, Place
from rules.tree import Path

Lines = Mapping[Path, int]


def read_subjects(
    raw: Raw, lines: Lines | None = None, *, since: date | None = None, known: Iterable[Subject] = ()
) -> tuple[Subject, ...]:
    """The subjects of a list, as they are from ``since``; ``known`` are those there already. Refused with findings."""
    findings = Findings(lines)
    subjects = read_subjects_at(Place(raw, findings), since=since, known=known)
    findings.close()
    return subjects


def read_relations(
    raw: Raw, lines: Lines | None = None, *, known: Collection[str] | None = None
) -> tuple[Relation, ...]:
    """The relations of a list; ``known`` are the subjects' codes, None where that is checked later."""
    findings = Findings(lines)
    relations = read_relations_at(Place(raw, findings), known=known)
    findings.close()
    return relations


def read_periods(raw: Raw, lines: Lines | None = None) -> tuple[Period, ...]:
    """The periods of a list. Refused with findings."""
    findings = Findings(lines)
    periods = read_periods_at(Place(raw, findings))
    findings.close()
    return periods


def read_subjects_at(place: Place, *, since: date | None = None, known: Iterable[Subject] = ()) -> tuple[Subject, ...]:
    """The subjects that stand at a place of a document."""
    read = [(_subject(here, since), here) for here in place.items()]
    _no_code_twice([(subject.code, here) for subject, here in read])
    everyone = {subject.code: subject for subject in known} | {subject.code: subject for subject, _ in read}
    kinds: dict[str, Kind] = {}
    fresh = {subject.code for subject, _ in read}
    for subject in everyone.values():
        now = subject.places[-1]
        if now.group is not None and subject.code not in fresh:
            kinds.setdefault(now.group, now.kind)
    for subject, here in read:
        now = subject.places[0]
        if now.group is not None and kinds.setdefault(now.group, now.kind) != now.kind:
            here.at("group", now.group).refuse("roster.mixed_group", group=now.group)
        if now.unit is not None and now.unit != BLANK:
            unit = everyone.get(now.unit)
            if unit is None or unit.places[-1].kind != "unit":
                here.at("unit", now.unit).refuse("roster.no_unit", unit=now.unit)
    return tuple(subject for subject, _ in read)


def _subject(place: Place, since: date | None) -> Subject:
    keys = place.keys("code", "name", "kind", "group", "unit", "post")
    kind: Kind = keys.need("kind", lambda here: here.one_of("unit", "person"))
    standing = Standing(
        kind=kind,
        group=keys.get("group", Place.word),
        unit=keys.get("unit", Place.code),
        post=keys.get("post", Place.word),
        since=since,
    )
    return Subject(code=keys.need("code", Place.code), name=keys.get("name", Place.title, ""), places=(standing,))


def read_relations_at(place: Place, *, known: Collection[str] | None = None) -> tuple[Relation, ...]:
    """The relations that stand at a place of a document."""

    def subject(here: Place) -> str:
        return here.code() if known is None else here.known(known, "document.subject")

    def read(here: Place) -> Relation:
        keys = here.keys("subject", "relation", "answers", "indicator", "from", "to")
        relation = Relation(
            subject=keys.need("subject", subject),
            relation=keys.need("relation", Place.code),
            answers=keys.need("answers", subject),
            indicator=keys.get("indicator", Place.code),
            start=keys.get("from", Place.day),
            end=keys.get("to", Place.day),
        )
        if relation.start is not None and relation.end is not None:
            _check_range(keys, relation.start, relation.end)
        return relation

    return place.each(read)


def read_periods_at(place: Place) -> tuple[Period, ...]:
    """The periods that stand at a place of a document."""
    read = [(_period(here), here) for here in place.items()]
    _no_code_twice([(period.code, here) for period, here in read])
    return tuple(period for period, _ in read)


def _period(place: Place) -> Period:
    keys = place.keys("code", "title", "kind", "from", "to", "appeal_days")
    period = Period(
        code=keys.need("code", Place.code),
        title=keys.get("title", Place.title, ""),
        kind=keys.need("kind", Place.word),
        start=keys.need("from", Place.day),
        end=keys.need("to", Place.day),
        appeal_days=_appeal_days(place, keys),
    )
    if "from" in keys and "to" in keys:
        _check_range(keys, period.start, period.end)
    return period


def _appeal_days(place: Place, keys: Keys) -> int | msgspec.UnsetType | None:
    """Days to appeal; a key that is there with nothing says that there are no appeals."""
    here = keys.at("appeal_days")
    if here is None:
        given = isinstance(place.raw, Mapping) and "appeal_days" in place.raw
        return None if given else msgspec.UNSET
    days = here.integer()
    if not 0 <= days <= MOST_APPEAL_DAYS:
        here.refuse("roster.appeal_days", most=MOST_APPEAL_DAYS, given=days)
    return days


def _check_range(keys: Keys, start: date, end: date) -> None:
    if date.min in (start, end):
        return
    if end <= start:
        keys.inside["to"].refuse("roster.range", start=start, end=end)


def _no_code_twice(read: list[tuple[str, Place]]) -> None:
    seen: set[str] = set()
    for code, here in read:
        if code in seen:
            here.at("code", code).refuse("document.twice", given=code)
        elif code != BLANK:
            seen.add(code)


def _row(**given: Any) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None and value != ""}


def write_subjects(subjects: Iterable[Subject], day: date | None = None) -> list[dict[str, Any]]:
    """The subjects as documents write them: what each is on that day, or was last."""
    written = []
    for subject in subjects:
        now = subject.places[-1] if day is None else subject.on(day)
        written.append(
            _row(code=subject.code, name=subject.name, kind=now.kind, unit=now.unit, post=now.post, group=now.group)
        )
    return written


def write_relations(relations: Iterable[Relation]) -> list[dict[str, Any]]:
    """The relations as documents write them."""
    return [
        _row(
            subject=each.subject,
            relation=each.relation,
            answers=each.answers,
            indicator=each.indicator,
            **{"from": each.start and each.start.isoformat(), "to": each.end and each.end.isoformat()},
        )
        for each in relations
    ]


def write_periods(periods: Iterable[Period]) -> list[dict[str, Any]]:
    """The periods as documents write them."""
    return [
        {
            **_row(
                code=each.code,
                title=each.title,
                **{"from": each.start.isoformat(), "to": each.end.isoformat()},
                kind=each.kind,
            ),
            **({} if isinstance(each.appeal_days, msgspec.UnsetType) else {"appeal_days": each.appeal_days}),
        }
        for each in periods
    ]
