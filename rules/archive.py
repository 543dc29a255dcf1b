"""The archive of an XLSX file (压缩包): a ZIP of XML parts, unpacked within bounds and gone through element by element.

What is unpacked is counted, whatever the archive says of itself; a document type, and with it every entity, is refused
before it is read.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from xml.parsers import expat

import msgspec

from engine.finding import Finding, Refused
from engine.language import message


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How large a workbook may be: bytes as sent and unpacked, parts, rows that hold something, columns."""

    bytes: int = 10_000_000
    expanded: int = 80_000_000
    members: int = 500
    rows: int = 100_000
    columns: int = 100
    findings: int = 500


BOUNDS = Bounds()


def refuse(key: str, **args: object) -> Refused:
    """The whole file is refused."""
    return Refused(Finding(message=message(key, **args)))


Start = Callable[[str, dict[str, str]], None]


_BROKEN = (
    LookupError, ValueError, expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError,
)  # fmt: skip
"""What a part may be that is no XML, or cannot be unpacked."""


class Archive:
    """The ZIP file; what is unpacked of it is counted."""

    def __init__(self, data: bytes, bounds: Bounds) -> None:
        if len(data) > bounds.bytes:
            raise refuse("workbook.large", most=f"{bounds.bytes:,}")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            members = self._archive.infolist()
        except _BROKEN:
            raise refuse(_what_else(data)) from None
        self._left = bounds.expanded
        self._most = bounds.expanded
        if len(members) > bounds.members:
            raise refuse("workbook.members", most=bounds.members)
        if sum(member.file_size for member in members) > bounds.expanded:
            raise refuse("workbook.expanded", most=f"{bounds.expanded:,}")
        if any(member.flag_bits & 1 for member in members):
            raise refuse("workbook.protected")
        self._members = {member.filename.replace("\\", "/"): member for member in members}
        if "xl/workbook.xml" not in self._members:
            raise refuse("workbook.binary" if "xl/workbook.bin" in self._members else "workbook.none")

    def holds(self, path: str) -> bool:
        """Whether there is such a part."""
        return path in self._members

    def walk(
        self,
        path: str,
        start: Start,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Go through the elements of a part, by their local names."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, given: start(local(name), given)
        parser.EndElementHandler = None if end is None else lambda name: end(local(name))
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _no_doctype
        try:
            member = self._members[path]
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise refuse("workbook.broken", part=path)
            with self._archive.open(member) as part:
                while chunk := part.read(65_536):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise refuse("workbook.expanded", most=f"{self._most:,}")
                    parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except _BROKEN:
            raise refuse("workbook.broken", part=path) from None


def local(name: str) -> str:
    return name.rpartition(" ")[2]


def _no_doctype(*_: object) -> None:
    raise refuse("workbook.doctype")


def _what_else(data: bytes) -> str:
    """What the file may be, when it is no ZIP."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "workbook.protected" if "EncryptedPackage".encode("utf-16-le") in data else "workbook.old"
    if data.startswith(b"PK"):
        return "workbook.damaged"
    if b"\0" not in data[:4096] and re.search(rb"[,;\t].*\n", data[:4096]):
        return "workbook.csv"
    return "workbook.none"
