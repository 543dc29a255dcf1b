"""Rereading (重读事件): events as they were recorded, typed by a version, many of them fast.

What was stored is in its one normal form and reads in one pass; anything else goes the long way by
:func:`ledger.present.read_recorded`, and comes to the same event.
"""

from collections.abc import Mapping
from decimal import InvalidOperation
from typing import Any

import msgspec

from engine.bureau import Bureau
from engine.charge import Recorded
from engine.decoding import Decoder
from engine.event import Event
from engine.finding import Refused
from engine.rulebook import Version
from engine.scalar import Unfit
from ledger.present import read_recorded

COLUMNS = "number, source, id, type, subject, time, recorded_at, matter, parties, basis, data, booked"
"""What rereading needs of an event's row."""

_parties = msgspec.json.Decoder(dict[str, tuple[str, ...]])


class NoLongerFits(Exception):
    """An event that the version which rules it cannot type."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Rereader:
    """Reads the events of a ledger as a bureau now types them."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._decoder = Decoder(bureau)

    def reread(self, row: Mapping[str, Any], version: Version | None = None) -> tuple[Recorded, Version]:
        """An event's row as it stands, and the version that rules it, unless that is known already."""
        version = version or self._bureau.version_at(row["time"])
        known = self._bureau.organisation
        if version is None or row["type"] not in version.rulebook.event_types or row["subject"] not in known:
            raise NoLongerFits(row["number"])
        try:
            parties = {} if row["parties"] == "{}" else _parties.decode(row["parties"])
            data = self._decoder.data(version, row["type"], msgspec.Raw(row["data"].encode()))
        except (msgspec.MsgspecError, Unfit, InvalidOperation):
            return self._slowly(row), version
        if any(code not in known for codes in parties.values() for code in codes):
            raise NoLongerFits(row["number"])
        event = Event(
            source=row["source"],
            id=row["id"],
            type=row["type"],
            subject=row["subject"],
            time=row["time"],
            recorded_at=row["recorded_at"],
            matter=row["matter"],
            parties=parties,
            basis=row["basis"],
            data=data,
        )
        return Recorded(event=event, booked=row["booked"], number=row["number"]), version

    def _slowly(self, row: Mapping[str, Any]) -> Recorded:
        try:
            return read_recorded(row, self._bureau)
        except (Refused, LookupError, ValueError, msgspec.MsgspecError) as error:
            raise NoLongerFits(row["number"]) from error
