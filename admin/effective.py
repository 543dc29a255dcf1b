"""When a version is to rule (生效时间): the choices of the form, in the office's time zone."""

from datetime import datetime, time, timedelta
from typing import Literal

from admin.office import Office
from engine.finding import Finding, Refused
from engine.language import message

When = Literal["now", "tomorrow", "month", "at"]
WHENS: tuple[When, ...] = ("now", "tomorrow", "month", "at")


def choose(when: str, text: str, office: Office, now: datetime) -> datetime:
    """The instant that was chosen; ``text`` is a local time (``2026-03-01T09:00``) and counts for ``at``, or where
    nothing was chosen. Refused where the two say different things or the time is none."""
    if when not in ("", "at") and text.strip():
        raise Refused(Finding(path="effective", message=message("publish.effective_twice")))
    if when not in ("", *WHENS) or (when == "at" and not text.strip()):
        raise Refused(Finding(path="effective", message=message("publish.effective")))
    if when in ("", "at") and text.strip():
        return read_local(text, office)
    return offered(office, now)[when or "now"]


def offered(office: Office, now: datetime) -> dict[str, datetime]:
    """The quick choices: at once, tomorrow 00:00, the first of the next month 00:00."""
    today = now.astimezone(office.timezone).date()
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {
        "now": now.astimezone(office.timezone).replace(microsecond=0),
        "tomorrow": datetime.combine(today + timedelta(days=1), time(), office.timezone),
        "month": datetime.combine(first, time(), office.timezone),
    }


def read_local(text: str, office: Office) -> datetime:
    """A local time as a form sends it, in the office's time zone. Refused where it is none."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused(Finding(path="effective", message=message("publish.effective"))) from None
    return local if local.tzinfo is not None else local.replace(tzinfo=office.timezone)
