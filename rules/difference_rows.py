"""Differentiation and progress rules as rows (差异、进步规则的行)."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.scalar import Raw
from rules.row_values import Document, given, identity
from rules.row_writer import RowWriter
from rules.tables import DraftCompared, DraftConsequence, DraftIndicator, DraftRule

VERDICTS = ("undifferentiated", "differentiated")
BOUNDS = ("range_below", "range_above", "cv_below", "cv_above", "full_share_at_least")
"""The tests whose bound is a number; ``all_equal`` and ``distinct_below`` stand beside them."""


def take_difference(writer: RowWriter, rule: Mapping[str, Raw], path: str) -> dict[str, Any]:
    """The columns of a differentiation rule."""
    compared = rule.get("differentiation")
    if compared is not None and not isinstance(compared, list):
        writer.option(compared, [DraftRule.compares._meta.choices.total], f"{path}.differentiation")  # type: ignore[union-attr]
    return {
        "compares": "total" if compared == "total" else None if compared is None else "indicators",
        "at_least": writer.integer(rule.get("at_least"), f"{path}.at_least"),
        **_within(writer, rule, path),
    }


def take_progress(writer: RowWriter, rule: Mapping[str, Raw], path: str) -> dict[str, Any]:
    """The columns of a progress rule."""
    return {
        "progress": writer.option(rule.get("progress"), DraftRule.progress._meta.choices, f"{path}.progress"),
        "both": writer.boolean(rule.get("both"), f"{path}.both"),
        **_within(writer, rule, path),
    }


def _within(writer: RowWriter, rule: Mapping[str, Raw], path: str) -> dict[str, Any]:
    return {
        "among": writer.option(rule.get("among"), DraftRule.among._meta.choices, f"{path}.among"),
        "groups": writer.words(rule.get("groups"), f"{path}.groups"),
        "per": writer.word(rule.get("per"), f"{path}.per"),
    }


def take_compared(writer: RowWriter, rule: int, tree: Mapping[str, Raw], path: str) -> None:
    """The rows that belong to a differentiation rule."""
    raw = tree.get("differentiation")
    for at, code in enumerate(raw if isinstance(raw, list) else []):
        where = f"{path}.differentiation[{at}]"
        indicator = writer.reference(DraftIndicator, code, where)
        writer.add(DraftCompared, f"{rule} {code}", where, rule=rule, indicator=indicator, place=at + 1)
    for verdict in VERDICTS:
        if tree.get(verdict) is not None:
            _take_consequence(writer, rule, verdict, tree[verdict], f"{path}.{verdict}")


def _take_consequence(writer: RowWriter, rule: int, verdict: str, raw: Raw, path: str) -> None:
    tree = writer.mapping(raw, path, ("when", "charge", "points"))
    when = writer.mapping(tree.get("when"), f"{path}.when", (*BOUNDS, "all_equal", "distinct_below"))
    equal = when.get("all_equal")
    writer.add(
        DraftConsequence,
        rule=rule,
        verdict=verdict,
        charge=writer.option(tree.get("charge"), DraftConsequence.charge._meta.choices, f"{path}.charge"),
        points=writer.number(tree.get("points"), f"{path}.points"),
        all_equal=None if equal is None else writer.boolean(equal, f"{path}.when.all_equal"),
        distinct_below=writer.integer(when.get("distinct_below"), f"{path}.when.distinct_below"),
        **{bound: writer.number(when.get(bound), f"{path}.when.{bound}") for bound in BOUNDS},
    )


def put_difference(
    row: DraftRule,
    compared: Sequence[DraftCompared],
    consequences: Sequence[DraftConsequence],
    indicators: Mapping[int, str],
) -> Document:
    """The keys of a differentiation rule."""
    listed: Any = [indicators.get(identity(held.indicator)) for held in compared]
    tree: Document = {"differentiation": "total" if row.compares == "total" else listed}
    tree |= given(among=row.among, groups=list(row.groups), per=row.per, at_least=row.at_least)
    by_verdict = {held.verdict: held for held in consequences}
    return tree | {verdict: _put_consequence(by_verdict[verdict]) for verdict in VERDICTS if verdict in by_verdict}


def _put_consequence(row: DraftConsequence) -> Document:
    bounds = {bound: getattr(row, bound) for bound in BOUNDS}
    when = given(all_equal=row.all_equal, **bounds, distinct_below=row.distinct_below)
    return given(when=when, charge=row.charge, points=row.points)


def put_progress(row: DraftRule) -> Document:
    """The keys of a progress rule, its points apart."""
    tree: Document = {"progress": row.progress}
    return tree | given(among=row.among, groups=list(row.groups), per=row.per, both=row.both or None)
