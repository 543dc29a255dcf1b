"""What a period's entry was compared by (期末比较): members and values, the tests with their bounds, the verdict.

As the settlement kept it that the entry, or the charge that it is a difference to, stems from.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from engine.charging import written
from engine.comparison import Check, Comparison
from engine.language import Language, render
from engine.progress import Progress
from engine.rulebook import Rulebook
from ledger.current import Connection
from ledger.sight import Sight
from ledger.snapshot import from_plain


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """One that was compared, and its score or total; of a progress, ``before`` and ``gained`` too."""

    subject: str
    value: Decimal
    before: Decimal | None = None
    gained: Decimal | None = None


class TestView(msgspec.Struct, frozen=True, kw_only=True):
    """One test: what it was for, its bound, what was found (exact; of a coefficient of variation its square)."""

    of: Literal["undifferentiated", "differentiated"]
    test: str
    bound: Decimal
    found: str | None
    holds: bool | Literal["unknown"]


class ComparedView(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. ``what`` is ``indicator``, ``total`` or ``rank``; ``within`` is the group or the unit.

    ``hidden`` are members out of sight.
    """

    act: int
    rule: str
    what: str
    indicator: str | None
    title: str
    among: str
    within: str
    members: tuple[MemberView, ...]
    left_out: tuple[str, ...]
    compared: int
    hidden: int = 0
    previous: str | None = None
    tests: tuple[TestView, ...] = ()
    verdict: str | None = None
    charge: str | None = None
    points: Decimal | None = None
    charged: tuple[str, ...] = ()
    silent: str | None = None


async def explain_comparison(
    connection: Connection,
    act: int,
    row: Mapping[str, Any],
    rulebook: Rulebook,
    sight: Sight,
    language: Language,
) -> ComparedView | None:
    """The comparison of a settlement that a period's entry stems from; None where it does not tell of it."""
    text = await connection.fetchval("SELECT content FROM act WHERE number = $1 AND kind = 'settlement'", act)
    content = msgspec.json.decode(text or "{}")
    for each in content.get("comparisons", ()):
        if each["rule"] == row["origin_rule"] and _of(each, each.get("indicator") or "total") == row["origin_subject"]:
            return _compared(act, from_plain(each, Comparison), rulebook, sight, row, language)
    for each in content.get("progress", ()):
        if each["rule"] == row["origin_rule"] and _of(each, each["measure"]) == row["origin_subject"]:
            return _progressed(act, from_plain(each, Progress), sight)
    return None


def _of(each: Mapping[str, Any], what: str) -> str:
    return f"{what}/{each['within']}"


def _compared(
    act: int, found: Comparison, rulebook: Rulebook, sight: Sight, row: Mapping[str, Any], language: Language
) -> ComparedView:
    consequence, subject, version = found.consequence, row["subject"], row["version"]
    # Whoever is charged for what others differ in is told what they had: it is the arithmetic of the charge. So is
    # the department whose indicator was compared.
    charged = subject == sight.subject and consequence is not None and consequence.charge != "members"
    whole = not sight.partial or charged or sight.owns(found.indicator, version)
    members = [
        MemberView(subject=member, value=value)
        for member, value in found.compared.items()
        if whole or sight.subject == member
    ]
    indicator = None if found.indicator is None else rulebook.indicators.get(found.indicator)
    return ComparedView(
        act=act,
        rule=found.rule,
        what="total" if found.indicator is None else "indicator",
        indicator=found.indicator,
        title="" if indicator is None else indicator.title,
        among=found.among,
        within=found.within,
        members=tuple(members),
        left_out=found.left_out if whole else (),
        compared=len(found.compared),
        hidden=len(found.compared) - len(members),
        tests=(
            *(_test("undifferentiated", check) for check in found.undifferentiated),
            *(_test("differentiated", check) for check in found.differentiated),
        ),
        verdict=found.verdict,
        charge=None if consequence is None else consequence.charge,
        points=None if consequence is None else consequence.points,
        charged=found.charged if whole else tuple(each for each in found.charged if each == sight.subject),
        silent=None if found.silent is None else render(found.silent, language),
    )


def _progressed(act: int, found: Progress, sight: Sight) -> ComparedView:
    members = [
        MemberView(subject=each.subject, value=each.now, before=each.before, gained=each.gained)
        for each in found.advances
        if not sight.partial or sight.subject == each.subject
    ]
    return ComparedView(
        act=act,
        rule=found.rule,
        what=found.measure,
        indicator=None,
        title="",
        among="group",
        within=found.within,
        members=tuple(members),
        left_out=() if sight.partial else found.left_out,
        compared=len(found.advances),
        hidden=len(found.advances) - len(members),
        previous=found.previous,
    )


def _test(of: Literal["undifferentiated", "differentiated"], check: Check) -> TestView:
    return TestView(
        of=of,
        test=check.test,
        bound=check.bound,
        found=None if check.found is None else written(check.found),
        holds="unknown" if check.holds is None else check.holds,
    )
