"""The tables of this room, for the ORM's migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from admin.session import SessionRow
from admin.tables import ApiKey, Approval, ChangeLog, Reception, Source, Statement, Upload, User, UserRole

APP_CONFIG = AppConfig(
    app_name="admin",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[User, UserRole, SessionRow, Approval, ChangeLog, ApiKey, Source, Reception, Statement, Upload],
    migration_dependencies=[],
    commands=[],
)
