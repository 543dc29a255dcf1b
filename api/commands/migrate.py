"""``jikao migrate``: bring the tables up to date, and grant the application its rights."""

import anyio
import click

from api import settings as environment
from api.commands.speaking import for_machines, say, tell
from api.migrating import migrate as bring_up
from api.opening import database, opened
from engine.finding import Finding, Refused
from engine.language import message


@click.command
@for_machines
def migrate(as_json: bool) -> None:
    """更新数据库的表 / bring the database's tables up to date."""
    with opened(environment.read()) as settings:
        given = database(settings)
        if not given.migrate_url:
            raise Refused(Finding(path="JIKAO_MIGRATE_URL", message=message("migrate.need_url")))
        ran = anyio.run(bring_up, given.migrate_url, given.url)
    if as_json:
        tell({"ran": ran})
    else:
        say(message("migrate.done", count=len(ran)) if ran else message("migrate.current"))
