"""A rule as a form (规则表单): every value as it was typed, the condition as rows, points by how they are found.

Pure. A form says a rule's tree, and :func:`form_of` makes the form of a tree where a form can show
all of it: what it cannot show is refused, never dropped, and is edited as text. Values that are the
default are left out of the tree.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, cast

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Raw
from rules.condition_rows import ConditionRows, Said, condition_of, rows_of, say_rows
from rules.difference_rows import VERDICTS
from rules.row_values import Document
from rules.rows import kind_of

Kind = Literal["event", "joint", "differentiation", "progress", "veto"]
PointsKind = Literal["fixed", "table", "bands", "progressive", "share"]
FactorKind = Literal["condition", "field", "table", "repeat"]
SCHEDULES: tuple[PointsKind, ...] = ("table", "bands", "progressive", "share")

_DEFAULTS = {"enabled": "true", "charge": "subject", "matter": "each", "sign": "both", "split": "each", "both": "false"}
_MEANINGFUL = ("of", "differentiation", "table", "bands", "progressive")
"""Keys under which an empty list or table is something else than none."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a schedule or of a factor's table: value or bound, and what it gives."""

    key: str = ""
    points: str = ""


class PointsForm(msgspec.Struct, frozen=True, kw_only=True):
    """Points, by how they are found; ``value`` is the fixed number, or the share."""

    kind: PointsKind = "fixed"
    value: str = ""
    field: str = ""
    rows: tuple[Step, ...] = ()
    otherwise: str = ""


class FactorForm(msgspec.Struct, frozen=True, kw_only=True):
    """A factor, by what it multiplies with."""

    kind: FactorKind = "condition"
    title: str = ""
    when: ConditionRows = ConditionRows()
    by: str = ""
    field: str = ""
    rows: tuple[Step, ...] = ()
    within_days: str = ""
    same: tuple[str, ...] = ()


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """A test of a comparison, and its bound."""

    name: str = ""
    bound: str = ""


class ConsequenceForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison leads to."""

    tests: tuple[Test, ...] = ()
    charge: str = ""
    points: str = ""


class RuleForm(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of any kind; what its kind does not use is empty. ``every``: a joint rule of every event rule."""

    kind: Kind = "event"
    code: str = ""
    title: str = ""
    basis: str = ""
    indicator: str = ""
    enabled: bool = True
    note: str = ""
    on: str = ""
    when: ConditionRows = ConditionRows()
    charge: str = ""
    points: PointsForm = PointsForm()
    times: str = ""
    factors: tuple[FactorForm, ...] = ()
    max: str = ""
    matter: str = ""
    limits: tuple[str, ...] = ()
    joint: str = ""
    every: bool = True
    of: tuple[str, ...] = ()
    sign: str = ""
    share: str = ""
    split: str = ""
    compares: Literal["indicators", "total"] = "indicators"
    indicators: tuple[str, ...] = ()
    among: str = ""
    groups: tuple[str, ...] = ()
    per: str = ""
    at_least: str = ""
    undifferentiated: ConsequenceForm | None = None
    differentiated: ConsequenceForm | None = None
    progress: str = ""
    both: bool = False
    to: str = ""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What a form says: the tree, where each row of its conditions stands, and what is wrong with the form itself."""

    tree: Document
    said: Mapping[str, Said] = {}
    findings: tuple[Finding, ...] = ()


# --- from the tree ---


def form_of(tree: Raw) -> RuleForm:
    """The form of a rule's tree; raises Refused where a form cannot show all of it."""
    if isinstance(tree, Mapping):
        try:
            form = _form(tree)
        except (AttributeError, TypeError, ValueError):
            form = None
        if form is not None and normal(draw(form).tree) == normal(tree):
            return form
    raise Refused(Finding(message=message("form.not_shown")))


def normal(tree: Raw) -> Raw:
    """A rule's tree as texts, without what says nothing and without defaults."""
    plain = _plain(tree)
    if not isinstance(plain, dict):
        return plain
    defaults = _DEFAULTS | ({"among": "group"} if "progress" in plain else {})
    return {key: value for key, value in plain.items() if defaults.get(key) != value}


def _plain(raw: Any) -> Raw:
    if isinstance(raw, Mapping):
        kept = {key: _plain(value) for key, value in raw.items()}
        return {key: value for key, value in kept.items() if _says(key, value)}
    if isinstance(raw, (list, tuple)):
        return [_plain(item) for item in raw]
    return None if raw is None else _text(raw)


def _says(key: str, value: Raw) -> bool:
    return value not in (None, "", [], {}) or (value in ([], {}) and key in _MEANINGFUL)


def _text(raw: Any) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, Decimal):
        return f"{raw:f}"
    if isinstance(raw, (Mapping, list)):
        raise TypeError
    return str(raw)


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in raw or ())


def _form(tree: Mapping[str, Any]) -> RuleForm:
    compared, of = tree.get("differentiation"), tree.get("of")
    texts = {
        key: _text(tree.get(key))
        for key in ("title", "basis", "indicator", "note", "on", "charge", "times", "max", "matter", "joint", "sign",
                    "share", "split", "among", "per", "at_least", "progress", "to")
    }  # fmt: skip
    return RuleForm(
        kind=cast(Kind, kind_of(tree)),
        code=_text(tree.get("rule")),
        enabled=_text(tree.get("enabled")) != "false",
        when=rows_of(_text(tree.get("when"))),
        points=_points(tree.get("points")),
        factors=tuple(_factor(item) for item in tree.get("factors") or ()),
        limits=_texts(tree.get("limits")),
        every=of is None,
        of=_texts(of),
        compares="total" if compared == "total" else "indicators",
        indicators=() if compared == "total" else _texts(compared),
        groups=_texts(tree.get("groups")),
        undifferentiated=_consequence(tree.get("undifferentiated")),
        differentiated=_consequence(tree.get("differentiated")),
        both=_text(tree.get("both")) == "true",
        **texts,
    )


def _points(raw: Any) -> PointsForm:
    if not isinstance(raw, Mapping):
        return PointsForm(value=_text(raw))
    kind: PointsKind = next((key for key in SCHEDULES if key in raw), "table")
    rows = raw.get(kind)
    return PointsForm(
        kind=kind,
        value=_text(raw.get("share")),
        field=_text(raw.get("field")),
        rows=() if kind == "share" else _steps(rows),
        otherwise=_text(raw.get("else")),
    )


def _steps(raw: Any) -> tuple[Step, ...]:
    pairs = raw.items() if isinstance(raw, Mapping) else raw or ()
    return tuple(Step(key=_text(key), points=_text(points)) for key, points in pairs)


def _factor(raw: Any) -> FactorForm:
    repeat = raw.get("repeat") or {}
    order: tuple[FactorKind, ...] = ("repeat", "table", "field")
    return FactorForm(
        kind=next((key for key in order if key in raw), "condition"),
        title=_text(raw.get("title")),
        when=rows_of(_text(raw.get("when"))),
        by=_text(raw.get("by")),
        field=_text(raw.get("field")),
        rows=_steps(raw.get("table")),
        within_days=_text(repeat.get("within_days")),
        same=_texts(repeat.get("same")),
    )


def _consequence(raw: Any) -> ConsequenceForm | None:
    if raw is None:
        return None
    tests = tuple(Test(name=name, bound=_text(bound)) for name, bound in (raw.get("when") or {}).items())
    return ConsequenceForm(tests=tests, charge=_text(raw.get("charge")), points=_text(raw.get("points")))


# --- to the tree ---


def draw(form: RuleForm, *, verbatim: bool = True) -> Drawn:
    """The tree that a form says. ``verbatim``: a condition that was not touched stays as it was written."""
    drawing = _Drawing(verbatim)
    tree = drawing.rule(form)
    return Drawn(tree=tree, said=drawing.said, findings=tuple(drawing.findings))


def _tree(**given: Any) -> Document:
    return {key: value for key, value in given.items() if value not in (None, "", [], {}, ())}


class _Drawing:
    def __init__(self, verbatim: bool) -> None:
        self._verbatim = verbatim
        self.said: dict[str, Said] = {}
        self.findings: list[Finding] = []

    def rule(self, form: RuleForm) -> Document:
        tree: Document = {"rule": form.code.strip()}
        tree |= _tree(title=form.title, basis=form.basis, indicator=form.indicator)
        if not form.enabled:
            tree["enabled"] = False
        own = {
            "event": self._event,
            "joint": self._joint,
            "differentiation": self._differentiation,
            "progress": self._progress,
            "veto": self._veto,
        }[form.kind](form)
        limits = () if form.kind == "veto" else form.limits
        return tree | own | _tree(limits=list(limits), note=form.note)

    def _condition(self, rows: ConditionRows, path: str) -> str:
        said = say_rows(rows.root)
        self.said[path] = said
        self.findings += [msgspec.structs.replace(found, path=f"{path}{found.path}") for found in said.findings]
        return condition_of(rows) if self._verbatim else said.text

    def _event(self, form: RuleForm) -> Document:
        return _tree(
            on=form.on,
            when=self._condition(form.when, "when"),
            charge=_given(form.charge, "subject"),
            points=self._points(form.points),
            times=form.times,
            factors=[self._factor(factor, f"factors[{at}]") for at, factor in enumerate(form.factors)],
            max=form.max.strip(),
            matter=_given(form.matter, "each"),
        )

    def _joint(self, form: RuleForm) -> Document:
        tree: Document = {"joint": form.joint.strip()}
        if not form.every:
            tree["of"] = list(form.of)
        return tree | _tree(
            sign=_given(form.sign, "both"),
            when=self._condition(form.when, "when"),
            share=form.share.strip(),
            points=form.points.value.strip(),
            split=_given(form.split, "each"),
            max=form.max.strip(),
        )

    def _differentiation(self, form: RuleForm) -> Document:
        tree: Document = {"differentiation": "total" if form.compares == "total" else list(form.indicators)}
        tree |= _tree(
            among=form.among, groups=_words(form.groups), per=form.per.strip(), at_least=form.at_least.strip()
        )
        for verdict in VERDICTS:
            consequence: ConsequenceForm | None = getattr(form, verdict)
            if consequence is not None:
                tree[verdict] = self._consequence(consequence, verdict)
        return tree

    def _consequence(self, form: ConsequenceForm, path: str) -> Document:
        tests: Document = {}
        for at, test in enumerate(form.tests):
            if not test.name or test.name in tests:
                said = message("form.test_twice" if test.name else "form.test")
                self.findings.append(Finding(path=f"{path}.when/{at}", message=said))
            else:
                tests[test.name] = test.bound.strip() or None
        return _tree(when=tests, charge=form.charge, points=form.points.strip())

    def _progress(self, form: RuleForm) -> Document:
        tree: Document = {"progress": form.progress}
        return tree | _tree(
            among=form.among,
            groups=_words(form.groups),
            per=form.per.strip(),
            points=form.points.value.strip(),
            max=form.max.strip(),
            both=form.both or None,
        )

    def _veto(self, form: RuleForm) -> Document:
        tree: Document = {"veto": "total"}
        return tree | _tree(
            on=form.on,
            when=self._condition(form.when, "when"),
            charge=_given(form.charge, "subject"),
            to=form.to.strip(),
        )

    def _points(self, form: PointsForm) -> Raw:
        if form.kind == "fixed":
            return form.value.strip()
        tree = _tree(field=form.field)
        if form.kind == "share":
            return tree | {"share": form.value.strip() or None}
        if form.kind == "table":
            return tree | {"table": self._table(form.rows, "points.table")}
        steps: list[Raw] = [[step.key.strip() or None, step.points.strip() or None] for step in form.rows]
        return tree | {form.kind: steps} | (_tree(**{"else": form.otherwise.strip()}) if form.kind == "bands" else {})

    def _table(self, steps: Sequence[Step], path: str) -> Document:
        table: Document = {}
        for at, step in enumerate(steps):
            key = step.key.strip()
            if not key or key in table:
                said = message("form.key_twice", given=key) if key else message("form.key")
                self.findings.append(Finding(path=f"{path}/{at}", message=said))
            else:
                table[key] = step.points.strip() or None
        return table

    def _factor(self, form: FactorForm, path: str) -> Document:
        tree = _tree(title=form.title, when=self._condition(form.when, f"{path}.when"))
        match form.kind:
            case "field":
                return tree | {"field": form.field or None}
            case "table":
                return tree | {"field": form.field or None, "table": self._table(form.rows, f"{path}.table")}
            case "repeat":
                repeat = {"within_days": form.within_days.strip() or None} | _tree(same=list(form.same))
                return tree | {"repeat": repeat, "by": form.by.strip() or None}
        return tree | {"by": form.by.strip() or None}


def _given(word: str, default: str) -> str:
    return "" if word == default else word


def _words(words: Sequence[str]) -> list[str]:
    return [word.strip() for word in words if word.strip()]
