"""Pages of a list (分页): a cursor says after what the next one starts, so that every page costs the same."""

import base64
import binascii

from engine.finding import Finding, Refused
from engine.language import message
from ledger.listing import LONGEST_PAGE, PAGE


def read_limit(limit: int | None) -> int:
    """How many are wanted. Refused where that is out of bounds."""
    if limit is None:
        return PAGE
    if not 1 <= limit <= LONGEST_PAGE:
        raise Refused(Finding(path="/limit", message=message("query.limit", most=LONGEST_PAGE)))
    return limit


def read_cursor(cursor: str | None) -> str | None:
    """What the page starts after. Refused where we did not make the cursor."""
    if not cursor:
        return None
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise wrong_cursor() from None


def read_number(cursor: str | None) -> int | None:
    """The number that the page is before."""
    after = read_cursor(cursor)
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise wrong_cursor()
    return int(after)


def write_cursor(after: str | int | None) -> str | None:
    """The cursor of the next page; None where there is none."""
    return None if after is None else base64.urlsafe_b64encode(str(after).encode()).decode().rstrip("=")


def wrong_cursor() -> Refused:
    """The refusal of a cursor that we did not make."""
    return Refused(Finding(path="/cursor", message=message("query.cursor")))
