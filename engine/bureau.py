"""What is in force (机关): the versions, the organisation, the periods. Everything that scoring reads.

One instance serves one bureau. A bureau is immutable; an act makes another one.
"""

from datetime import date, datetime
from functools import cached_property

import msgspec

from engine.organisation import Organisation
from engine.period import Calendar
from engine.rulebook import Version


class Bureau(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Versions in the order of their numbers, the organisation, the periods, and how far it was settled."""

    versions: tuple[Version, ...] = ()
    organisation: Organisation = Organisation()
    calendar: Calendar = Calendar()
    settled_through: date | None = None

    def version_at(self, instant: datetime) -> Version | None:
        """The version that rules the instant: the latest effective, of equals the later published."""
        ruling: Version | None = None
        for version in self.versions:
            effective = version.rulebook.effective
            if effective <= instant and (ruling is None or effective >= ruling.rulebook.effective):
                ruling = version
        return ruling

    def version(self, number: int) -> Version:
        """The version of that number; KeyError where there is none."""
        for version in self.versions:
            if version.number == number:
                return version
        raise KeyError(number)

    def sames(self, event_type: str) -> frozenset[tuple[str, ...]]:
        """The sets of fields by which any version tells repetitions among events of a type."""
        if event_type not in self._sames:
            self._sames[event_type] = frozenset(
                factor.repeat.same
                for version in self.versions
                for rule in version.rulebook.rules
                if getattr(rule, "on", None) == event_type
                for factor in getattr(rule, "factors", ())
                if factor.repeat is not None
            )
        return self._sames[event_type]

    @cached_property
    def _sames(self) -> dict[str, frozenset[tuple[str, ...]]]:
        """What was asked for already: a post asks it several times."""
        return {}

    def day(self, instant: datetime) -> date:
        """The local date of an instant."""
        return self.organisation.day(instant)
