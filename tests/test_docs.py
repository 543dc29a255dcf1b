"""The documentation is held to what stands: links, commands, routes, settings, words, worked cases."""

import importlib.util
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from litestar.routes import HTTPRoute

from admin.keys import SCOPES
from api.application import create
from api.command import jikao
from api.embedded import Database
from api.settings import Settings
from api.texts import TEXTS
from engine.language import Message, render
from rules.case import Case, read_cases
from rules.checking import run_case

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
API = (ROOT / "docs" / "api.md").read_text()

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?<![\w/])(?:engine|rules|ledger|admin|api|tests|bench|docs|\.ci)/[\w./*-]*")
SETTING = re.compile(r"\b(?:DATABASE_URL|JIKAO_[A-Z_]+)\b")
ROUTE = re.compile(r"`(GET|PUT|POST|PATCH|DELETE) (/[^`?\s]*)")
HTTP = ("get", "put", "post", "patch", "delete")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def told(page: Path) -> str:
    """What a page says to be typed or looked up: what stands in code, inline or in blocks."""
    text = page.read_text()
    blocks = [body for _, body in FENCE.findall(text)]
    return "\n".join([*blocks, *CODE.findall(FENCE.sub("", text))])


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as readers of Markdown on the web make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {slug(CODE.sub(r"\1", heading)) for heading in headings}


def slug(heading: str) -> str:
    kept = (sign for sign in heading.lower() if sign in " -_" or unicodedata.category(sign)[0] in "LNM")
    return "".join(kept).strip().replace(" ", "-")


def test_the_pages_are_there() -> None:
    assert {"README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= {named(page) for page in PAGES}
    assert {"docs/rulebook.md", "docs/rulebook.zh-CN.md", "docs/api.md"} <= {named(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_are_named_exist(page: Path) -> None:
    missing = {path for path in FILE.findall(told(page)) if not list(ROOT.glob(path.rstrip("/.")))}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_is_to_be_typed_exists(page: Path) -> None:
    text = told(page)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", text)) <= targets
    for module in re.findall(r"\bpython3? -m ([\w.]+)", text):
        assert importlib.util.find_spec(module) is not None, module
    wrong = [f"jikao {said}" for said in re.findall(r"(?<![-/\w])jikao ((?:[a-z]+ ?)+)", text) if not is_command(said)]
    wrong += [f"jikao {said}" for said in re.findall(r"bin/jikao ((?:[a-z]+ ?)+)", text) if not is_command(said)]
    assert wrong == []


def is_command(said: str) -> bool:
    """Whether words begin with a command that there is; ``jikao is up`` is a sentence of ours."""
    if said.startswith("is up"):
        return True
    found: click.Command = jikao
    for word in said.split():
        if not isinstance(found, click.Group):
            return True
        if word not in found.commands:
            return False
        found = found.commands[word]
    return True


def commands(of: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(of, click.Group):
        for name, command in of.commands.items():
            yield from commands(command, f"{path} {name}")
    else:
        yield path, of


def test_every_command_is_documented_with_its_options() -> None:
    table = API[API.index("## Command line") : API.index("## Settings")]
    for path, _ in commands(jikao, "jikao"):
        assert f"`{path}" in table, path
    known = {option for _, command in commands(jikao, "") for each in command.params for option in each.opts}
    assert set(re.findall(r"--[a-z]+", table)) <= known


def test_routes_are_those_of_the_interface() -> None:
    database = Database(url="postgresql://nobody@127.0.0.1:1/none", migrate_url="")
    application = create(Settings(database=database, secret="s" * 40))
    paths: dict[str, Any] = application.openapi_schema.to_schema()["paths"]
    described = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs if verb in HTTP}
    answered = {
        f"{method} {route.path_format}"
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
    }
    documented = {f"{verb} {path}" for verb, path in ROUTE.findall(API)}
    assert described <= documented <= answered


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_settings_that_are_named_are_read(page: Path) -> None:
    known = settings_read() | (settings_of_tests() if page.name == "CONTRIBUTING.md" else set())
    assert set(SETTING.findall(page.read_text())) <= known


def test_every_setting_is_documented() -> None:
    assert set(SETTING.findall(API[API.index("## Settings") :])) == settings_read()


def settings_read() -> set[str]:
    return set(SETTING.findall((ROOT / "api" / "settings.py").read_text()))


def settings_of_tests() -> set[str]:
    texts = (file.read_text() for file in (ROOT / "tests").rglob("*.py"))
    return {name for text in texts for name in re.findall(r'environ\.get\("(JIKAO_[A-Z_]+)"', text)}


def test_scopes_and_kinds_of_problems_are_documented() -> None:
    scopes = API[API.index("| scope | opens |") : API.index("A key that is **bound")]
    assert re.findall(r"^\| `([a-z]+:[a-z]+)` \|", scopes, re.MULTILINE) == sorted_as(SCOPES, scopes)
    kinds = set(re.findall(r"^\| `([a-z_]+)` \| \d{3} \|", API, re.MULTILINE))
    said = {key.split(".")[1] for key in TEXTS if key.startswith("problem.")}
    assert kinds
    assert kinds <= said


def sorted_as(scopes: tuple[str, ...], text: str) -> list[str]:
    return sorted(scopes, key=lambda scope: text.index(f"`{scope}` |"))


def test_words_of_the_glossary_live_where_it_says() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert len(rows) > 60
    for words, places in rows:
        texts = "\n".join(source for path in FILE.findall(places) for source in sources(ROOT / path))
        if texts:
            absent = [word for word in CODE.findall(words) if not re.search(rf"\b{re.escape(word)}\b", texts)]
            assert absent == [], (words, places)


def sources(path: Path) -> Iterator[str]:
    for file in path.rglob("*.py") if path.is_dir() else [path]:
        yield file.read_text()


def cases() -> Iterator[Any]:
    for page in PAGES:
        for language, body in FENCE.findall(page.read_text()):
            if language == "yaml" and body.startswith("case:"):
                for case in read_cases(body):
                    yield pytest.param(case, id=f"{page.name}: {case.name}")


@pytest.mark.parametrize("case", list(cases()))
def test_worked_examples_hold(case: Case) -> None:
    assert any(step.__struct_config__.tag == "expect" for step in case.steps)

    def say(side: Message | str) -> str:
        return render(side, "en") if isinstance(side, Message) else side

    assert [
        (each.step, say(each.what), say(each.expected), say(each.actual)) for each in run_case(case).mismatches
    ] == []
