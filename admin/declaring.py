"""The periods of a year (一年的考评期): its months, quarters, halves and itself, as an office declares them."""

from collections.abc import Iterable, Mapping
from datetime import date

from engine.language import Language, message, render
from engine.period import Period

_LENGTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_CODES = {"month": "{year}-{number:02}", "quarter": "{year}-Q{number}", "half": "{year}-H{number}", "year": "{year}"}


def periods_of(year: int, language: Language = "zh-CN") -> tuple[Period, ...]:
    """The months, quarters, halves and the year, each by its usual code."""
    return tuple(
        Period(
            code=_CODES[kind].format(year=year, number=number),
            title=render(message(_title(kind, number), year=year, number=number), language),
            kind=kind,
            start=_first(year, (number - 1) * months),
            end=_first(year, number * months),
        )
        for kind, months in _LENGTHS.items()
        for number in range(1, 12 // months + 1)
    )


def _title(kind: str, number: int) -> str:
    return f"periods.title.{kind}{number}" if kind in ("quarter", "half") else f"periods.title.{kind}"


def _first(year: int, months: int) -> date:
    return date(year + months // 12, months % 12 + 1, 1)


def missing(wanted: Iterable[Period], declared: Mapping[str, Period]) -> tuple[Period, ...]:
    """Those that are not declared yet, under this code or another."""
    spans = {(each.kind, each.start, each.end) for each in declared.values()}
    return tuple(
        each for each in wanted if each.code not in declared and (each.kind, each.start, each.end) not in spans
    )
