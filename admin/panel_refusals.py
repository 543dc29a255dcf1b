"""What the panel refuses (管理面板的拒绝), said as it can show it, and which calls of a table it refuses altogether.

PUT skips every check and is denied everywhere.
"""

from collections.abc import Iterable
from typing import Any

from piccolo.table import Table
from piccolo_api.crud.endpoints import PiccoloCRUD
from piccolo_api.crud.validators import Validators
from starlette.exceptions import HTTPException
from starlette.requests import Request

from admin.page import LANGUAGE_COOKIE, preferred
from admin.row import Problem
from admin.titles import column_title
from engine.language import Language, Message, message, render


def language_of(request: Request) -> Language:
    """The reader's language."""
    return preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def refuse_row(language: Language, said: Message) -> HTTPException:
    """A refusal of the row as a whole."""
    return HTTPException(405, detail=render(said, language))


def refuse_columns(table: type[Table], problems: Iterable[Problem], language: Language) -> HTTPException:
    """A refusal that names its columns."""
    detail: Any = [
        {"loc": [column_title(table, column, language)], "msg": render(said, language)} for column, said in problems
    ]
    return HTTPException(422, detail=detail)


def deny(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    """Refuse whoever asks."""
    raise refuse_row(language_of(request), message("panel.denied"))


def managers_only(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    """Refuse whoever does not manage users."""
    if not request.user.user.superuser:
        raise refuse_row(language_of(request), message("panel.managers_only"))


def not_yourself(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    """Refuse what would be done to one's own user."""
    if str(request.path_params.get("row_id")) == str(request.user.user.id):
        raise refuse_row(language_of(request), message("panel.not_yourself"))


def no_put(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    """Refuse PUT, which skips the checks."""
    raise refuse_row(language_of(request), message("panel.no_put"))


def writable(*every: Any) -> Validators:
    """Everything but PUT, which skips the checks."""
    return Validators(put_single=[no_put], delete_all=[no_put], every=list(every))


def read_only(*every: Any) -> Validators:
    """To be looked at only."""
    return Validators(
        post_single=[deny], put_single=[deny], patch_single=[deny], delete_single=[deny], delete_all=[deny],
        every=list(every),
    )  # fmt: skip
