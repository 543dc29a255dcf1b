"""A throw-away server (临时服务): cases carried out through the HTTP interface, as any other system would.

One server on one throw-away PostgreSQL; every case has a database of its own, a copy of a migrated
one, and an application of its own that the server serves meanwhile. The clerk holds a key with every
scope and knows of the server only what the interface tells.
"""

import asyncio
import json
import re
import secrets
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import anyio
import msgspec
import uvicorn
from litestar import Litestar

from admin.keys import SCOPES, make_key
from api.application import create
from api.database import pooled
from api.embedded import Database, throwaway
from api.migrating import migrate
from api.settings import Settings, language
from engine.amount import ZERO
from engine.event import EventKey
from engine.finding import Finding, Refused
from engine.language import message
from engine.organisation import Relation, Subject
from engine.report import parse_report
from engine.rulebook import Rulebook
from engine.scalar import Raw
from rules.case import Case
from rules.checking import Broken, CaseResult, Difference, SumKey, Tally, carry_out
from rules.document import write_rulebook
from rules.roster import write_periods, write_relations, write_subjects

TEMPLATE = "migrated"
KEY = "check"
PAGE = 500
TIMEOUT = 60
REASON = "用例"

_REFUSALS = (409, 422)
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


@contextmanager
def serving() -> Iterator[Callable[[Case], CaseResult]]:
    """Something that carries cases out on a throw-away server, which runs for the length of the block."""
    with throwaway() as cluster:
        made = cluster.database(TEMPLATE)
        key = anyio.run(_prepare, made)
        numbers = count(1)
        with _Server() as server:

            def run(case: Case) -> CaseResult:
                name = f"case_{next(numbers)}"
                database = cluster.database(name, template=TEMPLATE)
                settings = Settings(
                    database=database, timezone=ZoneInfo(case.timezone), approvals=0, secret=secrets.token_hex(32)
                )
                try:
                    with server.serving(create(settings, pages=False)):
                        return carry_out(case, lambda: ServerClerk(case, server.port, key))
                finally:
                    cluster.drop(name)

            yield run


async def _prepare(made: Database) -> str:
    """Migrate the database that the others are copied from, with the clerk's key in it."""
    await migrate(made.migrate_url, made.url)
    async with pooled(made.url, size=1):
        return await make_key(KEY, SCOPES)


class _Server:
    """An HTTP server in a thread, which serves one application after the other."""

    def __init__(self) -> None:
        self._app: Litestar | None = None
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self._answer, interface="asgi3", lifespan="off", log_level="warning", access_log=False, ws="none"
            )
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Server":
        self._socket.listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(TIMEOUT)
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._uvicorn.serve(sockets=[self._socket]))

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        assert self._app is not None
        await self._app(scope, receive, send)

    @contextmanager
    def serving(self, app: Litestar) -> Iterator[None]:
        """Serve this application for the length of the block."""
        ready, done = threading.Event(), asyncio.Event()

        async def live() -> None:
            async with app.lifespan():
                self._app = app
                ready.set()
                await done.wait()

        living = asyncio.run_coroutine_threadsafe(live(), self._loop)
        living.add_done_callback(lambda _: ready.set())
        ready.wait(TIMEOUT)
        try:
            if living.done():
                living.result()
            yield
        finally:
            self._loop.call_soon_threadsafe(done.set)
            living.result(TIMEOUT)


class ServerClerk:
    """Carries a case out through the HTTP interface of a server that knows nothing yet."""

    def __init__(self, case: Case, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self._key = key
        self._versions: list[Rulebook] = []
        if case.subjects:
            self._put_subjects(None, case.subjects)
        if case.relations:
            self._put("/api/relations", items=write_relations(case.relations), reason=REASON)
        if case.periods:
            self._put("/api/periods", items=write_periods(case.periods))
        for rulebook in case.versions:
            self.publish(rulebook)

    def record(self, event: Raw) -> None:
        self._call("POST", "/api/events", self._typed(event))

    def retract(self, key: EventKey, reason: str) -> None:
        self._call("POST", f"{_event(key)}/retraction", {"reason": reason or REASON})

    def correct(self, key: EventKey, event: Raw, reason: str) -> None:
        self._call("POST", f"{_event(key)}/correction", {"reason": reason or REASON, "event": self._typed(event)})

    def publish(self, rulebook: Rulebook) -> None:
        draft = self._call("PUT", "/api/rulebook/draft", write_rulebook(rulebook), {"If-Match": "*"})
        effective = rulebook.effective.isoformat()
        self._call(
            "POST", "/api/rulebook/publication", {"hash": draft["hash"], "effective": effective, "reason": REASON}
        )
        self._versions.append(rulebook)

    def organise(self, since: date, subjects: Sequence[Subject], relations: Sequence[Relation]) -> None:
        if subjects:
            self._put_subjects(since, subjects)
        if relations:
            self._put("/api/relations", items=write_relations(relations), reason=REASON)

    def settle(self, period: str) -> None:
        self._call("POST", f"{_period(period)}/settlement", {})

    def close(self, period: str) -> None:
        self._call("POST", f"{_period(period)}/closing", {})

    def reopen(self, period: str) -> None:
        self._call("POST", f"{_period(period)}/reopening", {"reason": REASON})

    def figures(self, period: str) -> Mapping[str, Tally]:
        return {row["subject"]: _tally(row) for row in self._all(f"{_period(period)}/standings", {})}

    def sums(self) -> Mapping[SumKey, Decimal]:
        found: dict[SumKey, Decimal] = defaultdict(lambda: ZERO)
        for row in self._all("/api/entries", {}):
            key = SumKey(row["source"] or "", row["event"] or row["period"], row["rule"], row["subject"])
            found[key] += Decimal(row["posted"])
        return found

    def examine(self) -> Iterable[Difference]:
        return ()

    def close_down(self) -> None:
        self._connection.close()

    def _put_subjects(self, since: date | None, subjects: Sequence[Subject]) -> None:
        dated = {} if since is None else {"since": since.isoformat()}
        self._put("/api/subjects", items=write_subjects(subjects), reason=REASON, **dated)

    def _put(self, path: str, **body: Any) -> None:
        self._call("PUT", path, body)

    def _all(self, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """The items of every page of a list."""
        cursor: str | None = None
        while True:
            asked = {**query, "limit": str(PAGE), **({} if cursor is None else {"cursor": cursor})}
            page = self._call("GET", f"{path}?{urlencode(asked)}")
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _call(self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The answer of the server. Refused where it refuses what was said; Broken where it does not serve."""
        sent = {"Authorization": f"Bearer {self._key}", "Accept-Language": language(), **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            self._connection.request(verb, path, None if body is None else msgspec.json.encode(body), sent)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise Broken(
                Finding(message=message("check.unanswered", reason=str(error) or type(error).__name__))
            ) from error
        if answer.status < 400:
            return json.loads(content)
        problem = _problem(content)
        faults = problem.get("errors") or [{}]
        detail = str(problem.get("detail") or answer.reason)
        said = message("check.problem", status=answer.status, detail=detail)
        finding = Finding(message=said, path=str(faults[0].get("pointer", "")))
        raise (Refused if answer.status in _REFUSALS else Broken)(finding)

    def _typed(self, event: Raw) -> Raw:
        """The event as a system would send it: numbers and truth values by its type, as they were written."""
        given = event.get("data") if isinstance(event, dict) else None
        if not isinstance(event, dict) or not isinstance(given, dict):
            return event
        fields = self._fields(event)
        data: dict[str, Any] = {name: _plain(value, fields.get(name, "text")) for name, value in given.items()}
        return {**event, "data": data}

    def _fields(self, event: Mapping[str, Raw]) -> Mapping[str, str]:
        """The types of the fields that the event's type declares at its time; none where there is no such type."""
        try:
            report = parse_report({**event, "data": None})
        except Refused:
            return {}
        ruling: Rulebook | None = None
        for rulebook in self._versions:
            if rulebook.effective <= report.time and (ruling is None or rulebook.effective >= ruling.effective):
                ruling = rulebook
        event_type = None if ruling is None else ruling.event_types.get(report.type)
        return {} if event_type is None else {name: field.type for name, field in event_type.fields.items()}


def _plain(value: Raw, kind: str) -> Any:
    """A scalar as JSON has it; what does not look like its type stays text, for the server to refuse."""
    if not isinstance(value, str):
        return msgspec.Raw(str(value).encode()) if isinstance(value, Decimal) else value
    if kind in {"integer", "decimal"} and _JSON_NUMBER.fullmatch(value):
        return msgspec.Raw(value.encode())
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    return value


def _tally(row: Mapping[str, Any]) -> Tally:
    return Tally(
        total=_decimal(row["total"]),
        final=_decimal(row["final"]),
        rank=row["rank"],
        tier=row["tier"],
        awards=row["awards"],
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _event(key: EventKey) -> str:
    return f"/api/events/{quote(key.source, safe='')}/{quote(key.id, safe='')}"


def _period(code: str) -> str:
    return f"/api/periods/{quote(code, safe='')}"


def _problem(content: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
