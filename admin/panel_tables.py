"""The tables of the panel (管理面板的表): the draft's and the system's, with the checks before a row is saved.

A row is checked as it will stand, so that blanks never overwrite a key.
"""

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Column
from piccolo.query.functions.aggregate import Max
from piccolo.table import Table
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy
from piccolo_api.crud.hooks import Hook, HookType
from piccolo_api.crud.validators import Validators
from starlette.requests import Request

from admin.checking import check, named_by
from admin.panel_refusals import (
    deny,
    language_of,
    managers_only,
    not_yourself,
    read_only,
    refuse_columns,
    refuse_row,
    writable,
)
from admin.tables import Approval, ChangeLog, User, UserRole
from engine.language import message
from rules.tables import (
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
            raise refuse_row(language_of(request), message("panel.named", rules="、".join(rules)))

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
        raise refuse_columns(table, problems, language_of(request))


def _user_hooks() -> list[Hook]:
    async def before_change(values: dict[Any, Any], request: Request, row_id: int) -> dict[Any, Any]:
        changed = {column: new for column, new in values.items() if column._meta.name not in ("admin", "superuser")}
        own = row_id == request.user.user.id
        held = await User.select(User.username).where(User.id == row_id).first()
        if held is not None and changed.get(User.username) not in (None, "", held["username"]):
            raise refuse_columns(User, [("username", message("panel.no_rename"))], language_of(request))
        if own and changed.get(User.active) is False:
            raise refuse_row(language_of(request), message("panel.not_yourself"))
        if not (changed.get(User.username) or "x"):
            raise refuse_columns(User, [("username", message("panel.needed"))], language_of(request))
        if changed.get(User.password):
            changed[User.must_change_password] = True
        return changed

    return [Hook(HookType.pre_patch, before_change)]


def _role_hooks() -> list[Hook]:
    """A role has a user and is one that there is; otherwise the database would be the first to say so."""

    async def check_row(values: Mapping[str, Any], request: Request) -> None:
        missing = [name for name in ("user", "role") if not values.get(name)]
        if missing:
            raise refuse_columns(UserRole, [(name, message("panel.needed")) for name in missing], language_of(request))

    async def before_insert(row: UserRole, request: Request) -> UserRole:
        await check_row(row.to_dict(), request)
        return row

    async def before_change(row_id: int, values: dict[Column, Any], request: Request) -> dict[Column, Any]:
        held = await UserRole.select().where(UserRole.id == row_id).first()
        given = {column._meta.name: value for column, value in values.items()}
        await check_row({**(held or {}), **given}, request)
        return values

    return [Hook(HookType.pre_save, before_insert), Hook(HookType.pre_patch, before_change)]


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
    settings.post_single, settings.delete_single = [deny], [deny]
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
            validators=Validators(put_single=[deny], delete_single=[not_yourself], every=[managers_only]),
            menu_group=SYSTEM,
        ),
        TableConfig(
            UserRole,
            visible_columns=[UserRole.id, UserRole.user, UserRole.role],
            validators=writable(managers_only),
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
