"""Writing (写入): a connection in a transaction of its own, for what is kept beside the ledger."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from piccolo.engine import engine_finder

from ledger.current import Connection


@asynccontextmanager
async def writing() -> AsyncIterator[Connection]:
    """The connection; what is done on it is kept unless leaving it is by an error."""
    engine: Any = engine_finder()
    async with engine.transaction() as transaction:
        yield transaction.connection
