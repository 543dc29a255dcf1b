from piccolo.apps.migrations.auto.migration_manager import MigrationManager

ID = "2026-11-22T20:54:05:594499"
VERSION = "1.38.0"
DESCRIPTION = "The JSON columns are no more"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="rules", description=DESCRIPTION)

    manager.drop_column(
        table_class_name="Draft",
        tablename="draft",
        column_name="holidays",
        db_column_name="holidays",
        schema=None,
    )

    manager.drop_column(
        table_class_name="Draft",
        tablename="draft",
        column_name="scorecards_json",
        db_column_name="scorecards_json",
        schema=None,
    )

    manager.drop_column(
        table_class_name="Draft",
        tablename="draft",
        column_name="standing_json",
        db_column_name="standing_json",
        schema=None,
    )

    manager.drop_column(
        table_class_name="Draft",
        tablename="draft",
        column_name="workdays",
        db_column_name="workdays",
        schema=None,
    )

    manager.drop_column(
        table_class_name="DraftIndicator",
        tablename="draft_indicator",
        column_name="measure_json",
        db_column_name="measure_json",
        schema=None,
    )

    manager.drop_column(
        table_class_name="DraftRule",
        tablename="draft_rule",
        column_name="further_json",
        db_column_name="further_json",
        schema=None,
    )

    return manager
