"""Who may come in (准入): a session, the roles that it has, and forms that were made for it."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection, Request
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from admin import session
from admin.session import COOKIE, Person, SessionRow
from admin.tables import Role

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

FORM_COOKIE = "csrftoken"
FORM_HEADER = "x-csrftoken"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SCOPE = "jikao_person"


class SignInFirst(NotAuthorizedException):
    """Nobody is signed in."""


class ChangePasswordFirst(PermissionDeniedException):
    """The password that was given out must be changed before anything else."""


class NotYours(PermissionDeniedException):
    """Signed in, but without a role that may do this."""


class NoSubject(NotYours):
    """Signed in with a role that reads what concerns a subject, but nobody has said which subject the person is."""


class ForeignForm(PermissionDeniedException):
    """The form was not made for this browser, or its token is missing."""


def signed_in(*roles: Role | str, before_password_change: bool = False) -> Guard:
    """A guard: a signed-in person with one of the roles (none named: any), and forms of our own only."""
    wanted = frozenset(str(role) for role in roles)

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        person = await find_person(connection)
        if person is None:
            raise SignInFirst
        if person.must_change_password and not before_password_change:
            raise ChangePasswordFirst
        if wanted and not wanted & person.roles:
            raise NotYours
        await own_form(connection, _)

    return guard


async def own_form(connection: Connection, _: BaseRouteHandler | None = None) -> None:
    """A guard: a request that changes something carries the token of this browser's forms."""
    if connection.scope.get("method", "GET") in _SAFE:
        return
    sent, form = connection.headers.get(FORM_HEADER), None
    if sent is None and connection.headers.get("content-type", "").startswith(_FORMS):
        assert isinstance(connection, Request)
        form = await connection.form()
        sent = form.get(FORM_COOKIE)
    if not session.form_token_fits(connection.cookies.get(FORM_COOKIE), sent):
        if form is not None:
            await form.close()  # the files that came with it are not kept
        raise ForeignForm


async def find_person(connection: Connection) -> Person | None:
    """Who is signed in on this connection."""
    scope: Any = connection.scope
    if _SCOPE not in scope:
        token = connection.cookies.get(COOKIE)
        scope[_SCOPE] = await SessionRow.person(token) if token else None
    found: Person | None = scope[_SCOPE]
    return found


def known_person(connection: Connection) -> Person | None:
    """Who is signed in, as far as a guard has already asked."""
    scope: Any = connection.scope
    person: Person | None = scope.get(_SCOPE)
    return person


def person_of(connection: Connection) -> Person:
    """Who is signed in, behind a :func:`signed_in` guard."""
    person = known_person(connection)
    if person is None:
        raise SignInFirst
    return person
