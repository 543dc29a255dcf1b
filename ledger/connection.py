"""A lost connection (数据库失联): what is raised where the database does not answer.

It is nobody's fault and says nothing of what was asked: the database is away, going down, coming up, full, or held by
somebody for too long. Whoever asked may ask again. Whether what was asked was done is open where it was being
committed; so everything that a system sends can be sent again without harm.
"""

import asyncpg

LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver lost its thread: its server died between two messages
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
)


def is_lost(error: BaseException) -> bool:
    """Whether it is the database that failed, rather than what it was asked."""
    return isinstance(error, LOST) and not isinstance(error, ValueError)  # the driver's word for a value it cannot send
