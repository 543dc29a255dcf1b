"""What becomes of a period (结算、关账、重开), carried out under the ledger's lock.

Settling lets tasks that are still not done grow and charges what the period costs or earns as a
whole; it may be repeated while the period is open, and replaces by difference what it charged
before. Closing freezes the figures in a numbered snapshot until the period is reopened, for a reason;
every snapshot stays.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Literal

import msgspec

from engine.account import Account, with_entries
from engine.bureau import Bureau
from engine.charge import Act, Entry
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.period import Calendar, Period
from engine.planner import Change
from engine.settlement import Settlement
from engine.settlement import settle as reckon
from engine.standing import Figures
from ledger import clock
from ledger.current import get_current
from ledger.desk import Desk, Receipt, decided_in, open_desk
from ledger.reading import read_account, read_figures
from ledger.snapshot import encode_figures, plain_json


async def settle(
    code: str, *, reason: str = "", actor: str, appeal: int | None = None, desk: Desk | None = None
) -> Receipt:
    """Settle an open period. Refused where it is closed. ``appeal`` is the case whose decision it carries out."""
    if desk is None:
        async with open_desk(get_current()) as own:
            return await settle(code, reason=reason, actor=actor, appeal=appeal, desk=own)
    period = desk.bureau.calendar.find(code)
    if period.state != "open":
        raise Refused(Finding(message=message("period.not_open", period=code)))
    through = max(period.last_day, desk.bureau.settled_through or period.last_day)
    bureau = msgspec.structs.replace(desk.bureau, settled_through=through)
    growth = Change(reconsidered=tuple(await desk.standing("p.grows")))
    grown = (await desk.foresee(growth, bureau)).entries
    settlement = await _reckon(desk, bureau, period, grown)
    former = await desk.period_charges("s.id = $1", code)
    desk.present.expect_new([EventKey("", code)])
    charges = {**dict.fromkeys(former, ()), **settlement.charges}
    change = msgspec.structs.replace(growth, period_charges=charges)
    desk.head.settled_through = through
    content = {
        "period": code,
        "through": through.isoformat(),
        "comparisons": msgspec.json.decode(plain_json(settlement.comparisons)),
        "progress": msgspec.json.decode(plain_json(settlement.progress)),
        **decided_in(appeal),
    }
    return await desk.act("settlement", content, reason, actor, clock.now(), change, bureau)


async def close(code: str, *, reason: str = "", actor: str) -> Receipt:
    """Close an open period and freeze its figures."""
    async with open_desk(get_current()) as desk:
        await desk.write()
        period = desk.bureau.calendar.find(code)
        found, _ = await read_figures(desk.connection, desk.bureau, period)
        text = encode_figures(found)
        hashed = sha256(text.encode()).hexdigest()
        number = 1 + await desk.connection.fetchval("SELECT count(*) FROM snapshot WHERE period = $1", code)
        told = {"snapshot": number, "figures": hashed}
        receipt = await _set_state(desk, period, "closed", "closing", reason, actor, told)
        await desk.connection.execute(
            "INSERT INTO snapshot (period, number, act, version, organisation, head, figures, hash)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            code,
            number,
            receipt.number,
            found.version,
            desk.head.organisation,
            desk.head.hash,
            text,
            hashed,
        )
        return receipt


async def reopen(code: str, *, reason: str, actor: str) -> Receipt:
    """Open a closed period again, for a reason."""
    if not reason:
        raise Refused(Finding(message=message("act.reason_missing"), path="/reason"))
    async with open_desk(get_current()) as desk:
        period = desk.bureau.calendar.find(code)
        return await _set_state(desk, period, "open", "reopening", reason, actor, {})


async def _set_state(
    desk: Desk,
    period: Period,
    state: Literal["open", "closed"],
    kind: Act,
    reason: str,
    actor: str,
    told: Mapping[str, Any],
) -> Receipt:
    if period.state == state:
        expected = "closed" if state == "open" else "open"
        raise Refused(Finding(message=message(f"period.not_{expected}", period=period.code)))
    await desk.connection.execute("UPDATE period SET state = $2 WHERE code = $1", period.code, state)
    desk.head.periods += 1
    periods = {**desk.bureau.calendar.periods, period.code: msgspec.structs.replace(period, state=state)}
    bureau = msgspec.structs.replace(desk.bureau, calendar=Calendar(periods.values()))
    return await desk.act(kind, {"period": period.code, **told}, reason, actor, clock.now(), Change(), bureau)


async def _reckon(desk: Desk, bureau: Bureau, period: Period, grown: Iterable[Entry]) -> Settlement:
    """What the settlement charges, once the entries of tasks that grew are in its account."""
    grown = tuple(grown)
    await desk.write()
    previous = bureau.calendar.previous(period)
    before: Account | Figures | None = None
    if previous is not None and previous.state == "closed":
        before, _ = await read_figures(desk.connection, bureau, previous)
    elif previous is not None:
        before = with_entries(await read_account(desk.connection, bureau, previous), grown)
    return reckon(with_entries(await read_account(desk.connection, bureau, period), grown), before)
