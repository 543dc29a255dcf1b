"""The list of entries (台账明细): filtered, paged newer and older, and the whole of it as a table for spreadsheets."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromQuery
from litestar.response import Stream

from admin.audit import names_of
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import reads_all, seen_by
from admin.session import Person
from admin.tables import Role
from engine.finding import Refused
from engine.language import Language, message, render
from ledger.current import get_current
from ledger.listing import PAGE, EntryFilter, EntryPage, all_entries, page_entries
from ledger.sight import Sight
from ledger.tables import EntryKind

Web = Request[Any, Any, Any]

_LARGEST = 2**63 - 1
_COLUMNS = (
    "number", "booked", "subject", "name", "rule", "rule_title", "kind", "source", "event", "period", "indicator",
    "version", "nominal", "posted", "cause", "cause_number", "hash",
)  # fmt: skip
_AMOUNTS = ("nominal", "posted")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would take for a formula."""
_BATCH = 500
_LONGEST = 8_000
_MOST_TRIES = 10
"""Pages that are looked through at once for somebody who would find them empty."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is asked for, as it stands in the address."""

    subject: str = ""
    rule: str = ""
    event: str = ""
    source: str = ""
    kind: str = ""
    period: str = ""
    indicator: str = ""
    not_indicator: str = ""
    first: str = ""
    last: str = ""
    cause: str = ""
    snapshot: str = ""

    def query(self, **more: object) -> str:
        """What was asked for, as an address says it."""
        held = {name: value for name, value in msgspec.structs.asdict(self).items() if value}
        return urlencode({**held, **more})

    def filter(self, sight: Sight) -> EntryFilter:
        """The filter, within what is in sight. ValueError where a date or a number is none."""
        cause, snapshot = (int(text) if text else None for text in (self.cause, self.snapshot))
        if any(number is not None and not 0 <= number <= _LARGEST for number in (cause, snapshot)):
            raise ValueError("out of range")
        first, last = (date.fromisoformat(text) if text else None for text in (self.first, self.last))
        return EntryFilter(
            subject=self.subject or None,
            rule=self.rule or None,
            event=self.event or None,
            source=self.source or None,
            kind=self.kind or None,
            period=self.period or None,
            indicator=self.indicator or None,
            not_indicator=self.not_indicator or None,
            start=first,
            end=None if last is None else date.fromordinal(min(last.toordinal() + 1, date.max.toordinal())),
            cause=cause,
            snapshot=snapshot,
            sight=sight,
        )


def entry_routes(office: Office) -> Router:
    """``/entries`` and ``/entries.csv``."""

    async def listing(request: Web, before: int | None = None, after: int | None = None) -> Response[str]:
        person = person_of(request)
        asked = _asked(request, person)
        unknown, page = False, EntryPage(items=(), older=None, newer=None)
        try:
            wanted = asked.filter(seen_by(person))
            page = await page_entries(wanted, before=_bounded(before), after=_bounded(after), limit=PAGE)
            for _ in range(_MOST_TRIES):
                if page.items or page.older is None:
                    break
                page = await page_entries(wanted, before=page.older, limit=PAGE)
        except (Refused, ValueError):
            unknown = True
        return await show(
            request,
            office,
            "entries.html",
            page=page,
            entries=page.items,
            names=await names_of(entry.subject for entry in page.items),
            titles=_titles(),
            unknown=unknown,
            whole=reads_all(person),
            several=reads_all(person) or Role.assessor in person.roles,
            asked=asked,
            kinds=tuple(EntryKind),
        )

    @get("/entries", guards=[signed_in()], include_in_schema=False)
    async def entries_page(
        request: Web, before: FromQuery[int | None] = None, after: FromQuery[int | None] = None
    ) -> Response[str]:
        return await listing(request, before, after)

    @get("/entries.csv", guards=[signed_in()], include_in_schema=False)
    async def entries_table(request: Web) -> Response[Any]:
        person = person_of(request)
        asked = _asked(request, person)
        try:
            wanted = asked.filter(seen_by(person))
            # What cannot be found is said before the table begins.
            await page_entries(wanted, limit=1)
        except (Refused, ValueError):
            return await listing(request)
        headers = {"content-disposition": 'attachment; filename="entries.csv"', "cache-control": "no-store"}
        table = write_table(wanted, language_of(request))
        return Stream(table, media_type="text/csv; charset=utf-8", headers=headers)

    return Router("/", route_handlers=[entries_page, entries_table], exception_handlers=refuse_page(office))


async def write_table(wanted: EntryFilter, language: Language) -> AsyncIterator[bytes]:
    """The entries as comma-separated values for spreadsheets, in bounded memory; texts that begin like formulas are
    marked as text."""
    titles, held = _titles(), io.StringIO()
    writer = csv.writer(held)
    writer.writerow([render(message(f"entries.column.{name}"), language) for name in _COLUMNS])
    written = 0
    yield b"\xef\xbb\xbf"
    async for row in all_entries(wanted):
        writer.writerow(_cells(row, titles, language))
        written += 1
        if written % _BATCH == 0:
            yield _emptied(held)
    yield _emptied(held)


def _cells(row: Mapping[str, Any], titles: Mapping[tuple[int, str], str], language: Language) -> list[str]:
    told = {
        **row,
        "rule_title": titles.get((row["version"], row["rule"]), ""),
        "kind": render(message(f"entry.kind.{row['kind']}"), language),
        "cause": render(message(f"act.kind.{row['cause_act']}"), language),
        "cause_number": row["cause"],
    }
    return [
        f"{told[name]:f}" if name in _AMOUNTS else as_text("" if told[name] is None else str(told[name]))
        for name in _COLUMNS
    ]


def as_text(cell: str) -> str:
    """The cell as a spreadsheet takes it for text, whatever it begins with."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _emptied(held: io.StringIO) -> bytes:
    text = held.getvalue()
    held.seek(0)
    held.truncate()
    return text.encode()


def _asked(request: Web, person: Person) -> Asked:
    """What the address asks for; who reads their own entries only asks for those."""
    sight = seen_by(person)
    given = {
        name: request.query_params.get(name, "").strip()[:_LONGEST].replace("\0", "")
        for name in Asked.__struct_fields__
    }
    if sight.partial and sight.owner is None:
        given["subject"] = person.subject
    return Asked(**given)


def _bounded(number: int | None) -> int | None:
    return None if number is None else max(0, min(number, _LARGEST))


def _titles() -> dict[tuple[int, str], str]:
    """The titles of rules, by version and code."""
    return {
        (version.number, rule.code): rule.title
        for version in get_current().bureau.versions
        for rule in version.rulebook.rules
    }
