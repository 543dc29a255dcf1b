"""A table of a database that nobody may read for a while: what reads it waits, and can be looked at meanwhile."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from api.embedded import Database


@contextmanager
def held(database: Database, table: str) -> Iterator[None]:
    """Whoever reads the table waits until the block is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def lock() -> asyncpg.Connection:
        connection = await asyncpg.connect(database.migrate_url)
        await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        return connection

    connection = asyncio.run_coroutine_threadsafe(lock(), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(connection.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
