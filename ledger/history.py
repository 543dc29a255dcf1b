"""The history (沿革): what was in force at each record, folded from the acts alone.

The tables of the organisation and the periods, the versions and the present say what is in force now;
the acts say how it came about. Verification trusts the acts, which the chain binds, and holds the
tables to them. An act of a kind that puts nothing in force changes nothing here.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from engine.bureau import Bureau
from engine.organisation import Organisation, Place, Relation, Subject
from engine.period import Calendar, Period


class ActRow(NamedTuple):
    """An act as the ledger has it."""

    number: int
    kind: str
    at: datetime
    actor: str
    reason: str
    remark: str | None
    content: str
    hash: str


ACT_ROW = "SELECT number, kind, at, actor, reason, remark, content, hash FROM act ORDER BY number"


class Era(NamedTuple):
    """From the act of that number on this bureau is in force; how often organisation and periods changed so far."""

    number: int
    bureau: Bureau
    organisation: int
    periods: int


class Unreadable(Exception):
    """An act whose content does not say what acts of its kind say."""

    def __init__(self, act: ActRow) -> None:
        super().__init__(act.number)
        self.act = act


class History:
    """The acts of a ledger, folded. ``documents`` are the published rulebooks by version number."""

    def __init__(self, timezone: ZoneInfo, documents: Mapping[int, Any]) -> None:
        self.eras = [Era(0, Bureau(organisation=Organisation(timezone=timezone)), 0, 0)]
        self.withdrawn: dict[int, int] = {}
        """The number of an event that was withdrawn, and of the act that did it."""
        self.periodical: list[ActRow] = []
        """Settlements and closings, in order."""
        self._documents = documents
        self._numbers: list[int] = []

    @classmethod
    def fold(cls, acts: Iterable[ActRow], timezone: ZoneInfo, documents: Mapping[int, Any]) -> "History":
        """Fold acts that are given in order."""
        history = cls(timezone, documents)
        for act in acts:
            try:
                history._carry_out(act, msgspec.json.decode(act.content))
            except (KeyError, IndexError, TypeError, ValueError, msgspec.MsgspecError) as error:
                raise Unreadable(act) from error
        history._numbers = [era.number for era in history.eras]
        return history

    @property
    def now(self) -> Era:
        """What is in force after the last act."""
        return self.eras[-1]

    def before(self, number: int) -> Era:
        """What was in force when the record of that number was written."""
        return self.eras[max(0, bisect_left(self._numbers, number) - 1)]

    def after(self, number: int) -> Era:
        """What an act of that number led to."""
        return self.before(number + 1)

    def stood(self, event: int, number: int) -> bool:
        """Whether an event stood when the record of that number was written."""
        return event < number and self.withdrawn.get(event, number) >= number

    def _carry_out(self, act: ActRow, content: Any) -> None:
        match act.kind:
            case "retraction" | "correction":
                self.withdrawn[int(content["event"])] = act.number
            case "publication":
                self._put_in_force(act, versions=(*self.now.bureau.versions, self._documents[int(content["version"])]))
            case "organisation":
                self._put_in_force(act, organisation=_reorganised(self.now.bureau.organisation, content))
            case "periods":
                self._put_in_force(act, calendar=_declared(self.now.bureau.calendar, content))
            case "closing" | "reopening":
                if act.kind == "closing":
                    self.periodical.append(act)
                state = "closed" if act.kind == "closing" else "open"
                self._put_in_force(act, calendar=_turned(self.now.bureau.calendar, content["period"], state))
            case "settlement":
                self.periodical.append(act)
                self._put_in_force(act, settled_through=date.fromisoformat(content["through"]))

    def _put_in_force(self, act: ActRow, **changed: Any) -> None:
        bureau = msgspec.structs.replace(self.now.bureau, **changed)
        organisation = self.now.organisation + ("organisation" in changed)
        self.eras.append(Era(act.number, bureau, organisation, self.now.periods + ("calendar" in changed)))


def _reorganised(before: Organisation, content: Any) -> Organisation:
    subjects = dict(before.subjects)
    for each in content["subjects"]:
        subjects[each["code"]] = Subject(code=each["code"], places=msgspec.convert(each["places"], tuple[Place, ...]))
    relations = {relation.identity: relation for relation in before.relations}
    for relation in msgspec.convert(content["relations"], list[Relation]):
        relations[relation.identity] = relation
    return Organisation(subjects.values(), relations.values(), before.timezone)


def _declared(before: Calendar, content: Any) -> Calendar:
    known = dict(before.periods)
    for period in msgspec.convert(content["periods"], list[Period]):
        earlier = known.get(period.code)
        known[period.code] = period if earlier is None else msgspec.structs.replace(period, state=earlier.state)
    return Calendar(known.values())


def _turned(before: Calendar, code: str, state: str) -> Calendar:
    turned = msgspec.structs.replace(before.periods[code], state=state)
    return Calendar({**before.periods, code: turned}.values())


def instant(at: datetime) -> str:
    """An instant as people and the chain write it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
