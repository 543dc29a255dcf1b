"""A page of a simulation's entries is found by its number."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T16:13:22:000000"
VERSION = "1.38.0"
DESCRIPTION = "An index of simulations' pages"


class RawTable(Table):
    """Carries plain SQL."""


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        await RawTable.raw("CREATE UNIQUE INDEX simulation_page_number ON simulation_page (simulation, number)")

    manager.add_raw(set_up)
    return manager
