"""Appeals over the interface: the contract of each call, each refusal in both languages, who may what."""

import base64
from typing import Any

import pytest

from admin.tables import Role, User
from ledger import settling
from ledger.attachment import LARGEST
from tests.api.conftest import Client, event, with_key
from tests.api.test_keys import Visitor, sign_in

pytestmark = pytest.mark.anyio
__all__ = ["sign_in"]

PDF = b"%PDF-1.7\n"


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as always, only not six hundred thousand times."""
    monkeypatch.setattr(User, "_pbkdf2_iteration_count", 1_000)


@pytest.fixture
async def entry(client: Client) -> int:
    """The direct entry of an event on U1; the joint one on D1 is the next."""
    answer = await client.post("/api/events", json=event())
    assert answer.status_code == 201, answer.text
    return int(answer.json()["entries"][0]["id"])


def lodging(entry: int, **given: Any) -> dict[str, Any]:
    files = [{"name": "说明.pdf", "content": base64.b64encode(PDF).decode()}]
    return {"entry": entry, "reason": "责任不在我局", "attachments": files, **given}


def retraction(**given: Any) -> dict[str, Any]:
    acts = [{"retract": {"source": "office", "id": "E1"}}]
    return {"decision": "upheld", "reason": "查实", "acts": acts, **given}


async def told(who: Visitor | Client, method: str, path: str, status: int, **given: Any) -> Any:
    ask = who.ask if isinstance(who, Visitor) else who.request
    answer = await ask(method, path, **given)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_case_from_lodging_to_decision(sign_in: Any, client: Client, entry: int) -> None:
    subject, office = await sign_in(Role.subject, subject="U1"), await sign_in(Role.office)
    reviewer = await sign_in(Role.approver)
    made = await told(subject, "POST", "/api/appeals", 201, json=lodging(entry))
    case = f"/api/appeals/{made['number']}"
    assert (made["state"], made["entry"], made["subject"], made["period"]) == ("lodged", entry, "U1", "2026-03")
    assert (made["grounds"]["text"], made["grounds"]["by"], made["on_behalf"]) == ("责任不在我局", "subject", False)
    assert (made["open"], made["until"], made["days_left"]) == (True, None, None)
    (file,) = made["attachments"]
    assert (file["name"], file["media_type"], file["size"]) == ("说明.pdf", "application/pdf", len(PDF))

    answered = await told(office, "POST", f"{case}/answer", 200, json={"text": "经核实属实"})
    assert (answered["state"], answered["answer"]["text"]) == ("answered", "经核实属实")
    assert await told(office, "POST", f"{case}/answer", 200, json={"text": "经核实属实"}) == answered

    foreseen = await told(reviewer, "POST", f"{case}/decision", 200, json=retraction(preview=True))
    assert (foreseen["preview"], foreseen["changes"], foreseen["appeal"]["state"]) == (True, 2, "answered")
    assert {each["subject"] for each in foreseen["moved"]} == {"U1", "D1"}
    decided = await told(reviewer, "POST", f"{case}/decision", 200, json=retraction())
    assert (decided["preview"], decided["changes"], decided["moved"]) == (False, 2, None)
    assert [each["posted"] for each in decided["entries"]] == ["0.50", "0.15"]
    assert decided["appeal"]["state"] == "upheld"
    assert decided["appeal"]["acts"][0]["kind"] == "retraction"
    again = await told(reviewer, "POST", f"{case}/decision", 200, json=retraction())
    assert (again["changes"], again["appeal"]) == (0, decided["appeal"])

    reversal = decided["entries"][0]["id"]
    explained = await told(subject, "GET", f"/api/entries/{reversal}", 200)
    assert (explained["appeal"], explained["appeals"]) == (made["number"], [])
    explained = await told(subject, "GET", f"/api/entries/{entry}", 200)
    assert (explained["appeal"], [each["number"] for each in explained["appeals"]]) == (None, [made["number"]])
    assert (await client.get("/api/events/office/E1")).json()["event"]["state"] == "retracted"


async def test_an_attachment_is_saved_never_shown(sign_in: Any, entry: int) -> None:
    subject, other = await sign_in(Role.subject, subject="U1"), await sign_in(Role.assessor)
    made = await told(subject, "POST", "/api/appeals", 201, json=lodging(entry))
    path = f"/api/appeals/{made['number']}/attachments/{made['attachments'][0]['hash']}"
    answer = await subject.ask("GET", path)
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E8%AF%B4%E6%98%8E.pdf"
    assert (answer.headers["x-content-type-options"], answer.headers["content-type"]) == ("nosniff", "application/pdf")
    assert (await subject.ask("GET", path[:-1] + "x")).status_code == 404
    assert (await other.ask("GET", path)).status_code == 404


async def test_files_of_the_largest_size_are_taken(sign_in: Any, entry: int) -> None:
    subject = await sign_in(Role.subject, subject="U1")
    content = base64.b64encode(PDF.ljust(LARGEST, b"0")).decode()
    files = [{"name": f"{number}.pdf", "content": content} for number in range(2)]
    made = await told(subject, "POST", "/api/appeals", 201, json=lodging(entry, attachments=files))
    assert [each["size"] for each in made["attachments"]] == [LARGEST, LARGEST]


async def test_a_case_is_withdrawn_and_lodged_again(sign_in: Any, entry: int) -> None:
    subject = await sign_in(Role.subject, subject="U1")
    made = await told(subject, "POST", "/api/appeals", 201, json=lodging(entry))
    assert (await told(subject, "POST", "/api/appeals", 409, json=lodging(entry)))["errors"][0]["pointer"] == "/entry"
    case = f"/api/appeals/{made['number']}"
    gone = await told(subject, "POST", f"{case}/withdrawal", 200)
    assert gone["state"] == "withdrawn"
    assert await told(subject, "POST", f"{case}/withdrawal", 200) == gone
    again = await told(subject, "POST", "/api/appeals", 201, json=lodging(entry, attachments=None))
    assert again["number"] > made["number"]


async def test_the_register_is_filtered_and_paged(sign_in: Any, client: Client, entry: int) -> None:
    unit, lead = await sign_in(Role.subject, subject="U1"), await sign_in(Role.subject, Role.integrator, subject="D1")
    office, assessor = await sign_in(Role.office), await sign_in(Role.assessor)
    first = (await told(unit, "POST", "/api/appeals", 201, json=lodging(entry)))["number"]
    second = (await told(lead, "POST", "/api/appeals", 201, json=lodging(entry + 1)))["number"]

    async def numbers(who: Visitor | Client, query: str = "") -> list[int]:
        return [each["number"] for each in (await told(who, "GET", f"/api/appeals?{query}", 200))["items"]]

    assert await numbers(office) == await numbers(client) == [second, first]
    assert (await numbers(unit), await numbers(lead)) == ([first], [second])
    await told(assessor, "GET", "/api/appeals", 403)
    assert await numbers(unit, "subject=D1") == []
    assert await numbers(office, "subject=D1&period=2026-03&state=open") == [second]
    assert await numbers(office, f"entry={entry}") == [first]
    assert await numbers(office, "state=upheld") == await numbers(office, "period=2026-02") == []
    page = await told(office, "GET", "/api/appeals?limit=1", 200)
    assert [each["number"] for each in page["items"]] == [second]
    assert await numbers(office, f"limit=1&cursor={page['next_cursor']}") == [first]
    assert (await told(office, "GET", "/api/appeals?state=lost", 422))["errors"][0]["pointer"] == "/state"
    for who, number, status in ((unit, second, 404), (unit, first, 200), (assessor, first, 404), (client, first, 200)):
        await told(who, "GET", f"/api/appeals/{number}", status)
    bound = await with_key(client, "entries:read", source="elsewhere")
    assert (await client.get("/api/appeals", headers=bound)).json()["items"] == []
    assert (await client.get(f"/api/appeals/{first}", headers=bound)).status_code == 404


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("appeals", {"entry": 1, "reason": "?"}),
        ("appeals/1/answer", {"text": "?"}),
        ("appeals/1/decision", {"decision": "rejected", "reason": "?"}),
        ("appeals/1/withdrawal", {}),
        ("acts/1/removal", {"reason": "?", "what": "remark"}),
    ],
)
async def test_a_key_takes_no_step(client: Client, path: str, given: dict[str, Any]) -> None:
    refused = await told(client, "POST", f"/api/{path}", 403, json=given)
    assert "密钥只能查看" in refused["detail"]


async def test_who_takes_which_step(sign_in: Any, entry: int) -> None:
    subject, office = await sign_in(Role.subject, subject="U1"), await sign_in(Role.office)
    reviewer = await sign_in(Role.approver)
    stranger, both = await sign_in(Role.auditor), await sign_in(Role.office, Role.approver)
    case = f"/api/appeals/{(await told(both, 'POST', '/api/appeals', 201, json=lodging(entry)))['number']}"
    assert (await told(reviewer, "GET", case, 200))["on_behalf"] is True
    answer: Any = {"text": "答复"}
    for who in (subject, stranger, reviewer, both):
        await told(who, "POST", f"{case}/answer", 403, json=answer)
    for who in (subject, stranger, office, both):
        await told(who, "POST", f"{case}/decision", 403, json=retraction())
    for who in (stranger, reviewer, office):
        await told(who, "POST", f"{case}/withdrawal", 403)
    await told(office, "POST", f"{case}/answer", 200, json=answer)
    assert (await subject.ask("POST", f"{case}/withdrawal", form=False)).status_code == 403
    await told(reviewer, "POST", f"{case}/decision", 200, json=retraction())
    for who in (stranger, reviewer):
        await told(who, "POST", "/api/appeals", 403, json=lodging(entry + 1))
    await told(subject, "POST", "/api/appeals", 404, json=lodging(entry + 1))
    for who in (subject, stranger, reviewer):
        await told(
            who, "POST", f"/api/acts/{case.rsplit('/', 1)[1]}/removal", 403, json={"reason": "?", "what": "remark"}
        )


REFUSALS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"entry": 0}, "/entry", "台账号", "number of an entry"),
    ({"entry": "x"}, "/entry", "台账号", "number of an entry"),
    ({"reason": "  "}, "/reason", "理由", "reason"),
    ({"reason": "x" * 2001}, "/reason", "2000", "2000"),
    ({"attachments": "x"}, "/attachments", "列表", "list"),
    ({"attachments": [{"name": "a"}]}, "/attachments", "列表", "list"),
    ({"attachments": [{"name": "a", "content": "*"}]}, "/attachments/0/content", "base64", "base64"),
    ({"attachments": [{"name": "a", "content": ""}]}, "/attachments/0/content", "空", "empty"),
    ({"attachments": [{"name": "", "content": "JVBERi0="}]}, "/attachments/0/name", "1", "1"),
    ({"attachments": [{"name": "a.pdf", "content": "TVqQAAMAAAA="}]}, "/attachments/0/content", "PDF", "PDF"),
    ({"attachments": [{"name": "a", "content": "JVBERi0="}] * 6}, "/attachments", "5", "5"),
    ({"more": 1}, "/more", "more", "more"),
]


@pytest.mark.parametrize(("given", "pointer", "chinese", "english"), REFUSALS)
async def test_a_lodging_that_does_not_fit(
    sign_in: Any, entry: int, given: dict[str, Any], pointer: str, chinese: str, english: str
) -> None:
    subject = await sign_in(Role.subject, subject="U1")
    for language, words in (("zh-CN", chinese), ("en", english)):
        subject.client.headers["accept-language"] = language
        problem = await told(subject, "POST", "/api/appeals", 422, json={**lodging(entry), **given})
        assert problem["errors"][0]["pointer"] == pointer
        assert words in problem["detail"]


@pytest.mark.parametrize(
    ("given", "pointer", "chinese", "english"),
    [
        ({"decision": "maybe"}, "/decision", "不成立", "rejected"),
        ({"acts": []}, "/acts", "分数不能直接改写", "by hand"),
        ({"decision": "rejected"}, "/acts", "不应撤回", "nothing"),
        ({"acts": [{"retract": {"source": "office", "id": "E9"}}]}, "/acts/0", "没有事件", "no event"),
        ({"acts": [{"amend": {"posted": 1}}]}, "/acts/0", "retract", "retract"),
        ({"preview": "yes"}, "/preview", "true", "true"),
        ({"reason": ""}, "/reason", "1", "1"),
    ],
)
async def test_a_decision_that_does_not_fit(
    sign_in: Any, entry: int, given: dict[str, Any], pointer: str, chinese: str, english: str
) -> None:
    subject, reviewer = await sign_in(Role.subject, subject="U1"), await sign_in(Role.approver)
    case = f"/api/appeals/{(await told(subject, 'POST', '/api/appeals', 201, json=lodging(entry)))['number']}"
    for language, words in (("zh-CN", chinese), ("en", english)):
        reviewer.client.headers["accept-language"] = language
        problem = await told(reviewer, "POST", f"{case}/decision", 422, json=retraction(**given))
        assert problem["errors"][0]["pointer"] == pointer
        assert words in problem["detail"]
    assert (await told(subject, "GET", case, 200))["state"] == "lodged"


async def test_states_that_allow_no_step_are_a_conflict(sign_in: Any, client: Client, entry: int) -> None:
    subject, reviewer = await sign_in(Role.subject, subject="U1"), await sign_in(Role.approver)
    office = await sign_in(Role.office)
    case = f"/api/appeals/{(await told(subject, 'POST', '/api/appeals', 201, json=lodging(entry)))['number']}"
    await told(reviewer, "POST", f"{case}/decision", 200, json=retraction(decision="rejected", acts=None))
    for who, step, given in (
        (office, "answer", {"text": "答复"}),
        (reviewer, "decision", retraction()),
        (subject, "withdrawal", {}),
    ):
        problem = await told(who, "POST", f"{case}/{step}", 409, json=given)
        assert "不成立" in problem["detail"]
        client.headers["accept-language"] = "en"
        assert "rejected" in (await told(who, "POST", f"{case}/{step}", 409, json=given))["detail"]
        del client.headers["accept-language"]
    for number in (entry, 2**63, 10**30):
        await told(subject, "GET", f"/api/appeals/{number}", 404)


async def test_the_days_to_appeal_are_a_setting_of_a_period(sign_in: Any, client: Client, entry: int) -> None:
    subject = await sign_in(Role.subject, subject="U1")
    march = {"code": "2026-03", "kind": "month", "from": "2026-03-01", "to": "2026-04-01"}

    async def put(status: int = 200, **given: Any) -> Any:
        return await told(client, "PUT", "/api/periods", status, json={"items": [{**march, **given}]})

    async def days() -> Any:
        items = (await client.get("/api/periods")).json()["items"]
        return next(each["appeal_days"] for each in items if each["code"] == "2026-03")

    assert await days() == 5
    await put(appeal_days=0)
    await put(title="三月")
    assert await days() == 0
    await settling.settle("2026-03", actor="test")
    assert (await told(subject, "POST", "/api/appeals", 201, json=lodging(entry)))["days_left"] == 0
    await put(appeal_days=None)
    assert await days() is None
    problem = await told(subject, "POST", "/api/appeals", 422, json=lodging(entry))
    assert "不受理申诉" in problem["detail"]
    for wrong in (-1, 367, "five", 1.5):
        assert (await put(422, appeal_days=wrong))["errors"][0]["pointer"] == "/items/0/appeal_days"
    listed = (await client.get("/api/periods")).json()
    await told(client, "PUT", "/api/periods", 200, json={"items": listed["items"]})


async def test_texts_are_removed_by_the_office(sign_in: Any, client: Client, entry: int) -> None:
    subject, office = await sign_in(Role.subject, subject="U1"), await sign_in(Role.office)
    made = await told(subject, "POST", "/api/appeals", 201, json=lodging(entry))
    path, hashed = f"/api/acts/{made['number']}/removal", made["attachments"][0]["hash"]
    seal = (await client.get("/api/ledger/seal")).json()
    gone = await told(office, "POST", path, 200, json={"reason": "个人隐私", "what": "remark"})
    assert (gone["of"], gone["act"], gone["what"]) == (made["number"], seal["length"] + 1, "remark")
    away = await told(office, "POST", path, 200, json={"reason": "个人隐私", "what": hashed})
    assert await told(office, "POST", path, 200, json={"reason": "再次", "what": hashed}) == away
    case = await told(subject, "GET", f"/api/appeals/{made['number']}", 200)
    assert (case["grounds"]["text"], case["grounds"]["removed"]) == ("", gone["act"])
    assert (case["attachments"][0]["name"], case["attachments"][0]["removed"]) == (None, away["act"])
    problem = await told(subject, "GET", f"/api/appeals/{made['number']}/attachments/{hashed}", 404)
    assert problem["detail"] == f"已依规清除（第 {away['act']} 号）"
    for what, status in (("everything", 422), ("0" * 64, 404), (5, 422)):
        await told(office, "POST", path, status, json={"reason": "?", "what": what})
    await told(office, "POST", "/api/acts/99999/removal", 404, json={"reason": "?", "what": "remark"})
