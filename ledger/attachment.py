"""Attachments (附件): files that go with an appeal, which lie beside the chain like remarks.

The chain binds a file by SHA-256 over its salt, its type, its name and its content, so that none of them can be
exchanged, and yet all can be removed by a recorded act. What a file is, is told by its content and never by
its name: PDF, images, office documents, plain text, and nothing else.
"""

import io
import re
import zipfile
from typing import NamedTuple

from engine import scalar
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import pointer
from engine.scalar import Raw, Unfit
from ledger.remark import hash_bytes, new_salt

MOST = 5
"""Attachments of one appeal at most."""
LARGEST = 10 * 1024 * 1024
"""Bytes of one attachment at most."""
NAME_LENGTH = 200

PDF, TEXT = "application/pdf", "text/plain"
_SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
"""What a file begins with; the last are office documents before 2007, and those of WPS."""

_INSIDE: tuple[tuple[str, str], ...] = (
    ("word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("OFD.xml", "application/ofd"),
)
"""What an office document that is an archive holds."""
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class Attachment(NamedTuple):
    """A file, its salt, and the hash that stands in the chain."""

    hash: str
    salt: str
    name: str
    media_type: str
    size: int
    content: bytes


def read_attachment(place: int, name: Raw, content: bytes) -> Attachment:
    """The file with a new salt. Refused, by its place, where it is empty, too large, or of no kind that is taken."""
    path = pointer("attachments", place)
    try:
        given = scalar.text(name, NAME_LENGTH, 1)
    except Unfit as unfit:
        raise Refused(Finding(path=f"{path}/name", message=unfit.expected)) from None
    called = re.split(r"[/\\]", given)[-1].strip()
    if not called or not called.isprintable():
        raise Refused(Finding(path=f"{path}/name", message=message("attachment.name")))
    if not content:
        raise Refused(Finding(path=f"{path}/content", message=message("attachment.empty", name=called)))
    if len(content) > LARGEST:
        said = message("attachment.large", name=called, most=LARGEST >> 20)
        raise Refused(Finding(path=f"{path}/content", message=said))
    media_type = told_by_content(content)
    if media_type is None:
        raise Refused(Finding(path=f"{path}/content", message=message("attachment.kind", name=called)))
    salt = new_salt()
    return Attachment(
        hash_attachment(salt, media_type, called, content), salt, called, media_type, len(content), content
    )


def check_count(count: int) -> None:
    """Refused where there are too many."""
    if count > MOST:
        raise Refused(Finding(path="/attachments", message=message("attachment.many", most=MOST)))


def hash_attachment(salt: str, media_type: str, name: str, content: bytes) -> str:
    """SHA-256 over the salt, the type, the name and the content, a line feed between them, in hexadecimal."""
    return hash_bytes(salt, f"{media_type}\n{name}\n".encode() + content)


def told_by_content(content: bytes) -> str | None:
    """The media type that the content shows; None where it is of no kind that is taken."""
    for sign, media_type in _SIGNS:
        if content.startswith(sign):
            return media_type
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    return TEXT if _readable(content) else None


def _archive(content: bytes) -> str | None:
    """The office document that an archive is; other archives are not taken."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            for inside, media_type in _INSIDE:
                if inside in names:
                    return media_type
            if "mimetype" in names and archive.getinfo("mimetype").file_size <= NAME_LENGTH:
                said = archive.read("mimetype").decode("ascii", "replace").strip()
                return said if said.startswith(_OPEN_DOCUMENT) and said.isprintable() and len(said) <= 100 else None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError):
        pass
    return None


def _readable(content: bytes) -> bool:
    """Whether it is text, in Unicode or in the Chinese standard's encoding."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return not _CONTROLS.search(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    return False
