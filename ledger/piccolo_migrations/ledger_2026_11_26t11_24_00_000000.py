"""An attachment is written once, and may be emptied by an act that the chain holds; one open appeal per entry.

The acts that carry out a decision name the appeal; they are found by it.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T11:24:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Attachments are written once and may be removed; appeals are found"


class RawTable(Table):
    """Carries plain SQL."""


STATEMENTS = (
    """
    CREATE FUNCTION attachment_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.removed_by IS NULL AND NEW.removed_by IS NOT NULL
           AND NEW.content IS NULL AND NEW.name IS NULL AND NEW.salt IS NULL
           AND NEW.hash = OLD.hash AND NEW.media_type = OLD.media_type AND NEW.size = OLD.size
           AND EXISTS (SELECT FROM act WHERE number = NEW.removed_by AND kind = 'removal') THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'an attachment is written once: only a removal that the chain holds may empty it'
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "CREATE TRIGGER attachment_emptied BEFORE UPDATE ON attachment"
    " FOR EACH ROW EXECUTE FUNCTION attachment_is_written_once()",
    "CREATE TRIGGER attachment_rows BEFORE DELETE ON attachment FOR EACH ROW EXECUTE FUNCTION ledger_is_written_once()",
    "CREATE TRIGGER attachment_whole BEFORE TRUNCATE ON attachment"
    " FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_written_once()",
    "CREATE UNIQUE INDEX appeal_open ON appeal (entry, subject) WHERE state IN ('lodged', 'answered')",
    "CREATE INDEX act_of_appeal ON act (((content::jsonb ->> 'appeal')::bigint)) WHERE content::jsonb ? 'appeal'",
    "CREATE INDEX act_of_period ON act ((content::jsonb ->> 'period'), number) WHERE kind IN ('settlement', 'closing')",
)


async def forwards() -> MigrationManager:
    """Set them up."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        for statement in STATEMENTS:
            await RawTable.raw(statement)

    manager.add_raw(set_up)
    return manager
