"""Remarks (链外文字): reasons and grounds in words, which lie beside the chain.

The chain binds a remark by SHA-256 over its salt and its text. So nobody can put another text in its
place, and yet the text, with its salt, can be removed by a recorded act: without the salt the hash
tells nothing, not even to somebody who guesses the text.
"""

import hashlib
import secrets
from typing import NamedTuple


class Remark(NamedTuple):
    """A text, its salt, and the hash that stands in the chain."""

    hash: str
    salt: str
    text: str

    @classmethod
    def of(cls, text: str) -> "Remark":
        """The text with a new salt."""
        salt = new_salt()
        return cls(hash_text(salt, text), salt, text)


def new_salt() -> str:
    """128 random bits, in hexadecimal."""
    return secrets.token_hex(16)


def hash_text(salt: str, text: str) -> str:
    """SHA-256 over the salt, a line feed and the text, in hexadecimal."""
    return hash_bytes(salt, text.encode())


def hash_bytes(salt: str, content: bytes) -> str:
    """The same over bytes: what an attachment is bound by."""
    return hashlib.sha256(salt.encode() + b"\n" + content).hexdigest()
