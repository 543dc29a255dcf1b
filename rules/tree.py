"""A document's tree (文档树): what was written, before anybody types it.

From YAML every scalar is its text (``on``, ``001`` and ``0.10`` stay what they are), and an empty
one, ``null`` or ``~`` is nothing; from JSON a number is exact. The tree knows the line of each of
its places. Documents are bounded in size, depth and in what aliases expand to; a key that stands
twice, a key that is no text and a merge key are refused.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec
import yaml

from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.scalar import Raw, shown, storable

DEEPEST = 50
LARGEST = 5_000_000
EXPANDED = 200_000
LINE = 100
WIDE = 1_000_000

Path = tuple[str | int, ...]
"""Where something stands: keys and places from the root."""

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_TEXT_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})
_BREAKS = frozenset("\x85\u2028\u2029")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Tree(msgspec.Struct, frozen=True):
    """A document: what is written, and the line of each of its places where the text is known."""

    raw: Raw
    lines: Mapping[Path, int] = {}


def load_yaml(text: str | bytes) -> list[Tree]:
    """Every document of a YAML text. Refused with the line where it cannot be read."""
    written = _decoded(text)
    try:
        return list(_documents(yaml.parse(written, Loader=_Loader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(message("tree.yaml", problem=error.problem or error.context or ""), mark.line + 1 if mark else None)
    except yaml.YAMLError as error:
        _refuse(message("tree.yaml", problem=" ".join(str(error).split())))


def load_json(text: str | bytes, largest: int = LARGEST) -> Tree:
    """The tree of a JSON text; numbers are exact. Refused where it cannot be read, or is larger than that."""
    written = _decoded(text, largest)
    try:
        raw = json.loads(
            written, parse_float=_decimal, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        _refuse(message("tree.json", problem=error.msg, column=error.colno), error.lineno)
    except RecursionError:
        _refuse(message("tree.deep", deepest=DEEPEST))
    _bounded(raw, 1)
    return Tree(raw)


def load(text: str | bytes) -> list[Tree]:
    """The documents of a text that is JSON where it begins like an object or an array that ends it, else YAML."""
    written = _decoded(text)
    if written.lstrip()[:1] in {"{", "["} and written.rstrip()[-1:] in {"}", "]"}:
        try:
            return [load_json(written)]
        except Refused as refused:
            if refused.findings[0].message.key != "tree.json":
                raise
    return load_yaml(written)


def dotted(path: Path) -> str:
    """The path as people read it: ``rules[3].points.by``."""
    said = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return said.removeprefix(".")


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of the place, or of the nearest one around it that is known."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path)


def _refuse(said: Message, line: int | None = None, path: Path = ()) -> NoReturn:
    raise Refused(Finding(message=said, path=dotted(path), line=line))


def _decoded(text: str | bytes, largest: int = LARGEST) -> str:
    if len(text) > largest:
        _refuse(message("tree.large", largest=largest))
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            _refuse(message("tree.encoding", place=error.start))
    return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def _documents(events: Iterator[Any]) -> Iterator[Tree]:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            builder = _Builder(events)
            yield Tree(builder.build(next(events), ()), builder.lines)


class _Builder:
    """Builds one document from the parser's events, never deeper than it may be."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.lines: dict[Path, int] = {}
        self.anchors: dict[str, tuple[Raw, int, int] | None] = {}
        self.expanded = 0
        self.built = 0

    def build(self, event: Any, path: Path) -> Raw:
        """The value that begins with the event, up to its end."""
        line = event.start_mark.line + 1
        self.lines.setdefault(path, line)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, line)
        if isinstance(event, yaml.CollectionStartEvent) and len(path) >= DEEPEST:
            _refuse(message("tree.deep", deepest=DEEPEST), line, path)
        before = self.built
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            value: Raw = self._scalar(event, path, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(event, path, line)
        else:
            value = self._mapping(event, path, line)
        self.built += 1
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.built - before, _depth(value))
        return value

    def _alias(self, event: Any, path: Path, line: int) -> Raw:
        known = self.anchors.get(event.anchor)
        if known is None:
            _refuse(message("tree.alias", alias=event.anchor), line, path)
        value, size, depth = known
        self.expanded += size
        self.built += size
        if self.expanded > EXPANDED:
            _refuse(message("tree.expanded", most=EXPANDED), line, path)
        if len(path) + depth > DEEPEST:
            _refuse(message("tree.deep", deepest=DEEPEST), line, path)
        return value

    def _scalar(self, event: Any, path: Path, line: int) -> Raw:
        if event.tag not in _TEXT_TAGS:
            _refuse(message("tree.tag", tag=event.tag), line, path)
        plain = not event.style and event.tag is None
        return None if plain and event.value in _NOTHING else str(event.value)

    def _sequence(self, start: Any, path: Path, line: int) -> list[Raw]:
        if start.tag not in {None, "!", "tag:yaml.org,2002:seq"}:
            _refuse(message("tree.tag", tag=start.tag), line, path)
        items: list[Raw] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.build(event, (*path, len(items))))
        return items

    def _mapping(self, start: Any, path: Path, line: int) -> dict[str, Raw]:
        if start.tag not in {None, "!", "tag:yaml.org,2002:map"}:
            _refuse(message("tree.tag", tag=start.tag), line, path)
        table: dict[str, Raw] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = event.start_mark.line + 1
            if isinstance(event, yaml.ScalarEvent) and not event.style and event.value == "<<":
                _refuse(message("tree.merge"), at, path)
            key = self.build(event, (*path, "")) if not isinstance(event, yaml.CollectionStartEvent) else None
            self.lines.pop((*path, ""), None)
            if not isinstance(key, str):
                _refuse(message("tree.key"), at, path)
            if key in table:
                _refuse(message("tree.twice", name=shown(key)), at, path)
            self.lines[(*path, key)] = at
            table[key] = self.build(next(self.events), (*path, key))
        return table


def _depth(value: Raw) -> int:
    """Levels below the value, counted without walking shared parts twice."""
    depths: dict[int, int] = {}

    def measure(part: Raw) -> int:
        if not isinstance(part, (list, dict)):
            return 0
        if id(part) not in depths:
            inside = part.values() if isinstance(part, dict) else part
            depths[id(part)] = 1 + max(map(measure, inside), default=0)
        return depths[id(part)]

    return measure(value)


def _whole(written: str) -> int:
    if len(written) > 100:
        _refuse(message("tree.number", number=shown(written)))
    return int(written)


def _decimal(written: str) -> Decimal:
    try:
        value = Decimal(written)
    except InvalidOperation:
        _refuse(message("tree.number", number=shown(written)))
    if len(written) > 100 or abs(value.adjusted()) > 100:
        _refuse(message("tree.number", number=shown(written)))
    return value


def _constant(written: str) -> NoReturn:
    _refuse(message("tree.number", number=written))


def _object(pairs: list[tuple[str, Raw]]) -> dict[str, Raw]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse(message("tree.twice", name=shown(key)))
            seen.add(key)
    return table


def _bounded(raw: Raw, depth: int) -> None:
    if isinstance(raw, str):
        if not storable(raw):
            _refuse(message("tree.surrogate"))
        return
    if not isinstance(raw, (list, dict)):
        return
    if depth > DEEPEST:
        _refuse(message("tree.deep", deepest=DEEPEST))
    if isinstance(raw, dict):
        for key, value in raw.items():
            _bounded(key, depth)
            _bounded(value, depth + 1)
    else:
        for value in raw:
            _bounded(value, depth + 1)


class _Dumper(yaml.SafeDumper):
    """Writes every text plainly unless it would be read as nothing, or as a merge key."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """A part that is used twice is written twice."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002
        """A list stands indented below its key."""
        return super().increase_indent(flow, False)


_Dumper.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Dumper.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<$"), ["<"])


def dump_yaml(*raws: Raw) -> str:
    """The trees as a YAML text that reads well and reads back the same."""
    nodes = [_node(raw, 0) for raw in raws]
    return "".join(
        yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=WIDE, explicit_start=len(nodes) > 1)
        for node in nodes
    )


def _node(raw: Raw, level: int) -> Any:
    if isinstance(raw, dict):
        pairs = [(_node(key, level + 1), _node(value, level + 1)) for key, value in raw.items()]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not raw or _in_a_line(raw, level))
    if isinstance(raw, list):
        items = [_node(item, level + 1) for item in raw]
        return yaml.SequenceNode("tag:yaml.org,2002:seq", items, flow_style=not raw or _in_a_line(raw, level))
    if raw is None:
        return yaml.ScalarNode("tag:yaml.org,2002:null", "null")
    if isinstance(raw, bool):
        return yaml.ScalarNode("tag:yaml.org,2002:str", "true" if raw else "false")
    written = f"{raw:f}" if isinstance(raw, Decimal) else str(raw)
    return yaml.ScalarNode("tag:yaml.org,2002:str", written, style=_style(raw))


def _style(raw: str | int | Decimal) -> str | None:
    if not isinstance(raw, str):
        return None
    if not _BREAKS.isdisjoint(raw):
        return '"'
    return "|" if "\n" in raw else None


def _in_a_line(raw: Raw, level: int) -> bool:
    """What is short and not deep stands in one line, but never the first levels nor a list of mappings."""
    inside: list[Raw] = list(raw.values()) if isinstance(raw, dict) else raw if isinstance(raw, list) else []
    if level == 0 or (level == 1 and any(isinstance(part, (dict, list)) for part in inside)):
        return False
    if isinstance(raw, list) and any(isinstance(part, dict) for part in inside):
        return False
    return _depth(raw) <= 3 and _width(raw) <= LINE


def _width(raw: Raw) -> int:
    if isinstance(raw, dict):
        return 2 + sum(len(key) + 4 + _width(value) for key, value in raw.items())
    if isinstance(raw, list):
        return 2 + sum(2 + _width(value) for value in raw)
    return 10_000 if isinstance(raw, str) and "\n" in raw else sum(2 if sign > "\u2e7f" else 1 for sign in str(raw))
