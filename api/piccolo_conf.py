"""Where the ORM finds its engine and our tables. The engine's connection is set by :mod:`api.database`."""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

APPS = ["rules.piccolo_app", "ledger.piccolo_app", "admin.piccolo_app"]


class OurEngine(PostgresEngine):
    """The ORM's engine, without the connection that it would make as soon as this module is imported."""

    async def check_version(self) -> None:
        """Nothing: no server is known yet."""


DB = OurEngine(config={}, extensions=())
APP_REGISTRY = AppRegistry(apps=APPS)
