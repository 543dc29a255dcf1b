"""Rows of a draft (草稿行): a document's tree taken apart into rows, and put together again.

Pure: rows in, tree out, and the other way round, with nothing lost. A rule's kind is the key that
only that kind has (``joint``, ``differentiation``, ``progress``, ``veto``); without one it is an
event rule. The office's own cases stay as JSON text.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from piccolo.table import Table

from engine import scalar
from engine.language import message
from engine.scalar import Raw
from rules.difference_rows import put_difference, put_progress, take_compared, take_difference, take_progress
from rules.measure_rows import put_measure, take_measure
from rules.row_values import Document, Rows, from_json, given, identity, owned, placed, to_json
from rules.row_writer import RowWriter, short
from rules.standing_rows import put_days, put_scorecards, put_standing, take_days, take_scorecards, take_standing
from rules.tables import (
    Draft,
    DraftChoice,
    DraftCompared,
    DraftConsequence,
    DraftEventType,
    DraftFactor,
    DraftFactorRow,
    DraftField,
    DraftIndicator,
    DraftJointOf,
    DraftLimit,
    DraftMeasureStep,
    DraftRule,
    DraftRuleLimit,
    DraftStep,
)

__all__ = ["Document", "Rows", "from_json", "put_together", "take_apart", "take_rule_apart", "to_json"]

TIMEZONE = ZoneInfo("Asia/Shanghai")

KINDS = ("joint", "differentiation", "progress", "veto")
_COMMON = ("rule", "title", "basis", "indicator", "enabled", "note")
_KEYS = {
    "event": (*_COMMON, "on", "when", "charge", "points", "times", "factors", "matter", "max", "limits"),
    "joint": (*_COMMON, "joint", "of", "sign", "when", "share", "points", "split", "max", "limits"),
    "differentiation": (*_COMMON, "differentiation", "among", "groups", "per", "at_least", "undifferentiated",
                        "differentiated", "limits"),
    "progress": (*_COMMON, "progress", "among", "groups", "per", "points", "max", "both", "limits"),
    "veto": (*_COMMON, "veto", "on", "when", "charge", "to"),
}  # fmt: skip
"""The keys of each kind of rule."""


def kind_of(rule: Mapping[str, Raw]) -> str:
    """The kind of a rule of the document."""
    return next((kind for kind in KINDS if kind in rule), "event")


class _Taker(RowWriter):
    """Takes a whole document apart."""

    def write(self, document: Raw) -> Rows:
        """The rows of a whole document."""
        tree = self.mapping(document, "", (
            "rulebook", "title", "effective", "base", "joint", "late", "holidays", "workdays", "event_types",
            "indicators", "limits", "rules", "scorecards", "standing", "cases",
        ))  # fmt: skip
        self._settings(tree)
        take_days(self, "holiday", tree.get("holidays"), "holidays")
        take_days(self, "workday", tree.get("workdays"), "workdays")
        for place, (code, raw) in enumerate(self.mapping(tree.get("event_types"), "event_types").items(), 1):
            self._event_type(place, code, raw)
        for place, (code, raw) in enumerate(self.mapping(tree.get("indicators"), "indicators").items(), 1):
            self._indicator(place, code, raw)
        for place, (code, raw) in enumerate(self.mapping(tree.get("limits"), "limits").items(), 1):
            self._limit(place, code, raw)
        rules = [self.mapping(raw, f"rules[{at}]") for at, raw in enumerate(self.items(tree.get("rules"), "rules"))]
        numbers = [self._rule(at + 1, rule, f"rules[{at}]") for at, rule in enumerate(rules)]
        for at, (number, rule) in enumerate(zip(numbers, rules, strict=True)):
            self._belongings(number, rule, f"rules[{at}]")
        take_scorecards(self, tree.get("scorecards"), "scorecards")
        take_standing(self, self._standing(tree), "standing")
        return self.close()

    def write_rule(self, rule: Raw, place: int) -> Rows:
        """The rows of one rule."""
        tree = self.mapping(rule, "")
        number = self._rule(place, tree, "")
        self._belongings(number, tree, "")
        self.findings = [msgspec.structs.replace(found, path=found.path.lstrip(".")) for found in self.findings]
        return self.close()

    def _standing(self, tree: Mapping[str, Raw]) -> Mapping[str, Raw]:
        return self.mapping(tree.get("standing"), "standing", ("linkage", "floor", "tiers", "awards"))

    def _settings(self, tree: Mapping[str, Raw]) -> None:
        joint = self.mapping(tree.get("joint"), "joint", ("depth", "basis"))
        effective, standing = tree.get("effective"), tree.get("standing")
        standing = standing if isinstance(standing, Mapping) else {}
        self.add(
            Draft,
            code=self.word(tree.get("rulebook"), "rulebook"),
            title=self.text(tree.get("title"), "title"),
            effective=None if effective is None else self.need(scalar.instant, effective, None, "effective"),
            base=self.number(tree.get("base"), "base"),
            joint_depth=self.integer(joint.get("depth"), "joint.depth"),
            joint_basis=self.option(joint.get("basis"), Draft.joint_basis._meta.choices, "joint.basis"),
            late=self.option(tree.get("late"), Draft.late._meta.choices, "late"),
            floor=self.number(standing.get("floor"), "standing.floor"),
            cases_json=to_json(tree["cases"]) if tree.get("cases") else "",
        )

    def _event_type(self, place: int, code: str, raw: Raw) -> None:
        path = f"event_types.{code}"
        tree = self.mapping(raw, path, ("title", "fields"))
        number = self.add(
            DraftEventType, self.need(scalar.code, code, code[:64], path), path,
            place=place, code=code[:64], title=self.text(tree.get("title"), f"{path}.title"),
        )  # fmt: skip
        for at, (name, field) in enumerate(self.mapping(tree.get("fields"), f"{path}.fields").items(), 1):
            self._field(number, at, name, field, f"{path}.fields.{name}")

    def _field(self, event_type: int, place: int, name: str, raw: Raw, path: str) -> None:
        tree = self.mapping(raw, path, ("title", "type", "choices", "required", "days_late"))
        late = self.mapping(tree.get("days_late"), f"{path}.days_late", ("due", "done", "calendar"))
        number = self.add(
            DraftField,
            event_type=event_type,
            place=place,
            name=self.need(short, name, name[:64], path),
            title=self.text(tree.get("title"), f"{path}.title"),
            type=self.option(tree.get("type", ""), DraftField.type._meta.choices, f"{path}.type") or "text",
            required=self.boolean(tree.get("required"), f"{path}.required"),
            late_due=self.word(late.get("due"), f"{path}.days_late.due"),
            late_done=self.word(late.get("done"), f"{path}.days_late.done"),
            late_calendar=self.option(
                late.get("calendar"), DraftField.late_calendar._meta.choices, f"{path}.days_late.calendar"
            ),
        )
        for at, (value, title) in enumerate(self.mapping(tree.get("choices"), f"{path}.choices").items(), 1):
            self.add(
                DraftChoice, field=number, place=at, value=self.need(short, value, value[:64], f"{path}.choices"),
                title=self.text(title, f"{path}.choices.{value}"),
            )  # fmt: skip

    def _indicator(self, place: int, code: str, raw: Raw) -> None:
        path = f"indicators.{code}"
        tree = self.mapping(raw, path, ("title", "full", "owner", "category", "overdraw", "measure"))
        measure, steps = take_measure(self, tree.get("measure"), f"{path}.measure")
        number = self.add(
            DraftIndicator,
            self.need(scalar.code, code, code[:64], path),
            path,
            place=place,
            code=code[:64],
            title=self.text(tree.get("title"), f"{path}.title"),
            full=self.number(tree.get("full"), f"{path}.full"),
            owner=self.word(tree.get("owner"), f"{path}.owner"),
            category=self.word(tree.get("category"), f"{path}.category"),
            overdraw=self.boolean(tree.get("overdraw"), f"{path}.overdraw"),
            **measure,
        )
        for at, step in enumerate(steps, 1):
            self.add(DraftMeasureStep, indicator=number, place=at, **step)

    def _limit(self, place: int, code: str, raw: Raw) -> None:
        path = f"limits.{code}"
        tree = self.mapping(raw, path, ("title", "sign", "per", "max"))
        self.add(
            DraftLimit,
            self.need(scalar.code, code, code[:64], path),
            path,
            place=place,
            code=code[:64],
            title=self.text(tree.get("title"), f"{path}.title"),
            sign=self.option(tree.get("sign"), DraftLimit.sign._meta.choices, f"{path}.sign"),
            per=self.option(tree.get("per", ""), DraftLimit.per._meta.choices, f"{path}.per") or "period",
            max=self.size(tree.get("max"), f"{path}.max"),
        )

    def _rule(self, place: int, rule: Mapping[str, Raw], path: str) -> int:
        kind = kind_of(rule)
        self.mapping(dict(rule), path, _KEYS[kind])
        code = self.need(scalar.code, rule.get("rule"), f"?{place}", f"{path}.rule")
        return self.add(
            DraftRule,
            code,
            f"{path}.rule",
            place=place,
            code=code,
            title=self.text(rule.get("title"), f"{path}.title"),
            kind=kind,
            enabled=self.boolean(rule.get("enabled"), f"{path}.enabled", True),
            basis=self.text(rule.get("basis"), f"{path}.basis"),
            indicator=self.reference(DraftIndicator, rule.get("indicator"), f"{path}.indicator"),
            note=self.text(rule.get("note"), f"{path}.note"),
            event_type=self.reference(DraftEventType, rule.get("on"), f"{path}.on"),
            condition=self.text(rule.get("when"), f"{path}.when"),
            charge=self.word(rule.get("charge"), f"{path}.charge"),
            max=self.number(rule.get("max"), f"{path}.max"),
            every_rule=rule.get("of") is None,
            **self._own(kind, rule, path),
            **self._points(rule, kind, path),
        )

    def _own(self, kind: str, rule: Mapping[str, Raw], path: str) -> dict[str, Any]:
        """The columns that only rules of the kind have."""
        match kind:
            case "event":
                return {
                    "times": self.word(rule.get("times"), f"{path}.times"),
                    "matter": self.option(rule.get("matter"), DraftRule.matter._meta.choices, f"{path}.matter"),
                }
            case "joint":
                return {
                    "relation": self.word(rule.get("joint"), f"{path}.joint"),
                    "sign": self.option(rule.get("sign"), DraftRule.sign._meta.choices, f"{path}.sign"),
                    "split": self.option(rule.get("split"), DraftRule.split._meta.choices, f"{path}.split"),
                }
            case "differentiation":
                return take_difference(self, rule, path)
            case "progress":
                return take_progress(self, rule, path)
        if rule.get("veto") != "total":
            self.find(f"{path}.veto", message("draft.option", options="total", given=scalar.shown(rule.get("veto"))))
        return {"veto_to": self.number(rule.get("to"), f"{path}.to")}

    def _points(self, rule: Mapping[str, Raw], kind: str, path: str) -> dict[str, Any]:
        raw = rule.get("points")
        if kind == "joint":
            return {"share": self.number(rule.get("share"), f"{path}.share"),
                    "points": self.number(raw, f"{path}.points")}  # fmt: skip
        if not isinstance(raw, Mapping):
            return {
                "points": self.number(raw, f"{path}.points"),
                "points_kind": "fixed" if kind == "event" and raw is not None else None,
            }
        if kind != "event":
            return {"points": self.number(raw, f"{path}.points")}
        schedule = next((key for key in ("table", "bands", "progressive", "share") if key in raw), "table")
        self.mapping(raw, f"{path}.points", ("field", schedule, *(("else",) if schedule == "bands" else ())))
        return {
            "points_kind": schedule,
            "points_field": self.word(raw.get("field"), f"{path}.points.field"),
            "points_else": self.number(raw.get("else"), f"{path}.points.else"),
            "share": self.number(raw.get("share"), f"{path}.points.share"),
        }

    def _belongings(self, rule: int, tree: Mapping[str, Raw], path: str) -> None:
        kind = kind_of(tree)
        points = tree.get("points")
        if kind == "event" and isinstance(points, Mapping):
            self._steps(rule, points, f"{path}.points")
        if kind == "event":
            for at, raw in enumerate(self.items(tree.get("factors"), f"{path}.factors")):
                self._factor(rule, at + 1, raw, f"{path}.factors[{at}]")
        for at, raw in enumerate(self.items(tree.get("limits"), f"{path}.limits")):
            limit = self.reference(DraftLimit, raw, f"{path}.limits[{at}]")
            self.add(DraftRuleLimit, f"{rule} {raw}", f"{path}.limits[{at}]", rule=rule, limit=limit, place=at + 1)
        if kind == "differentiation":
            take_compared(self, rule, tree, path)
        if kind == "joint":
            for at, raw in enumerate(self.items(tree.get("of"), f"{path}.of")):
                source = self.reference(DraftRule, raw, f"{path}.of[{at}]")
                self.add(DraftJointOf, f"{rule} {raw}", f"{path}.of[{at}]", rule=rule, source=source, place=at + 1)

    def _steps(self, rule: int, points: Mapping[str, Raw], path: str) -> None:
        for at, (key, amount) in enumerate(self.mapping(points.get("table"), f"{path}.table").items(), 1):
            value = self.size(amount, f"{path}.table.{key}")
            self.add(DraftStep, rule=rule, place=at, key=key, points=value)
        for schedule in ("bands", "progressive"):
            for at, raw in enumerate(self.items(points.get(schedule), f"{path}.{schedule}")):
                where = f"{path}.{schedule}[{at}]"
                bound, amount = self.pair(raw, where)
                open_ended = schedule == "progressive" and bound in (None, "null", "~", "")
                self.add(
                    DraftStep,
                    rule=rule,
                    place=at + 1,
                    bound=None if open_ended else self.size(bound, f"{where}[0]"),
                    points=self.size(amount, f"{where}[1]"),
                )

    def _factor(self, rule: int, place: int, raw: Raw, path: str) -> None:
        tree = self.mapping(raw, path, ("title", "when", "by", "field", "table", "repeat"))
        repeat = self.mapping(tree.get("repeat"), f"{path}.repeat", ("within_days", "same"))
        kind = next((key for key in ("repeat", "table", "field") if tree.get(key) is not None), "condition")
        number = self.add(
            DraftFactor,
            rule=rule,
            place=place,
            title=self.text(tree.get("title"), f"{path}.title"),
            kind=kind,
            condition=self.text(tree.get("when"), f"{path}.when"),
            by=self.number(tree.get("by"), f"{path}.by"),
            field=self.word(tree.get("field"), f"{path}.field"),
            within_days=self.integer(repeat.get("within_days"), f"{path}.repeat.within_days"),
            same=[
                self.word(item, f"{path}.repeat.same") for item in self.items(repeat.get("same"), f"{path}.repeat.same")
            ],
        )
        for at, (key, amount) in enumerate(self.mapping(tree.get("table"), f"{path}.table").items(), 1):
            value = self.size(amount, f"{path}.table.{key}")
            self.add(DraftFactorRow, factor=number, place=at, key=key, by=value)


def take_apart(document: Raw, ids: Mapping[type[Table], Iterator[int]] | None = None) -> Rows:
    """The rows of a document, with these ids, else from 1; raises Refused with what the rows cannot hold."""
    return _Taker(ids).write(document)


def take_rule_apart(
    rule: Raw,
    *,
    place: int,
    number: int,
    known: Mapping[type[Table], Mapping[str, int]],
    ids: Mapping[type[Table], Iterator[int]] | None = None,
) -> Rows:
    """The rows of one rule, its own with this id and place; ``known``: the ids of what it may name, by code.

    Raises Refused with what the rows cannot hold; paths begin at the rule.
    """
    taker = _Taker({**(ids or {}), DraftRule: iter([number])}, known)
    return taker.write_rule(rule, place)


def put_together(rows: Mapping[type[Table], list[Any]], timezone: ZoneInfo = TIMEZONE) -> Document:
    """The document that the rows say, what is left out left out."""
    drafts = rows.get(Draft, [])
    tree = _settings(drafts[0], rows, timezone) if drafts else {}
    choices = owned(rows, DraftChoice, "field")
    fields = owned(rows, DraftField, "event_type")
    codes: dict[type[Table], dict[int, str]] = {
        table: {row.id: row.code for row in rows.get(table, [])}
        for table in (DraftEventType, DraftIndicator, DraftLimit, DraftRule)
    }
    tree["event_types"] = {
        row.code: given(
            title=row.title, fields={field.name: _field(field, choices[field.id]) for field in fields[row.id]}
        )
        for row in placed(rows.get(DraftEventType, []))
    }
    steps = owned(rows, DraftMeasureStep, "indicator")
    tree["indicators"] = {
        row.code: _indicator(row, steps[row.id], codes[DraftEventType]) for row in placed(rows.get(DraftIndicator, []))
    }
    tree["limits"] = {
        row.code: given(title=row.title, sign=row.sign, per=row.per, max=row.max)
        for row in placed(rows.get(DraftLimit, []))
    }
    assembler = Assembler(rows, codes)
    tree["rules"] = [assembler.rule(row) for row in placed(rows.get(DraftRule, []))]
    tree["scorecards"] = put_scorecards(rows)
    tree["standing"] = put_standing(drafts, rows)
    for key in ("event_types", "indicators", "limits", "rules", "scorecards", "standing"):
        if not tree[key]:
            del tree[key]
    if drafts and drafts[0].cases_json:
        tree["cases"] = from_json(drafts[0].cases_json)
    return tree


def _settings(row: Draft, rows: Mapping[type[Table], list[Any]], timezone: ZoneInfo) -> Document:
    return given(
        rulebook=row.code,
        title=row.title,
        effective=_instant(row.effective, timezone),
        base=row.base,
        joint=given(depth=row.joint_depth, basis=row.joint_basis),
        late=row.late,
        holidays=put_days(rows, "holiday"),
        workdays=put_days(rows, "workday"),
    )


def _instant(value: datetime | None, timezone: ZoneInfo) -> str | None:
    return None if value is None else value.astimezone(timezone).isoformat()


def _field(row: DraftField, choices: list[DraftChoice]) -> Document:
    late = given(due=row.late_due, done=row.late_done, calendar=row.late_calendar)
    return given(
        title=row.title,
        type=row.type,
        choices={choice.value: choice.title for choice in choices},
        required=row.required or None,
        days_late=late,
    )


def _indicator(row: DraftIndicator, steps: list[DraftMeasureStep], event_types: Mapping[int, str]) -> Document:
    return given(
        title=row.title,
        full=row.full,
        owner=row.owner,
        category=row.category,
        overdraw=row.overdraw or None,
        measure=put_measure(row, steps, event_types),
    )


class Assembler:
    """Puts rules together from their rows."""

    def __init__(self, rows: Mapping[type[Table], list[Any]], codes: Mapping[type[Table], Mapping[int, str]]) -> None:
        self.codes = codes
        self.steps = owned(rows, DraftStep, "rule")
        self.factors = owned(rows, DraftFactor, "rule")
        self.factor_rows = owned(rows, DraftFactorRow, "factor")
        self.limits = owned(rows, DraftRuleLimit, "rule")
        self.sources = owned(rows, DraftJointOf, "rule")
        self.compared = owned(rows, DraftCompared, "rule")
        self.consequences = owned(rows, DraftConsequence, "rule")

    def rule(self, row: DraftRule) -> Document:
        """One rule of the document."""
        tree = given(rule=row.code, title=row.title, basis=row.basis)
        if row.indicator is not None:
            tree["indicator"] = self.codes[DraftIndicator].get(identity(row.indicator))
        if not row.enabled:
            tree["enabled"] = False
        tree |= given(note=row.note)
        tree |= self._own(row)
        held = [self.codes[DraftLimit].get(identity(held.limit)) for held in self.limits[row.id]]
        return tree | given(max=row.max, limits=held)

    def _own(self, row: DraftRule) -> Document:
        on = None if row.event_type is None else self.codes[DraftEventType].get(identity(row.event_type))
        match row.kind:
            case "joint":
                return self._joint(row)
            case "differentiation":
                indicators = self.codes[DraftIndicator]
                return put_difference(row, self.compared[row.id], self.consequences[row.id], indicators)
            case "progress":
                return put_progress(row) | given(points=row.points)
            case "veto":
                return given(veto="total", on=on, when=row.condition, charge=row.charge, to=row.veto_to)
        return given(on=on, when=row.condition, charge=row.charge) | self._event(row)

    def _event(self, row: DraftRule) -> Document:
        return given(
            points=self._points(row),
            times=row.times,
            factors=[self._factor(factor) for factor in self.factors[row.id]],
            matter=row.matter,
        )

    def _points(self, row: DraftRule) -> Any:
        steps = self.steps[row.id]
        if row.points_kind in (None, "fixed"):
            return row.points
        tree = given(field=row.points_field)
        if row.points_kind == "table":
            tree["table"] = {step.key: step.points for step in steps}
        elif row.points_kind == "share":
            tree["share"] = row.share
        else:
            tree[row.points_kind] = [[step.bound, step.points] for step in steps]
            tree |= given(**{"else": row.points_else})
        return tree

    def _factor(self, row: DraftFactor) -> Document:
        tree = given(title=row.title, when=row.condition, field=row.field)
        table = {held.key: held.by for held in self.factor_rows[row.id]}
        if row.kind == "table" or table:
            tree["table"] = table
        if row.kind == "repeat" or row.within_days is not None:
            tree["repeat"] = given(within_days=row.within_days, same=list(row.same))
        return tree | given(by=row.by)

    def _joint(self, row: DraftRule) -> Document:
        of: Any = [self.codes[DraftRule].get(identity(held.source)) for held in self.sources[row.id]]
        tree: Document = {"joint": row.relation}
        if of or not row.every_rule:
            tree["of"] = of
        return tree | given(sign=row.sign, when=row.condition, share=row.share, points=row.points, split=row.split)
