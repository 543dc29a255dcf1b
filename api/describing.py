"""The description (接口说明, OpenAPI 3.1) of bodies that we read by ourselves, from their bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import MediaType, Request
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.serialization import encode_json

_CODE = {"type": "string", "minLength": 1, "maxLength": 64}
_INSTANT = {"type": "string", "format": "date-time", "description": "RFC 3339, with its offset"}
_DAY = {"type": ["string", "null"], "format": "date"}
_TEXT = {"type": "string"}


_KEY = {"type": "http", "scheme": "bearer", "description": "jikao key create --name N --scope events:write"}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


SHAPES: Mapping[str, dict[str, Any]] = {
    "Report": _object(
        ("id", "type", "subject", "time"),
        id={"type": "string", "minLength": 1, "maxLength": 200},
        source={**_CODE, "description": "left out: the key's own source, else manual"},
        type=_CODE,
        subject=_CODE,
        time=_INSTANT,
        recorded_at={**_INSTANT, "description": "when it reached the sender; needs events:backdate"},
        matter={"type": ["string", "null"], "maxLength": 200},
        parties={
            "type": "object",
            "additionalProperties": {"oneOf": [_CODE, {"type": "array", "items": _CODE}]},
        },
        basis={"type": ["string", "null"], "maxLength": 2000},
        data={"type": "object", "description": "the fields of the event's type; numbers or strings, exact either way"},
    ),
    "Envelope": {
        "type": "object",
        "description": "CloudEvents 1.0; matter, basis and recordedat as extension attributes, parties inside data",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT,
            "source": {"type": "string", "format": "uri-reference"},
            "type": _TEXT,
            "subject": _TEXT,
            "time": _INSTANT,
            "data": {"type": "object"},
        },
        "required": ["specversion", "id", "source", "type", "subject", "time"],
    },
    "Retraction": _object(("reason",), reason=_TEXT),
    "Correction": _object(("reason", "event"), reason=_TEXT, event={"$ref": "#/components/schemas/Report"}),
    "SubjectItem": _object(
        ("code", "kind"),
        code=_CODE,
        name=_TEXT,
        kind={"enum": ["unit", "person"]},
        group={"type": ["string", "null"]},
        unit={"type": ["string", "null"]},
        post={"type": ["string", "null"]},
    ),
    "RelationItem": {
        "type": "object",
        "properties": {
            "subject": _CODE,
            "relation": _CODE,
            "answers": _CODE,
            "indicator": {"type": ["string", "null"]},
            "from": _DAY,
            "to": _DAY,
        },
        "required": ["subject", "relation", "answers"],
        "additionalProperties": False,
    },
    "PeriodItem": {
        "type": "object",
        "properties": {
            "code": _CODE,
            "title": _TEXT,
            "kind": _TEXT,
            "from": _DAY,
            "to": _DAY,
            "appeal_days": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 366,
                "description": "calendar days in which entries may be appealed; null: none; left out: kept, at first 5",
            },
        },
        "required": ["code", "kind", "from", "to"],
    },
    "Subjects": _object(("items",), since=_DAY, items=_list_of("SubjectItem"), reason=_TEXT),
    "Relations": _object(("items",), items=_list_of("RelationItem"), reason=_TEXT),
    "Periods": _object(("items",), items=_list_of("PeriodItem"), reason=_TEXT),
    "Act": _object((), reason=_TEXT),
    "Appeal": _object(
        ("entry", "reason"),
        entry={"type": "integer"},
        reason={**_TEXT, "maxLength": 2000},
        attachments={
            "type": "array",
            "maxItems": 5,
            "items": _object(
                ("name", "content"),
                name={"type": "string", "minLength": 1, "maxLength": 200},
                content={"type": "string", "contentEncoding": "base64", "description": "at most 10 MiB"},
            ),
        },
    ),
    "AppealAnswer": _object(("text",), text={**_TEXT, "maxLength": 2000}),
    "AppealDecision": _object(
        ("decision", "reason"),
        decision={"enum": ["upheld", "partly", "rejected"]},
        reason={**_TEXT, "maxLength": 2000},
        acts={
            "type": "array",
            "description": "none where rejected, else at least one",
            "items": {
                "oneOf": [
                    _object(("retract",), retract=_object(("source", "id"), source=_CODE, id=_TEXT)),
                    _object(
                        ("correct",),
                        correct=_object(
                            ("source", "id", "event"),
                            source=_CODE,
                            id=_TEXT,
                            event={"$ref": "#/components/schemas/Report"},
                        ),
                    ),
                ]
            },
        },
        preview={"type": "boolean", "description": "true: everything is computed and told, nothing is kept"},
    ),
    "Removal": _object(
        ("reason", "what"),
        reason={**_TEXT, "maxLength": 2000},
        what={**_TEXT, "description": "remark: the act's text; or the hash of one of its attachments"},
    ),
    "Document": {"type": "object", "description": "a rulebook document", "required": ["rulebook", "effective"]},
    "Hash": _object(("hash",), hash=_TEXT),
    "Publication": _object(("hash", "effective"), hash=_TEXT, effective=_INSTANT, note=_TEXT, reason=_TEXT),
    "Simulation": _object(
        ("period", "version"),
        period=_CODE,
        version={"type": ["integer", "string"], "description": "a number, or draft"},
        **{"from": {**_INSTANT, "description": "from when in the period it would rule; left out: all of it"}},
    ),
    "Statement": _object(
        ("day",),
        source={**_CODE, "description": "left out: the key's own source"},
        day={"type": "string", "format": "date"},
        count={"type": "integer", "minimum": 0, "description": "how many events were sent; or ids"},
        ids={"type": "array", "items": _TEXT, "maxItems": 100_000, "description": "their ids; or count"},
    ),
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "instance": _TEXT,
            "errors": {
                "type": "array",
                "items": {"type": "object", "properties": {"pointer": _TEXT, "message": _TEXT}},
            },
        },
    },
}

_BODIES: Mapping[str, Mapping[str, Any]] = {
    "event": {"application/json": "Report", "application/cloudevents+json": "Envelope"},
    "events": {
        "application/json": ["Report"],
        "application/cloudevents-batch+json": ["Envelope"],
        "application/x-ndjson": "Report",
    },
    "reason": {"application/json": "Retraction"},
    "correction": {"application/json": "Correction"},
    "subjects": {"application/json": "Subjects"},
    "relations": {"application/json": "Relations"},
    "periods": {"application/json": "Periods"},
    "act": {"application/json": "Act"},
    "document": {"application/json": "Document", "application/yaml": "Document"},
    "hash": {"application/json": "Hash"},
    "publication": {"application/json": "Publication"},
    "simulation": {"application/json": "Simulation"},
    "statement": {"application/json": "Statement"},
    "appeal": {"application/json": "Appeal"},
    "answer": {"application/json": "AppealAnswer"},
    "decision": {"application/json": "AppealDecision"},
    "removal": {"application/json": "Removal"},
}


class Description(OpenAPIRenderPlugin):
    """The description as JSON, with the shapes that bodies are described by."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """The whole of it."""
        return encode_json(describe(openapi_schema))


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with our shapes, and the problem that every call may answer with."""
    held = schema.get("components", {})
    shapes = {"schemas": {**held.get("schemas", {}), **SHAPES}, "securitySchemes": {"key": _KEY}}
    described = {**schema, "components": {**held, **shapes}, "security": [{"key": []}]}
    for path in described["paths"].values():
        for operation in path.values():
            if "description" in operation:
                operation["summary"] = operation["description"].partition(" / ")[0]
            for status, told in operation.get("responses", {}).items():
                if int(status) >= 400:
                    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
                    told["content"] = {"application/problem+json": problem}
    return described


def body(name: str) -> type[Operation]:
    """The operation of a handler that reads a body of this name."""
    content = {kind: OpenAPIMediaType(schema=_schema(shape)) for kind, shape in _BODIES[name].items()}

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(content=content, required=True)

    return Described


def _schema(shape: Any) -> Any:
    if isinstance(shape, list):
        return Schema(type="array", items=_schema(shape[0]))  # type: ignore[arg-type]
    return Reference(ref=f"#/components/schemas/{shape}")
