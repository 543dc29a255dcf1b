"""``jikao demo``: fill an empty database with the demonstration, and mark it one for good."""

import click

from api import settings as environment
from api.commands.speaking import say
from api.opening import run
from api.preparing import fill_demonstration
from api.settings import Settings
from engine.language import message
from ledger.current import Current, use_current


@click.command
def demo() -> None:
    """填入演示数据 / fill an empty database with a demonstration."""

    async def work(settings: Settings) -> None:
        current = Current(settings.timezone)
        use_current(current)
        await fill_demonstration(current)

    run(environment.read(), work)
    say(message("demonstration.filled"))
