"""Bringing the tables up to date (迁移), as the role that owns them, and granting the application what it needs.

The application may read and add everywhere; it may change and delete except in the tables that a room lists in
``APPEND_ONLY`` (只增不改的表), may change but not delete in those of ``REMOVABLE`` (文字可依规清除的表), and may never
truncate.
"""

import contextlib
import importlib
import io
import sys
from collections.abc import AsyncIterator, Sequence

import asyncpg
from piccolo.apps.migrations.commands.base import BaseMigrationManager
from piccolo.apps.migrations.commands.forwards import run_forwards
from piccolo.apps.migrations.tables import Migration

from api.database import connect, point, role
from api.piccolo_conf import APPS, DB
from engine.finding import Finding, Refused
from engine.language import message

_LOCK = 0x6A696B616F  # "jikao"


async def migrate(migrate_url: str, app_url: str) -> Sequence[str]:
    """Run what has not run yet, one process at a time, and grant the application's role its rights.

    The role of ``app_url`` is made with its password when it does not exist. Returns the ids of the
    migrations that ran.

    Raises:
        Refused: no connection, a role that cannot be made, or a migration that failed.
    """
    connection = await connect(migrate_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _make_role(connection, app_url)
        async with _pointed(migrate_url):
            ran = await _missing(connection)
            if ran:
                await _forwards()
        await _grant(connection, role(app_url)[0])
        return ran
    finally:
        await connection.close()


async def missing(url: str) -> Sequence[str]:
    """The ids of the migrations that have not run in this database."""
    connection = await connect(url)
    try:
        return await _missing(connection)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _pointed(url: str) -> AsyncIterator[None]:
    """The ORM's engine on this database for a while, without a pool."""
    config, pool = DB.config, DB.pool
    point(url)
    DB.pool = None
    try:
        yield
    finally:
        DB.config, DB.pool = config, pool


async def _missing(connection: asyncpg.Connection) -> Sequence[str]:
    """Ids of our migrations in the order of their apps, less those that the database lists."""
    listed: set[tuple[str, str]] = set()
    if await connection.fetchval("SELECT to_regclass('migration')"):
        listed = {(row["app_name"], row["name"]) for row in await connection.fetch("SELECT * FROM migration")}
    manager = BaseMigrationManager()
    path = list(sys.path)
    try:
        return [
            identity
            for app in manager.get_app_configs()
            for identity in manager.get_migration_ids(
                manager.get_migration_modules(app.resolved_migrations_folder_path)
            )
            if (app.app_name, identity) not in listed
        ]
    finally:
        sys.path[:] = path  # the ORM leaves each folder of migrations on it


async def _forwards() -> None:
    """Run the ORM's migrations, all or none, without its talk."""
    path = list(sys.path)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            async with DB.transaction():
                result = await run_forwards(app_name="all")
    except asyncpg.PostgresError as error:
        raise Refused(Finding(message=message("database.migration", reason=str(error)))) from error
    finally:
        sys.path[:] = path
    if not result.success:
        raise Refused(Finding(message=message("database.migration", reason=result.message or "")))


async def _make_role(connection: asyncpg.Connection, app_url: str) -> None:
    """The application's role, when it is not there yet."""
    name, password = role(app_url)
    if await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
        return
    if not password:
        raise Refused(Finding(path="DATABASE_URL", message=message("database.password_missing", role=name)))
    said = await connection.fetchval(
        "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)", name, password
    )
    try:
        await connection.execute(said)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Refused(Finding(path="DATABASE_URL", message=message("database.role_missing", role=name))) from error


def append_only() -> frozenset[str]:
    """The tables that a room lists as written once and never changed, and the ORM's own list of migrations."""
    return _listed("APPEND_ONLY") | {Migration._meta.tablename}


def removable() -> frozenset[str]:
    """The tables that a room lists as written once, but for removals that their triggers let through."""
    return _listed("REMOVABLE")


def _listed(name: str) -> frozenset[str]:
    rooms = (importlib.import_module(app.partition(".")[0] + ".tables") for app in APPS)
    return frozenset(table._meta.tablename for room in rooms for table in getattr(room, name, ()))


async def _grant(connection: asyncpg.Connection, name: str) -> None:
    """Rights of the application on what the owner has in its schema, now and later. Nothing happens when they stand."""
    who = await connection.fetchval("SELECT quote_ident($1)", name)
    schema = await connection.fetchval("SELECT quote_ident(current_schema())")
    kept, removed = append_only(), removable()
    tables = await connection.fetch(
        "SELECT relname, quote_ident(relname) AS quoted FROM pg_class "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') "
        "AND pg_has_role(relowner, 'USAGE') ORDER BY relname"
    )
    async with connection.transaction():
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {who}")
        await connection.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {who}")
        for table in tables:
            await connection.execute(f"GRANT SELECT, INSERT ON {schema}.{table['quoted']} TO {who}")
            if table["relname"] in kept:
                await connection.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {schema}.{table['quoted']} FROM {who}")
            elif table["relname"] in removed:
                await connection.execute(f"REVOKE DELETE, TRUNCATE ON {schema}.{table['quoted']} FROM {who}")
                await connection.execute(f"GRANT UPDATE ON {schema}.{table['quoted']} TO {who}")
            else:
                await connection.execute(f"GRANT UPDATE, DELETE ON {schema}.{table['quoted']} TO {who}")
        defaults = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT"
        await connection.execute(f"{defaults} SELECT, INSERT ON TABLES TO {who}")
        await connection.execute(f"{defaults} USAGE, SELECT ON SEQUENCES TO {who}")
