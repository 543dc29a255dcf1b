"""``jikao simulate``: what the draft or a version would have made of a period."""

import sys
from datetime import datetime
from decimal import Decimal

import click
import msgspec

from api import settings as environment
from api.commands.speaking import for_machines, say, tell
from api.opening import database, run
from api.settings import Settings, language
from engine import scalar
from engine.language import message, render
from engine.scalar import Unfit
from ledger.current import Current, use_current
from ledger.simulated import Simulated
from ledger.simulation import DRAFT, SHORT, Answer, Stage, ask, read_page
from ledger.simulation import simulate as simulate_period

MOST_LINES = 20


@click.command
@click.option("--period", required=True, metavar="CODE", help="考评期 / the period")
@click.option("--version", default=DRAFT, metavar="N|draft", help="版本号或草稿 / a version's number, or the draft")
@click.option("--from", "start", metavar="TIME", help="期内自何时起适用 / from when in the period it would rule")
@for_machines
def simulate(period: str, version: str, start: str | None, as_json: bool) -> int:
    """试算：按草稿或某一版本重算考评期 / what another rulebook would have made of a period."""
    begun = None if start is None else _instant(start)

    async def work(settings: Settings) -> Answer:
        use_current(Current(settings.timezone))
        question = await ask(period, version, begun)
        processes = 0 if question.events <= SHORT else 1
        url = database(settings).url
        return await simulate_period(url, settings.timezone, question, _Watched().show, processes=processes)

    answer = run(environment.read(), work)
    found = answer.simulated
    if as_json:
        entries = [each for page in answer.pages for each in read_page(page)]
        tell(msgspec.to_builtins(found, builtin_types=(Decimal, datetime)) | {"entries": entries})
    else:
        _say(found)
    return 0


def _say(found: Simulated) -> None:
    say(found.said(found.period))
    for remark in found.remarks:
        say(remark)
    moved = [each for each in found.subjects if each.difference]
    for each in moved[:MOST_LINES]:
        told = {"subject": each.subject, "before": each.final_before, "after": each.final_after}
        ranks = {"rank_before": each.rank_before or "–", "rank_after": each.rank_after or "–"}
        say(message("simulation.line", difference=_signed(each.difference), **told, **ranks))
    if len(moved) > MOST_LINES:
        say(message("simulation.more", count=len(moved) - MOST_LINES))


def _signed(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:+f}"


def _instant(text: str) -> datetime:
    try:
        return scalar.instant(text)
    except Unfit as unfit:
        raise click.BadParameter(render(unfit.expected, language()), param_hint=f"--from {text}") from None


class _Watched:
    """Progress on standard error: to a person as it goes, to anything else a line a stage."""

    def __init__(self) -> None:
        self._watching = sys.stderr.isatty()
        self._shown: tuple[Stage | None, int] = (None, -1)

    def show(self, stage: Stage, done: int, of: int) -> None:
        """So much of a stage is done."""
        percent = 100 * done // of if of else 100
        said = render(message(f"simulation.stage.{stage}"), language())
        if self._watching and (stage, percent) != self._shown:
            click.echo(f"\r\x1b[K{said} {percent} %", nl=False, err=True)
            if stage == "settling" and done >= of:
                click.echo("\r\x1b[K", nl=False, err=True)
        elif not self._watching and stage != self._shown[0]:
            click.echo(said, err=True)
        self._shown = stage, percent
