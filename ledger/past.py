"""The past (往期账目): a period's account as it was when an act was carried out, and what the act then came to.

Entries with smaller numbers and the events that stood make the account. A settlement begins with the
tasks that grow by it; what they came to before anything was charged for the period are the entries that
the act made on events. Only where rules of events and rules of periods share a limit could the period's
charges have moved those entries as well; then everything that stood is evaluated twice, before and after
the growth, and the differences are taken.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from engine.account import Account
from engine.amount import ZERO
from engine.book import Lot
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.evaluation import PeriodCharge
from engine.lateness import unfinished
from engine.period import Period
from engine.replay import replay
from engine.rulebook import DifferentiationRule, ProgressRule, Rulebook
from engine.scene import Matchers
from engine.settlement import Settlement, settle
from engine.standing import Figures, figures
from ledger.current import Connection
from ledger.history import ActRow, History
from ledger.reading import telling_types
from ledger.rereading import COLUMNS, Rereader
from ledger.snapshot import decode_figures

PeriodCharges = dict[Lot, tuple[PeriodCharge, ...]]


class Grown(NamedTuple):
    """What tasks that grow make different; ``period`` where it is a charge of a period that they displace."""

    subject: str
    indicator: str | None
    booked: date
    posted: Decimal
    period: str | None


class Past:
    """The accounts of the past, act by act in order."""

    def __init__(self, connection: Connection, history: History, matchers: Matchers) -> None:
        self._connection = connection
        self._history = history
        self._matchers = matchers
        self._growing: list[int] | None = None
        self.charges: PeriodCharges = {}
        """What periods are charged, after the settlements so far."""

    async def settle(self, act: ActRow, code: str) -> Settlement:
        """What the settlement of a period came to; from now on it stands."""
        bureau = self._history.after(act.number).bureau
        period = bureau.calendar.find(code)
        grown = await self._grow(act.number, bureau)
        previous = bureau.calendar.previous(period)
        before: Account | Figures | None = None
        if previous is not None and previous.state == "closed":
            before = await self._as_closed(previous.code, act.number)
        elif previous is not None:
            before = _with(await self._account(bureau, previous, act.number), grown)
        settlement = settle(_with(await self._account(bureau, period, act.number), grown), before)
        self.charges = {lot: charges for lot, charges in self.charges.items() if lot.id != code}
        self.charges |= settlement.charges
        return settlement

    async def settle_all(self) -> list[PeriodCharge]:
        """What periods are charged after every settlement."""
        for act in self._history.periodical:
            if act.kind == "settlement":
                await self.settle(act, msgspec.json.decode(act.content)["period"])
        return [charge for lot in self.charges.values() for charge in lot]

    async def figures(self, act: ActRow, code: str) -> Figures:
        """The figures with which a period was closed."""
        bureau = self._history.before(act.number).bureau
        return figures(await self._account(bureau, bureau.calendar.find(code), act.number))

    async def _as_closed(self, code: str, number: int) -> Figures:
        text: str = await self._connection.fetchval(
            "SELECT figures FROM snapshot WHERE period = $1 AND act < $2 ORDER BY act DESC LIMIT 1", code, number
        )
        return decode_figures(text)

    async def _account(self, bureau: Bureau, period: Period, number: int) -> Account:
        sums = await self._connection.fetch(
            """
            SELECT subject, indicator, sum(posted) AS posted,
                   coalesce(sum(posted) FILTER (WHERE period = $3), 0) AS own
            FROM entry WHERE booked >= $1 AND booked < $2 AND number < $4 GROUP BY subject, indicator
            """,
            period.start,
            period.end,
            period.code,
            number,
        )
        account = Account(
            bureau=bureau,
            period=period,
            posted={(row["subject"], row["indicator"]): row["posted"] for row in sums},
            own={(row["subject"], row["indicator"]): row["own"] for row in sums if row["own"]},
            matchers=self._matchers,
        )
        where = "number < $1 AND booked >= $2 AND booked < $3 AND type = ANY($4)"
        standing = await self._stood(bureau, number, where, number, period.start, period.end, telling_types(account))
        return msgspec.structs.replace(account, standing=standing)

    async def _stood(self, bureau: Bureau, number: int, where: str, *args: object) -> list[Recorded]:
        rereader = Rereader(bureau)
        query = f"SELECT {COLUMNS} FROM event WHERE {where}"  # noqa: S608  (our own words)
        return [
            rereader.reread(row)[0]
            async for row in self._connection.cursor(query, *args, prefetch=2_000)
            if self._history.stood(row["number"], number)
        ]

    # growth

    async def _grow(self, number: int, bureau: Bureau) -> list[Grown]:
        before = self._history.before(number).bureau
        if not _share_a_limit(before):
            rows = await self._connection.fetch(
                "SELECT subject, indicator, booked, posted, period FROM entry WHERE cause = $1 AND source IS NOT NULL",
                number,
            )
            return [Grown(*row) for row in rows]
        if not await self._task_stood(number):
            return []
        standing = await self._stood(before, number, "number < $1", number)
        charges = {each.charge.key: each for lot in self.charges.values() for each in lot}
        then, now = (replay(each, standing, self._matchers, charges.values()) for each in (before, bureau))
        events = {each.event.key: each for each in standing}
        grown = []
        for key in {*then, *now}:
            difference = now.get(key, ZERO) - then.get(key, ZERO)
            if difference and key.source:
                recorded = events[key.event]
                version = bureau.version_at(recorded.event.time)
                assert version is not None
                indicator = indicators_of(version.rulebook)[key.origin_rule, key.rule]
                grown.append(Grown(key.subject, indicator, _carry(bureau, recorded.booked), difference, None))
            elif difference:
                charge = charges[key]
                booked = _carry(bureau, charge.booked)
                grown.append(Grown(key.subject, charge.charge.indicator, booked, difference, key.id))
        return grown

    async def _task_stood(self, number: int) -> bool:
        """Whether a task stood that was due and not done."""
        if self._growing is None:
            self._growing = await self._ever_growing()
        return any(self._history.stood(task, number) for task in self._growing)

    async def _ever_growing(self) -> list[int]:
        """The events that some version ever took for a task that is not done."""
        bureau = self._history.now.bureau
        types = {
            code
            for version in bureau.versions
            for code, each in version.rulebook.event_types.items()
            if any(field.days_late is not None for field in each.fields.values())
        }
        query = f"SELECT {COLUMNS} FROM event WHERE type = ANY($1) ORDER BY number"  # noqa: S608  (our own words)
        rereader = Rereader(bureau)
        found = []
        async for row in self._connection.cursor(query, sorted(types), prefetch=2_000):
            event = rereader.reread(row)[0].event
            declared = (version.rulebook.event_types.get(event.type) for version in bureau.versions)
            if any(each is not None and unfinished(event, each) for each in declared):
                found.append(row["number"])
        return found


def _carry(bureau: Bureau, day: date) -> date:
    """Where a difference to what was booked on that day is booked."""
    booked = bureau.calendar.book(day)
    if booked is None:
        raise LookupError(f"no open period can take {day}")
    return booked


def _share_a_limit(bureau: Bureau) -> bool:
    """Whether a limit holds charges of events and charges of periods, by any version."""
    of_periods, of_events = set[str](), set[str]()
    for version in bureau.versions:
        for rule in version.rulebook.rules:
            periodical = isinstance(rule, (DifferentiationRule, ProgressRule))
            (of_periods if periodical else of_events).update(getattr(rule, "limits", ()))
    return bool(of_periods & of_events)


def indicators_of(rulebook: Rulebook) -> Mapping[tuple[str, str], str | None]:
    """By origin rule and rule the indicator that a charge is on: a joint one is on its own, else on its source's."""
    own: dict[str, Any] = {rule.code: getattr(rule, "indicator", None) for rule in rulebook.rules}
    return {(origin, rule): own[rule] if own[rule] is not None else own[origin] for origin in own for rule in own}


def _with(account: Account, grown: Iterable[Grown]) -> Account:
    posted: dict[Any, Decimal] = defaultdict(lambda: ZERO, account.posted)
    own: dict[Any, Decimal] = defaultdict(lambda: ZERO, account.own)
    for each in grown:
        if account.period.contains(each.booked):
            posted[each.subject, each.indicator] += each.posted
            if each.period == account.period.code:
                own[each.subject, each.indicator] += each.posted
    return msgspec.structs.replace(account, posted=posted, own=own)
