"""``jikao serve``: the service, on the database that was given or on our own."""

import contextlib
import gc
import multiprocessing
import os
import platform
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from api import settings as environment
from api.commands.speaking import say
from api.opening import connected, opened
from api.preparing import prepare
from api.settings import DURABLE_RUNS, Settings
from engine.finding import Finding, Refused
from engine.language import Message, message

if TYPE_CHECKING:
    from litestar import Litestar

COLLECTING = (20_000, 50, 100)
"""Allocations, younger and older collections after which the next older generation is collected."""
GIVING_WAY = 0.001
"""Seconds after which a thread gives way to another that waits: a fifth of what Python does by itself."""


@click.command
@click.option("--empty", is_flag=True, help="自带的新数据库不填演示数据 / leave a new database of our own empty")
def serve(empty: bool) -> None:
    """启动服务 / run the service."""
    settings = environment.read()
    with _listen(settings) as listening, opened(settings) as there:
        lines = anyio.run(_prepare, there, _address(listening), not empty)
        try:
            listening.listen(1024)
        except OSError as error:  # another process took the address while ours got ready
            raise _busy(settings, error) from error
        say(message("serve.address", address=_address(listening)))
        for line in lines:
            say(line)
        if not DURABLE_RUNS:
            say(message("serve.direct_alone", version=platform.python_version()))
        say(message("serve.stop_hint"))
        _run(there, listening)


async def _prepare(settings: Settings, address: str, demonstrate: bool) -> Sequence[Message]:
    async with connected(settings):
        return await prepare(settings, address, demonstrate=demonstrate)


def _listen(settings: Settings) -> socket.socket:
    """The socket, taken before anything else is started; it listens when all is ready."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise _busy(settings, error) from error
    return listening


def _busy(settings: Settings, error: OSError) -> Refused:
    said = message("serve.busy", address=f"{settings.host}:{settings.port}", reason=error.strerror or error)
    return Refused(Finding(path="JIKAO_LISTEN", message=said))


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(settings: Settings, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM. Workers are processes of their own that read the same settings."""
    os.environ.update(settings.environment())
    config = uvicorn.Config(
        "api.commands.serve:worker",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=60,  # on a busy machine a worker takes longer to start than the five seconds it gets
    )
    with contextlib.suppress(KeyboardInterrupt):  # the server says so again when it has stopped in order
        if settings.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])


def worker() -> "Litestar":
    """The application in a serving process, which ends with its parent, however that ends."""
    from api.application import create

    serving = threading.Event()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent, serving), daemon=True).start()
    made = create()
    made.on_startup.append(serving.set)
    _rarely_collect()
    # While a large act is planned in a thread, each step of a post waits for that thread to give way.
    sys.setswitchinterval(GIVING_WAY)
    return made


def _rarely_collect() -> None:
    """Leave what is made once out of garbage collection, and look for cycles less often: values here make none.

    Posting makes thousands of small values, and by its defaults the collector goes through all that are held ever
    again: a quarter of the time that recording takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTING)


def _end_with(parent: "multiprocessing.process.BaseProcess", serving: threading.Event) -> None:
    """When the parent ends, end in order; at once where nothing is served yet, rather than hold the address while
    waiting for a database that ended with the parent."""
    parent.join()
    if not serving.is_set():
        os._exit(1)
    os.kill(os.getpid(), signal.SIGTERM)
