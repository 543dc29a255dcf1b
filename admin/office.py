"""What the office's pages need to know of the installation. The application makes one at start."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from engine.finding import Finding
from engine.rulebook import Rulebook
from engine.scalar import Raw


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """``approvals``: second persons that a publication needs. ``https``: cookies are sent over HTTPS only.

    ``check_cases``: runs the office's own cases of a rulebook and finds those that do not hold.
    """

    secret: str
    timezone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    approvals: int = 1
    demonstration: bool = False
    https: bool = False
    hosts: tuple[str, ...] = ()
    check_cases: Callable[[Rulebook, Sequence[Raw]], tuple[Finding, ...]] | None = None
