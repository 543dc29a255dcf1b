"""Who changed what, and who approved what, is written once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T11:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The change log and the approvals are written once"


class RawTable(Table):
    """Carries plain SQL."""


FUNCTION = """
CREATE FUNCTION office_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'written once: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
KEPT = ("change_log", "approval")


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)

    async def set_up() -> None:
        await RawTable.raw(FUNCTION)
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
