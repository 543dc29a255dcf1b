"""Bodies (请求体): read exactly, from the bytes, never through a float; bounded in size."""

from collections.abc import Collection, Mapping
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException

from api.problems import Malformed
from engine.finding import Finding, Refused
from engine.language import Message, message
from engine.report import pointer
from engine.scalar import Raw, shown
from rules.tree import Tree, load_json, load_yaml

Web = Request[Any, Any, Any]

EVENT_SIZE = 1 << 20
DOCUMENT_SIZE = 5_000_000

JSON = "application/json"
YAML = ("application/yaml", "application/x-yaml", "text/yaml")


class WrongMediaType(ClientException):
    """The body is of a content type that is not taken here."""

    status_code = 415

    def __init__(self, told: Message) -> None:
        super().__init__()
        self.told = told


def media_type(request: Web) -> str:
    """The content type, without its parameters; JSON where none is given."""
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def expect(request: Web, *types: str) -> str:
    """The content type, if it is one of these."""
    given = media_type(request)
    if given not in types:
        raise WrongMediaType(message("body.media_type", given=shown(given), expected=", ".join(types)))
    return given


async def read_json(request: Web, *types: str, largest: int = DOCUMENT_SIZE) -> Raw:
    """The body's tree. Malformed where it is no JSON, or a key stands twice."""
    expect(request, *(types or (JSON,)))
    return parse_json(await request.body(), largest)


def parse_json(body: bytes, largest: int = DOCUMENT_SIZE) -> Raw:
    """The tree of a JSON text. Malformed where it is none."""
    if not body.strip():
        raise Malformed(Finding(message=message("body.empty")))
    try:
        return load_json(body, largest).raw
    except Refused as refused:
        raise Malformed(*refused.findings) from None


async def read_document(request: Web) -> Tree:
    """A document: YAML or JSON, as the content type says."""
    given = expect(request, JSON, *YAML)
    body = await request.body()
    if given == JSON:
        return Tree(parse_json(body))
    try:
        trees = load_yaml(body)
    except Refused as refused:
        raise Malformed(*refused.findings) from None
    if len(trees) != 1:
        raise Malformed(Finding(message=message("body.empty")))
    return trees[0]


def mapping(raw: Raw, keys: Collection[str], required: Collection[str] = ()) -> Mapping[str, Raw]:
    """The body as an object with these keys only. Refused with every key that is unknown or missing."""
    if not isinstance(raw, Mapping):
        raise Refused(Finding(message=message("body.mapping")))
    findings = [
        Finding(path=pointer(key), message=message("body.key", name=shown(key), keys=", ".join(keys)))
        for key in raw
        if key not in keys
    ]
    findings += [
        Finding(path=f"/{key}", message=message("body.missing", name=key)) for key in required if raw.get(key) is None
    ]
    if findings:
        raise Refused(*findings)
    return raw
