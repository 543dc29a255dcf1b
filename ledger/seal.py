"""The seal (封印): how long the chain is and its last hash, to be noted elsewhere, and read back from there."""

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from ledger.current import Connection
from ledger.difference import Seal


async def read_seal(connection: Connection) -> Seal:
    """The seal of the chain as it now is."""
    row = await connection.fetchrow("SELECT length, hash FROM ledger_head")
    return Seal(length=row["length"], head=row["hash"])


def parse_seals(text: bytes) -> tuple[Seal, ...]:
    """Seals as they were noted, one a line, or one alone over several lines. Refused where they are none."""
    for read in (_alone, _lines):
        try:
            found = read(text)
        except msgspec.MsgspecError:
            continue
        if found and all(each.length >= 0 for each in found):
            return tuple(found)
    raise Refused(Finding(message=message("seal.expected")))


def _alone(text: bytes) -> list[Seal]:
    return [msgspec.json.decode(text, type=Seal)]


def _lines(text: bytes) -> list[Seal]:
    return [msgspec.json.decode(line, type=Seal) for line in text.splitlines() if line.strip()]
