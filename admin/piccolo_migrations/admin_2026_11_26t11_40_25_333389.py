"""Sources have numbers: the panel can make no row whose key is a code."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Varchar
from piccolo.table import Table

ID = "2026-11-26T11:40:25:333389"
VERSION = "1.38.0"
DESCRIPTION = "Sources have numbers, so that the panel can register them"


class RawTable(Table):
    """Carries plain SQL."""


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)

    async def set_up() -> None:
        await RawTable.raw("ALTER TABLE source DROP CONSTRAINT source_pkey")
        await RawTable.raw("ALTER TABLE source ADD COLUMN id SERIAL PRIMARY KEY")

    manager.add_raw(set_up)
    manager.alter_column(
        table_class_name="Source",
        tablename="source",
        column_name="code",
        db_column_name="code",
        params={"default": "", "primary_key": False, "unique": True},
        old_params={"default": None, "primary_key": True, "unique": False},
        column_class=Varchar,
        old_column_class=Varchar,
        schema=None,
    )
    return manager
