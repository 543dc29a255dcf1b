"""The bare handler that recording is measured beside: ``python -m bench.floor DATABASE_URL ROWS``."""

import contextlib
import pickle
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import uvicorn
from litestar import Litestar, Request, Response, post
from litestar.datastructures import State

EVENT = "$" + ", $".join(map(str, range(1, 17)))
ENTRY = "$" + ", $".join(map(str, range(1, 19)))


class Report(msgspec.Struct):
    """An event, as it is sent."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    matter: str
    data: dict[str, str]


class Template:
    """The rows of a usual event, numbered anew each time."""

    def __init__(self, path: Path) -> None:
        self._event, self._entries = pickle.loads(path.read_bytes())
        self._number = count(1)

    def rows(self, report: Report) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
        """The event's row and those of its entries."""
        number = next(self._number)
        event = (number, report.source, report.id, *self._event[3:])
        return event, [(next(self._number), *entry[1:3], report.id, *entry[4:]) for entry in self._entries]


def create(url: str, template: Template) -> Litestar:
    """The application."""
    one, many = msgspec.json.Decoder(Report), msgspec.json.Decoder(list[Report])

    @asynccontextmanager
    async def pool(app: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(url, min_size=10, max_size=10) as connections:
            app.state.pool = connections
            yield

    @post("/api/events")
    async def single(request: Request[Any, Any, State], state: State) -> Response[dict[str, Any]]:
        report = one.decode(await request.body())
        event, entries = template.rows(report)
        async with state.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"INSERT INTO floor_event VALUES ({EVENT})", *event)
            await connection.executemany(f"INSERT INTO floor_entry VALUES ({ENTRY})", entries)
        return Response({"event": report, "entries": len(entries)}, status_code=201)

    @post("/api/events/batch", status_code=200)
    async def batch(request: Request[Any, Any, State], state: State) -> Response[dict[str, int]]:
        reports = many.decode(await request.body())
        made = [template.rows(report) for report in reports]
        async with state.pool.acquire() as connection, connection.transaction():
            await connection.copy_records_to_table("floor_event", records=[event for event, _ in made])
            await connection.copy_records_to_table(
                "floor_entry", records=[entry for _, entries in made for entry in entries]
            )
        return Response({"accepted": len(made)}, status_code=200)

    return Litestar([single, batch], lifespan=[pool], openapi_config=None)


def main() -> None:
    """Serve on a free port, and tell it."""
    url, rows = sys.argv[1:]
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        create(url, Template(Path(rows))), loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
