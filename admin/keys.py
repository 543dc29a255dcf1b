"""API keys (接口密钥): what systems come in with. Shown once, kept as a hash, scoped, expiring, revocable."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

import msgspec

from admin.changes import record
from admin.tables import ApiKey
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Unfit

Scope = Literal[
    "events:write",
    "events:backdate",
    "events:retract",
    "events:read",
    "entries:read",
    "organisation:write",
    "rules:read",
    "rules:write",
    "periods:write",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

State = Literal["valid", "expired", "revoked"]

PREFIX = "jk_"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be shown: everything but the key itself."""

    name: str
    scopes: tuple[str, ...]
    source: str | None = None
    made_by: str
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, at: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.state(at) == "valid"

    def state(self, at: datetime) -> State:
        """Whether it was revoked, is over, or opens something at that time."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at is None or at < self.expires_at else "expired"


async def make_key(
    name: str,
    scopes: Iterable[str],
    *,
    source: str | None = None,
    expires_at: datetime | None = None,
    made_by: str = "",
) -> str:
    """Make a key and give back its text, which is kept nowhere; who made it stands in the change log.

    Raises:
        Refused: the name is taken or no code, a scope is unknown, the expiry is past.
    """
    wanted = tuple(scope for scope in SCOPES if scope in set(scopes))
    for scope in scopes:
        if scope not in SCOPES:
            said = message("key.scopes", scope=scope, scopes=", ".join(SCOPES))
            raise Refused(Finding(path="/scopes", message=said))
    if not wanted:
        raise Refused(Finding(path="/scopes", message=message("key.no_scopes")))
    for field, given in (("name", name), ("source", source)):
        if given is not None:
            try:
                scalar.code(given)
            except Unfit as unfit:
                raise Refused(Finding(path=f"/{field}", message=unfit.expected)) from None
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Refused(Finding(path="/expires", message=message("key.expired")))
    if await ApiKey.exists().where(ApiKey.name == name):
        raise Refused(Finding(path="/name", message=message("key.name_taken", name=name)))
    text = PREFIX + secrets.token_urlsafe(32)
    kept = {"name": name, "scopes": " ".join(wanted), "source": source, "expires_at": expires_at}
    async with ApiKey._meta.db.transaction(allow_nested=True):
        row: Any = ApiKey(hash=hash_key(text), made_by=made_by, **kept)  # type: ignore[arg-type]
        await row.save()
        await record(made_by, "create", ApiKey, row.id, None, kept)
    return text


async def list_keys() -> list[Key]:
    """Every key, by name; those that are revoked or over, too."""
    return [_key(row) for row in await ApiKey.objects().order_by(ApiKey.name)]


async def find_key(hashed: str) -> Key | None:
    """The key of that hash, valid or not."""
    row = await ApiKey.objects().where(ApiKey.hash == hashed).first()
    return None if row is None else _key(row)


async def revoke_key(name: str, revoked_by: str) -> None:
    """Let a key open nothing any more; harmless where it is revoked. Refused where there is none of that name."""
    async with ApiKey._meta.db.transaction(allow_nested=True):
        row: Any = await ApiKey.objects().where(ApiKey.name == name).lock_rows().first()
        if row is None:
            raise Refused(Finding(path="/name", message=message("key.unknown", name=name)))
        if row.revoked_at is not None:
            return
        row.revoked_at = datetime.now(UTC)
        await row.save([ApiKey.revoked_at])
        kept = {"name": name, "revoked_at": row.revoked_at}
        await record(revoked_by, "change", ApiKey, row.id, {**kept, "revoked_at": None}, kept)


def hash_key(text: str) -> str:
    """A key as it is kept. Its text is 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _key(row: ApiKey) -> Key:
    held = cast(Any, row)
    return Key(
        name=held.name,
        scopes=tuple(held.scopes.split()),
        source=held.source,
        made_by=held.made_by,
        made_at=held.made_at,
        expires_at=held.expires_at,
        revoked_at=held.revoked_at,
    )
