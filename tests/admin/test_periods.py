"""Periods over HTTP: who sees and does what, what is said before and after, and how a total came about."""

import itertools
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction

import httpx
import pytest

from admin.declaring import missing, periods_of
from admin.waterfall import Waterfall
from engine.period import Calendar
from engine.report import parse_report
from ledger import settling
from ledger.current import get_current
from ledger.reading import read_figures, reading
from ledger.settlements import latest_settlement
from tests.admin.conftest import SignIn
from tests.small_office import event, fill

pytestmark = pytest.mark.anyio


async def settle(client: httpx.AsyncClient, code: str) -> None:
    answer = await client.post(f"/periods/{code}/settlement", data={})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/periods/{code}?done=settlement")


def text(page: httpx.Response) -> str:
    """The page without its tags."""
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_a_year_has_its_months_quarters_halves_and_itself() -> None:
    declared = periods_of(2028)
    assert len(declared) == 12 + 4 + 2 + 1
    by_code = {each.code: each for each in declared}
    assert (by_code["2028-02"].last_day, by_code["2028-Q4"].end) == (date(2028, 2, 29), date(2029, 1, 1))
    assert (by_code["2028-H2"].start, by_code["2028"].title) == (date(2028, 7, 1), "2028年")
    for kind in ("month", "quarter", "half", "year"):
        spans = sorted((each.start, each.end) for each in declared if each.kind == kind)
        assert (spans[0][0], spans[-1][1]) == (date(2028, 1, 1), date(2029, 1, 1))
        assert all(one[1] == other[0] for one, other in itertools.pairwise(spans))
    held = Calendar([by_code["2028"], by_code["2028-Q1"]])
    assert {each.code for each in missing(declared, held.periods)} == set(by_code) - {"2028", "2028-Q1"}


@pytest.mark.parametrize(("role", "sees", "acts"), [("office", 200, 303), ("approver", 200, 403), ("auditor", 200, 403),
                                                     ("assessor", 403, 403)])  # fmt: skip
async def test_who_sees_periods_and_who_acts_on_them(sign_in: SignIn, role: str, sees: int, acts: int) -> None:
    await fill()
    client = await sign_in("zhang", role)
    for path in ("/periods", "/periods/2026-01", "/periods/2026-01/subjects/B1"):
        assert (await client.get(path)).status_code == sees, path
    assert ('href="/periods"' in (await client.get("/")).text) == (sees == 200)
    assert (await client.post("/periods/2026-01/settlement", data={})).status_code == acts
    assert (await client.post("/periods", data={"year": "2027"})).status_code == acts


async def test_a_form_that_is_not_ours_changes_nothing(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    del client.headers["x-csrftoken"]
    assert (await client.post("/periods/2026-01/closing", data={})).status_code == 403
    assert get_current().bureau.calendar.find("2026-01").state == "open"


async def test_a_subject_sees_its_own_figures_only(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "subject", subject="B1")
    assert (await client.get("/periods/2026-01/subjects/B1")).status_code == 200
    assert (await client.get("/periods/2026-01/subjects/B2")).status_code == 403
    assert (await client.get("/periods/2026-01")).status_code == 403


async def test_a_year_is_declared_by_one_button(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    assert "将为 2027 年设定 19 个考评期" in text(await client.get("/periods?declare=2027"))
    assert "都已设定" in text(await client.get("/periods?declare=2026"))
    assert "年份应为" in (await client.get("/periods?declare=soon")).text
    assert (await client.post("/periods", data={"year": "99"})).status_code == 422
    done = await client.post("/periods", data={"year": "2027"})
    assert done.headers["location"] == "/periods?declared=2027"
    assert "2027-Q3" in text(await client.get("/periods?declared=2027"))


async def test_settling_closing_and_reopening_in_words(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    assert "还没有结算" in text(await client.get("/periods/2026-01"))
    assert "差异化" in text(await client.get("/periods/2026-01/settlement"))
    await settle(client, "2026-01")
    closed = await client.post("/periods/2026-01/closing", data={"reason": "月结"})
    assert closed.headers["location"] == "/periods/2026-01?done=closing"
    page = text(await client.get("/periods/2026-01?done=closing"))
    assert "已关账，快照已保存" in page
    assert "第 1 号快照" in page
    again = await client.post("/periods/2026-01/settlement", data={})
    assert again.status_code == 422
    assert "不是未关账状态" in again.text
    assert "须先重开" in again.text
    unreasoned = await client.post("/periods/2026-01/reopening", data={"reason": " "})
    assert unreasoned.status_code == 422
    reopened = await client.post("/periods/2026-01/reopening", data={"reason": "复核"})
    assert reopened.status_code == 303
    listed = text(await client.get("/periods"))
    assert listed.count("，zhang") == 2
    for path in ("/periods/none", "/periods/2026-01/wishing", "/periods/2026-01?snapshot=7",
                 "/periods/2026-01/subjects/none"):  # fmt: skip
        assert (await client.get(path)).status_code == 404, path


async def test_the_comparisons_of_the_latest_settlement_are_told(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    await settle(client, "2026-01")
    page = text(await client.get("/periods/2026-01"))
    assert "极差 0，界限：小于 0.10 成立" in page
    assert "无差异" in page
    assert "城关分局 10.00" in page
    await settle(client, "2026-03")
    assert "数据不足" in text(await client.get("/periods/2026-03"))
    async with reading() as connection:
        settled = await latest_settlement(connection, "2026-01")
    assert settled is not None
    comparison = next(each for each in settled.comparisons if each.within == "branch")
    assert (comparison.verdict, comparison.charged, comparison.undifferentiated[0].found) == (
        "undifferentiated", ("B1",), Fraction(0),
    )  # fmt: skip


async def test_a_snapshot_stays_what_it_was(sign_in: SignIn) -> None:
    recorder = await fill()
    client = await sign_in("zhang", "office")
    await client.post("/periods/2026-01/closing", data={})
    await client.post("/periods/2026-01/reopening", data={"reason": "复核"})
    await recorder.record(parse_report(event(20, "fault", "B1", "2026-01-20", count="1")))
    frozen = await client.get("/periods/2026-01/subjects/B1?snapshot=1")
    now = await client.get("/periods/2026-01/subjects/B1")
    assert "97.00" in text(frozen)
    assert "95.50" in text(now)


async def test_a_period_says_when_what_it_was_compared_with_has_changed(sign_in: SignIn) -> None:
    recorder = await fill()
    client = await sign_in("zhang", "office")
    await settle(client, "2026-02")
    assert "有变动" not in text(await client.get("/periods/2026-02"))
    await recorder.record(parse_report(event(21, "fault", "B2", "2026-01-20", count="1")))
    assert "2026-01 在结算之后有变动" in text(await client.get("/periods/2026-02"))
    await settle(client, "2026-02")
    assert "有变动" not in text(await client.get("/periods/2026-02"))


async def test_a_settlement_before_the_last_day_is_warned_of(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    await client.post("/periods", data={"year": "2099"})
    assert "还没有过完" in text(await client.get("/periods/2099-12/settlement"))
    assert "还没有过完" not in text(await client.get("/periods/2026-01/settlement"))


async def test_a_total_is_the_sum_of_its_steps(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    for code in ("2026-01", "2026-02"):
        await settling.settle(code, actor="test")
        async with reading() as connection:
            bureau = get_current().bureau
            found, _ = await read_figures(connection, bureau, bureau.calendar.find(code))
        for standing in found.of.values():
            bars = Waterfall(standing, code, {}).bars()
            if standing.total is None:
                assert bars == []
                continue
            now = Decimal(0)
            for bar in bars:
                if bar.sum:
                    assert bars[0] is bar or abs(now - bar.amount) <= Decimal("0.05"), (standing.subject, bar)
                now = bar.amount if bar.sum else now + bar.amount
            assert now == standing.final
    page = text(await client.get("/periods/2026-02/subjects/B2"))
    assert "一票否决 不超过 59（R2）" in page
    assert "59.00" in page
    linked = text(await client.get("/periods/2026-01/subjects/P1"))
    assert "占 55%" in linked
    entries = (await client.get("/periods/2026-01/subjects/B1")).text
    assert "/entries?subject=B1&amp;period=2026-01&amp;indicator=I-DOC" in entries
    shown = text(await client.get("/entries?subject=B1&period=2026-01&indicator=I-DOC"))
    assert ("R1" in shown, "D1" in shown) == (True, False)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_pages_load_nothing_from_elsewhere_in_either_language(sign_in: SignIn, language: str) -> None:
    await fill()
    client = await sign_in("zhang", "office", language=language)
    await settle(client, "2026-01")
    for path in ("/periods", "/periods?declare=2027", "/periods/2026-01", "/periods/2026-01/closing",
                 "/periods/2026-01/subjects/B1"):  # fmt: skip
        page = await client.get(path)
        assert page.status_code == 200
        assert "style=" not in page.text, path
        assert not [link for link in re.findall(r'(?:src|href|action)="([^"]*)"', page.text) if "//" in link], path


async def test_the_days_to_appeal_are_changed_on_the_periods_page(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "office")
    form = "/periods/2026-01/appeals"
    assert form in (await client.get("/periods/2026-01")).text
    assert 'value="5"' in (await client.get(form)).text
    for days, held in (("12", 12), ("0", 0), ("", None)):
        assert (await client.post(form, data={"days": days, "reason": "按新办法"})).status_code == 303
        period = get_current().bureau.calendar.find("2026-01")
        assert (period.appeal_days, period.title, period.state) == (held, "2026年1月", "open")
    for days in ("367", "-1", "1.5", "十"):
        answer = await client.post(form, data={"days": days})
        assert (answer.status_code, "0 至 366" in answer.text) == (422, True), days
    assert "不受理" in (await client.get("/periods/2026-01")).text
    await settling.close("2026-01", actor="zhang")
    assert "已关账，不能再改" in (await client.get(form)).text
    assert (await client.post(form, data={"days": "3"})).status_code == 422
    auditor = await sign_in("li", "auditor")
    assert (await auditor.post(form, data={"days": "3"})).status_code == 403
