"""Removal of texts and files (依规清除): what lies beside the chain may be taken away by a recorded act.

Reasons, grounds and attachments are written by people about people. Where a rule asks for it, the office removes one,
for a reason, by an act of kind ``removal``. It empties the text (or the file, with its name) and the salt; the
hash stays in the chain and every link holds, but nobody can tell any more what was written, not even by guessing
it. Everything else (codes, dates, amounts, who acted) stays. A reason for a removal is such a text itself.
"""

import re

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.planner import Change
from ledger import clock
from ledger.current import get_current
from ledger.desk import open_desk
from ledger.reading import Unknown

REMARK = "remark"
_HASH = re.compile(r"[0-9a-f]{64}")


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """A removal: its act, the act whose text or file it removed, and the hash that stays in the chain."""

    act: int
    of: int
    what: str
    hash: str


async def remove(number: int, what: str, reason: str, actor: str) -> Removed:
    """Remove the text of an act (``remark``), or the attachment of that hash; harmless where that was done already.

    Raises:
        Unknown: there is no such act, or it has no such text or file.
        Refused: no reason, or a text of the time when reasons stood in the chain itself.
    """
    if not reason:
        raise Refused(Finding(path="/reason", message=message("act.reason_missing")))
    if what != REMARK and not _HASH.fullmatch(what):
        raise Refused(Finding(path="/what", message=message("removal.what")))
    async with open_desk(get_current()) as desk:
        row = await desk.connection.fetchrow("SELECT remark, reason, content FROM act WHERE number = $1", number)
        if row is None:
            raise Unknown(Finding(message=message("act.unknown", number=number)))
        if what == REMARK and row["reason"]:
            raise Refused(Finding(path="/what", message=message("removal.inside", number=number)))
        attached = msgspec.json.decode(row["content"]).get("attachments", [])
        hashed = row["remark"] if what == REMARK else what if what in attached else None
        if hashed is None:
            raise Unknown(Finding(path="/what", message=message("removal.nothing", number=number)))
        table = "remark" if what == REMARK else "attachment"
        done = await desk.connection.fetchval(f"SELECT removed_by FROM {table} WHERE hash = $1", hashed)  # noqa: S608
        if done is not None:
            return Removed(act=done, of=number, what=what, hash=hashed)
        content = {"act": number, "what": table, "hash": hashed}
        receipt = await desk.act("removal", content, reason, actor, clock.now(), Change())
        await desk.write()
        emptied = "text = NULL" if what == REMARK else "content = NULL, name = NULL"
        await desk.connection.execute(
            f"UPDATE {table} SET {emptied}, salt = NULL, removed_by = $2 WHERE hash = $1",  # noqa: S608  (ours)
            hashed,
            receipt.number,
        )
        return Removed(act=receipt.number, of=number, what=what, hash=hashed)
