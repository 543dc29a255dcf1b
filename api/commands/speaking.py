"""How a command speaks: sentences for people, in their language, or JSON for machines."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from api.settings import language
from engine.finding import Refused
from engine.language import DEFAULT, Message, render

_F = TypeVar("_F", bound=Callable[..., Any])

JSON = "--json"


def for_machines(command: _F) -> _F:
    """Give a command the option ``--json``; it is handed on as ``as_json``."""
    return click.option(JSON, "as_json", is_flag=True, help="机器可读 / for machines")(command)


def say(said: Message) -> None:
    """One sentence to people, at once."""
    click.echo(render(said, language()))
    sys.stdout.flush()


def tell(answer: object) -> None:
    """One JSON value to machines."""
    click.echo(msgspec.json.encode(answer).decode())


def complain(refused: Refused, *, as_json: bool) -> None:
    """What is wrong and where: a line a finding, or one JSON value."""
    try:
        spoken = language()
    except Refused:
        spoken = DEFAULT
    if as_json:
        tell({"errors": [{"path": f.path, "message": render(f.message, spoken)} for f in refused.findings]})
        return
    for finding in refused.findings:
        where = f"{finding.path}: " if finding.path else ""
        click.echo(f"jikao: {where}{render(finding.message, spoken)}", err=True)
