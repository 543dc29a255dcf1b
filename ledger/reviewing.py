"""Reviewing (复核): a reviewer decides an appeal, in one act with everything that follows from it.

A decision that upholds, wholly or partly, acts through redress (:mod:`ledger.redress`) and through nothing else; one
that rejects carries none. The decision, the retractions and corrections that it names, and, for an entry of a period
that is open, its settling again, are one transaction: if one of them is refused, nothing at all has happened.
What follows for joint entries, limits and ranks is posted by the ordinary planner, as differences whose causes
are those acts; each of them names the appeal.

Nobody reviews their own decision. Barred are: who lodged the case; who answered it; whoever is the appellant,
another subject on the entry's path or the subject of its event; whoever decided an earlier appeal on the same
entry; and whoever carried out the act that posted the entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import msgspec

from engine.bureau import Bureau
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.report import pointer
from ledger import clock, settling
from ledger.appeals import (
    OPEN,
    Barred,
    Case,
    OutOfTurn,
    Party,
    actor_of,
    find_case,
    find_entry,
    state_said,
    take_step,
)
from ledger.current import Connection, get_current
from ledger.desk import Desk, open_desk
from ledger.known_figures import figures_now
from ledger.moving import Moved, figures_of, moves
from ledger.reading import EntryView, view_entry
from ledger.recording import Recorder
from ledger.redress import Redress, is_of_period, named_events
from ledger.settlements import latest_settlement

Verdict = Literal["upheld", "partly", "rejected"]
VERDICTS: tuple[Verdict, ...] = ("upheld", "partly", "rejected")
MOST_ENTRIES = 500
"""Entries that the outcome tells at most; all are counted."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision comes to. ``left`` is what the office still has to do; ``moved`` is told in a preview only."""

    case: Case
    entries: tuple[EntryView, ...] = ()
    changes: int = 0
    moved: tuple[Moved, ...] = ()
    left: Message | None = None


async def decide(
    number: int,
    verdict: Verdict,
    reason: str,
    redress: Sequence[Redress],
    by: Party,
    recorder: Recorder,
    *,
    preview: bool = False,
) -> Outcome:
    """Decide a case; with ``preview`` everything is computed and nothing is kept.

    The same decision by the same person again is harmless.

    Raises:
        Barred: the person is no reviewer, or would review their own decision.
        OutOfTurn: the case is decided or withdrawn, or an event of the redress does not stand any more.
        Refused: the decision and its redress do not fit, or the redress itself is refused.
    """
    async with open_desk(get_current(), keep=not preview) as desk:
        case = await find_case(desk.connection, number)
        content = {
            "step": "decision",
            "appeal": number,
            "decision": verdict,
            "acts": [each.plain() for each in redress],
        }
        if case.decision is not None and await _decided(desk, case.decision) == (by.name, content):
            return Outcome(case=case)
        if case.state not in OPEN:
            said = message("appeal.not_open", number=number, state=state_said(case.state))
            raise OutOfTurn(Finding(message=said))
        entry = await find_entry(desk.connection, case.entry)
        why = await why_barred(desk.connection, case, entry, by)
        if why is not None:
            raise Barred(Finding(message=why))
        _check_verdict(verdict, redress)
        begun, bureau = desk.head.length, desk.bureau
        await desk.connection.execute("SAVEPOINT undecided")
        after = await take_step(desk, case, content, reason, by)
        for place, each in enumerate(redress):
            await _carry_out(desk, after, entry, place, each, by, recorder)
        left = await _settle_again(desk, after, entry, by) if redress else None
        await desk.write()
        rows = await desk.connection.fetch("SELECT * FROM entry WHERE number > $1 ORDER BY number", begun)
        outcome = Outcome(
            case=after, entries=tuple(view_entry(row) for row in rows[:MOST_ENTRIES]), changes=len(rows), left=left
        )
        return await _with_ranks(desk, outcome, {row["booked"] for row in rows}, bureau) if preview else outcome


async def why_barred(connection: Connection, case: Case, entry: Mapping[str, Any], by: Party) -> Message | None:
    """Why the person may not decide the case; None where they may."""
    why = await _bar(connection, case, entry, by)
    return None if why is None else message(f"appeal.own.{why}")


async def _bar(connection: Connection, case: Case, entry: Mapping[str, Any], by: Party) -> str | None:
    if not by.reviewer:
        return "no_reviewer"
    if by.name == await actor_of(connection, case.number):
        return "lodger"
    if case.answer is not None and by.name == await actor_of(connection, case.answer):
        return "answerer"
    if by.subject and by.subject == case.subject:
        return "appellant"
    if by.subject and by.subject in await _concerned(connection, entry):
        return "path"
    earlier = await connection.fetchval(
        "SELECT 1 FROM appeal p JOIN act a ON a.number = p.decision"
        " WHERE p.entry = $1 AND p.number <> $2 AND a.actor = $3 LIMIT 1",
        case.entry,
        case.number,
        by.name,
    )
    if earlier is not None:
        return "earlier"
    if entry["cause_act"] != "event" and by.name == await actor_of(connection, entry["cause"]):
        return "cause"
    return None


async def _concerned(connection: Connection, entry: Mapping[str, Any]) -> set[str]:
    """Who stands on the entry's path, and whom its event is about."""
    about = await connection.fetchval(
        "SELECT subject FROM event WHERE source = $1 AND id = $2", entry["source"], entry["event"]
    )
    return {*view_entry(entry).path, about}


def _check_verdict(verdict: Verdict, redress: Sequence[Redress]) -> None:
    if verdict == "rejected" and redress:
        raise Refused(Finding(path="/acts", message=message("appeal.rejected_acts")))
    if verdict != "rejected" and not redress:
        raise Refused(Finding(path="/acts", message=message("appeal.no_acts")))


async def _carry_out(
    desk: Desk, case: Case, entry: Mapping[str, Any], place: int, redress: Redress, by: Party, recorder: Recorder
) -> None:
    key, where = redress.key, pointer("acts", place)
    known = await desk.find(key)
    if known is None:
        raise Refused(Finding(path=where, message=message("event.unknown_here", source=key.source, id=key.id)))
    if not await _may_concern(desk, entry, key):
        raise Refused(Finding(path=where, message=message("redress.not_named", source=key.source, id=key.id)))
    if not known["standing"]:
        raise OutOfTurn(Finding(path=where, message=message("event.not_standing", source=key.source, id=key.id)))
    at = clock.now()
    try:
        if redress.report is None:
            await desk.retract(key, "", by.name, at, case.number)
        else:
            report = msgspec.structs.replace(redress.report, recorded_at=known["recorded_at"])
            recorder.check(report, desk.bureau)
            await desk.correct(key, report, "", by.name, at, case.number)
    except Refused as refused:
        inside = where if redress.report is None else f"{where}/correct/event"
        raise type(refused)(
            *(
                msgspec.structs.replace(each, path=inside + each.path.removeprefix("/event"))
                for each in refused.findings
            )
        ) from refused


async def _may_concern(desk: Desk, entry: Mapping[str, Any], key: EventKey) -> bool:
    if entry["source"] is None:
        return await is_of_period(desk.connection, key, entry["period"])
    return key in await named_events(desk.connection, entry)


async def _settle_again(desk: Desk, case: Case, entry: Mapping[str, Any], by: Party) -> Message | None:
    """Settle the period of a period's entry again where that can be done; else what is left to do."""
    code = entry["period"] or case.period
    period = desk.bureau.calendar.find(code)
    await desk.write()
    if await latest_settlement(desk.connection, code) is None:
        return None
    if period.state != "open":
        return message("appeal.left.closed", period=code)
    if entry["period"] is None:
        return message("appeal.left.settle", period=code)
    await settling.settle(code, actor=by.name, appeal=case.number, desk=desk)
    return None


async def _with_ranks(desk: Desk, outcome: Outcome, days: Iterable[date], undecided: Bureau) -> Outcome:
    """The outcome with the ranks and totals that it moves; what was done at the desk is undone for that."""
    codes = sorted({period.code for day in days for period in desk.bureau.calendar.containing(day)})
    after = await figures_of(desk.connection, desk.bureau, codes)
    await desk.connection.execute("ROLLBACK TO SAVEPOINT undecided")
    periods = map(undecided.calendar.find, codes)
    before = {period.code: (await figures_now(desk.connection, undecided, period))[0] for period in periods}
    return msgspec.structs.replace(outcome, moved=moves(before, after))


async def _decided(desk: Desk, act: int) -> tuple[str, dict[str, Any]]:
    row = await desk.connection.fetchrow("SELECT actor, content FROM act WHERE number = $1", act)
    return row["actor"], msgspec.json.decode(row["content"])
