"""``jikao user``: who may sign in, added, listed, and given a new password."""

import click

from admin.tables import Role
from admin.users import list_users, make_user, set_password
from api import settings as environment
from api.commands.speaking import for_machines, say, tell
from api.opening import run
from api.settings import Settings
from engine.language import message


@click.group
def user() -> None:
    """用户 / people who may sign in."""


@user.command
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, help=" ".join(Role))
@click.option("--subject", default="", help="对应的考评对象代码 / the subject that they are")
@for_machines
def add(name: str, roles: tuple[str, ...], subject: str, as_json: bool) -> None:
    """新增用户，密码只显示一次 / add a user; the password is shown once."""

    async def work(_: Settings) -> str:
        return await make_user(name, roles=roles, subject=subject)

    _show(name, run(environment.read(), work), as_json)


@user.command
@click.argument("name")
@for_machines
def password(name: str, as_json: bool) -> None:
    """设置新密码，只显示一次；其会话全部结束 / set a new password; it is shown once, and their sessions end."""

    async def work(_: Settings) -> str:
        return await set_password(name)

    _show(name, run(environment.read(), work), as_json)


@user.command(name="list")
@for_machines
def list_(as_json: bool) -> None:
    """列出用户 / list the users."""

    async def work(_: Settings) -> list[dict[str, object]]:
        return await list_users()

    users = run(environment.read(), work)
    if as_json:
        tell(users)
        return
    for each in users:
        click.echo("\t".join(str(value) for value in each.values()))


def _show(name: str, given: str, as_json: bool) -> None:
    if as_json:
        tell({"name": name, "password": given})
    else:
        say(message("user.password", name=name, password=given))
