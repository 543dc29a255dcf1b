"""Who may do what, cell by cell: the tables of docs/roles.md are read, and every cell is tried on the real server."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from litestar.routes import HTTPRoute

from admin import changes
from admin.keys import SCOPES, make_key
from admin.office import Office
from admin.panel import make_panel
from admin.registers import registers
from admin.sources import sources
from admin.tables import Approval, Role, Source
from admin.users import make_user, set_password
from api.application import create
from api.database import point
from api.embedded import Cluster, Database
from api.settings import Settings
from engine.organisation import Relation
from ledger import acts, appeals, settling
from ledger.appeals import Party
from ledger.attachment import read_attachment
from ledger.listing import EntryFilter, list_entries
from tests.conftest import TEMPLATE
from tests.processes import Server, serving
from tests.small_office import fill

PASSWORD = "correct-horse-battery"
ROLES = [str(role) for role in Role]
SUBJECTS = {"subject": "B1", "assessor": "B2"}
"""The subject role is B1; the assessing department is B2, which owns the indicator I-DOC."""
MANAGER = "manager"
TABLES = "/admin/api/tables"
CELL = re.compile(r"`([^`]+)`")
DENIED = "只能查看"


# --- the document ---


class Row(NamedTuple):
    """A line of a table: what it is about, and its cells by their columns."""

    name: str
    cells: Mapping[str, str]


def tables() -> dict[str, list[Row]]:
    """The tables of the page, by the heading that they stand under."""
    found: dict[str, list[Row]] = {}
    heading, columns = "", list[str]()
    for line in (Path(__file__).parents[1] / "docs" / "roles.md").read_text().splitlines():
        if line.startswith("## "):
            heading, columns = line.removeprefix("## "), []
        elif line.startswith(("| route |", "| table |")):
            columns = cut(line)
        elif columns and line.startswith("| `"):
            cells = cut(line)
            found.setdefault(heading, []).append(Row(cells[0].strip("`"), dict(zip(columns, cells, strict=True))))
        elif not line.startswith("|"):
            columns = []
    return found


def cut(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


PAGES, INTERFACE, PANEL = (tables()[name] for name in ("Pages", "Interface", "The panel"))


def routes() -> set[str]:
    """Every route that the application answers, by method."""
    database = Database(url="postgresql://nobody@127.0.0.1:1/none", migrate_url="")
    application = create(Settings(database=database, secret="s" * 40))
    return {
        f"{method} {route.path_format}"
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS", "HEAD"}
    }


def test_every_route_is_in_the_table_and_every_line_is_a_route() -> None:
    listed = [row.name for row in (*PAGES, *INTERFACE)]
    assert len(listed) == len(set(listed))
    missing = sorted(routes() - set(listed))
    gone = sorted(set(listed) - routes())
    assert (missing, gone) == ([], []), f"docs/roles.md: not listed {missing}; listed and not there {gone}"


def test_every_table_of_the_panel_is_in_the_table() -> None:
    held, listed = panel_tables().keys(), {row.name for row in PANEL}
    assert (sorted(held - listed), sorted(listed - held)) == ([], [])


@cache
def panel_tables() -> Mapping[str, str]:
    """The tables of the panel, each with the name of its key."""
    panel = make_panel(Office(secret="s" * 40), [registers(), sources()])
    held = [config.table_class._meta for config in panel.table_configs]
    return {str(each.tablename): str(each.primary_key._meta.name) for each in held}


def fits(row: Row) -> list[str]:
    """The scopes that are enough for a line, each way, as words with a space between."""
    needed = CELL.findall(row.cells["key"])
    if row.cells["key"] == "none" or not needed:
        return [" ".join(SCOPES)]
    return [" ".join(needed)] if "+" in row.cells["key"] else needed


def misses(row: Row) -> list[str]:
    """All scopes but those that a line needs, or of two that it needs the one."""
    needed = CELL.findall(row.cells["key"])
    without = [{each} for each in needed] if "+" in row.cells["key"] else [set(needed)] if needed else []
    return [" ".join(scope for scope in SCOPES if scope not in each) for each in without]


# --- the world ---


class World(NamedTuple):
    """A server, who is signed in on it, and what there is."""

    server: Server
    people: Mapping[str, httpx.Client]
    keys: Mapping[str, str]
    numbers: Mapping[str, int]
    file: str


def run(ask: Callable[..., Any], *arguments: object) -> Any:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, ask, *arguments).result()


async def prepare() -> tuple[dict[str, int], str, dict[str, str]]:
    """Users of every role, keys of every scope, a settled month, appeals: their numbers, a file, the keys."""
    for name in (*ROLES, MANAGER):
        given = ("office", "integrator") if name == MANAGER else (name,)
        await make_user(name, PASSWORD, given, SUBJECTS.get(name, ""))
        await set_password(name, PASSWORD, must_change=False)
    await fill()
    await settling.settle("2026-01", actor="test")
    numbers = {}
    for name, wanted in (
        ("fault", EntryFilter(event="E3")),
        ("other", EntryFilter(event="E6", subject="B2")),
        ("owner", EntryFilter(rule="D1")),
    ):
        numbers[name] = (await list_entries(wanted))[0][0].id
    await changes.record("test", "change", Source, 1, {"title": "a"}, {"title": "b"})
    await Approval(hash="0" * 64, user="test").save()
    file = read_attachment(0, "说明.pdf", b"%PDF-1.7\n")
    own, unit = Party(name="subject", subject="B1"), Party(name="office", office=True)
    relations = [Relation(subject="B2", relation="principal", answers="P1")]
    await acts.organise(date(2026, 1, 1), (), relations, reason="test", actor="test")
    numbers["case to withdraw"] = (await appeals.lodge(numbers["owner"], "事出有因", [], own)).number
    numbers["case"] = (await appeals.lodge(numbers["fault"], "事出有因", [file], own)).number
    numbers["case of another"] = (await appeals.lodge(numbers["other"], "事出有因", [], unit)).number
    keys: dict[str, str] = {}
    for words in sorted({words for row in INTERFACE for words in (*fits(row), *misses(row))}):
        keys[words] = await make_key(f"key-{len(keys)}", words.split())
    return numbers, file.hash, keys


@pytest.fixture(scope="module")
def world(postgres: Cluster) -> Iterator[World]:
    database = postgres.database("roles", template=TEMPLATE)
    point(database.url)
    numbers, file, keys = run(prepare)
    with serving(database) as server, ExitStack() as stack:
        people = {name: server.log_in(name, PASSWORD) for name in (*ROLES, MANAGER)}
        people |= {"nobody": server.client(), "key": server.client()}
        for client in people.values():
            stack.callback(client.close)
        people["nobody"].get("/login")
        people["nobody"].headers["x-csrftoken"] = people["nobody"].cookies["csrftoken"]
        yield World(server, people, keys, numbers, file)
    point("postgresql://no_test_database@127.0.0.1:1/none")
    postgres.drop("roles")


# --- how a line is tried ---


class Try(NamedTuple):
    """How to ask: values for the path and what is sent, where what is own and what is another's differ.

    ``others`` are by role. ``own`` of a list says what must not be told: the texts of others'.
    """

    path: Mapping[str, str] = {}
    others: Mapping[str, Mapping[str, str]] = {}
    query: str = ""
    json: Any = None
    form: Mapping[str, str] | None = None
    content: str | None = None
    hidden: Mapping[str, tuple[str, ...]] = {}
    of: Mapping[str, Mapping[str, str]] = {}


ENTRY = Try(path={"number": "<fault>"}, others={"subject": {"number": "<other>"}, "assessor": {"number": "<owner>"}})
EVENT = Try(path={"source": "manual", "id": "E3"}, others={"subject": {"id": "E6"}, "assessor": {"id": "E1"}})
CASE = Try(path={"number": "<case>", "hash": "<file>"}, others={"subject": {"number": "<case of another>"}})
NO_EVENT = Try(path={"source": "manual", "id": "none"}, json={"reason": "t", "event": {}})
NO_PERIOD = Try(path={"code": "none"}, json={"reason": "t"})
WITHDRAWAL = Try(
    path={"number": "<case to withdraw>"},
    of={"office": {"number": "<case of another>"}},
    others={"office": {"number": "<case to withdraw>"}, "subject": {"number": "<case of another>"}},
)

TRIES: Mapping[str, Try] = {
    "POST /login": Try(form={"username": "x", "password": "y"}),
    "POST /password": Try(form={"current": "x", "new": "y", "again": "z"}),
    "GET /language/{code}": Try(path={"code": "zh-CN"}),
    "GET /static/{file_path}": Try(path={"file_path": "office.css"}),
    "GET /api/static/{file_path}": Try(path={"file_path": "docs.css"}),
    "GET /api/description/{path}": Try(path={"path": "openapi.yaml"}),
    "POST /desk/editor/reading": Try(content="nonsense"),
    "POST /desk/editor/saving": Try(content="nonsense"),
    "POST /desk/editor/deletion": Try(content="nonsense"),
    "POST /desk/editor/place": Try(content="nonsense"),
    "GET /desk/exchange/rulebook": Try(query="which=1&ending=yaml"),
    "GET /desk/exchange/roster/{what}": Try(path={"what": "subjects"}),
    "GET /desk/exchange/template/{what}": Try(path={"what": "rulebook"}),
    "POST /keys": Try(form={"name": ""}),
    "POST /keys/{name}/revocation": Try(path={"name": "nobody"}, form={}),
    "POST /desk/exchange/uploads": Try(form={"what": "nothing"}),
    "POST /desk/exchange/uploads/{code}": Try(form={"reason": "t"}),
    "GET /desk/comparison": Try(query="from=1&to=1"),
    "GET /desk/cases/at/{place}": Try(path={"place": "0"}),
    "GET /desk/cases/{key}": Try(path={"key": "none"}),
    "GET /desk/cases/new": Try(query="source=manual&event=E3"),
    "POST /desk/cases/new": Try(form={"text": "nonsense"}),
    "POST /desk/cases": Try(form={"text": "nonsense"}),
    "POST /desk/cases/{key}": Try(path={"key": "none"}, form={"text": "nonsense"}),
    "POST /desk/cases/{key}/copy": Try(path={"key": "none"}, form={}),
    "POST /desk/cases/{key}/delete": Try(path={"key": "none"}, form={}),
    "POST /desk/hits": Try(content="nonsense"),
    "POST /desk/simulations": Try(form={"period": "none", "version": "1"}),
    "POST /desk/simulations/{number}/end": Try(form={}),
    "POST /desk/versions/{number}/draft": Try(form={"hash": "x"}),
    "POST /api/rulebook/simulation": Try(json={"period": "none", "version": 1}),
    "POST /publish": Try(form={"hash": "x"}),
    "POST /publish/approval": Try(form={"hash": "x"}),
    "GET /entries": Try(hidden={"subject": ("河西分局",), "assessor": ("无差异",)}),
    "GET /entries.csv": Try(hidden={"subject": ("河西分局",), "assessor": ("无差异",)}),
    "GET /audit/entries/{number}": ENTRY,
    "GET /audit/events/{source}/{id}": EVENT,
    "GET /audit/entries/{number}/appeal": ENTRY,
    "POST /audit/entries/{number}/appeal": ENTRY._replace(form={"reason": ""}),
    "GET /appeals": Try(hidden={"subject": ("河西分局",)}),
    "GET /appeals/{number}": CASE,
    "GET /appeals/{number}/attachments/{hash}": CASE,
    "POST /appeals/{number}/answer": CASE._replace(form={"text": ""}),
    "GET /appeals/{number}/decision": CASE,
    "POST /appeals/{number}/decision": CASE._replace(form={"decision": ""}),
    "POST /appeals/{number}/withdrawal": WITHDRAWAL._replace(form={}),
    "POST /appeals/{number}/removal": CASE._replace(form={"act": "0"}),
    "GET /audit/acts/{number}": Try(path={"number": "1"}),
    "GET /audit/versions/{number}": Try(path={"number": "1"}),
    "GET /audit/versions/{number}/rulebook.yaml": Try(path={"number": "1"}),
    "POST /audit/verification": Try(form={"seals": "nonsense"}),
    "POST /periods": Try(form={"year": "never"}),
    "GET /periods/{code}": Try(path={"code": "2026-01"}, hidden={"assessor": ("满意率", "名次")}),
    "GET /periods/{code}/{action}": Try(path={"code": "2026-01", "action": "settlement"}),
    "POST /periods/{code}/{action}": Try(path={"code": "2026-01", "action": "nothing"}, form={"reason": ""}),
    "GET /periods/{code}/subjects/{subject}": Try(
        path={"code": "2026-01", "subject": "B1"}, others={"subject": {"subject": "B2"}}
    ),
    "GET /receptions/{day}": Try(path={"day": "2026-01-10"}, query="source=manual"),
    "POST /api/events": Try(json={}),
    "POST /api/events/batch": Try(content="nonsense"),
    "POST /api/events/{source}/{id}/retraction": NO_EVENT._replace(json={"reason": "t"}),
    "POST /api/events/{source}/{id}/correction": NO_EVENT,
    "GET /api/events/{source}/{id}": EVENT,
    "GET /api/events/{source}/{id}/explanation": EVENT,
    "POST /api/evaluations": Try(json={}),
    "GET /api/entries": Try(hidden={"subject": ('"B2"',), "assessor": ('"D1"',)}),
    "GET /api/entries/{number}": ENTRY,
    "GET /api/subjects/{code}/score": Try(
        path={"code": "B1"},
        query="period=2026-01",
        others={"subject": {"code": "B2"}, "assessor": {"code": "none"}},
        hidden={"assessor": ("I-SAT", '"tier":1', '"total":"')},
    ),
    "GET /api/periods/{code}/standings": Try(path={"code": "2026-01"}, hidden={"assessor": ('"tier":1', '"total":"')}),
    "POST /api/appeals": Try(
        json={"entry": "<fault>", "reason": "t", "attachments": "none"}, others={"subject": {"entry": "<other>"}}
    ),
    "GET /api/appeals": Try(hidden={"subject": ('"B2"',)}),
    "GET /api/appeals/{number}": CASE,
    "GET /api/appeals/{number}/attachments/{hash}": CASE,
    "POST /api/appeals/{number}/answer": CASE._replace(json={"text": "按规定办理"}),
    "POST /api/appeals/{number}/decision": CASE._replace(
        json={"decision": "rejected", "reason": "t", "acts": [], "preview": True}
    ),
    "POST /api/appeals/{number}/withdrawal": WITHDRAWAL._replace(json={}),
    "POST /api/acts/{number}/removal": Try(path={"number": "1"}, json={}),
    "GET /api/acts/{number}": Try(path={"number": "1"}),
    "GET /api/subjects": Try(hidden={"subject": ('"B2"',)}),
    "PUT /api/subjects": Try(json={}),
    "GET /api/relations": Try(hidden={"subject": ('"B2"',)}),
    "PUT /api/relations": Try(json={}),
    "PUT /api/periods": Try(json={}),
    "POST /api/periods/{code}/settlement": NO_PERIOD,
    "POST /api/periods/{code}/closing": NO_PERIOD,
    "POST /api/periods/{code}/reopening": NO_PERIOD,
    "GET /api/rulebook/versions/{number}": Try(path={"number": "1"}),
    "GET /api/rulebook/comparison": Try(query="from=1&to=1"),
    "PUT /api/rulebook/draft": Try(json={}),
    "POST /api/rulebook/check": Try(json={}),
    "POST /api/rulebook/approval": Try(json={"hash": "x"}),
    "POST /api/rulebook/publication": Try(json={"hash": "x", "effective": "2026-01-01T00:00:00+08:00"}),
    "GET /api/reconciliations/{number}": Try(path={"number": "1"}),
    "POST /api/reconciliations": Try(json={}),
}
"""How each line is tried; a line that is not here needs nothing. Nothing that is sent here changes anything."""

ABSENT = {
    "GET /api/rulebook/draft",
    "GET /api/reconciliations/{number}",
    "GET /api/description/{path}",
    "GET /api/rulebook/simulation/{number}",
    "GET /api/rulebook/simulation/{number}/entries",
    "GET /desk/rules/{code}",
    "GET /desk/simulations/{number}/workbook",
    "GET /desk/exchange/uploads/{code}",
    "GET /desk/exchange/uploads/{code}/faults.csv",
    "GET /desk/cases/at/{place}",
    "GET /desk/cases/{key}",
    "GET /desk/rules/{code}/cases",
    "GET /desk/simulations/{number}",
    "GET /desk/changes/{number}/before.yaml",
}
"""Reading that finds nothing in this world: 404 is an answer to whoever may."""


def ask(
    world: World, who: str, line: str, values: Mapping[str, str] = {}, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Ask as the line is tried, with these values for the path."""
    method, path = line.split(" ", 1)
    tried = TRIES.get(line, Try())
    held = {"number": "1", "code": "none", **tried.path, **tried.of.get(who, {}), **values}
    for name, value in held.items():
        path = path.replace(f"{{{name}}}", filled(world, value))
    assert "{" not in path, f"{line}: say in TRIES how it is asked"
    sent = tried.json
    if isinstance(sent, dict) and str(sent.get("entry", "")).startswith("<"):
        sent = {**sent, "entry": int(filled(world, values.get("entry", sent["entry"])))}
    client = world.people[who]
    if line == "POST /logout":  # what it ends is looked at elsewhere; here the others go on with the session
        token = client.cookies.get("csrftoken") or ""
        with httpx.Client(base_url=world.server.url, headers=client.headers, cookies={"csrftoken": token}) as other:
            return other.post(path, headers=headers)
    return client.request(
        method, f"{path}?{tried.query}", json=sent, data=tried.form, content=tried.content, headers=headers
    )


def filled(world: World, value: str) -> str:
    if value == "<file>":
        return world.file
    return str(world.numbers[value.strip("<>")]) if value.startswith("<") else value


def may(line: str, answer: httpx.Response) -> bool:
    """Whether whoever asked may: reading tells it, writing that was wrong on purpose is heard and refused for that."""
    status, to = answer.status_code, answer.headers.get("location", "")
    if line == "POST /login":
        return status == 401  # a wrong password is heard
    if status in (401, 403) or (status == 303 and to.startswith("/login?next=")):
        return False
    if line.startswith("GET "):
        assert status in (200, 303) or (status == 404 and line in ABSENT), (line, status, answer.text[:500])
    assert status < 500, (line, status, answer.text[:500])
    return True


def cells(rows: list[Row], columns: list[str]) -> list[Any]:
    return [pytest.param(row, column, id=f"{row.name} {column}") for row in rows for column in columns]


@pytest.mark.parametrize(("row", "who"), cells([*PAGES, *INTERFACE], ROLES))
def test_what_a_role_may(world: World, row: Row, who: str) -> None:
    cell, tried = row.cells[who], TRIES.get(row.name, Try())
    answer = ask(world, who, row.name)
    if cell == "no":
        assert answer.status_code in (403, 404), (answer.status_code, answer.text[:300])
        assert answer.status_code == 403 or " /api/appeals" in row.name, answer.text[:300]
        return
    assert cell in ("yes", "own")
    assert may(row.name, answer), (answer.status_code, answer.text[:300])
    if cell == "yes":
        return
    others, hidden = tried.others.get(who), tried.hidden.get(who, ())
    assert others or hidden, "say in TRIES what is another's"
    if others:
        refused = ask(world, who, row.name, others)
        assert refused.status_code in (403, 404), (refused.status_code, refused.text[:300])
    assert [text for text in hidden if text in answer.text] == []
    if hidden:
        whole = ask(world, "office", row.name)
        assert [text for text in hidden if text not in whole.text] == [], "what is hidden is not there at all"


@pytest.mark.parametrize("row", [*PAGES, *INTERFACE], ids=lambda row: row.name)
def test_what_nobody_may(world: World, row: Row) -> None:
    answer = ask(world, "nobody", row.name)
    if row.cells["nobody"] == "yes":
        assert may(row.name, answer)
    elif row in INTERFACE:
        assert answer.status_code == 401
    else:
        assert (answer.status_code, answer.headers["location"].startswith("/login?next=")) == (303, True)


@pytest.mark.parametrize("row", INTERFACE, ids=lambda row: row.name)
def test_what_a_key_may(world: World, row: Row) -> None:
    cell = row.cells["key"]
    if cell in ("open", "none", "any"):
        everything = {"authorization": f"Bearer {world.keys[' '.join(SCOPES)]}"}
        assert may(row.name, ask(world, "key", row.name, headers=everything)) == (cell != "none")
        return
    for words in fits(row):
        answer = ask(world, "key", row.name, headers={"authorization": f"Bearer {world.keys[words]}"})
        assert may(row.name, answer), (words, answer.status_code, answer.text[:300])
    for words in misses(row):
        answer = ask(world, "key", row.name, headers={"authorization": f"Bearer {world.keys[words]}"})
        assert answer.status_code == 403, (words, answer.status_code, answer.text[:300])
    assert ask(world, "key", row.name, headers={"authorization": "Bearer nonsense"}).status_code == 401


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.name)
def test_a_key_opens_no_page(world: World, row: Row) -> None:
    answer = ask(world, "nobody", row.name, headers={"authorization": f"Bearer {world.keys['entries:read']}"})
    assert may(row.name, answer) == (row.cells["nobody"] == "yes")


@pytest.mark.parametrize(
    "row", [row for row in (*PAGES, *INTERFACE) if not row.name.startswith("GET ")], ids=lambda row: row.name
)
def test_nothing_is_written_without_the_token_of_this_browsers_forms(world: World, row: Row) -> None:
    may_do = next(name for name in ROLES if row.cells[name] in ("yes", "own"))
    for token in (None, "planted", world.people["nobody"].headers["x-csrftoken"]):
        client = world.people[may_do]
        kept = client.headers.pop("x-csrftoken")
        try:
            answer = ask(world, may_do, row.name, headers={} if token is None else {"x-csrftoken": token})
        finally:
            client.headers["x-csrftoken"] = kept
        assert answer.status_code == 403, (token, answer.status_code, answer.text[:300])


# --- the panel ---


@pytest.mark.parametrize(("row", "who"), cells(PANEL, [*ROLES, MANAGER, "nobody", "key"]))
def test_what_the_panel_lets_a_role_do(world: World, row: Row, who: str) -> None:
    client, path, cell = world.people[who], f"{TABLES}/{row.name}/", row.cells[who]
    headers = {"authorization": f"Bearer {world.keys['rules:write']}"} if who == "key" else {}
    read = client.get(path, headers=headers)
    rows = world.people[MANAGER].get(path).json()["rows"]
    one = f"{path}{rows[0][panel_tables()[row.name]] if rows else 0}/"
    writes = [client.patch(one, json={}, headers=headers), client.post(path, json={"id": "x"}, headers=headers)]
    if cell == "no":
        assert read.status_code in (401, 403, 405), read.text[:200]
        assert {answer.status_code for answer in writes} <= {401, 403, 405}, [each.text[:200] for each in writes]
        return
    assert read.status_code == 200
    assert rows or cell == "edit"
    said = [answer.text for answer in (*writes, client.delete(one if cell == "read" else f"{path}0/"))]
    denied = [DENIED in text for text in said]
    assert denied == ([True] * 3 if cell == "read" else [False, *denied[1:]]), said
    for answer in (client.put(one, json={}), client.delete(path)):
        assert answer.status_code in ((405,) if rows else (404, 405)), (answer.status_code, answer.text[:200])
    with httpx.Client(base_url=world.server.url, cookies=client.cookies) as without:
        assert without.patch(one, json={}).status_code == 403
