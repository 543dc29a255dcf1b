"""Pages (页面): one look, two languages, nothing from elsewhere."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from admin import session
from admin.guard import (
    FORM_COOKIE,
    ChangePasswordFirst,
    Connection,
    ForeignForm,
    NoSubject,
    NotYours,
    SignInFirst,
    find_person,
    known_person,
)
from admin.menu import bar_for
from admin.office import Office
from admin.texts import TEXTS
from engine.language import DEFAULT, Language, Message, message, render

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "language"
_YEAR = 365 * 86400
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

_RELATIONS = frozenset(key.removeprefix("relation.") for key in TEXTS if key.startswith("relation."))
_WINDOWS = frozenset(("event", "month", "quarter", "half", "year", "period"))

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language_of(connection: Connection) -> Language:
    """The language that was chosen on a page, else what the browser asks for, else zh-CN."""
    chosen = connection.cookies.get(LANGUAGE_COOKIE)
    return preferred(chosen, connection.headers.get("accept-language", ""))


def preferred(chosen: str | None, accepted: str) -> Language:
    """zh-CN unless English was chosen, or is asked for before any Chinese."""
    if chosen in ("zh-CN", "en"):
        return "en" if chosen == "en" else "zh-CN"
    asked: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            asked.append((-float(quality or 1), tag.strip().lower()))
        except ValueError:
            continue
    for _, tag in sorted(asked, key=lambda item: item[0]):
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return DEFAULT


async def show(
    request: Request[Any, Any, Any], office: Office, template: str, status: int = 200, **values: Any
) -> Response[str]:
    """A page from its template, with a form token for this browser."""
    await find_person(request)
    return draw(request, office, template, status, **values)


def draw(
    request: Request[Any, Any, Any],
    office: Office,
    template: str,
    status: int,
    permanent: str | None = None,
    **values: Any,
) -> Response[str]:
    """The page, for whoever is known to be signed in. ``permanent``: the query by which it will always be found."""
    language = language_of(request)
    token = request.cookies.get(FORM_COOKIE)
    cookies: list[Cookie] = []
    if not session.genuine(token):
        token = session.form_token()
        # The panel's own script reads it, so it is not httponly.
        https = request.url.scheme == "https"
        cookies.append(Cookie(FORM_COOKIE, value=token, path="/", max_age=_YEAR, samesite="lax", secure=https))

    person = known_person(request)

    def say(key: str | Message, **args: Any) -> str:
        return render(key if isinstance(key, Message) else message(key, **args), language)

    html = _templates.get_template(template).render(
        t=say,
        language=language,
        person=person,
        bar=() if person is None or person.must_change_password else bar_for(person),
        office=office,
        form_token=token,
        here=quote(request.url.path + (f"?{request.url.query}" if request.url.query else "")),
        amount=amount,
        minus=minus,
        value=lambda held: shown(held, language),
        relations=_RELATIONS,
        windows=_WINDOWS,
        address=str(request.url if permanent is None else request.url.with_replacements(query=permanent)),
        now=datetime.now(office.timezone),
        **values,
    )
    return Response(html, status_code=status, media_type="text/html", headers=_HEADERS, cookies=cookies)


def fragment(request: Request[Any, Any, Any], template: str, **values: Any) -> str:
    """A part of a page from its template, to be put into a page that is open."""
    language = language_of(request)

    def say(key: str | Message, **args: Any) -> str:
        return render(key if isinstance(key, Message) else message(key, **args), language)

    return _templates.get_template(template).render(t=say, language=language, **values)


def amount(value: Decimal | str | None) -> str:
    """An amount with its sign: ``+0.50``, ``−1.00``."""
    if value is None:
        return ""
    number = Decimal(value)
    shown = f"{abs(number):f}"
    return f"−{shown}" if number < 0 else f"+{shown}" if number > 0 else shown


def minus(number: str) -> str:
    """A number as it was written, with a real minus sign."""
    return number.replace("-", "−")


def shown(value: Any, language: Language) -> str:
    """A value of an event or a condition."""
    if isinstance(value, bool):
        return render(message("comparison.yes" if value else "comparison.no"), language)
    if isinstance(value, (list, tuple)):
        return ("、" if language == "zh-CN" else ", ").join(shown(item, language) for item in value)
    return "" if value is None else str(value)


def local_path(path: str | None, otherwise: str = "/") -> str:
    """The path, if it is one of ours: a redirect never leaves the site."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return otherwise
    parts = urlsplit(path)
    return otherwise if parts.scheme or parts.netloc else path


def refuse_page(office: Office) -> dict[Any, Any]:
    """What a page answers when the guard does not let somebody in, or nothing is found."""

    def to_login(request: Request[Any, Any, Any], _: SignInFirst) -> Response[Any]:
        return Redirect(f"/login?next={quote(request.url.path)}", status_code=303)

    def to_password(_: Request[Any, Any, Any], __: ChangePasswordFirst) -> Response[Any]:
        return Redirect("/password", status_code=303)

    def not_yours(request: Request[Any, Any, Any], _: NotYours) -> Response[Any]:
        return draw(request, office, "refused.html", 403, reason=message("page.not_yours"))

    def no_subject(request: Request[Any, Any, Any], _: NoSubject) -> Response[Any]:
        return draw(request, office, "refused.html", 403, reason=message("page.no_subject"))

    def foreign(request: Request[Any, Any, Any], _: ForeignForm) -> Response[Any]:
        return draw(request, office, "refused.html", 403, reason=message("page.foreign_form"))

    def other(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        key = "page.not_found" if error.status_code == 404 else "page.not_understood"
        return draw(request, office, "refused.html", error.status_code, reason=message(key))

    return {
        SignInFirst: to_login,
        ChangePasswordFirst: to_password,
        NotYours: not_yours,
        NoSubject: no_subject,
        ForeignForm: foreign,
        HTTPException: other,
    }
