"""Where the draft's findings lead (定位到行): the panel's page of the row that a path of the document is about."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from piccolo.table import Table

from rules.row_values import identity, placed
from rules.tables import (
    DraftAward,
    DraftConsequence,
    DraftEventType,
    DraftField,
    DraftIndicator,
    DraftLimit,
    DraftLinkage,
    DraftPart,
    DraftRule,
    DraftScorecard,
    DraftTier,
)

Named = Mapping[str, tuple[str, str]]
"""The path of each item of the draft → the page of its row in the panel, and what it is called."""


async def draft_rows() -> Named:
    """Every item of the draft by its path."""
    held: dict[str, tuple[str, str]] = {
        "holidays": ("/admin/#/draft_days", ""),
        "workdays": ("/admin/#/draft_days", ""),
        "rules": ("/admin/#/draft_rule", ""),
        "standing.tiers": ("/admin/#/draft_tier", ""),
    }
    paths: dict[int, str] = {}

    async def name(table: type[Table], path: Callable[[Any, int], str], called: str = "") -> None:
        """The rows of a table: their path from the row and its number among all, and the column they are known by."""
        rows = placed(await table.objects())
        for at, row in enumerate(rows):
            paths[row.id] = path(row, at)
            held[paths[row.id]] = (f"/admin/#/{table._meta.tablename}/{row.id}", str(getattr(row, called, "")))

    await name(DraftEventType, lambda row, _: f"event_types.{row.code}", "code")
    owners = dict(paths)
    await name(DraftField, lambda row, _: f"{owners[identity(row.event_type)]}.fields.{row.name}", "name")
    await name(DraftIndicator, lambda row, _: f"indicators.{row.code}", "code")
    await name(DraftLimit, lambda row, _: f"limits.{row.code}", "code")
    await name(DraftRule, lambda _, at: f"rules[{at}]", "code")
    rules = dict(paths)
    await name(DraftConsequence, lambda row, _: f"{rules[identity(row.rule)]}.{row.verdict}")
    await name(DraftScorecard, lambda _, at: f"scorecards[{at}]")
    cards, parts = dict(paths), Counter[int]()

    def part(row: Any, _: int) -> str:
        parts[identity(row.scorecard)] += 1
        return f"{cards[identity(row.scorecard)]}.parts[{parts[identity(row.scorecard)] - 1}]"

    await name(DraftPart, part, "title")
    await name(DraftLinkage, lambda row, _: f"standing.linkage.{row.post}", "post")
    await name(DraftTier, lambda _, at: f"standing.tiers.shares[{at}]")
    await name(DraftAward, lambda _, at: f"standing.awards[{at}]", "code")
    return held


def row_of(path: str, named: Named) -> tuple[str, str]:
    """The panel's page of the row that a finding is about, and its code; the settings where it is about no row."""
    fits = [held for held in named if path == held or path.startswith((f"{held}.", f"{held}["))]
    return named[max(fits, key=len)] if fits else ("/admin/#/draft/1", "")
