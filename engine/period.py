"""Periods (考评期) and booking dates.

A charge is booked on the local date of its event. Where that date lies in a closed period, it is
booked on the first day of the earliest open period of the same kind that begins after it
(上期调整). A booking date is fixed when the event is recorded.

How long entries may be appealed (申诉期) is a period's own setting; the window itself is reckoned in
:mod:`ledger.windows`.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from engine.finding import Finding, Refused
from engine.language import message

APPEAL_DAYS = 5
"""Calendar days in which entries of a period may be appealed, where the office says nothing else."""
MOST_APPEAL_DAYS = 366


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A period of assessment, ``[start, end)``, of a kind (month, quarter … the office's word).

    ``appeal_days`` are calendar days, 0 to 366; None: no appeals; unset: as declared before, else five.
    """

    code: str
    title: str = ""
    kind: str
    start: date
    end: date
    state: Literal["open", "closed"] = "open"
    appeal_days: int | msgspec.UnsetType | None = msgspec.UNSET

    def contains(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.start <= day < self.end

    @property
    def last_day(self) -> date:
        """The period's last day: what is charged for the period as a whole is booked on it."""
        return self.end - timedelta(days=1)

    @property
    def days_to_appeal(self) -> int | None:
        """Calendar days in which its entries may be appealed; None: they may not."""
        return APPEAL_DAYS if isinstance(self.appeal_days, msgspec.UnsetType) else self.appeal_days

    def succeeding(self, before: "Period | None") -> "Period":
        """The period as it is after being declared again: its state stays, and what is left out is kept."""
        if before is None:
            return self
        kept = before.appeal_days if isinstance(self.appeal_days, msgspec.UnsetType) else self.appeal_days
        return msgspec.structs.replace(self, state=before.state, appeal_days=kept)


class Calendar:
    """The declared periods. Immutable once made."""

    def __init__(self, periods: Iterable[Period] = ()) -> None:
        self.periods = {period.code: period for period in periods}
        self._containing: dict[date, list[Period]] = {}

    def find(self, code: str) -> Period:
        """The declared period of that code; Refused where there is none."""
        period = self.periods.get(code)
        if period is None:
            raise Refused(Finding(message=message("period.unknown", period=code)))
        return period

    def containing(self, day: date) -> Sequence[Period]:
        """The periods that contain the day, the shortest first."""
        found = self._containing.get(day)
        if found is None:
            found = [period for period in self.periods.values() if period.contains(day)]
            found.sort(key=lambda period: (period.end - period.start, period.start, period.code))
            self._containing[day] = found
        return found

    def shortest(self, day: date) -> Period | None:
        """The shortest period that contains the day."""
        found = self.containing(day)
        return found[0] if found else None

    def previous(self, period: Period) -> Period | None:
        """The latest period of the same kind that begins earlier."""
        earlier = [each for each in self.periods.values() if each.kind == period.kind and each.start < period.start]
        return max(earlier, key=lambda each: (each.start, each.code), default=None)

    def closed(self, day: date) -> bool:
        """Whether any period that contains the day is closed."""
        return any(period.state == "closed" for period in self.containing(day))

    def book(self, day: date) -> date | None:
        """The booking date for what happened on that day; None where no open period can take it.

        Of several closed periods that contain it the shortest is asked first for what follows it, then the longer.
        """
        closed = [period for period in self.containing(day) if period.state == "closed"]
        if not closed:
            return day
        for kind in dict.fromkeys(period.kind for period in closed):
            following = [
                period.start
                for period in self.periods.values()
                if period.kind == kind and period.state == "open" and period.start > day
            ]
            openings = [start for start in following if not self.closed(start)]
            if openings:
                return min(openings)
        return None
