"""The sheets that a rulebook fills (规则书的表单): one row per thing, belonging to another by its code."""

from rules.form import Column, Form, Kind

_SIGNS = ("both", "bonus", "deduction")


def _column(key: str, kind: Kind = "text", *options: str, of: str = "") -> Column:
    return Column(key=key, kind=kind, options=options, of=of)


_PLACE = _column("place", "number")
_CODE, _TITLE = _column("code", "code"), _column("title")
_ENABLED = _column("enabled", "boolean")
_INDICATOR, _LIMITS = _column("indicator", "code"), _column("limits", "codes")
_BASIS, _NOTE = _column("basis"), _column("note")
_END = (_LIMITS, _INDICATOR, _BASIS, _NOTE)
_BEGIN = (_PLACE, _CODE, _TITLE, _ENABLED)

JOINT_BASIS = _column("joint_basis", "option", "nominal", "posted")
LATE = _column("late", "option", "carry", "refuse")
SETTINGS = Form(
    name="settings",
    columns=(
        _column(
            "item", "option", "rulebook", "title", "effective", "base", "depth", "joint_basis", "late", "floor"
        ),
        _column("setting", "key"),
    ),
    needs=("item", "setting"),
)  # fmt: skip
CALENDAR = Form(
    name="calendar",
    columns=(_column("day", "day"), _column("day_kind", "option", "holiday", "workday")),
    needs=("day", "day_kind"),
)
EVENT_TYPES = Form(name="event_types", columns=(_CODE, _TITLE), needs=("code",))
FIELDS = Form(
    name="fields",
    columns=(
        _column("event_type", "code"),
        _column("field", "word"),
        _TITLE,
        _column("type", "option", "text", "choice", "choices", "integer", "decimal", "boolean", "date", "datetime"),
        _column("required", "boolean"),
        _column("late_due", "word"),
        _column("late_done", "word"),
        _column("late_calendar", "option", "all", "working"),
    ),
    needs=("event_type", "field"),
)
CHOICES = Form(
    name="choices",
    columns=(_column("event_type", "code"), _column("field", "word"), _column("choice", "key"), _TITLE),
    needs=("event_type", "field", "choice"),
)
INDICATORS = Form(
    name="indicators",
    columns=(
        _CODE,
        _TITLE,
        _column("full", "number"),
        _column("owner", "code"),
        _column("category", "word"),
        _column("overdraw", "boolean"),
        _column("method", "option", "direct", "bands", "linear", "efficacy", "milestone", "rank", "raters"),
        _column("measured_on", "code"),
        _column("measured_field", "word"),
        _column("measure_else", "number"),
        _column("measure_order", "option", "descending", "ascending"),
        _column("bad", "number"),
        _column("good", "number"),
        _column("missing", "option", "renormalise", "zero"),
    ),
    needs=("code",),
)
MEASURE_STEPS = Form(
    name="measure_steps",
    columns=(_column("indicator", "code"), _column("measure_value", "key"), _column("measure_points", "number")),
    needs=("indicator", "measure_points"),
)
LIMITS = Form(
    name="limits",
    columns=(
        _CODE,
        _TITLE,
        _column("sign", "option", *_SIGNS),
        _column("window", "option", "event", "month", "quarter", "half", "year", "period"),
        _column("limit_max", "number"),
    ),
    needs=("code",),
)
RULES = Form(
    name="rules",
    columns=(
        *_BEGIN,
        _column("event_type", "code"),
        _column("condition"),
        _column("charge", "code"),
        _column("points_kind", "option", "fixed", "table", "bands", "progressive", "share"),
        _column("points", "number"),
        _column("points_field", "word"),
        _column("points_share", "number"),
        _column("points_else", "number"),
        _column("times", "word"),
        _column("max", "number"),
        _column("matter", "option", "each", "highest"),
        *_END,
    ),
    needs=("code",),
)
STEPS = Form(
    name="steps",
    columns=(_column("rule", "code"), _column("step", "key"), _column("step_points", "number")),
    needs=("rule", "step_points"),
)
FACTORS = Form(
    name="factors",
    columns=(
        _column("rule", "code"),
        _column("factor", "number"),
        _TITLE,
        _column("factor_condition"),
        _column("by", "number"),
        _column("factor_field", "word"),
        _column("within_days", "number"),
        _column("same", "words"),
    ),
    needs=("rule",),
)
FACTOR_ROWS = Form(
    name="factor_rows",
    columns=(_column("rule", "code"), _column("factor", "number"), _column("factor_value", "key"),
             _column("factor_by", "number")),
    needs=("rule", "factor_value"),
)  # fmt: skip
JOINT_RULES = Form(
    name="joint_rules",
    columns=(
        *_BEGIN,
        _column("relation", "code"),
        _column("of", "codes"),
        _column("sign", "option", *_SIGNS),
        _column("condition"),
        _column("share", "number"),
        _column("joint_points", "number"),
        _column("split", "option", "each", "pro_rata"),
        _column("joint_max", "number"),
        *_END,
    ),
    needs=("code",),
)
DIFFERENCE_RULES = Form(
    name="difference_rules",
    columns=(
        *_BEGIN,
        _column("compares"),
        _column("among", "option", "group", "unit"),
        _column("groups", "words"),
        _column("per", "word"),
        _column("at_least", "number"),
        *_END,
    ),
    needs=("code",),
)
TESTS = (
    "all_equal", "range_below", "range_above", "cv_below", "cv_above", "full_share_at_least", "distinct_below",
)  # fmt: skip
CONSEQUENCES = Form(
    name="consequences",
    columns=(
        _column("rule", "code"),
        _column("verdict", "option", "undifferentiated", "differentiated"),
        _column("charged", "option", "members", "owner", "unit"),
        _column("consequence_points", "number"),
        *(_column(test, "boolean" if test == "all_equal" else "number") for test in TESTS),
    ),
    needs=("rule", "verdict"),
)
PROGRESS_RULES = Form(
    name="progress_rules",
    columns=(
        *_BEGIN,
        _column("progress", "option", "rank", "total"),
        _column("progress_points", "number"),
        _column("progress_max", "number"),
        _column("both", "boolean"),
        _column("groups", "words"),
        _column("per", "word"),
        *_END,
    ),
    needs=("code",),
)
VETO_RULES = Form(
    name="veto_rules",
    columns=(
        *_BEGIN,
        _column("event_type", "code"),
        _column("condition"),
        _column("charge", "code"),
        _column("to", "number"),
        _INDICATOR,
        _BASIS,
        _NOTE,
    ),
    needs=("code",),
)
SCORECARDS = Form(
    name="scorecards",
    columns=(
        _column("scorecard", "number"),
        _column("for_kind", "option", "unit", "person", of="subject_kind"),
        _column("for_group", "word"),
        _column("for_post", "word"),
        _column("part"),
        _column("weight", "number"),
        _column("part_category", "word"),
    ),
    needs=("scorecard",),
)
LINKAGE = Form(
    name="linkage", columns=(_column("post", "key"), _column("linkage_share", "number")), needs=("post",)
)  # fmt: skip
TIERS = Form(name="tiers", columns=(_column("tier_share", "number"),), needs=("tier_share",))
AWARDS = Form(
    name="awards",
    columns=(
        _CODE,
        _TITLE,
        _column("award_kind", "option", "unit", "person", of="subject_kind"),
        _column("top_share", "number"),
        _column("quota", "number"),
        _column("per", "word"),
    ),
    needs=("code",),
)
CASES = Form(
    name="cases", columns=(_column("case", "number"), _column("case_text", "verbatim")), needs=("case", "case_text")
)

FORMS = (
    SETTINGS, CALENDAR, EVENT_TYPES, FIELDS, CHOICES, INDICATORS, MEASURE_STEPS, LIMITS, RULES, STEPS, FACTORS,
    FACTOR_ROWS, JOINT_RULES, DIFFERENCE_RULES, CONSEQUENCES, PROGRESS_RULES, VETO_RULES, SCORECARDS, LINKAGE, TIERS,
    AWARDS, CASES,
)  # fmt: skip
"""In the order of the workbook."""
RULE_FORMS = (RULES, JOINT_RULES, DIFFERENCE_RULES, PROGRESS_RULES, VETO_RULES)
