"""Opening the instance (打开实例): the database runs, is current, and lets us in with the right role."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import anyio

from api.database import check_role, connect, pooled
from api.embedded import Database, embedded
from api.migrating import migrate, missing
from api.settings import Settings
from engine.finding import Finding, Refused
from engine.language import message

_T = TypeVar("_T")


@contextmanager
def opened(settings: Settings) -> Iterator[Settings]:
    """The settings on a database that is there: given, or ours, which runs for the length of the block.

    Raises:
        Refused: the embedded PostgreSQL cannot run.
    """
    if settings.database is not None:
        yield settings
        return
    with embedded(settings.var / "postgres") as database:
        yield settings.on(database, embedded=True)


def database(settings: Settings) -> Database:
    """The database of settings that :func:`opened` gave."""
    if settings.database is None:
        raise ValueError("the settings are not opened")
    return settings.database


async def brought_up(settings: Settings) -> None:
    """Migrate where the owner's connection is known; then see that the tables are current and the role is right.

    Raises:
        Refused: the database does not answer, is behind, or the role is a superuser's or the owner's.
    """
    given = database(settings)
    if given.migrate_url:
        await migrate(given.migrate_url, given.url)
    connection = await connect(given.url)
    try:
        await check_role(connection)
    finally:
        await connection.close()
    if not given.migrate_url:
        behind = await missing(given.url)
        if behind:
            raise Refused(Finding(path="DATABASE_URL", message=message("database.behind", count=len(behind))))


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Settings]:
    """A database brought up, and the ORM on a small pool, for a command."""
    await brought_up(settings)
    async with pooled(database(settings).url, size=4):
        yield settings


def run(settings: Settings, work: Callable[[Settings], Awaitable[_T]]) -> _T:
    """Open the instance, do one piece of work on it, and leave: what most commands are."""

    async def whole(there: Settings) -> _T:
        async with connected(there):
            return await work(there)

    with opened(settings) as there:
        return anyio.run(whole, there)
