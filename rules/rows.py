"""Rows of a draft (草稿行): a document's tree taken apart into rows, and put together again.

Pure: rows in, tree out, and the other way round, with nothing lost. A rule's kind is the key that
only that kind has (``joint``, ``differentiation``, ``progress``, ``veto``); without one it is an
event rule. Keys without a column of their own stay as JSON text beside it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from piccolo.table import Table

from engine import scalar
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.scalar import Raw, Unfit
from rules.tables import (
    Draft,
    DraftChoice,
    DraftEventType,
    DraftFactor,
    DraftFactorRow,
    DraftField,
    DraftIndicator,
    DraftJointOf,
    DraftLimit,
    DraftRule,
    DraftRuleLimit,
    DraftStep,
)

Document = dict[str, Raw]
TIMEZONE = ZoneInfo("Asia/Shanghai")
Rows = dict[type[Table], list[Any]]
"""The rows of each table, in document order."""

T = TypeVar("T")

FURTHER_KINDS = ("joint", "differentiation", "progress", "veto")
_COMMON = ("rule", "title", "basis", "indicator", "enabled", "note", "limits", "max", "charge", "on", "when", "points")
_EVENT = (*_COMMON, "times", "factors", "matter")
_JOINT = ("rule", "title", "basis", "indicator", "enabled", "note", "limits", "max", "when", "points", "joint", "of",
          "sign", "share", "split")  # fmt: skip


def kind_of(rule: Mapping[str, Raw]) -> str:
    """The kind of a rule of the document."""
    return next((kind for kind in FURTHER_KINDS if kind in rule), "event")


def to_json(tree: Raw) -> str:
    """The tree as JSON text; decimals as numbers with the digits that they have."""
    return msgspec.json.Encoder(decimal_format="number").encode(tree).decode()


def from_json(text: str) -> Raw:
    """The tree of a JSON text, numbers exact."""
    tree: Raw = json.loads(text, parse_float=Decimal)
    return tree


class Writer:
    """Takes a tree apart. Every misfit is kept; :meth:`close` refuses with all of them."""

    def __init__(self, ids: Mapping[type[Table], Iterator[int]] | None = None) -> None:
        self.rows: Rows = defaultdict(list)
        self.findings: list[Finding] = []
        self._ids = dict(ids or {})
        self._known: dict[type[Table], dict[str, int]] = defaultdict(dict)

    def close(self) -> Rows:
        """The rows; raises Refused where something did not fit."""
        if self.findings:
            raise Refused(*self.findings)
        return self.rows

    # --- values ---

    def find(self, path: str, said: Message) -> None:
        """Keep a finding."""
        self.findings.append(Finding(path=path, message=said))

    def need(self, read: Callable[[Raw], T], raw: Raw, instead: T, path: str) -> T:
        """The value as ``read`` types it."""
        try:
            return read(raw)
        except Unfit as unfit:
            self.find(path, unfit.expected)
            return instead

    def number(self, raw: Raw, path: str) -> Decimal | None:
        """A number, or nothing."""
        return None if raw is None else self.need(scalar.number, raw, None, path)

    def integer(self, raw: Raw, path: str) -> int | None:
        """A whole number, or nothing."""
        return None if raw is None else self.need(scalar.integer, raw, None, path)

    def boolean(self, raw: Raw, path: str, default: bool = False) -> bool:
        """A truth value, or its default."""
        return default if raw is None else self.need(scalar.boolean, raw, default, path)

    def text(self, raw: Raw, path: str) -> str:
        """A text; nothing is the empty text."""
        return "" if raw is None else self.need(scalar.text, raw, "", path)

    def word(self, raw: Raw, path: str) -> str:
        """A short text; nothing is the empty text."""
        return "" if raw is None else self.need(_short, raw, "", path)

    def option(self, raw: Raw, options: Any, path: str) -> str | None:
        """One of a column's choices, or nothing."""
        if raw is None:
            return None
        values = [option.value for option in options]
        if raw not in values:
            self.find(path, message("draft.option", options=", ".join(values), given=scalar.shown(raw)))
            return None
        return str(raw)

    def mapping(self, raw: Raw, path: str, keys: Iterable[str] | None = None) -> Mapping[str, Raw]:
        """A mapping, of these keys only."""
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            self.find(path, message("draft.mapping", given=scalar.shown(raw)))
            return {}
        if keys is not None:
            allowed = tuple(keys)
            for key in raw:
                if key not in allowed:
                    self.find(_at(path, key), message("draft.key", name=key, keys=", ".join(allowed)))
        return raw

    def items(self, raw: Raw, path: str) -> list[Raw]:
        """A list."""
        if raw is None:
            return []
        if not isinstance(raw, list):
            self.find(path, message("draft.list", given=scalar.shown(raw)))
            return []
        return raw

    def pair(self, raw: Raw, path: str) -> tuple[Raw, Raw]:
        """Two values."""
        if isinstance(raw, list) and len(raw) == 2:
            return raw[0], raw[1]
        self.find(path, message("draft.pair", given=scalar.shown(raw)))
        return "0", "0"

    def reference(self, table: type[Table], raw: Raw, path: str) -> int | None:
        """The row of that code."""
        if raw is None:
            return None
        found = self._known[table].get(raw) if isinstance(raw, str) else None
        if found is None:
            known = ", ".join(self._known[table]) or message("draft.none")
            self.find(path, message("draft.unknown", code=scalar.shown(raw), known=known))
        return found

    def add(self, table: type[Table], known_as: str | None = None, path: str = "", /, **values: Any) -> int:
        """One more row; its id."""
        number = next(self._ids.setdefault(table, count(1)))
        self.rows[table].append(table(id=number, **values))
        if known_as is not None:
            if known_as in self._known[table]:
                self.find(path, message("draft.twice", code=known_as.rpartition(" ")[2]))
            self._known[table][known_as] = number
        return number

    # --- the parts of a document ---

    def write(self, document: Raw) -> Rows:
        """The rows of a whole document."""
        tree = self.mapping(document, "", (
            "rulebook", "title", "effective", "base", "joint", "late", "holidays", "workdays", "event_types",
            "indicators", "limits", "rules", "scorecards", "standing", "cases",
        ))  # fmt: skip
        self._settings(tree)
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
        return self.close()

    def _settings(self, tree: Mapping[str, Raw]) -> None:
        joint = self.mapping(tree.get("joint"), "joint", ("depth", "basis"))
        effective = tree.get("effective")
        self.add(
            Draft,
            code=self.word(tree.get("rulebook"), "rulebook"),
            title=self.text(tree.get("title"), "title"),
            effective=None if effective is None else self.need(scalar.instant, effective, None, "effective"),
            base=self.number(tree.get("base"), "base"),
            joint_depth=self.integer(joint.get("depth"), "joint.depth"),
            joint_basis=self.option(joint.get("basis"), Draft.joint_basis._meta.choices, "joint.basis"),
            late=self.option(tree.get("late"), Draft.late._meta.choices, "late"),
            holidays=self._days(tree.get("holidays"), "holidays"),
            workdays=self._days(tree.get("workdays"), "workdays"),
            **{f"{key}_json": to_json(tree[key]) if key in tree else "" for key in ("scorecards", "standing", "cases")},
        )

    def _days(self, raw: Raw, path: str) -> list[date]:
        read = [self.need(scalar.day, item, date.min, f"{path}[{at}]") for at, item in enumerate(self.items(raw, path))]
        return sorted(set(read))

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
            name=self.need(_short, name, name[:64], path),
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
                DraftChoice, field=number, place=at, value=self.need(_short, value, value[:64], f"{path}.choices"),
                title=self.text(title, f"{path}.choices.{value}"),
            )  # fmt: skip

    def _indicator(self, place: int, code: str, raw: Raw) -> None:
        path = f"indicators.{code}"
        tree = self.mapping(raw, path, ("title", "full", "owner", "category", "overdraw", "measure"))
        self.add(
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
            measure_json=to_json(tree["measure"]) if tree.get("measure") is not None else "",
        )

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
            max=self.need(scalar.number, tree.get("max"), Decimal(0), f"{path}.max"),
        )

    def _rule(self, place: int, rule: Mapping[str, Raw], path: str) -> int:
        kind = kind_of(rule)
        columns = {"event": _EVENT, "joint": _JOINT}.get(kind, _COMMON)
        if kind in ("event", "joint"):
            self.mapping(dict(rule), path, columns)
        scheduled = isinstance(rule.get("points"), Mapping)
        own: tuple[str, ...] = ("points",) if scheduled and kind != "event" else ()
        further = {key: raw for key, raw in rule.items() if key not in columns or key in own}
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
            times=self.word(rule.get("times"), f"{path}.times") if kind == "event" else "",
            matter=self.option(rule.get("matter"), DraftRule.matter._meta.choices, f"{path}.matter")
            if kind == "event"
            else None,
            relation=self.word(rule.get("joint"), f"{path}.joint"),
            every_rule=rule.get("of") is None,
            sign=self.option(rule.get("sign"), DraftRule.sign._meta.choices, f"{path}.sign")
            if kind == "joint"
            else None,
            split=self.option(rule.get("split"), DraftRule.split._meta.choices, f"{path}.split")
            if kind == "joint"
            else None,
            further_json=to_json(further) if kind not in ("event", "joint") else "",
            **self._points(rule, kind, path),
        )

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
            return {}
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
        if kind == "joint":
            for at, raw in enumerate(self.items(tree.get("of"), f"{path}.of")):
                source = self.reference(DraftRule, raw, f"{path}.of[{at}]")
                self.add(DraftJointOf, f"{rule} {raw}", f"{path}.of[{at}]", rule=rule, source=source, place=at + 1)

    def _steps(self, rule: int, points: Mapping[str, Raw], path: str) -> None:
        for at, (key, amount) in enumerate(self.mapping(points.get("table"), f"{path}.table").items(), 1):
            value = self.need(scalar.number, amount, Decimal(0), f"{path}.table.{key}")
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
                    bound=None if open_ended else self.need(scalar.number, bound, Decimal(0), f"{where}[0]"),
                    points=self.need(scalar.number, amount, Decimal(0), f"{where}[1]"),
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
            value = self.need(scalar.number, amount, Decimal(0), f"{path}.table.{key}")
            self.add(DraftFactorRow, factor=number, place=at, key=key, by=value)


def _short(raw: Raw) -> str:
    return scalar.text(raw, longest=64)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def take_apart(document: Raw, ids: Mapping[type[Table], Iterator[int]] | None = None) -> Rows:
    """The rows of a document, with these ids, else from 1; raises Refused with what the rows cannot hold."""
    return Writer(ids).write(document)


def put_together(rows: Mapping[type[Table], list[Any]], timezone: ZoneInfo = TIMEZONE) -> Document:
    """The document that the rows say, what is left out left out."""
    drafts = rows.get(Draft, [])
    tree = _settings(drafts[0], timezone) if drafts else {}
    choices = _owned(rows, DraftChoice, "field")
    fields = _owned(rows, DraftField, "event_type")
    codes: dict[type[Table], dict[int, str]] = {
        table: {row.id: row.code for row in rows.get(table, [])}
        for table in (DraftEventType, DraftIndicator, DraftLimit, DraftRule)
    }
    tree["event_types"] = {
        row.code: _given(
            title=row.title, fields={field.name: _field(field, choices[field.id]) for field in fields[row.id]}
        )
        for row in _placed(rows.get(DraftEventType, []))
    }
    tree["indicators"] = {row.code: _indicator(row) for row in _placed(rows.get(DraftIndicator, []))}
    tree["limits"] = {
        row.code: _given(title=row.title, sign=row.sign, per=row.per, max=row.max)
        for row in _placed(rows.get(DraftLimit, []))
    }
    assembler = _Assembler(rows, codes)
    tree["rules"] = [assembler.rule(row) for row in _placed(rows.get(DraftRule, []))]
    for key in ("event_types", "indicators", "limits", "rules"):
        if not tree[key]:
            del tree[key]
    for key in ("scorecards", "standing", "cases"):
        if drafts and getattr(drafts[0], f"{key}_json"):
            tree[key] = from_json(getattr(drafts[0], f"{key}_json"))
    return tree


def _settings(row: Draft, timezone: ZoneInfo) -> Document:
    return _given(
        rulebook=row.code,
        title=row.title,
        effective=_instant(row.effective, timezone),
        base=row.base,
        joint=_given(depth=row.joint_depth, basis=row.joint_basis),
        late=row.late,
        holidays=[day.isoformat() for day in row.holidays],
        workdays=[day.isoformat() for day in row.workdays],
    )


def _instant(value: datetime | None, timezone: ZoneInfo) -> str | None:
    return None if value is None else value.astimezone(timezone).isoformat()


def _field(row: DraftField, choices: list[DraftChoice]) -> Document:
    late = _given(due=row.late_due, done=row.late_done, calendar=row.late_calendar)
    return _given(
        title=row.title,
        type=row.type,
        choices={choice.value: choice.title for choice in choices},
        required=row.required or None,
        days_late=late,
    )


def _indicator(row: DraftIndicator) -> Document:
    return _given(
        title=row.title,
        full=row.full,
        owner=row.owner,
        category=row.category,
        overdraw=row.overdraw or None,
        measure=from_json(row.measure_json) if row.measure_json else None,
    )


class _Assembler:
    """Puts rules together from their rows."""

    def __init__(self, rows: Mapping[type[Table], list[Any]], codes: Mapping[type[Table], Mapping[int, str]]) -> None:
        self.codes = codes
        self.steps = _owned(rows, DraftStep, "rule")
        self.factors = _owned(rows, DraftFactor, "rule")
        self.factor_rows = _owned(rows, DraftFactorRow, "factor")
        self.limits = _owned(rows, DraftRuleLimit, "rule")
        self.sources = _owned(rows, DraftJointOf, "rule")

    def rule(self, row: DraftRule) -> Document:
        """One rule of the document."""
        tree = _given(rule=row.code, title=row.title, basis=row.basis)
        if row.indicator is not None:
            tree["indicator"] = self.codes[DraftIndicator].get(_id(row.indicator))
        if not row.enabled:
            tree["enabled"] = False
        tree |= _given(note=row.note)
        if row.kind == "joint":
            tree |= self._joint(row)
        else:
            on = None if row.event_type is None else self.codes[DraftEventType].get(_id(row.event_type))
            tree |= _given(on=on, when=row.condition, charge=row.charge)
            if row.kind == "event":
                tree |= self._event(row)
            else:
                tree |= _given(points=row.points)
                tree |= _mapping(from_json(row.further_json)) if row.further_json else {row.kind: None}
        held = [self.codes[DraftLimit].get(_id(held.limit)) for held in self.limits[row.id]]
        return tree | _given(max=row.max, limits=held)

    def _event(self, row: DraftRule) -> Document:
        return _given(
            points=self._points(row),
            times=row.times,
            factors=[self._factor(factor) for factor in self.factors[row.id]],
            matter=row.matter,
        )

    def _points(self, row: DraftRule) -> Any:
        steps = self.steps[row.id]
        if row.points_kind in (None, "fixed"):
            return row.points
        tree = _given(field=row.points_field)
        if row.points_kind == "table":
            tree["table"] = {step.key: step.points for step in steps}
        elif row.points_kind == "share":
            tree["share"] = row.share
        else:
            tree[row.points_kind] = [[step.bound, step.points] for step in steps]
            tree |= _given(**{"else": row.points_else})
        return tree

    def _factor(self, row: DraftFactor) -> Document:
        tree = _given(title=row.title, when=row.condition, field=row.field)
        table = {held.key: held.by for held in self.factor_rows[row.id]}
        if row.kind == "table" or table:
            tree["table"] = table
        if row.kind == "repeat" or row.within_days is not None:
            tree["repeat"] = _given(within_days=row.within_days, same=list(row.same))
        return tree | _given(by=row.by)

    def _joint(self, row: DraftRule) -> Document:
        of: Any = [self.codes[DraftRule].get(_id(held.source)) for held in self.sources[row.id]]
        tree: Document = {"joint": row.relation}
        if of or not row.every_rule:
            tree["of"] = of
        return tree | _given(sign=row.sign, when=row.condition, share=row.share, points=row.points, split=row.split)


def _mapping(tree: Raw) -> Document:
    return tree if isinstance(tree, dict) else {}


def _given(**values: Any) -> Document:
    """What is given: nothing, an empty text, list or mapping is left out."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}


def _id(reference: Any) -> int:
    return int(getattr(reference, "id", reference))


def _placed(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (row.place, row.id))


def _owned(rows: Mapping[type[Table], list[Any]], table: type[Table], owner: str) -> dict[int, list[Any]]:
    owned: dict[int, list[Any]] = defaultdict(list)
    for row in _placed(rows.get(table, [])):
        owned[_id(getattr(row, owner))].append(row)
    return owned
