"""The seal (封印): how long the chain is and its last hash, to be noted elsewhere."""

import msgspec
from litestar import get

from api.authorization import needs
from api.database import borrowed


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The chain's length and head."""

    length: int
    head: str


@get("/ledger/seal", guards=[needs("entries:read")], tags=["台账 entries"])
async def get_seal() -> Seal:
    """封印 / the chain's length and head."""
    async with borrowed() as connection:
        row = await connection.fetchrow("SELECT length, hash FROM ledger_head")
    return Seal(length=row["length"], head=row["hash"])
