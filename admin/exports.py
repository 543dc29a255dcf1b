"""Files that the office takes (导出): the draft or a version, subjects, relations, events; and workbooks to fill in."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from engine.finding import Finding, Refused
from engine.language import Language, message, render
from engine.organisation import Relation, Subject
from ledger.current import get_current
from ledger.reading import reading
from rules.draft import read_draft
from rules.exchange import BOM, Ending, plain_cell, write_csv, write_roster_file, write_rulebook_file, write_whole_file
from rules.roster_sheets import write_relation_sheet, write_subject_sheet
from rules.sides import DRAFT, read_side

ROSTER = ("subjects", "relations", "organisation")
MEDIA = {
    "yaml": "application/yaml; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_EVENT_COLUMNS = (
    "number",
    "source",
    "id",
    "type",
    "subject",
    "name",
    "time",
    "booked",
    "matter",
    "basis",
    "data",
    "standing",
)
_BATCH = 500


async def export_rulebook(which: str, ending: Ending, language: Language) -> bytes:
    """The draft, or the version of that number, as a file. Refused where there is none, or a cell cannot hold it."""
    tree = await _rulebook(which)
    try:
        return write_rulebook_file(tree, ending, language)
    except ValueError as error:
        raise Refused(Finding(message=message("exchange.too_long"))) from error


async def _rulebook(which: str) -> Mapping[str, Any]:
    if which != DRAFT:
        return (await read_side(which)).document
    tree = await read_draft()
    if not tree.get("rulebook"):
        raise Refused(Finding(message=message("exchange.no_draft")))
    return tree


async def export_all(which: str, language: Language, day: date | None = None) -> bytes:
    """A workbook with the draft or a version, the subjects and the relations."""
    tree, (subjects, relations) = await _rulebook(which), await _roster()
    try:
        return write_whole_file(tree, subjects, relations, language, day)
    except ValueError as error:
        raise Refused(Finding(message=message("exchange.too_long"))) from error


async def _roster() -> tuple[list[Subject], list[Relation]]:
    async with reading() as connection:
        held = get_current().bureau.organisation
        rows = await connection.fetch("SELECT code, name FROM subject")
    names = {row["code"]: row["name"] for row in rows}
    known = sorted(held.subjects.values(), key=lambda each: each.code)
    subjects = [Subject(code=each.code, name=names.get(each.code, each.name), places=each.places) for each in known]
    return subjects, sorted(held.relations, key=_order)


async def export_roster(what: str, ending: str, language: Language, day: date | None = None) -> bytes:
    """Subjects as they are on the day (None: as they were last), relations, or both (``organisation``)."""
    subjects, relations = await _roster()
    if ending == "csv":
        sheet = (
            write_relation_sheet(relations, language)
            if what == "relations"
            else write_subject_sheet(subjects, language, day)
        )
        return write_csv(sheet)
    return write_roster_file(
        None if what == "relations" else subjects,
        None if what == "subjects" else relations,
        "yaml" if ending == "yaml" else "xlsx",
        language,
        day,
    )


def _order(relation: Relation) -> tuple[str, str, str, str, str]:
    start = relation.start.isoformat() if relation.start else ""
    return (relation.subject, relation.relation, relation.answers, relation.indicator or "", start)


def template(what: str, language: Language) -> bytes:
    """A workbook with nothing in it but titles, notes and lists to choose from."""
    if what == "rulebook":
        return write_rulebook_file({}, "xlsx", language)
    return write_roster_file((), (), "xlsx", language)


async def export_events(language: Language) -> AsyncIterator[bytes]:
    """Every event of the ledger as comma-separated values, in bounded memory."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow([render(message(f"exchange.event.{name}"), language) for name in _EVENT_COLUMNS])
    yield BOM
    after = 0
    while True:
        async with reading() as connection:
            rows = await connection.fetch(
                "SELECT e.number, e.source, e.id, e.type, e.subject, s.name, e.time, e.booked, e.matter, e.basis,"
                " e.data, EXISTS (SELECT FROM present_event p WHERE p.source = e.source AND p.id = e.id) AS standing"
                " FROM event e LEFT JOIN subject s ON s.code = e.subject"
                " WHERE e.number > $1 ORDER BY e.number LIMIT $2",
                after,
                _BATCH,
            )
        writer.writerows(_event_cells(row, language) for row in rows)
        yield held.getvalue().encode()
        held.seek(0)
        held.truncate()
        if len(rows) < _BATCH:
            return
        after = rows[-1]["number"]


def _event_cells(row: Mapping[str, Any], language: Language) -> Iterable[str]:
    zone = get_current().timezone
    for name in _EVENT_COLUMNS:
        value = row[name]
        if isinstance(value, bool):
            yield render(message("sheet.yes" if value else "sheet.no"), language)
        elif isinstance(value, datetime):
            yield value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        else:
            yield plain_cell(value)


def stamp() -> str:
    """The day, for the names of files."""
    return datetime.now(UTC).astimezone(get_current().timezone).strftime("%Y%m%d")
