"""The panel (管理面板): Piccolo Admin over the draft, in the reader's language, with the office's checks.

Each trap of the panel has its guard here: PUT, which skips every check, is denied; a row is
checked as it will stand, so that blanks never overwrite a key; the change and its record are one
transaction; users and sessions are not for every reader; the sign-in is ours alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from piccolo.columns import Column
from piccolo.query.functions.aggregate import Max
from piccolo.table import Table
from piccolo_admin import endpoints
from piccolo_admin.endpoints import AdminRouter, GroupedTableNamesResponseModel, TableConfig
from piccolo_admin.translations.data import ENGLISH, SIMPLIFIED_CHINESE
from piccolo_api.crud.endpoints import OrderBy, PiccoloCRUD
from piccolo_api.crud.hooks import Hook, HookType
from piccolo_api.crud.validators import Validators, apply_validators
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from admin import changes
from admin.case_changes import follow_rule
from admin.change_said import NAMES, say_change, say_changes
from admin.checking import check, named_by
from admin.labels import FIXED
from admin.office import Office
from admin.page import LANGUAGE_COOKIE, preferred
from admin.row import Problem
from admin.row_tags import SEEN, changes_since, conflict, fits, latest_number, tag_of
from admin.session import LIFETIME, SessionRow
from admin.tables import Approval, ChangeLog, User, UserRole
from admin.titles import add_labels, column_title, label
from admin.users import follow_roles, make_user
from engine.finding import Refused
from engine.language import Language, Message, message, render
from rules.draft import lock_draft
from rules.tables import (
    DRAFT_TABLES,
    Draft,
    DraftAward,
    DraftChoice,
    DraftCompared,
    DraftConsequence,
    DraftDays,
    DraftEventType,
    DraftFactor,
    DraftFactorRow,
    DraftField,
    DraftIndicator,
    DraftJointOf,
    DraftLimit,
    DraftLinkage,
    DraftMeasureStep,
    DraftPart,
    DraftRule,
    DraftRuleLimit,
    DraftScorecard,
    DraftStep,
    DraftTier,
    Version,
)

RULES, ORGANISATION, LEDGER, SYSTEM = "group.rules", "group.organisation", "group.ledger", "group.system"
"""The groups of the sidebar, in this order."""
_GROUPS = (RULES, ORGANISATION, LEDGER, SYSTEM)


# --- language ---


def _language(request: Request) -> Language:
    return preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


# --- refusals, as the panel can show them ---


def refuse_row(language: Language, said: Message) -> HTTPException:
    """A refusal of the row as a whole."""
    return HTTPException(405, detail=render(said, language))


def refuse_columns(table: type[Table], problems: Iterable[Problem], language: Language) -> HTTPException:
    """A refusal that names its columns."""
    detail: Any = [
        {"loc": [column_title(table, column, language)], "msg": render(said, language)} for column, said in problems
    ]
    return HTTPException(422, detail=detail)


def _deny(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    raise refuse_row(_language(request), message("panel.denied"))


def _managers_only(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    if not request.user.user.superuser:
        raise refuse_row(_language(request), message("panel.managers_only"))


def _not_yourself(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    if str(request.path_params.get("row_id")) == str(request.user.user.id):
        raise refuse_row(_language(request), message("panel.not_yourself"))


def _no_put(piccolo_crud: PiccoloCRUD, request: Request) -> None:  # noqa: ARG001
    raise refuse_row(_language(request), message("panel.no_put"))


def writable(*every: Any) -> Validators:
    """Everything but PUT, which skips the checks."""
    return Validators(put_single=[_no_put], delete_all=[_no_put], every=list(every))


def read_only(*every: Any) -> Validators:
    """To be looked at only."""
    return Validators(
        post_single=[_deny], put_single=[_deny], patch_single=[_deny], delete_single=[_deny], delete_all=[_deny],
        every=list(every),
    )  # fmt: skip


# --- checks before saving ---


def _hooks(table: type[Table]) -> list[Hook]:
    """The checks of a table. Hooks of one kind stand together, or only the last of them would run."""

    async def before_insert(row: Table, request: Request) -> Table:
        for column in table._meta.columns:
            if getattr(row, column._meta.name) is None and not column._meta.null:
                setattr(row, column._meta.name, None if column._meta.required else column.get_default_value())
        if getattr(row, "place", None) == 0:
            row.place = await _next_place(table)  # type: ignore[attr-defined]
        await _checked(table, row.to_dict(), request)
        return row

    async def before_change(row_id: int, values: dict[Column, Any], request: Request) -> dict[Column, Any]:
        row = await table.select().where(table._meta.primary_key == row_id).first()
        await _checked(table, {**(row or {}), **{column._meta.name: new for column, new in values.items()}}, request)
        return values

    async def before_delete(row_id: int, request: Request) -> None:
        rules = await named_by(table, row_id)
        if rules:
            raise refuse_row(_language(request), message("panel.named", rules="、".join(rules)))

    return [
        Hook(HookType.pre_save, before_insert),
        Hook(HookType.pre_patch, before_change),
        Hook(HookType.pre_delete, before_delete),
    ]


async def _next_place(table: type[Table]) -> int:
    last = await table.select(Max(table._meta.get_column_by_name("place"))).first()
    return int((last or {}).get("max") or 0) + 1


async def _checked(table: type[Table], values: dict[str, Any], request: Request) -> None:
    problems = await check(table, values)
    if problems:
        raise refuse_columns(table, problems, _language(request))


def _user_hooks() -> list[Hook]:
    async def before_change(values: dict[Any, Any], request: Request, row_id: int) -> dict[Any, Any]:
        changed = {column: new for column, new in values.items() if column._meta.name not in ("admin", "superuser")}
        own = row_id == request.user.user.id
        held = await User.select(User.username).where(User.id == row_id).first()
        if held is not None and changed.get(User.username) not in (None, "", held["username"]):
            raise refuse_columns(User, [("username", message("panel.no_rename"))], _language(request))
        if own and changed.get(User.active) is False:
            raise refuse_row(_language(request), message("panel.not_yourself"))
        if not (changed.get(User.username) or "x"):
            raise refuse_columns(User, [("username", message("panel.needed"))], _language(request))
        if changed.get(User.password):
            changed[User.must_change_password] = True
        return changed

    return [Hook(HookType.pre_patch, before_change)]


def _role_hooks() -> list[Hook]:
    """A role has a user and is one that there is; otherwise the database would be the first to say so."""

    async def check_row(values: Mapping[str, Any], request: Request) -> None:
        missing = [name for name in ("user", "role") if not values.get(name)]
        if missing:
            raise refuse_columns(UserRole, [(name, message("panel.needed")) for name in missing], _language(request))

    async def before_insert(row: UserRole, request: Request) -> UserRole:
        await check_row(row.to_dict(), request)
        return row

    async def before_change(row_id: int, values: dict[Column, Any], request: Request) -> dict[Column, Any]:
        held = await UserRole.select().where(UserRole.id == row_id).first()
        given = {column._meta.name: value for column, value in values.items()}
        await check_row({**(held or {}), **given}, request)
        return values

    return [Hook(HookType.pre_save, before_insert), Hook(HookType.pre_patch, before_change)]


# --- one table of the panel ---


class Crud(PiccoloCRUD):
    """A table of the panel: titles in the reader's language, every change recorded with it."""

    zone = ZoneInfo("Asia/Shanghai")

    @apply_validators  # type: ignore[untyped-decorator]
    async def get_schema(self, request: Request) -> JSONResponse:
        """The form's schema, in the reader's language."""
        schema = self.pydantic_model.model_json_schema()
        language, table = _language(request), self.table._meta.tablename
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
            language = _language(request)
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
        _managers_only(self, request)
        try:
            await make_user(data.get("username") or "", data.get("password") or None, subject=data.get("subject") or "")
        except Refused as refused:
            problems = [(finding.path, finding.message) for finding in refused.findings]
            raise refuse_columns(User, problems, _language(request)) from None
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
        language = _language(request)
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
    return JSONResponse({"detail": render(message(key), _language(request))}, status_code=405)


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


# --- the panel as a whole ---

ASKED_HOST: ContextVar[str | None] = ContextVar("ASKED_HOST", default=None)
"""The host that the request in hand was made to."""


class OwnHost(tuple[str, ...]):
    """The hosts from whose pages the panel takes what is written: the one that is asked, whatever it is called.

    Under HTTPS the panel refuses every write from a page of another host than those that it is told; told none, every
    write.
    """

    __slots__ = ()

    def __contains__(self, host: object) -> bool:
        """Whether the page is of the host that is asked."""
        return host is not None and host == ASKED_HOST.get()


class Panel(AdminRouter):
    """Piccolo Admin with groups, titles and a page of our own making."""

    def __init__(
        self, office: Office, tables: Sequence[TableConfig], links: Sequence[tuple[str, str]], pages: Mapping[str, str]
    ) -> None:
        self._office = office
        self._links = links
        self._in_order = tables
        self._pages = pages
        Crud.zone = office.timezone
        module: Any = endpoints
        module.PiccoloCRUD = Crud  # the router takes the class from its module
        try:
            super().__init__(
                *tables,
                auth_table=User,
                session_table=SessionRow,
                session_expiry=LIFETIME,
                max_session_expiry=LIFETIME,
                increase_expiry=None,
                page_size=30,
                site_name="绩考",
                default_language_code="zh-cn",
                translations=[SIMPLIFIED_CHINESE, ENGLISH],
                allowed_hosts=OwnHost(),
            )
        finally:
            module.PiccoloCRUD = PiccoloCRUD
        self.read_only_tables = [
            str(table.table_class._meta.tablename)
            for table in self.table_configs
            if table.validators is not None and _deny in table.validators.post_single
        ]

    def get_table_list_grouped(  # type: ignore[override]
        self, request: Request
    ) -> GroupedTableNamesResponseModel:
        """The sidebar's groups, in our order and the reader's language."""
        language = _language(request)
        grouped: dict[str, list[str]] = {}
        for group in _GROUPS:
            names = [
                str(config.table_class._meta.tablename)
                for config in self._in_order
                if config.menu_group == group and self._may_see(config, request)
            ]
            if names:
                grouped[render(message(group), language)] = names
        return GroupedTableNamesResponseModel(grouped=grouped)

    def get_sidebar_links(self, request: Request) -> dict[str, str]:  # type: ignore[override]
        """Our own pages."""
        language = _language(request)
        return {render(message(key), language): path for key, path in self._links}

    async def get_root(self, request: Request) -> HTMLResponse:
        """The panel's page, with our words, style and guards in it."""
        language = _language(request)
        words = json.dumps(self.words(language), ensure_ascii=False).replace("<", "\\u003c")
        head = (
            '<link rel="stylesheet" href="/static/panel.css">'
            f'<script type="application/json" id="jikao">{words}</script>'
            '<script src="/static/panel.js"></script>'
        )
        page = self.template.replace('lang="en"', f'lang="{language}"')
        page = page.replace("<title>Piccolo Admin</title>", "<title>绩考</title>")
        at = page.index("<script")
        return HTMLResponse(
            page[:at] + head + page[at:], headers={"cache-control": "no-store", "x-frame-options": "DENY"}
        )

    def words(self, language: Language) -> dict[str, Any]:
        """What the panel's script is told."""
        readable = {name.replace("_", " "): label(language, f"table.{name}") or name for name in self.get_table_list()}
        said = {english: texts[language == "en"] for english, texts in FIXED.items()}
        return {
            "language": language,
            "timezone": self._office.timezone.key,
            "words": {**said, **readable},
            "columns": {
                str(config.table_class._meta.tablename): {
                    column._meta.name: column_title(config.table_class, column._meta.name, language)
                    for column in config.table_class._meta.columns
                }
                for config in self.table_configs
            },
            "readOnly": self.read_only_tables,
            "history": {"title": render(message("changes.history"), language), "tables": list(NAMES)},
            "pages": dict(self._pages),
            "editor": render(message("link.editor"), language),
        }

    def _may_see(self, config: TableConfig, request: Request) -> bool:
        hidden = config.validators is not None and _managers_only in config.validators.every
        return not hidden or bool(request.user.user.superuser)


def _draft_table(table: type[Table], *visible: Column, link: Column | None = None, **further: Any) -> TableConfig:
    """A table of the draft. The id is never among the visible columns, where another column is the link."""
    options: dict[str, Any] = {"validators": writable(), **further}
    has_place = any(column._meta.name == "place" for column in table._meta.columns)
    order = [OrderBy(column=table._meta.get_column_by_name("place"))] if has_place else None
    return TableConfig(
        table,
        visible_columns=list(visible),
        visible_filters=[column for column in visible if column._meta.name != "place"],
        link_column=link,
        hooks=_hooks(table),
        menu_group=RULES,
        order_by=order,
        **options,
    )


def draft_tables() -> list[TableConfig]:
    """The draft, and the versions that were made of it."""
    settings = writable()
    settings.post_single, settings.delete_single = [_deny], [_deny]
    return [
        _draft_table(Draft, Draft.code, Draft.title, Draft.base, Draft.late, link=Draft.code, validators=settings),
        _draft_table(DraftDays, DraftDays.id, DraftDays.kind, DraftDays.first, DraftDays.last),
        _draft_table(DraftEventType, DraftEventType.place, DraftEventType.code, DraftEventType.title,
                     link=DraftEventType.code),
        _draft_table(DraftField, DraftField.id, DraftField.event_type, DraftField.place, DraftField.name,
                     DraftField.title, DraftField.type, DraftField.required),
        _draft_table(DraftChoice, DraftChoice.id, DraftChoice.field, DraftChoice.place, DraftChoice.value,
                     DraftChoice.title),
        _draft_table(DraftIndicator, DraftIndicator.place, DraftIndicator.code, DraftIndicator.title,
                     DraftIndicator.full, DraftIndicator.owner, DraftIndicator.category, DraftIndicator.method,
                     link=DraftIndicator.code),
        _draft_table(DraftMeasureStep, DraftMeasureStep.id, DraftMeasureStep.indicator, DraftMeasureStep.place,
                     DraftMeasureStep.value, DraftMeasureStep.points, DraftMeasureStep.rater_group,
                     DraftMeasureStep.weight),
        _draft_table(DraftLimit, DraftLimit.place, DraftLimit.code, DraftLimit.title, DraftLimit.sign,
                     DraftLimit.per, DraftLimit.max, link=DraftLimit.code),
        _draft_table(DraftRule, DraftRule.place, DraftRule.code, DraftRule.title, DraftRule.kind, DraftRule.enabled,
                     DraftRule.event_type, DraftRule.condition, DraftRule.points, link=DraftRule.code),
        _draft_table(DraftStep, DraftStep.id, DraftStep.rule, DraftStep.place, DraftStep.key, DraftStep.bound,
                     DraftStep.points),
        _draft_table(DraftFactor, DraftFactor.id, DraftFactor.rule, DraftFactor.place, DraftFactor.title,
                     DraftFactor.kind, DraftFactor.condition, DraftFactor.by),
        _draft_table(DraftFactorRow, DraftFactorRow.id, DraftFactorRow.factor, DraftFactorRow.place,
                     DraftFactorRow.key, DraftFactorRow.by),
        _draft_table(DraftRuleLimit, DraftRuleLimit.id, DraftRuleLimit.rule, DraftRuleLimit.limit),
        _draft_table(DraftJointOf, DraftJointOf.id, DraftJointOf.rule, DraftJointOf.source),
        _draft_table(DraftCompared, DraftCompared.id, DraftCompared.rule, DraftCompared.indicator,
                     DraftCompared.place),
        _draft_table(DraftConsequence, DraftConsequence.id, DraftConsequence.rule, DraftConsequence.verdict,
                     DraftConsequence.charge, DraftConsequence.points, DraftConsequence.range_below,
                     DraftConsequence.range_above),
        _draft_table(DraftScorecard, DraftScorecard.id, DraftScorecard.place, DraftScorecard.kind,
                     DraftScorecard.group_code, DraftScorecard.post),
        _draft_table(DraftPart, DraftPart.id, DraftPart.scorecard, DraftPart.place, DraftPart.title,
                     DraftPart.weight, DraftPart.category),
        _draft_table(DraftLinkage, DraftLinkage.place, DraftLinkage.post, DraftLinkage.share, link=DraftLinkage.post),
        _draft_table(DraftTier, DraftTier.id, DraftTier.place, DraftTier.share),
        _draft_table(DraftAward, DraftAward.place, DraftAward.code, DraftAward.title, DraftAward.kind,
                     DraftAward.top_share, DraftAward.quota, DraftAward.per, link=DraftAward.code),
        TableConfig(
            Version,
            exclude_visible_columns=[Version.document, Version.hash, Version.reason],
            visible_filters=[Version.effective, Version.published_by],
            validators=read_only(),
            menu_group=RULES,
            order_by=[OrderBy(column=Version.number, ascending=False)],
        ),
    ]  # fmt: skip


def system_tables() -> list[TableConfig]:
    """Users with their roles for those who manage them; approvals and changes to be looked at."""
    return [
        TableConfig(
            User,
            visible_columns=[User.id, User.username, User.subject, User.active, User.last_login],
            visible_filters=[User.username, User.subject, User.active],
            hooks=_user_hooks(),
            validators=Validators(put_single=[_deny], delete_single=[_not_yourself], every=[_managers_only]),
            menu_group=SYSTEM,
        ),
        TableConfig(
            UserRole,
            visible_columns=[UserRole.id, UserRole.user, UserRole.role],
            validators=writable(_managers_only),
            hooks=_role_hooks(),
            menu_group=SYSTEM,
        ),
        TableConfig(
            Approval,
            validators=read_only(),
            menu_group=SYSTEM,
            order_by=[OrderBy(column=Approval.id, ascending=False)],
        ),
        TableConfig(
            ChangeLog,
            visible_columns=[ChangeLog.at, ChangeLog.user, ChangeLog.action, ChangeLog.table, ChangeLog.row],
            link_column=ChangeLog.at,
            visible_filters=[ChangeLog.user, ChangeLog.table, ChangeLog.action, ChangeLog.at],
            validators=read_only(),
            menu_group=SYSTEM,
            order_by=[OrderBy(column=ChangeLog.id, ascending=False)],
        ),
    ]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What another room shows in the panel: tables, what they are called, and tables whose rows have their own page.

    ``labels``: as in :mod:`admin.labels`. ``pages``: a table's name → the path before a row's key.
    """

    tables: tuple[TableConfig, ...]
    labels: Mapping[str, tuple[str, str]] = {}
    pages: Mapping[str, str] = {}


def make_panel(office: Office, rooms: Sequence[Room] = ()) -> Panel:
    """The panel, with other rooms' tables between the draft and the system's."""
    for room in rooms:
        add_labels(room.labels)
    further = [table for room in rooms for table in room.tables]
    pages = {table: path for room in rooms for table, path in room.pages.items()}
    links = (
        ("link.home", "/"),
        ("link.rules", "/desk/rules"),
        ("link.publish", "/publish"),
        ("link.changes", "/desk/changes"),
        ("link.periods", "/periods"),
    )
    return Panel(office, [*draft_tables(), *further, *system_tables()], links, pages)
