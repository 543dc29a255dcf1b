"""What people read, in two languages: zh-CN first, English whole.

Code never holds a sentence. It makes a :class:`Message` (a key and what goes into it); each
room registers the catalogue of its keys, and :func:`render` makes the sentence when someone
reads it.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Language = Literal["zh-CN", "en"]
DEFAULT: Language = "zh-CN"

Catalogue = Mapping[str, tuple[str, str]]
"""key → (zh-CN, en); both are :meth:`str.format` templates over the message's ``args``."""

_catalogue: dict[str, tuple[str, str]] = {}


class Message(msgspec.Struct, frozen=True, gc=False):
    """A sentence yet to be said: the catalogue's key and the values for its placeholders.

    A value may itself be a message; it is then said in the same language.
    """

    key: str
    args: "dict[str, str | Message]" = {}


def message(key: str, **args: object) -> Message:
    """A message whose values are text or messages; anything else is written with ``str``."""
    return Message(key, {name: value if isinstance(value, Message) else str(value) for name, value in args.items()})


def register(catalogue: Catalogue) -> None:
    """Add a room's texts. A key registered twice with other words is a mistake of ours."""
    for key, texts in catalogue.items():
        if _catalogue.setdefault(key, texts) != texts:
            raise ValueError(f"text {key!r} is registered twice")


def render(said: Message, language: Language = DEFAULT) -> str:
    """The sentence in the language asked for."""
    template = _catalogue[said.key][0 if language == "zh-CN" else 1]
    args = {name: render(value, language) if isinstance(value, Message) else value for name, value in said.args.items()}
    return template.format(**args)
