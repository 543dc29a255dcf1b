"""A rulebook through a workbook and back is the same rulebook; what is wrong in one is told at its row."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.language import Language
from engine.scalar import Raw
from rules.document import read_document, read_rulebook, write_rulebook
from rules.rulebook_filled import read_rulebook_sheets
from rules.rulebook_sheets import write_rulebook_sheets
from rules.tree import load_yaml
from rules.workbook import read_workbook, write_workbook
from tests.worlds import draw_limits, draw_rulebook

HERE = Path(__file__).parents[2]
FILES = [*sorted((HERE / "rules" / "starter").glob("*.yaml")), *sorted((HERE / "tests" / "cases").glob("*.yaml"))]
GUIDES = {"说明", "Guide"}


def rulebooks(raw: Raw) -> Iterator[dict[str, Raw]]:
    """Every rulebook of a document: the document itself, that of a case, those that its steps publish."""
    if isinstance(raw, dict):
        if "event_types" in raw and isinstance(raw.get("rulebook"), str):
            yield raw
        for inside in raw.values():
            yield from rulebooks(inside)
    elif isinstance(raw, list):
        for inside in raw:
            yield from rulebooks(inside)


WRITTEN = [
    pytest.param(raw, id=f"{file.stem}-{number}")
    for file in FILES
    for number, raw in enumerate(each for tree in load_yaml(file.read_text("utf-8")) for each in rulebooks(tree.raw))
]


def through(tree: dict[str, Any], language: Language = "zh-CN") -> Any:
    data = write_workbook(write_rulebook_sheets(tree, language))
    return read_rulebook_sheets(read_workbook(data, passing=GUIDES)).tree


def test_there_are_rulebooks_to_try() -> None:
    assert len(WRITTEN) > 40


@pytest.mark.parametrize("raw", WRITTEN)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_rulebook_comes_back_the_same(raw: Any, language: Language) -> None:
    document = read_document(raw)
    canonical = write_rulebook(document.rulebook) | {"cases": list(document.cases)}
    came = read_document(through(canonical, language))
    assert write_rulebook(came.rulebook) == write_rulebook(document.rulebook)
    assert list(write_rulebook(came.rulebook)) == list(write_rulebook(document.rulebook))
    assert came.cases == document.cases
    # and so it does as it was written, with defaults and titles that were spelled out
    assert write_rulebook(read_rulebook(through(raw, language))) == write_rulebook(document.rulebook)


ODD_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('=+-@"[]、,， \n\t_x000D_'),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 10**6), st.data())
def test_random_rulebooks_come_back_the_same(seed: int, data: st.DataObject) -> None:
    rng = random.Random(seed)
    made = draw_rulebook(rng, datetime(2026, 1, 1, tzinfo=UTC), draw_limits(rng), periodical=True)
    tree: Any = write_rulebook(made)
    for rule in tree["rules"]:
        for key in ("title", "basis", "note"):
            rule[key] = data.draw(ODD_TEXT)
    field = tree["event_types"]["notice"]["fields"]["level"]
    field["choices"] |= {data.draw(ODD_TEXT): data.draw(ODD_TEXT) for _ in range(2)}
    tree["event_types"]["notice"]["fields"]["level"]["title"] = data.draw(ODD_TEXT)
    keys = [data.draw(ODD_TEXT), "001", "1", "0.10", "true", "2026-03-01"]
    schedule = {"field": "problem", "table": {key: f"{number}.00" for number, key in enumerate(keys)}}
    tree["rules"].append({"rule": "T", "on": "notice", "points": schedule})
    verdict = {"when": {"all_equal": True}, "charge": "members", "points": "-1.00"}
    groups = [data.draw(ODD_TEXT)]
    tree["rules"].append(
        {"rule": "V", "differentiation": ["total"], "among": "group", "groups": groups, "undifferentiated": verdict}
    )
    tree["indicators"] = tree.get("indicators", {}) | {"total": {"category": data.draw(ODD_TEXT)}}
    tree["holidays"], tree["workdays"] = ["2026-10-01", "2026-10-02"], ["2026-10-10"]
    tree["cases"] = [
        {"case": data.draw(ODD_TEXT), "steps": [{"n": Decimal("1.50"), "yes": True}]},
        {"case": "long", "steps": [{"a": "1\n\n", "b": "x" * 19_000}, {"a": data.draw(ODD_TEXT), "b": "y" * 19_000}]},
    ]
    wanted = read_document(tree)
    came = read_document(through(tree, data.draw(st.sampled_from(["zh-CN", "en"]))))
    assert write_rulebook(came.rulebook) == write_rulebook(wanted.rulebook)
    assert list(came.rulebook.event_types["notice"].fields["level"].choices.items()) == list(
        wanted.rulebook.event_types["notice"].fields["level"].choices.items()
    )
    assert came.cases == wanted.cases


def test_an_empty_workbook_is_one_to_fill_in() -> None:
    for language in ("zh-CN", "en"):
        sheets = write_rulebook_sheets({}, language)
        assert [sheet.title for sheet in sheets][:2] == [["说明", "设置"], ["Guide", "Settings"]][language == "en"]
        assert all(sheet.hints[0].note for sheet in sheets[1:])
    assert through({}) == {}
