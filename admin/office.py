"""What the office's pages need to know of the installation. The application makes one at start."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from engine.finding import Finding
from engine.rulebook import Rulebook
from engine.scalar import Raw
from ledger.current import get_current


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """``second_persons``: how many a publication needs (None: as the instance has it).

    ``check_cases``: runs the office's own cases of a rulebook and finds those that do not hold.
    """

    secret: str
    timezone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    second_persons: int | None = None
    check_cases: Callable[[Rulebook, Sequence[Raw]], tuple[Finding, ...]] | None = None

    @property
    def demonstration(self) -> bool:
        """Whether the database was filled as a demonstration, for good."""
        return get_current().demonstration

    @property
    def title(self) -> str:
        """What the rulebook in force is called: what stands at the head of what is printed."""
        versions = get_current().bureau.versions
        return versions[-1].rulebook.title if versions else ""

    @property
    def approvals(self) -> int:
        """Second persons that a publication needs: by the setting, else one; none in a demonstration."""
        if self.second_persons is not None:
            return self.second_persons
        return 0 if self.demonstration else 1
