"""Simulations as rows (试算记录): who asked what, how far it is, what it came to.

Whichever process runs one writes it here, so that every other finds it. They are no acts, and no part of the chain;
the latest fifty of the last thirty days are kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.finding import Finding
from engine.language import Message, message
from ledger import clock
from ledger.current import get_current
from ledger.long_work import LOST_AFTER
from ledger.reading import Unknown
from ledger.simulated import EntryChange, Simulated
from ledger.simulation import PAGE, Answer, Question, read_page, read_summary
from ledger.writing import writing

KEPT = 50
DAYS = 30

_STATE = (
    "CASE WHEN state = 'running' AND seen < clock_timestamp() - make_interval(secs => $1) THEN 'lost' ELSE state END"
)
_COLUMNS = f"id, at, owner, period, version, starts, hash, {_STATE} AS state, stage, done, of, cancelling"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation as its row tells it. ``version`` is None for the draft; ``result`` is there once it is done."""

    id: int
    at: datetime
    owner: str
    period: str
    version: int | None
    starts: datetime
    hash: str
    state: str
    stage: str
    done: int
    of: int
    cancelling: bool
    result: Simulated | None = None

    @property
    def running(self) -> bool:
        """Whether it is not at its end."""
        return self.state == "running"

    @property
    def percent(self) -> int:
        """How much of its stage is done."""
        return 100 * self.done // self.of if self.of else 0

    @property
    def named(self) -> Message:
        """Which rulebook, in words."""
        return (
            message("simulation.draft") if self.version is None else message("simulation.version", number=self.version)
        )


async def begin(question: Question, owner: str) -> int:
    """A row for a simulation that begins; what is old goes."""
    async with writing() as connection:
        at = clock.now()
        await connection.execute(
            "DELETE FROM simulation WHERE at < $1::timestamptz - make_interval(days => $2)"
            " OR id NOT IN (SELECT id FROM simulation ORDER BY id DESC LIMIT $3)",
            at,
            DAYS,
            KEPT - 1,
        )
        number: int = await connection.fetchval(
            "INSERT INTO simulation (at, owner, period, version, starts, hash, state, stage, done, of, seen,"
            " cancelling) VALUES ($1, $2, $3, $4, $5, $6, 'running', 'waiting', 0, $7, clock_timestamp(), false)"
            " RETURNING id",
            at,
            owner[:100],
            question.period,
            question.version,
            question.start,
            question.hash,
            question.events,
        )
        return number


async def advance(number: int, stage: str, done: int, of: int) -> bool:
    """Note how far it is; whether it is to stop: somebody asked for that, or its row is gone."""
    async with writing() as connection:
        cancelling = await connection.fetchval(
            "UPDATE simulation SET stage = $2, done = $3, of = $4, seen = clock_timestamp() WHERE id = $1"
            " RETURNING cancelling",
            number,
            stage,
            done,
            of,
        )
        return cancelling is None or bool(cancelling)


async def finish(number: int, answer: Answer) -> None:
    """Keep what it came to."""
    async with writing() as connection:
        held = await connection.fetchval(
            "UPDATE simulation SET state = 'done', result = $2, seen = clock_timestamp() WHERE id = $1 RETURNING id",
            number,
            answer.summary,
        )
        if held is not None:
            await connection.executemany(
                "INSERT INTO simulation_page (simulation, number, entries) VALUES ($1, $2, $3)",
                [(number, place, page) for place, page in enumerate(answer.pages)],
            )


async def end(number: int, state: str) -> None:
    """It ended without a result: ``cancelled`` or ``failed``."""
    async with writing() as connection:
        await connection.execute("UPDATE simulation SET state = $2 WHERE id = $1 AND state = 'running'", number, state)


async def cancel(number: int) -> None:
    """Ask whoever runs it to stop; one that nobody runs any more is cancelled at once."""
    async with writing() as connection:
        await connection.execute("UPDATE simulation SET cancelling = true WHERE id = $1 AND state = 'running'", number)
        await connection.execute(
            "UPDATE simulation SET state = 'cancelled' WHERE id = $2 AND state = 'running'"
            " AND seen < clock_timestamp() - make_interval(secs => $1)",
            LOST_AFTER,
            number,
        )


async def remove(number: int) -> None:
    """Remove one with what it came to."""
    async with writing() as connection:
        await connection.execute("DELETE FROM simulation WHERE id = $1", number)


async def find(number: int, *, whole: bool = True) -> Run:
    """A simulation, with its result if ``whole``; Unknown where there is none, or no longer."""
    if 0 < number < 2**31:
        columns = f"{_COLUMNS}, result" if whole else _COLUMNS
        async with writing() as connection:
            row = await connection.fetchrow(f"SELECT {columns} FROM simulation WHERE id = $2", LOST_AFTER, number)  # noqa: S608
        if row is not None:
            return _run(row)
    raise Unknown(Finding(message=message("simulation.unknown", id=number)))


async def latest() -> list[Run]:
    """The simulations that are kept, the latest first, without their results."""
    async with writing() as connection:
        rows = await connection.fetch(f"SELECT {_COLUMNS} FROM simulation ORDER BY id DESC LIMIT $2", LOST_AFTER, KEPT)  # noqa: S608
    return [_run(row) for row in rows]


async def entries(
    number: int, start: int = 0, limit: int = PAGE, *, subject: str = "", rule: str = ""
) -> tuple[list[EntryChange], int | None]:
    """Entry changes of a simulation from a place on, those of a subject or a rule; and where the next page starts."""

    def wanted(each: EntryChange) -> bool:
        return subject in ("", each.subject) and rule in ("", each.rule)

    found: list[EntryChange] = []
    place = start
    async with writing() as connection:
        rows = connection.cursor(
            "SELECT number, entries FROM simulation_page WHERE simulation = $1 AND number >= $2 ORDER BY number",
            number,
            start // PAGE,
            prefetch=1,
        )
        async for row in rows:
            for offset, each in enumerate(read_page(row["entries"]), row["number"] * PAGE):
                if offset < start or not wanted(each):
                    continue
                if len(found) == limit:
                    return found, place
                found.append(each)
                place = offset + 1
    return found, None


def _run(row: Mapping[str, Any]) -> Run:
    zone = get_current().timezone
    held = dict(row)
    packed = held.pop("result", None)
    for name in ("at", "starts"):
        held[name] = held[name].astimezone(zone)
    return Run(**held, result=None if packed is None else read_summary(packed))
