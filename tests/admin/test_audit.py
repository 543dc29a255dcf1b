"""The pages that say why: entries, events, acts and versions, who sees what of them, and the lists behind figures."""

import csv
import html
import re
from decimal import Decimal

import pytest

from admin.entries import as_text
from admin.waterfall import Waterfall
from engine.event import EventKey
from engine.language import message, render
from engine.report import parse_report
from engine.rulebook import Difference
from ledger import acts, settling
from ledger.compared import ComparedView
from ledger.current import get_current
from ledger.decisions import ActFilter, list_acts
from ledger.explanation import explain_entry
from ledger.reading import read_figures, reading
from ledger.sight import Sight
from rules.document import read_rulebook
from rules.tree import load_yaml
from tests.admin.conftest import SignIn
from tests.admin.test_periods import text
from tests.small_office import RULEBOOK, event, fill

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_kind_of_period_entry_explains_itself(sign_in: SignIn, language: str) -> None:
    await fill()
    for code in ("2026-01", "2026-02"):
        await settling.settle(code, actor="test")
    client = await sign_in("zhang", "office", language=language)
    async with reading() as connection:
        rows = await connection.fetch("SELECT number, rule, posted FROM entry WHERE kind = 'period' ORDER BY number")
    assert {row["rule"] for row in rows} == {"D1", "P1"}
    for row in rows:
        page = text(await client.get(f"/audit/entries/{row['number']}"))
        if row["rule"] == "D1":
            assert ("无差异" if language == "zh-CN" else "undifferentiated") in page
            assert re.search(r"B1 城关分局|B2", page)
            assert ("极差" if language == "zh-CN" else "range") in page
        else:
            assert ("上一期" if language == "zh-CN" else "previous period") in page


def test_each_test_of_a_difference_has_words() -> None:
    for name in Difference.__struct_fields__:
        assert render(message(f"entry.step.{name}"), "zh-CN") != render(message(f"entry.step.{name}"), "en")


async def numbers(where: str) -> list[int]:
    async with reading() as connection:
        return [
            row["number"] for row in await connection.fetch(f"SELECT number FROM entry WHERE {where} ORDER BY number")
        ]


async def test_a_period_entry_names_what_was_compared(sign_in: SignIn) -> None:
    await fill()
    await settling.settle("2026-01", actor="zhang")
    (number,) = await numbers("rule = 'D1'")
    told = await explain_entry(number, "zh-CN")
    assert told.rule.sentence.startswith("每个考评期比较同一序列内的指标得分（满意率）")
    compared = told.compared
    assert compared is not None
    assert (compared.indicator, compared.title, compared.among, compared.within) == (
        "I-SAT",
        "满意率",
        "group",
        "branch",
    )
    assert {each.subject: str(each.value) for each in compared.members} == {"B1": "10.00", "B2": "10.00"}
    assert [(each.of, each.test, str(each.bound), each.found, each.holds) for each in compared.tests] == [
        ("undifferentiated", "range_below", "0.10", "0", True)
    ]
    assert (compared.verdict, compared.charge, str(compared.points)) == ("undifferentiated", "owner", "-0.40")
    assert told.act is not None
    assert compared.act == told.act.number
    client = await sign_in("zhang", "auditor")
    page = text(await client.get(f"/audit/entries/{number}"))
    assert "每次发生都适用" not in page
    for said in ("指标 I-SAT 满意率 的得分", "branch", "无差异 ：−0.40，计给考评部门"):
        assert said in page, page


async def test_an_owner_sees_what_it_is_charged_for_and_a_member_its_own_value(sign_in: SignIn) -> None:
    await fill()
    for code in ("2026-01", "2026-02"):
        await settling.settle(code, actor="zhang")
    (owner,) = await numbers("rule = 'D1'")
    assert len((await told(owner, "B1")).members) == 2
    (gained,) = await numbers("rule = 'P1' AND subject = 'B1'")
    progress = await told(gained, "B1")
    assert ([each.subject for each in progress.members], progress.hidden) == (["B1"], 1)
    assert len((await told(gained)).members) == 2


async def told(number: int, subject: str | None = None) -> ComparedView:
    found = (await explain_entry(number, "en", Sight(subject=subject))).compared
    assert found is not None
    return found


async def test_an_event_s_page_tells_its_correction_both_ways(sign_in: SignIn) -> None:
    recorder = await fill()
    key = EventKey("manual", "E3")
    await recorder.correct(key, parse_report(event(33, "fault", "B1", "2026-01-12", count="1")), "次数有误", "wang")
    client = await sign_in("zhang", "auditor")
    before, after = [text(await client.get(f"/audit/events/manual/{code}")) for code in ("E3", "E33")]
    assert "已更正" in before
    assert "更正为： manual / E33" in before
    assert "更正的是： manual / E3 " in after
    assert all("理由：次数有误" in page and "wang" in page for page in (before, after))
    assert "R2 一票否决" in after
    assert "不成立" in after
    assert "差错 fault" in after
    assert "count" in after
    for path in ("/audit/events/manual/E99", "/audit/events/nobody/E3", "/audit/entries/99999"):
        assert (await client.get(path)).status_code == 404
    (act,) = (await list_acts(ActFilter(kind="correction")))[0]
    page = await client.get(f"/audit/acts/{act.number}")
    assert "/audit/events/manual/E3" in page.text
    assert "/audit/events/manual/E33" in page.text
    assert "次数有误" in page.text


async def test_every_act_has_a_page_in_both_languages(sign_in: SignIn) -> None:
    recorder = await fill()
    await settling.settle("2026-01", reason="按期", actor="zhang")
    await settling.close("2026-01", reason="公示期满", actor="zhang")
    await settling.reopen("2026-01", reason="复核", actor="zhang")
    await recorder.retract(EventKey("manual", "E6"), "误报", "zhang")
    client = await sign_in("li", "approver")
    found, _ = await list_acts(ActFilter())
    assert {each.kind for each in found} == {
        "organisation", "periods", "publication", "settlement", "closing", "reopening", "retraction",
    }  # fmt: skip
    for language in ("zh-CN", "en"):
        client.headers["accept-language"] = language
        listed = await client.get("/audit/acts")
        for each in found:
            assert f'href="/audit/acts/{each.number}"' in listed.text
            page = text(await client.get(f"/audit/acts/{each.number}"))
            assert each.reason in page
            assert render(message(f"act.kind.{each.kind}"), language) in page
    client.headers["accept-language"] = "zh-CN"
    assert "B1" in text(await client.get(f"/audit/acts/{found[-1].number}"))
    assert text(await client.get("/audit/acts?kind=closing")).count("公示期满") == 1
    assert "没有符合条件" in text(await client.get("/audit/acts?actor=nobody"))
    assert "日期应如" in text(await client.get("/audit/acts?first=soon"))
    for path in ("/audit/acts/99999", f"/audit/acts/{2**70}"):
        assert (await client.get(path)).status_code == 404


async def test_a_version_says_every_rule_and_what_it_changed(sign_in: SignIn) -> None:
    await fill()
    changed = {**RULEBOOK, "effective": "2026-03-01T00:00:00+08:00",
               "rules": [{**RULEBOOK["rules"][0], "points": "-0.80"}, *RULEBOOK["rules"][1:]]}  # fmt: skip
    await acts.publish_rulebook(read_rulebook(changed), note="加重", actor="zhang", approved_by=["li"])
    client = await sign_in("wang", "subject", subject="B1")
    page = await client.get("/audit/versions/2")
    assert "分值 −0.80。" in text(page)
    assert re.search(r'id="approved".*li', page.text)
    assert all(f'id="{rule["rule"]}"' in page.text for rule in RULEBOOK["rules"])
    assert "与第 1 版的差异" in text(page)
    assert "-0.50" in text(page)
    assert "/audit/acts/" not in page.text
    assert "这是第一版" in text(await client.get("/audit/versions/1"))
    listed = text(await client.get("/audit/versions"))
    assert "加重" in listed
    document = await client.get("/audit/versions/2/rulebook.yaml")
    assert document.headers["content-type"].startswith("application/yaml")
    assert read_rulebook(load_yaml(document.content)[0].raw) == get_current().bureau.version(2).rulebook
    assert (await client.get("/audit/versions/9")).status_code == 404


async def test_who_sees_what(sign_in: SignIn) -> None:
    await fill()
    (entry,) = await numbers("subject = 'B1' AND event = 'E3'")
    own, other, reader = [
        await sign_in(name, *given, subject=subject)
        for name, given, subject in (
            ("a", ["subject"], "B1"), ("b", ["subject"], "B2"), ("c", ["assessor"], ""),
        )
    ]  # fmt: skip
    for path in (f"/audit/entries/{entry}", "/audit/events/manual/E3"):
        assert [(await client.get(path)).status_code for client in (own, other, reader)] == [200, 403, 403]
    for path in ("/audit/acts", "/audit/acts/1"):
        assert [(await client.get(path)).status_code for client in (own, other, reader)] == [403, 403, 403]
    assert (await own.get("/audit/events/manual/E6")).status_code == 403
    listed = (await own.get("/entries.csv?subject=B2")).content.decode("utf-8-sig").splitlines()[1:]
    assert len(listed) == len(await numbers("subject = 'B1'"))
    assert (await reader.get("/entries.csv")).status_code == 403


async def test_the_list_as_a_table_for_spreadsheets(sign_in: SignIn) -> None:
    recorder = await fill()
    await recorder.record(parse_report({**event(50, "fault", "B1", "2026-02-20", count="1"), "id": "=1+1"}))
    client = await sign_in("zhang", "auditor")
    answer = await client.get("/entries.csv?subject=B1")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(answer.content.decode("utf-8-sig").splitlines())
    assert len(rows) == len(await numbers("subject = 'B1'"))
    newest = dict(zip(head, rows[0], strict=True))
    assert (newest["事件"], newest["名称"], newest["入账分值"]) == ("'=1+1", "城关分局", "-0.50")
    for cell in ("=A1", "+1", "-1", "@x", "\tx"):
        assert as_text(cell) == f"'{cell}"
    assert (as_text("B1"), as_text("")) == ("B1", "")
    assert "没有这个考评期" in (await client.get("/entries.csv?period=none")).text
    assert "/audit/events/manual/%3D1%2B1" in (await client.get("/entries")).text


@pytest.mark.parametrize("query", ["period=none", "first=soon", "cause=x", "cause=-1", "snapshot=1", f"cause={2**70}",
                                   "period=2026-01&snapshot=3"])  # fmt: skip
async def test_what_cannot_be_found_is_said(sign_in: SignIn, query: str) -> None:
    await fill()
    client = await sign_in("zhang", "auditor")
    assert "没有这个考评期或快照" in text(await client.get(f"/entries?{query}"))


async def test_pages_of_the_list_lead_both_ways(sign_in: SignIn) -> None:
    recorder = await fill()
    reports = [parse_report(event(100 + n, "fault", "B1", "2026-02-20", count="1")) for n in range(120)]
    await recorder.record_all(reports)
    client = await sign_in("zhang", "auditor")
    seen: list[list[str]] = []
    address = "/entries?subject=B1"
    while True:
        page = await client.get(address)
        seen.append(re.findall(r'href="/audit/entries/(\d+)"', page.text))
        further = re.search(r'href="(/entries\?[^"]*before=\d+)"', page.text)
        if further is None:
            break
        address = html.unescape(further.group(1))
    assert [len(each) for each in seen] == [50, 50, len(await numbers("subject = 'B1'")) - 100]
    back = re.search(r'href="(/entries\?[^"]*after=\d+)"', page.text)
    assert back is not None
    assert re.findall(r'href="/audit/entries/(\d+)"', (await client.get(html.unescape(back.group(1)))).text) == seen[1]


async def test_every_bar_leads_to_exactly_the_entries_behind_it(sign_in: SignIn) -> None:
    recorder = await fill()
    await recorder.record(parse_report(event(60, "fault", "P1", "2026-01-15", count="3")))
    for code in ("2026-01", "2026-02"):
        await settling.settle(code, actor="zhang")
    await settling.close("2026-01", actor="zhang")
    await settling.reopen("2026-01", reason="补报", actor="zhang")
    await recorder.record(parse_report(event(61, "fault", "B1", "2026-01-16", count="1")))
    client = await sign_in("zhang", "auditor")
    led = set()
    for code, snapshot in (("2026-01", 1), ("2026-01", None), ("2026-02", None)):
        async with reading() as connection:
            period = get_current().bureau.calendar.find(code)
            found, _ = await read_figures(connection, get_current().bureau, period, snapshot)
        for standing in found.of.values():
            for bar in Waterfall(standing, code, {}, snapshot).bars():
                if bar.posted is None:
                    continue
                assert bar.link is not None
                table = (await client.get(bar.link.replace("/entries?", "/entries.csv?"))).content.decode("utf-8-sig")
                rows = list(csv.DictReader(table.splitlines()))
                assert sum((Decimal(row["入账分值"]) for row in rows), Decimal(0)) == bar.posted, (code, bar)
                if bar.said.key in ("waterfall.posted", "waterfall.indicator"):
                    assert bar.posted == bar.amount
                led.add((snapshot, bar.said.key, bool(rows)))
    assert {(1, "waterfall.part", True), (None, "waterfall.part", True), (1, "waterfall.total", True)} <= led
    assert {(1, "waterfall.indicator", True), (None, "waterfall.posted", True)} <= led
    page = await client.get("/periods/2026-01/subjects/B1?snapshot=1")
    assert "snapshot=1" in html.unescape(page.text)
    assert "http://office.test/periods/2026-01/subjects/B1?snapshot=1" in html.unescape(page.text)


async def test_the_rank_says_who_is_ahead(sign_in: SignIn) -> None:
    await fill()
    client = await sign_in("zhang", "auditor")
    page = text(await client.get("/periods/2026-02/subjects/B2"))
    assert "在序列 branch 有总分的 2 个中，1 个在前，0 个并列，故为第 2 名" in page
    assert re.search(r"城关分局 \d+", page)
    assert "2 × 50% → 第 1 名" in page
