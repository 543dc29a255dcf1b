"""What a row was when it was opened (行的版本): a tag that goes out with a row and comes back with what is saved of it.

Two people on one row: who saves second is told who changed what meanwhile, and overwrites nothing. The tag is a hash of
the row as it is stored, and the number of the last change of the log, so that what came after can be told.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from piccolo.table import Table

from admin import changes
from admin.tables import ChangeLog
from engine.language import Message, message

SEEN = "x-last-change"
"""The header of a list: the number of the last change that it shows. A tag may be that number alone: ``"-12"``."""
_MOST = 3


async def latest_number() -> int:
    """The number of the last change of the log."""
    latest = await ChangeLog.select(ChangeLog.id).order_by(ChangeLog.id, ascending=False).first()
    return 0 if latest is None else int(latest["id"])


async def tag_of(row: Mapping[str, Any]) -> str:
    """The tag of a row as it stands."""
    return f"{_hash(row)}-{await latest_number()}"


async def fits(tag: str, table: type[Table], key: Any, row: Mapping[str, Any]) -> bool:
    """Whether the row is what it was when the tag was given out, or, by a number alone, when it was listed."""
    held, seen = _read(tag)
    return held == _hash(row) if held else seen is not None and not await changes_since(table, key, tag)


async def changes_since(table: type[Table], row: Any, tag: str) -> Sequence[Mapping[str, Any]]:
    """What the log says of this row, and of the whole draft, since the tag was given out; the latest first."""
    name = str(table._meta.tablename)
    of_row = (ChangeLog.table == name) & (ChangeLog.row == str(row))
    return await (
        ChangeLog.select()
        .where((ChangeLog.id > (_read(tag)[1] or 0)) & (of_row | ChangeLog.action.is_in(list(changes.WHOLE))))
        .order_by(ChangeLog.id, ascending=False)
        .limit(_MOST)
    )


def conflict(key: str, told: Sequence[str]) -> Message:
    """The refusal, with who changed what meanwhile."""
    said: Message | str = ""
    for each in told:
        said = message("panel.also", one=said, other=each) if said else each
    return message(key, told=said) if said else message(f"{key}_untold")


def _hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(changes.as_text(dict(sorted(row.items()))).encode()).hexdigest()[:32]


def _read(tag: str) -> tuple[str, int | None]:
    held, _, number = tag.strip().removeprefix("W/").strip('"').partition("-")
    return held, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
