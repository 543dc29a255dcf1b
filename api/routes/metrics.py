"""``/metrics``: what Prometheus reads."""

from typing import Any

from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from api.database import borrowed
from api.metrics import Meter


@get("/metrics", include_in_schema=False)
async def get_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Counters and gauges; no names, no codes."""
    meter: Meter = request.app.state.meter
    async with borrowed() as connection:
        return Response(await meter.read(connection), headers={"content-type": CONTENT_TYPE_LATEST})
