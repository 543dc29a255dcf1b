"""Every text that a template or the code asks for is there, in both languages, with the same things to fill in."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import admin.key_texts
import admin.labels
import admin.texts
import api.texts
import engine.texts
import ledger.texts
import rules.texts
from engine.language import _catalogue

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "rules", "ledger", "admin", "api")
SILENT = {"hits.all_fit"}
"""What is said by saying nothing."""
__all__ = ["admin", "api", "engine", "ledger", "rules"]

IN_TEMPLATE = re.compile(r"""\bt\(\s*(["'])([\w.\-]+)\1\s*(~|[,)]|if\b)""")
CHOSEN = re.compile(r"""\bt\(\s*["'][\w.\-]+["']\s+if\b[^)]*?\belse\s+["']([\w.\-]+)["']\s*\)""")
IN_CODE = re.compile(r"""\bmessage\(\s*"([\w.\-]+)"\s*[,)]""")
BUILT = re.compile(r"""\bmessage\(\s*f"([\w.\-]+\.)\{""")


def templates() -> Iterator[Path]:
    yield from sorted((ROOT / "admin" / "templates").glob("*.html"))


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def known(key: str) -> bool:
    return key in _catalogue


def begun(prefix: str) -> bool:
    return any(key.startswith(prefix) for key in _catalogue)


@pytest.mark.parametrize("template", list(templates()), ids=named)
def test_what_templates_say_is_there(template: Path) -> None:
    source = template.read_text()
    wrong = [key for _, key, after in IN_TEMPLATE.findall(source) if not (begun(key) if after == "~" else known(key))]
    wrong += [key for key in CHOSEN.findall(source) if not known(key)]
    assert wrong == []


def test_what_code_says_is_there() -> None:
    wrong = []
    for module in modules():
        source = module.read_text()
        wrong += [(named(module), key) for key in IN_CODE.findall(source) if not known(key)]
        wrong += [(named(module), prefix) for prefix in BUILT.findall(source) if not begun(prefix)]
    assert wrong == []


def test_enough_is_looked_at() -> None:
    keys = {key for template in templates() for _, key, _ in IN_TEMPLATE.findall(template.read_text())}
    said = {key for module in modules() for key in IN_CODE.findall(module.read_text())}
    assert (len(keys) > 300, len(said) > 300) == (True, True), (len(keys), len(said))


def test_both_languages_say_the_same_things() -> None:
    wrong = []
    for key, (chinese, english) in _catalogue.items():
        if (not chinese.strip() or not english.strip()) and key not in SILENT:
            wrong.append((key, "empty"))
        elif fields(chinese) != fields(english):
            wrong.append((key, f"{sorted(fields(chinese))} / {sorted(fields(english))}"))
    assert wrong == []


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
