"""The rulebook as rows (规则草稿), and the versions that were published (规则版本).

There is one draft. Its rows stand in document order by ``place``. What belongs to a rule goes
with it; what a rule names (an event type, an indicator, a limit, another rule) cannot be deleted
while it is named. Parts of a document that have no rows of their own are kept as JSON text beside
them, so that a document goes in and comes out whole. Numbers are exact, and keep the digits that
were written.
"""

from enum import StrEnum
from typing import Any

from piccolo.columns import (
    Array,
    Boolean,
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
from piccolo.constraints import Unique
from piccolo.table import Table


class JointBasis(StrEnum):
    """What joint shares are taken of."""

    nominal = "nominal"
    posted = "posted"


class Late(StrEnum):
    """What becomes of an event of a closed period."""

    carry = "carry"
    refuse = "refuse"


class FieldType(StrEnum):
    """The type of an event's field."""

    text = "text"
    choice = "choice"
    choices = "choices"
    integer = "integer"
    decimal = "decimal"
    boolean = "boolean"
    date = "date"
    datetime = "datetime"


class DayCalendar(StrEnum):
    """Which days count."""

    all = "all"
    working = "working"


class Sign(StrEnum):
    """Bonuses, deductions, or both."""

    bonus = "bonus"
    deduction = "deduction"
    both = "both"


class Window(StrEnum):
    """The window of a limit."""

    event = "event"
    month = "month"
    quarter = "quarter"
    half = "half"
    year = "year"
    period = "period"


class RuleKind(StrEnum):
    """The kinds of rule."""

    event = "event"
    joint = "joint"
    differentiation = "differentiation"
    progress = "progress"
    veto = "veto"


class PointsKind(StrEnum):
    """How an event rule's points are found."""

    fixed = "fixed"
    table = "table"
    bands = "bands"
    progressive = "progressive"
    share = "share"


class Matter(StrEnum):
    """Of several charges for one matter, the highest, or each."""

    each = "each"
    highest = "highest"


class Split(StrEnum):
    """A joint share for each who answers, or one share divided among them."""

    each = "each"
    pro_rata = "pro_rata"


class FactorKind(StrEnum):
    """What a factor multiplies by."""

    condition = "condition"
    field = "field"
    table = "table"
    repeat = "repeat"


class Draft(Table, tablename="draft"):
    """The draft's settings: one row, its id 1. ``*_json`` hold what has no rows of its own."""

    id: Serial
    code = Varchar(length=64)
    title = Text()
    effective = Timestamptz(null=True, default=None)
    base: Any = Numeric(null=True, default=None)
    joint_depth = Integer(null=True, default=None)
    joint_basis = Varchar(length=16, choices=JointBasis, null=True, default=None)
    late = Varchar(length=16, choices=Late, null=True, default=None)
    holidays = Array(base_column=Date(), default=list)
    workdays = Array(base_column=Date(), default=list)
    scorecards_json = Text()
    standing_json = Text()
    cases_json = Text()

    @classmethod
    def get_readable(cls) -> Readable:
        """The rulebook's code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftEventType(Table, tablename="draft_event_type"):
    """An event type (事件类型)."""

    id: Serial
    place = Integer(default=0)
    code = Varchar(length=64, unique=True)
    title = Text()

    @classmethod
    def get_readable(cls) -> Readable:
        """Code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftField(Table, tablename="draft_field"):
    """A field of an event type (字段). With ``late_due`` and ``late_done`` it is derived: 超期天数."""

    id: Serial
    event_type = ForeignKey(references=DraftEventType, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    name = Varchar(length=64)
    title = Text()
    type = Varchar(length=16, choices=FieldType, default=FieldType.text)
    required = Boolean(default=False)
    late_due = Varchar(length=64)
    late_done = Varchar(length=64)
    late_calendar = Varchar(length=16, choices=DayCalendar, null=True, default=None)
    draft_field_once = Unique([event_type, name])

    @classmethod
    def get_readable(cls) -> Readable:
        """The event type's code, the field's name and title."""
        return Readable(template="%s.%s %s", columns=[cls.event_type.code, cls.name, cls.title])


class DraftChoice(Table, tablename="draft_choice"):
    """A choice of a field (选项)."""

    id: Serial
    field = ForeignKey(references=DraftField, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    value = Varchar(length=64)
    title = Text()
    draft_choice_once = Unique([field, value])

    @classmethod
    def get_readable(cls) -> Readable:
        """The value and its title."""
        return Readable(template="%s %s", columns=[cls.value, cls.title])


class DraftIndicator(Table, tablename="draft_indicator"):
    """An indicator (指标). ``measure_json`` is its measure, as the document has it."""

    id: Serial
    place = Integer(default=0)
    code = Varchar(length=64, unique=True)
    title = Text()
    full: Any = Numeric(null=True, default=None)
    owner = Varchar(length=64)
    category = Varchar(length=64)
    overdraw = Boolean(default=False)
    measure_json = Text()

    @classmethod
    def get_readable(cls) -> Readable:
        """Code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftLimit(Table, tablename="draft_limit"):
    """A limit (封顶)."""

    id: Serial
    place = Integer(default=0)
    code = Varchar(length=64, unique=True)
    title = Text()
    sign = Varchar(length=16, choices=Sign, null=True, default=None)
    per = Varchar(length=16, choices=Window, default=Window.quarter)
    max: Any = Numeric()

    @classmethod
    def get_readable(cls) -> Readable:
        """Code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftRule(Table, tablename="draft_rule"):
    """A rule (规则) of any kind. ``further_json`` holds the keys of its kind that have no column.

    ``points`` is the fixed size of a rule; ``share`` is the ratio of ``points: {share}`` or of a
    joint rule. A joint rule whose ``every_rule`` is set and that has no rows of
    :class:`DraftJointOf` passes on the charges of every event rule.
    """

    id: Serial
    place = Integer(default=0)
    code = Varchar(length=64, unique=True)
    title = Text()
    kind = Varchar(length=16, choices=RuleKind, default=RuleKind.event)
    enabled = Boolean(default=True)
    basis = Text()
    indicator = ForeignKey(references=DraftIndicator, on_delete=OnDelete.restrict, null=True)
    event_type = ForeignKey(references=DraftEventType, on_delete=OnDelete.restrict, null=True)
    condition = Text()
    charge = Varchar(length=64)
    points_kind = Varchar(length=16, choices=PointsKind, null=True, default=None)
    points: Any = Numeric(null=True, default=None)
    points_field = Varchar(length=64)
    points_else: Any = Numeric(null=True, default=None)
    share: Any = Numeric(null=True, default=None)
    times = Varchar(length=64)
    matter = Varchar(length=16, choices=Matter, null=True, default=None)
    relation = Varchar(length=64)
    every_rule = Boolean(default=True)
    sign = Varchar(length=16, choices=Sign, null=True, default=None)
    split = Varchar(length=16, choices=Split, null=True, default=None)
    max: Any = Numeric(null=True, default=None)
    note = Text()
    further_json = Text()

    @classmethod
    def get_readable(cls) -> Readable:
        """Code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftStep(Table, tablename="draft_step"):
    """A row of a rule's schedule (分值档): of a table by ``key``, of bands or progressive by ``bound``."""

    id: Serial
    rule = ForeignKey(references=DraftRule, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    key = Text()
    bound: Any = Numeric(null=True, default=None)
    points: Any = Numeric()

    @classmethod
    def get_readable(cls) -> Readable:
        """The rule's code and the row's key or bound."""
        return Readable(template="%s %s%s", columns=[cls.rule.code, cls.key, cls.bound])


class DraftFactor(Table, tablename="draft_factor"):
    """A factor of a rule (系数)."""

    id: Serial
    rule = ForeignKey(references=DraftRule, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    title = Text()
    kind = Varchar(length=16, choices=FactorKind, default=FactorKind.condition)
    condition = Text()
    by: Any = Numeric(null=True, default=None)
    field = Varchar(length=64)
    within_days = Integer(null=True, default=None)
    same = Array(base_column=Varchar(), default=list)

    @classmethod
    def get_readable(cls) -> Readable:
        """The rule's code and the factor's title."""
        return Readable(template="%s %s", columns=[cls.rule.code, cls.title])


class DraftFactorRow(Table, tablename="draft_factor_row"):
    """A row of a factor's table (系数档)."""

    id: Serial
    factor = ForeignKey(references=DraftFactor, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    key = Text()
    by: Any = Numeric()


class DraftRuleLimit(Table, tablename="draft_rule_limit"):
    """A rule is held by a limit (规则受封顶)."""

    id: Serial
    rule = ForeignKey(references=DraftRule, on_delete=OnDelete.cascade, null=False)
    limit = ForeignKey(references=DraftLimit, on_delete=OnDelete.restrict, null=False)
    place = Integer(default=0)
    draft_rule_limit_once = Unique([rule, limit])


class DraftJointOf(Table, tablename="draft_joint_of"):
    """A joint rule passes on the charges of this event rule (连带来源)."""

    id: Serial
    rule = ForeignKey(references=DraftRule, on_delete=OnDelete.cascade, null=False)
    source = ForeignKey(references=DraftRule, on_delete=OnDelete.restrict, null=False)
    place = Integer(default=0)
    draft_joint_of_once = Unique([rule, source])


class Version(Table, tablename="rulebook_version"):
    """A published rulebook (规则版本): written once, never changed; the database itself refuses otherwise.

    ``document`` is the whole rulebook as canonical JSON, ``hash`` its content hash.
    """

    number = Integer(primary_key=True, default=None)
    rulebook = Varchar(length=64)
    effective = Timestamptz()
    document = Text()
    hash = Varchar(length=64)
    note = Text()
    reason = Text()
    published_by = Varchar(length=100)
    published_at = Timestamptz()
    approved_by = Array(base_column=Varchar(), default=list)

    @classmethod
    def get_readable(cls) -> Readable:
        """The number and the rulebook's code."""
        return Readable(template="%s %s", columns=[cls.number, cls.rulebook])


DRAFT_TABLES: tuple[type[Table], ...] = (
    Draft,
    DraftEventType,
    DraftField,
    DraftChoice,
    DraftIndicator,
    DraftLimit,
    DraftRule,
    DraftStep,
    DraftFactor,
    DraftFactorRow,
    DraftRuleLimit,
    DraftJointOf,
)
"""The draft's tables, those that are referred to before those that refer to them."""
