"""What every test in a browser does: signing in, and asking the database meanwhile."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
from playwright.sync_api import Page, expect

PASSWORD = "correct-horse-battery"


def log_in(page: Page, url: str, name: str) -> None:
    """Sign in with a password that need not be changed first."""
    page.goto(f"{url}/login")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    expect(page.locator(".who")).to_contain_text(name)
    expect(page.locator("ul.tiles")).to_be_visible()


def run(ask: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
    """Ask the database in a thread of its own: the browser's loop has this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, ask, *arguments).result()
