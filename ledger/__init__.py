"""What happened: events, entries and acts, recorded once and never changed."""

from ledger import texts as _texts  # noqa: F401  (registers the catalogue)
