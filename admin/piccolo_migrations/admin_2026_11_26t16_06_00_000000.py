"""A change is found by what it is about, by its table and by who made it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T16:06:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "A change is found by what it is about, by its table and by who made it"


class RawTable(Table):
    """Carries plain SQL."""


INDEXES = (
    "CREATE INDEX change_log_owner ON change_log (owner, id)",
    'CREATE INDEX change_log_table ON change_log ("table", "row", id)',
    'CREATE INDEX change_log_user ON change_log ("user", id)',
)


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)

    async def set_up() -> None:
        for statement in INDEXES:
            await RawTable.raw(statement)

    manager.add_raw(set_up)
    return manager
