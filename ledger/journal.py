"""The journal (流水): records on their way into the chain, in one transaction.

What is added gets the next number and hash at once and is kept until it is copied into its table; a record's row is
what a reader of the table finds. Texts that the chain binds by their hash alone lie beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from engine.charge import Act as ActKind
from engine.charge import Cause, ChargeKey, Entry, Hop, Recorded, Room, Step
from engine.report import canonical_json, hash_content, write_event
from ledger.attachment import Attachment
from ledger.chain import link
from ledger.current import Connection, Head
from ledger.remark import Remark
from ledger.tables import Act as ActTable
from ledger.tables import Entry as EntryTable
from ledger.tables import Event as EventTable

CENT = Decimal("0.01")

Row: TypeAlias = Mapping[str, Any]
"""A record as a row of its table, by column."""

EVENT_COLUMNS, ENTRY_COLUMNS, ACT_COLUMNS = (
    tuple(column._meta.db_column_name for column in table._meta.columns) for table in (EventTable, EntryTable, ActTable)
)


class Detail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The arithmetic of an entry, as it was made."""

    path: tuple[Hop, ...] = ()
    arithmetic: tuple[Step, ...] = ()
    rooms: tuple[Room, ...] = ()
    used_by: Mapping[str, Sequence[ChargeKey]] = {}
    superseded_by: ChargeKey | None = None


class Journal:
    """What one transaction adds behind the head, which moves with it."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self.events: list[Row] = []
        self.entries: list[Row] = []
        self.acts: list[Row] = []
        self._remarks: list[Remark] = []
        self._attachments: list[Attachment] = []

    def add_event(self, recorded: Recorded, version: int, received_at: datetime) -> Row:
        """Add an event, ruled by the version of that number."""
        event = recorded.event
        tree = write_event(event)
        row = {
            "number": self._head.length + 1,
            "source": event.source,
            "id": event.id,
            "type": event.type,
            "subject": event.subject,
            "time": event.time.astimezone(UTC),
            "recorded_at": None if event.recorded_at is None else event.recorded_at.astimezone(UTC),
            "received_at": received_at,
            "matter": event.matter,
            "parties": canonical_json(tree.get("parties", {})).decode(),
            "basis": event.basis,
            "data": canonical_json(tree.get("data", {})).decode(),
            "version": version,
            "booked": recorded.booked,
            "content_hash": hash_content(tree),
        }
        self._chain("event", row)
        self.events.append(row)
        return row

    def add_entry(self, entry: Entry, cause: Cause, used_by: Mapping[str, Sequence[ChargeKey]]) -> Row:
        """Add an entry, with who had used the room that it did not find, by limit."""
        charge = entry.charge
        detail = Detail(
            path=charge.path,
            arithmetic=charge.arithmetic,
            rooms=entry.rooms,
            used_by=used_by,
            superseded_by=entry.superseded_by,
        )
        row = {
            "number": self._head.length + 1,
            "kind": entry.kind,
            "source": charge.key.source or None,
            "event": charge.key.id if charge.key.source else None,
            "period": None if charge.key.source else charge.key.id,
            "rule": charge.key.rule,
            "version": charge.version,
            "subject": charge.key.subject,
            "indicator": charge.indicator,
            "origin_rule": charge.key.origin_rule,
            "origin_subject": charge.key.origin_subject,
            # As the column writes them: the chain is of what a reader of the table finds.
            "nominal": entry.nominal.quantize(CENT),
            "posted": entry.posted.quantize(CENT),
            "booked": entry.booked,
            "cause_act": cause.act,
            "cause": cause.number,
            "detail": msgspec.json.encode(detail).decode(),
        }
        self._chain("entry", row)
        self.entries.append(row)
        return row

    def add_act(self, kind: ActKind, content: Mapping[str, Any], reason: str, actor: str, at: datetime) -> int:
        """Add an act; its number."""
        row = {
            "number": self._head.length + 1,
            "kind": kind,
            "at": at,
            "actor": actor,
            "reason": "",
            "remark": self._note(reason),
            "content": canonical_json(content).decode(),
        }
        self._chain("act", row)
        self.acts.append(row)
        return self._head.length

    def attach(self, attachment: Attachment) -> None:
        """Lay an attachment beside the chain; an act binds it by naming its hash."""
        self._attachments.append(attachment)

    def _note(self, text: str) -> str | None:
        """Lay a text beside the chain; the hash by which the chain binds it. An empty text is none."""
        if not text:
            return None
        remark = Remark.of(text)
        self._remarks.append(remark)
        return remark.hash

    def _chain(self, table: str, row: dict[str, Any]) -> None:
        self._head.hash = row["hash"] = link(self._head.hash, {"record": table, **row})
        self._head.length += 1

    async def write(self, connection: Connection) -> None:
        """Copy everything that was added since."""
        # All is taken at once: what is added meanwhile is written whole the next time, no act before its remark.
        taken = (
            ("event", EVENT_COLUMNS, _tuples(EVENT_COLUMNS, self.events)),
            ("entry", ENTRY_COLUMNS, _tuples(ENTRY_COLUMNS, self.entries)),
            ("remark", Remark._fields, list(self._remarks)),
            ("attachment", Attachment._fields, list(self._attachments)),
            ("act", ACT_COLUMNS, _tuples(ACT_COLUMNS, self.acts)),
        )
        for buffer in (self.events, self.entries, self._remarks, self._attachments, self.acts):
            buffer.clear()
        for table, columns, rows in taken:
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=columns)


def _tuples(columns: Sequence[str], rows: Sequence[Row]) -> Sequence[tuple[Any, ...]]:
    return list(map(itemgetter(*columns), rows))
