"""Reorganisation (组织调整): a dated change of subjects and relations, as an act.

A subject's unit, post, group and kind hold from the day of the change; a new subject has always
been there. A relation is known by (subject, relation, answers, indicator, from); ``to`` ends it.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.organisation import Organisation, Relation, Subject


class Reorganisation(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation after a change, and the first day on which anything differs (None: nothing does)."""

    organisation: Organisation
    first_day: date | None = None


def reorganise(
    organisation: Organisation, since: date, subjects: Iterable[Subject] = (), relations: Iterable[Relation] = ()
) -> Reorganisation:
    """Upsert subjects as they are from ``since``, and relations; Refused where the result does not hold together."""
    known = dict(organisation.subjects)
    days: list[date] = []
    for subject in subjects:
        before = known.get(subject.code)
        known[subject.code] = _move(before, subject, since)
        if before is not None and before.places != known[subject.code].places:
            days.append(since)
    held = {relation.identity: relation for relation in organisation.relations}
    for relation in relations:
        before_it = held.get(relation.identity)
        if before_it != relation:
            days.append(_first_difference(before_it, relation))
        held[relation.identity] = relation
    after = Organisation(known.values(), held.values(), organisation.timezone)
    findings = tuple(check(after))
    if findings:
        raise Refused(*findings)
    return Reorganisation(organisation=after, first_day=min(days, default=None))


def check(organisation: Organisation) -> Iterable[Finding]:
    """What does not hold together: references to nobody, a group with subjects of two kinds."""
    kinds: dict[str, tuple[str, str]] = {}
    for subject in organisation.subjects.values():
        for place in subject.places:
            if place.unit is not None and place.unit not in organisation:
                yield Finding(
                    message=message("organisation.unknown", code=place.unit), path=f"subjects[{subject.code}].unit"
                )
            if place.group is None:
                continue
            kind, first = kinds.setdefault(place.group, (place.kind, subject.code))
            if kind != place.kind:
                text = message("organisation.mixed_group", group=place.group, one=first, other=subject.code)
                yield Finding(message=text, path=f"subjects[{subject.code}].group")
    for relation in organisation.relations:
        for code in (relation.subject, relation.answers):
            if code not in organisation:
                path = f"relations[{relation.subject}/{relation.relation}/{relation.answers}]"
                yield Finding(message=message("organisation.unknown", code=code), path=path)


def _move(before: Subject | None, subject: Subject, since: date) -> Subject:
    place = msgspec.structs.replace(subject.places[-1], since=None if before is None else since)
    if before is None:
        return msgspec.structs.replace(subject, places=(place,))
    if msgspec.structs.replace(before.on(since), since=since) == place:
        return msgspec.structs.replace(before, name=subject.name or before.name)
    others = [each for each in before.places if each.since != since]
    places = sorted([*others, place], key=lambda each: each.since or date.min)
    return Subject(code=before.code, name=subject.name or before.name, places=tuple(places))


def _first_difference(before: Relation | None, after: Relation) -> date:
    if before is None:
        return after.start or date.min
    return min(before.end or date.max, after.end or date.max)
