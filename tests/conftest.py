"""What tests stand on: a throw-away PostgreSQL, a fresh database each, a real server, a real browser.

An asynchronous test is ``@pytest.mark.anyio async def test_…(pool)``.
"""

import itertools
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import anyio
import anyio.from_thread
import httpx
import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from api.database import point, pooled
from api.embedded import Cluster, Database, throwaway
from api.migrating import migrate

TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The session's PostgreSQL, with a migrated, empty database to copy."""
    with throwaway() as cluster:
        made = cluster.database(TEMPLATE)
        anyio.run(migrate, made.migrate_url, made.url)
        yield cluster


@pytest.fixture
def database(postgres: Cluster) -> Iterator[Database]:
    """A fresh, migrated database, and the ORM pointed at it as the application's role."""
    name = f"test_{next(_numbers)}"
    made = postgres.database(name, template=TEMPLATE)
    point(made.url)
    yield made
    point("postgresql://no_test_database@127.0.0.1:1/none")
    postgres.drop(name)


@pytest.fixture
async def pool(database: Database, anyio_backend: str) -> AsyncIterator[Database]:
    """The fresh database with the ORM on a pool of connections, as the application has it."""
    async with pooled(database.url):
        yield database


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running ``jikao serve``."""

    url: str
    database: Database
    process: "subprocess.Popen[str]"

    def client(self) -> httpx.Client:
        """A client of the server, with a cookie jar of its own."""
        return httpx.Client(base_url=self.url, timeout=30)


Serve = Callable[..., AbstractContextManager[Server]]


@contextmanager
def serving(database: Database, **settings: str) -> Iterator[Server]:
    """Run ``jikao serve`` on a database and a free port, with more settings if given; stop it in order."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JIKAO_", "DATABASE_URL"))}
    environment |= {
        "DATABASE_URL": database.url,
        "JIKAO_LISTEN": "127.0.0.1:0",
        "JIKAO_SECRET": secrets.token_hex(32),
        "JIKAO_LANGUAGE": "en",
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api.command", "serve"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Server(url=listening(process), database=database, process=process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(30)
        finally:
            process.kill()
            process.stdout.close()
    assert code == 0, f"jikao serve ended with {code}"


def listening(process: "subprocess.Popen[str]") -> str:
    """The address that a starting ``jikao serve`` tells."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://[\w.:\[\]-]+", line):
            return found.group()
    raise AssertionError(f"jikao serve ended with {process.wait()} before it told an address")


@pytest.fixture
def server(database: Database) -> Iterator[Server]:
    """A real server on a fresh database."""
    with serving(database) as running:
        yield running


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, or else Playwright's own; a test that has neither fails."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            pytest.fail(
                f"no browser: {error.message.splitlines()[0]}; tests/browser_setup.sh installs one", pytrace=False
            )
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, in Chinese, that reports errors of its scripts as failures."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    context.close()
    assert not failures, failures
