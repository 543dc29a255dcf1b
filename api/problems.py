"""Problem details (错误说明, RFC 9457): every error of the interface in one shape and in the reader's language.

Nothing of how we are made is shown: no trace, no statement of the database's.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException, ValidationException
from litestar.types import ExceptionHandlersMap

from admin.page import preferred
from engine.admission import Closed, Conflicting
from engine.both import Disagreement
from engine.finding import Finding, Refused
from engine.language import Language, Message, message, render
from engine.report import pointer
from ledger.appeals import Barred, OutOfTurn
from ledger.connection import is_lost
from ledger.reading import Unknown
from ledger.simulator import Busy
from rules.draft import Stale

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"
MOST_ERRORS = 200
"""Findings that one answer tells at most."""

Web = Request[Any, Any, Any]

_log = logging.getLogger("jikao.api")

_STATES = frozenset({"period.no_open", "period.closed", "period.not_open", "period.not_closed"})
"""What is refused because of how a period stands, not because of what was said."""
_STRANGERS = frozenset(
    {"event.unknown", "ledger.no_entry", "ledger.no_act", "period.unknown", "version.unknown", "subject.unknown"}
)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]*)\]")


class Malformed(Refused):
    """The body cannot be read as what it says it is."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a body: where (a JSON pointer), and what was expected."""

    pointer: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong, as RFC 9457 writes it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: tuple[Fault, ...] = ()


def language_of(request: Web) -> Language:
    """The language that the request asks for: zh-CN unless English comes first."""
    return preferred(None, request.headers.get("accept-language", ""))


def problem_of(error: BaseException, language: Language, instance: str = "") -> Problem:
    """The problem that an exception of ours amounts to."""
    status, kind = _status(error)
    title = render(message(f"problem.{kind}"), language)
    faults = tuple(_faults(error, language))[:MOST_ERRORS]
    detail = faults[0].message if faults else render(_detail(error, kind), language)
    return Problem(
        type=f"urn:jikao:problem:{kind}", title=title, status=status, detail=detail, instance=instance, errors=faults
    )


def _faults(error: BaseException, language: Language) -> Iterator[Fault]:
    if isinstance(error, Refused):
        wrong = [finding for finding in error.findings if finding.level == "error"] or error.findings
        for each in wrong:
            yield Fault(pointer=pointed(each.path), message=said(each, language))
    elif isinstance(error, ValidationException) and isinstance(error.extra, list):
        for problem in error.extra:
            name = str(problem.get("key", ""))
            yield Fault(pointer=pointer(name), message=render(message("query.wrong", name=name), language))


def said(finding: Finding, language: Language) -> str:
    """A finding's sentence, with the line and column of the text where they are known."""
    told = render(finding.message, language)
    if finding.line is not None:
        return render(message("problem.at_line", line=finding.line, said=told), language)
    return told


def pointed(path: str) -> str:
    """A finding's path as a JSON pointer: ``rules[3].points.by`` is ``/rules/3/points/by``."""
    if not path or path.startswith("/"):
        return path
    return pointer(*(word or step for word, step in _STEP.findall(path)))


def below(refused: Refused, *where: str | int) -> Refused:
    """The same refusal of something that stood below this place of a body."""
    return type(refused)(
        *(msgspec.structs.replace(each, path=pointer(*where) + pointed(each.path)) for each in refused.findings)
    )


def answer(request: Web, problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """The response that tells a problem."""
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"content-language": language_of(request), **(headers or {})},
    )


def _status(error: BaseException) -> tuple[int, str]:
    match error:
        case Malformed():
            return 400, "malformed"
        case Unknown():
            return 404, "unknown"
        case Stale():
            return 412, "stale"
        case Barred():
            return 403, "forbidden"
        case Busy():
            return 429, "often"
        case Conflicting() | Closed() | OutOfTurn():
            return 409, "conflict"
        case Refused(findings=findings):
            keys = {finding.message.key for finding in findings}
            if keys & _STRANGERS:
                return 404, "unknown"
            return (409, "conflict") if keys & _STATES else (422, "refused")
        case Disagreement():
            return 503, "disagreement"
        case asyncpg.CharacterNotInRepertoireError():
            return 400, "malformed"
        case _ if is_lost(error):
            return 503, "unavailable"
        case ValidationException():
            return 422, "refused"
        case InternalServerException(detail="client disconnected prematurely"):  # as Litestar says it; no fault of ours
            return 400, "malformed"
        case HTTPException(status_code=status):
            return status, _KINDS.get(status, "wrong" if status < 500 else "failed")
    return 500, "failed"


_KINDS = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "unknown",
    405: "method",
    406: "unacceptable",
    412: "stale",
    413: "large",
    415: "media_type",
    422: "refused",
    429: "often",
    503: "unavailable",
}


def _detail(error: BaseException, kind: str) -> Message:
    told = getattr(error, "told", None)
    return told if isinstance(told, Message) else message(f"problem.{kind}.detail")


def _tell(request: Web, error: Exception) -> Response[bytes]:
    problem = problem_of(error, language_of(request), request.url.path)
    if problem.status == 500:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    elif problem.status == 503 and not isinstance(error, Disagreement):
        _log.warning("%s %s: %s", request.method, request.url.path, type(error).__name__)
    return answer(request, problem, dict(_headers(error, problem.status)))


def _headers(error: Exception, status: int) -> Iterator[tuple[str, str]]:
    if status in (429, 503):
        yield "retry-after", RETRY_AFTER
    if status == 401:
        yield "www-authenticate", "Bearer"
    for name, value in (getattr(error, "headers", None) or {}).items():
        yield name.lower(), value


PROBLEMS: ExceptionHandlersMap = {HTTPException: _tell, Exception: _tell}
