"""Days off, scorecards and standing as rows (节假日、计分卡、名次的行)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from piccolo.table import Table

from engine import scalar
from engine.scalar import Raw
from rules.row_values import Document, given, owned, placed
from rules.row_writer import RowWriter
from rules.tables import (
    Draft,
    DraftAward,
    DraftDays,
    DraftLinkage,
    DraftPart,
    DraftScorecard,
    DraftTier,
)

Held = Mapping[type[Table], list[Any]]
LONGEST = 366
"""A stretch of days has no more."""


# --- days ---


def take_days(writer: RowWriter, kind: str, raw: Raw, path: str) -> None:
    """The days of a list, those in a row together."""
    items = enumerate(writer.items(raw, path))
    days = {writer.need(scalar.day, item, date.min, f"{path}[{at}]") for at, item in items}
    for first, last in _stretches(sorted(days)):
        writer.add(DraftDays, kind=kind, first=first, last=last)


def _stretches(days: Iterable[date]) -> Iterable[tuple[date, date]]:
    stretches: list[tuple[date, date]] = []
    for day in days:
        if stretches and (day - stretches[-1][1]).days == 1 and (day - stretches[-1][0]).days < LONGEST:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
    return stretches


def put_days(rows: Held, kind: str) -> list[Raw]:
    """The days of that kind, each once."""
    days = {
        row.first + timedelta(days=after)
        for row in rows.get(DraftDays, [])
        if row.kind == kind
        for after in range((row.last - row.first).days + 1)
    }
    return [day.isoformat() for day in sorted(days)]


# --- scorecards ---


def take_scorecards(writer: RowWriter, raw: Raw, path: str) -> None:
    """Each scorecard and its parts."""
    for at, item in enumerate(writer.items(raw, path)):
        where = f"{path}[{at}]"
        tree = writer.mapping(item, where, ("for", "parts"))
        fits = writer.mapping(tree.get("for"), f"{where}.for", ("kind", "group", "post"))
        card = writer.add(
            DraftScorecard,
            place=at + 1,
            kind=writer.option(fits.get("kind"), DraftScorecard.kind._meta.choices, f"{where}.for.kind"),
            group_code=writer.word(fits.get("group"), f"{where}.for.group"),
            post=writer.word(fits.get("post"), f"{where}.for.post"),
        )
        for step, part in enumerate(writer.items(tree.get("parts"), f"{where}.parts")):
            _take_part(writer, card, step + 1, part, f"{where}.parts[{step}]")


def _take_part(writer: RowWriter, card: int, place: int, raw: Raw, path: str) -> None:
    tree = writer.mapping(raw, path, ("title", "weight", "category"))
    writer.add(
        DraftPart,
        scorecard=card,
        place=place,
        title=writer.text(tree.get("title"), f"{path}.title"),
        weight=writer.number(tree.get("weight"), f"{path}.weight"),
        category=writer.word(tree.get("category"), f"{path}.category"),
    )


def put_scorecards(rows: Held) -> list[Raw]:
    """The scorecards that the rows say."""
    parts = owned(rows, DraftPart, "scorecard")
    return [
        {
            **given(**{"for": given(kind=card.kind, group=card.group_code, post=card.post)}),
            "parts": [
                given(title=part.title, weight=part.weight, category=part.category) for part in parts[card.id]
            ],
        }
        for card in placed(rows.get(DraftScorecard, []))
    ]  # fmt: skip


# --- standing ---


def take_standing(writer: RowWriter, tree: Mapping[str, Raw], path: str) -> None:
    """Linkage, tiers and awards; the floor is a column of the settings."""
    for at, (post, share) in enumerate(writer.mapping(tree.get("linkage"), f"{path}.linkage").items(), 1):
        where = f"{path}.linkage.{post}"
        writer.add(DraftLinkage, place=at, post=writer.word(post, where), share=writer.size(share, where))
    tiers = writer.mapping(tree.get("tiers"), f"{path}.tiers", ("shares",))
    for at, share in enumerate(writer.items(tiers.get("shares"), f"{path}.tiers.shares")):
        writer.add(DraftTier, place=at + 1, share=writer.size(share, f"{path}.tiers.shares[{at}]"))
    for at, item in enumerate(writer.items(tree.get("awards"), f"{path}.awards")):
        _take_award(writer, at + 1, item, f"{path}.awards[{at}]")


def _take_award(writer: RowWriter, place: int, raw: Raw, path: str) -> None:
    tree = writer.mapping(raw, path, ("code", "title", "kind", "top_share", "quota", "per"))
    code = writer.need(scalar.code, tree.get("code"), f"?{place}", f"{path}.code")
    writer.add(
        DraftAward,
        code,
        f"{path}.code",
        place=place,
        code=code,
        title=writer.text(tree.get("title"), f"{path}.title"),
        kind=writer.option(tree.get("kind"), DraftAward.kind._meta.choices, f"{path}.kind"),
        top_share=writer.number(tree.get("top_share"), f"{path}.top_share"),
        quota=writer.integer(tree.get("quota"), f"{path}.quota"),
        per=writer.word(tree.get("per"), f"{path}.per"),
    )


def put_standing(drafts: Sequence[Draft], rows: Held) -> Document:
    """The standing that the settings and the rows say."""
    shares = [tier.share for tier in placed(rows.get(DraftTier, []))]
    return given(
        linkage={row.post: row.share for row in placed(rows.get(DraftLinkage, []))},
        floor=drafts[0].floor if drafts else None,
        tiers={"shares": shares} if shares else None,
        awards=[
            given(
                code=award.code,
                title=award.title,
                kind=award.kind,
                top_share=award.top_share,
                quota=award.quota,
                per=award.per,
            )
            for award in placed(rows.get(DraftAward, []))
        ],
    )
