"""Receptions and statements are written once, and found by their source and time."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T11:24:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Receptions and statements are written once"


class RawTable(Table):
    """Carries plain SQL."""


INDEXES = (
    "CREATE INDEX reception_source ON reception (source, at, id)",
    "CREATE INDEX reception_time ON reception (at, id)",
    "CREATE INDEX reception_refused ON reception (source, event, id) WHERE outcome = 'refused'",
    "CREATE INDEX reception_refusals ON reception (at, id) WHERE outcome = 'refused'",
    "CREATE INDEX statement_day ON statement (source, day, id)",
)
KEPT = ("reception", "statement")


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)

    async def set_up() -> None:
        for statement in INDEXES:
            await RawTable.raw(statement)
        for table in KEPT:
            await RawTable.raw(
                f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION office_is_written_once()"
            )
            await RawTable.raw(
                f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION office_is_written_once()"
            )

    manager.add_raw(set_up)
    return manager
