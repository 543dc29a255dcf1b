"""``jikao verify``: whether the ledger is what it says it is."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from api import settings as environment
from api.commands.speaking import for_machines, say, tell
from api.database import borrowed
from api.opening import database, run
from api.settings import Settings, language
from engine.finding import Refused
from engine.language import message, render
from ledger.difference import Seal, Verdict
from ledger.seal import parse_seals, read_seal
from ledger.verification import Stage, processes_for
from ledger.verification import verify as verify_ledger


@click.command
@click.option("--seal", "seal", metavar="FILE", help="与封印文件比对 / compare with noted seals")
@for_machines
def verify(seal: str | None, as_json: bool) -> int:
    """核验台账 / verify the ledger."""
    seals = () if seal is None else read_seals(seal)

    async def work(settings: Settings) -> Verdict:
        async with borrowed() as connection:
            length = (await read_seal(connection)).length
        return await verify_ledger(
            database(settings).url,
            settings.timezone,
            seals=seals,
            progress=_Watched().show,
            processes=processes_for(length),
        )

    verdict = run(environment.read(), work)
    if as_json:
        tell(plain(verdict, sealed=bool(seals)))
    elif verdict.difference is not None:
        say(message("verification.differs", said=verdict.difference.said))
    else:
        told = {name: f"{getattr(verdict, name):,}" for name in ("length", "events", "entries", "acts")}
        say(message("verification.holds", **told, seconds=f"{verdict.seconds:.1f}", head=verdict.head))
        if not seals:
            click.echo(render(message("verification.no_seal"), language()), err=True)
    return 0 if verdict.holds else 1


def read_seals(file: str) -> tuple[Seal, ...]:
    """The seals of a file; asked wrongly where it has none."""
    try:
        return parse_seals(Path(file).read_bytes())
    except OSError as error:
        said = message("seal.unreadable", reason=error.strerror or error)
    except Refused as refused:
        said = refused.findings[0].message
    raise click.BadParameter(render(said, language()), param_hint=f"--seal {file}")


def plain(verdict: Verdict, *, sealed: bool) -> dict[str, Any]:
    """A verdict for machines."""
    found = verdict.difference
    told: dict[str, Any] = msgspec.to_builtins(verdict) | {"holds": verdict.holds, "sealed": sealed}
    told["seconds"] = round(verdict.seconds, 3)
    if found is not None:
        told["difference"] = msgspec.to_builtins(found) | {"message": render(found.said, language())}
    return told


class _Watched:
    """Progress on standard error: to a person as it goes, to anything else a line a stage."""

    def __init__(self) -> None:
        self._watching = sys.stderr.isatty()
        self._stage: Stage | None = None
        self._shown = -1

    def show(self, stage: Stage, done: int, of: int) -> None:
        """So much of a stage is done."""
        percent = 100 * done // of if of else 100
        said = render(message(f"verification.stage.{stage}"), language())
        if stage != self._stage and not self._watching:
            click.echo(said, err=True)
        if self._watching and (stage, percent) != (self._stage, self._shown):
            click.echo(f"\r\x1b[K{said} {percent} %", nl=False, err=True)
            if done >= of:
                click.echo("\r\x1b[K", nl=False, err=True)
        self._stage, self._shown = stage, percent
