"""The clock (时钟): the one place in the ledger that asks what time it is. Callers say ``clock.now()``, so that a
simulation can put another clock in its place."""

from datetime import UTC, datetime


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)
