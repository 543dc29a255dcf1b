"""The office's panel and pages."""

from admin import exchange_texts as _exchange_texts  # noqa: F401  (registers the catalogue)
from admin import key_texts as _key_texts  # noqa: F401  (registers the catalogue)
from admin import texts as _texts  # noqa: F401  (registers the catalogue)
