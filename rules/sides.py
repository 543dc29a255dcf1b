"""A side of a comparison (对比的一方): a version by its number, or the draft, as rules and as a canonical document."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.rulebook import Rulebook
from rules.document import read_rulebook, write_rulebook
from rules.draft import read_draft
from rules.rows import Document, from_json
from rules.tables import Version

DRAFT = "draft"
_LARGEST = 2**31


class NoSide(Refused):
    """There is no such version, or no draft."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared. ``number`` is None for the draft; the rest tells how a version came about."""

    name: str
    rulebook: Rulebook
    document: Mapping[str, Any]
    number: int | None = None
    effective: datetime | None = None
    note: str = ""
    published_by: str = ""
    published_at: datetime | None = None


async def read_side(name: str, path: str = "") -> Side:
    """The side of that name: the number of a version, or ``draft``.

    Raises:
        NoSide: there is none.
        Refused: the draft is no rulebook yet; the findings say why. ``path`` is where the name stands.
    """
    if name == DRAFT:
        return read_tree(await read_draft())
    if not (name.isascii() and name.isdigit() and 0 < int(name) < _LARGEST):
        raise Refused(Finding(path=path, message=message("version.named")))
    row = await Version.select().where(Version.number == int(name)).first()
    if row is None:
        raise NoSide(Finding(path=path, message=message("version.unknown", number=int(name))))
    rulebook = read_rulebook(from_json(row["document"]))
    return Side(
        name=str(row["number"]),
        rulebook=rulebook,
        document=write_rulebook(rulebook),
        number=row["number"],
        effective=row["effective"],
        note=row["note"],
        published_by=row["published_by"],
        published_at=row["published_at"],
    )


def read_tree(tree: Document) -> Side:
    """A draft's document as a side; its cases go along, so that two drafts' are compared."""
    if not tree.get("rulebook"):
        raise NoSide(Finding(message=message("rulebook.no_draft")))
    dated = tree if tree.get("effective") else {**tree, "effective": datetime.now(UTC).isoformat()}
    rulebook = read_rulebook(dated)
    return Side(name=DRAFT, rulebook=rulebook, document={**write_rulebook(rulebook), "cases": tree.get("cases") or []})
