"""The page of an entry, for each kind of entry: nothing that was charged is without its explanation."""

import re

import pytest

from engine.language import message, render
from engine.rulebook import Difference
from ledger import settling
from ledger.reading import reading
from tests.admin.conftest import SignIn
from tests.admin.test_periods import text
from tests.small_office import fill

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_kind_of_period_entry_explains_itself(sign_in: SignIn, language: str) -> None:
    await fill()
    for code in ("2026-01", "2026-02"):
        await settling.settle(code, actor="test")
    client = await sign_in("zhang", "office", language=language)
    async with reading() as connection:
        rows = await connection.fetch("SELECT number, rule, posted FROM entry WHERE kind = 'period' ORDER BY number")
    assert {row["rule"] for row in rows} == {"D1", "P1"}
    for row in rows:
        page = text(await client.get(f"/audit/entries/{row['number']}"))
        if row["rule"] == "D1":
            assert ("无差异" if language == "zh-CN" else "undifferentiated") in page
            assert re.search(r"B1 城关分局|B2", page)
            assert ("极差" if language == "zh-CN" else "range") in page
        else:
            assert ("上一期" if language == "zh-CN" else "previous period") in page


def test_each_test_of_a_difference_has_words() -> None:
    for name in Difference.__struct_fields__:
        assert render(message(f"entry.step.{name}"), "zh-CN") != render(message(f"entry.step.{name}"), "en")
