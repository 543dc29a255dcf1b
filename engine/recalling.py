"""Recalling (忆及): which earlier event one repeats once a change is made, as planning asks.

It holds nothing of what is planned, so that the scenes that hold it are freed with their plan.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from engine.book import Reader
from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import Event, EventKey
from engine.recurrence import Recurrence, recurrence_of
from engine.rulebook import Repeat
from engine.turn import order_of


class Recalling:
    """What stands after a change, as far as repetitions go: the present, less what goes, and what comes."""

    def __init__(
        self, bureau: Bureau, reader: Reader, anew: Iterable[Recorded], withdrawn: Collection[EventKey]
    ) -> None:
        self._bureau = bureau
        self._reader = reader
        self._anew = {each.event.key: each.event for each in anew}
        self._withdrawn = withdrawn
        self._recurring: dict[tuple[str, ...], dict[Recurrence, list[Event]]] = {}

    def recall(self, event: Event, repeat: Repeat) -> EventKey | None:
        """The latest event that stands after the change and that this one repeats."""
        recurrence = recurrence_of(event, repeat.same)
        if recurrence is None:
            return None
        order = order_of(event)
        rivals = [each for each in self._coming(repeat.same).get(recurrence, ()) if order_of(each) < order]
        latest = max(rivals, key=order_of, default=None)
        known = self._reader.recalled(recurrence, order)
        while known is not None and (latest is None or order_of(known) > order_of(latest)):
            if known.key not in self._withdrawn and known.key not in self._anew:
                latest = known
                break
            known = self._reader.recalled(recurrence, order_of(known))
        if latest is None:
            return None
        near = self._bureau.day(event.time) - self._bureau.day(latest.time) <= timedelta(days=repeat.within_days)
        return latest.key if near else None

    def _coming(self, same: tuple[str, ...]) -> dict[Recurrence, list[Event]]:
        if same not in self._recurring:
            found = self._recurring[same] = {}
            for event in self._anew.values():
                recurrence = recurrence_of(event, same)
                if recurrence is not None:
                    found.setdefault(recurrence, []).append(event)
        return self._recurring[same]
