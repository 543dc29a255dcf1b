"""Who changed what, on pages (变更记录): filtered, paged, and as a table for spreadsheets. Never editable."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from piccolo.columns.combination import And, Or, Where, WhereRaw

from admin.change_said import NAMES, Said, say_changes, table_title
from admin.changes import WHOLE, owner_of
from admin.comparing import Compared, compare_sides
from admin.entries import as_text
from admin.guard import signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import READERS
from admin.tables import ChangeLog
from engine.finding import Refused
from engine.language import Language, message, render
from rules.rows import from_json
from rules.sides import NoSide, Side, read_tree
from rules.tables import DRAFT_TABLES
from rules.tree import dump_yaml

Web = Request[Any, Any, Any]
Condition = Where | And | Or | WhereRaw

PAGE = 50
_BATCH = 500
_LARGEST = 2**31 - 1
_COLUMNS = ("id", "at", "user", "action", "what", "row", "owner", "name", "column", "before", "after")
_CODED = {str(table._meta.tablename): table for table in DRAFT_TABLES}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is asked for, as it stands in the address. ``row``: a row's number, or the code it belongs to."""

    table: str = ""
    user: str = ""
    row: str = ""
    first: str = ""
    last: str = ""

    def query(self, **more: object) -> str:
        """What was asked for, as an address says it."""
        held = {name: value for name, value in msgspec.structs.asdict(self).items() if value}
        return urlencode({**held, **more})


def change_routes(office: Office) -> Router:
    """``/desk/changes``, ``/desk/changes.csv``, ``/desk/changes/{id}`` and the draft that was replaced."""

    async def wanted_of(asked: Asked) -> list[Condition]:
        """The conditions. ValueError where a date is none."""
        found: list[Condition] = []
        if asked.user:
            found.append(ChangeLog.user == asked.user)
        if asked.first:
            found.append(ChangeLog.at >= _midnight(asked.first, office))
        if asked.last:
            found.append(ChangeLog.at < _midnight(asked.last, office, timedelta(days=1)))
        if asked.row:
            of_row: Condition = ChangeLog.row == asked.row
            if asked.table:
                of_row = (ChangeLog.table == asked.table) & of_row
            code = await _code_of(asked.table, asked.row)
            belongs: Condition = ChangeLog.owner == (code or asked.row)
            if asked.table and code is None:
                belongs = (ChangeLog.table == asked.table) & belongs
            found.append(of_row | belongs if asked.table else belongs)
        elif asked.table:
            found.append(ChangeLog.table == asked.table)
        return found

    async def read(wanted: list[Condition], before: int | None, most: int) -> list[dict[str, Any]]:
        query = ChangeLog.select()
        for condition in wanted:
            query = query.where(condition)
        if before is not None:
            query = query.where(ChangeLog.id < before)
        return [_light(row) for row in await query.order_by(ChangeLog.id, ascending=False).limit(most)]

    def asked_of(request: Web) -> Asked:
        given = {name: (request.query_params.get(name) or "").strip()[:100] for name in Asked.__struct_fields__}
        return Asked(**{name: value.replace("\0", "") for name, value in given.items()})

    @get("/desk/changes", guards=[signed_in(*READERS)], include_in_schema=False)
    async def changes_page(request: Web, before: FromQuery[int | None] = None) -> Response[str]:
        asked, language, wrong = asked_of(request), language_of(request), False
        rows: list[dict[str, Any]] = []
        try:
            wanted = await wanted_of(asked)
            rows = await read(wanted, None if before is None else max(0, min(before, _LARGEST)), PAGE + 1)
        except (ValueError, OverflowError):
            wrong = True
        return await show(
            request,
            office,
            "changes.html",
            changes=await say_changes(rows[:PAGE], language, office.timezone),
            asked=asked,
            tables=[(name, table_title(name, language)) for name in NAMES],
            older=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
            begun=before is not None,
            wrong=wrong,
        )

    @get("/desk/changes.csv", guards=[signed_in(*READERS)], include_in_schema=False)
    async def changes_table(request: Web) -> Response[Any]:
        language = language_of(request)
        try:
            wanted = await wanted_of(asked_of(request))
        except (ValueError, OverflowError):
            raise NotFoundException from None

        async def table() -> AsyncIterator[bytes]:
            yield b"\xef\xbb\xbf"
            yield _written([[render(message(f"changes.column.{name}"), language) for name in _COLUMNS]])
            before: int | None = None
            while rows := await read(wanted, before, _BATCH):
                said = await say_changes(rows, language, office.timezone)
                yield _written(cells for each in said for cells in _cells(each, language))
                before = rows[-1]["id"]

        headers = {"content-disposition": 'attachment; filename="changes.csv"', "cache-control": "no-store"}
        return Stream(table(), media_type="text/csv; charset=utf-8", headers=headers)

    @get("/desk/changes/{number:int}", guards=[signed_in(*READERS)], include_in_schema=False)
    async def change_page(request: Web, number: FromPath[int]) -> Response[str]:
        row = await _find(number)
        language = language_of(request)
        (said,) = await say_changes([_light(row)], language, office.timezone)
        compared, kept = None, False
        if said.whole:
            sides = [_document(row[side]) for side in ("before", "after")]
            kept = sides[0] is not None
            compared = _compare(sides[0], sides[1], language)
        return await show(request, office, "change.html", change=said, compared=compared, kept=kept)

    @get("/desk/changes/{number:int}/before.yaml", guards=[signed_in(*READERS)], include_in_schema=False)
    async def document_before(number: FromPath[int]) -> Response[bytes]:
        document = _document((await _find(number))["before"])
        if document is None:
            raise NotFoundException
        headers = {
            "content-disposition": f'attachment; filename="draft-before-{number}.yaml"',
            "x-content-type-options": "nosniff",
        }
        text = dump_yaml(document)
        return Response(text.encode(), media_type="application/yaml; charset=utf-8", headers=headers)

    return Router(
        "/",
        route_handlers=[changes_page, changes_table, change_page, document_before],
        exception_handlers=refuse_page(office),
    )


async def _find(number: int) -> dict[str, Any]:
    row = await ChangeLog.select().where(ChangeLog.id == number).first() if 0 < number <= _LARGEST else None
    if row is None:
        raise NotFoundException
    return dict(row)


async def _code_of(table: str, row: str) -> str | None:
    """The code of a row of the draft that is known by its number, where it has one of its own."""
    held = _CODED.get(table)
    if held is None or not (row.isascii() and row.isdigit()) or int(row) > _LARGEST:
        return None
    found = await held.select().where(held._meta.primary_key == int(row)).first()
    return None if found is None or "code" not in found else await owner_of(held, found)


def _light(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without the documents of a whole draft."""
    if row["action"] not in WHOLE:
        return dict(row)
    sides = {side: msgspec.json.decode(row[side] or "{}") for side in ("before", "after")}
    kept = {side: {key: value for key, value in held.items() if key != "document"} for side, held in sides.items()}
    return {**row, **{side: msgspec.json.encode(held).decode() for side, held in kept.items()}}


def _document(side: str) -> Any:
    """The document of a draft that was replaced; None where none was kept, or the draft was empty."""
    held = msgspec.json.decode(side or "{}").get("document")
    tree = from_json(held) if held else None
    return tree or None


def _compare(old: Any, new: Any, language: Language) -> Compared | None:
    """What the replacement changed; None where one of both was no rulebook."""
    try:
        before: Side | None = None if old is None else read_tree(old)
        return None if new is None else compare_sides(before, read_tree(new), language, most=500)
    except (NoSide, Refused):
        return None


def _midnight(day: str, office: Office, later: timedelta = timedelta()) -> datetime:
    return datetime.combine(date.fromisoformat(day) + later, time(), office.timezone)


def _cells(said: Said, language: Language) -> list[list[str]]:
    told = {
        **msgspec.structs.asdict(said),
        "at": said.at.strftime("%Y-%m-%d %H:%M:%S"),
        "action": render(message(f"changes.action.{said.action}"), language),
    }
    lines = said.lines or (None,)
    return [
        [
            as_text(str(told[name])) if name in told else as_text("" if line is None else getattr(line, name) or "")
            for name in _COLUMNS
        ]
        for line in lines
    ]


def _written(rows: Any) -> bytes:
    held = io.StringIO()
    csv.writer(held).writerows(rows)
    return held.getvalue().encode()
