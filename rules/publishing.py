"""Publishing (发布): the draft, as it was looked at, becomes a version. What must hold before the ledger is asked."""

from datetime import datetime

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.rulebook import Rulebook
from engine.scalar import Raw
from rules.comparison import Change, compare
from rules.document import read_document, write_rulebook
from rules.draft import Stale, dated, read_draft, tree_hash
from rules.rows import Document, from_json
from rules.tables import Version


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that is a rulebook, with the effective time that it is to have, and its own cases."""

    hash: str
    rulebook: Rulebook
    cases: tuple[Raw, ...]


async def prepare(hash: str, effective: datetime) -> Prepared:  # noqa: A002
    """The draft of this hash, ready to be published; :class:`Stale` where it has changed since, else Refused
    with its findings."""
    tree = await read_draft()
    if tree_hash(tree) != hash:
        raise Stale(Finding(message=message("draft.stale")))
    document = read_document(dated(tree, effective))
    return Prepared(hash=hash, rulebook=document.rulebook, cases=document.cases)


async def in_force(at: datetime) -> tuple[int, Document] | None:
    """The version that rules this instant, and its document: the latest effective, of equals the later published."""
    row = (
        await Version.select(Version.number, Version.document)
        .where(Version.effective <= at)
        .order_by(Version.effective, Version.number, ascending=False)
        .first()
    )
    if row is None:
        return None
    document = from_json(row["document"])
    assert isinstance(document, dict)
    return row["number"], document


def differences(old: Document | None, tree: Document, effective: datetime) -> tuple[Change, ...]:
    """What differs between a published document and the draft; nothing where the draft is no rulebook yet."""
    try:
        rulebook = read_document(dated(tree, effective)).rulebook
    except Refused:
        return ()
    return compare(old, write_rulebook(rulebook))
