"""Who may (权限): a system by its key, a person by their session; each brings scopes.

A key bound to a source sees and writes that source only. What a person sees of the ledger follows from
their roles (:func:`admin.audit.sight_of`); docs/roles.md has it cell by cell.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from admin.guard import ForeignForm, find_person, own_form
from admin.keys import SCOPES, Scope
from admin.readers import reads_all, sight_of
from admin.session import Person
from admin.tables import Role
from api.keyring import Keyring
from engine.language import Message, message
from ledger.sight import Sight

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

READING: tuple[Scope, ...] = ("events:read", "entries:read", "rules:read")

SCOPES_OF: Mapping[str, tuple[Scope, ...]] = {
    # What reached us when is for the systems that know it to say, and only for those trusted with it.
    Role.office: tuple(scope for scope in SCOPES if scope != "events:backdate"),
    Role.approver: READING,
    Role.auditor: READING,
    Role.assessor: READING,
    Role.integrator: ("rules:read",),
    Role.subject: ("entries:read", "rules:read"),
}
"""What each role brings along."""

_SCOPE = "jikao_caller"


class Forbidden(PermissionDeniedException):
    """The caller may not do this; ``told`` says what is needed."""

    def __init__(self, told: Message) -> None:
        super().__init__()
        self.told = told


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. ``source``: the only source that they see."""

    name: str
    scopes: frozenset[str]
    source: str | None = None
    person: Person | None = None

    def check(self, *scopes: Scope) -> None:
        """Forbidden unless the caller has all of these."""
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise Forbidden(message("key.scope", scopes=", ".join(missing)))

    @property
    def sight(self) -> Sight:
        """What they may see of the ledger. Forbidden where that is nothing, for want of a subject."""
        if self.person is None:
            return Sight(source=self.source)
        found = sight_of(self.person)
        if found.blind:
            raise Forbidden(message("key.no_subject"))
        return found

    def check_whole(self) -> None:
        """Forbidden to whoever sees a part of the ledger only."""
        if not self.sight.whole:
            raise Forbidden(message("key.whole"))

    def check_draft(self) -> None:
        """Forbidden to a person who reads published rules only."""
        if self.person is not None and not reads_all(self.person):
            raise Forbidden(message("key.draft"))

    def check_source(self, source: str) -> None:
        """Forbidden unless the caller may use this source."""
        if self.source is not None and source != self.source:
            raise Forbidden(message("key.source", source=self.source))


def needs(*scopes: Scope) -> Guard:
    """A guard: a caller who has one of these scopes (none named: whoever is known)."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        caller = await find_caller(connection)
        if scopes and caller.scopes.isdisjoint(scopes):
            raise Forbidden(message("key.scope", scopes=" / ".join(scopes)))

    return guard


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Who asks, behind a guard of :func:`needs`."""
    scope: Any = request.scope
    found: Caller = scope[_SCOPE]
    return found


async def find_caller(connection: Connection) -> Caller:
    """Who asks: by the key that is given, else by the session; not authorized where it is neither."""
    scope: Any = connection.scope
    if _SCOPE not in scope:
        scope[_SCOPE] = await _by_key(connection) or await _by_session(connection)
    found: Caller = scope[_SCOPE]
    return found


async def _by_key(connection: Connection) -> Caller | None:
    given = connection.headers.get("authorization")
    if given is None:
        return None
    kind, _, text = given.partition(" ")
    keyring: Keyring = connection.app.state.keyring
    key = await keyring.find(text.strip()) if kind.lower() == "bearer" else None
    if key is None:
        raise NotAuthorizedException
    return Caller(name=f"key:{key.name}", scopes=frozenset(key.scopes), source=key.source)


async def _by_session(connection: Connection) -> Caller:
    person = await find_person(connection)
    if person is None:
        raise NotAuthorizedException
    if person.must_change_password:
        raise Forbidden(message("key.password"))
    try:
        await own_form(connection)
    except ForeignForm:
        raise Forbidden(message("key.form")) from None
    scopes = frozenset(scope for role in person.roles for scope in SCOPES_OF.get(role, ()))
    return Caller(name=person.name, scopes=scopes, person=person)
