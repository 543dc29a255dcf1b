"""A scalar as written (标量): typed by who expects it, never by how it looks.

``001``, ``on`` and ``0.10`` are text until a schema says what they are; a number is read from
its text, exactly. What does not fit is an :class:`Unfit`, which says what was expected and what
was given.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TypeAlias, Union

from engine.language import Message, message

Raw: TypeAlias = Union[str, int, Decimal, bool, "list[Raw]", "dict[str, Raw]", None]
"""A tree before it is typed: from YAML every scalar is text, from JSON a number is ``int`` or ``Decimal``."""

DIGITS = 28
PLACES = 12
BOUND = Decimal(10) ** 15

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_ORDINARY = re.compile(r"-?(?:[1-9][0-9]{0,13}(?:\.[0-9]{1,12})?|0\.[0-9]{0,10}[1-9])")
"""A number that fits as it is written."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

_ORDINARY_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""An instant that Python reads just so."""


class Unfit(ValueError):
    """A value that is not what was expected; ``expected`` says so in a sentence."""

    def __init__(self, key: str, given: Raw = None, **args: object) -> None:
        self.expected = message(key, given=shown(given), **args)
        super().__init__(f"{key} {self.expected.args}")


def shown(raw: Raw) -> Message | str:
    """What was given, short enough for a sentence."""
    if raw is None:
        return message("scalar.nothing")
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, Mapping):
        return message("scalar.mapping")
    if isinstance(raw, list):
        return message("scalar.list")
    written = str(raw).encode("utf-8", "backslashreplace").decode("utf-8")
    written = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in written[:41])
    return f"{written[:40]}…" if len(written) > 40 else written


def code(raw: Raw) -> str:
    """A code (代码): 1–64 letters of any script, digits, ``.``, ``_``, ``-``."""
    if isinstance(raw, str) and 1 <= len(raw) <= 64 and all(map(_of_code, raw)):
        return raw
    raise Unfit("scalar.code", raw)


def _of_code(sign: str) -> bool:
    return sign in "._-" or unicodedata.category(sign) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"}


def identity(raw: Raw) -> str:
    """An event's id within its source: 1–200 characters without ``/`` and controls."""
    if isinstance(raw, str) and 1 <= len(raw) <= 200 and all(map(_of_identity, raw)):
        return raw
    raise Unfit("scalar.identity", raw)


def _of_identity(sign: str) -> bool:
    return sign != "/" and unicodedata.category(sign) not in {"Cc", "Cs"}


def text(raw: Raw, longest: int = 20_000, shortest: int = 0) -> str:
    """Text, of at most so many characters, that can be stored: no NUL, no half of a surrogate pair."""
    if not isinstance(raw, str):
        raise Unfit("scalar.text", raw, longest=longest)
    if not shortest <= len(raw) <= longest:
        raise Unfit("scalar.text_length", raw, shortest=shortest, longest=longest, length=len(raw))
    if "\0" in raw or not storable(raw):
        raise Unfit("scalar.text_characters", raw)
    return raw


def storable(written: str) -> bool:
    """Whether the text is Unicode that can be encoded (no half of a surrogate pair)."""
    return written.isascii() or not _SURROGATE.search(written)


def number(raw: Raw) -> Decimal:
    """A decimal, exact: at most 28 significant digits, 12 decimal places, and smaller than 10^15.

    It keeps the places it was written with; negative zero is zero.
    """
    if isinstance(raw, bool) or not isinstance(raw, (int, Decimal, str)):
        raise Unfit("scalar.number", raw)
    if isinstance(raw, str):
        if _ORDINARY.fullmatch(raw):
            return Decimal(raw)
        if len(raw) > 100 or not _NUMBER.fullmatch(raw):
            raise Unfit("scalar.number", raw)
    try:
        value = Decimal(raw)
    except (InvalidOperation, ValueError):
        raise Unfit("scalar.number", raw) from None
    if not value.is_finite():
        raise Unfit("scalar.number", raw)
    return _bounded(value, raw)


def _bounded(value: Decimal, raw: Raw) -> Decimal:
    negative, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not value:
        return Decimal((0, (0,), min(0, max(-PLACES, exponent))))
    if exponent > 0:
        if value.adjusted() >= 15:
            raise Unfit("scalar.number_size", raw)
        return Decimal((negative, (*digits, *[0] * exponent), 0))
    significant = len(digits)
    while exponent < 0 and digits[significant - 1] == 0 and (-exponent > PLACES or significant > DIGITS):
        significant, exponent = significant - 1, exponent + 1
    if -exponent > PLACES or significant > DIGITS:
        raise Unfit("scalar.number_digits", raw, digits=DIGITS, places=PLACES)
    value = Decimal((negative, digits[:significant], exponent))
    if abs(value) >= BOUND:
        raise Unfit("scalar.number_size", raw)
    return value


def integer(raw: Raw) -> int:
    """A whole number; ``3`` and ``3.0`` are the same."""
    try:
        value = number(raw)
    except Unfit as unfit:
        if unfit.expected.key == "scalar.number":
            raise Unfit("scalar.integer", raw) from None
        raise
    whole = int(value)
    if whole != value:
        raise Unfit("scalar.integer", raw)
    return whole


def boolean(raw: Raw) -> bool:
    """``true`` or ``false``, nothing that merely looks like it."""
    if isinstance(raw, bool):
        return raw
    if raw == "true":
        return True
    if raw == "false":
        return False
    raise Unfit("scalar.boolean", raw)


def day(raw: Raw) -> date:
    """A date, ``2026-03-01``."""
    if isinstance(raw, str) and _DAY.fullmatch(raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            pass
    raise Unfit("scalar.day", raw)


def instant(raw: Raw) -> datetime:
    """An instant: RFC 3339 with its offset, to the microsecond. A time without an offset is none."""
    if not isinstance(raw, str):
        raise Unfit("scalar.instant", raw)
    try:
        value = datetime.fromisoformat(raw) if _ORDINARY_INSTANT.fullmatch(raw) else _instant(raw)
    except ValueError as error:
        raise error if isinstance(error, Unfit) else Unfit("scalar.instant", raw) from None
    if not 2 <= value.year <= 9998:
        raise Unfit("scalar.instant", raw)
    return value


def _instant(raw: str) -> datetime:
    match = _INSTANT.fullmatch(raw)
    if match is None:
        raise Unfit("scalar.instant", raw)
    on, at, fraction, offset = match.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 6:
        raise Unfit("scalar.instant_fraction", raw)
    return datetime.fromisoformat(f"{on}T{at}.{fraction:0<6}").replace(tzinfo=_zone(offset))


def _zone(offset: str) -> timezone:
    if offset in "Zz":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(offset)
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if offset[0] == "-" else size)


@lru_cache(4_096)
def written_number(value: Decimal | int) -> str:
    """The number in its one normal form: no exponent, no zeros at the end, no negative zero."""
    plain = f"{Decimal(value):f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", ""} else plain


def written_instant(value: datetime) -> str:
    """The instant in its one normal form: UTC, ``2026-03-05T02:00:00Z``, a fraction only where there is one."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
