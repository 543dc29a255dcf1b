"""Changes of the draft's cases (用例的改动), each written down with who made it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from admin.changes import record
from admin.tables import ChangeLog
from engine.scalar import Raw
from rules.draft import read_draft
from rules.kept_cases import Cases, as_text, cases_of, change_cases, key_of, put, rename_rule
from rules.tables import Draft


async def write(change: Callable[[Cases], Cases], user: str, before: Raw, after: Raw, **meant: Any) -> None:
    """Change the draft's cases and write down who changed which, in one transaction."""
    was, now = ({"cases": "" if raw is None else as_text(raw)} for raw in (before, after))
    async with ChangeLog._meta.db.transaction(allow_nested=True):
        await change_cases(change, **meant)
        await record(user, "change", Draft, 1, was, now)


async def follow_rule(before: str, after: str, user: str) -> None:
    """Let the cases name a rule by its new code, and write down each that did."""
    for raw in cases_of(await read_draft()):
        now = rename_rule(raw, before, after)
        if now != raw:
            await write(partial(put, raw=now, key=key_of(raw)), user, raw, now)
