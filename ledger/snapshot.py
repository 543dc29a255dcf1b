"""Snapshots (关账快照): a closed period's figures as text that never changes, and back.

Ratios that are no decimals are written ``1/3``; amounts as decimals.
"""

from fractions import Fraction
from typing import Any

import msgspec

from engine.charging import written
from engine.standing import Figures


def encode_figures(figures: Figures) -> str:
    """The figures as JSON."""
    return plain_json(figures)


def decode_figures(text: str) -> Figures:
    """The figures of a snapshot."""
    return msgspec.json.decode(text, type=Figures, dec_hook=_read)


def from_plain(tree: object, wanted: Any) -> Any:
    """The engine's value that a tree of JSON says."""
    return msgspec.convert(tree, wanted, dec_hook=_read, strict=False)


def plain_json(value: object) -> str:
    """Any of the engine's values as JSON, exact."""
    return msgspec.json.encode(value, enc_hook=_write, order="sorted").decode()


def _write(value: Any) -> str:
    if isinstance(value, Fraction):
        return written(value)
    raise NotImplementedError(type(value))


def _read(wanted: type, value: Any) -> Any:
    if wanted is Fraction:
        return Fraction(value)
    raise NotImplementedError(wanted)
