"""Writing a rulebook (规则写出): the document that reads back as the same rulebook.

Keys in one order, defaults left out, points and amounts with two decimals at least, other numbers
in their normal form. Every scalar is text, a truth value or a whole number, so that the tree is
the same as YAML and as JSON.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.condition import Condition
from engine.event import Value
from engine.field import EventType, Field
from engine.report import write_value
from engine.rulebook import (
    Bands,
    Consequence,
    Difference,
    DifferentiationRule,
    EventRule,
    Factor,
    Fixed,
    Indicator,
    JointRule,
    JointSettings,
    Measure,
    Points,
    Progressive,
    ProgressRule,
    Rule,
    Rulebook,
    StandingSettings,
    Table,
)
from engine.scalar import Raw, written_number
from rules.measure import write_parameters


def write_rulebook(rulebook: Rulebook) -> dict[str, Raw]:
    """The rulebook's document as a tree."""
    return _tree(
        rulebook=rulebook.code,
        title=rulebook.title,
        effective=rulebook.effective.isoformat(),
        base=None if rulebook.base == 100 else written_number(rulebook.base),
        joint=_tree(
            depth=rulebook.joint.depth,
            basis=None if rulebook.joint.basis == "nominal" else rulebook.joint.basis,
        )
        if rulebook.joint != JointSettings()
        else None,
        late=None if rulebook.late == "carry" else rulebook.late,
        holidays=[day.isoformat() for day in sorted(rulebook.holidays)],
        workdays=[day.isoformat() for day in sorted(rulebook.workdays)],
        event_types={code: _event_type(each) for code, each in rulebook.event_types.items()},
        indicators={code: _indicator(each) for code, each in rulebook.indicators.items()},
        limits={
            code: _tree(
                title=limit.title,
                sign=None if limit.sign == "both" else limit.sign,
                per=limit.per,
                max=amount(limit.max),
            )
            for code, limit in rulebook.limits.items()
        },
        rules=[write_rule(rule) for rule in rulebook.rules],
        scorecards=[
            _tree(
                **{"for": _tree(kind=card.kind, group=card.group, post=card.post)},
                parts=[
                    _tree(title=part.title, weight=written_number(part.weight), category=part.category)
                    for part in card.parts
                ],
            )
            for card in rulebook.scorecards
        ],
        standing=_standing(rulebook.standing),
    )


def amount(value: Decimal | None) -> str | None:
    """Points as people write them: two decimals, more only where there are more."""
    if value is None:
        return None
    plain = written_number(value)
    whole, _, places = plain.partition(".")
    return f"{whole}.{places:0<2}"


def _ratio(value: Decimal | None) -> str | None:
    return None if value is None else written_number(value)


def _tree(**given: Any) -> dict[str, Any]:
    """What is there; what is None or empty is left out."""
    return {key: value for key, value in given.items() if value is not None and value not in ("", [], {}, ())}


def _event_type(event_type: EventType) -> dict[str, Any]:
    fields = {name: _field(field) for name, field in event_type.fields.items()}
    return _tree(title=event_type.title) | {"fields": fields}


def _field(field: Field) -> dict[str, Any]:
    late = field.days_late
    return _tree(
        title=field.title,
        type=field.type,
        choices=dict(field.choices),
        required=field.required or None,
        days_late=None if late is None else {"due": late.due, "done": late.done, "calendar": late.calendar},
    )


def _indicator(indicator: Indicator) -> dict[str, Any]:
    return _tree(
        title=indicator.title,
        full=None if indicator.full == 100 else written_number(indicator.full),
        owner=indicator.owner,
        category=indicator.category,
        overdraw=indicator.overdraw or None,
        measure=None if indicator.measure is None else _measure(indicator.measure),
    )


def _measure(measure: Measure) -> dict[str, Any]:
    return _tree(
        on=measure.on,
        field=measure.field,
        method=measure.method,
        **{measure.method: write_parameters(measure), "else": _ratio(measure.otherwise)},
        order=None if measure.order == "descending" else measure.order,
    )


def write_rule(rule: Rule) -> dict[str, Any]:
    """A rule as a document writes it."""
    common = _tree(rule=rule.code, title=rule.title, basis=rule.basis, indicator=rule.indicator)
    common |= {} if rule.enabled else {"enabled": False}
    return common | _own(rule) | _tree(note=rule.note)


def _own(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, EventRule):
        return _tree(
            on=rule.on,
            when=_when(rule.when),
            charge=None if rule.charge == "subject" else rule.charge,
            points=_points(rule.points),
            times=rule.times,
            factors=[_factor(factor) for factor in rule.factors],
            max=amount(rule.max),
            matter=None if rule.matter == "each" else rule.matter,
            limits=list(rule.limits),
        )
    if isinstance(rule, JointRule):
        return _tree(
            joint=rule.joint,
            of=None if rule.of is None else list(rule.of),
            sign=None if rule.sign == "both" else rule.sign,
            when=_when(rule.when),
            share=_ratio(rule.share),
            points=amount(rule.points),
            split=None if rule.split == "each" else rule.split,
            max=amount(rule.max),
            limits=list(rule.limits),
        )
    if isinstance(rule, DifferentiationRule):
        return _tree(
            differentiation="total" if rule.of is None else list(rule.of),
            among=rule.among,
            groups=None if rule.groups is None else list(rule.groups),
            per=rule.per,
            at_least=None if rule.at_least == 2 else rule.at_least,
            undifferentiated=_consequence(rule.undifferentiated),
            differentiated=_consequence(rule.differentiated),
            limits=list(rule.limits),
        )
    if isinstance(rule, ProgressRule):
        return _tree(
            progress=rule.progress,
            among="group",
            groups=None if rule.groups is None else list(rule.groups),
            per=rule.per,
            points=amount(rule.points),
            max=amount(rule.max),
            both=rule.both or None,
            limits=list(rule.limits),
        )
    return _tree(
        veto="total",
        on=rule.on,
        when=_when(rule.when),
        charge=None if rule.charge == "subject" else rule.charge,
        to=written_number(rule.to),
    )


def _when(condition: Condition | None) -> str | None:
    return None if condition is None else condition.text


def _points(points: Points) -> Any:
    if isinstance(points, Fixed):
        return amount(points.value)
    if isinstance(points, Table):
        return {"field": points.field, "table": _rows(points.rows, amount)}
    if isinstance(points, Bands):
        bands = [[written_number(threshold), amount(value)] for threshold, value in points.bands]
        return _tree(field=points.field, bands=bands, **{"else": amount(points.otherwise)})
    if isinstance(points, Progressive):
        return {"field": points.field, "progressive": [[_ratio(bound), amount(rate)] for bound, rate in points.steps]}
    return {"field": points.field, "share": written_number(points.share)}


def _rows(rows: Mapping[Value, Decimal], write: Any) -> dict[str, Any]:
    return {_key(value): write(points) for value, points in rows.items()}


def _key(value: Value) -> str:
    written = write_value(value)
    if isinstance(written, bool):
        return "true" if written else "false"
    return str(written)


def _factor(factor: Factor) -> dict[str, Any]:
    repeat = factor.repeat
    return _tree(
        title=factor.title,
        when=_when(factor.when),
        field=factor.field,
        table=None if factor.table is None else _rows(factor.table, written_number),
        repeat=None if repeat is None else {"within_days": repeat.within_days} | _tree(same=list(repeat.same)),
        by=_ratio(factor.by),
    )


def _consequence(consequence: Consequence | None) -> dict[str, Any] | None:
    if consequence is None:
        return None
    when = consequence.when
    return _tree(
        when=None if when is None else _difference(when),
        charge=consequence.charge,
        points=amount(consequence.points),
    )


def _difference(difference: Difference) -> dict[str, Any]:
    tests = {name: getattr(difference, name) for name in Difference.__struct_fields__}
    return {
        name: written_number(test) if isinstance(test, Decimal) else test
        for name, test in tests.items()
        if test is not None
    }


def _standing(standing: StandingSettings) -> dict[str, Any]:
    return _tree(
        linkage={post: written_number(share) for post, share in standing.linkage.items()},
        floor=_ratio(standing.floor),
        tiers={"shares": [written_number(share) for share in standing.tiers]} if standing.tiers else None,
        awards=[
            _tree(
                code=award.code,
                title=award.title,
                kind=award.kind,
                top_share=written_number(award.top_share),
                quota=award.quota,
                per=award.per,
            )
            for award in standing.awards
        ],
    )
