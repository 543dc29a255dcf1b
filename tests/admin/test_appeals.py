"""Appeals on pages: who sees and does what, forms that keep what was written, decisions that were previewed."""

import re
from typing import Any

import httpx
import pytest

from admin.guard import FORM_COOKIE
from engine.report import parse_report
from ledger import settling
from ledger.appeals import Party, lodge
from ledger.attachment import LARGEST
from ledger.cases import read_appeal
from ledger.decisions import ActFilter, list_acts
from ledger.listing import EntryFilter, list_entries
from ledger.reading import read_event
from tests.admin.conftest import SignIn
from tests.county import found, report
from tests.ledger.test_appeals import surveys

pytestmark = pytest.mark.anyio

FILE = {"attachments": ("../说明.pdf", b"%PDF-1.7\n")}


async def one_notice(**given: Any) -> int:
    """The county with a notice on U1; the number of the lead department's joint entry."""
    recorder = await found()
    await recorder.record(parse_report(report("E1", **given)))
    entries, _ = await list_entries(EntryFilter(subject="D1"))
    return entries[0].id


async def lodged(client: httpx.AsyncClient, entry: int, **given: Any) -> str:
    answer = await client.post(f"/audit/entries/{entry}/appeal", data={"reason": "不是牵头部门"}, files=FILE, **given)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def text(page: httpx.Response, status: int = 200) -> str:
    """The page without its tags."""
    assert page.status_code == status, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def hidden(page: httpx.Response, name: str) -> str:
    (value,) = re.findall(rf'name="{name}" value="([^"]*)"', page.text)
    return str(value)


async def test_who_sees_a_case_and_its_file(sign_in: SignIn) -> None:
    entry = await one_notice()
    owner = await sign_in("li", "subject", subject="D1")
    case = await lodged(owner, entry)
    said = text(await owner.get(case))
    assert "不是牵头部门" in said
    assert "说明.pdf" in said
    (link,) = re.findall(rf'href="({case}/attachments/[0-9a-f]+)"', (await owner.get(case)).text)
    for name, roles, subject, sees in (
        ("a", ("office",), "", True), ("b", ("approver",), "", True), ("c", ("auditor",), "", True),
        ("d", ("assessor",), "", False), ("e", ("subject",), "U1", False),
    ):  # fmt: skip
        client = await sign_in(name, *roles, subject=subject)
        for path in (case, link):
            assert (await client.get(path)).status_code == (200 if sees else 403), (name, path)
        register = await client.get("/appeals")
        assert register.status_code == (200 if sees or subject else 403)
        assert (case in register.text) == sees
        home = (await client.get("/")).text
        assert ('href="/appeals"' in home) == (sees or bool(subject))
    for path in ("/appeals/999", f"{case}/attachments/{'0' * 64}", "/audit/entries/999/appeal", f"/appeals/{10**30}"):
        assert (await owner.get(path)).status_code == 404, path


async def test_the_button_is_for_who_may_and_says_until_when(sign_in: SignIn) -> None:
    entry = await one_notice()
    owner, auditor = await sign_in("li", "subject", subject="D1"), await sign_in("b", "auditor")
    page, form = f"/audit/entries/{entry}", f"/audit/entries/{entry}/appeal"
    assert "未结算，不限期" in text(await owner.get(page))
    assert form not in (await auditor.get(page)).text
    assert "只有明细的考评对象本人" in text(await auditor.get(form))
    await settling.settle("2026-03", actor="test")
    assert re.search(r"申诉 截止 \d{4}-\d\d-\d\d", text(await owner.get(page)))
    assert "含当日" in text(await owner.get(form))
    await lodged(owner, entry)
    assert form not in (await owner.get(page)).text
    assert "尚未复核，不能重复提出" in text(await owner.get(form))
    assert (await owner.post(form, data={"reason": "再次"})).status_code == 422
    other = await sign_in("e", "subject", subject="U1")
    assert (await other.get(form)).status_code == 403


@pytest.mark.parametrize(
    ("reason", "files", "said"),
    [
        ("", None, "请写明理由"),
        ("x" * 2001, None, "2000"),
        ("写好的理由", {"attachments": ("a.pdf", b"MZ\x90\0")}, "不是 PDF、图片、办公文档或文本"),
        ("写好的理由", {"attachments": ("a.pdf", b"")}, "是空的"),
        ("写好的理由", [("attachments", (f"{n}.pdf", b"%PDF-1")) for n in range(6)], "最多 5 个"),
    ],
)
async def test_a_refused_lodging_keeps_the_words(sign_in: SignIn, reason: str, files: Any, said: str) -> None:
    entry = await one_notice()
    owner = await sign_in("li", "subject", subject="D1")
    page = await owner.post(f"/audit/entries/{entry}/appeal", data={"reason": reason}, files=files)
    assert said in text(page, 422)
    assert reason in page.text
    assert "没有符合条件的申诉" in text(await owner.get("/appeals"))


async def test_files_of_the_largest_size_are_taken(sign_in: SignIn) -> None:
    entry = await one_notice()
    owner = await sign_in("li", "subject", subject="D1")
    files = [("attachments", (f"{n}.pdf", b"%PDF-1.7\n".ljust(LARGEST, b"0"))) for n in range(2)]
    answer = await owner.post(f"/audit/entries/{entry}/appeal", data={"reason": "?"}, files=files)
    assert answer.status_code == 303, answer.text
    told = await read_appeal(int(answer.headers["location"].partition("?")[0].rsplit("/", 1)[1]))
    assert [each.size for each in told.attachments] == [LARGEST, LARGEST]


async def test_a_form_that_is_not_ours_lodges_nothing(sign_in: SignIn) -> None:
    entry = await one_notice()
    owner = await sign_in("li", "subject", subject="D1")
    token = owner.headers.pop("x-csrftoken")
    path = f"/audit/entries/{entry}/appeal"
    assert (await owner.post(path, data={"reason": "?"}, files=FILE)).status_code == 403
    sent = {"reason": "?", FORM_COOKIE: token}
    assert (await owner.post(path, data=sent, files=FILE)).status_code == 303


async def test_the_register_is_filtered(sign_in: SignIn) -> None:
    entry = await one_notice()
    await lodge(entry, "?", [], Party(name="wang", subject="D1"))
    office = await sign_in("zhao", "office")
    for query, there in (
        ("", True), ("state=open", True), ("state=upheld", False), ("subject=D1&period=2026-03", True),
        ("subject=U1", False), ("period=2026-02", False), ("state=nonsense", True),
    ):  # fmt: skip
        assert ("征管科" in text(await office.get(f"/appeals?{query}"))) == there, query
    owner = await sign_in("li", "subject", subject="U1")
    assert "征管科" not in text(await owner.get("/appeals?subject=D1"))


async def test_the_office_answers_and_may_not_decide_then(sign_in: SignIn) -> None:
    case = await lodged(await sign_in("li", "subject", subject="D1"), await one_notice())
    both = await sign_in("qian", "office", "approver")
    assert "请写明理由" in text(await both.post(f"{case}/answer", data={"text": " "}), 422)
    assert (await both.post(f"{case}/answer", data={"text": "属实"})).status_code == 303
    assert "这件申诉是您答复的" in text(await both.get(case))
    assert "这件申诉是您答复的" in text(await both.get(f"{case}/decision"))
    sent = {"decision": "rejected", "reason": "无误", "step": "preview"}
    assert "这件申诉是您答复的" in text(await both.post(f"{case}/decision", data=sent), 422)
    auditor = await sign_in("b", "auditor")
    assert (await auditor.post(f"{case}/answer", data={"text": "?"})).status_code == 403
    assert (await auditor.get(f"{case}/decision")).status_code == 403


async def test_only_what_was_previewed_is_confirmed(sign_in: SignIn) -> None:
    owner = await sign_in("li", "subject", subject="D1")
    case = await lodged(owner, await one_notice())
    reviewer = await sign_in("sun", "approver")
    sent = {"decision": "upheld", "reason": "查实", "way": "retract", "source": "s", "id": "E1"}
    assert "请选择复核决定" in text(await reviewer.post(f"{case}/decision", data={**sent, "decision": ""}), 422)
    # without a preview, confirming only previews
    page = await reviewer.post(f"{case}/decision", data={**sent, "step": "confirm"})
    assert "预览：尚未生效" in text(page)
    token = hidden(page, "previewed")
    changed = {**sent, "way": "exclude", "exclude": "lead_dept D1", "step": "confirm", "previewed": token}
    assert "预览：尚未生效" in text(await reviewer.post(f"{case}/decision", data=changed))
    assert (await read_appeal(int(case.rsplit("/", 1)[1]))).state == "lodged"
    done = await reviewer.post(f"{case}/decision", data={**sent, "step": "confirm", "previewed": token})
    assert (done.status_code, done.headers["location"]) == (303, f"{case}?done=decided")
    assert "成立" in text(await owner.get(case))
    assert "这一步已不能再做" in text(await reviewer.get(f"{case}/decision"))
    withdrawing = await owner.post(f"{case}/withdrawal", data={})
    assert "这一步已不能再做" in text(withdrawing, 422)


async def test_a_correction_by_its_fields(sign_in: SignIn) -> None:
    case = await lodged(await sign_in("li", "subject", subject="D1"), await one_notice(matter="M1"))
    reviewer = await sign_in("sun", "approver")
    sent = {
        "decision": "partly", "reason": "应为省局", "way": "correct", "source": "s", "id": "E1", "subject": "U1",
        "time": "2026-03-05T10:00:00+08:00", "matter": "M1", "basis": "", "data.level": "moon",
    }  # fmt: skip
    wrong = await reviewer.post(f"{case}/decision", data={**sent, "step": "preview"})
    assert "data/level" in text(wrong, 422)
    page = await reviewer.post(f"{case}/decision", data={**sent, "data.level": "province", "step": "preview"})
    assert "−1.00" in text(page)
    confirmed = {**sent, "data.level": "province", "step": "confirm", "previewed": hidden(page, "previewed")}
    assert (await reviewer.post(f"{case}/decision", data=confirmed)).status_code == 303
    told = await read_appeal(int(case.rsplit("/", 1)[1]))
    (act,) = told.acts
    assert act.by is not None
    after = await read_event(act.by)  # type: ignore[arg-type]
    assert (after.matter, after.data, after.id) == ("M1", {"level": "province"}, f"E1-R{told.number}")


async def test_a_periods_entry_offers_the_events_that_were_measured(sign_in: SignIn) -> None:
    recorder = await found()
    for raw in (*surveys("99", "99"), report("E1")):
        await recorder.record(parse_report(raw))
    await settling.settle("2026-03", actor="test")
    entry = (await list_entries(EntryFilter(rule="K11")))[0][0]
    case = await lodge(entry.id, "数据报错", [], Party(name="wang", subject="D1"))
    reviewer = await sign_in("sun", "approver")
    page = await reviewer.get(f"/appeals/{case.number}/decision?event=s/S2")
    assert "s / S1 · 城关分局 · 2026-03-04" in text(page)
    assert "s / E1" not in text(page)
    sent = {
        "decision": "upheld", "reason": "查实", "way": "correct", "source": "s", "id": "S2", "subject": "U2",
        "time": "2026-03-04T10:00:00+08:00", "data.rate": "96",
    }  # fmt: skip
    path = f"/appeals/{case.number}/decision"
    token = hidden(await reviewer.post(path, data={**sent, "step": "preview"}), "previewed")
    done = await reviewer.post(path, data={**sent, "step": "confirm", "previewed": token})
    assert done.headers["location"] == f"/appeals/{case.number}?done=decided"
    assert [act.kind for act in (await read_appeal(case.number)).acts] == ["correction", "settlement"]


async def test_what_is_left_to_do_is_said(sign_in: SignIn) -> None:
    entry = await one_notice()
    await settling.settle("2026-03", actor="test")
    case = await lodged(await sign_in("li", "subject", subject="D1"), entry)
    reviewer = await sign_in("sun", "approver")
    sent = {"decision": "upheld", "reason": "查实", "way": "retract", "source": "s", "id": "E1"}
    page = await reviewer.post(f"{case}/decision", data={**sent, "step": "preview"})
    assert "请再次结算" in text(page)
    done = await reviewer.post(
        f"{case}/decision", data={**sent, "step": "confirm", "previewed": hidden(page, "previewed")}
    )
    assert "请再次结算" in text(await reviewer.get(done.headers["location"]))


async def test_texts_are_removed_on_the_page_of_the_case(sign_in: SignIn) -> None:
    owner = await sign_in("li", "subject", subject="D1")
    case = await lodged(owner, await one_notice())
    number, office = case.rsplit("/", 1)[1], await sign_in("zhao", "office")
    assert "依规清除" not in text(await owner.get(case))
    sent = {"act": number, "what": "remark", "reason": "个人隐私"}
    assert (await owner.post(f"{case}/removal", data=sent)).status_code == 403
    assert "请写明理由" in text(await office.post(f"{case}/removal", data={**sent, "reason": ""}), 422)
    assert (await office.post(f"{case}/removal", data={**sent, "act": "1"})).status_code == 404
    assert (await office.post(f"{case}/removal", data=sent)).status_code == 303
    (hashed,) = (each.hash for each in (await read_appeal(int(number))).attachments)
    assert (await office.post(f"{case}/removal", data={**sent, "what": hashed})).status_code == 303
    said = text(await owner.get(case))
    assert said.count("已依规清除（第") == 2
    assert "说明.pdf" not in said
    assert "不是牵头部门" not in said
    english = await sign_in("b", "auditor", language="en")
    assert "removed by rule (no." in text(await english.get(case))


async def test_every_step_is_an_act_that_says_it_in_words(sign_in: SignIn) -> None:
    owner = await sign_in("li", "subject", subject="D1")
    entry = await one_notice()
    case = await lodged(owner, entry)
    assert (await owner.post(f"{case}/withdrawal", data={})).status_code == 303
    case = await lodged(owner, entry)
    number, office, reviewer = case.rsplit("/", 1)[1], await sign_in("zhao", "office"), await sign_in("sun", "approver")
    assert (await office.post(f"{case}/answer", data={"text": "见附件"})).status_code == 303
    sent = {
        "decision": "partly", "reason": "应为省局", "way": "correct", "source": "s", "id": "E1", "subject": "U1",
        "time": "2026-03-05T10:00:00+08:00", "matter": "", "basis": "", "data.level": "province",
    }  # fmt: skip
    page = await reviewer.post(f"{case}/decision", data={**sent, "step": "preview"})
    confirmed = {**sent, "step": "confirm", "previewed": hidden(page, "previewed")}
    assert (await reviewer.post(f"{case}/decision", data=confirmed)).status_code == 303
    removing = {"act": number, "what": "remark", "reason": "个人隐私"}
    assert (await office.post(f"{case}/removal", data=removing)).status_code == 303
    acts, _ = await list_acts(ActFilter())
    for language, words in (
        (
            "zh-CN",
            ("步骤 提出", "绩效办答复", "撤回申诉", "复核决定：部分成立", "更正事件 s / E1 → s / E1-R", "所写的文字"),
        ),
        ("en", ("Step lodged", "answered by", "Step withdrawn", "decided: partly", "s / E1 → s / E1-R", "was written")),
    ):
        auditor = await sign_in(f"auditor-{language}", "auditor", language=language)
        listed = (await auditor.get("/audit/acts")).text
        pages = [(await auditor.get(f"/audit/acts/{act.number}")) for act in acts]
        whole = " ".join(text(page) for page in pages)
        assert all(word in whole for word in words), [word for word in words if word not in whole]
        assert listed.count(f'href="{case}"') == 3
        assert sum(f'href="{case}"' in page.text for page in pages) == 4  # the correction names it too
        assert "{&#39;" not in "".join(page.text for page in pages)


async def test_excluding_one_of_several_leaves_the_others(sign_in: SignIn) -> None:
    entry = await one_notice(parties={"lead_dept": ["D1", "U2"], "principal": []})
    case = await lodge(entry, "?", [], Party(name="wang", subject="D1"))
    reviewer = await sign_in("sun", "approver")
    sent = {
        "decision": "partly", "reason": "排除", "way": "exclude", "exclude": "lead_dept D1", "source": "s", "id": "E1",
    }  # fmt: skip
    path = f"/appeals/{case.number}/decision"
    page = await reviewer.post(path, data={**sent, "step": "preview"})
    await reviewer.post(path, data={**sent, "step": "confirm", "previewed": hidden(page, "previewed")})
    (act,) = (await read_appeal(case.number)).acts
    assert act.by is not None
    after = await read_event(act.by)  # type: ignore[arg-type]
    assert dict(after.parties) == {"lead_dept": ["U2"], "principal": []}
