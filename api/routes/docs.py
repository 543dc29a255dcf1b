"""The readable description (接口文档): rendered in the browser by a script of our own copy, nothing from elsewhere."""

from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.serialization import encode_json
from litestar.static_files import create_static_files_router

from api.describing import describe

FILES = Path(__file__).parent.parent / "static"

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>绩考接口 · jikao API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/static/docs.css">
<script type="module" src="/api/static/rapidoc.js"></script>
</head>
<body>
<rapi-doc spec-url="/api/openapi.json" load-fonts="false" show-header="false" render-style="read"
  schema-style="table" allow-server-selection="false" allow-authentication="true"
  regular-font="system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
  mono-font="ui-monospace, Menlo, Consolas, monospace"></rapi-doc>
</body>
</html>
"""
_HEADERS = {
    # The renderer brings its styles along inline; nothing may come from another host.
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


@get("/docs", include_in_schema=False, sync_to_thread=False)
def get_docs() -> Response[str]:
    """The page."""
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=_HEADERS)


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def get_description(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description for machines."""
    described = describe(request.app.openapi_schema.to_schema())
    return Response(encode_json(described), media_type="application/json")


docs_files = create_static_files_router("/static", [FILES], include_in_schema=False)
