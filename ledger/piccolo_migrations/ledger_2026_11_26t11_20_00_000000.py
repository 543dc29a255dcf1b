"""A remark is written once, and may be emptied by an act that the chain holds."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T11:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Remarks are written once and may be removed"


class RawTable(Table):
    """Carries plain SQL."""


STATEMENTS = (
    """
    CREATE FUNCTION remark_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.removed_by IS NULL AND NEW.removed_by IS NOT NULL AND NEW.text IS NULL AND NEW.salt IS NULL
           AND NEW.hash = OLD.hash
           AND EXISTS (SELECT FROM act WHERE number = NEW.removed_by AND kind = 'removal') THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a remark is written once: only a removal that the chain holds may empty it'
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "CREATE TRIGGER remark_emptied BEFORE UPDATE ON remark FOR EACH ROW EXECUTE FUNCTION remark_is_written_once()",
    "CREATE TRIGGER remark_rows BEFORE DELETE ON remark FOR EACH ROW EXECUTE FUNCTION ledger_is_written_once()",
    "CREATE TRIGGER remark_whole BEFORE TRUNCATE ON remark"
    " FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_written_once()",
)


async def forwards() -> MigrationManager:
    """Set them up."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        for statement in STATEMENTS:
            await RawTable.raw(statement)

    manager.add_raw(set_up)
    return manager
