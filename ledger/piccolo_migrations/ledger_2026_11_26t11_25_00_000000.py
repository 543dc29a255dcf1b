"""Events are found by the day on which they were received, at next to no cost to recording them.

They lie in the order of their reception, so that a summary of each range of blocks is enough.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T11:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Events are found by the day of their reception"


class RawTable(Table):
    """Carries plain SQL."""


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        await RawTable.raw(
            "CREATE INDEX event_received ON event USING brin (received_at)"
            " WITH (pages_per_range = 16, autosummarize = on)"
        )

    manager.add_raw(set_up)
    return manager
