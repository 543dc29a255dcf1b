"""Appeals (申诉): a subject disputes one of its entries, the office answers, a reviewer decides (复核).

A case is lodged, perhaps answered, and then decided: upheld (成立), partly (部分成立) or rejected (不成立); until
then the appellant may withdraw it. A subject has at most one open case on an entry, lodged within the entry's
window (:mod:`ledger.windows`). The office may lodge on a subject's behalf, which is shown.

Every step is an act of kind ``appeal`` in the chain. It holds codes, numbers and hashes; what people write, and the
files that they hand in, lie beside the chain. The case's number is that of the act that lodged it. The table
``appeal`` is folded from the acts by :func:`fold`, and is updated by the same step that is noted.

Nobody judges their own cause: who lodged a case does not answer it, and neither does the appellant. Who may
decide is said in :mod:`ledger.reviewing`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.planner import Change
from ledger import clock
from ledger.attachment import Attachment, check_count
from ledger.current import Connection, get_current
from ledger.desk import Desk, open_desk
from ledger.reading import Unknown
from ledger.windows import find_window, today

OPEN = frozenset({"lodged", "answered"})


class Barred(Refused):
    """This person may not take this step of this case."""


class OutOfTurn(Refused):
    """The case, or the window of its entry, does not allow this step any more."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes a step: the name that they sign in by, the subject that they are, and what their roles allow."""

    name: str
    subject: str = ""
    office: bool = False
    reviewer: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """How a case stands. ``answer``, ``decision`` and ``withdrawal`` are the numbers of those acts."""

    number: int
    entry: int
    subject: str
    period: str
    state: str
    on_behalf: bool = False
    answer: int | None = None
    decision: int | None = None
    withdrawal: int | None = None


COLUMNS = Case.__struct_fields__


def follow(case: Case | None, number: int, content: Mapping[str, Any]) -> Case:
    """The case after a step: the act of that number, with that content."""
    if case is None:
        return Case(
            number=number,
            entry=content["entry"],
            subject=content["subject"],
            period=content["period"],
            state="lodged",
            on_behalf=content.get("on_behalf", False),
        )
    match content["step"]:
        case "answer":
            return msgspec.structs.replace(case, state="answered", answer=number)
        case "decision":
            return msgspec.structs.replace(case, state=content["decision"], decision=number)
        case _:
            return msgspec.structs.replace(case, state="withdrawn", withdrawal=number)


def fold(acts: Iterable[Mapping[str, Any]]) -> dict[int, Case]:
    """Every case as it stands after these acts (rows of kind ``appeal``, in order): what the table must hold."""
    cases: dict[int, Case] = {}
    for act in acts:
        content = msgspec.json.decode(act["content"])
        number = content.get("appeal", act["number"])
        cases[number] = follow(cases.get(number), act["number"], content)
    return cases


async def lodge(entry: int, grounds: str, attachments: Sequence[Attachment], by: Party) -> Case:
    """Lodge an appeal on an entry. Refused outside its window, and while another is open on it.

    Raises:
        Unknown: there is no such entry.
        Barred: the entry is another subject's, and the person is not of the office.
    """
    check_count(len(attachments))
    async with open_desk(get_current()) as desk:
        row = await find_entry(desk.connection, entry)
        on_behalf = by.subject != row["subject"]
        if on_behalf and not by.office:
            raise Barred(Finding(path="/entry", message=message("appeal.not_yours")))
        window = await find_window(desk.connection, row)
        if not window.contains(today()):
            raise OutOfTurn(Finding(path="/entry", message=message("appeal.over", until=window.until)))
        other = await desk.connection.fetchval(
            "SELECT number FROM appeal WHERE entry = $1 AND subject = $2 AND state = ANY($3)",
            entry,
            row["subject"],
            sorted(OPEN),
        )
        if other is not None:
            raise OutOfTurn(Finding(path="/entry", message=message("appeal.open_already", number=other)))
        content = {
            "step": "lodging",
            "entry": entry,
            "subject": row["subject"],
            "period": window.period,
            "attachments": [each.hash for each in attachments],
            **({"on_behalf": True} if on_behalf else {}),
        }
        for each in attachments:
            desk.journal.attach(each)
        return await take_step(desk, None, content, grounds, by)


async def answer(number: int, text: str, by: Party) -> Case:
    """Answer a case, for the office. The same answer by the same person again is harmless."""
    async with open_desk(get_current()) as desk:
        case = await find_case(desk.connection, number)
        if case.state == "answered" and await _said(desk.connection, case.answer) == (by.name, text):
            return case
        why = why_not_answer(case.subject, await actor_of(desk.connection, number), by)
        if why is not None:
            raise Barred(Finding(message=why))
        _check_state(case, "lodged")
        return await take_step(desk, case, {"step": "answer", "appeal": number}, text, by)


async def withdraw(number: int, by: Party) -> Case:
    """Withdraw a case, for its appellant or for who lodged it; harmless where that was done already."""
    async with open_desk(get_current()) as desk:
        case = await find_case(desk.connection, number)
        if not may_withdraw(case.subject, await actor_of(desk.connection, number), by):
            raise Barred(Finding(message=message("appeal.appellant_withdraws")))
        if case.state == "withdrawn":
            return case
        _check_state(case, *OPEN)
        return await take_step(desk, case, {"step": "withdrawal", "appeal": number}, "", by)


def why_not_answer(appellant: str, lodger: str | None, by: Party) -> Message | None:
    """Why the person may not answer a case of that appellant; None where they may."""
    if not by.office:
        return message("appeal.office_answers")
    if by.name == lodger:
        return message("appeal.own.lodger")
    return message("appeal.own.appellant") if by.subject == appellant else None


def may_withdraw(appellant: str, lodger: str | None, by: Party) -> bool:
    """Whether the person may withdraw a case of that appellant."""
    return by.subject == appellant or by.name == lodger


async def take_step(desk: Desk, case: Case | None, content: Mapping[str, Any], text: str, by: Party) -> Case:
    """Note a step in the chain and in the table."""
    receipt = await desk.act("appeal", content, text, by.name, clock.now(), Change())
    after = follow(case, receipt.number, content)
    await desk.write()
    await desk.connection.execute(
        f"INSERT INTO appeal ({', '.join(COLUMNS)})"  # noqa: S608  (our own words only)
        f" VALUES ({', '.join(f'${place}' for place in range(1, len(COLUMNS) + 1))})"
        " ON CONFLICT (number) DO UPDATE SET state = EXCLUDED.state, answer = EXCLUDED.answer,"
        " decision = EXCLUDED.decision, withdrawal = EXCLUDED.withdrawal",
        *msgspec.structs.astuple(after),
    )
    return after


async def find_entry(connection: Connection, number: int) -> Mapping[str, Any]:
    """An entry's row. Unknown where there is none."""
    row = await connection.fetchrow("SELECT * FROM entry WHERE number = $1", number)
    if row is None:
        raise Unknown(Finding(path="/entry", message=message("ledger.no_entry", number=number)))
    return dict(row)


async def find_case(connection: Connection, number: int) -> Case:
    """The case of that number. Unknown where there is none."""
    row = await connection.fetchrow("SELECT * FROM appeal WHERE number = $1", number)
    if row is None:
        raise Unknown(Finding(message=message("appeal.unknown", number=number)))
    return msgspec.convert(dict(row), Case)


async def actor_of(connection: Connection, act: int | None) -> str | None:
    """Who carried out the act of that number."""
    found: str | None = await connection.fetchval("SELECT actor FROM act WHERE number = $1", act)
    return found


def state_said(state: str) -> Message:
    """A case's state in words."""
    return message(f"appeal.state.{state}")


def _check_state(case: Case, *states: str) -> None:
    if case.state not in states:
        raise OutOfTurn(Finding(message=message("appeal.not_open", number=case.number, state=state_said(case.state))))


async def _said(connection: Connection, act: int | None) -> tuple[str, str] | None:
    """Who carried out an act, and what they wrote."""
    row = await connection.fetchrow(
        "SELECT a.actor, r.text FROM act a JOIN remark r ON r.hash = a.remark WHERE a.number = $1", act
    )
    return None if row is None else (row["actor"], row["text"])
