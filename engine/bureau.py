"""What is in force (机关): the versions, the organisation, the periods. Everything that scoring reads.

One instance serves one bureau. A bureau is immutable; an act makes another one.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property

import msgspec

from engine.digest import digest
from engine.organisation import Organisation
from engine.period import Calendar
from engine.rulebook import Repeat, Version


class Bureau(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Versions in the order of their numbers, the organisation, the periods, and how far it was settled."""

    versions: tuple[Version, ...] = ()
    organisation: Organisation = Organisation()
    calendar: Calendar = Calendar()
    settled_through: date | None = None

    def version_at(self, instant: datetime) -> Version | None:
        """The version that rules the instant: the latest effective, of equals the later published."""
        since, ruling = self._eras
        place = bisect_right(since, instant)
        return ruling[place - 1] if place else None

    def version(self, number: int) -> Version:
        """The version of that number; KeyError where there is none."""
        return self._numbered[number]

    def repeats(self, event_type: str) -> Mapping[tuple[str, ...], Repeat]:
        """Repetitions that any version looks for among events of a type, by their fields; of several the longest."""
        found = self._repeats.get(event_type)
        if found is None:
            found = {}
            for version in self.versions:
                for same, repeat in digest(version.rulebook).repeats.get(event_type, {}).items():
                    known = found.get(same)
                    if known is None or known.within_days < repeat.within_days:
                        found[same] = repeat
            self._repeats[event_type] = found  # whole, as several threads may ask
        return found

    @cached_property
    def _numbered(self) -> dict[int, Version]:
        return {version.number: version for version in self.versions}

    @cached_property
    def _eras(self) -> tuple[list[datetime], list[Version]]:
        """When which version comes into effect, in order of time; of equals the later published comes last."""
        ordered = sorted(self.versions, key=lambda version: version.rulebook.effective)
        return [version.rulebook.effective for version in ordered], ordered

    @cached_property
    def _repeats(self) -> dict[str, dict[tuple[str, ...], Repeat]]:
        """What was asked for already: a post asks it several times."""
        return {}

    def day(self, instant: datetime) -> date:
        """The local date of an instant."""
        return self.organisation.day(instant)
