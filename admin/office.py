"""What the office's pages need to know of the installation. The application makes one at start."""

from zoneinfo import ZoneInfo

import msgspec


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """``approvals``: second persons that a publication needs. ``https``: cookies are sent over HTTPS only."""

    secret: str
    timezone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    approvals: int = 1
    demonstration: bool = False
    https: bool = False
    hosts: tuple[str, ...] = ()
