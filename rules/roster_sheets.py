"""Subjects and relations as sheets (主体表、关系表), and from sheets as the lists that documents write."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.language import Language, message, render
from engine.organisation import Relation, Subject
from engine.scalar import Raw
from rules.fault import Fault
from rules.form import Column, Form, find_form
from rules.form_reading import read_form
from rules.form_writing import write_form
from rules.piece import Located, Piece
from rules.roster import write_relations, write_subjects
from rules.spreadsheet import FilledSheet
from rules.workbook import Sheet

SUBJECTS = Form(
    name="subjects",
    columns=(
        Column(key="code", kind="code"),
        Column(key="name"),
        Column(key="subject_kind", kind="option", options=("unit", "person")),
        Column(key="group", kind="word"),
        Column(key="unit", kind="code"),
        Column(key="subject_post", kind="word"),
    ),
    needs=("code", "subject_kind"),
)
RELATIONS = Form(
    name="relations",
    columns=(
        Column(key="subject", kind="code"),
        Column(key="relation", kind="code"),
        Column(key="answers", kind="code"),
        Column(key="indicator", kind="code"),
        Column(key="from", kind="day"),
        Column(key="until", kind="day"),
    ),
    needs=("subject", "relation", "answers"),
)
ROSTER_FORMS = (SUBJECTS, RELATIONS)
_KEYS = {
    "subjects": {"code": "code", "name": "name", "subject_kind": "kind", "group": "group", "unit": "unit",
                 "subject_post": "post"},
    "relations": {"subject": "subject", "relation": "relation", "answers": "answers", "indicator": "indicator",
                  "from": "from", "until": "to"},
}  # fmt: skip
"""The key of a document by the column, of each sheet."""


class FilledList(msgspec.Struct, frozen=True):
    """The items of a sheet as a document writes them, and where each stands."""

    items: list[Raw]
    located: Located


def write_subject_sheet(subjects: Iterable[Subject], language: Language, day: Any = None) -> Sheet:
    """The subjects, as they are on that day or were last."""
    return _sheet(SUBJECTS, write_subjects(subjects, day), language)


def write_relation_sheet(relations: Iterable[Relation], language: Language) -> Sheet:
    """The relations."""
    return _sheet(RELATIONS, write_relations(relations), language)


def roster_guide(language: Language) -> Sheet:
    """What the sheets are for, in words; it is passed by on reading."""
    titles = tuple(render(message(f"sheet.guide.{column}"), language) for column in ("sheet", "meaning"))
    lines = [("", render(message(f"sheet.guide.line.{number}"), language)) for number in (1, 4, 5)]
    lines += [
        (render(form.title, language), render(message(f"sheet.guide.of.{form.name}"), language))
        for form in ROSTER_FORMS
    ]
    return Sheet(title=render(message("sheet.title.guide"), language), columns=titles, rows=tuple(lines))


def _sheet(form: Form, items: Iterable[Mapping[str, Any]], language: Language) -> Sheet:
    keys = _KEYS[form.name]
    rows = [{column: item.get(key) for column, key in keys.items()} for item in items]
    return write_form(form, rows, language)


def read_roster_sheets(sheets: Sequence[FilledSheet]) -> tuple[dict[str, FilledList], list[Fault]]:
    """The lists that the sheets hold, by the form's name, and what of their cells could not be taken."""
    read: dict[str, FilledList] = {}
    faults: list[Fault] = []
    for sheet in sheets:
        form = find_form(ROSTER_FORMS, sheet.title)
        if form is None:
            continue
        if form.name in read:
            faults.append(Fault(said=message("sheet.twice", title=sheet.title), sheet=sheet.title))
            continue
        entries, wrong = read_form(form, sheet)
        faults += wrong
        items: list[Raw] = []
        located = Located()
        for place, entry in enumerate(entries):
            piece = Piece(entry, form.columns[0].key)
            piece.take(entry, **_KEYS[form.name])
            items.append(piece.tree)
            located.add(piece.within(place))
        read[form.name] = FilledList(items, located)
    return read, faults
