"""Forms (表单): sheets of known columns, written for people to fill in and read as they filled them in.

Titles and choices are accepted in both languages and as the words of the schema, columns in any order. Lists are
written with ``、``; what a person would not type so (a text with spaces at its ends, an item with a comma in it)
stands as JSON, so that everything comes back as it was.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

import msgspec

from engine.language import Message, message, render
from engine.scalar import Raw

Kind = Literal[
    "text", "code", "word", "number", "boolean", "day", "instant", "option", "codes", "words", "key", "verbatim"
]
"""``key`` is a value whose type only the rulebook knows, such as a threshold; ``verbatim`` is a text as it is."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its key, what stands in it; for an option the words to choose from, which have texts under ``of``."""

    key: str
    kind: Kind = "text"
    options: tuple[str, ...] = ()
    of: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet: ``needs`` are the columns without which a row means nothing."""

    name: str
    columns: tuple[Column, ...]
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> Message:
        """What the sheet is called."""
        return message(f"sheet.title.{self.name}")


def title_of(column: Column) -> Message:
    """What the column is called."""
    return message(f"sheet.column.{column.key}")


def label_of(column: Column, option: str) -> Message:
    """How people say the word of the schema."""
    return message(f"sheet.option.{column.of or column.key}.{option}")


def find_form(forms: Sequence[Form], title: str) -> Form | None:
    """The form of the sheet with this title, in either language."""
    wanted = plain(title)
    return next((form for form in forms if wanted in names_of(form.title, form.name)), None)


def means(raw: Raw, label: Message) -> bool:
    """Whether the text is that label in either language."""
    return isinstance(raw, str) and plain(raw) in names_of(label, "")


def names_of(title: Message, key: str) -> set[str]:
    """What is taken for the title or word: it in both languages, and the key."""
    return {plain(key), plain(render(title, "zh-CN")), plain(render(title, "en"))}


def plain(text: str) -> str:
    """A title as it is compared: without spaces, whatever its width and case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def letters(column: int) -> str:
    """The letters of a column, from 1."""
    written = ""
    while column:
        column, rest = divmod(column - 1, 26)
        written = chr(65 + rest) + written
    return written
