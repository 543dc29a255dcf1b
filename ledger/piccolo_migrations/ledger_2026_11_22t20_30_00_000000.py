"""What the ORM cannot say: order by code point, indexes, the present, and append-only."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T20:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes, the present, and append-only"


class RawTable(Table):
    """Carries plain SQL."""


INDEXES = (
    "CREATE UNIQUE INDEX event_identity ON event (source, id)",
    "CREATE INDEX event_booked ON event (booked, number)",
    "CREATE INDEX entry_event ON entry (source, event, number)",
    "CREATE INDEX entry_subject ON entry (subject, number)",
    "CREATE INDEX entry_rule ON entry (rule, number)",
    "CREATE INDEX entry_period ON entry (period, number) WHERE period IS NOT NULL",
    "CREATE INDEX entry_booked ON entry (booked, subject) INCLUDE (indicator, posted)",
    "CREATE INDEX entry_cause ON entry (cause)",
    "CREATE UNIQUE INDEX subject_place_day ON subject_place (subject, since) NULLS NOT DISTINCT",
    "CREATE UNIQUE INDEX relation_identity ON relation (subject, relation, answers, indicator, starts)"
    " NULLS NOT DISTINCT",
    "CREATE UNIQUE INDEX snapshot_number ON snapshot (period, number)",
    "INSERT INTO ledger_head (id) VALUES (1)",
)

PRESENT = (
    """
    CREATE TABLE present_event (
        source text NOT NULL, id text NOT NULL, number bigint NOT NULL, type text NOT NULL, day date NOT NULL,
        instant timestamptz NOT NULL, booked date NOT NULL, grows boolean NOT NULL, PRIMARY KEY (source, id))
    """,
    "CREATE INDEX present_event_instant ON present_event (instant)",
    "CREATE INDEX present_event_day ON present_event (day)",
    "CREATE INDEX present_event_grows ON present_event (number) WHERE grows",
    """
    CREATE TABLE present_sheet (
        source text NOT NULL, id text NOT NULL, rule text NOT NULL, compared text NOT NULL,
        content text NOT NULL, PRIMARY KEY (source, id, rule, compared))
    """,
    """
    CREATE TABLE present_claim (
        subject text NOT NULL, matter text NOT NULL, sign smallint NOT NULL, size text COLLATE "C" NOT NULL,
        place text COLLATE "C" NOT NULL, rule integer NOT NULL, source text NOT NULL, id text NOT NULL,
        content text NOT NULL)
    """,
    "CREATE INDEX present_claim_rank ON present_claim (subject, matter, sign, size, place, rule)",
    "CREATE INDEX present_claim_lot ON present_claim (source, id)",
    """
    CREATE TABLE present_taking (
        limit_code text NOT NULL, span text NOT NULL, subject text NOT NULL, sign smallint NOT NULL,
        turn text COLLATE "C" NOT NULL, taken numeric NOT NULL, source text NOT NULL, id text NOT NULL,
        rule text NOT NULL, compared text NOT NULL, content text NOT NULL)
    """,
    "CREATE INDEX present_taking_turn ON present_taking (limit_code, span, subject, sign, turn)",
    "CREATE INDEX present_taking_users ON present_taking (limit_code, span, subject, sign, turn) WHERE taken > 0",
    "CREATE INDEX present_taking_lot ON present_taking (source, id)",
    """
    CREATE TABLE present_room (
        limit_code text NOT NULL, span text NOT NULL, subject text NOT NULL, sign smallint NOT NULL,
        used numeric NOT NULL, PRIMARY KEY (limit_code, span, subject, sign))
    """,
    """
    CREATE TABLE present_recurrence (
        digest text NOT NULL, place text COLLATE "C" NOT NULL, source text NOT NULL, id text NOT NULL,
        PRIMARY KEY (digest, place))
    """,
    "CREATE INDEX present_recurrence_lot ON present_recurrence (source, id)",
)

FUNCTION = """
CREATE OR REPLACE FUNCTION ledger_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is written once: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""
KEPT = ("event", "entry", "act", "snapshot")


async def forwards() -> MigrationManager:
    """Set them up."""
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    async def set_up() -> None:
        for statement in (*INDEXES, *PRESENT, FUNCTION):
            await RawTable.raw(statement)
        for table in KEPT:
            await RawTable.raw(
                f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION ledger_is_written_once()"
            )
            await RawTable.raw(
                f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_written_once()"
            )

    manager.add_raw(set_up)
    return manager
