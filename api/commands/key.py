"""``jikao key``: keys for systems, made, listed and revoked."""

from datetime import UTC, datetime

import click
import msgspec

from admin.keys import SCOPES, Key, list_keys, make_key, revoke_key
from api import settings as environment
from api.commands.speaking import for_machines, say, tell
from api.opening import run
from api.settings import Settings
from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.scalar import Unfit

MAKER = "jikao key"
"""Who makes and revokes them, as the change log says it."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made, with its text."""

    name: str
    key: str
    scopes: tuple[str, ...]
    source: str | None
    expires_at: datetime | None


@click.group
def key() -> None:
    """接口密钥 / keys for systems."""


@key.command
@click.option("--name", required=True, help="名称 / its name")
@click.option("--scope", "scopes", multiple=True, required=True, help=" ".join(SCOPES))
@click.option("--source", help="只用于这个来源 / bound to this source")
@click.option("--expires", help="到期时间（RFC 3339）或日期 / when it ends (RFC 3339) or a date")
@for_machines
def create(name: str, scopes: tuple[str, ...], source: str | None, expires: str | None, as_json: bool) -> None:
    """新建密钥，只显示一次 / make a key; it is shown once."""
    named = tuple(scope for given in scopes for scope in given.replace(",", " ").split())

    async def make(settings: Settings) -> Made:
        ends = None if expires is None else _instant(expires, settings)
        text = await make_key(name, named, source=source, expires_at=ends, made_by=MAKER)
        return Made(name=name, key=text, scopes=named, source=source, expires_at=ends)

    made = run(environment.read(), make)
    if as_json:
        tell(made)
    else:
        say(message("key.made", name=made.name, text=made.key))


@key.command(name="list")
@for_machines
def list_(as_json: bool) -> None:
    """列出密钥 / list the keys."""

    async def read(_: Settings) -> list[Key]:
        return await list_keys()

    found = run(environment.read(), read)
    if as_json:
        tell(found)
        return
    for each in found:
        say(_row(each))
    if not found:
        say(message("key.none"))


@key.command
@click.argument("name")
@for_machines
def revoke(name: str, as_json: bool) -> None:
    """吊销密钥 / let a key open nothing any more."""

    async def end(_: Settings) -> None:
        await revoke_key(name, MAKER)

    run(environment.read(), end)
    if as_json:
        tell({"revoked": name})
    else:
        say(message("key.revoked", name=name))


def _instant(text: str, settings: Settings) -> datetime:
    """An instant, or the beginning of a date."""
    try:
        return scalar.instant(text)
    except Unfit as unfit:
        try:
            day = scalar.day(text)
        except Unfit:
            raise Refused(Finding(path="--expires", message=unfit.expected)) from None
    return datetime(day.year, day.month, day.day, tzinfo=settings.timezone)


def _row(each: Key) -> Message:
    return message(
        "key.row",
        name=each.name,
        scopes=" ".join(each.scopes),
        source=each.source or message("key.any"),
        expires=each.expires_at.isoformat() if each.expires_at is not None else message("key.never"),
        state=message(f"key.state.{each.state(datetime.now(UTC))}"),
    )
