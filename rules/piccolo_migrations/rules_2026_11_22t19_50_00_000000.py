"""The database itself refuses to change a published version."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T19:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "A published version is never changed"


class RawTable(Table):
    """Carries plain SQL."""


FUNCTION = """
CREATE OR REPLACE FUNCTION rulebook_version_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published version is never changed' USING ERRCODE = 'restrict_violation';
END $$
"""
ROWS = """
CREATE OR REPLACE TRIGGER rulebook_version_rows BEFORE UPDATE OR DELETE ON rulebook_version
FOR EACH ROW EXECUTE FUNCTION rulebook_version_is_written_once()
"""
WHOLE = """
CREATE OR REPLACE TRIGGER rulebook_version_whole BEFORE TRUNCATE ON rulebook_version
FOR EACH STATEMENT EXECUTE FUNCTION rulebook_version_is_written_once()
"""


async def forwards() -> MigrationManager:
    """Set the guards."""
    manager = MigrationManager(migration_id=ID, app_name="rules", description=DESCRIPTION)

    async def guard() -> None:
        for statement in (FUNCTION, ROWS, WHOLE):
            await RawTable.raw(statement)

    manager.add_raw(guard)
    return manager
