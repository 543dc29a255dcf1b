"""A finding: what is wrong (or odd) in something that was written, where, and what was expected."""

from typing import Literal

import msgspec

from engine.language import Message


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing found in a document, an event or a condition.

    ``path`` is where: ``rules[3].points.by`` in a document, ``/data/level`` (a JSON pointer) in an
    event. ``line`` and ``column`` count from 1, in characters, where the text is known.
    """

    message: Message
    path: str = ""
    level: Literal["error", "warning"] = "error"
    line: int | None = None
    column: int | None = None


class Refused(Exception):
    """Something is refused as it stands; every finding says where and what was expected."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(f"{f.path} {f.message.key} {f.message.args}" for f in findings))
        self.findings = findings
