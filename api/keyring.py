"""The keyring (钥匙串): the keys that a process looked up lately."""

import time
from collections import OrderedDict
from datetime import UTC, datetime

from admin.keys import Key, find_key, hash_key

TRUSTED = 2.0
"""Seconds for which a key that was looked up is not looked up again: a revocation takes no longer to work."""
KEPT = 1_000
"""Keys remembered at most."""


class Keyring:
    """The keys that this process looked up lately."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[float, Key | None]] = OrderedDict()

    async def find(self, text: str) -> Key | None:
        """The key of a text, if it is valid now."""
        hashed = hash_key(text)
        known = self._held.get(hashed)
        if known is None or time.monotonic() - known[0] > TRUSTED:
            known = (time.monotonic(), await find_key(hashed))
            self._held[hashed] = known
            self._held.move_to_end(hashed)
            if len(self._held) > KEPT:
                self._held.popitem(last=False)
        found = known[1]
        return found if found is not None and found.valid(datetime.now(UTC)) else None
