"""Marking what moved (标出增删): two texts as one, with what is gone and what is new in between.

Chinese is told apart by characters, other scripts and numbers by words. What both have between two changes is kept only
where it is more than a letter or two, so that a reader sees whole changes and no confetti.
"""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

Kind = Literal["same", "del", "ins"]

_PARTS = re.compile(r"[A-Za-z0-9_]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
_MOST = 1_500
_SHORT = 2


class Piece(NamedTuple):
    """A part of the text: in both, gone, or new."""

    kind: Kind
    text: str


def mark(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces: those of ``same`` and ``del`` make the text before, those of ``same`` and ``ins`` the one after."""
    if before == after:
        return (Piece("same", after),) if after else ()
    old, new = _PARTS.findall(before), _PARTS.findall(after)
    if not old or not new or len(old) + len(new) > _MOST:
        return _merged([Piece("del", before), Piece("ins", after)])
    pieces: list[Piece] = []
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (tag, a, b, c, d) in enumerate(codes):
        text = "".join(old[a:b])
        inside = 0 < place < len(codes) - 1
        if tag == "equal" and not (inside and b - a <= _SHORT and not _NUMBER.search(text)):
            pieces.append(Piece("same", text))
        else:
            pieces += (Piece("del", text), Piece("ins", "".join(new[c:d])))
    return _merged(pieces)


_NUMBER = re.compile(r"[0-9]")


def _merged(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbours of a kind as one, what is gone before what is new."""
    merged: list[Piece] = []
    gone = new = ""

    def close() -> None:
        nonlocal gone, new
        merged.extend(piece for piece in (Piece("del", gone), Piece("ins", new)) if piece.text)
        gone = new = ""

    for piece in pieces:
        if piece.kind == "del":
            gone += piece.text
        elif piece.kind == "ins":
            new += piece.text
        elif piece.text:
            close()
            merged.append(piece)
    close()
    return tuple(merged)
