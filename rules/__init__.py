"""The rulebook as the office keeps it: documents, the draft as rows, checks, cases, publishing."""

from rules import sheet_texts as _sheet_texts  # noqa: F401  (registers the catalogue)
from rules import texts as _texts  # noqa: F401  (registers the catalogue)
