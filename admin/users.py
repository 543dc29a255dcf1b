"""Users (用户): who may sign in, with which roles. What the panel checks follows from the roles."""

import asyncio
import hmac
import secrets
from collections.abc import Iterable
from typing import Any, cast

from piccolo.columns import Column

from admin.session import SessionRow
from admin.tables import Role, User, UserRole
from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Unfit, code

SHORTEST = 10
LONGEST = 128


async def make_user(name: str, password: str | None = None, roles: Iterable[str] = (), subject: str = "") -> str:
    """Make a user who must change the password at first sign-in; the password, generated where none is given."""
    given = password or generated_password()
    _check_name(name)
    check_password(given)
    chosen = _check_roles(roles)
    if await User.exists().where(User.username == name):
        raise Refused(Finding(path="username", message=message("user.twice", name=name)))
    async with User._meta.db.transaction(allow_nested=True):
        user: Any = cast(Any, User)(
            username=name,
            password=await asyncio.to_thread(User.hash_password, given),
            subject=subject,
            active=True,
            must_change_password=True,
        )
        await user.save()
        await set_roles(name, chosen)
    return given


async def make_first_administrator(name: str = "admin") -> str | None:
    """Where nobody can sign in yet, an administrator of the office; the password, to be shown once."""
    if await User.exists():
        return None
    return await make_user(name, roles=(Role.office, Role.integrator))


async def set_password(name: str, password: str | None = None, *, must_change: bool = True) -> str:
    """Set a user's password (generated where none is given) and give it back; every session of theirs ends."""
    given = password or generated_password()
    check_password(given)
    user = await _user(name)
    hashed = await asyncio.to_thread(User.hash_password, given)
    changed: dict[Column | str, Any] = {
        User.password: hashed,
        User.must_change_password: must_change,
        User.active: True,
    }
    await User.update(changed).where(User.id == user.id)
    await SessionRow.delete().where(SessionRow.user_id == user.id)
    return given


async def set_roles(name: str, roles: Iterable[str]) -> None:
    """Give a user exactly these roles; every session of theirs ends."""
    chosen = _check_roles(roles)
    user = await _user(name)
    async with User._meta.db.transaction(allow_nested=True):
        await UserRole.delete().where(UserRole.user == user.id)
        if chosen:
            await UserRole.insert(*[UserRole(user=user.id, role=role) for role in sorted(chosen)])
        await follow_roles(user.id)


async def follow_roles(user: int) -> None:
    """Let the panel's own flags follow from the roles: the office opens it, its administrator manages users."""
    roles = frozenset(await UserRole.select(UserRole.role).where(UserRole.user == user).output(as_list=True))
    flags: dict[Column | str, Any] = {
        User.admin: Role.office in roles,
        User.superuser: {Role.office, Role.integrator} <= roles,
    }
    await User.update(flags).where(User.id == user)


async def list_users() -> list[dict[str, object]]:
    """Every user with roles, by name: name, roles, subject, active."""
    held: dict[int, list[str]] = {}
    for row in await UserRole.select(UserRole.user, UserRole.role):
        held.setdefault(row["user"], []).append(row["role"])
    return [
        {"name": row["username"], "roles": sorted(held.get(row["id"], [])), "subject": row["subject"],
         "active": row["active"]}
        for row in await User.select(User.id, User.username, User.subject, User.active).order_by(User.username)
    ]  # fmt: skip


async def verify(name: str, password: str) -> int | None:
    """The id of the user whose name and password these are. It takes as long where there is no such user."""
    user = await User.objects().where(User.username == name).first()
    if len(password) > LONGEST:
        return None
    stored = user.password if user is not None else _NOBODY
    _, iterations, salt, _ = User.split_stored_password(stored)
    made = await asyncio.to_thread(User.hash_password, password, salt, int(iterations))
    if user is None or not hmac.compare_digest(made, stored) or not user.active:
        return None
    return int(user.id)


def generated_password() -> str:
    """A password that nobody has thought of, easy to copy by hand."""
    return "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(5)) for _ in range(4))


def check_password(password: str) -> None:
    """Refused where the password is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        said = message("user.password_length", shortest=SHORTEST, longest=LONGEST)
        raise Refused(Finding(path="password", message=said))
    if password.startswith("pbkdf2_sha256"):
        raise Refused(Finding(path="password", message=message("user.password_hashed")))


def _check_name(name: str) -> None:
    try:
        code(name)
    except Unfit as unfit:
        raise Refused(Finding(path="username", message=unfit.expected)) from None


def _check_roles(roles: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(str(role) for role in roles)
    known = [str(role) for role in Role]
    if unknown := sorted(chosen.difference(known)):
        said = message("user.role", role=unknown[0], roles=", ".join(known))
        raise Refused(Finding(path="roles", message=said))
    return chosen


async def _user(name: str) -> User:
    user = await User.objects().where(User.username == name).first()
    if user is None:
        raise Refused(Finding(path="username", message=message("user.unknown", name=name)))
    return user


_NOBODY = User.hash_password(secrets.token_hex(16))
