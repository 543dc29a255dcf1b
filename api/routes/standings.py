"""Scores and standings (得分、排名): a period's figures, each with the query of the entries behind it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery

from api.authorization import caller_of, needs
from api.paging import read_limit, read_number, write_cursor
from engine.amount import cents
from engine.charging import written
from engine.finding import Finding, Refused
from engine.indicators import IndicatorScore
from engine.language import message
from engine.period import Period
from engine.standing import Figures, Standing
from ledger.current import get_current
from ledger.known_figures import figures_now
from ledger.reading import Unknown, reading
from ledger.sight import Sight

Web = Request[Any, Any, Any]


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a scorecard; ``score`` and ``scaled`` are exact (a ratio that is no decimal is written 1/3)."""

    title: str
    category: str
    weight: str
    scaled: str | None
    score: str | None
    counted: tuple[str, ...]
    left_out: tuple[str, ...]


class IndicatorView(msgspec.Struct, frozen=True, kw_only=True):
    """A score on one indicator. ``begun`` is the measured value or full marks."""

    indicator: str
    full: str
    begun: str | None
    posted: str
    score: str | None
    method: str | None
    entries: str


class StandingView(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's place in a period.

    To an assessing department (考评部门) the scores on its own ``indicators`` are told and nothing else.
    """

    subject: str
    kind: str
    group: str | None
    total: str | None
    final: str | None
    rank: int | None
    tier: int | None
    previous_rank: int | None
    awards: tuple[str, ...]
    indicators: tuple[IndicatorView, ...] = ()


class StandingList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the ranked list of a period."""

    period: str
    version: int | None
    snapshot: int | None
    items: tuple[StandingView, ...]
    next_cursor: str | None


class VetoView(msgspec.Struct, frozen=True, kw_only=True):
    """A veto and the event that cast it."""

    source: str
    event: str
    rule: str
    version: int
    to: str


class LinkageView(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the unit's total in the final total."""

    share: str
    unit: str
    total: str | None


class RankedView(msgspec.Struct, frozen=True, kw_only=True):
    """A subject and its final total."""

    subject: str
    final: str


class TierView(msgspec.Struct, frozen=True, kw_only=True):
    """A tier: the share of places up to it, in per cent, and its last rank: round half up (n × share)."""

    tier: int
    share: str
    last: int


class RankingView(msgspec.Struct, frozen=True, kw_only=True):
    """Why this rank: of how many in the group, who is ahead (the nearest last), who has the same, and the tiers."""

    group: str | None
    among: int
    ahead: tuple[RankedView, ...]
    tied: tuple[str, ...]
    tiers: tuple[TierView, ...]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's figures in a period, from base to awards; ``entries`` is the query of the entries behind them.

    To an assessing department the scores on its own ``indicators`` are told and nothing else.
    """

    subject: str
    period: str
    version: int | None
    snapshot: int | None
    base: str | None
    parts: tuple[PartView, ...]
    indicators: tuple[IndicatorView, ...]
    posted: str | None
    floor: str | None
    veto: str | None
    vetoes: tuple[VetoView, ...]
    total: str | None
    linkage: LinkageView | None
    final: str | None
    rank: int | None
    tier: int | None
    awards: tuple[str, ...]
    ranking: RankingView | None
    entries: str


@get("/subjects/{code:str}/score", guards=[needs("entries:read")])
async def get_score(
    request: Web,
    code: FromPath[str],
    period: FromQuery[str | None] = None,
    snapshot: FromQuery[int | None] = None,
) -> Score:
    """得分 / a subject's figures in a period, as it stands or as a snapshot froze it."""
    if not period:
        raise Refused(Finding(path="/period", message=message("query.wrong", name="period")))
    sight = caller_of(request).sight
    _, found, number = await _figures(period, snapshot)
    standing = found.of.get(code)
    if standing is None or not (_whole(standing, sight) or _owned(standing, found, sight)):
        raise Unknown(Finding(message=message("subject.unknown", subject=code)))
    return _score(standing, found, number) if _whole(standing, sight) else _part(standing, found, number, sight)


@get("/periods/{code:str}/standings", guards=[needs("entries:read")])
async def get_standings(
    request: Web,
    code: FromPath[str],
    group: FromQuery[str | None] = None,
    snapshot: FromQuery[int | None] = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
) -> StandingList:
    """排名 / the ranked list of a period, group by group; an assessing department reads its own indicators."""
    sight = caller_of(request).sight
    most, first = read_limit(limit), read_number(cursor) or 0
    period, found, number = await _figures(code, snapshot)
    previous = await _previous(period)
    public = not sight.partial or bool(sight.subject)
    wanted = [each for each in found.of.values() if group in (None, each.place.group)]
    if not public:
        wanted = [each for each in wanted if _owned(each, found, sight)]
    # Where no ranks are in sight the order tells none either.
    wanted.sort(
        key=lambda each: (
            each.place.group is None,
            each.place.group or "",
            (each.rank or 10**9) if public else 0,
            each.subject,
        )
    )
    items = tuple(
        _standing(each, previous) if public else _standing_part(each, found, number, sight)
        for each in wanted[first : first + most]
    )
    more = first + most if first + most < len(wanted) else None
    return StandingList(
        period=code, version=found.version, snapshot=number, items=items, next_cursor=write_cursor(more)
    )


async def _figures(code: str, snapshot: int | None = None) -> tuple[Period, Figures, int | None]:
    async with reading() as connection:
        bureau = get_current().bureau
        try:
            period = bureau.calendar.find(code)
        except Refused as refused:
            raise Unknown(*refused.findings) from None
        return period, *await figures_now(connection, bureau, period, snapshot)


async def _previous(period: Period) -> Mapping[str, int | None]:
    """The ranks of the latest period of the same kind that begins earlier."""
    before = get_current().bureau.calendar.previous(period)
    if before is None:
        return {}
    _, found, _ = await _figures(before.code)
    return {code: standing.rank for code, standing in found.of.items()}


def _standing(standing: Standing, previous: Mapping[str, int | None]) -> StandingView:
    return StandingView(
        subject=standing.subject,
        kind=standing.place.kind,
        group=standing.place.group,
        total=amount(standing.total),
        final=amount(standing.final),
        rank=standing.rank,
        tier=standing.tier,
        previous_rank=previous.get(standing.subject),
        awards=standing.awards,
    )


def _whole(standing: Standing, sight: Sight) -> bool:
    """Whether all of a subject's figures are in sight."""
    return not sight.partial or standing.subject == sight.subject


def _owned(standing: Standing, found: Figures, sight: Sight) -> list[IndicatorScore]:
    """Of a subject's indicator scores those on the reader's own indicators."""
    return [each for each in standing.indicators if sight.owns(each.indicator, found.version)]


def _part(standing: Standing, found: Figures, snapshot: int | None, sight: Sight) -> Score:
    """A score to whom only its own indicators are told."""
    return Score(
        subject=standing.subject,
        period=found.period,
        version=found.version,
        snapshot=snapshot,
        base=None,
        parts=(),
        indicators=_indicators(standing, found, snapshot, _owned(standing, found, sight)),
        posted=None,
        floor=None,
        veto=None,
        vetoes=(),
        total=None,
        linkage=None,
        final=None,
        rank=None,
        tier=None,
        awards=(),
        ranking=None,
        entries=_query(standing, found, snapshot),
    )


def _standing_part(standing: Standing, found: Figures, snapshot: int | None, sight: Sight) -> StandingView:
    return StandingView(
        subject=standing.subject,
        kind=standing.place.kind,
        group=standing.place.group,
        total=None,
        final=None,
        rank=None,
        tier=None,
        previous_rank=None,
        awards=(),
        indicators=_indicators(standing, found, snapshot, _owned(standing, found, sight)),
    )


def _query(standing: Standing, found: Figures, snapshot: int | None, **more: str) -> str:
    frozen = {} if snapshot is None else {"snapshot": snapshot}
    return "/api/entries?" + urlencode({"subject": standing.subject, "period": found.period, **frozen, **more})


def _indicators(
    standing: Standing, found: Figures, snapshot: int | None, scores: Iterable[IndicatorScore]
) -> tuple[IndicatorView, ...]:
    return tuple(
        IndicatorView(
            indicator=each.indicator,
            full=f"{each.full:f}",
            begun=amount(each.begun),
            posted=amount(each.posted) or "",
            score=amount(each.score),
            method=None if each.measurement is None else each.measurement.method,
            entries=_query(standing, found, snapshot, indicator=each.indicator),
        )
        for each in scores
    )


def _score(standing: Standing, found: Figures, snapshot: int | None) -> Score:
    linkage = standing.linkage
    return Score(
        subject=standing.subject,
        period=found.period,
        version=found.version,
        snapshot=snapshot,
        base=amount(standing.base),
        parts=tuple(
            PartView(
                title=part.title,
                category=part.category,
                weight=f"{part.weight:f}",
                scaled=_exact(part.scaled),
                score=_exact(part.score),
                counted=part.counted,
                left_out=part.left_out,
            )
            for part in standing.parts
        ),
        indicators=_indicators(standing, found, snapshot, standing.indicators),
        posted=amount(standing.posted) or "",
        floor=amount(standing.floor),
        veto=amount(standing.veto),
        vetoes=tuple(
            VetoView(
                source=each.event.source,
                event=each.event.id,
                rule=each.rule,
                version=each.version,
                to=amount(each.to) or "",
            )
            for each in standing.vetoes
        ),
        total=amount(standing.total),
        linkage=None
        if linkage is None
        else LinkageView(share=f"{linkage.share:f}", unit=linkage.unit, total=amount(linkage.total)),
        final=amount(standing.final),
        rank=standing.rank,
        tier=standing.tier,
        awards=standing.awards,
        ranking=_ranking(standing, found),
        entries=_query(standing, found, snapshot),
    )


def _ranking(standing: Standing, found: Figures) -> RankingView | None:
    shares = () if found.version is None else get_current().bureau.version(found.version).rulebook.standing.tiers
    why = found.ranking(standing.subject, shares)
    if why is None:
        return None
    return RankingView(
        group=standing.place.group,
        among=why.among,
        ahead=tuple(RankedView(subject=code, final=amount(final) or "") for code, final in why.ahead),
        tied=why.tied,
        tiers=tuple(TierView(tier=each.number, share=f"{each.share:f}", last=each.last) for each in why.tiers),
    )


def amount(value: Decimal | None) -> str | None:
    """An amount with its cents; more digits only where there are more."""
    if value is None:
        return None
    rounded = cents(value)
    return f"{rounded if rounded == value else value:f}"


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else written(value)


standing_routes = Router("/", tags=["得分与排名 scores"], route_handlers=[get_score, get_standings])
