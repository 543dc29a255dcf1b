"""Comparing on pages (规则对比): what differs between two versions or the draft, in words, with what moved marked.

A permanent address names both sides; where both are versions the page says the same for ever.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException

from admin.guard import NotYours, person_of, signed_in
from admin.marking import Piece, mark
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import reads_all
from engine.finding import Finding, Refused
from engine.language import Language, Message, message, render
from engine.rulebook import Rulebook
from rules.comparison import SECTIONS, Change, Difference, compare
from rules.sides import DRAFT, NoSide, Side, read_side
from rules.tables import Version
from rules.wording import say_rule

Web = Request[Any, Any, Any]

PAGE = 100
"""Things that differ, on one page."""
_SHORT = 24
"""Letters of a value up to which the old one stands whole beside the new one."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field that differs, with what moved in it marked; ``apart``: the old value stands whole before the new one."""

    name: str
    pieces: tuple[Piece, ...]
    apart: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A change as a page shows it; ``words`` is the rule's whole sentence with what moved marked."""

    change: Change
    title: str
    words: tuple[Piece, ...]
    fields: tuple[Field, ...]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison, or the part of it that was asked for. ``summary`` and ``total`` are of all that fits the filter."""

    sections: tuple[tuple[str, tuple[Shown, ...]], ...]
    summary: tuple[Message, ...]
    total: int
    further: int | None = None


def compare_sides(
    old: Side | None, new: Side, language: Language, *, rule: str = "", start: int = 0, most: int = PAGE
) -> Compared:
    """What differs, from place ``start`` on, at most so many; ``rule``: a part of its code or title."""
    before = old.document if old is not None else None
    wanted = rule.strip().casefold()
    changes = sorted(
        (
            each
            for each in compare(before, new.document)
            if wanted in each.code.casefold() or wanted in each.called(language).casefold()
        ),
        key=lambda each: SECTIONS.index(each.section),
    )
    part = changes[start : start + most]
    words = _Words(None if old is None else old.rulebook, new.rulebook, language)
    grouped: dict[str, list[Shown]] = {}
    for change in part:
        grouped.setdefault(change.section, []).append(words.show(change))
    return Compared(
        sections=tuple((section, tuple(held)) for section, held in grouped.items()),
        summary=_summary(changes),
        total=len(changes),
        further=start + most if start + most < len(changes) else None,
    )


class _Words:
    """Shows changes in words."""

    def __init__(self, old: Rulebook | None, new: Rulebook, language: Language) -> None:
        self._sides = tuple(_rules(side) for side in (old, new))
        self._language: Language = language

    def show(self, change: Change) -> Shown:
        words: tuple[Piece, ...] = ()
        if change.section == "rules":
            words = mark(*(self._say(side, change.code) for side in self._sides))
        return Shown(
            change=change,
            title=change.called(self._language),
            words=words,
            fields=tuple(self._field(each) for each in change.differences),
        )

    def _say(self, side: tuple[Rulebook | None, Mapping[str, Any]], code: str) -> str:
        rulebook, rules = side
        if rulebook is None or code not in rules:
            return ""
        return ("" if self._language == "zh-CN" else " ").join(say_rule(rules[code], rulebook, self._language))

    def _field(self, difference: Difference) -> Field:
        before, after = (self._text(side) for side in (difference.before, difference.after))
        if difference.plain:
            return Field(name=self._text(difference.field), pieces=(Piece("same", after),))
        apart = bool(before and after) and len(before) + len(after) <= _SHORT
        pieces = (Piece("del", before), Piece("ins", after)) if apart else mark(before, after)
        return Field(name=self._text(difference.field), pieces=pieces, apart=apart)

    def _text(self, said: Message | str | None) -> str:
        return render(said, self._language) if isinstance(said, Message) else said or ""


def _rules(rulebook: Rulebook | None) -> tuple[Rulebook | None, Mapping[str, Any]]:
    return rulebook, {} if rulebook is None else {rule.code: rule for rule in rulebook.rules}


def _summary(changes: Iterable[Change]) -> tuple[Message, ...]:
    """How many things of each section came, went and changed."""
    counted = Counter((each.section, each.kind) for each in changes)
    return tuple(
        message(
            "comparing.summary",
            section=message(f"comparing.section.{section}"),
            counts=_counts([(kind, counted[section, kind]) for kind in ("added", "removed", "changed")]),
        )
        for section in SECTIONS
        if any(counted[section, kind] for kind in ("added", "removed", "changed"))
    )


def _counts(held: Sequence[tuple[str, int]]) -> Message:
    said = [message(f"comparing.{kind}", count=count) for kind, count in held if count]
    joined = said[0]
    for further in said[1:]:
        joined = message("comparison.and", one=joined, other=further)
    return joined


def comparison_routes(office: Office) -> Router:
    """``/desk/comparison``."""

    @get("/desk/comparison", guards=[signed_in()], include_in_schema=False)
    async def comparison_page(request: Web) -> Response[str]:
        whole = reads_all(person_of(request))
        versions = await list_versions()
        asked = request.query_params
        old, new = _sides(asked, versions, whole)
        if DRAFT in (old, new) and not whole:
            raise NotYours
        compared, problems, sides = None, tuple[Finding, ...](), list[Side]()
        if old and new:
            try:
                sides = [await read_side(old), await read_side(new)]
            except NoSide as refused:
                if DRAFT not in (old, new):
                    raise NotFoundException from refused
                problems = refused.findings
            except Refused as refused:
                problems = refused.findings
            else:
                start = _number(asked.get("start"))
                compared = compare_sides(
                    sides[0], sides[1], language_of(request), rule=asked.get("rule") or "", start=start
                )
        query = {"from": old, "to": new} | ({"rule": asked["rule"]} if asked.get("rule") else {})
        return await show(
            request,
            office,
            "comparison.html",
            versions=versions,
            old=old,
            new=new,
            rule=asked.get("rule") or "",
            compared=compared,
            sides=sides,
            problems=problems,
            query=urlencode(query),
            start=_number(asked.get("start")),
            permanent=urlencode(query),
            permanent_link=DRAFT not in (old, new),
            whole=whole,
        )

    return Router("/", route_handlers=[comparison_page], exception_handlers=refuse_page(office))


async def list_versions() -> list[dict[str, Any]]:
    """Every version without its document, the latest first."""
    columns = [column for column in Version._meta.columns if column._meta.name != "document"]
    return [dict(row) for row in await Version.select(*columns).order_by(Version.number, ascending=False)]


def _sides(asked: Any, versions: Sequence[Mapping[str, Any]], whole: bool) -> tuple[str, str]:
    """What is compared: what is asked for; else the latest version, and the draft or the one before."""
    latest = [str(row["number"]) for row in versions[:2]]
    new = asked.get("to") or (DRAFT if whole else next(iter(latest), ""))
    old = asked.get("from") or next((each for each in latest if each != new), "")
    return old, new


def _number(text: str | None) -> int:
    return min(int(text), 10**6) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0
