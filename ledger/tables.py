"""The ledger as rows (台账): subjects, relations, periods; events, entries and acts.

Events, entries and acts share one sequence of numbers without a gap and one chain of hashes; they
are written once. The head is one row; whoever posts holds its lock. The tables called present_…
hold what stands now, for the planner to read; they can be made anew from the rest at any time.
"""

from enum import StrEnum

from piccolo.columns import (
    BigInt,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    Numeric,
    OnDelete,
    Serial,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.readable import Readable
from piccolo.table import Table

AMOUNT = (24, 2)


class SubjectKind(StrEnum):
    """A unit or a person."""

    unit = "unit"
    person = "person"


class PeriodState(StrEnum):
    """Open, or closed: no entry is booked in it any more."""

    open = "open"
    closed = "closed"


class EntryKind(StrEnum):
    """What an entry is: a charge of its own event or period, or a difference to one."""

    direct = "direct"
    joint = "joint"
    period = "period"
    reversal = "reversal"
    adjustment = "adjustment"


class ActKind(StrEnum):
    """What somebody did; an event is what a system reported."""

    event = "event"
    retraction = "retraction"
    correction = "correction"
    publication = "publication"
    organisation = "organisation"
    periods = "periods"
    settlement = "settlement"
    closing = "closing"
    reopening = "reopening"
    appeal = "appeal"
    removal = "removal"


class AppealState(StrEnum):
    """How far an appeal is."""

    lodged = "lodged"
    answered = "answered"
    upheld = "upheld"
    partly = "partly"
    rejected = "rejected"
    withdrawn = "withdrawn"


class Head(Table, tablename="ledger_head"):
    """The ledger's head: how long the chain is, its last hash, and what is in force."""

    id = Integer(primary_key=True, default=1)
    length = BigInt(default=0)
    hash = Varchar(length=64, default="")
    organisation = Integer(default=0)
    periods = Integer(default=0)
    version = Integer(default=0)
    settled_through = Date(null=True, default=None)
    demonstration = Integer(default=0)


class Subject(Table, tablename="subject"):
    """A unit or a person (考评对象). Its name stands here only; everywhere else it is known by its code."""

    code = Varchar(length=64, primary_key=True, default=None)
    name = Text(default="")

    @classmethod
    def get_readable(cls) -> Readable:
        """Code and name."""
        return Readable(template="%s %s", columns=[cls.code, cls.name])


class SubjectPlace(Table, tablename="subject_place"):
    """What a subject is from a day on (None: from the beginning)."""

    id = Serial(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.restrict, null=False)
    since = Date(null=True, default=None)
    kind = Varchar(length=10, choices=SubjectKind)
    group_code = Varchar(length=64, null=True, default=None)
    unit = ForeignKey(Subject, on_delete=OnDelete.restrict, null=True, default=None)
    post = Varchar(length=64, null=True, default=None)


class Relation(Table, tablename="relation"):
    """For the subject, the relation is ``answers``, on days in [start, end)."""

    id = Serial(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.restrict, null=False)
    relation = Varchar(length=64)
    answers = ForeignKey(Subject, on_delete=OnDelete.restrict, null=False)
    indicator = Varchar(length=64, null=True, default=None)
    starts = Date(null=True, default=None)
    ends = Date(null=True, default=None)


class Period(Table, tablename="period"):
    """A period of assessment, [starts, ends).

    ``appeal_days`` are calendar days in which entries may be appealed; null: there are no appeals.
    """

    code = Varchar(length=64, primary_key=True, default=None)
    title = Text(default="")
    kind = Varchar(length=64)
    starts = Date()
    ends = Date()
    state = Varchar(length=10, default=PeriodState.open, choices=PeriodState)
    appeal_days = Integer(null=True, default=5)


class Event(Table, tablename="event"):
    """An event as it was recorded. ``data`` and ``parties`` are canonical JSON; ``version`` typed them."""

    number = BigInt(primary_key=True, default=None)
    source = Varchar(length=64)
    id = Varchar(length=200)
    type = Varchar(length=64)
    subject = Varchar(length=64)
    time = Timestamptz()
    recorded_at = Timestamptz(null=True, default=None)
    received_at = Timestamptz()
    matter = Text(null=True, default=None)
    parties = Text(default="{}")
    basis = Text(null=True, default=None)
    data = Text(default="{}")
    version = Integer()
    booked = Date()
    content_hash = Varchar(length=64)
    hash = Varchar(length=64)


class Entry(Table, tablename="entry"):
    """A difference posted (台账明细). ``detail`` is the arithmetic as it was made, as JSON."""

    number = BigInt(primary_key=True, default=None)
    kind = Varchar(length=12, choices=EntryKind)
    source = Varchar(length=64, null=True, default=None)
    event = Varchar(length=200, null=True, default=None)
    period = Varchar(length=64, null=True, default=None)
    rule = Varchar(length=64)
    version = Integer()
    subject = Varchar(length=64)
    indicator = Varchar(length=64, null=True, default=None)
    origin_rule = Varchar(length=64)
    origin_subject = Varchar(length=200)
    nominal = Numeric(digits=AMOUNT)
    posted = Numeric(digits=AMOUNT)
    booked = Date()
    cause_act = Varchar(length=16, choices=ActKind)
    cause = BigInt()
    detail = Text()
    hash = Varchar(length=64)


class Remark(Table, tablename="remark"):
    """Free text beside the chain (链外文字): the chain binds ``hash``, of salt and text; an act may remove both."""

    hash = Varchar(length=64, primary_key=True, default=None)
    salt = Varchar(length=32, null=True, default=None)
    text = Text(null=True, default=None)
    removed_by = BigInt(null=True, default=None)

    @classmethod
    def get_readable(cls) -> Readable:
        """The text."""
        return Readable(template="%s", columns=[cls.text])


class Attachment(Table, tablename="attachment"):
    """A file beside the chain (附件): the chain binds ``hash``, of salt, type, name and content.

    An act may remove them; ``size``, in bytes, and the type stay.
    """

    hash = Varchar(length=64, primary_key=True, default=None)
    salt = Varchar(length=32, null=True, default=None)
    name = Text(null=True, default=None)
    media_type = Varchar(length=100)
    size = BigInt()
    content = Bytea(null=True, default=None)
    removed_by = BigInt(null=True, default=None)


class Act(Table, tablename="act"):
    """An act: what somebody decided, its content as canonical JSON, and why: a text beside the chain.

    ``reason`` is how acts gave it before texts lay beside the chain; it is empty since.
    """

    number = BigInt(primary_key=True, default=None)
    kind = Varchar(length=16, choices=ActKind)
    at = Timestamptz()
    actor = Varchar(length=100)
    reason = Text(default="")
    remark = ForeignKey(Remark, on_delete=OnDelete.restrict, null=True, default=None)
    content = Text(default="{}")
    hash = Varchar(length=64)


class Appeal(Table, tablename="appeal"):
    """An appeal as it stands (申诉): its number is that of the act that lodged it; the others are of its later steps.

    It holds nothing of its own: it is folded from the acts (:mod:`ledger.appeals`), and can be made anew from them.
    """

    number = BigInt(primary_key=True, default=None)
    entry = BigInt(index=True)
    subject = Varchar(length=64, index=True)
    period = Varchar(length=64)
    state = Varchar(length=10, choices=AppealState)
    on_behalf = Boolean(default=False)
    answer = BigInt(null=True, default=None)
    decision = BigInt(null=True, default=None)
    withdrawal = BigInt(null=True, default=None)


class Snapshot(Table, tablename="snapshot"):
    """A closed period's figures (关账快照), numbered within the period; ``act`` is the closing, ``figures`` JSON."""

    id = Serial(primary_key=True)
    period = Varchar(length=64)
    number = Integer()
    act = BigInt()
    version = Integer(null=True, default=None)
    organisation = Integer()
    head = Varchar(length=64)
    figures = Text()
    hash = Varchar(length=64)


class SimulationState(StrEnum):
    """How far a simulation is. ``lost``: whoever ran it ended meanwhile."""

    running = "running"
    done = "done"
    cancelled = "cancelled"
    failed = "failed"
    lost = "lost"


class Simulation(Table, tablename="simulation"):
    """A simulation (试算): who asked what, how far it is, and what it came to. It is no act, and goes after a while.

    ``version`` is None for the draft, whose hash ``hash`` is; ``result`` is packed (:mod:`ledger.simulation`).
    ``seen`` is when whoever runs it last said so; ``cancelling``: it was asked to stop.
    """

    id = Serial(primary_key=True)
    at = Timestamptz()
    owner = Varchar(length=100)
    period = Varchar(length=64)
    version = Integer(null=True, default=None)
    starts = Timestamptz()
    hash = Varchar(length=64)
    state = Varchar(length=10, choices=SimulationState, default=SimulationState.running)
    stage = Varchar(length=10, default="waiting")
    done = Integer()
    of = Integer()
    seen = Timestamptz()
    cancelling = Boolean(default=False)
    result = Bytea(null=True, default=None)


class SimulationPage(Table, tablename="simulation_page"):
    """A page of the entries that a simulation would change, packed; ``number`` counts from 0."""

    id = Serial(primary_key=True)
    simulation = ForeignKey(Simulation, on_delete=OnDelete.cascade, null=False)
    number = Integer()
    entries = Bytea()


class VerificationState(StrEnum):
    """How far a verification is. ``lost``: whoever ran it ended meanwhile."""

    running = "running"
    done = "done"
    failed = "failed"
    lost = "lost"


class VerificationRun(Table, tablename="verification_run"):
    """A verification that was started on the page (核验记录): by whom and when, how far it is, what it came to.

    ``seals`` and ``verdict`` are JSON; ``seen`` is when whoever runs it last said so. It is no act.
    """

    id = Serial(primary_key=True)
    at = Timestamptz()
    owner = Varchar(length=100)
    seals = Text(default="[]")
    state = Varchar(length=10, choices=VerificationState, default=VerificationState.running)
    stage = Varchar(length=10, default="chain")
    done = Integer()
    of = Integer()
    seen = Timestamptz()
    verdict = Text(null=True, default=None)


APPEND_ONLY: tuple[type[Table], ...] = (Event, Entry, Act, Snapshot)
"""Written once: the database refuses the application every change and removal."""

REMOVABLE: tuple[type[Table], ...] = (Remark, Attachment)
"""Written once as well, but an act that the chain holds may remove what they say; the row and its hash stay."""

LEDGER_TABLES: tuple[type[Table], ...] = (
    *(Head, Subject, SubjectPlace, Relation, Period),
    *(Event, Entry, Remark, Attachment, Act, Snapshot, Appeal),
    *(Simulation, SimulationPage, VerificationRun),
)
