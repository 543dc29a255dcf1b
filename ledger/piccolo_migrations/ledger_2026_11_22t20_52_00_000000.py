"""The act that withdrew an event is found at once, however many acts there are."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T20:52:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Withdrawals by event"


class RawTable(Table):
    """Carries plain SQL."""


INDEX = """
CREATE INDEX act_withdrawal ON act ((content::jsonb -> 'event')) WHERE kind IN ('retraction', 'correction')
"""


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        await RawTable.raw(INDEX)

    manager.add_raw(set_up)
    return manager
