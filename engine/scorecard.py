"""Scorecards (计分卡): how a total is made of weighted parts.

Part score = Σ indicator scores ÷ Σ full × 100 over the part's indicators that have data, not
rounded. A part without any is left out, and the other weights are scaled to the same sum.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.indicators import IndicatorScore
from engine.organisation import Place
from engine.rulebook import Part, Rulebook, Scorecard


class PartScore(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a scorecard: Σ scores ÷ Σ full × 100 of the indicators with data, not rounded.

    ``scaled`` is the weight after those parts are left out that have no indicator with data; such a
    part itself has neither ``scaled`` nor ``score``.
    """

    title: str
    category: str
    weight: Decimal
    scaled: Fraction | None
    score: Fraction | None
    counted: tuple[str, ...]
    left_out: tuple[str, ...]


def find_scorecard(rulebook: Rulebook, place: Place) -> Scorecard | None:
    """The first scorecard that fits what the subject is."""
    for card in rulebook.scorecards:
        asked = ((card.kind, place.kind), (card.group, place.group), (card.post, place.post))
        if all(expected is None or expected == actual for expected, actual in asked):
            return card
    return None


def indicators_of(card: Scorecard, rulebook: Rulebook) -> frozenset[str]:
    """The indicators of the card's parts."""
    categories = {part.category for part in card.parts}
    return frozenset(code for code, indicator in rulebook.indicators.items() if indicator.category in categories)


def score_parts(card: Scorecard, rulebook: Rulebook, scores: Mapping[str, IndicatorScore]) -> tuple[PartScore, ...]:
    """The parts' scores, and their weights scaled so that the parts with data keep the sum of all."""
    reached = [_score(part, rulebook, scores) for part in card.parts]
    everything = sum(Fraction(part.weight) for part in card.parts)
    present = sum(Fraction(part.weight) for part in reached if part.score is not None)
    return tuple(
        msgspec.structs.replace(part, scaled=Fraction(part.weight) * everything / present)
        if part.score is not None and present
        else msgspec.structs.replace(part, score=None)
        for part in reached
    )


def add_up(parts: tuple[PartScore, ...]) -> Fraction | None:
    """Σ weight × part score ÷ 100; None where no part has a score."""
    gained = [part.scaled * part.score for part in parts if part.scaled is not None and part.score is not None]
    return sum(gained, Fraction(0)) / 100 if gained else None


def _score(part: Part, rulebook: Rulebook, scores: Mapping[str, IndicatorScore]) -> PartScore:
    held = [code for code, indicator in rulebook.indicators.items() if indicator.category == part.category]
    known = [(scores[code].score, scores[code].full) for code in held]
    full = sum((Fraction(most) for score, most in known if score is not None), Fraction(0))
    gained = sum((Fraction(score) for score, _ in known if score is not None), Fraction(0))
    return PartScore(
        title=part.title,
        category=part.category,
        weight=part.weight,
        scaled=None,
        score=gained / full * 100 if full else None,
        counted=tuple(code for code in held if scores[code].score is not None),
        left_out=tuple(code for code in held if scores[code].score is None),
    )
