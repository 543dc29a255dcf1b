"""An approval holds until the next change; a change is found by what it is about."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Integer, Text, Varchar
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Unique

ID = "2026-11-26T16:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "An approval holds until the next change; a change is found by what it is about"


_COMMON = {
    "null": False,
    "primary_key": False,
    "unique": False,
    "index": False,
    "index_method": IndexMethod.btree,
    "choices": None,
    "db_column_name": None,
    "secret": False,
}


async def forwards() -> MigrationManager:
    """Set it up."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)
    for table, class_name, name, column, params in (
        ("approval", "Approval", "change", Integer, {"default": 0}),
        ("change_log", "ChangeLog", "owner", Varchar, {"length": 64, "default": ""}),
        ("change_log", "ChangeLog", "name", Text, {"default": ""}),
    ):
        manager.add_column(
            table_class_name=class_name,
            tablename=table,
            column_name=name,
            db_column_name=name,
            column_class_name=column.__name__,
            column_class=column,
            params={**_COMMON, **params},
            schema=None,
        )

    manager.add_constraint(
        table_class_name="Approval",
        tablename="approval",
        constraint_name="approval_once_a_change",
        constraint_class=Unique,
        params={"columns": ["hash", "user", "change"], "nulls_distinct": True},
        schema=None,
    )
    manager.drop_constraint(
        table_class_name="Approval", tablename="approval", constraint_name="approval_once", schema=None
    )
    return manager
