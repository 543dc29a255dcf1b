"""The ORM's engine (数据库引擎): its transactions give their connection back however they end."""

import contextlib
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from ledger.connection import LOST, is_lost

PATIENCE = 30.0
"""Seconds that somebody waits for one of the pool's connections before it is told that there is none."""


@contextlib.contextmanager
def dropping(connection: Any) -> Iterator[None]:
    """Drop the connection where it is lost: the driver may not have noticed, and would wait for its last answer."""
    try:
        yield
    except LOST as error:
        if is_lost(error):
            _drop(connection)
        raise


def _drop(connection: Any) -> None:
    """Let go of a lost connection; the pool may have noticed before us."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


class OurTransaction(PostgresTransaction):
    """A transaction of the ORM's. Its own would keep the connection where even rolling back fails, since the
    connection is lost: ten such losses, and whoever asks for one waits forever; and the task in which it happened would
    go on in the transaction that is no more."""

    async def get_connection(self) -> Any:
        """A connection of the pool, or one by itself where there is no pool."""
        if self.engine.pool:
            return await self.engine.pool.acquire(timeout=PATIENCE)
        return await self.engine.get_new_connection()

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        self.connection = await self.get_connection()
        self.transaction = self.connection.transaction()
        try:
            with dropping(self.connection):
                await self.transaction.start()
        except BaseException:
            await self._give_back()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._parent is not None:
            return error is None
        try:
            with dropping(self.connection):
                if error is None and not self._committed and not self._rolled_back:
                    await self.transaction.commit()
                elif error is not None and is_lost(error):
                    _drop(self.connection)
                elif error is not None and not self._rolled_back:
                    await self.transaction.rollback()
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._give_back()
        return error is None

    async def _give_back(self) -> None:
        """The connection goes back to the pool, which makes another in place of a lost one."""
        with contextlib.suppress(*LOST):  # it was committed or rolled back already: this changes nothing
            if self.engine.pool:
                await self.engine.pool.release(self.connection)
            else:
                await self.connection.close()


class OurEngine(PostgresEngine):
    """The ORM's engine, without the connection that it would make as soon as its module is imported."""

    async def check_version(self) -> None:
        """Nothing: no server is known yet."""

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        """A transaction; within another one, the same."""
        return OurTransaction(engine=self, allow_nested=allow_nested)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        if not self.pool:
            raise LookupError("no pool is running")
        async with self.pool.acquire(timeout=PATIENCE) as connection:
            with dropping(connection):
                return await connection.fetch(query, *(args or ()))
