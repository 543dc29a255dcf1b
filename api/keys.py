"""API keys (接口密钥): what systems come in with. Shown once, kept as a hash, scoped, expiring, revocable."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

import msgspec
from piccolo.columns import Column

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

PREFIX = "jk_"
TRUSTED = 2.0
"""Seconds for which a key that was looked up is not looked up again: a revocation takes no longer to work."""
KEPT = 1_000
"""Keys remembered at most."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be shown: everything but the key itself."""

    name: str
    scopes: tuple[str, ...]
    source: str | None = None
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, at: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class Keyring:
    """The keys that this process looked up lately."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[float, Key | None]] = OrderedDict()

    async def find(self, text: str) -> Key | None:
        """The key of a text, if it is valid now."""
        hashed = hash_key(text)
        known = self._held.get(hashed)
        if known is None or time.monotonic() - known[0] > TRUSTED:
            row = await ApiKey.objects().where(ApiKey.hash == hashed).first()
            known = (time.monotonic(), None if row is None else _key(row))
            self._held[hashed] = known
            self._held.move_to_end(hashed)
            if len(self._held) > KEPT:
                self._held.popitem(last=False)
        found = known[1]
        return found if found is not None and found.valid(datetime.now(UTC)) else None


async def make_key(
    name: str,
    scopes: Iterable[str],
    *,
    source: str | None = None,
    expires_at: datetime | None = None,
    made_by: str = "",
) -> str:
    """Make a key and give back its text, which is kept nowhere.

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
    await ApiKey(
        name=name,
        hash=hash_key(text),
        scopes=" ".join(wanted),
        source=source,
        made_by=made_by,
        expires_at=expires_at,
    ).save()
    return text


async def list_keys() -> list[Key]:
    """Every key, by name; those that are revoked or over, too."""
    return [_key(row) for row in await ApiKey.objects().order_by(ApiKey.name)]


async def revoke_key(name: str) -> None:
    """Let a key open nothing any more. Refused where there is none of that name."""
    if not await ApiKey.exists().where(ApiKey.name == name):
        raise Refused(Finding(path="/name", message=message("key.unknown", name=name)))
    changed: dict[Column | str, Any] = {ApiKey.revoked_at: datetime.now(UTC)}
    await ApiKey.update(changed).where((ApiKey.name == name) & ApiKey.revoked_at.is_null())


def hash_key(text: str) -> str:
    """A key as it is kept. Its text is 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _key(row: ApiKey) -> Key:
    held = cast(Any, row)
    return Key(
        name=held.name,
        scopes=tuple(held.scopes.split()),
        source=held.source,
        made_at=held.made_at,
        expires_at=held.expires_at,
        revoked_at=held.revoked_at,
    )
