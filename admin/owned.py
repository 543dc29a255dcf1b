"""A period as an assessing department sees it (本部门指标): scores on its own indicators, what they were compared by.

Whose an indicator is, the version says by which the period's figures are reckoned.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from admin.audit import names_of
from engine.comparison import Comparison
from engine.indicators import IndicatorScore
from engine.organisation import Place
from engine.rulebook import Indicator
from engine.standing import Figures
from ledger.current import get_current
from ledger.settlements import Settled
from ledger.sight import Sight


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A subject's score on an indicator."""

    subject: str
    place: Place
    score: IndicatorScore


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator with everybody's scores on it, by group and code, and the comparisons of the latest settlement."""

    indicator: Indicator
    scores: tuple[Scored, ...]
    comparisons: tuple[Comparison, ...]


async def owned_figures(found: Figures, settled: Settled | None, sight: Sight) -> dict[str, Any]:
    """What the page of a period shows to a department: its indicators, the names, the titles of the rules."""
    owned = tuple(_owned(found, settled, sight))
    compared = [each for one in owned for each in one.comparisons]
    codes = {each.subject for one in owned for each in one.scores}
    codes |= {code for each in compared for code in (*each.compared, *each.left_out, *each.charged, each.within)}
    rulebook = None if found.version is None else get_current().bureau.version(found.version).rulebook
    return {
        "owned": owned,
        "department": sight.owner or "",
        "names": await names_of({*codes, sight.owner or ""}),
        "rules": {} if rulebook is None else {each.code: each.title for each in rulebook.rules},
    }


def _owned(found: Figures, settled: Settled | None, sight: Sight) -> Iterator[Owned]:
    if found.version is None:
        return
    declared = get_current().bureau.version(found.version).rulebook.indicators
    for code in (code for code in declared if sight.owns(code, found.version)):
        scores = [
            Scored(subject=each.subject, place=each.place, score=score)
            for each in found.of.values()
            for score in each.indicators
            if score.indicator == code
        ]
        scores.sort(key=lambda each: (each.place.group is None, each.place.group or "", each.subject))
        made = () if settled is None else tuple(each for each in settled.comparisons if each.indicator == code)
        yield Owned(indicator=declared[code], scores=tuple(scores), comparisons=made)
