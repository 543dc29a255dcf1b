"""Measurements (运行指标) for Prometheus: of this process, and of the ledger that all processes share."""

import time
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ledger.current import Connection
from ledger.recording import Recorder

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meter(ASGIMiddleware):
    """Counts and times every request; tells, when asked, how the ledger stands."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter(
            "jikao_requests", "Requests answered by this process", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "jikao_request_seconds", "Time to answer", labels, buckets=_BUCKETS, registry=self._registry
        )
        self._length = Gauge("jikao_ledger_length", "Records in the chain", registry=self._registry)
        self._standing = Gauge("jikao_events_standing", "Events that stand (an estimate)", registry=self._registry)
        self._version = Gauge("jikao_rulebook_version", "The latest version's number", registry=self._registry)
        self._disagreements = Gauge(
            "jikao_matcher_disagreements",
            "Events kept out by this process because the matchers disagreed",
            registry=self._registry,
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Time one request."""
        status = 500
        begun = time.perf_counter()

        async def noting(sent: Message) -> None:
            nonlocal status
            if sent["type"] == "http.response.start":
                status = sent["status"]
            await send(sent)

        try:
            await next_app(scope, receive, noting)
        finally:
            asked: Any = scope
            method, route = asked["method"], asked.get("path_template", "")
            self._requests.labels(method, route, str(status)).inc()
            self._seconds.labels(method, route).observe(time.perf_counter() - begun)

    async def read(self, connection: Connection) -> bytes:
        """Everything, as Prometheus reads it."""
        row = await connection.fetchrow(
            "SELECT length, version, (SELECT greatest(reltuples, 0) FROM pg_class"
            " WHERE oid = 'present_event'::regclass) AS standing FROM ledger_head"
        )
        self._length.set(row["length"])
        self._version.set(row["version"])
        self._standing.set(row["standing"])
        self._disagreements.set(self._recorder.disagreements)
        return generate_latest(self._registry)
