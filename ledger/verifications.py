"""Verifications as rows (核验记录): who started which and when, how far it is, what it came to.

Whichever worker runs one writes it here, so that every other finds it. They are no acts, and no part of the chain;
the latest two hundred are kept.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger import clock
from ledger.current import get_current
from ledger.difference import Seal, Verdict
from ledger.long_work import LOST_AFTER
from ledger.writing import writing

KEPT = 200

_LOST = "seen < clock_timestamp() - make_interval(secs => $1)"
_seals = msgspec.json.Decoder(tuple[Seal, ...])
_verdict = msgspec.json.Decoder(Verdict)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A verification as its row tells it; ``verdict`` is there once it is done."""

    id: int
    at: datetime
    owner: str
    seals: tuple[Seal, ...]
    state: str
    stage: str
    done: int
    of: int
    verdict: Verdict | None

    @property
    def running(self) -> bool:
        """Whether it is not at its end."""
        return self.state == "running"

    @property
    def percent(self) -> int:
        """How much of its stage is done."""
        return 100 * self.done // self.of if self.of else 0


async def begin(seals: Sequence[Seal], owner: str) -> int | None:
    """A row for a verification that begins; None while one is running. What is old goes."""
    async with writing() as connection:
        await connection.execute("LOCK TABLE verification_run IN SHARE ROW EXCLUSIVE MODE")
        number: int | None = await connection.fetchval(
            "INSERT INTO verification_run (at, owner, seals, state, stage, done, of, seen)"  # noqa: S608  (our own words)
            " SELECT $2, $3, $4, 'running', 'chain', 0, 0, clock_timestamp()"
            f" WHERE NOT EXISTS (SELECT FROM verification_run WHERE state = 'running' AND NOT {_LOST}) RETURNING id",
            LOST_AFTER,
            clock.now(),
            owner[:100],
            msgspec.json.encode(tuple(seals)).decode(),
        )
        if number is not None:
            await connection.execute("DELETE FROM verification_run WHERE id <= $1", number - KEPT)
        return number


async def advance(number: int, stage: str, done: int, of: int) -> bool:
    """Note how far it is; whether it is to stop, for its row is gone."""
    async with writing() as connection:
        held = await connection.fetchval(
            "UPDATE verification_run SET stage = $2, done = $3, of = $4, seen = clock_timestamp() WHERE id = $1"
            " RETURNING id",
            number,
            stage,
            done,
            of,
        )
        return held is None


async def finish(number: int, verdict: Verdict) -> None:
    """Keep what it came to."""
    async with writing() as connection:
        await connection.execute(
            "UPDATE verification_run SET state = 'done', verdict = $2, seen = clock_timestamp() WHERE id = $1",
            number,
            msgspec.json.encode(verdict).decode(),
        )


async def end(number: int, state: str) -> None:
    """It ended without a verdict: ``failed``, or ``lost`` with the worker that ran it."""
    async with writing() as connection:
        await connection.execute(
            "UPDATE verification_run SET state = $2 WHERE id = $1 AND state = 'running'", number, state
        )


async def latest(most: int) -> list[Run]:
    """The latest verifications, the last one first."""
    async with writing() as connection:
        rows = await connection.fetch(
            "SELECT id, at, owner, seals, stage, done, of, verdict,"  # noqa: S608  (our own words)
            f" CASE WHEN state = 'running' AND {_LOST} THEN 'lost' ELSE state END AS state"
            " FROM verification_run ORDER BY id DESC LIMIT $2",
            LOST_AFTER,
            most,
        )
    return [_run(dict(row)) for row in rows]


def _run(held: dict[str, Any]) -> Run:
    told = held.pop("verdict")
    return Run(
        **{
            **held,
            "at": held["at"].astimezone(get_current().timezone),
            "seals": _seals.decode(held["seals"]),
            "verdict": None if told is None else _verdict.decode(told),
        }
    )
