"""The connection to PostgreSQL (数据库连接): one engine a process, pointed at one database."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import asyncpg

from api.engine import PATIENCE, dropping
from api.piccolo_conf import DB
from engine.finding import Finding, Refused
from engine.language import message
from ledger.connection import LOST

POOL = 10
"""Connections that one process keeps at most."""
_GREETING = 10.0
"""Seconds in which a database answers a new connection, or is away."""
_STATEMENT = 300.0
"""Seconds that one statement takes at most; a database that is frozen, or cut off without a word, is away by then."""

_SESSION = {"timezone": "UTC", "application_name": "jikao"}
_SERVING = {**_SESSION, "lock_timeout": "30s"}
"""Nobody waits for the ledger's lock forever: whoever holds it may have lost its way."""


def point(url: str) -> None:
    """Let every table of the ORM use this database from now on. No pool may be running."""
    DB.config = {"dsn": url, "server_settings": _SESSION}


@asynccontextmanager
async def pooled(url: str, size: int = POOL, *, patience: float = 0) -> AsyncIterator[None]:
    """The ORM on a pool of connections to this database, which has ``patience`` seconds to come up.

    Raises:
        Refused: the database does not answer, or does not let us in.
    """
    await (await connect(url, patience=patience)).close()
    DB.config = {"dsn": url, "server_settings": _SERVING}
    # None at least: the pool would try by itself to replace a lost one, and complain where nobody asked.
    await DB.start_connection_pool(min_size=0, max_size=size, timeout=_GREETING, command_timeout=_STATEMENT)
    try:
        yield
    finally:
        await DB.close_connection_pool()


@asynccontextmanager
async def borrowed() -> AsyncIterator[asyncpg.Connection]:
    """A connection of the ORM's pool, to read on."""
    pool = DB.pool
    if pool is None:
        raise LookupError("no pool is running")
    async with pool.acquire(timeout=PATIENCE) as connection:
        with dropping(connection):
            yield connection


async def connect(url: str, *, patience: float = 0) -> asyncpg.Connection:
    """One connection of the driver's, outside the ORM; it is tried for so many seconds.

    Raises:
        Refused: the database does not answer, or does not let us in; the path names the server, never the password.
    """
    last = time.monotonic() + patience
    try:
        while True:
            try:
                return await asyncpg.connect(url, server_settings=_SESSION, timeout=_GREETING)
            except LOST:
                if time.monotonic() > last:
                    raise
                await asyncio.sleep(0.1)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refused(Finding(path=place(url), message=message("database.unreachable", reason=reason))) from error


def role(url: str) -> tuple[str, str | None]:
    """The role and the password that a connection names."""
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password) if parts.password is not None else None


def place(url: str) -> str:
    """A connection as people may read it: without the password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.username or ''}@{parts.netloc.rpartition('@')[2]}{parts.path}"


async def check_role(connection: asyncpg.Connection) -> None:
    """Refuse to serve as a superuser, or as a role that owns tables: append-only would be a promise of ours alone.

    Raises:
        Refused: one finding that tells to give the owner's connection in JIKAO_MIGRATE_URL.
    """
    found = await connection.fetchrow(
        """
        SELECT current_user AS role,
               (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
               EXISTS (SELECT FROM pg_class c
                       WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                         AND pg_has_role(c.relowner, 'MEMBER'))
               OR EXISTS (SELECT FROM pg_namespace n
                          WHERE n.nspname = current_schema() AND pg_has_role(n.nspowner, 'MEMBER')) AS owner
        """
    )
    for what in ("superuser", "owner"):
        if found[what]:
            raise Refused(Finding(path="DATABASE_URL", message=message(f"database.{what}", role=found["role"])))
