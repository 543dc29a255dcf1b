"""``jikao import``: what is in a file goes into the database, by the file's ending."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import asyncpg
import click
import msgspec

from api import settings as environment
from api.commands.speaking import for_machines, say, tell
from api.commands.tables import (
    WHATS,
    Asked,
    Tables,
    bring_tables,
    preview_tables,
    read_since,
    tell_tables,
)
from api.database import borrowed
from api.importing import Imported, Importer, RefusedLine, read_lines
from api.opening import run
from api.settings import Settings, language
from engine.both import BothMatcher
from engine.direct import DirectMatcher
from engine.finding import Finding, Refused
from engine.language import message, render
from ledger.current import Current, use_current
from ledger.recording import Recorder
from rules.workbook import BOUNDS

STDIN = "-"
MOST_LISTED = 10_000
"""Refused lines that the answer for machines lists at most; all of them are counted."""
_BEAT = 0.5
"""Seconds between two looks at the progress."""


class Options(NamedTuple):
    """How something is imported. ``what`` to ``preview`` are of tables, the others of events."""

    atomic: bool
    refused: Path | None
    as_json: bool
    file: str = STDIN
    what: str | None = None
    since: str | None = None
    reason: str = ""
    preview: bool = False


@click.command(name="import")
@click.argument("file")
@click.option("--atomic", is_flag=True, help="全部入账或全不入账 / all or none")
@click.option(
    "--refused",
    type=click.Path(path_type=Path, dir_okay=False),
    help="退回的行写入这个新文件，改好后可再导入 / refused lines go into this new file, to be mended",
)
@click.option(
    "--what",
    type=click.Choice(["events", *WHATS]),
    help="文件里的哪些内容；不写则看文件里有什么 / which part of the file; left out: whatever it holds",
)
@click.option("--since", metavar="DATE", help="变化自哪天起，默认今天 / from which day subjects are so; default today")
@click.option("--reason", default="", help="理由；影响到已有事件时必须写 / why; needed where past events are concerned")
@click.option(
    "--preview", is_flag=True, help="只看会有哪些变化，什么也不导入 / tell what would change and keep nothing"
)
@for_machines
def import_(
    file: str,
    atomic: bool,
    refused: Path | None,
    what: str | None,
    since: str | None,
    reason: str,
    preview: bool,
    as_json: bool,
) -> int:
    """导入文件：事件 .ndjson，每行一个，- 为标准输入；规则书、考评对象、关系 .yaml、.xlsx / import a file: events
    (.ndjson, one a line, - is the standard input), a rulebook, subjects, relations (.yaml, .xlsx)."""
    ending = ".ndjson" if file == STDIN else Path(file).suffix.lower()
    importer = _IMPORTERS.get(ending)
    if importer is None or (what is not None and (what == "events") != (importer is import_events)):
        said = message("import.ending", known=", ".join(_IMPORTERS))
        raise Refused(Finding(path=file, message=said))
    settings = environment.read()
    with _opened(file) as stream:
        return importer(settings, stream, Options(atomic, refused, as_json, file, what, since, reason, preview))


def import_events(settings: Settings, stream: BinaryIO, options: Options) -> int:
    """Import events, one a line; the exit status: 0 only if none was refused."""
    listed, imported = list[RefusedLine](), Imported()
    with _progress(stream, quiet=options.as_json) as watch, _set_aside(options, listed) as set_aside:

        async def work(there: Settings) -> None:
            current = Current(there.timezone, DirectMatcher if there.matcher == "direct" else BothMatcher)
            use_current(current)
            async with borrowed() as connection:
                await current.refresh(connection)
            importer = Importer(Recorder(current), language(), set_aside, watch, imported)
            lines = read_lines(stream)
            await (importer.together(lines) if options.atomic else importer.each(lines))

        try:
            run(settings, work)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            said = message("import.broken_off", lines=imported.lines, reason=error)
            raise Refused(Finding(message=said)) from error
    if options.as_json:
        counts = {"accepted": imported.accepted, "repeated": imported.repeated, "refused_count": imported.refused}
        tell({**counts, "refused": [{"line": each.line, "id": each.id, "errors": each.errors} for each in listed]})
    else:
        counted = {"accepted": imported.accepted, "repeated": imported.repeated, "refused": imported.refused}
        say(message("import.done", **counted))
        if imported.refused and options.atomic:
            say(message("import.nothing_kept"))
        if imported.refused and options.refused is not None:
            say(message("import.mend", file=options.refused))
    return 1 if imported.refused else 0


def import_tables(settings: Settings, stream: BinaryIO, options: Options) -> int:
    """Import a rulebook, subjects and relations, all or none; the exit status. Refused with every fault."""
    data = stream.read(BOUNDS.bytes + 1)

    async def work(there: Settings) -> Tables:
        current = Current(there.timezone, DirectMatcher if there.matcher == "direct" else BothMatcher)
        use_current(current)
        async with borrowed() as connection:
            await current.refresh(connection)
        since = read_since(options.since, there)
        asked = Asked(file=options.file, data=data, what=options.what, since=since, reason=options.reason)
        return await (preview_tables(asked) if options.preview else bring_tables(asked))

    tell_tables(run(settings, work), as_json=options.as_json)
    return 0


_IMPORTERS: Mapping[str, Callable[[Settings, BinaryIO, Options], int]] = {
    ".ndjson": import_events,
    ".jsonl": import_events,
    ".yaml": import_tables,
    ".yml": import_tables,
    ".xlsx": import_tables,
}
"""What is imported from a file, by its ending."""


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115  (what goes wrong later is not of the file)
    except OSError as error:
        raise Refused(
            Finding(path=file, message=message("check.unreadable", reason=error.strerror or error))
        ) from error
    with stream:
        yield stream


@contextmanager
def _set_aside(options: Options, listed: list[RefusedLine]) -> Iterator[Callable[[RefusedLine], None]]:
    """Where refused lines go: into a new file, else to whoever watches; for machines into the answer as well."""
    if options.refused is None:

        def to_people(refused: RefusedLine) -> None:
            if options.as_json:
                listed.extend([refused] if len(listed) < MOST_LISTED else [])
                return
            for fault in refused.errors:
                where = " ".join(filter(None, (refused.id, fault.pointer)))
                said = message("import.line", line=refused.line, where=where and f" {where}", said=fault.message)
                click.echo(f"{_CLEAR if _watched() else ''}{render(said, language())}", err=True)

        yield to_people
        return
    try:
        file = options.refused.open("xb")
    except OSError as error:
        said = message("import.refused_file", reason=error.strerror or error)
        raise Refused(Finding(path=str(options.refused), message=said)) from error

    def to_file(refused: RefusedLine) -> None:
        file.write(msgspec.json.encode(refused) + b"\n")
        listed.extend([refused] if options.as_json and len(listed) < MOST_LISTED else [])

    try:
        with file:
            yield to_file
    finally:
        if not options.refused.stat().st_size:
            options.refused.unlink()


_CLEAR = "\r\x1b[K"


def _watched() -> bool:
    return sys.stderr.isatty()


@contextmanager
def _progress(stream: BinaryIO, *, quiet: bool) -> Iterator[Callable[[Imported], None]]:
    """A line on a terminal that says how far it is."""
    if quiet or not _watched():
        yield lambda _: None
        return
    size = os.fstat(stream.fileno()).st_size
    began = shown = time.monotonic()

    def watch(imported: Imported) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < _BEAT:
            return
        shown = now
        share = f"{min(100, 100 * imported.read // size)}%" if size else ""
        said = message(
            "import.progress",
            lines=f"{imported.lines:,}",
            share=share,
            refused=f"{imported.refused:,}",
            speed=f"{imported.lines / max(now - began, _BEAT):,.0f}",
        )
        click.echo(f"{_CLEAR}{render(said, language())}", err=True, nl=False)

    try:
        yield watch
    finally:
        click.echo(_CLEAR, err=True, nl=False)
