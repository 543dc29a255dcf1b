"""The panel (管理面板): Piccolo Admin over the draft, in the reader's language, with the office's checks.

Each trap of the panel has its guard: here, that the sign-in is ours alone and that users are not for every reader; the
others in :mod:`admin.panel_refusals`, :mod:`admin.panel_rows` and :mod:`admin.panel_tables`.
"""

import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec
from piccolo_admin import endpoints
from piccolo_admin.endpoints import AdminRouter, GroupedTableNamesResponseModel, TableConfig
from piccolo_admin.translations.data import ENGLISH, SIMPLIFIED_CHINESE
from piccolo_api.crud.endpoints import PiccoloCRUD
from starlette.requests import Request
from starlette.responses import HTMLResponse

from admin.change_said import NAMES
from admin.labels import FIXED
from admin.office import Office
from admin.panel_refusals import deny, language_of, managers_only
from admin.panel_rows import Crud
from admin.panel_tables import LEDGER, ORGANISATION, RULES, SYSTEM, draft_tables, system_tables
from admin.session import LIFETIME, SessionRow
from admin.tables import User
from admin.titles import add_labels, column_title, label
from engine.language import Language, message, render

_GROUPS = (RULES, ORGANISATION, LEDGER, SYSTEM)

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
            if table.validators is not None and deny in table.validators.post_single
        ]

    def get_table_list_grouped(  # type: ignore[override]
        self, request: Request
    ) -> GroupedTableNamesResponseModel:
        """The sidebar's groups, in our order and the reader's language."""
        language = language_of(request)
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
        language = language_of(request)
        return {render(message(key), language): path for key, path in self._links}

    async def get_root(self, request: Request) -> HTMLResponse:
        """The panel's page, with our words, style and guards in it."""
        language = language_of(request)
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
        hidden = config.validators is not None and managers_only in config.validators.every
        return not hidden or bool(request.user.user.superuser)


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
