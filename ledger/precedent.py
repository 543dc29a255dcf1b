"""A precedent (成例): a past event made into a case, with what the ledger says it came to and what the draft comes to.

The case holds the event, the organisation of its local date as far as responsibility may reach from it (its subject,
its parties, those who answer by the relations that rules name, the units of the persons among them), and the periods
that contain that date. It says nothing that does not score: no text beside the chain, no basis, no person's name.

What other events did to this one (room under a limit that they used, a matter that counts another one, a repetition)
is not in the case, so that the two outcomes may differ though the rules are the same: a person says which is meant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from engine.amount import ZERO
from engine.bureau import Bureau
from engine.event import EventKey
from engine.finding import Refused
from engine.organisation import TIMEZONE, Organisation
from engine.rulebook import EventRule, JointRule, Rule, Rulebook, VetoRule
from engine.scalar import Raw
from ledger.charges import rows_of_event, view_charges
from ledger.current import Connection, get_current
from ledger.reading import EventView, find_event, reading, view_event
from ledger.sight import EVERYTHING
from ledger.tables import Subject
from rules.case import read_case
from rules.checking import RegisterClerk
from rules.kept_cases import plain
from rules.place import Findings, Place
from rules.rows import Document
from rules.trace import vetoing
from rules.writing import amount


class Sum(NamedTuple):
    """What a rule came to for a subject."""

    rule: str
    subject: str
    points: Decimal


class Total(NamedTuple):
    """The total to which a veto held a subject, the case's event being all that happened."""

    rule: str
    subject: str
    total: Decimal


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an event came to; ``totals`` are those of the shortest period around it."""

    sums: tuple[Sum, ...] = ()
    totals: tuple[Total, ...] = ()


class Precedent(msgspec.Struct, frozen=True, kw_only=True):
    """``case`` lacks its name and what it expects; ``period`` is the shortest of its periods.

    ``ledger``: what the event came to there, before it was withdrawn if it was; totals are reckoned by the version
    that rules it, for the ledger's hold what else happened. ``draft``: what the case comes to under the draft, None
    where that could not be told; ``refused``: the draft does not take the event. ``beside``: the ledger says that
    other events counted.
    """

    event: EventView
    case: Document
    period: str | None
    ledger: Outcome
    draft: Outcome | None = None
    refused: Refused | None = None
    beside: bool = False


async def make_precedent(key: EventKey, draft: Rulebook | None) -> Precedent:
    """The case of a past event; Unknown where it was never recorded. No draft: it could not be read as a whole."""
    current = get_current()
    async with reading() as connection:
        row = await find_event(connection, key)
        event = view_event(row)
        posted = tuple(await _posted(connection, key))
        charges = view_charges(await rows_of_event(connection, key), EVERYTHING)
        bureau = current.bureau
        ruling = bureau.version_at(row["time"])
        rulebooks = [each for each in (draft, None if ruling is None else ruling.rulebook) if each is not None]
        around = _Around(bureau.organisation, bureau.day(row["time"]), rulebooks)
        codes = around.reach(event, (each.subject for each in posted))
        names = await _names(connection, codes)
    case = plain(_write(event, bureau, around, codes, names))
    shortest = bureau.calendar.shortest(around.day)
    period = None if shortest is None else shortest.code
    by_version = None if ruling is None else _reckon(case, period, ruling.rulebook)
    held = by_version.totals if isinstance(by_version, Outcome) else ()
    by_draft = None if draft is None else _reckon(case, period, draft)
    return Precedent(
        event=event,
        case=case,
        period=period,
        ledger=Outcome(sums=posted, totals=held),
        draft=by_draft if isinstance(by_draft, Outcome) else None,
        refused=by_draft if isinstance(by_draft, Refused) else None,
        beside=any(each.superseded or each.clipped for each in charges.items),
    )


def with_expectation(made: Precedent, name: str, outcome: Outcome | None) -> Any:
    """The case under that name, expecting this outcome; None: that the event is refused."""
    event = _event_of(made.case)
    expect: Document = {
        "posted": [
            {"event": event["id"], "rule": each.rule, "subject": each.subject, "points": amount(each.points)}
            for each in (outcome.sums if outcome is not None else ())
        ]
    }
    if outcome is None:
        expect["refused"] = [{"id": event["id"]}]
    elif outcome.totals:
        expect["period"] = made.period
        expect["totals"] = {each.subject: amount(each.total) for each in outcome.totals}
    return plain({"case": name, **made.case, "steps": [{"event": event}, {"expect": expect}]})


def _event_of(case: Document) -> Any:
    steps: Any = case["steps"]
    return steps[0]["event"]


def _reckon(tree: Document, period: str | None, rulebook: Rulebook) -> Outcome | Refused | None:
    """What the case comes to under the rulebook, or why that refuses its event; None where it cannot be read so."""
    findings = Findings()
    case = read_case(Place({"case": "-", **tree}, findings), None, rulebook)
    if findings.errors:
        return None
    try:
        clerk = RegisterClerk(case)
        clerk.record(_event_of(tree))
    except Refused as refused:
        return refused
    sums = tuple(Sum(key.rule, key.subject, points) for key, points in sorted(clerk.sums().items()) if points)
    return Outcome(sums=sums, totals=() if period is None else tuple(_held(clerk, period)))


def _held(clerk: RegisterClerk, period: str) -> Iterator[Total]:
    """Whom vetoes hold down, and to what."""
    tallies = None
    for held in clerk.register.held.values():
        for rule, subjects in vetoing(clerk.register, held.recorded.event):
            tallies = tallies or clerk.figures(period)
            for subject in subjects:
                if (tally := tallies.get(subject)) is not None and tally.total is not None:
                    yield Total(rule, subject, tally.total)


async def _posted(connection: Connection, key: EventKey) -> list[Sum]:
    """What the ledger has; a reversal takes back what a withdrawn event had come to, and does not count here."""
    rows = await connection.fetch(
        "SELECT rule, subject, sum(posted) AS posted FROM entry WHERE source = $1 AND event = $2 AND kind <> 'reversal'"
        " GROUP BY rule, subject ORDER BY rule, subject",
        *key,
    )
    return [Sum(row["rule"], row["subject"], row["posted"]) for row in rows if row["posted"] != ZERO]


async def _names(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    columns = f"{Subject.code._meta.name}, {Subject.name._meta.name}"
    rows = await connection.fetch(f"SELECT {columns} FROM subject WHERE code = ANY($1)", list(codes))  # noqa: S608
    return {row["code"]: row["name"] for row in rows}


class _Around:
    """Who stands around an event on a day, by the relations that these rulebooks name."""

    def __init__(self, organisation: Organisation, day: date, rulebooks: Sequence[Rulebook]) -> None:
        self.organisation = organisation
        self.day = day
        self.relations: list[tuple[str, str, str, str | None]] = []
        self._named = {name for rulebook in rulebooks for name in _relations_of(rulebook)}
        named = any(_charge_of(rule) != "subject" for rulebook in rulebooks for rule in rulebook.rules)
        self._depth = max((rulebook.joint.depth for rulebook in rulebooks), default=1) + named

    def reach(self, event: EventView, more: Iterable[str]) -> list[str]:
        """The subjects that a charge of the event may reach, and the units of the persons among them."""
        known: dict[str, None] = dict.fromkeys(
            (event.subject, *(code for codes in event.parties.values() for code in codes))
        )
        edge = list(known)
        for _ in range(self._depth):
            reached: dict[str, None] = {}
            for code in edge:
                reached |= dict.fromkeys(self._from(code, event))
            edge = [code for code in reached if code not in known]
            known |= reached
        known |= dict.fromkeys(more)
        known = {code: None for code in known if code in self.organisation}
        units = (self.organisation.on(code, self.day).unit for code in list(known))
        return list(known | dict.fromkeys(unit for unit in units if unit is not None and unit in self.organisation))

    def _from(self, code: str, event: EventView) -> Iterator[str]:
        for relation in self.organisation.relations:
            if relation.subject != code or relation.relation not in self._named or not relation.in_force(self.day):
                continue
            if code == event.subject and relation.relation in event.parties:
                continue
            said = (relation.subject, relation.relation, relation.answers, relation.indicator)
            if said not in self.relations:
                self.relations.append(said)
            yield relation.answers


def _relations_of(rulebook: Rulebook) -> Iterator[str]:
    for rule in rulebook.rules:
        if isinstance(rule, JointRule):
            yield rule.joint
        elif (charge := _charge_of(rule)) != "subject":
            yield charge


def _charge_of(rule: Rule) -> str:
    return rule.charge if isinstance(rule, (EventRule, VetoRule)) else "subject"


def _write(
    event: EventView, bureau: Bureau, around: _Around, codes: Sequence[str], names: Mapping[str, str]
) -> Document:
    timezone = str(get_current().timezone)
    tree: Document = {}
    if timezone != str(TIMEZONE):
        tree["timezone"] = timezone
    tree["subjects"] = [_subject(bureau, code, around.day, names.get(code, "")) for code in codes]
    relations: list[Raw] = [
        _given(subject=one, relation=name, answers=other, indicator=on) for one, name, other, on in around.relations
    ]
    periods: list[Raw] = [
        _given(code=each.code, title=each.title, kind=each.kind, **{"from": each.start, "to": each.end})
        for each in bureau.calendar.periods.values()
        if each.contains(around.day)
    ]
    if relations:
        tree["relations"] = relations
    if periods:
        tree["periods"] = periods
    return tree | {"steps": [{"event": _event(event)}]}


def _subject(bureau: Bureau, code: str, day: date, name: str) -> Document:
    place = bureau.organisation.on(code, day)
    return _given(
        code=code,
        name=name if place.kind == "unit" else None,
        kind=place.kind,
        group=place.group,
        unit=place.unit,
        post=place.post,
    )


def _event(event: EventView) -> Document:
    tree = _given(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=event.time.isoformat(),
        recorded_at=None if event.recorded_at is None else event.recorded_at.isoformat(),
        matter=event.matter,
    )
    if event.parties:
        tree["parties"] = {name: list(codes) for name, codes in event.parties.items()}
    return tree | ({"data": dict(event.data)} if event.data else {})


def _given(**values: Any) -> dict[str, Raw]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items() if value}
