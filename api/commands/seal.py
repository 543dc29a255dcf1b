"""``jikao seal``: the chain's length and head, to be noted elsewhere."""

from pathlib import Path

import click
import msgspec

from api import settings as environment
from api.commands.speaking import say, tell
from api.database import borrowed
from api.opening import run
from api.settings import Settings
from engine.finding import Finding, Refused
from engine.language import message
from ledger.difference import Seal
from ledger.seal import read_seal


@click.command
@click.argument("file", required=False)
def seal(file: str | None) -> None:
    """显示封印，或追加到文件 / show the seal, or add it to a file."""

    async def work(_: Settings) -> Seal:
        async with borrowed() as connection:
            return await read_seal(connection)

    found = run(environment.read(), work)
    if file is None:
        tell(found)
        return
    try:
        with Path(file).open("ab") as kept:
            kept.write(msgspec.json.encode(found) + b"\n")
    except OSError as error:
        raise Refused(Finding(path=file, message=message("export.unwritable", reason=error.strerror))) from error
    say(message("seal.kept", file=file, length=found.length, head=found.head))
