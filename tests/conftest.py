"""What tests stand on: a throw-away PostgreSQL, a fresh database each, a real server, a real browser.

An asynchronous test is ``@pytest.mark.anyio async def test_…(pool)``.
"""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from typing import TypeVar

import anyio
import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from api.database import point, pooled
from api.embedded import Cluster, Database, throwaway
from api.migrating import migrate
from tests.processes import Server, serving

pytest.register_assert_rewrite("tests.books", "tests.simulator", "tests.worlds")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In continuous integration, a test that cannot run has failed."""
    report = yield
    return unskipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file."""
    report = yield
    return unskipped(report)


def unskipped(report: Report) -> Report:
    """A report in which nothing was left out silently; an expected failure is none of that."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where every test must run: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: its loop runs to the end of the session, and no other may run beside it."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


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
