"""``jikao export``: what the ledger holds, as files for others. An option a kind of export."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from api import settings as environment
from api.database import borrowed
from api.opening import run
from api.settings import Settings, language
from engine.finding import Finding, Refused
from engine.language import message, render
from ledger.records import read_lines
from ledger.seal import read_seal


@click.command
@click.option("--records", metavar="FILE", help="链上记录（NDJSON），- 为标准输出 / the chain's records (NDJSON)")
def export(records: str | None) -> None:
    """导出 / export."""
    if records is None:
        raise click.UsageError(render(message("export.nothing"), language()))
    with written(records) as file:
        count = run(environment.read(), lambda settings: export_records(settings, file))
    click.echo(render(message("export.done", count=f"{count:,}"), language()), err=True)


async def export_records(_: Settings, file: BinaryIO) -> int:
    """Write the records of the chain in order; how many."""
    async with borrowed() as connection:
        length = (await read_seal(connection)).length
        async for block in read_lines(connection, 1, length):
            file.write(block)
    return length


@contextlib.contextmanager
def written(name: str) -> Iterator[BinaryIO]:
    """A file to write, or standard output."""
    try:
        if name == "-":
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        with Path(name).open("wb") as file:
            yield file
    except OSError as error:
        raise Refused(Finding(path=name, message=message("export.unwritable", reason=error.strerror))) from error
