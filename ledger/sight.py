"""Sight (可见范围): what somebody may see of the ledger: everything, one source's events, or what concerns one subject.

Where an explanation leads to entries out of sight it says that there are some and how many, and neither whose nor
how much. What an entry's own arithmetic is made of belongs to the entry and is always told with it.
"""

import msgspec


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """None: all of them."""

    source: str | None = None
    subject: str | None = None

    def sees(self, source: str | None, subject: str) -> bool:
        """Whether an entry of the source on the subject is in sight."""
        return self.source in (None, source) and self.subject in (None, subject)

    @property
    def whole(self) -> bool:
        """Whether everything is in sight."""
        return self.source is None and self.subject is None


EVERYTHING = Sight()
