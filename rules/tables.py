"""The rulebook as rows (规则草稿), and the versions that were published (规则版本).

There is one draft. Its rows stand in document order by ``place``. What belongs to a rule goes
with it; what a rule names (an event type, an indicator, a limit, another rule) cannot be deleted
while it is named. The office's own cases have no rows: they are kept as JSON text, so that a document
goes in and comes out whole. Numbers are exact, and keep the digits that were written.
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


class DayKind(StrEnum):
    """Days off, or weekend days that are worked."""

    holiday = "holiday"
    workday = "workday"


class Method(StrEnum):
    """How an indicator's value is measured."""

    direct = "direct"
    bands = "bands"
    linear = "linear"
    efficacy = "efficacy"
    milestone = "milestone"
    rank = "rank"
    raters = "raters"


class Ordering(StrEnum):
    """Whether the larger or the smaller value ranks first."""

    descending = "descending"
    ascending = "ascending"


class Missing(StrEnum):
    """What becomes of the weight of a group of raters that is silent."""

    renormalise = "renormalise"
    zero = "zero"


class Compared(StrEnum):
    """What a differentiation rule compares."""

    indicators = "indicators"
    total = "total"


class Among(StrEnum):
    """Who is compared with whom."""

    group = "group"
    unit = "unit"


class ProgressBy(StrEnum):
    """Progress by places gained or by points of the total."""

    rank = "rank"
    total = "total"


class Verdict(StrEnum):
    """What a comparison may come to with a consequence."""

    undifferentiated = "undifferentiated"
    differentiated = "differentiated"


class Charged(StrEnum):
    """Whom a comparison charges."""

    members = "members"
    owner = "owner"
    unit = "unit"


class SubjectKind(StrEnum):
    """A unit or a person."""

    unit = "unit"
    person = "person"


class Draft(Table, tablename="draft"):
    """The draft's settings: one row, its id 1. ``cases_json`` holds the office's own cases as the document has them."""

    id: Serial
    code = Varchar(length=64)
    title = Text()
    effective = Timestamptz(null=True, default=None)
    base: Any = Numeric(null=True, default=None)
    joint_depth = Integer(null=True, default=None)
    joint_basis = Varchar(length=16, choices=JointBasis, null=True, default=None)
    late = Varchar(length=16, choices=Late, null=True, default=None)
    floor: Any = Numeric(null=True, default=None)
    cases_json = Text()

    @classmethod
    def get_readable(cls) -> Readable:
        """The rulebook's code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftDays(Table, tablename="draft_days"):
    """Days in a row that are off, or worked though they are a weekend (节假日、调休): both ends included."""

    id: Serial
    kind = Varchar(length=16, choices=DayKind, default=DayKind.holiday)
    first = Date(null=False, default=None)
    last = Date(null=False, default=None)


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
    """An indicator (指标) and how it is measured: ``method`` with the columns and the rows that it needs."""

    id: Serial
    place = Integer(default=0)
    code = Varchar(length=64, unique=True)
    title = Text()
    full: Any = Numeric(null=True, default=None)
    owner = Varchar(length=64)
    category = Varchar(length=64)
    overdraw = Boolean(default=False)
    method = Varchar(length=16, choices=Method, null=True, default=None)
    measured_on = ForeignKey(references=DraftEventType, on_delete=OnDelete.restrict, null=True)
    measured_field = Varchar(length=64)
    measure_else: Any = Numeric(null=True, default=None)
    measure_order = Varchar(length=16, choices=Ordering, null=True, default=None)
    efficacy_bad: Any = Numeric(null=True, default=None)
    efficacy_good: Any = Numeric(null=True, default=None)
    raters_missing = Varchar(length=16, choices=Missing, null=True, default=None)

    @classmethod
    def get_readable(cls) -> Readable:
        """Code and title."""
        return Readable(template="%s %s", columns=[cls.code, cls.title])


class DraftMeasureStep(Table, tablename="draft_measure_step"):
    """A row of an indicator's measure (计量档).

    Of bands ``value`` is the threshold, of milestones the step, of a line one of its two ends, ``points``
    what it gives; of ranks ``points`` alone, in the order of the places; of raters ``rater_group`` and
    its ``weight``.
    """

    id: Serial
    indicator = ForeignKey(references=DraftIndicator, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    value: Any = Numeric(null=True, default=None)
    points: Any = Numeric(null=True, default=None)
    rater_group = Varchar(length=64)
    weight: Any = Numeric(null=True, default=None)


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
    """A rule (规则) of any kind; a column that its kind does not use is empty.

    ``points`` is the fixed size of a rule, or of one step of progress; ``share`` is the ratio of
    ``points: {share}`` or of a joint rule. A joint rule whose ``every_rule`` is set and that has no
    rows of :class:`DraftJointOf` passes on the charges of every event rule. ``veto_to`` is the most
    that a total may be under a veto. ``per`` is a kind of period, ``groups`` are groups of subjects.
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
    compares = Varchar(length=16, choices=Compared, null=True, default=None)
    among = Varchar(length=16, choices=Among, null=True, default=None)
    groups = Array(base_column=Varchar(), default=list)
    per = Varchar(length=64)
    at_least = Integer(null=True, default=None)
    progress = Varchar(length=16, choices=ProgressBy, null=True, default=None)
    both = Boolean(default=False)
    veto_to: Any = Numeric(null=True, default=None)
    note = Text()

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


class DraftCompared(Table, tablename="draft_compared"):
    """A differentiation rule compares this indicator (差异比较指标)."""

    id: Serial
    rule = ForeignKey(references=DraftRule, on_delete=OnDelete.cascade, null=False)
    indicator = ForeignKey(references=DraftIndicator, on_delete=OnDelete.restrict, null=False)
    place = Integer(default=0)
    draft_compared_once = Unique([rule, indicator])


class DraftConsequence(Table, tablename="draft_consequence"):
    """What a comparison costs or earns (差异结果): whom, how much, and the tests, all of which must hold."""

    id: Serial
    rule = ForeignKey(references=DraftRule, on_delete=OnDelete.cascade, null=False)
    verdict = Varchar(length=20, choices=Verdict, default=Verdict.undifferentiated)
    charge = Varchar(length=16, choices=Charged, null=True, default=None)
    points: Any = Numeric(null=True, default=None)
    all_equal = Boolean(null=True, default=None)
    range_below: Any = Numeric(null=True, default=None)
    range_above: Any = Numeric(null=True, default=None)
    cv_below: Any = Numeric(null=True, default=None)
    cv_above: Any = Numeric(null=True, default=None)
    full_share_at_least: Any = Numeric(null=True, default=None)
    distinct_below = Integer(null=True, default=None)
    draft_consequence_once = Unique([rule, verdict])


class DraftScorecard(Table, tablename="draft_scorecard"):
    """A scorecard (计分卡), for the subjects that fit what is given; the first that fits counts."""

    id: Serial
    place = Integer(default=0)
    kind = Varchar(length=10, choices=SubjectKind, null=True, default=None)
    group_code = Varchar(length=64)
    post = Varchar(length=64)

    @classmethod
    def get_readable(cls) -> Readable:
        """Its number and whom it fits."""
        return Readable(template="%s %s %s %s", columns=[cls.place, cls.kind, cls.group_code, cls.post])


class DraftPart(Table, tablename="draft_part"):
    """A part of a scorecard (计分卡部分): the indicators of a category, and their weight."""

    id: Serial
    scorecard = ForeignKey(references=DraftScorecard, on_delete=OnDelete.cascade, null=False)
    place = Integer(default=0)
    title = Text()
    weight: Any = Numeric(null=True, default=None)
    category = Varchar(length=64)


class DraftLinkage(Table, tablename="draft_linkage"):
    """The share of the unit's total in the final total of a post (联动比例)."""

    id: Serial
    place = Integer(default=0)
    post = Varchar(length=64, unique=True)
    share: Any = Numeric()


class DraftTier(Table, tablename="draft_tier"):
    """A tier (段): its share of a group, in per cent."""

    id: Serial
    place = Integer(default=0)
    share: Any = Numeric()


class DraftAward(Table, tablename="draft_award"):
    """An award's candidates (评优候选): the top share of each group, in per cent; the quota is only shown."""

    id: Serial
    place = Integer(default=0)
    code = Varchar(length=64, unique=True)
    title = Text()
    kind = Varchar(length=10, choices=SubjectKind, null=True, default=None)
    top_share: Any = Numeric(null=True, default=None)
    quota = Integer(null=True, default=None)
    per = Varchar(length=64)


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
    DraftDays,
    DraftEventType,
    DraftField,
    DraftChoice,
    DraftIndicator,
    DraftMeasureStep,
    DraftLimit,
    DraftRule,
    DraftStep,
    DraftFactor,
    DraftFactorRow,
    DraftRuleLimit,
    DraftJointOf,
    DraftCompared,
    DraftConsequence,
    DraftScorecard,
    DraftPart,
    DraftLinkage,
    DraftTier,
    DraftAward,
)
"""The draft's tables, those that are referred to before those that refer to them."""

APPEND_ONLY: tuple[type[Table], ...] = (Version,)
"""Written once: what was published is never rewritten."""
