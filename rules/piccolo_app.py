"""The tables of this room, for the ORM's migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from rules.tables import DRAFT_TABLES, Version

APP_CONFIG = AppConfig(
    app_name="rules",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[*DRAFT_TABLES, Version],
    migration_dependencies=[],
    commands=[],
)
