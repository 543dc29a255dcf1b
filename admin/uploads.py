"""Files that were sent in and are looked at before they are imported (待确认文件): kept in the database for a while.

Any worker finds them by the code that the sender's page carries; only the sender does, and each is taken once.
"""

import secrets
from datetime import UTC, date, datetime, timedelta

import msgspec

from admin.tables import Upload
from engine.finding import Finding, Refused
from engine.language import message

KEPT = timedelta(hours=4)
_MOST = 5
"""Files of one person that are kept."""


class Gone(Refused):
    """There is no such file: it was imported, has lapsed, or is somebody else's."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent in."""

    code: str
    what: str
    name: str
    since: date | None
    content: bytes


async def keep(user: str, what: str, name: str, content: bytes, since: date | None = None) -> Sent:
    """Keep a file; older ones of the same person and lapsed ones of everybody are thrown away."""
    async with Upload._meta.db.transaction():
        await Upload.delete().where(Upload.at < datetime.now(UTC) - KEPT)
        held = await Upload.select(Upload.id).where(Upload.user == user).order_by(Upload.id, ascending=False)
        if len(held) >= _MOST:
            await Upload.delete().where(Upload.id.is_in([row["id"] for row in held[_MOST - 1 :]]))
        code = secrets.token_urlsafe(32)
        await Upload(code=code, user=user, what=what, name=name[:200], content=content, since=since).save()
    return Sent(code=code, what=what, name=name[:200], since=since, content=content)


async def find(user: str, code: str) -> Sent:
    """The file of that code, sent by this person."""
    row = (
        await Upload.select()
        .where((Upload.code == code) & (Upload.user == user) & (Upload.at >= datetime.now(UTC) - KEPT))
        .first()
    )
    if row is None:
        raise Gone(Finding(message=message("exchange.gone")))
    return Sent(code=code, what=row["what"], name=row["name"], since=row["since"], content=bytes(row["content"]))


async def take(code: str) -> None:
    """Take the file within the transaction that imports it; :class:`Gone` where somebody came first."""
    taken = await Upload.delete().where(Upload.code == code).returning(Upload.id)
    if not taken:
        raise Gone(Finding(message=message("exchange.gone")))
