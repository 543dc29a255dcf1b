"""The readable description in a real browser, with no other host to ask."""

import pytest
from playwright.sync_api import Page

from tests.processes import Server


@pytest.mark.browser
def test_the_description_reads_without_the_internet(server: Server, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/api/docs")
    page.get_by_text("报送一个事件").first.wait_for()
    page.get_by_text("/api/rulebook/publication").first.wait_for()
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []
