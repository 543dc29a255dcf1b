"""The figures of a period (得分与名次): from what a subject starts with to its rank, tier and awards.

Total without a scorecard: base + Σ posted. With one: Σ weight × part score ÷ 100 + Σ posted on no
indicator of one of its parts. An indicator without data is left out of its part (what was posted on
it too: it is on an indicator of a part); a part without any is left out, and the other weights are
scaled to the same sum; a subject with none has no total. Then the floor (保底分), then the vetoes
(一票否决); rounded once, to 0.01.

Final total (联动): linkage × the unit's total + (1 − linkage) × own total, rounded to 0.01; it may not
exceed a veto on the person either. Where the post has no linkage, or the person's unit no total to
link to, the total is final. Rank: competition rank by final total within the group; no group or no
final total, no rank. Tier t takes everyone whose rank ≤ round half up(n × cumulative share); an
award's candidates likewise.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from engine.account import Account
from engine.amount import ZERO, cents
from engine.indicators import Indicators, IndicatorScore
from engine.organisation import Place
from engine.ranking import Ranking, edges, last_place, rank, tier_of, why_ranked
from engine.rulebook import Award, Rulebook
from engine.scorecard import PartScore, add_up, find_scorecard, indicators_of, score_parts
from engine.vetoes import Veto, veto


class Linkage(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the unit's total in a person's final total. ``total`` None: the unit has none, nothing is linked."""

    share: Decimal
    unit: str
    total: Decimal | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's figures, each with what it was made of.

    ``base`` is None under a scorecard. ``posted`` is all that was posted in the period, ``added`` the
    part of it that the total adds by itself (the rest is in indicator scores). ``reckoned`` is the
    exact total before floor, vetoes and rounding. ``floor`` is the setting, ``vetoes`` all that were
    cast, the lowest first, whether or not they took effect. ``indicators`` are those of the scorecard,
    and others that were measured or posted on. ``among`` is the number ranked in the group.
    """

    subject: str
    place: Place
    base: Decimal | None
    parts: tuple[PartScore, ...]
    indicators: tuple[IndicatorScore, ...]
    posted: Decimal
    added: Decimal
    reckoned: Fraction | None
    floor: Decimal | None
    vetoes: tuple[Veto, ...]
    total: Decimal | None
    linkage: Linkage | None = None
    final: Decimal | None = None
    rank: int | None = None
    among: int | None = None
    tier: int | None = None
    awards: tuple[str, ...] = ()

    @property
    def veto(self) -> Decimal | None:
        """The most that the totals may be; None where nothing bounds them."""
        return self.vetoes[0].to if self.vetoes else None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of all subjects in a period. ``version`` None: no rulebook is in effect, and nobody has a total."""

    period: str
    version: int | None
    of: Mapping[str, Standing]

    def candidates(self, award: str) -> tuple[str, ...]:
        """The candidates of an award, by code; people choose among them."""
        return tuple(sorted(subject for subject, standing in self.of.items() if award in standing.awards))

    def ranking(self, subject: str, shares: Sequence[Decimal]) -> Ranking | None:
        """Why the subject has its rank in its group; None where it has none. ``shares`` are those of the tiers."""
        own = self.of[subject]
        if own.rank is None:
            return None
        members = {code: each.final for code, each in self.of.items() if each.place.group == own.place.group}
        return why_ranked({code: final for code, final in members.items() if final is not None}, subject, shares)


def figures(account: Account) -> Figures:
    """Reckon the figures of a period."""
    version = account.version
    rulebook = None if version is None else version.rulebook
    ledger = _by_subject(account)
    vetoes = veto(account)
    indicators = Indicators(account)
    of = {
        code: _total(code, account.place(code), rulebook, indicators, ledger.get(code, {}), vetoes.get(code, ()))
        for code in sorted(account.bureau.organisation.subjects)
    }
    of = {code: _link(standing, rulebook, of) for code, standing in of.items()}
    if rulebook is not None:
        for members in account.groups().values():
            of |= _place([of[code] for code in members], rulebook.standing.tiers)
        for award in rulebook.standing.awards:
            if award.per in (None, account.period.kind):
                of |= _nominate(award, account, of)
    return Figures(period=account.period.code, version=None if version is None else version.number, of=of)


def _by_subject(account: Account) -> dict[str, dict[str | None, Decimal]]:
    found: dict[str, dict[str | None, Decimal]] = {}
    for (subject, indicator), amount in account.posted.items():
        found.setdefault(subject, {})[indicator] = amount
    return found


def _total(
    code: str,
    place: Place,
    rulebook: Rulebook | None,
    indicators: Indicators,
    ledger: Mapping[str | None, Decimal],
    vetoes: tuple[Veto, ...],
) -> Standing:
    card = None if rulebook is None else find_scorecard(rulebook, place)
    inside = frozenset[str]() if rulebook is None or card is None else indicators_of(card, rulebook)
    scores = indicators.of(code, {*inside, *ledger})
    parts = () if rulebook is None or card is None else score_parts(card, rulebook, scores)
    added = sum((amount for indicator, amount in ledger.items() if indicator not in inside), ZERO)
    base = rulebook.base if rulebook is not None and card is None else None
    begun = add_up(parts) if base is None else Fraction(base)
    reckoned = None if begun is None else begun + Fraction(added)
    floor = None if rulebook is None else rulebook.standing.floor
    return Standing(
        subject=code,
        place=place,
        base=base,
        parts=parts,
        indicators=tuple(scores.values()),
        posted=sum(ledger.values(), ZERO),
        added=added,
        reckoned=reckoned,
        floor=floor,
        vetoes=vetoes,
        total=None if reckoned is None else _bounded(_lifted(reckoned, floor), vetoes),
    )


def _lifted(total: Fraction, floor: Decimal | None) -> Fraction:
    return total if floor is None else max(total, Fraction(floor))


def _bounded(total: Fraction, vetoes: Sequence[Veto]) -> Decimal:
    return cents(min([total, *(Fraction(each.to) for each in vetoes)]))


def _link(standing: Standing, rulebook: Rulebook | None, of: Mapping[str, Standing]) -> Standing:
    """The final total; units and people without linkage keep their total."""
    place, total = standing.place, standing.total
    share = None if rulebook is None else rulebook.standing.linkage.get(place.post or "")
    if place.kind != "person" or share is None or place.unit is None or place.unit not in of:
        return msgspec.structs.replace(standing, final=total)
    linkage = Linkage(share=share, unit=place.unit, total=of[place.unit].total)
    final = total
    if total is not None and linkage.total is not None:
        linked = Fraction(share) * Fraction(linkage.total) + (1 - Fraction(share)) * Fraction(total)
        final = _bounded(Fraction(cents(linked)), standing.vetoes)
    return msgspec.structs.replace(standing, linkage=linkage, final=final)


def _place(members: Sequence[Standing], shares: Sequence[Decimal]) -> dict[str, Standing]:
    """Rank the members of one group that have a final total, and put them into tiers."""
    finals = {each.subject: each.final for each in members if each.final is not None}
    ranked = rank(finals)
    tiers = edges(shares, len(ranked))
    found = {}
    for each in members:
        place = ranked.get(each.subject)
        if place is not None:
            found[each.subject] = msgspec.structs.replace(
                each, rank=place, among=len(ranked), tier=tier_of(place, tiers)
            )
    return found


def _nominate(award: Award, account: Account, of: Mapping[str, Standing]) -> dict[str, Standing]:
    """Nominate, within each group, those of the award's kind who are within its share."""
    found = {}
    for members in account.groups().values():
        finals = {code: of[code].final for code in members if of[code].place.kind == award.kind}
        ranked = rank({code: final for code, final in finals.items() if final is not None})
        last = last_place(award.top_share, len(ranked))
        for code, place in ranked.items():
            if place <= last:
                found[code] = msgspec.structs.replace(of[code], awards=(*of[code].awards, award.code))
    return found
