"""What a rule of the draft may refer to (规则的引用范围): read by itself, so that one rule is read without the others.

A draft of a thousand rules is not read whole for one of them: event types, indicators and limits are,
and of the rules their codes, and what joint rules need to be drawn. Rules themselves are put together
from their own rows, as many as are asked for.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

import msgspec
from piccolo.table import Table

from engine.rulebook import EventRule, Fixed, JointRule, JointSettings, Rule, Rulebook, Sign
from rules.document import read_document_at
from rules.draft import snapshot
from rules.place import Findings, Place
from rules.row_values import Document, identity, placed
from rules.rows import Assembler, put_together
from rules.rule import Scope
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
    DraftRule,
    DraftRuleLimit,
    DraftStep,
)

BELONGINGS: tuple[type[Table], ...] = (
    DraftStep, DraftFactor, DraftRuleLimit, DraftJointOf, DraftCompared, DraftConsequence,
)  # fmt: skip
"""The tables whose rows belong to a rule, by their column ``rule``."""

_EFFECTIVE = "2000-01-01T00:00:00+08:00"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as a list shows it; ``place`` is its number in the draft's order, from 1."""

    id: int
    place: int
    code: str
    title: str
    kind: str
    enabled: bool
    on: str = ""


class DraftScope(msgspec.Struct, frozen=True, kw_only=True):
    """What rules of the draft refer to.

    ``rulebook`` holds event types, indicators and limits as far as they can be read, and of event and joint rules
    what others say of them; ``codes`` the codes by id, of the tables that rules name.
    """

    rulebook: Rulebook
    scope: Scope
    rules: tuple[Listed, ...]
    codes: Mapping[type[Table], Mapping[int, str]]

    def listed(self, code: str) -> Listed | None:
        """The rule of that code, as a list shows it."""
        return next((rule for rule in self.rules if rule.code == code), None)


async def read_scope() -> DraftScope:
    """What rules of the draft refer to, as it is at one moment."""
    async with snapshot():
        return await read_scope_now()


async def read_scope_now() -> DraftScope:
    """The same, within a transaction that is open."""
    types = await DraftEventType.objects()
    tree = put_together({
        DraftEventType: types,
        DraftField: await DraftField.objects(),
        DraftChoice: await DraftChoice.objects(),
        DraftLimit: (limits := await DraftLimit.objects()),
    })  # fmt: skip
    columns = (DraftIndicator.id, DraftIndicator.place, DraftIndicator.code, DraftIndicator.title, DraftIndicator.owner)
    indicators = placed(DraftIndicator(**row) for row in await DraftIndicator.select(*columns))
    tree |= {
        "rulebook": "draft",
        "effective": _EFFECTIVE,
        "indicators": {row.code: {"title": row.title, "owner": row.owner or None} for row in indicators},
    }
    rows = await DraftRule.select(
        DraftRule.id, DraftRule.place, DraftRule.code, DraftRule.title, DraftRule.kind, DraftRule.enabled,
        DraftRule.event_type, DraftRule.relation, DraftRule.share, DraftRule.points, DraftRule.sign, DraftRule.split,
        DraftRule.every_rule,
    ).order_by(DraftRule.place, DraftRule.id)  # fmt: skip
    codes: dict[type[Table], dict[int, str]] = {
        DraftEventType: {row.id: row.code for row in types},
        DraftIndicator: {row.id: row.code for row in indicators},
        DraftLimit: {row.id: row.code for row in limits},
        DraftRule: {row["id"]: row["code"] for row in rows},
    }
    read = read_document_at(Place(tree, Findings())).rulebook
    rules = tuple(_listed(row, at, codes[DraftEventType]) for at, row in enumerate(rows, 1))
    served = {rule.code: rule.on for rule in rules if rule.kind == "event" and rule.on}
    settings = await Draft.select(Draft.joint_depth).first()
    rulebook = msgspec.structs.replace(
        read,
        rules=tuple(_stand_ins(rows, served, codes[DraftRule], await _sources())),
        joint=JointSettings(depth=(settings or {}).get("joint_depth") or 1),
    )
    scope = Scope(event_types=read.event_types, indicators=read.indicators, limits=read.limits, served=served)
    return DraftScope(rulebook=rulebook, scope=scope, rules=rules, codes=codes)


def _listed(row: Mapping[str, Any], place: int, types: Mapping[int, str]) -> Listed:
    return Listed(
        id=row["id"],
        place=place,
        code=row["code"],
        title=row["title"],
        kind=row["kind"],
        enabled=row["enabled"],
        on=types.get(row["event_type"], ""),
    )


async def _sources() -> Mapping[int, list[int]]:
    sources: dict[int, list[int]] = defaultdict(list)
    for row in await DraftJointOf.select(DraftJointOf.rule, DraftJointOf.source).order_by(DraftJointOf.place):
        sources[row["rule"]].append(row["source"])
    return sources


def _stand_ins(
    rows: Sequence[Mapping[str, Any]],
    served: Mapping[str, str],
    codes: Mapping[int, str],
    sources: Mapping[int, Sequence[int]],
) -> list[Rule]:
    """Event and joint rules with what other rules, and the picture of a path, say of them."""
    rules: list[Rule] = []
    for row in rows:
        code, title = row["code"], row["title"]
        if row["kind"] == "event":
            rules.append(EventRule(code=code, title=title, on=served.get(code, ""), points=Fixed(Decimal(0))))
        elif row["kind"] == "joint":
            of = tuple(codes[source] for source in sources.get(row["id"], ()))
            rules.append(
                JointRule(
                    code=code,
                    title=title,
                    enabled=row["enabled"],
                    joint=row["relation"],
                    of=None if not of and row["every_rule"] else of,
                    sign=cast(Sign, row["sign"] or "both"),
                    share=row["share"],
                    points=row["points"],
                    split=row["split"] or "each",
                )
            )
    return rules


async def read_rules(ids: Sequence[int], codes: Mapping[type[Table], Mapping[int, str]]) -> dict[int, Document]:
    """The trees of these rules, by id, put together from their own rows; within a transaction that is open."""
    if not ids:
        return {}
    rows: dict[type[Table], list[Any]] = {}
    for table in BELONGINGS:
        rows[table] = await table.objects().where(table._meta.get_column_by_name("rule").is_in(list(ids)))
    factors = [row.id for row in rows[DraftFactor]]
    rows[DraftFactorRow] = await DraftFactorRow.objects().where(DraftFactorRow.factor.is_in(factors)) if factors else []
    assembler = Assembler(rows, codes)
    found = await DraftRule.objects().where(DraftRule.id.is_in(list(ids)))
    return {identity(row.id): assembler.rule(row) for row in found}


async def read_one(code: str, scope: DraftScope) -> Document | None:
    """The tree of the rule of that code; None where there is none."""
    listed = scope.listed(code)
    return None if listed is None else (await read_rules([listed.id], scope.codes)).get(listed.id)
