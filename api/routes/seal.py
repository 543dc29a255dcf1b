"""The chain (台账链) to those outside: its seal, to be noted elsewhere, and its records, to be recomputed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import QueryParameter
from litestar.response import Stream

from api.authorization import Caller, Forbidden, caller_of, needs
from api.database import borrowed
from engine.finding import Finding, Refused
from engine.language import message
from ledger.difference import Seal
from ledger.records import BLOCK, read_lines
from ledger.seal import read_seal

From = Annotated[int | None, QueryParameter(name="from", description="起始编号，含 / the first number")]
To = Annotated[int | None, QueryParameter(name="to", description="截止编号，含 / the last number")]


@get("/ledger/seal", guards=[needs("entries:read")], tags=["台账 entries"])
async def get_seal() -> Seal:
    """封印 / the chain's length and head."""
    async with borrowed() as connection:
        return await read_seal(connection)


@get("/ledger/records", guards=[needs("entries:read")], tags=["台账 entries"])
async def get_records(request: Request[Any, Any, Any], first: From = None, last: To = None) -> Stream:
    """链上记录 / the records of the chain in order, one JSON text a line."""
    check_whole(caller_of(request))
    async with borrowed() as connection:
        length = (await read_seal(connection)).length
    for name, number in (("from", first), ("to", last)):
        if number is not None and number < 1:
            raise Refused(Finding(path=name, message=message("records.number")))
    lines = _lines(first or 1, min(last or length, length))
    return Stream(lines, media_type="application/x-ndjson")


def check_whole(caller: Caller) -> None:
    """Forbidden to those who see a part of the ledger only."""
    if not caller.sight.whole:
        raise Forbidden(message("records.whole"))


async def _lines(first: int, last: int) -> AsyncIterator[bytes]:
    """A block at a time, each on a connection of its own: what is recorded stays, and a slow reader holds up nobody."""
    for begun in range(first, last + 1, BLOCK):
        async with borrowed() as connection:
            lines = [block async for block in read_lines(connection, begun, min(begun + BLOCK - 1, last))]
        yield b"".join(lines)
