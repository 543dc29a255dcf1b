"""The rows of the panel (管理面板的行): read, made, changed and deleted, every change recorded with it.

A row is saved only as long as it is what it was when it was opened; the change and its record are one transaction.
"""

import json
from typing import Any
from zoneinfo import ZoneInfo

from piccolo.table import Table
from piccolo_api.crud.endpoints import PiccoloCRUD
from piccolo_api.crud.validators import apply_validators
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from admin import changes
from admin.case_changes import follow_rule
from admin.change_said import say_change, say_changes
from admin.panel_refusals import language_of, managers_only, refuse_columns, refuse_row
from admin.row_tags import SEEN, changes_since, conflict, fits, latest_number, tag_of
from admin.tables import User, UserRole
from admin.titles import column_title, label
from admin.users import follow_roles, make_user
from engine.finding import Refused
from engine.language import Language, message, render
from rules.draft import lock_draft
from rules.tables import DRAFT_TABLES, DraftRule


class Crud(PiccoloCRUD):
    """A table of the panel: titles in the reader's language, every change recorded with it."""

    zone = ZoneInfo("Asia/Shanghai")

    @apply_validators  # type: ignore[untyped-decorator]
    async def get_schema(self, request: Request) -> JSONResponse:
        """The form's schema, in the reader's language."""
        schema = self.pydantic_model.model_json_schema()
        language, table = language_of(request), self.table._meta.tablename
        schema["title"] = label(language, f"table.{table}") or table
        for name, described in schema["properties"].items():
            described["title"] = column_title(self.table, name, language)
            extra = described["extra"]
            extra["help_text"] = label(language, f"hint.{table}.{name}", f"hint.{name}") or extra.get("help_text")
            for choice in (extra.get("choices") or {}).values():
                shown = label(language, f"choice.{table}.{name}.{choice['value']}", f"choice.{name}.{choice['value']}")
                choice["display_name"] = shown or choice["display_name"]
        return JSONResponse(schema)

    async def post_single(self, request: Request, data: dict[str, Any]) -> Response:
        """Make a row, and write down who did."""
        if self.table is User:
            return await self._post_user(request, data)
        async with self.table._meta.db.transaction(allow_nested=True):
            await self._lock()
            response = _in_words(await super().post_single(request, data), request)
            if response.status_code < 300:
                key = self.table._meta.primary_key._meta.name
                made = json.loads(bytes(response.body))
                row = (made[0] if isinstance(made, list) else made)[key]
                await self._changed(request, "create", row, None, await self._row(row))
        return response

    async def get_all(self, request: Request, params: dict[str, Any]) -> Response:
        """The rows, with the number of the last change that they show."""
        seen = await latest_number()
        response: Response = await super().get_all(request, params)
        response.headers[SEEN] = str(seen)
        return response

    async def detail(self, request: Request) -> Response:
        """One row; where it is gone and was to be saved, who took it."""
        response: Response = await super().detail(request)
        if response.status_code == 404 and request.method in ("PATCH", "DELETE"):
            language = language_of(request)
            told = await self._told(request.path_params.get("row_id"), request.headers.get("if-match", ""), language)
            raise refuse_row(language, conflict("panel.deleted_meanwhile", told))
        return response

    async def get_single(self, request: Request, row_id: Any) -> Response:
        """A row, with the tag that must come back when it is saved."""
        response: Response = await super().get_single(request, row_id)
        if response.status_code < 300 and (row := await self._row(row_id)) is not None:
            response.headers["etag"] = f'"{await tag_of(row)}"'
        return response

    async def patch_single(self, request: Request, row_id: Any, data: dict[str, Any]) -> Response:
        """Change a row that is still what it was when it was opened, and write down who did."""
        async with self.table._meta.db.transaction(allow_nested=True):
            await self._lock()
            before = await self._row(row_id)
            await self._unchanged(request, row_id, before, needed=self.table in DRAFT_TABLES)
            response = _in_words(await super().patch_single(request, row_id, data), request)
            if response.status_code < 300:
                after = await self._row(row_id)
                await self._changed(request, "change", row_id, before, after)
                response.headers["etag"] = f'"{await tag_of(after or {})}"'
        return response

    async def delete_single(self, request: Request, row_id: Any) -> Response:
        """Delete a row with what belongs to it, and write down who did."""
        async with self.table._meta.db.transaction(allow_nested=True):
            await self._lock()
            before = await self._row(row_id)
            await self._unchanged(request, row_id, before, needed=False)
            owner = await changes.owner_of(self.table, before or {})
            belongings = [held async for held in _belongings(self.table, row_id)]
            response = _in_words(await super().delete_single(request, row_id), request)
            if response.status_code < 300:
                await self._changed(request, "delete", row_id, before, None, owner)
                for table, row in belongings:
                    await changes.record(_name(request), "delete", table, row["id"], row, None, owner)
        return response

    async def _post_user(self, request: Request, data: dict[str, Any]) -> Response:
        managers_only(self, request)
        try:
            await make_user(data.get("username") or "", data.get("password") or None, subject=data.get("subject") or "")
        except Refused as refused:
            problems = [(finding.path, finding.message) for finding in refused.findings]
            raise refuse_columns(User, problems, language_of(request)) from None
        user = await User.objects().get(User.username == data["username"])
        assert user is not None
        await changes.record(_name(request), "create", User, user.id, None, {"username": user.username})
        return JSONResponse([{"id": user.id}], status_code=201)

    async def _lock(self) -> None:
        if self.table in DRAFT_TABLES:
            await lock_draft()

    async def _row(self, row: Any) -> dict[str, Any] | None:
        key = self.table._meta.primary_key
        return await self.table.select(exclude_secrets=True).where(key == row).first()

    async def _unchanged(self, request: Request, row: Any, now: dict[str, Any] | None, *, needed: bool) -> None:
        """Refuse to save over what somebody else did since the row was opened."""
        tag = request.headers.get("if-match", "").strip()
        language = language_of(request)
        if tag and tag != "*" and now is not None and await fits(tag, self.table, row, now):
            return
        if now is None:
            told = await self._told(row, tag, language)
            raise refuse_row(language, conflict("panel.deleted_meanwhile", told))
        if tag and tag != "*":
            told = await self._told(row, tag, language)
            raise refuse_row(language, conflict("panel.changed_meanwhile", told))
        if needed:
            raise HTTPException(428, detail=render(message("panel.tag_needed"), language))

    async def _told(self, row: Any, tag: str, language: Language) -> list[str]:
        """Who changed what of a row since it was opened."""
        found = await changes_since(self.table, row, tag) if tag else ()
        return [say_change(each, language) for each in await say_changes(found, language, self.zone)]

    async def _changed(
        self, request: Request, action: str, row: Any, before: dict[str, Any] | None, after: dict[str, Any] | None,
        owner: str | None = None,
    ) -> None:  # fmt: skip
        await changes.record(_name(request), action, self.table, row, before, after, owner)
        if self.table is DraftRule and before and after and before["code"] != after["code"]:
            await follow_rule(before["code"], after["code"], _name(request))
        if self.table is UserRole:
            for user in {held["user"] for held in (before, after) if held is not None}:
                await follow_roles(user)


def _in_words(response: Response, request: Request) -> Response:
    """A refusal of the database or of the form's types, without its own jargon."""
    if response.status_code < 400:
        return response
    said = bytes(response.body).decode()
    key = "panel.not_saved"
    if "duplicate key" in said:
        key = "panel.twice"
    elif "foreign key" in said:
        key = "panel.in_use"
    elif "never changed" in said:
        key = "panel.denied"
    return JSONResponse({"detail": render(message(key), language_of(request))}, status_code=405)


def _name(request: Request) -> str:
    return str(request.user.user.username)


async def _belongings(table: type[Table], row: Any) -> Any:
    """The rows that go with a row when it is deleted, those of them too."""
    for reference in table._meta.foreign_key_references:
        owned = reference._meta.table
        if reference._foreign_key_meta.on_delete.value == "CASCADE" and owned in DRAFT_TABLES:
            for held in await owned.select().where(reference == row):
                yield owned, held
                async for further in _belongings(owned, held["id"]):
                    yield further
