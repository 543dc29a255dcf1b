"""What tables, columns and choices are called (名称), for the panel and for whoever speaks of its rows."""

from piccolo.table import Table

from admin.labels import LABELS
from engine.language import Catalogue, Language, message, register, render


def label(language: Language, *keys: str) -> str | None:
    """The first of these labels that there is."""
    return next((render(message(key), language) for key in keys if key in _labels), None)


_labels: set[str] = set(LABELS)


def add_labels(labels: Catalogue) -> None:
    """Register another room's labels, for the tables that it hands in."""
    register(labels)
    _labels.update(labels)


def column_title(table: type[Table], column: str, language: Language) -> str:
    """What a column is called."""
    name = table._meta.tablename
    return label(language, f"column.{name}.{column}", f"column.{column}") or column.replace("_", " ")
