"""What a new instance lacks (开张): someone who can sign in; on our own new database, a demonstration to look at.

Done once before anyone is served, on a current database. The answer is the lines to print.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import anyio

from admin.keys import list_keys, make_key, revoke_key
from admin.users import make_first_administrator
from api.database import borrowed
from api.embedded import write_private
from api.settings import Settings
from engine.language import Message, message
from ledger.current import Current, use_current
from ledger.filling import ADDRESSEE, fill

MAKER = "jikao serve"
TRIAL = "demonstration"
"""The name of the key that the line to try comes in with."""


async def prepare(settings: Settings, address: str, *, demonstrate: bool = True) -> Sequence[Message]:
    """Make what is missing; what is to be said about it. A new database of our own is filled to ``demonstrate``."""
    current = Current(settings.timezone)
    use_current(current)
    async with borrowed() as connection:
        head = await current.refresh(connection)
    lines = []
    if settings.embedded and demonstrate and not head.length:
        await fill_demonstration(current)
        async with borrowed() as connection:
            await current.refresh(connection)
        lines.append(message("demonstration.filled"))
    password = await make_first_administrator()
    if password is not None:
        lines.append(message("serve.administrator", name="admin", password=password))
    if current.demonstration and settings.embedded:
        key = await _trial_key(anyio.Path(settings.var / "demonstration-key"))
        lines.append(message("serve.trial", line=trial_line(address, key)))
    return lines


async def fill_demonstration(current: Current) -> None:
    """Fill an empty ledger, and show how far it is where a person is watching."""

    def progress(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{of}", end="\n" if done == of else "", file=sys.stderr, flush=True)

    await fill(current, datetime.now(current.timezone).date(), progress)


def trial_line(address: str, key: str) -> str:
    """One line for a shell that posts an event now, with an id and a time of its own."""
    body = (
        r"{\"id\":\"demo-$(date +%s)\",\"source\":\"inspection-office\",\"type\":\"criticism_notice\","
        rf"\"subject\":\"{ADDRESSEE}\",\"time\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"data\":{{\"level\":\"city\"}}}}"
    )
    headers = f'-H "Authorization: Bearer {key}" -H "Content-Type: application/json"'
    return f'curl -sS {address}/api/events {headers} -d "{body}"'


async def _trial_key(path: anyio.Path) -> str:
    """The key of the line to try, made when there is none and kept beside our own database."""
    made = {key.name for key in await list_keys()}
    if TRIAL in made and await path.exists():
        return (await path.read_text()).strip()
    if TRIAL in made:
        await revoke_key(TRIAL, MAKER)
    name = TRIAL if TRIAL not in made else f"{TRIAL}-{len(made)}"
    text = await make_key(name, ["events:write", "events:read", "entries:read"], made_by=MAKER)
    write_private(Path(path), text)
    return text
