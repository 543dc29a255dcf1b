"""The office's panel and pages."""

from admin import texts as _texts  # noqa: F401  (registers the catalogue)
