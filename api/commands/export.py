"""``jikao export``: what the ledger holds, as files for others. An option a kind of export."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from admin.exports import export_events
from api import settings as environment
from api.commands.tables import WHATS, read_since, take_tables
from api.database import borrowed
from api.opening import run
from api.settings import Settings, language
from engine.finding import Finding, Refused
from engine.language import message, render
from ledger.current import Current, use_current
from ledger.records import read_lines
from ledger.seal import read_seal


@click.command
@click.argument("table_file", metavar="[FILE]", required=False)
@click.option("--records", metavar="FILE", help="链上记录（NDJSON），- 为标准输出 / the chain's records (NDJSON)")
@click.option(
    "--what",
    type=click.Choice([*WHATS, "events"]),
    default="rulebook",
    show_default=True,
    help="FILE 里放什么，按文件名结尾 .xlsx、.yaml、.csv / what goes into FILE, by its ending",
)
@click.option("--version", type=int, help="规则书的哪一版，默认草稿 / which version of the rulebook; default the draft")
@click.option(
    "--day", metavar="DATE", help="考评对象哪天的情况，默认最近 / subjects as they are on that day; default: last"
)
def export(table_file: str | None, records: str | None, what: str, version: int | None, day: str | None) -> None:
    """导出：规则书、考评对象、关系、事件、链上记录 / export a rulebook, subjects, relations, events, records."""
    if table_file is not None and records is None:
        export_tables(Path(table_file), what, version, day)
        return
    if records is None or table_file is not None:
        raise click.UsageError(render(message("export.nothing"), language()))
    with written(records) as file:
        count = run(environment.read(), lambda settings: export_records(settings, file))
    click.echo(render(message("export.done", count=f"{count:,}"), language()), err=True)


def export_tables(file: Path, what: str, version: int | None, day: str | None) -> None:
    """Write a rulebook, subjects, relations or events into a file, by its ending."""
    ending = {".yml": "yaml"}.get(file.suffix.lower(), file.suffix.lower().removeprefix("."))
    if ending not in (("csv",) if what == "events" else ("xlsx", "yaml", "csv")):
        raise Refused(Finding(path=str(file), message=message("tables.ending", what=what, ending=file.suffix or "–")))

    async def work(settings: Settings) -> list[bytes]:
        current = Current(settings.timezone)
        use_current(current)
        async with borrowed() as connection:
            await current.refresh(connection)
        if what == "events":
            return [part async for part in export_events(language())]
        return [await take_tables(what, ending, version, None if day is None else read_since(day, settings))]

    parts = run(environment.read(), work)
    with written(str(file)) as stream:
        stream.writelines(parts)
    click.echo(render(message("tables.written", file=file), language()), err=True)


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
