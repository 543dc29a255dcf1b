"""Indexes by which whoever reads finds entries and acts at the same cost however long the ledger is.

Two are exchanged at the same cost for each entry; ``entry_source`` and ``entry_indicator`` are new, and small;
the index by kind holds the rare kinds only, and those of acts are touched by acts alone.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-26T11:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes for reading entries and acts"


class RawTable(Table):
    """Carries plain SQL."""


STATEMENTS = (
    "DROP INDEX entry_event",
    "CREATE INDEX entry_event ON entry (event, source, number) WHERE event IS NOT NULL",
    "DROP INDEX entry_booked",
    "CREATE INDEX entry_booked ON entry (booked, number) INCLUDE (subject, indicator, posted)",
    "DROP INDEX entry_cause",
    "CREATE INDEX entry_cause ON entry (cause, number)",
    "CREATE INDEX entry_source ON entry (source, number) WHERE source IS NOT NULL",
    "CREATE INDEX entry_indicator ON entry (indicator, number) WHERE indicator IS NOT NULL",
    "CREATE INDEX entry_kind ON entry (kind, number) WHERE kind IN ('period', 'reversal', 'adjustment')",
    "CREATE INDEX act_kind ON act (kind, number)",
    "CREATE INDEX act_actor ON act (actor, number)",
    "CREATE INDEX act_at ON act (at)",
)


async def forwards() -> MigrationManager:
    """Exchange and add them."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        for statement in STATEMENTS:
            await RawTable.raw(statement)

    manager.add_raw(set_up)
    return manager
