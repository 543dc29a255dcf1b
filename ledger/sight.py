"""Sight (可见范围): what somebody may see of the ledger: everything, one source's events, what concerns one subject, or
what stands on the indicators of one department (考评部门).

An indicator is a department's where the version by which the entry was made names it as the owner: what it saw then it
sees still, and what was another's stays out of its sight. Where an explanation leads to entries out of sight it says
that there are some and how many, and neither whose nor how much. What an entry's own arithmetic is made of belongs to
the entry and is always told with it.
"""

import msgspec

from engine.rulebook import Version
from ledger.current import get_current


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """None: all of them. ``subject`` and ``owner`` (whose indicators) add up; an empty one sees nothing."""

    source: str | None = None
    subject: str | None = None
    owner: str | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is in sight."""
        return self.source is None and not self.partial

    @property
    def partial(self) -> bool:
        """Whether only what concerns somebody is in sight."""
        return self.subject is not None or self.owner is not None

    @property
    def blind(self) -> bool:
        """Whether nothing at all can be in sight."""
        return self.partial and not self.subject and not self.owner

    def sees(self, source: str | None, subject: str, indicator: str | None, version: int) -> bool:
        """Whether an entry of the source, on the subject and the indicator, made by that version, is in sight."""
        return self.source in (None, source) and self.concerns(subject, indicator, version)

    def concerns(self, subject: str, indicator: str | None, version: int) -> bool:
        """The same, of whatever source."""
        return not self.partial or subject == self.subject or self.owns(indicator, version)

    def owns(self, indicator: str | None, version: int | None) -> bool:
        """Whether the indicator is the owner's under that version."""
        return indicator is not None and version is not None and indicator in self.owned(version)

    def owned(self, version: int) -> frozenset[str]:
        """The owner's indicators under that version."""
        return self._of(get_current().bureau.version(version))

    def measures(self, event_type: str, version: int) -> bool:
        """Whether events of that type measure one of the owner's indicators under that version."""
        indicators = get_current().bureau.version(version).rulebook.indicators
        measures = (indicators[code].measure for code in self.owned(version))
        return any(measure is not None and measure.on == event_type for measure in measures)

    def all_owned(self) -> tuple[tuple[int, str], ...]:
        """Version and code of each indicator that is, or was, the owner's."""
        return tuple((each.number, code) for each in get_current().bureau.versions for code in sorted(self._of(each)))

    def _of(self, version: Version) -> frozenset[str]:
        if not self.owner:
            return frozenset()
        return frozenset(code for code, each in version.rulebook.indicators.items() if each.owner == self.owner)


EVERYTHING = Sight()
