"""Where the ORM finds its engine and our tables. The engine's connection is set by :mod:`api.database`."""

from piccolo.conf.apps import AppRegistry

from api.engine import OurEngine

APPS = ["rules.piccolo_app", "ledger.piccolo_app", "admin.piccolo_app"]

DB = OurEngine(config={}, extensions=())
APP_REGISTRY = AppRegistry(apps=APPS)
