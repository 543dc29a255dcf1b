"""``jikao rebuild``: the present made anew from the ledger."""

import click

from api import settings as environment
from api.commands.speaking import say
from api.opening import run
from api.settings import Settings
from engine.language import message
from ledger.current import Current, use_current
from ledger.rebuilding import rebuild_present


@click.command
def rebuild() -> None:
    """重建现行账 / make the present anew from the ledger."""

    async def work(settings: Settings) -> int:
        current = Current(settings.timezone)
        use_current(current)
        return await rebuild_present(current)

    say(message("rebuilding.done", standing=run(environment.read(), work)))
