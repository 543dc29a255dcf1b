"""The rulebook (考评规则): what the office decides, typed. ``rules/document.py`` reads and writes it.

Every number here is a setting of the office; none is prescribed. A rulebook is immutable; a
:class:`Version` is a rulebook that was published, with its number.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from engine.condition import Condition
from engine.event import Value
from engine.field import EventType

Sign = Literal["bonus", "deduction", "both"]
Window = Literal["event", "month", "quarter", "half", "year", "period"]
PeriodKind = str


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A cap (封顶) on what one subject is charged in one window with one sign."""

    code: str
    title: str = ""
    sign: Sign = "both"
    per: Window
    max: Decimal


class Raters(msgspec.Struct, frozen=True, kw_only=True):
    """How much each group of raters weighs, and whether the weight of one that is silent is dealt out or lost."""

    weights: Mapping[str, Decimal]
    missing: Literal["renormalise", "zero"] = "renormalise"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How an indicator's value is measured; ``parameters`` is what the method needs.

    ``bands``: pairs of threshold and points; ``linear``: the two ends of the line, each (value,
    points); ``efficacy``: the bad and the good value; ``milestone``: pairs of step and points, steps
    ascending; ``rank``: the points by rank; ``raters``: :class:`Raters`; ``direct``: None.
    """

    on: str
    field: str | None = None
    method: Literal["direct", "bands", "linear", "efficacy", "milestone", "rank", "raters"]
    parameters: Any = None
    otherwise: Decimal | None = None
    order: Literal["descending", "ascending"] = "descending"


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator (指标): full marks, the department that answers for it, and how it is measured."""

    code: str
    title: str = ""
    full: Decimal = Decimal(100)
    owner: str | None = None
    category: str | None = None
    overdraw: bool = False
    measure: Measure | None = None


class Fixed(msgspec.Struct, frozen=True, tag="fixed"):
    """So many points."""

    value: Decimal


class Table(msgspec.Struct, frozen=True, tag="table"):
    """The row of the field's value. No row: nothing is known, and the rule does not fire."""

    field: str
    rows: Mapping[Value, Decimal]


class Bands(msgspec.Struct, frozen=True, tag="bands"):
    """The points of the first threshold that the value reaches (>=), else ``otherwise``."""

    field: str
    bands: tuple[tuple[Decimal, Decimal], ...]
    otherwise: Decimal | None = None


class Progressive(msgspec.Struct, frozen=True, tag="progressive"):
    """So much for each unit up to a cumulative bound (None: no end); a fraction counts in proportion."""

    field: str
    steps: tuple[tuple[Decimal | None, Decimal], ...]


class Share(msgspec.Struct, frozen=True, tag="share"):
    """The field's value × share, its own sign kept."""

    field: str
    share: Decimal


Points = Fixed | Table | Bands | Progressive | Share


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier event of the same type and subject, at most so many days before, equal in these fields."""

    within_days: int
    same: tuple[str, ...] = ()


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplier: ``by`` under a condition or on a repetition, or a field's value, or its row in a table."""

    title: str = ""
    when: Condition | None = None
    by: Decimal | None = None
    field: str | None = None
    table: Mapping[Value, Decimal] | None = None
    repeat: Repeat | None = None


class EventRule(msgspec.Struct, frozen=True, kw_only=True):
    """Bonus or deduction for an event (加分、扣分)."""

    code: str
    title: str = ""
    basis: str = ""
    indicator: str | None = None
    enabled: bool = True
    note: str = ""
    on: str
    when: Condition | None = None
    charge: str = "subject"
    points: Points
    times: str | None = None
    factors: tuple[Factor, ...] = ()
    max: Decimal | None = None
    matter: Literal["highest", "each"] = "each"
    limits: tuple[str, ...] = ()


class JointRule(msgspec.Struct, frozen=True, kw_only=True):
    """Joint liability (连带责任) along one relation. ``of`` None: the charges of every event rule travel."""

    code: str
    title: str = ""
    basis: str = ""
    indicator: str | None = None
    enabled: bool = True
    note: str = ""
    joint: str
    of: tuple[str, ...] | None = None
    sign: Sign = "both"
    when: Condition | None = None
    share: Decimal | None = None
    points: Decimal | None = None
    split: Literal["each", "pro_rata"] = "each"
    max: Decimal | None = None
    limits: tuple[str, ...] = ()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the members differ, or not; all that are given must hold."""

    all_equal: bool | None = None
    range_below: Decimal | None = None
    range_above: Decimal | None = None
    cv_below: Decimal | None = None
    cv_above: Decimal | None = None
    full_share_at_least: Decimal | None = None
    distinct_below: int | None = None


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """Who is charged what when a test holds; no test: when the other consequence's does not."""

    when: Difference | None = None
    charge: Literal["members", "owner", "unit"]
    points: Decimal


class DifferentiationRule(msgspec.Struct, frozen=True, kw_only=True):
    """无差异无管理. ``of`` None: totals are compared, else these indicators one by one."""

    code: str
    title: str = ""
    basis: str = ""
    indicator: str | None = None
    enabled: bool = True
    note: str = ""
    of: tuple[str, ...] | None
    among: Literal["group", "unit"]
    groups: tuple[str, ...] | None = None
    per: PeriodKind | None = None
    at_least: int = 2
    undifferentiated: Consequence | None = None
    differentiated: Consequence | None = None
    limits: tuple[str, ...] = ()


class ProgressRule(msgspec.Struct, frozen=True, kw_only=True):
    """进步加分: points per place gained, or per point of total."""

    code: str
    title: str = ""
    basis: str = ""
    indicator: str | None = None
    enabled: bool = True
    note: str = ""
    progress: Literal["rank", "total"]
    points: Decimal
    max: Decimal | None = None
    both: bool = False
    groups: tuple[str, ...] | None = None
    per: PeriodKind | None = None
    limits: tuple[str, ...] = ()


class VetoRule(msgspec.Struct, frozen=True, kw_only=True):
    """一票否决: the total may not exceed ``to`` in the periods that contain the event's booking date."""

    code: str
    title: str = ""
    basis: str = ""
    indicator: str | None = None
    enabled: bool = True
    note: str = ""
    on: str
    when: Condition | None = None
    charge: str = "subject"
    to: Decimal


Rule = EventRule | JointRule | DifferentiationRule | ProgressRule | VetoRule


class JointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The longest path of joint liability in hops, and the amount that shares are taken of."""

    depth: int = 1
    basis: Literal["nominal", "posted"] = "nominal"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a scorecard: its indicators' scores ÷ their full marks × 100, weighted."""

    title: str = ""
    weight: Decimal
    category: str


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """How a total is made of parts, for the subjects that fit."""

    kind: str | None = None
    group: str | None = None
    post: str | None = None
    parts: tuple[Part, ...]


class Award(msgspec.Struct, frozen=True, kw_only=True):
    """A gate for candidates (名额 is shown, never applied)."""

    code: str
    title: str = ""
    kind: Literal["unit", "person"]
    top_share: Decimal
    quota: int | None = None
    per: PeriodKind | None = None


class StandingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Linkage (联动) by post, floor (保底分), tiers (分段) in each group, awards."""

    linkage: Mapping[str, Decimal] = {}
    floor: Decimal | None = None
    tiers: tuple[Decimal, ...] = ()
    awards: tuple[Award, ...] = ()


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """One rulebook, as the office wrote it."""

    code: str
    title: str = ""
    effective: datetime
    base: Decimal = Decimal(100)
    joint: JointSettings = JointSettings()
    late: Literal["carry", "refuse"] = "carry"
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    event_types: Mapping[str, EventType] = {}
    indicators: Mapping[str, Indicator] = {}
    limits: Mapping[str, Limit] = {}
    rules: tuple[Rule, ...] = ()
    scorecards: tuple[Scorecard, ...] = ()
    standing: StandingSettings = StandingSettings()

    def rule(self, code: str) -> Rule:
        """The rule of that code; KeyError where there is none."""
        for rule in self.rules:
            if rule.code == code:
                return rule
        raise KeyError(code)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A published rulebook. It rules the events whose time is in [effective, the next one's effective)."""

    number: int
    rulebook: Rulebook

    @property
    def effective(self) -> datetime:
        """From when it rules."""
        return self.rulebook.effective
