"""Scalars as written: nothing is guessed, nothing is rounded."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import scalar
from engine.language import render
from engine.scalar import Unfit


@pytest.mark.parametrize("raw", ["U1", "城关分局", "001", "on", "a.b_c-d", "é", "x" * 64])
def test_codes(raw: str) -> None:
    assert scalar.code(raw) == raw


@pytest.mark.parametrize("raw", ["", "a b", "a/b", "x" * 65, "a\n", "😀", "a，b", 1, None, True, ["a"], "a\ud800"])
def test_no_codes(raw: scalar.Raw) -> None:
    with pytest.raises(Unfit) as refused:
        scalar.code(raw)
    assert render(refused.value.expected).startswith("应为代码")
    assert render(refused.value.expected, "en").encode()


@pytest.mark.parametrize("raw", ["税检〔2026〕17号 #3", "a b", "x" * 200, "😀"])
def test_ids(raw: str) -> None:
    assert scalar.identity(raw) == raw


@pytest.mark.parametrize("raw", ["", "a/b", "a\tb", "a\x7f", "a\x85", "x" * 201, 7, "\udfff"])
def test_no_ids(raw: scalar.Raw) -> None:
    with pytest.raises(Unfit):
        scalar.identity(raw)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("0.10", "0.10"),
        ("-0.50", "-0.50"),
        ("001", "1"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        (Decimal("-0E-3"), "0.000"),
        (Decimal("0E+9"), "0"),
        (Decimal("1E+3"), "1000"),
        (3, "3"),
        ("999999999999999.999999999999", "999999999999999.999999999999"),
        ("0.000000000001", "0.000000000001"),
        ("1.0000000000000", "1.000000000000"),
        ("0.1" + "0" * 40, "0.100000000000"),
        (-(10**15) + 1, "-999999999999999"),
    ],
)
def test_numbers(raw: scalar.Raw, written: str) -> None:
    assert f"{scalar.number(raw):f}" == written


@pytest.mark.parametrize(
    "raw",
    [
        "", "１", "1,0", "0x1", "1_000", "nan", "inf", " 1", "1 ", "--1", True, False, None, [], {}, Decimal("NaN"),
        Decimal("Infinity"), 10**15, "-1000000000000000", "1e15", "1e999999", "1e-13", "0.0000000000001",
        "12345678901234567.123456789012", "9" * 5000, Decimal("1E+999999"),
    ],
)  # fmt: skip
def test_no_numbers(raw: scalar.Raw) -> None:
    with pytest.raises(Unfit):
        scalar.number(raw)


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=12))
def test_a_number_is_exact(value: Decimal) -> None:
    assert scalar.number(str(value)) == value
    assert scalar.number(value) == value
    assert Decimal(scalar.written_number(value)) == value


@pytest.mark.parametrize("raw", ["3", "3.0", 3, Decimal("3.00"), "03"])
def test_integers(raw: scalar.Raw) -> None:
    read = scalar.integer(raw)
    assert (read, type(read)) == (3, int)


@pytest.mark.parametrize("raw", ["3.1", Decimal("2.5"), "three", True, None])
def test_no_integers(raw: scalar.Raw) -> None:
    with pytest.raises(Unfit) as refused:
        scalar.integer(raw)
    assert refused.value.expected.key == "scalar.integer"


def test_booleans() -> None:
    assert [scalar.boolean(raw) for raw in (True, "true", False, "false")] == [True, True, False, False]
    for raw in ("True", "yes", "on", 1, 0, None, ""):
        with pytest.raises(Unfit):
            scalar.boolean(raw)


def test_days() -> None:
    assert scalar.day("2026-03-01") == date(2026, 3, 1)
    for raw in ("2026-3-1", "2026-02-29", "20260301", "2026-03", "2026-03-01T00:00:00+08:00", 20260301):
        with pytest.raises(Unfit):
            scalar.day(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "2026-03-05T10:00:00+08:00", "2026-03-05t02:00:00z",
        "2026-03-05 02:00:00-00:00", "2026-03-04T21:00:00.000-05:00",
        "2026-03-05T02:00:00.000000000Z",
    ],
)  # fmt: skip
def test_one_instant_in_several_words(raw: str) -> None:
    read = scalar.instant(raw)
    assert read == datetime(2026, 3, 5, 2, tzinfo=UTC)
    assert scalar.written_instant(read) == "2026-03-05T02:00:00Z"


@pytest.mark.parametrize(
    "raw",
    [
        "2026-03-05T10:00:00", "2026-03-05", "2026-03-05T10:00+08:00", "2026-03-05T24:00:00Z",
        "2026-03-05T10:00:00+8:00",
        "2026-03-05T10:00:00+24:00", "2026-03-05T10:00:60Z", "2026-13-05T10:00:00Z", "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:00:00Z", "2026-03-05T10:00:00.1234567Z", 1772676000, None,
    ],
)  # fmt: skip
def test_no_instants(raw: scalar.Raw) -> None:
    with pytest.raises(Unfit):
        scalar.instant(raw)


def test_normal_forms() -> None:
    numbers = {scalar.written_number(Decimal(raw)) for raw in ("0.5", "0.50", "5E-1")}
    assert numbers == {"0.5"}
    assert [scalar.written_number(Decimal(raw)) for raw in ("-0.0", "1E+2", "100", "-0.50")] == [
        "0",
        "100",
        "100",
        "-0.5",
    ]
    assert scalar.written_instant(scalar.instant("2026-03-05T10:00:00.500+08:00")) == "2026-03-05T02:00:00.500000Z"
