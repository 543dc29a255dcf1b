"""The simulator (模拟): a whole office on a real PostgreSQL in one process, every choice from one seed.

Time is a clock of the simulator's own, chance is seeded, and between any two statements the connection may be cut
or the service may die; after a commit too, so that its answer is lost. The sender of an event then sends it again;
the office looks whether its act was carried out before it acts again. A register in memory lives through the same,
without any storm; the two must agree: what was refused, what stands, every sum, every figure, and the tables
of the present. A run replays exactly from its seed.
"""

import asyncio
import os
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any, ClassVar, TypeVar, cast
from unittest.mock import patch

import asyncpg
import msgspec
from piccolo.columns.defaults.timestamptz import TimestamptzNow

from admin import changes, publication
from admin.declaring import periods_of
from admin.office import Office
from admin.session import Person
from admin.tables import Role, User, UserRole
from api.database import point
from api.embedded import Database
from api.piccolo_conf import DB
from engine.admission import admit
from engine.amount import ZERO
from engine.charge import ChargeKey
from engine.direct import DirectMatcher
from engine.event import EventKey
from engine.finding import Refused
from engine.organisation import TIMEZONE, Place, Subject
from engine.period import Period
from engine.report import Report
from engine.rulebook import Rulebook
from ledger import acts, appeals, clock, present, remark, settling
from ledger.appeals import Party
from ledger.connection import is_lost
from ledger.current import Current, load_version, use_current
from ledger.desk import Desk, Receipt, open_desk
from ledger.reading import read_figures
from ledger.recording import Recorder, Spoilt
from ledger.redress import Redress
from ledger.reviewing import Verdict, decide
from rules.document import read_rulebook
from rules.writing import write_rulebook
from tests.books import add_up, check_chain, check_present
from tests.worlds import PEOPLE, UNITS, History, Step, check_sums, draw_relation, draw_report

T = TypeVar("T")

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STORMY = 0.12
"""How many of the steps are in danger of a cut."""
CHECKED = int(os.environ.get("JIKAO_CHECKED", "250"))
"""Steps between two comparisons with the register; 1 finds the very step in which they part."""
YOUNG = 500
"""Steps in which an office still says who always answered for whom, and leaves every second task undone."""
LATELY = 60
"""Days that late events, changes of the organisation and publications reach back."""

VERBS = {
    "report": 36,
    "repeat": 4,
    "contradict": 2,
    "group": 12,
    "batch": 6,
    "retract": 7,
    "correct": 6,
    "organise": 4,
    "declare": 1,
    "draft": 1,
    "approve": 4,
    "publish": 3,
    "settle": 4,
    "close": 3,
    "reopen": 2,
    "lodge": 4,
    "answer": 2,
    "decide": 3,
    "restart": 1,
}
"""What may happen, and how often; each is a method of :class:`Simulation`."""


# time, chance, and cuts


class VirtualClock:
    """A clock that the simulation moves, and that never says the same instant twice."""

    def __init__(self) -> None:
        self.instant = BEGIN

    def now(self) -> datetime:
        self.instant += timedelta(microseconds=1)
        return self.instant

    def pass_by(self, time: timedelta) -> None:
        self.instant += time


class Storm:
    """Cuts a connection at one statement: before the server has it, or when it is done and only the answer is lost.

    ``deadly``: the whole service dies of it, and nothing goes through any more until it starts anew.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.late = self.deadly = self.dead = False
        self.struck = 0

    def arm(self, statements: int, *, late: bool, deadly: bool) -> None:
        """After so many more statements it strikes."""
        self.left, self.late, self.deadly = statements, late, deadly

    def calm(self) -> None:
        """It is over."""
        self.left, self.dead = None, False

    async def through(self, connection: asyncpg.Connection, statement: Coroutine[Any, Any, T]) -> T:
        """The statement's answer, unless it is lost."""
        strikes = self.left == 0
        self.left = None if self.left is None or strikes else self.left - 1
        if not strikes and not self.dead:
            return await statement
        if strikes and self.late:
            await statement
        else:
            statement.close()
        if strikes:
            self.struck += 1
            self.dead = self.deadly
        connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("cut by the simulator")


class Frail(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that goes through the storm."""

    storm: ClassVar[Storm] = Storm()

    async def execute(self, *given: Any, **options: Any) -> Any:
        return await self.storm.through(self, super().execute(*given, **options))

    async def fetch(self, *given: Any, **options: Any) -> Any:
        return await self.storm.through(self, super().fetch(*given, **options))

    async def fetchrow(self, *given: Any, **options: Any) -> Any:
        return await self.storm.through(self, super().fetchrow(*given, **options))

    async def fetchval(self, *given: Any, **options: Any) -> Any:
        return await self.storm.through(self, super().fetchval(*given, **options))

    async def copy_records_to_table(self, *given: Any, **options: Any) -> Any:
        return await self.storm.through(self, super().copy_records_to_table(*given, **options))


# the world


class Town(History):
    """A history whose time goes on: what happens, happens lately."""

    def __init__(self, seed: int, time: VirtualClock) -> None:
        self.time = time
        super().__init__(seed, periodical=seed % 4 > 0)

    def first_periods(self) -> Sequence[Period]:
        """The months, quarters, halves of the first year, and it."""
        return periods_of(BEGIN.year)

    def lately(self, rng: random.Random) -> datetime:
        """Some instant of the last weeks."""
        return max(BEGIN, self.time.instant - timedelta(hours=rng.randrange(0, 24 * LATELY)))

    def recent_months(self) -> list[date]:
        """The first days of this month and of the two before."""
        this = self.time.instant.date().replace(day=1)
        last = (this - timedelta(days=1)).replace(day=1)
        return [this, last, (last - timedelta(days=1)).replace(day=1)]

    def new_report(self, letter: str) -> Report:
        """A report: in order, late, or known to have been recorded elsewhere long before it reaches us."""
        since = self.time.instant - timedelta(hours=60)
        report = draw_report(self.rng, f"{letter}{len(self.reports)}", max(BEGIN, since), self.lately)
        if "due" in report.data and len(self.reports) > YOUNG and self.rng.random() < 0.95:
            # What is never done grows with every settlement: an office has few of these.
            report = msgspec.structs.replace(report, data={**report.data, "done": report.data["due"]})
        self.reports.append(report)
        return report

    def known_event(self) -> EventKey:
        """An event that was recorded, most likely lately."""
        held = list(self.register.held)
        if not held or self.rng.random() < 0.02:
            return EventKey("nobody", "nothing")
        return self.rng.choice(held[-120:] if self.rng.random() < 0.9 else held)

    def old_report(self) -> Report | None:
        """A report that was sent before, refused ones too; None where there was none."""
        return self.rng.choice(self.reports[-200:]) if self.reports else None

    def otherwise(self, report: Report) -> Report:
        """The same source and id, with other content."""
        return msgspec.structs.replace(report, time=report.time - timedelta(hours=1))

    def new_rulebook(self, effective: datetime) -> Rulebook:
        """A rulebook with its amounts as a document writes them."""
        return read_rulebook(write_rulebook(super().new_rulebook(effective)))

    def next_rulebook(self) -> Rulebook:
        """A rulebook that comes into effect soon, or did lately."""
        return self.new_rulebook(self.lately(self.rng) + timedelta(days=self.rng.randrange(0, 30)))

    def some_period(self, state: str) -> str | None:
        """An open or closed period that began and did not end long ago; weeks are never closed."""
        today = self.time.instant.date()
        found = [
            code
            for code, period in self.register.bureau.calendar.periods.items()
            if period.state == state
            and period.kind != "week"
            and period.start <= today < period.end + timedelta(days=2 * LATELY)
        ]
        return self.rng.choice(found) if found else None

    def refuses(self, report: Report) -> bool:
        """Whether the register would refuse the report; nothing happens."""
        try:
            if not self.register._repeats(report):
                admit(self.register.bureau, report)
        except Refused:
            return True
        return False


class Drafting:
    """What ought to be known of the draft: who edited it, and who approved what."""

    def __init__(self) -> None:
        self.rulebook: Rulebook | None = None
        self.hash = ""
        self.editors: set[str] = set()
        self.approved: dict[str, set[str]] = defaultdict(set)

    def may_publish(self, person: str) -> bool:
        return bool(self.approved[self.hash] - self.editors - {person})


PERSONS = {name: Person(id=number, name=name, roles=frozenset(Role)) for number, name in enumerate("abc", 1)}


# what happens


class Simulation:
    """One office living through its steps. Made by :func:`simulating`."""

    def __init__(self, seed: int, storm: Storm, time: VirtualClock) -> None:
        self.seed = seed
        self.time = time
        self.storm = storm
        self.town = Town(seed, time)
        self.rng = self.town.rng
        self.drafting = Drafting()
        self.office = Office(secret="", timezone=TIMEZONE, second_persons=1)
        self.seen: Counter[str] = Counter()
        self.sums: dict[ChargeKey, Decimal] = defaultdict(lambda: ZERO)
        self.verified, self.hash = 0, ""
        self.length = 0
        self.current = Current(TIMEZONE)
        self.recorder = Recorder(self.current)
        self.step = 0
        self.stormy = STORMY

    # the service

    async def start(self) -> None:
        """The service starts: it knows nothing but what is in the database."""
        if DB.pool is not None:
            DB.pool.terminate()
            DB.pool = None
        self.storm.calm()
        await DB.start_connection_pool(min_size=1, max_size=3, connection_class=Frail)
        self.current = Current(TIMEZONE) if self.seed % 5 == 0 else Current(TIMEZONE, DirectMatcher)
        self.recorder = Recorder(self.current)
        use_current(self.current)

    async def found(self) -> None:
        """The office begins: its people, periods, organisation, its first rulebook."""
        for name in PERSONS:
            user: Any = cast(Any, User)(username=name, password="nobody signs in here", active=True)
            await user.save()
            await UserRole(user=user.id, role=Role.approver).save()
        organisation, first = self.town.organisation, self.town.first
        start = BEGIN.date()
        await acts.organise(start, organisation.subjects.values(), organisation.relations, reason="x", actor="a")
        await acts.publish_rulebook(first, reason="x", actor="a")
        await acts.declare(self.town.first_periods(), actor="a")

    async def live(self, steps: int) -> None:
        """So many steps, compared with the register now and then and at the end."""
        for step in range(steps):
            self.step = step
            verb = self.rng.choices(list(VERBS), [self.likely(verb) for verb in VERBS])[0]
            try:
                await self.happen(verb)
                if step % CHECKED == CHECKED - 1 or step == steps - 1:
                    await self.check(thorough=step == steps - 1)
            except BaseException as error:
                error.add_note(f"JIKAO_SEEDS={self.seed} JIKAO_STEPS={step + 1} replays it: {verb} in step {step}")
                raise

    def likely(self, verb: str) -> float:
        """How often it happens as things are: who drafted wants it approved, then published."""
        drafting = self.drafting
        ready = drafting.rulebook is not None and drafting.may_publish("a")
        wanted = {"approve": drafting.rulebook is not None and not ready, "publish": ready}.get(verb, True)
        return VERBS[verb] if wanted else VERBS[verb] / 20

    async def happen(self, verb: str) -> None:
        """One thing happens, perhaps in a storm."""
        self.time.pass_by(timedelta(minutes=self.rng.randrange(0, 20 * 60)))
        await self.look_ahead()
        if self.rng.random() < self.stormy:
            await self.check_whole()
            within = 30 if self.rng.random() < 0.8 else 150
            self.storm.arm(self.rng.randrange(within), late=self.rng.random() < 0.5, deadly=self.rng.random() < 0.3)
        struck = self.storm.struck
        await getattr(self, verb)()
        if self.storm.dead:  # it died when all was answered
            await self.start()
        self.storm.left = None
        self.seen[verb] += 1
        self.seen["cut"] += self.storm.struck - struck

    async def look_ahead(self) -> None:
        """Next year's periods are declared in time: what is closed is carried into an open one."""
        year = (self.time.instant + timedelta(days=200)).year
        if f"{year}-01" not in self.town.register.bureau.calendar.periods:
            await self.act("declare", periods_of(year))

    async def until_answered(self, work: Callable[[], Awaitable[T]], done: Callable[[], Awaitable[bool]]) -> T | None:
        """The answer; or None where it was lost and what was asked is done. What is not done is asked again."""
        while True:
            try:
                return await work()
            except Exception as error:
                if not is_lost(error):
                    raise
            if self.storm.dead:
                self.seen["died"] += 1
                await self.start()
            await self.check_whole()
            if await done():
                self.seen["answer lost"] += 1
                return None

    async def send(self, *steps: Step) -> list[Receipt | Refused]:
        """Send what systems send, at the same time; who gets no answer sends the same again."""
        answers: dict[int, Any] = {}

        async def one(place: int, step: Step) -> None:
            said = () if step.verb == "record" else ("x", "s")
            try:
                answers[place] = await getattr(self.recorder, step.verb)(*step.args, *said)
            except Refused as refused:
                answers[place] = refused

        async def rest() -> None:
            left = [one(place, step) for place, step in enumerate(steps) if place not in answers]
            told = await asyncio.gather(*left, return_exceptions=True)
            for each in told:
                if isinstance(each, BaseException):
                    raise each

        await self.until_answered(rest, _never)
        return [answers[place] for place in range(len(steps))]

    async def live_through(self, *steps: Step) -> None:
        """The register and the ledger live through the same; they must refuse the same."""
        refused = [self.town.live(step) for step in steps]
        answers = await self.send(*steps)
        for step, expected, answer in zip(steps, refused, answers, strict=True):
            assert isinstance(answer, Refused) == expected, (step, answer)

    async def act(self, verb: str, *given: Any) -> bool:
        """The office acts; it looks whether that was done before it does it again. Whether it was carried out."""
        refused = self.town.live(Step(verb, given))
        do: dict[str, Callable[..., Awaitable[Any]]] = {
            "organise": partial(acts.organise, reason="x", actor="a"),
            "declare": partial(acts.declare, actor="a"),
            "publish": self.publish_draft,
            "settle": partial(settling.settle, actor="a"),
            "close": partial(settling.close, actor="a"),
            "reopen": partial(settling.reopen, reason="x", actor="a"),
        }
        length = self.length

        async def done() -> bool:
            return self.length > length

        try:
            await self.until_answered(lambda: do[verb](*given), done)
            carried_out = True
        except Refused:
            carried_out = False
        assert carried_out != refused, (verb, given)
        return carried_out

    async def publish_draft(self, rulebook: Rulebook) -> None:
        """Publish what is drafted, by those who may."""
        await publication.publish(self.office, self.drafting.hash, rulebook.effective, reason="x", person=PERSONS["a"])

    # the verbs

    async def report(self) -> None:
        await self.live_through(Step("record", (self.town.new_report("E"),)))

    async def repeat(self) -> None:
        if (report := self.town.old_report()) is not None:
            await self.live_through(Step("record", (report,)))

    async def contradict(self) -> None:
        if (report := self.town.old_report()) is not None:
            await self.live_through(Step("record", (self.town.otherwise(report),)))

    async def retract(self) -> None:
        await self.live_through(Step("retract", (self.town.known_event(),)))

    async def correct(self) -> None:
        await self.live_through(Step("correct", (self.town.known_event(), self.town.new_report("C"))))

    async def group(self) -> None:
        """Several systems send at the same moment; they share a commit."""
        steps = []
        for _ in range(self.rng.randrange(2, 9)):
            match self.rng.choices(["new", "old", "retract", "correct"], [8, 2, 1, 1])[0]:
                case "old" if self.town.reports:
                    steps.append(Step("record", (self.town.old_report(),)))
                case "retract":
                    steps.append(Step("retract", (self.town.known_event(),)))
                case "correct":
                    steps.append(Step("correct", (self.town.known_event(), self.town.new_report("C"))))
                case _:
                    steps.append(Step("record", (self.town.new_report("E"),)))
        await self.live_through(*steps)

    async def batch(self) -> None:
        """One system sends several, all or none."""
        known = self.town.old_report()
        reports = [self.town.new_report("B") for _ in range(self.rng.randrange(2, 12))]
        if known is not None and self.rng.random() < 0.3:
            reports[self.rng.randrange(len(reports))] = self.town.otherwise(known)
        expected = next((place for place, report in enumerate(reports) if self.town.refuses(report)), None)
        spoilt = None
        try:
            await self.until_answered(lambda: self.recorder.record_all(reports), _never)
        except Spoilt as error:
            spoilt = error.place
            self.seen["spoilt"] += 1
        assert spoilt == expected, reports
        for report in reports if spoilt is None else ():
            assert not self.town.live(Step("record", (report,))), report

    async def organise(self) -> None:
        since = self.town.lately(self.rng).date()
        place = Place(kind="person", group="p", unit=self.rng.choice(UNITS))
        subject = Subject(code=self.rng.choice(PEOPLE), places=(place,))
        relation = draw_relation(self.rng, self.town.recent_months())
        if relation.start is None and (self.step > YOUNG or self.rng.random() < 0.8):
            relation = msgspec.structs.replace(relation, start=since, end=None)
        if relation.end is None and self.step > YOUNG:
            start = relation.start or since
            relation = msgspec.structs.replace(relation, end=start + timedelta(days=self.rng.randrange(1, 120)))
        await self.act("organise", since, [subject], [relation])

    async def declare(self) -> None:
        """A week of the office's own, which limits by period then follow."""
        start = self.town.lately(self.rng).date()
        end = start + timedelta(days=self.rng.randrange(1, 12))
        await self.act("declare", [Period(code=f"W{self.step}", kind="week", start=start, end=end)])

    async def draft(self) -> None:
        """Somebody edits the draft."""
        rulebook, person = self.town.next_rulebook(), self.rng.choice("ab")
        document = write_rulebook(rulebook)
        hashed = await self.until_answered(lambda: changes.replace_draft(document, person), _never)
        if hashed != self.drafting.hash:
            self.drafting.editors.add(person)
        assert hashed is not None
        self.drafting.rulebook, self.drafting.hash = rulebook, hashed

    async def approve(self) -> None:
        """Somebody approves the draft, unless it is their own."""
        person, drafting = self.rng.choice("bc"), self.drafting
        if drafting.rulebook is None:
            return
        try:
            await self.until_answered(lambda: publication.approve(drafting.hash, PERSONS[person]), _never)
        except Refused:
            assert person in drafting.editors
        else:
            assert person not in drafting.editors
            drafting.approved[drafting.hash].add(person)

    async def publish(self) -> None:
        """The draft comes into force, where a second person approved it; also for events of the past."""
        drafting, rulebook = self.drafting, self.drafting.rulebook
        if rulebook is None:
            return
        if drafting.may_publish("a"):
            if await self.act("publish", rulebook):
                drafting.editors.clear()
                self.seen["published"] += 1
            return
        try:
            await self.until_answered(lambda: self.publish_draft(rulebook), _never)
        except Refused:
            return
        raise AssertionError("published without a second person")

    async def settle(self) -> None:
        if code := self.town.some_period("open"):
            await self.act("settle", code)

    async def close(self) -> None:
        if code := self.town.some_period("open"):
            await self.act("close", code)

    async def reopen(self) -> None:
        if code := self.town.some_period("closed"):
            await self.act("reopen", code)

    async def lodge(self) -> None:
        """A subject appeals one of its latest entries, where the window of appeals lets it."""
        rows = await self.look("SELECT number, subject FROM entry ORDER BY number DESC LIMIT 60")
        if rows:
            number, subject = self.rng.choice(rows)
            if await self.step_of_case(lambda: appeals.lodge(number, "x", (), Party(name="s", subject=subject))):
                self.seen["lodged"] += 1

    async def answer(self) -> None:
        """The office answers an appeal."""
        if (case := await self.open_case()) is not None:
            await self.step_of_case(lambda: appeals.answer(case["number"], "x", Party(name="o", office=True)))

    async def decide(self) -> None:
        """A reviewer decides an appeal; what they withdraw or replace, the register lives through as well."""
        if (case := await self.open_case()) is None:
            return
        key, register = EventKey(case["source"] or "", case["event"] or ""), self.town.register
        standing = register.book.recorded(key)
        redress, refused = tuple[Redress, ...](), False
        if standing is not None and self.rng.random() < 0.8:
            report = None if self.rng.random() < 0.5 else self.town.new_report("A")
            redress = (Redress(key=key, report=report),)
            if report is None:
                step = Step("retract", (key,))
            else:
                report = msgspec.structs.replace(report, recorded_at=standing.event.recorded_at)
                step = Step("correct", (key, report))
            refused = self.town.live(step)
        by = Party(name=f"r{case['number']}", reviewer=True)
        verdict: Verdict = "upheld" if redress else "rejected"
        carried_out = await self.step_of_case(lambda: decide(case["number"], verdict, "x", redress, by, self.recorder))
        assert carried_out != refused, (case, redress)
        self.seen["upheld"] += carried_out and bool(redress)

    async def open_case(self) -> Any:
        """An appeal that is not decided yet, with its event; None where there is none."""
        rows = await self.look(
            "SELECT a.number, e.source, e.event FROM appeal a JOIN entry e ON e.number = a.entry"
            " WHERE a.state IN ('lodged', 'answered') ORDER BY a.number"
        )
        return self.rng.choice(rows) if rows else None

    async def step_of_case(self, work: Callable[[], Awaitable[Any]]) -> bool:
        """A step of an appeal, which may be refused; whether it was carried out."""
        length = self.length

        async def done() -> bool:
            return self.length > length

        try:
            await self.until_answered(work, done)
        except Refused:
            return False
        return True

    async def look(self, query: str) -> Any:
        """What is in the ledger, for whoever goes by it; no storm touches that."""
        left, self.storm.left = self.storm.left, None
        await self.check_whole()
        async with open_desk(self.current, keep=False) as desk:
            rows = await desk.connection.fetch(query)
        self.storm.left = left
        return rows

    async def restart(self) -> None:
        """The service is stopped and started."""
        await self.start()

    # comparing

    async def check_whole(self) -> None:
        """After a cut: the head is that of the last record, and nothing is there that it does not know."""
        async with open_desk(self.current, keep=False) as desk:
            self.length = desk.head.length
            found = await desk.connection.fetchrow(
                """
                SELECT max(number) AS last, count(*) AS records FROM (
                    SELECT number FROM event WHERE number > $1 UNION ALL SELECT number FROM entry WHERE number > $1
                    UNION ALL SELECT number FROM act WHERE number > $1) AS r
                """,
                self.verified,
            )
        assert found["records"] == self.length - self.verified, "a gap, or a record too many"
        assert (found["last"] or self.verified) == self.length, "the head is not that of the last record"

    async def check(self, *, thorough: bool) -> None:
        """The ledger agrees with the register, and the register with a fresh evaluation."""
        check_sums(self.town)
        register = self.town.register
        if thorough:
            self.verified, self.hash, self.sums = 0, "", defaultdict(lambda: ZERO)
        async with open_desk(self.current, keep=False) as desk:
            records = await check_chain(desk.connection, self.verified, self.hash)
            for key, posted in add_up(records).items():
                self.sums[key] += posted
            self.verified, self.hash = desk.head.length, desk.head.hash
            for key in {*self.sums, *register.sums}:
                assert self.sums[key] == register.sums[key], key
            await self.check_held(desk)
            await check_present(desk.connection, register)
            await self.check_figures(desk, thorough=thorough)

    async def check_held(self, desk: Desk) -> None:
        """Every event that was kept is there once, and nothing else is."""
        rows = await desk.connection.fetch("SELECT source, id FROM event")
        assert Counter(EventKey(*row) for row in rows) == Counter(list(self.town.register.held))

    async def check_figures(self, desk: Desk, *, thorough: bool) -> None:
        """The figures of every period that had begun; between times, of the latest."""
        today = self.time.instant.date()
        for code, period in self.town.register.bureau.calendar.periods.items():
            if period.start <= today and (thorough or today < period.end + timedelta(days=LATELY)):
                found, _ = await read_figures(desk.connection, desk.bureau, period)
                assert found == self.town.register.figures(code), code


async def _never() -> bool:
    return False


@asynccontextmanager
async def simulating(database: Database, seed: int) -> AsyncIterator[Simulation]:
    """An office on an empty, migrated database, founded, at the beginning of its first year."""
    time, storm = VirtualClock(), Storm()
    salts = random.Random(seed)
    with ExitStack() as patches:
        patches.enter_context(patch.object(clock, "now", time.now))
        patches.enter_context(patch.object(TimestamptzNow, "python", lambda _: time.now()))
        patches.enter_context(patch.object(remark, "new_salt", lambda: f"{salts.getrandbits(128):032x}"))
        patches.enter_context(patch.object(Frail, "storm", storm))
        patches.enter_context(patch.object(present, "LATEST_KEPT", 1 + seed % 5))
        # A service that starts reads every document anew; here hundreds of times the same.
        patches.enter_context(patch("ledger.current.load_version", cache(load_version)))
        point(database.url)
        simulation = Simulation(seed, storm, time)
        try:
            await simulation.start()
            await simulation.found()
            yield simulation
        finally:
            storm.calm()
            if DB.pool is not None:
                DB.pool.terminate()
                DB.pool = None
