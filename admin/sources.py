"""Sources in the panel (来源登记): the systems that report, what they are called, and the URI of their CloudEvents."""

from typing import Any

from piccolo.columns import Column
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.hooks import Hook, HookType
from starlette.exceptions import HTTPException
from starlette.requests import Request

from admin.panel import Room
from admin.panel_refusals import language_of, refuse_columns, writable
from admin.panel_tables import SYSTEM
from admin.row import Problem
from admin.tables import Source
from engine import scalar
from engine.language import message
from engine.scalar import Unfit

LONGEST_URI = 2_000


def sources() -> Room:
    """The table of sources, which the office keeps."""
    return Room(
        tables=(
            TableConfig(
                Source,
                visible_columns=[Source.code, Source.title, Source.uri],
                visible_filters=[Source.code, Source.title, Source.uri],
                link_column=Source.code,
                validators=writable(),
                hooks=[Hook(HookType.pre_save, _before_insert), Hook(HookType.pre_patch, _before_change)],
                menu_group=SYSTEM,
            ),
        ),
        labels={
            "table.source": ("来源", "Sources"),
            "column.source.uri": ("CloudEvents 的 URI", "URI in CloudEvents"),
            "hint.source.code": ("事件按它入账，登记后不能改。", "Events are recorded under it; it stays."),
            "hint.source.uri": (
                "该来源在 CloudEvents 信封的 source 中怎样称呼自己；不用信封则留空。",
                "What the source calls itself in a CloudEvents envelope; empty where it sends none.",
            ),
        },
    )


async def _before_insert(row: Source, request: Request) -> Source:
    held: Any = row
    held.uri = held.uri or None
    _check({"code": held.code, "title": held.title, "uri": held.uri}, request)
    return row


async def _before_change(row_id: int, values: dict[Column, Any], request: Request) -> dict[Column, Any]:
    changed = {column: (new or None) if column is Source.uri else new for column, new in values.items()}
    held = await Source.select().where(Source.id == row_id).first()
    row = {**(held or {}), **{column._meta.name: new for column, new in changed.items()}}
    if held is not None and row["code"] != held["code"]:
        raise _refused([("code", message("source.code_stays"))], request)
    _check(row, request)
    return changed


def _check(values: dict[str, Any], request: Request) -> None:
    problems: list[Problem] = []
    try:
        scalar.code(values["code"])
    except Unfit as unfit:
        problems.append(("code", unfit.expected))
    if values["title"] is None:
        problems.append(("title", message("panel.needed")))
    uri = values["uri"]
    if uri is not None and (len(uri) > LONGEST_URI or any(sign.isspace() or not sign.isprintable() for sign in uri)):
        problems.append(("uri", message("source.uri_length", longest=LONGEST_URI)))
    if problems:
        raise _refused(problems, request)


def _refused(problems: list[Problem], request: Request) -> HTTPException:
    language = language_of(request)
    return refuse_columns(Source, problems, language)
