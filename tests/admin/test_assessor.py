"""An assessing department (考评部门): what stands on its own indicators is in its sight, and nothing else is."""

import csv
import html
import re
from typing import Any

import pytest

from engine.event import EventKey
from engine.report import parse_report
from ledger import acts, settling
from ledger.current import get_current
from ledger.explanation import explain_entry
from ledger.firing import explain_event
from ledger.listing import EntryFilter, list_entries, page_entries
from ledger.recording import Recorder
from ledger.sight import Sight
from rules.document import read_rulebook
from tests.admin.conftest import SignIn
from tests.small_office import RULEBOOK, event, fill

pytestmark = pytest.mark.anyio

PLAIN = {"rule": "R3", "title": "调查偏低", "on": "survey", "when": "rate < 97", "points": "-1"}


def rulebook(**given: Any) -> Any:
    """The small office's, with a rule on no indicator, and a new owner where one is given."""
    document = {**RULEBOOK, "rules": [*RULEBOOK["rules"], PLAIN], **given}
    return read_rulebook(document)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", answer.text)))


async def books(owner: str, subject: str | None = None) -> list[tuple[str, str, str | None]]:
    """Rule, subject and indicator of what a department sees."""
    items, _ = await list_entries(EntryFilter(sight=Sight(subject=subject, owner=owner)), limit=500)
    return sorted((each.rule, each.subject, each.indicator) for each in items)


async def filled() -> None:
    recorder = await fill()
    await acts.publish_rulebook(rulebook(effective="2026-02-01T00:00:00+08:00"), reason="t", actor="test")
    await recorder.record(parse_report(event(7, "survey", "B1", "2026-02-20", rate="96")))


async def test_a_department_sees_the_entries_on_its_indicators_and_with_its_subject_its_own(pool: object) -> None:
    await filled()
    await settling.settle("2026-01", actor="test")
    assert {indicator for _, _, indicator in await books("B2")} == {"I-DOC"}
    assert await books("B1") == []  # what it is charged itself is on no indicator: a matter of the subject's role
    own = await books("B1", "B1")
    assert {subject for _, subject, _ in own} == {"B1"}
    assert ("D1", "B1", None) in own
    both = await books("B2", "B2")
    assert {("R1", "B1", "I-DOC"), ("R1", "B2", "I-DOC")} <= set(both)
    assert all(subject == "B2" or indicator == "I-DOC" for _, subject, indicator in both)
    assert await books("") == []
    assert (await page_entries(EntryFilter(sight=Sight(owner="B2"), subject="B1"))).items != ()
    assert (await page_entries(EntryFilter(sight=Sight(subject="B2"), subject="B1"))).items == ()


async def test_whose_an_indicator_was_then_counts(pool: object) -> None:
    await filled()
    indicators = {**RULEBOOK["indicators"], "I-DOC": {**RULEBOOK["indicators"]["I-DOC"], "owner": "B1"}}
    changed = rulebook(effective="2026-02-25T00:00:00+08:00", indicators=indicators)
    await acts.publish_rulebook(changed, reason="t", actor="test")
    late = parse_report(event(9, "fault", "B2", "2026-02-26", count="1"))
    await Recorder(get_current()).record(late)
    before, _ = await list_entries(EntryFilter(sight=Sight(owner="B2")))
    after, _ = await list_entries(EntryFilter(sight=Sight(owner="B1")))
    assert {(each.event, each.indicator) for each in before} == {("E3", "I-DOC"), ("E6", "I-DOC")}
    assert {(each.event, each.indicator) for each in after} == {("E9", "I-DOC")}


async def test_what_an_explanation_leads_to_stays_out_of_sight(pool: object) -> None:
    await filled()
    await settling.settle("2026-01", actor="test")
    (charged,), _ = await list_entries(EntryFilter(rule="D1"))
    compared = (await explain_entry(charged.id, "en", Sight(owner="B1"))).compared
    assert compared is not None
    assert {each.subject for each in compared.members} == {"B1", "B2"}
    other = (await explain_entry(charged.id, "en", Sight(owner="B2"))).compared
    assert other is not None
    assert (other.members, other.hidden, other.charged) == ((), 2, ())
    (fault,), _ = await list_entries(EntryFilter(event="E3"))
    mine = await explain_entry(fault.id, "en", Sight(owner="B2"))
    assert [each.subject for each in mine.charges.items] == ["B1"]
    assert (await explain_entry(fault.id, "en", Sight(owner="B1"))).charges.hidden == 1
    firing = await explain_event(EventKey("manual", "E3"), "en", Sight(owner="B1"))
    assert all(not rule.entries for rule in firing.rules)


async def test_pages_show_a_department_its_own_indicators(sign_in: SignIn) -> None:
    await filled()
    await settling.settle("2026-01", actor="test")
    surveys = await sign_in("a", "assessor", subject="B1")
    papers = await sign_in("b", "assessor", subject="B2")
    nobody = await sign_in("c", "assessor")
    (fault,), _ = await list_entries(EntryFilter(event="E3"))
    assert (await papers.get(f"/audit/entries/{fault.id}")).status_code == 200
    assert (await surveys.get(f"/audit/entries/{fault.id}")).status_code == 403
    assert (await papers.get("/audit/events/manual/E3")).status_code == 200
    assert (await surveys.get("/audit/events/manual/E3")).status_code == 403
    assert (await surveys.get("/audit/events/manual/E1")).status_code == 200  # it measures its indicator
    assert (await papers.get("/audit/events/manual/E1")).status_code == 403
    table = (await papers.get("/entries.csv")).content.decode("utf-8-sig").splitlines()
    assert {row["指标"] for row in csv.DictReader(table)} == {"I-DOC"}
    page = text(await surveys.get("/periods/2026-01"))
    assert "满意率" in page
    assert "公文" not in page
    assert "无差异" in page
    assert "名次" not in page
    other = text(await papers.get("/periods/2026-01"))
    assert ("公文" in other, "满意率" in other) == (True, False)
    assert (await surveys.get("/periods/2026-01/subjects/B1")).status_code == 403
    assert (await surveys.get("/periods")).status_code == 200
    for path in ("/entries", "/entries.csv", f"/audit/entries/{fault.id}", "/periods", "/periods/2026-01"):
        answer = await nobody.get(path)
        assert (answer.status_code, "没有登记所属考评对象" in answer.text) == (403, True), path
    assert "没有登记所属考评对象" in text(await nobody.get("/"))
    assert "没有登记所属考评对象" not in text(await surveys.get("/"))
