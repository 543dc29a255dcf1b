"""A supposition rules its time, and nothing before or after it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.bureau import Bureau
from engine.finding import Refused
from engine.period import Calendar, Period
from engine.publication import succeed
from engine.rulebook import Limit, Rulebook, Window
from engine.supposition import bounds_of, open_days, replaced, suppose


def at(month: int, day: int = 1) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def rulebook(code: str, effective: datetime, per: Window = "month") -> Rulebook:
    limit = Limit(code="L", sign="both", per=per, max=Decimal(1))
    return Rulebook(code=code, effective=effective, limits={"L": limit})


def bureau(*effective: datetime) -> Bureau:
    made = Bureau()
    for number, instant in enumerate(effective, 1):
        made = succeed(made, rulebook(f"v{number}", instant))
    return made


def ruling(made: Bureau, instant: datetime) -> str | None:
    version = made.version_at(instant)
    return None if version is None else version.rulebook.code


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ((at(1),), ["v1", "v1", "draft", "draft", "v1", "v1"]),
        ((at(1), at(3, 10)), ["v1", "v1", "draft", "draft", "v2", "v2"]),
        ((at(1), at(3)), ["v1", "v1", "draft", "draft", "v2", "v2"]),
        ((at(1), at(4)), ["v1", "v1", "draft", "draft", "v2", "v2"]),
        ((at(1), at(5)), ["v1", "v1", "draft", "draft", "v1", "v2"]),
        ((at(1), at(3, 20), at(3, 5), at(2, 10)), ["v1", "v4", "draft", "draft", "v2", "v2"]),
        ((at(3, 10),), [None, None, "draft", "draft", "v1", "v1"]),
        ((at(4),), [None, None, "draft", "draft", "v1", "v1"]),
    ],
)
def test_it_rules_its_time_only(versions: tuple[datetime, ...], expected: list[str | None]) -> None:
    supposed = suppose(bureau(*versions), rulebook("draft", at(1)), at(3), at(4))
    asked = [at(1), at(2, 28), at(3), at(3, 31), at(4), at(5)]
    assert [ruling(supposed, instant) for instant in asked] == expected
    numbers = [each.number for each in supposed.versions]
    assert len(set(numbers)) == len(numbers)
    for number in range(1, len(versions) + 1):
        assert supposed.version(number).rulebook.code == f"v{number}"


def test_it_stands_in_place_of_what_ruled_then() -> None:
    made = bureau(at(1), at(3, 20), at(3, 5), at(2, 10), at(5))
    assert replaced(made, at(3), at(4)) == (4, 3, 2)
    assert replaced(made, at(3, 21), at(4)) == (2,)
    assert replaced(bureau(at(5)), at(3), at(4)) == ()


def test_a_limit_that_changed_its_window_is_refused_as_in_a_publication() -> None:
    with pytest.raises(Refused):
        suppose(bureau(at(1)), rulebook("draft", at(1), "year"), at(3), at(4))


def test_its_days_count_as_open() -> None:
    bounds = {"M2": (2, 3), "M3": (3, 4), "M4": (4, 5), "Q": (1, 4)}
    periods = [
        Period(code=code, kind=code[0], start=date(2026, start, 1), end=date(2026, end, 1), state="closed")
        for code, (start, end) in bounds.items()
    ]
    opened = open_days(Calendar(periods), periods[1])
    assert {code: each.state for code, each in opened.periods.items()} == {
        "M2": "closed", "M3": "open", "M4": "closed", "Q": "open",
    }  # fmt: skip
    first, end = bounds_of(periods[1], Bureau())
    assert (first.isoformat(), end.isoformat()) == ("2026-03-01T00:00:00+08:00", "2026-04-01T00:00:00+08:00")
