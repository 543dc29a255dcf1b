"""Sessions (登录会话): eight hours at most, and over at once when what they were opened with changes.

The browser holds a random token; the database holds its keyed hash and a stamp of the user's
password, roles and state. A stamp that no longer fits ends the session, whoever changed what.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec
from piccolo.columns import Varchar
from piccolo_api.session_auth.tables import SessionsBase

from admin.tables import User, UserRole

LIFETIME = timedelta(hours=8)
COOKIE = "id"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, and what they may do. ``subject`` is the subject that the person is, if any."""

    id: int
    name: str
    roles: frozenset[str]
    subject: str = ""
    must_change_password: bool = False


class SessionRow(SessionsBase, tablename="app_session"):
    """A session: the token's keyed hash, never the token; and the stamp of what it was opened with."""

    stamp = Varchar(length=64)

    key: ClassVar[bytes] = b""

    @classmethod
    async def create_session(
        cls,
        user_id: int,
        expiry_date: datetime | None = None,  # noqa: ARG003
        max_expiry_date: datetime | None = None,  # noqa: ARG003
    ) -> "SessionRow":
        """Open a session; the row that is given back carries the token for the cookie, the stored one its hash.

        It lasts eight hours, whatever is asked for.
        """
        token = secrets.token_urlsafe(32)
        ends = datetime.now() + LIFETIME  # noqa: DTZ005  (the base table compares local times without zone)
        user = await User.objects().get(User.id == user_id)
        if user is None:
            raise ValueError("no such user")
        session = cls(
            token=cls.hashed(token),
            user_id=user_id,
            expiry_date=ends,
            max_expiry_date=ends,
            stamp=cls.stamp_of(user, await roles_of(user_id)),
        )
        await session.save()
        session.token = token
        return session

    @classmethod
    async def get_user_id(cls, token: str, increase_expiry: timedelta | None = None) -> int | None:  # noqa: ARG003
        """The user of a session that still holds; it is never prolonged."""
        person = await cls.person(token)
        return None if person is None else person.id

    @classmethod
    async def person(cls, token: str) -> Person | None:
        """Who holds this token; None where the session is over."""
        session = await cls.objects().where(cls.token == cls.hashed(token)).first()
        now = datetime.now()  # noqa: DTZ005
        if session is None or session.expiry_date <= now or session.max_expiry_date <= now:
            return None
        user = await User.objects().get(User.id == session.user_id)
        if user is None or not user.active:
            return None
        roles = await roles_of(user.id)
        if not hmac.compare_digest(session.stamp, cls.stamp_of(user, roles)):
            await session.remove()
            return None
        return Person(
            id=user.id,
            name=user.username,
            roles=roles,
            subject=user.subject,
            must_change_password=user.must_change_password,
        )

    @classmethod
    async def remove_session(cls, token: str) -> None:
        """End the session of this token."""
        await cls.delete().where(cls.token == cls.hashed(token))

    @classmethod
    async def sweep(cls) -> None:
        """Forget sessions that are over."""
        await cls.delete().where(cls.max_expiry_date < datetime.now())  # noqa: DTZ005

    @classmethod
    def hashed(cls, token: str) -> str:
        """The token as the database keeps it."""
        return hmac.new(cls.key, b"session:" + token.encode(), hashlib.sha256).hexdigest()

    @classmethod
    def stamp_of(cls, user: Any, roles: frozenset[str]) -> str:
        """What a session is opened with, hashed."""
        held = "\n".join([user.password, user.subject, str(user.active), str(user.admin), *sorted(roles)])
        return hmac.new(cls.key, b"stamp:" + held.encode(), hashlib.sha256).hexdigest()


async def roles_of(user: int) -> frozenset[str]:
    """The roles of a user."""
    return frozenset(await UserRole.select(UserRole.role).where(UserRole.user == user).output(as_list=True))


def use_secret(secret: str) -> None:
    """Sign sessions and forms with this secret."""
    SessionRow.key = hashlib.sha256(b"jikao:" + secret.encode()).digest()


def form_token() -> str:
    """A token for forms, signed: set as a cookie and sent back by the form (double submit)."""
    nonce = secrets.token_urlsafe(18)
    return f"{nonce}.{_form_signature(nonce)}"


def form_token_fits(cookie: str | None, sent: str | None) -> bool:
    """Whether a form was made for the browser that sends it."""
    if not cookie or not sent or not hmac.compare_digest(cookie.encode(), sent.encode()):
        return False
    return genuine(cookie)


def genuine(token: str | None) -> bool:
    """Whether the token was signed here."""
    nonce, _, signature = (token or "").rpartition(".")
    return bool(nonce) and hmac.compare_digest(signature.encode(), _form_signature(nonce).encode())


def _form_signature(nonce: str) -> str:
    return hmac.new(SessionRow.key, b"form:" + nonce.encode(), hashlib.sha256).hexdigest()[:32]
