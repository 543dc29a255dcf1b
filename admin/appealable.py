"""Whether an entry can be appealed (可否申诉): what its page says, and until which day."""

import msgspec

from admin.parties import lodges
from admin.session import Person
from engine.finding import Refused
from engine.language import Message, message
from ledger.appeals import OPEN
from ledger.cases import AppealRow
from ledger.reading import EntryView, reading
from ledger.windows import Window, find_window, today


class Appealable(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody may appeal an entry now, until when it can be, and why not."""

    may: bool
    window: Window | None
    why: Message | None = None


async def appealable(person: Person, entry: EntryView, lodged: tuple[AppealRow, ...]) -> Appealable:
    """What the page of an entry says about appealing it."""
    own = lodges(person, entry.subject)
    async with reading() as connection:
        try:
            window = await find_window(connection, {"number": entry.id, "booked": entry.booked})
        except Refused as refused:
            return Appealable(may=False, window=None, why=refused.findings[0].message)
    if not window.contains(today()):
        return Appealable(may=False, window=window, why=message("appeal.over", until=window.until))
    for each in lodged:
        if each.state in OPEN:
            return Appealable(may=False, window=window, why=message("appeal.open_already", number=each.number))
    return Appealable(may=own, window=window)
