"""What a change of the organisation comes to (组织变化): in sentences, for whoever is about to confirm it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Literal

import msgspec

from engine.language import Message, message
from engine.organisation import Organisation, Place, Relation, Subject
from engine.reorganisation import reorganise


class RosterChange(msgspec.Struct, frozen=True, kw_only=True):
    """A subject or a relation that is new or becomes another; ``sentences`` say how."""

    section: Literal["subjects", "relations"]
    kind: Literal["added", "changed"]
    code: str
    name: str = ""
    sentences: tuple[Message, ...] = ()


class RosterChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What changes, how many items of the file stay as they are, and the first day on which anything differs."""

    changes: tuple[RosterChange, ...]
    same: int
    first_day: date | None


def roster_changes(
    organisation: Organisation,
    names: Mapping[str, str],
    since: date,
    subjects: Iterable[Subject],
    relations: Iterable[Relation],
) -> RosterChanges:
    """What these subjects, as they are from that day, and relations change; ``names`` are those there are. Refused as
    the act would be."""
    subjects, relations = list(subjects), list(relations)
    after = reorganise(organisation, since, subjects, relations)
    found: list[RosterChange] = []
    for subject in subjects:
        before, now = organisation.subjects.get(subject.code), after.organisation.subjects[subject.code]
        found += _subject(before, now, names.get(subject.code, ""), subject.name, since)
    held = {relation.identity: relation for relation in organisation.relations}
    for relation in relations:
        found += _relation(held.get(relation.identity), relation)
    same = len(subjects) + len(relations) - len(found)
    return RosterChanges(changes=tuple(found), same=same, first_day=after.first_day)


def _subject(before: Subject | None, after: Subject, called: str, name: str, since: date) -> Iterator[RosterChange]:
    if before is None:
        said = tuple(_said(None, after.places[-1]))
        yield RosterChange(section="subjects", kind="added", code=after.code, name=after.name, sentences=said)
        return
    sentences = []
    if name and name != called:
        sentences.append(message("roster.renamed", before=called or "—", after=name))
    moved = list(_said(before.on(since), after.on(since)))
    if moved:
        sentences += [message("roster.from", day=since, said=each) for each in moved]
    if sentences:
        yield RosterChange(
            section="subjects", kind="changed", code=after.code, name=name or called, sentences=tuple(sentences)
        )


_NAMES = {
    "kind": "sheet.column.subject_kind",
    "group": "sheet.column.group",
    "unit": "sheet.column.unit",
    "post": "sheet.column.subject_post",
}


def _said(before: Place | None, after: Place) -> Iterator[Message]:
    for key, called in _NAMES.items():
        was, now = (None if side is None else getattr(side, key) for side in (before, after))
        if was == now:
            continue
        name = message(called)
        if before is None or was is None:
            yield message("comparison.set", field=name, after=_value(now))
        elif now is None:
            yield message("comparison.unset", field=name, before=_value(was))
        else:
            yield message("comparison.changed", field=name, before=_value(was), after=_value(now))


def _value(word: str | None) -> Message | str:
    return message(f"value.{word}") if word in ("unit", "person") else word or ""


def _relation(before: Relation | None, after: Relation) -> Iterator[RosterChange]:
    if before == after:
        return
    code = f"{after.subject} · {after.relation} → {after.answers}" + (
        f" · {after.indicator}" if after.indicator else ""
    )
    start = message("roster.start", day=after.start) if after.start else message("roster.always")
    if before is None:
        said = message("roster.held", start=start, end=_end(after))
        yield RosterChange(section="relations", kind="added", code=code, sentences=(said,))
    else:
        said = message("roster.ends", start=start, before=_end(before), after=_end(after))
        yield RosterChange(section="relations", kind="changed", code=code, sentences=(said,))


def _end(relation: Relation) -> Message | str:
    return relation.end.isoformat() if relation.end else message("roster.no_end")
