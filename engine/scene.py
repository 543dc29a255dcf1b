"""The scene of an event: everything that scoring it may look at, gathered once.

The event, the version that rules it, the organisation on its local date, the facts that its
conditions are judged on, the rules that matched, and earlier events that it may repeat.
"""

from collections.abc import Callable
from datetime import date, datetime

import msgspec

from engine.bureau import Bureau
from engine.digest import digest
from engine.event import Event, EventKey, Value
from engine.lateness import derive
from engine.matching import Facts, Matcher
from engine.organisation import Organisation
from engine.rulebook import Repeat, Version

Recall = Callable[[Event, Repeat], EventKey | None]
"""Finds the latest standing event that this one repeats."""
Matchers = Callable[[Version], Matcher]


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One event, ready to be charged."""

    event: Event
    version: Version
    organisation: Organisation
    day: date
    facts: Facts
    fired: frozenset[str]
    recall: Recall

    def answering(self, subject: str, relation: str, indicator: str | None) -> tuple[str, ...]:
        """Who answers for the subject: the event's parties stand in for its own subject's relations."""
        if subject == self.event.subject and relation in self.event.parties:
            return tuple(sorted(set(self.event.parties[relation])))
        return self.organisation.answering(subject, relation, self.day, indicator)


def set_scene(bureau: Bureau, event: Event, version: Version, matchers: Matchers, recall: Recall) -> Scene:
    """Gather the scene of an event under its version."""
    day = bureau.day(event.time)
    facts = gather(bureau, event, version, day)
    return Scene(
        event=event,
        version=version,
        organisation=bureau.organisation,
        day=day,
        facts=facts,
        fired=matchers(version).match(event.type, facts),
        recall=recall,
    )


def gather(bureau: Bureau, event: Event, version: Version, day: date | None = None) -> Facts:
    """What conditions are judged on: data, derived fields, and the event's circumstances, on its local date."""
    if day is None:
        day = bureau.day(event.time)
    place = bureau.organisation.on(event.subject, day)
    serving = digest(version.rulebook)
    facts: dict[str, Value] = dict(event.data)
    for name in serving.instants[event.type]:
        instant = facts.get(name)
        if isinstance(instant, datetime):
            facts[name] = instant.astimezone(bureau.organisation.timezone)
    derived = serving.derived[event.type]
    if derived:
        done = all(days_late.done in facts for _, days_late in derived)
        as_of = day if done else _as_of(bureau, event)
        facts.update(derive(event, version.rulebook.event_types[event.type], version.rulebook, as_of))
    facts["subject"] = event.subject
    facts["subject_kind"] = place.kind
    facts["source"] = event.source
    facts["year"] = day.year
    facts["month"] = day.month
    if place.group is not None:
        facts["subject_group"] = place.group
    if place.post is not None:
        facts["post"] = place.post
    if event.matter is not None:
        facts["matter"] = event.matter
    return facts


def _as_of(bureau: Bureau, event: Event) -> date:
    """The day to which what is not done yet is late."""
    recorded = bureau.day(event.recorded_at or event.time)
    return max(recorded, bureau.settled_through or recorded)


def gather_charged(facts: Facts, organisation: Organisation, charged: str, day: date) -> Facts:
    """The facts that a factor is judged on: those of the event, and of the subject being charged."""
    place = organisation.on(charged, day)
    more: dict[str, Value] = {"charged": charged, "charged_kind": place.kind}
    if place.group is not None:
        more["charged_group"] = place.group
    if place.post is not None:
        more["charged_post"] = place.post
    return {**facts, **more}
