"""The organisation (组织): subjects, what they were on each day, and who answers for whom.

A subject's kind, group (序列), unit and post are dated: an event uses those of its local date,
a period those of its last day. A relation says "for U1, the lead department is D1", within
``[start, end)``. A relation with an indicator serves charges of rules on that indicator only;
where one is in force, the general ones of the same subject and name are not asked.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

Kind = Literal["unit", "person"]
TIMEZONE = ZoneInfo("Asia/Shanghai")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a subject is, from ``since`` (None: from the beginning) until its next place."""

    kind: Kind
    group: str | None = None
    unit: str | None = None
    post: str | None = None
    since: date | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A unit (被考评单位) or a person who may be charged. ``places`` ascend by ``since``."""

    code: str
    name: str = ""
    places: tuple[Place, ...]

    def on(self, day: date) -> Place:
        """What the subject was on that day. Before its first place it already was that."""
        present = self.places[0]
        for place in self.places[1:]:
            if place.since is not None and place.since > day:
                break
            present = place
        return present


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """For ``subject``, the ``relation`` (牵头, 分管 …) is ``answers``, on days in ``[start, end)``."""

    subject: str
    relation: str
    answers: str
    indicator: str | None = None
    start: date | None = None
    end: date | None = None

    @property
    def identity(self) -> tuple[str, str, str, str | None, date | None]:
        """By what the relation is known; stated again, it is changed: ``end`` ends it."""
        return (self.subject, self.relation, self.answers, self.indicator, self.start)

    def in_force(self, day: date) -> bool:
        """Whether the relation holds on that day."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)


class Organisation:
    """Subjects and relations, found by code. Immutable once made. Of a relation stated twice the last holds."""

    def __init__(
        self,
        subjects: Iterable[Subject] = (),
        relations: Iterable[Relation] = (),
        timezone: tzinfo = TIMEZONE,
    ) -> None:
        self.subjects = {subject.code: subject for subject in subjects}
        self.relations = tuple({relation.identity: relation for relation in relations}.values())
        self.timezone = timezone
        self._answering: dict[tuple[str, str], list[Relation]] = {}
        for relation in self.relations:
            self._answering.setdefault((relation.subject, relation.relation), []).append(relation)
        turning = {day for relation in self.relations for day in (relation.start, relation.end) if day is not None}
        self._turning_days = sorted(turning)
        self._named: dict[tuple[str, str, int, str | None], tuple[str, ...]] = {}

    def __contains__(self, code: str) -> bool:
        return code in self.subjects

    def on(self, code: str, day: date) -> Place:
        """What the subject of that code was on that day."""
        return self.subjects[code].on(day)

    def day(self, instant: datetime) -> date:
        """The local date of an instant."""
        return instant.astimezone(self.timezone).date()

    def answering(self, subject: str, relation: str, day: date, indicator: str | None = None) -> tuple[str, ...]:
        """Those whom the relation names for the subject on that day, by code, each once."""
        asked = (subject, relation, self.era(day), indicator)
        found = self._named.get(asked)
        if found is None:
            found = self._named[asked] = self._name(subject, relation, day, indicator)
        return found

    def era(self, day: date) -> int:
        """The number of the stretch of days around this one on which the relations are the same."""
        return bisect_right(self._turning_days, day)

    def _name(self, subject: str, relation: str, day: date, indicator: str | None) -> tuple[str, ...]:
        held = [r for r in self._answering.get((subject, relation), ()) if r.in_force(day)]
        special = [r for r in held if indicator is not None and r.indicator == indicator]
        chosen = special or [r for r in held if r.indicator is None]
        return tuple(sorted({r.answers for r in chosen}))
