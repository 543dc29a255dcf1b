"""Lines (行): a stream of events, one a line (NDJSON), cut as it comes in. A broken line concerns itself alone."""

from collections.abc import Iterator

from api.bodies import EVENT_SIZE, parse_json
from api.problems import Malformed
from engine.finding import Finding
from engine.language import message
from engine.scalar import Raw

MEDIA_TYPE = "application/x-ndjson"
HELD = 4 << 20
"""Bytes of lines that wait for being recorded together at most, but for one more line."""


class Line:
    """A line of a stream: its place, counted from 0, and its bytes; None where it is longer than an event may be."""

    __slots__ = ("content", "place")

    def __init__(self, place: int, content: bytes | None) -> None:
        self.place = place
        self.content = content

    def read(self) -> Raw | Malformed:
        """Its tree, or what is wrong with it."""
        if self.content is None:
            return Malformed(Finding(message=message("line.too_long", most=EVENT_SIZE)))
        try:
            return parse_json(self.content)
        except Malformed as malformed:
            return malformed

    def __len__(self) -> int:
        return len(self.content or b"")


class Cutter:
    """Cuts chunks into lines and holds no more than one of them. Blank lines are counted and left out."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._place = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end in this chunk."""
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            self._hold(part)
            yield from self.close()
        self._hold(rest)

    def close(self) -> Iterator[Line]:
        """The line that is held: it ends here."""
        content = b"".join(self._parts) if self._size <= EVENT_SIZE else None
        place, self._place, self._size = self._place, self._place + 1, 0
        self._parts.clear()
        if content is None or content.strip():
            yield Line(place, content)

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= EVENT_SIZE:
            self._parts.append(part)
        else:
            self._parts.clear()
