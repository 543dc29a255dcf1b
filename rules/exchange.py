"""Files that the office brings and takes (导入导出): a rulebook, subjects, relations, as YAML or as a workbook.

What is read here is whole or refused: :class:`~rules.fault.Faulty` lists every fault at its sheet, row and column, or
at its line and path. Nothing is stored.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from engine.finding import Finding, Refused
from engine.language import Language, message
from engine.organisation import Relation, Subject
from engine.rulebook import Rulebook
from engine.scalar import Raw, shown
from rules.document import Document as Read
from rules.document import read_document, write_rulebook
from rules.draft import dated
from rules.fault import Fault, Faulty, as_faults, faults_of
from rules.form import find_form, letters, listed
from rules.piece import Located
from rules.roster import read_relations, read_subjects, write_relations, write_subjects
from rules.roster_sheets import (
    ROSTER_FORMS,
    FilledList,
    read_roster_sheets,
    roster_guide,
    write_relation_sheet,
    write_subject_sheet,
)
from rules.rows import Document, take_apart
from rules.rulebook_filled import read_rulebook_sheets
from rules.rulebook_forms import FORMS
from rules.rulebook_sheets import write_rulebook_sheets
from rules.spreadsheet import FilledSheet, look_at_sheets
from rules.tree import Path, dump_yaml, load
from rules.workbook import BOUNDS, Cell, Sheet, write_workbook

Ending = Literal["yaml", "xlsx"]
ENDINGS: Mapping[str, Ending] = {".yaml": "yaml", ".yml": "yaml", ".json": "yaml", ".xlsx": "xlsx"}
_GUIDES = frozenset({"说明", "Guide"})
_RULEBOOK_KEYS = frozenset({"rulebook", "event_types", "rules"})
BOM = b"\xef\xbb\xbf"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ReadRulebook(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook that was read from a file: its document as it is to become the draft, and what is odd in it."""

    tree: Document
    rulebook: Rulebook
    odd: tuple[Fault, ...] = ()


class ReadRoster(msgspec.Struct, frozen=True, kw_only=True):
    """Subjects and relations that were read from a file; ``locate`` says where the item stands that a finding names."""

    subjects: tuple[Subject, ...] = ()
    relations: tuple[Relation, ...] = ()
    locate: Callable[[Finding], Fault]


# taking


def write_rulebook_file(tree: Mapping[str, Raw], ending: Ending, language: Language) -> bytes:
    """A rulebook's document as a file. ValueError where a text of it is longer than a cell holds."""
    if ending == "yaml":
        return dump_yaml(dict(tree)).encode()
    return write_workbook(write_rulebook_sheets(tree, language))


def write_roster_file(
    subjects: Iterable[Subject] | None,
    relations: Iterable[Relation] | None,
    ending: Ending,
    language: Language,
    day: date | None = None,
) -> bytes:
    """Subjects as they are on the day and relations as a file; what is None is left out."""
    if ending == "yaml":
        tree: dict[str, Any] = {}
        if subjects is not None:
            tree["subjects"] = write_subjects(subjects, day)
        if relations is not None:
            tree["relations"] = write_relations(relations)
        return dump_yaml(tree).encode()
    sheets: list[Sheet] = [roster_guide(language)]
    if subjects is not None:
        sheets.append(write_subject_sheet(subjects, language, day))
    if relations is not None:
        sheets.append(write_relation_sheet(relations, language))
    return write_workbook(sheets)


def write_whole_file(
    tree: Mapping[str, Raw],
    subjects: Iterable[Subject],
    relations: Iterable[Relation],
    language: Language,
    day: date | None = None,
) -> bytes:
    """A workbook that carries a rulebook, subjects and relations. ValueError as :func:`write_rulebook_file`."""
    roster = [write_subject_sheet(subjects, language, day), write_relation_sheet(relations, language)]
    return write_workbook([*write_rulebook_sheets(tree, language), *roster])


def write_csv(sheet: Sheet) -> bytes:
    """A sheet as comma-separated values that spreadsheets read as Chinese; no text of it becomes a formula."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(map(plain_cell, sheet.columns))
    writer.writerows([plain_cell(cell) for cell in row] for row in sheet.rows)
    return BOM + held.getvalue().encode()


def plain_cell(cell: Cell) -> str:
    """A cell of comma-separated values: text that begins like a formula is marked as text."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text


# bringing


def read_rulebook_file(data: bytes, ending: Ending, now: datetime) -> ReadRulebook:
    """The rulebook of a file. Where it has no effective time it is read as if published ``now``."""
    located: Located | None = None
    lines: Mapping[Path, int] = {}
    faults: list[Fault] = []
    if ending == "xlsx":
        sheets, faults = _sheets(data, "rulebook")
        filled = read_rulebook_sheets(sheets)
        tree, located = filled.tree, filled.located
        faults = merged(faults, filled.faults)
    else:
        tree, lines = _mapping(data)
    try:
        given = tree if tree.get("effective") is not None else dated(tree, now)
        document = read_document(given, lines)
        tree = tree if located is None else _canonical(document, tree)
        take_apart(tree)
    except Refused as refused:
        raise Faulty(*merged(faults, _faults(refused.findings, located))) from refused
    if faults:
        raise Faulty(*faults)
    return ReadRulebook(tree=tree, rulebook=document.rulebook, odd=_faults(document.warnings, located))


def read_roster_file(
    data: bytes,
    ending: Ending,
    *,
    since: date,
    known: Mapping[str, Subject],
    only: Collection[str] = ("subjects", "relations"),
) -> ReadRoster:
    """The subjects, as they are from that day, and the relations of a file; ``known`` subjects are there."""
    faults: list[Fault] = []
    if ending == "xlsx":
        sheets, faults = _sheets(data, "roster")
        lists, wrong = read_roster_sheets(sheets)
        faults = merged(faults, wrong)
    else:
        lists = _lists(data)
    lists = {name: held for name, held in lists.items() if name in only}
    if not lists:
        faults.append(
            Fault(said=message("exchange.lists", keys=", ".join(sorted(only)), given=message("scalar.nothing")))
        )
    subjects: tuple[Subject, ...] = ()
    relations: tuple[Relation, ...] = ()
    try:
        if (held := lists.get("subjects")) is not None:
            subjects = read_subjects(held.items, since=since, known=known.values())
    except Refused as refused:
        faults = merged(faults, _faults(refused.findings, None if held is None else held.located))
    try:
        if (held := lists.get("relations")) is not None:
            stated = lists["subjects"].items if "subjects" in lists else []
            codes = {str(item.get("code")) for item in stated if isinstance(item, dict)}
            relations = read_relations(held.items, known={*known, *codes})
    except Refused as refused:
        faults = merged(faults, _faults(refused.findings, None if held is None else held.located))
    if faults:
        raise Faulty(*faults)
    return ReadRoster(subjects=subjects, relations=relations, locate=_locator(lists))


def kinds_in(data: bytes, ending: Ending) -> frozenset[str]:
    """What the file holds: ``rulebook``, ``subjects``, ``relations``."""
    if ending == "xlsx":
        sheets, _ = look_at_sheets(data, BOUNDS, _GUIDES)
        held = {form.name for sheet in sheets if (form := find_form(ROSTER_FORMS, sheet.title))}
        return frozenset(held | ({"rulebook"} if any(find_form(FORMS, sheet.title) for sheet in sheets) else set()))
    trees = load(data)
    raw = trees[0].raw if len(trees) == 1 else None
    keys = set(raw) if isinstance(raw, dict) else set()
    return frozenset((keys & {"subjects", "relations"}) | ({"rulebook"} if keys & _RULEBOOK_KEYS else set()))


def _sheets(data: bytes, what: Literal["rulebook", "roster"]) -> tuple[Sequence[FilledSheet], list[Fault]]:
    """The sheets of a workbook and what of their cells cannot be taken; refused where none is of what is wanted."""
    try:
        sheets, findings = look_at_sheets(data, BOUNDS, _GUIDES)
    except Refused as refused:
        raise Faulty(*faults_of(refused)) from refused
    wanted = FORMS if what == "rulebook" else ROSTER_FORMS
    known = listed([form.title for form in wanted])
    faults = [_titled(fault, sheets) for fault in as_faults(findings)]
    faults += [
        Fault(said=message("sheet.unknown_sheet", title=sheet.title, known=known), sheet=sheet.title)
        for sheet in sheets
        if find_form((*FORMS, *ROSTER_FORMS), sheet.title) is None and (sheet.columns or sheet.rows)
    ]
    if not any(find_form(wanted, sheet.title) for sheet in sheets):
        raise Faulty(*(faults or [Fault(said=message("sheet.empty", known=known))]))
    return sheets, faults


def _titled(fault: Fault, sheets: Iterable[FilledSheet]) -> Fault:
    """The fault of a cell with the title of its column."""
    for sheet in sheets:
        for at, title in enumerate(sheet.columns, start=1):
            if sheet.title == fault.sheet and fault.cell == f"{letters(at)}{fault.row}":
                return msgspec.structs.replace(fault, column=title)
    return fault


def merged(faults: Iterable[Fault], further: Iterable[Fault]) -> list[Fault]:
    """Faults with those found later, less what only follows from a cell that could not be taken."""
    held = list(faults)
    seen = {(each.sheet, each.cell) for each in held if each.cell}
    return held + [each for each in further if not each.cell or (each.sheet, each.cell) not in seen]


def _mapping(data: bytes) -> tuple[Document, Mapping[Path, int]]:
    try:
        trees = load(data)
    except Refused as refused:
        raise Faulty(*faults_of(refused)) from refused
    if len(trees) != 1 or not isinstance(trees[0].raw, dict):
        given = shown(trees[0].raw) if len(trees) == 1 else str(len(trees))
        raise Faulty(Fault(said=message("exchange.one_document", given=given)))
    return trees[0].raw, trees[0].lines


def _lists(data: bytes) -> dict[str, FilledList]:
    """The lists of a text, with the lines of their items."""
    tree, lines = _mapping(data)
    unknown = sorted(set(tree) - {"subjects", "relations"})
    if unknown or not tree:
        said = message(
            "exchange.lists", keys="subjects, relations", given=", ".join(unknown) or message("scalar.nothing")
        )
        raise Faulty(Fault(said=said))
    return {
        name: FilledList(raw if isinstance(raw, list) else [raw], _Lines(name, lines)) for name, raw in tree.items()
    }


class _Lines(Located):
    """Where the items of a list in a text stand: its lines."""

    def __init__(self, name: str, lines: Mapping[Path, int]) -> None:
        super().__init__()
        self._name, self._lines = name, lines

    def fault(self, finding: Finding) -> Fault:
        """The finding at its line."""
        steps = finding.path.removeprefix("[").replace("]", "").split(".")
        path: Path = (self._name, *(int(step) if step.isdigit() else step for step in steps if step))
        while path and path not in self._lines:
            path = path[:-1]
        return Fault(
            said=finding.message,
            row=self._lines.get(path),
            column=f"{self._name}{finding.path}",
            odd=finding.level == "warning",
        )


def _faults(findings: Iterable[Finding], located: Located | None) -> tuple[Fault, ...]:
    return as_faults(findings) if located is None else tuple(map(located.fault, findings))


def _locator(lists: Mapping[str, FilledList]) -> Callable[[Finding], Fault]:
    """Find the item that an act's finding names: ``subjects[U1].unit``, ``relations[U1/lead_dept/D1]``."""
    places: dict[str, tuple[Located, int]] = {}
    for name, held in lists.items():
        for place, item in enumerate(held.items):
            if isinstance(item, dict):
                keys = ("code",) if name == "subjects" else ("subject", "relation", "answers")
                places[f"{name}[{'/'.join(str(item.get(key)) for key in keys)}]"] = held.located, place

    def locate(finding: Finding) -> Fault:
        head, bracket, rest = finding.path.partition("]")
        found = places.get(head + bracket)
        if found is None:
            return as_faults([finding])[0]
        located, place = found
        return located.fault(msgspec.structs.replace(finding, path=f"[{place}]{rest}"))

    return locate


def _canonical(document: Read, tree: Document) -> Document:
    """The document with its numbers as the office writes them: a spreadsheet makes 2 of 2.00."""
    written: Document = {**write_rulebook(document.rulebook)}
    if tree.get("effective") is None:
        del written["effective"]
    return {**written, "cases": list(document.cases)} if document.cases else written
