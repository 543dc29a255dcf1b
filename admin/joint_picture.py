"""The picture of a joint rule's path (连带路径图): boxes and arrows in places of whole pixels, from the subject on."""

from decimal import Decimal

import msgspec

from engine.language import Language, Message, message, render
from engine.scalar import written_number
from rules.joint_path import Hop
from rules.wording import RELATIONS
from rules.writing import amount

WIDTH, HEIGHT, GAP, LINE = 138, 48, 104, 62
"""Of a box; between boxes; from one row to the next."""
_LONGEST = 9


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A box: who answers, and by how much. ``own``: it belongs to the rule that is drawn."""

    x: int
    y: int
    name: str
    whole: str
    said: str
    own: bool = False


class Arrow(msgspec.Struct, frozen=True, kw_only=True):
    """An arrow between two boxes, with the code of the rule that it stands for."""

    x1: int
    y1: int
    x2: int
    y2: int
    rule: str
    title: str
    own: bool = False


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    unseen: int


def draw_path(path: Hop, language: Language) -> Picture:
    """The picture of a path."""
    return _Drawing(path.rule, language).picture(path)


class _Drawing:
    def __init__(self, own: str, language: Language) -> None:
        self._own = own
        self._language: Language = language
        self._boxes: list[Box] = []
        self._arrows: list[Arrow] = []
        self._rows = 0
        self._columns = 0
        self._unseen = 0

    def picture(self, path: Hop) -> Picture:
        y = self._hop(path, 1, first=True)
        subject = self._say(message("picture.subject"))
        self._boxes.append(Box(x=0, y=y, name=subject, whole=subject, said=self._say(message("picture.whole"))))
        return Picture(
            width=(self._columns + 1) * (WIDTH + GAP) - GAP,
            height=max(1, self._rows) * LINE,
            boxes=tuple(self._boxes),
            arrows=tuple(self._arrows),
            unseen=self._unseen,
        )

    def _hop(self, hop: Hop, column: int, *, first: bool = False) -> int:
        """Draw a hop with what lies behind it; the height of its box."""
        self._columns = max(self._columns, column)
        self._unseen += hop.unseen
        behind = [self._hop(further, column + 1) for further in hop.further]
        if behind:
            y = (behind[0] + behind[-1]) // 2
        else:
            y = self._rows * LINE + (LINE - HEIGHT) // 2
            self._rows += 1
        x = column * (WIDTH + GAP)
        whole = self._say(message(f"wording.relation.{hop.relation}")) if hop.relation in RELATIONS else hop.relation
        name = whole if len(whole) <= 2 * _LONGEST and whole.isascii() else _short(whole)
        self._boxes.append(Box(x=x, y=y, name=name, whole=whole, said=self._amount(hop), own=first))
        for further, height in zip(hop.further, behind, strict=True):
            self._arrow(further, x, y, height)
        if first:
            self._arrow(hop, 0, y, y, own=True)
        return y

    def _arrow(self, hop: Hop, x: int, y: int, to: int, *, own: bool = False) -> None:
        self._arrows.append(
            Arrow(
                x1=x + WIDTH,
                y1=y + HEIGHT // 2,
                x2=x + WIDTH + GAP,
                y2=to + HEIGHT // 2,
                rule=_short(hop.rule, 10),
                title=f"{hop.rule} {hop.title}".strip(),
                own=own,
            )
        )

    def _amount(self, hop: Hop) -> str:
        if hop.points is not None:
            return self._say(message("picture.fixed", points=amount(hop.points)))
        said = message("picture.share", share=f"{written_number((hop.share or Decimal(0)) * 100)}%")
        return self._say(message("picture.divided", share=said) if hop.divided else said)

    def _say(self, said: Message) -> str:
        return render(said, self._language)


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
