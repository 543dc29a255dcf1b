"""The page of verification: who sees it, the seal that it hands out, and what a run says in the end."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from api.embedded import SUPERUSER, Cluster, Database
from engine.organisation import TIMEZONE
from ledger import long_work, verifications, verifier
from ledger.reading import reading
from ledger.writing import writing
from tests.admin.conftest import SignIn
from tests.admin.test_periods import text
from tests.small_office import fill

pytestmark = pytest.mark.anyio

PAGE = "/audit/verification"


@pytest.fixture(autouse=True)
async def nothing_runs(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_work, "LOOK", 0.05)
    await verifier.verifier.stop()


async def run_through(client: httpx.AsyncClient, **form: str) -> str:
    """Start a verification and wait for its end."""
    answer = await client.post(PAGE, data=form or {"seals": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    for _ in range(300):
        told = (await client.get(f"{PAGE}/progress")).json()
        if not told["running"]:
            return text(await client.get(PAGE))
        assert told["stage"]
        assert 0 <= told["percent"] <= 100
        await asyncio.sleep(0.1)
    raise AssertionError("the verification does not end")


@pytest.mark.parametrize(
    ("role", "status"), [("office", 200), ("approver", 200), ("auditor", 200), ("assessor", 403), ("integrator", 403)]
)
async def test_who_may_verify(sign_in: SignIn, role: str, status: int) -> None:
    client = await sign_in("zhang", role)
    for path in (PAGE, f"{PAGE}/seal", f"{PAGE}/progress"):
        assert (await client.get(path)).status_code == status, path
    assert (f'href="{PAGE}"' in (await client.get("/")).text) == (status == 200)
    if status != 200:
        assert (await client.post(PAGE, data={"seals": ""})).status_code == status


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_run_is_shown_with_who_started_it(sign_in: SignIn, language: str) -> None:
    await fill()
    client = await sign_in("李审计", "auditor", language=language)
    assert ("取得时间" if language == "zh-CN" else "Taken at") in text(await client.get(PAGE))
    page = await run_through(client)
    assert ("核验通过，没有发现不符" if language == "zh-CN" else "Verified: nothing differs") in page
    assert ("没有用封印比对" if language == "zh-CN" else "compared with no seal") in page
    assert "李审计" in page
    assert ("事件 6" if language == "zh-CN" else "6 events") in page


async def test_the_seal_is_handed_out_and_taken_back(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    answer = await client.get(f"{PAGE}/seal")
    async with reading() as connection:
        row = await connection.fetchrow("SELECT length, hash FROM ledger_head")
    assert answer.json() == {"length": row["length"], "head": row["hash"]}
    assert answer.headers["content-disposition"] == f'attachment; filename="jikao-seal-{row["length"]}.json"'
    assert row["hash"] in text(await client.get(PAGE))
    assert "与 1 个封印一致" in await run_through(client, seals=answer.text)
    wrong = json.dumps(answer.json() | {"length": row["length"] + 1})
    assert "链比封印短" in await run_through(client, seals=f"{answer.text}\n{wrong}")
    refused = await client.post(PAGE, data={"seals": "no seal <b>"})
    assert refused.status_code == 422
    assert "应为封印" in refused.text
    assert "no seal &lt;b&gt;" in refused.text


async def test_the_first_difference_is_told_in_words(sign_in: SignIn, postgres: Cluster, pool: Database) -> None:
    await fill()
    name = pool.url.rpartition("/")[2].partition("?")[0]
    superuser = await asyncpg.connect(postgres.url(SUPERUSER, name))
    await superuser.execute("SET session_replication_role = replica")
    number = await superuser.fetchval("UPDATE entry SET rule = 'R9' WHERE rule = 'R1' RETURNING number")
    await superuser.close()
    client = await sign_in("zhang", "auditor")
    page = await run_through(client)
    assert "核验不通过" in page
    assert f"第 {number} 号明细与链不符" in page
    assert f'href="/audit/entries/{number}"' in (await client.get(PAGE)).text


async def test_one_runs_at_a_time_among_all_workers(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    async def verify(_url: str, _zone: Any, *, progress: Callable[..., None], **_: Any) -> Any:
        progress("posting", 1, 4)
        await asyncio.sleep(60)

    monkeypatch.setattr(verifier, "verify", verify)
    await fill()
    first, second = await sign_in("zhang", "auditor"), await sign_in("li", "office")
    assert (await first.post(PAGE, data={"seals": ""})).status_code == 303
    await asyncio.sleep(0.2)
    assert (await second.get(f"{PAGE}/progress")).json() == {"running": True, "stage": "重新入账", "percent": 25}
    another = verifier.Verifier()  # as another worker has
    await another.start(TIMEZONE, 1, (), "li")
    assert not another.busy
    page = await second.get(PAGE)
    assert "核验进行中：zhang" in page.text
    assert '<form class="card' not in page.text
    await verifier.verifier.stop()
    page = await second.get(PAGE)
    assert "核验没有做完" in page.text
    assert '<form class="card' in page.text


async def test_one_whose_worker_died_does_not_stand_in_the_way(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill()
    client = await sign_in("zhang", "auditor")
    assert await verifications.begin((), "li") is not None
    assert await verifications.begin((), "zhang") is None
    monkeypatch.setattr(verifications, "LOST_AFTER", 0)
    assert "核验没有做完" in (await client.get(PAGE)).text
    monkeypatch.setattr(verifications, "LOST_AFTER", 30)
    await writing_long_ago()
    page = await run_through(client)
    assert "核验通过" in page
    assert "此前的核验" in page
    assert [run.state for run in await verifications.latest(9)] == ["done", "lost"]


async def writing_long_ago() -> None:
    async with writing() as connection:
        await connection.execute("UPDATE verification_run SET seen = seen - interval '1 hour'")
