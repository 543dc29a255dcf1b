"""Simulations on pages: who may, what the form says, what a result shows, that it goes stale, and who ends one."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from admin.changes import replace_draft
from ledger import long_work, simulator
from ledger.simulation import Question
from rules.tree import load_yaml
from tests.admin.conftest import SignIn
from tests.admin.test_periods import text
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.anyio

PAGE = "/desk/simulations"
FORM = {"period": "2026-01", "version": "draft"}


@pytest.fixture
async def office(sign_in: SignIn) -> AsyncIterator[SignIn]:
    """The small office; its draft deducts three times as much for a fault."""
    await fill()
    await draft("-1.50")
    yield sign_in
    await simulator.simulator.stop()


async def draft(points: str) -> None:
    rules = [{**rule, "points": points} if rule["rule"] == "R1" else rule for rule in RULEBOOK["rules"]]
    await replace_draft(load_yaml(json.dumps({**RULEBOOK, "rules": rules}))[0].raw, "somebody")


async def run_through(client: httpx.AsyncClient, **form: str) -> str:
    """Start a simulation and wait for its end; its page's address."""
    answer = await client.post(PAGE, data={**FORM, **form})
    assert answer.status_code == 303, text(answer)
    where = answer.headers["location"]
    for _ in range(300):
        if not (await client.get(f"{where}/progress")).json()["running"]:
            return str(where)
        await asyncio.sleep(0.1)
    raise AssertionError("the simulation does not end")


@pytest.mark.parametrize(
    ("role", "status"),
    [("office", 200), ("approver", 200), ("auditor", 200), ("assessor", 403), ("integrator", 403), ("subject", 403)],
)
async def test_who_may_simulate(office: SignIn, role: str, status: int) -> None:
    where = await run_through(await office("zhao", "office"))
    client = await office("zhang", role, subject="P1" if role == "subject" else "")
    for path in (PAGE, where, f"{where}/progress"):
        assert (await client.get(path)).status_code == status, path
    assert (await client.post(PAGE, data=FORM)).status_code == (303 if status == 200 else 403)
    assert (await client.post(f"{where}/end")).status_code == (303 if role == "office" else 403)
    client.headers.pop("x-csrftoken")
    assert (await client.post(PAGE, data=FORM)).status_code == 403


async def test_nobody_is_sent_to_sign_in(browser_of_nobody: httpx.AsyncClient) -> None:
    assert (await browser_of_nobody.get(PAGE)).headers["location"].startswith("/login")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_result_tells_who_gains_and_loses(office: SignIn, language: str) -> None:
    client = await office("李审计", "auditor", language=language)
    where = await run_through(client)
    answer = await client.get(where)
    page = text(answer)
    if language == "zh-CN":
        assert "按草稿试算2026年1月（3 个事件）：0 个对象得分上升，2 个下降" in page
        assert "李审计 于" in page
        assert "新增 0 条，取消 0 条，变动 1 条" in page
    else:
        assert "(3 events): 0 subjects would gain, 2 lose" in page
        assert not re.search(
            r"[一-鿿]", re.sub("城关分局|河西分局|张三|公文差错|李审计|无差异|进步|中文|绩考|明星|2026年1月", "", page)
        )
    for shown in ("城关分局", "96.60", "90.60", "−6.00", "公文差错", "−3.00"):
        assert shown in page, shown
    assert f'href="{PAGE}?version=draft&amp;period=2026-01"' in answer.text
    assert where.rpartition("/")[2] in text(await client.get(PAGE))


async def test_subjects_and_entries_are_searched(office: SignIn) -> None:
    client = await office("zhang", "office")
    where = await run_through(client)

    async def rows(query: str) -> str:
        answer = await client.get(f"{where}?{query}")
        assert answer.status_code == 200
        return answer.text.partition('<h2 id="subjects">')[2].partition('<h2 id="rules">')[0]

    assert "城关分局" in await rows("show=down")
    assert "没有符合条件的对象" in await rows("show=up")
    assert "河西分局" in await rows("show=all")
    assert "河西分局" not in await rows("show=changed")
    assert "城关分局" in await rows("show=all&q=b1")
    assert "没有符合条件的对象" in await rows("show=all&q=%3Cb%3E")
    assert "没有符合条件的对象" in await rows("show=all&at=999999")
    assert "没有符合条件的明细变化" in (await client.get(f"{where}?rule=R2")).text
    assert "E3" in (await client.get(f"{where}?rule=R1&subject=B1")).text
    for odd in ("at=-1", "at=x", "entries=99999999999", "show=<b>"):
        assert (await client.get(f"{where}?{odd}")).status_code == 200


async def test_an_older_draft_is_said_to_be_older(office: SignIn) -> None:
    client = await office("zhang", "office")
    where, by_version = await run_through(client), await run_through(client, version="1")
    assert "草稿在此次试算之后又有修改" not in (await client.get(where)).text
    assert "没有任何变化" in (await client.get(by_version)).text
    await draft("-2.50")
    assert "草稿在此次试算之后又有修改" in (await client.get(where)).text
    assert "草稿在此次试算之后又有修改" not in (await client.get(by_version)).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"period": "2031-01"}, "没有考评期 2031-01"),
        ({"version": "8"}, "没有第 8 版规则"),
        ({"version": ""}, "应为版本号或 draft"),
        ({"start": "2026-02-01T00:00"}, "起始时间应在本期之内"),
        ({"start": "soon"}, "应为日期和时间"),
    ],
)
async def test_what_is_no_question_is_refused_in_words(office: SignIn, form: dict[str, str], said: str) -> None:
    client = await office("zhang", "office")
    answer = await client.post(PAGE, data={**FORM, **form})
    assert answer.status_code == 422
    assert said in answer.text
    assert "还没有做过试算" in answer.text


async def test_the_start_is_local_time(office: SignIn) -> None:
    client = await office("zhang", "office")
    assert "没有任何变化" in (await client.get(await run_through(client, start="2026-01-12T10:01"))).text
    page = (await client.get(await run_through(client, start="2026-01-12T10:00"))).text
    assert "变动 1 条" in page
    assert "2026-01-12 10:00 至 2026-02-01 00:00" in page


async def test_one_that_runs_is_shown_everywhere_and_cancelled_by_its_owner(
    office: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def simulate(_url: str, _zone: Any, _question: Question, progress: Callable[..., None], **_: Any) -> Any:
        progress("posting", 1, 4)
        await asyncio.sleep(60)

    monkeypatch.setattr(simulator, "simulate", simulate)
    monkeypatch.setattr(long_work, "LOOK", 0.02)
    owner, other, officer = (
        await office("li", "auditor"),
        await office("wu", "approver"),
        await office("zhang", "office"),
    )
    where = (await owner.post(PAGE, data=FORM)).headers["location"]
    await asyncio.sleep(0.2)
    assert (await other.get(f"{where}/progress")).json() == {
        "running": True, "stage": "重新入账", "percent": 25, "done": 1, "of": 4,
    }  # fmt: skip
    page = (await owner.get(where)).text
    assert 'value="25"' in page
    assert "取消试算" in page
    assert "取消试算" not in (await other.get(where)).text
    assert "取消试算" in (await officer.get(where)).text
    busy = await other.post(PAGE, data=FORM)
    assert busy.status_code == 429
    assert "另一个试算正在进行（li 于" in busy.text
    assert (await other.post(f"{where}/end")).status_code == 403
    assert (await owner.post(f"{where}/end")).headers["location"] == where
    for _ in range(100):
        if not (await owner.get(f"{where}/progress")).json()["running"]:
            break
        await asyncio.sleep(0.05)
    assert "试算已取消" in (await owner.get(where)).text
    assert (await owner.post(f"{where}/end")).headers["location"] == PAGE
    assert (await owner.get(where)).status_code == 404
    assert (await owner.get(f"{where}/progress")).json() == {"running": False}
