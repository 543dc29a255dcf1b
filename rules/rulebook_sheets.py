"""A rulebook as sheets (规则书写成工作簿): every thing of its document in a row of its own.

Pure: a document's tree in, sheets out; :mod:`rules.rulebook_filled` is the way back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.language import Language, message, render
from engine.scalar import Raw
from rules.form import means
from rules.form_writing import from_codes, from_option, write_form
from rules.rows import kind_of, to_json
from rules.rulebook_forms import FORMS, JOINT_BASIS, LATE, TESTS
from rules.tree import dump_yaml
from rules.workbook import Sheet

LONGEST_CELL = 30_000
"""Characters of a case that stand in one cell; a longer one goes on in the next row under the same number."""
TOTAL = message("sheet.total")

Rows = Mapping[str, list[dict[str, Raw]]]


def write_rulebook_sheets(tree: Mapping[str, Raw], language: Language) -> list[Sheet]:
    """The sheets of a rulebook's document; all of them, so that an empty document is a workbook to fill in."""
    rows = _Writer(language).write(tree)
    return [guide(language), *(write_form(form, rows.get(form.name, []), language) for form in FORMS)]


def guide(language: Language) -> Sheet:
    """What the sheets are for, in words; it is passed by on reading."""
    titles = tuple(render(message(f"sheet.guide.{column}"), language) for column in ("sheet", "meaning"))
    lines = [("", render(message(f"sheet.guide.line.{number}"), language)) for number in range(1, 6)]
    lines += [
        (render(form.title, language), render(message(f"sheet.guide.of.{form.name}"), language)) for form in FORMS
    ]
    return Sheet(title=render(message("sheet.title.guide"), language), columns=titles, rows=tuple(lines))


class _Writer:
    def __init__(self, language: Language) -> None:
        self._language = language
        self._rows: dict[str, list[dict[str, Raw]]] = defaultdict(list)

    def write(self, tree: Mapping[str, Raw]) -> Rows:
        """The rows of every form."""
        self._settings(tree)
        for key, kind in (("holidays", "holiday"), ("workdays", "workday")):
            for day in _list(tree.get(key)):
                self._add("calendar", day=day, day_kind=kind)
        for code, each in _pairs(tree.get("event_types")):
            self._event_type(code, _map(each))
        for code, each in _pairs(tree.get("indicators")):
            self._indicator(code, _map(each))
        for code, each in _pairs(tree.get("limits")):
            limit = _map(each)
            self._add("limits", code=code, title=limit.get("title"), sign=limit.get("sign"), window=limit.get("per"),
                      limit_max=limit.get("max"))  # fmt: skip
        for place, each in enumerate(_list(tree.get("rules")), 1):
            self._rule(place, _map(each))
        for place, each in enumerate(_list(tree.get("scorecards")), 1):
            self._scorecard(place, _map(each))
        self._standing(_map(tree.get("standing")))
        for place, each in enumerate(_list(tree.get("cases")), 1):
            for part in _parts(case_text(each)):
                self._add("cases", case=place, case_text=part)
        return self._rows

    def _add(self, form: str, **row: Raw) -> None:
        self._rows[form].append(row)

    def _settings(self, tree: Mapping[str, Raw]) -> None:
        joint = _map(tree.get("joint"))
        for item, raw in {
            "rulebook": tree.get("rulebook"),
            "title": tree.get("title"),
            "effective": tree.get("effective"),
            "base": tree.get("base"),
            "depth": joint.get("depth"),
            "joint_basis": from_option(joint.get("basis"), JOINT_BASIS, self._language),
            "late": from_option(tree.get("late"), LATE, self._language),
            "floor": _map(tree.get("standing")).get("floor"),
        }.items():
            self._add("settings", item=item, setting=_plain(raw))

    def _event_type(self, code: str, event_type: Mapping[str, Raw]) -> None:
        self._add("event_types", code=code, title=event_type.get("title"))
        for name, each in _pairs(event_type.get("fields")):
            field = _map(each)
            late = _map(field.get("days_late"))
            self._add("fields", event_type=code, field=name, title=field.get("title"), type=field.get("type"),
                      required=field.get("required"), late_due=late.get("due"), late_done=late.get("done"),
                      late_calendar=late.get("calendar"))  # fmt: skip
            for choice, title in _pairs(field.get("choices")):
                self._add("choices", event_type=code, field=name, choice=choice, title=title)

    def _indicator(self, code: str, indicator: Mapping[str, Raw]) -> None:
        measure = _map(indicator.get("measure"))
        efficacy, raters = _map(measure.get("efficacy")), _map(measure.get("raters"))
        self._add(
            "indicators",
            code=code,
            **{key: indicator.get(key) for key in ("title", "full", "owner", "category", "overdraw")},
            method=measure.get("method"),
            measured_on=measure.get("on"),
            measured_field=measure.get("field"),
            measure_else=measure.get("else"),
            measure_order=measure.get("order"),
            bad=efficacy.get("bad"),
            good=efficacy.get("good"),
            missing=raters.get("missing"),
        )
        linear = _map(measure.get("linear"))
        steps: list[tuple[Raw, Raw]] = [_pair(each) for each in _list(measure.get("bands"))]
        steps += [_pair(linear[end]) for end in ("from", "to") if end in linear]
        steps += [*_pairs(measure.get("milestone")), *_pairs(raters.get("weights"))]
        steps += [(None, points) for points in _list(measure.get("rank"))]
        for value, points in steps:
            self._add("measure_steps", indicator=code, measure_value=_plain(value), measure_points=points)

    def _rule(self, place: int, rule: Mapping[str, Raw]) -> None:
        row: dict[str, Raw] = {"place": place, "code": rule.get("rule"), "enabled": rule.get("enabled", True)}
        row |= {key: rule.get(key) for key in ("title", "indicator", "basis", "note")}
        if rule.get("limits"):
            row["limits"] = rule["limits"]
        kind = kind_of(rule)
        if kind in ("event", "veto"):
            row |= {"event_type": rule.get("on"), "condition": rule.get("when"), "charge": rule.get("charge")}
        match kind:
            case "event":
                row |= {key: rule.get(key) for key in ("times", "max", "matter")} | self._points(rule)
                self._add("rules", **row)
                for number, each in enumerate(_list(rule.get("factors")), 1):
                    self._factor(rule.get("rule"), number, _map(each))
            case "joint":
                self._add("joint_rules", **row, relation=rule.get("joint"), of=rule.get("of"), sign=rule.get("sign"),
                          condition=rule.get("when"), share=rule.get("share"), joint_points=rule.get("points"),
                          split=rule.get("split"), joint_max=rule.get("max"))  # fmt: skip
            case "differentiation":
                of = rule.get("differentiation")
                self._add("difference_rules", **row, compares=_compared(of, self._language), among=rule.get("among"),
                          groups=rule.get("groups"), per=rule.get("per"), at_least=rule.get("at_least"))  # fmt: skip
                for verdict in ("undifferentiated", "differentiated"):
                    if rule.get(verdict) is not None:
                        self._consequence(rule.get("rule"), verdict, _map(rule[verdict]))
            case "progress":
                self._add("progress_rules", **row, progress=rule.get("progress"), progress_points=rule.get("points"),
                          progress_max=rule.get("max"), both=rule.get("both"), groups=rule.get("groups"),
                          per=rule.get("per"))  # fmt: skip
            case "veto":
                row.pop("limits", None)
                self._add("veto_rules", **row, to=rule.get("to"))

    def _points(self, rule: Mapping[str, Raw]) -> dict[str, Raw]:
        points = rule.get("points")
        if not isinstance(points, Mapping):
            return {"points": points, "points_kind": None if points is None else "fixed"}
        kind = next((each for each in ("table", "bands", "progressive", "share") if each in points), None)
        steps: list[tuple[Raw, Raw]] = [*_pairs(points.get("table"))]
        steps += [_pair(each) for key in ("bands", "progressive") for each in _list(points.get(key))]
        for step, value in steps:
            self._add("steps", rule=rule.get("rule"), step=_plain(step), step_points=value)
        return {
            "points_kind": kind,
            "points_field": points.get("field"),
            "points_share": points.get("share"),
            "points_else": points.get("else"),
        }

    def _factor(self, rule: Raw, number: int, factor: Mapping[str, Raw]) -> None:
        repeat = _map(factor.get("repeat"))
        self._add("factors", rule=rule, factor=number, title=factor.get("title"), factor_condition=factor.get("when"),
                  by=factor.get("by"), factor_field=factor.get("field"), within_days=repeat.get("within_days"),
                  same=repeat.get("same") or None)  # fmt: skip
        for value, by in _pairs(factor.get("table")):
            self._add("factor_rows", rule=rule, factor=number, factor_value=value, factor_by=by)

    def _consequence(self, rule: Raw, verdict: str, consequence: Mapping[str, Raw]) -> None:
        when = _map(consequence.get("when"))
        self._add("consequences", rule=rule, verdict=verdict, charged=consequence.get("charge"),
                  consequence_points=consequence.get("points"), **{test: when.get(test) for test in TESTS})  # fmt: skip

    def _scorecard(self, place: int, card: Mapping[str, Raw]) -> None:
        whom = _map(card.get("for"))
        fits = {f"for_{key}": whom.get(key) for key in ("kind", "group", "post")}
        for each in _list(card.get("parts")) or [{}]:
            part = _map(each)
            self._add("scorecards", scorecard=place, **fits, part=part.get("title"), weight=part.get("weight"),
                      part_category=part.get("category"))  # fmt: skip

    def _standing(self, standing: Mapping[str, Raw]) -> None:
        for post, share in _pairs(standing.get("linkage")):
            self._add("linkage", post=post, linkage_share=share)
        for share in _list(_map(standing.get("tiers")).get("shares")):
            self._add("tiers", tier_share=share)
        for each in _list(standing.get("awards")):
            award = _map(each)
            self._add("awards", award_kind=award.get("kind"),
                      **{key: award.get(key) for key in ("code", "title", "top_share", "quota", "per")})  # fmt: skip


def _compared(of: Raw, language: Language) -> Raw:
    if of == "total":
        return render(TOTAL, language)
    listed = _list(of)
    if len(listed) == 1 and (listed[0] == "total" or means(listed[0], TOTAL)):
        return to_json(listed)
    return from_codes(listed) if isinstance(of, list) else of


def case_text(case: Raw) -> str:
    """A case as a text that reads back the same: YAML, or JSON where it came from there with its types."""
    return dump_yaml(case).removesuffix("\n") if _all_text(case) else to_json(case)


def _all_text(raw: Raw) -> bool:
    if isinstance(raw, dict):
        return all(map(_all_text, raw.values()))
    if isinstance(raw, list):
        return all(map(_all_text, raw))
    return raw is None or isinstance(raw, str)


def _parts(text: str) -> Iterable[str]:
    """The text in pieces that a cell holds, cut between lines; a longer line is cut too, by the YAML of it never."""
    held: list[str] = []
    size = 0
    for line in text.split("\n"):
        if held and size + len(line) > LONGEST_CELL:
            yield "\n".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    yield "\n".join(held)


def _map(raw: Raw) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _list(raw: Raw) -> list[Raw]:
    return raw if isinstance(raw, list) else []


def _pairs(raw: Raw) -> list[tuple[str, Raw]]:
    return list(raw.items()) if isinstance(raw, Mapping) else []


def _pair(raw: Raw) -> tuple[Raw, Raw]:
    items = [*_list(raw), None, None]
    return items[0], items[1]


def _plain(raw: Raw) -> Raw:
    """A number as a text: what stands in a column of several types."""
    return f"{Decimal(raw):f}" if isinstance(raw, (int, Decimal)) and not isinstance(raw, bool) else raw
