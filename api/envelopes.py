"""CloudEvents envelopes (事件信封): the same event in the form that other systems already speak.

``matter`` and ``basis`` are extension attributes or stand inside ``data``, ``parties`` inside
``data``; ``recordedat`` is an extension attribute. A bound key's source replaces the envelope's;
otherwise its URI is looked up among the registered sources. Other extension attributes are ignored.
"""

from collections.abc import Mapping

import msgspec

from admin.tables import Source
from engine.finding import Finding, Refused
from engine.language import message
from engine.scalar import Raw, shown

MEDIA_TYPE = "application/cloudevents+json"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"

_MOVED = ("matter", "basis", "parties")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it was enveloped: its tree, and what of it stood inside ``data``."""

    tree: dict[str, Raw]
    inside: tuple[str, ...] = ()

    def outward(self, refused: Refused) -> Refused:
        """The refusal, pointing at where things stand in the envelope."""
        return type(refused)(*(msgspec.structs.replace(each, path=self._place(each.path)) for each in refused.findings))

    def _place(self, path: str) -> str:
        first = path.split("/")[1] if path.startswith("/") else ""
        if first in self.inside:
            return f"/data{path}"
        return path.replace("/recorded_at", "/recordedat", 1) if first == "recorded_at" else path


async def open_envelope(raw: Raw, source: str | None) -> Envelope:
    """The report in a CloudEvents 1.0 envelope; ``source`` is the sender's own, where its key is bound to one.

    Raises:
        Refused: it is no such envelope, or its source is not registered.
    """
    if not isinstance(raw, Mapping):
        raise Refused(Finding(message=message("body.mapping")))
    findings = []
    if raw.get("specversion") != "1.0":
        findings.append(Finding(path="/specversion", message=message("cloud.version")))
    if raw.get("datacontenttype") not in (None, "application/json") or "data_base64" in raw:
        findings.append(Finding(path="/datacontenttype", message=message("cloud.data_type")))
    if findings:
        raise Refused(*findings)
    tree: dict[str, Raw] = {key: raw[key] for key in ("id", "type", "subject", "time") if key in raw}
    tree["source"] = source or await _source_of(raw.get("source"))
    if "recordedat" in raw:
        tree["recorded_at"] = raw["recordedat"]
    data = raw.get("data")
    inside: tuple[str, ...] = ()
    if isinstance(data, Mapping):
        inside = tuple(key for key in _MOVED if key in data and not (key != "parties" and key in raw))
        tree |= {key: data[key] for key in inside}
        data = {key: value for key, value in data.items() if key not in inside}
    tree |= {key: raw[key] for key in ("matter", "basis") if key in raw}
    tree["data"] = data
    return Envelope(tree=tree, inside=inside)


async def _source_of(uri: Raw) -> str:
    """The code of the source that calls itself by this URI, or by this code."""
    if not isinstance(uri, str) or not uri:
        raise Refused(Finding(path="/source", message=message("cloud.source_missing")))
    found = await Source.select(Source.code).where((Source.uri == uri) | (Source.code == uri)).first()
    if found is None:
        raise Refused(Finding(path="/source", message=message("cloud.source", source=shown(uri))))
    return str(found["code"])
