"""The pure core of scoring. No input or output, no clock, no randomness, no database."""

from engine import texts as _texts  # noqa: F401  (registers the catalogue)
