"""The rule desk's first page, the menu that leads to it, and roles that come together."""

import re

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from admin.changes import replace_draft
from admin.menu import bar_for, items_for
from admin.session import Person
from admin.tables import Role, User
from ledger.filling import read_starter
from tests.admin.conftest import PASSWORD, SignIn
from tests.admin.test_assessor import text
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.anyio

STEP = re.compile(r'<li class="(\w+)"[^>]*><strong>\d (\S+)</strong>')


def person(*roles: str, subject: str = "") -> Person:
    return Person(id=1, name="x", roles=frozenset(roles), subject=subject)


async def test_the_steps_say_how_far_the_draft_is(sign_in: SignIn) -> None:
    office, approver = await sign_in("zhang", "office"), await sign_in("li", "approver")
    page = await office.get("/desk")
    assert STEP.findall(page.text) == [
        ("done", "起草"), ("done", "检查"), ("free", "试算"), ("now", "审批"), ("later", "发布"),
    ]  # fmt: skip
    said = text(page)
    assert "目前没有现行版本" in said
    assert "已审批 0 人，需 1 人" in said
    assert re.search(r"草稿共 \d+ 条规则", said)
    assert re.search(r"最近：somebody，\d{4}-\d\d-\d\d \d\d:\d\d", said)
    draft = re.search(r'<code title="([0-9a-f]{64})">([0-9a-f]{12})</code>', page.text)
    assert draft is not None
    assert draft[1].startswith(draft[2])
    assert (await approver.post("/publish/approval", data={"hash": draft[1]})).status_code == 303
    assert [state for state, _ in STEP.findall((await office.get("/desk")).text)][-2:] == ["done", "now"]


async def test_the_desk_tells_changes_and_what_is_wrong(sign_in: SignIn) -> None:
    office = await sign_in("zhang", "office")
    await fill()
    await replace_draft(RULEBOOK, "somebody")
    page = await office.get("/desk")
    assert "与最新版本相同" in text(page)
    assert STEP.findall(page.text)[0] == ("now", "起草")
    await replace_draft({**RULEBOOK, "title": "另一个名称"}, "somebody")
    assert "有 1 处改动未发布" in text(await office.get("/desk"))
    wrong = [{**RULEBOOK["rules"][0], "when": "nothing == 1"}, *RULEBOOK["rules"][1:]]
    await replace_draft({**RULEBOOK, "rules": wrong}, "somebody")
    page = await office.get("/desk")
    assert "须改正" in text(page)
    assert [state for state, _ in STEP.findall(page.text)] == ["done", "now", "later", "later", "later"]
    await replace_draft(read_starter()[0], "somebody")


async def test_every_tile_and_item_leads_somewhere(sign_in: SignIn, app: Litestar) -> None:
    office = await sign_in("zhang", "office")
    paths = {route.path_format for route in app.routes if isinstance(route, HTTPRoute)} | {"/admin/"}
    tiles = re.findall(r'<li><a href="([^"]+)"><strong>', (await office.get("/desk")).text)
    assert len(tiles) == 8
    assert [each for each in tiles if each not in paths] == []
    for path in tiles:
        assert (await office.get(path)).status_code == 200, path
    items = items_for(person(*Role, subject="B1"))
    assert [each.path for each in items if each.path not in paths] == []


@pytest.mark.parametrize(
    ("roles", "subject", "names"),
    [
        ((), "", ["versions"]),
        (("assessor",), "", ["versions"]),
        (("assessor",), "B1", ["periods", "entries", "versions"]),
        (("subject",), "B1", ["entries", "appeals", "versions"]),
        (("integrator",), "", ["receptions", "versions"]),
        (("auditor",), "", ["desk", "periods", "entries", "appeals", "receptions", "acts", "versions", "verification"]),
        (("assessor", "subject"), "B1", ["periods", "entries", "appeals", "versions"]),
    ],
)
def test_the_bar_shows_what_the_roles_open(roles: tuple[str, ...], subject: str, names: list[str]) -> None:
    bar = bar_for(person(*roles, subject=subject))
    assert [item.name for _, items in bar for item in items] == names
    assert [len(items) > 1 for group, items in bar if group] in ([], [True])


async def test_roles_add_up(sign_in: SignIn) -> None:
    await fill()
    both = await sign_in("zhang", "office", "auditor")
    assert (await both.post("/periods/2026-01/settlement", data={})).status_code == 303
    assert (await both.get("/audit/acts")).status_code == 200
    department = await sign_in("li", "assessor", "subject", subject="B2")
    assert (await department.get("/periods/2026-01/subjects/B2")).status_code == 200
    assert (await department.get("/periods/2026-01/subjects/B1")).status_code == 403
    listed = text(await department.get("/entries"))
    assert "城关分局" in listed  # on its own indicator
    assert "河西分局" in listed  # on itself
    assert (await department.get("/appeals")).status_code == 200
    assert (await department.get("/desk")).status_code == 403


async def test_who_is_not_active_does_not_come_in(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office", "auditor")
    await User.update({User.active: False}).where(User.username == "zhang")
    assert (await client.get("/desk")).status_code == 303
    assert (await client.get("/admin/api/tables/draft_rule/")).status_code == 401
    again = await client.post("/login", data={"username": "zhang", "password": PASSWORD})
    assert again.status_code == 401


async def test_a_password_that_was_given_out_opens_nothing_else(sign_in: SignIn) -> None:
    client = await sign_in("zhang", "office", "approver", "auditor")
    await User.update({User.must_change_password: True}).where(User.username == "zhang")
    for path in ("/", "/desk", "/publish", "/entries", "/audit/acts", "/periods", "/receptions", "/admin/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/password"), path
    assert "<nav>" in (await client.get("/password")).text
    assert 'href="/desk"' not in (await client.get("/password")).text
