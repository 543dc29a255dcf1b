"""``jikao import`` and ``jikao export`` of rulebooks, subjects and relations: whole or not at all."""

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from admin.changes import replace_draft
from api.commands.tables import Asked, bring_tables, preview_tables, take_tables
from api.embedded import Database
from engine.finding import Refused
from ledger.current import get_current
from ledger.reading import reading
from rules.draft import draft_hash, read_draft
from rules.exchange import read_rulebook_file
from rules.fault import Faulty
from tests.api.test_chain import command
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.anyio


async def places(code: str) -> list[tuple[str | None, str | None]]:
    async with reading():
        held = get_current().bureau.organisation.subjects
    return [(place.unit, place.group) for place in held[code].places] if code in held else []


def asked(file: Path, what: str | None = None, since: date = date(2026, 3, 1)) -> Asked:
    return Asked(file=str(file), data=file.read_bytes(), what=what, since=since, reason="轮岗")


async def test_the_commands_take_and_bring_everything(pool: Database, tmp_path: Path) -> None:
    await fill()
    await replace_draft(RULEBOOK, "setup")
    before = await read_draft()
    file = tmp_path / "all.xlsx"
    assert await command(pool, "export", str(file), "--what", "all") == (0, "", f"written to {file}\n")
    book = openpyxl.load_workbook(file)
    book["Settings"]["B3"] = "改过"
    book["Subjects"].append(["P9", "孙", "person", "staff", "B1", "科员"])
    book["Rules"]["D2"] = "maybe"
    book.save(file)
    code, out, complaints = await command(pool, "import", str(file))
    assert (code, out, complaints) == (1, "", "jikao: Rules!D2: expected yes or no, not maybe\n")
    book["Rules"]["D2"] = "yes"
    book.save(file)
    code, out, _ = await command(pool, "import", str(file), "--preview", "--json")
    told = json.loads(out)
    assert (code, told["preview"], told["act"], told["entries"]) == (0, True, None, 0)
    assert [said for said in told["changes"] if "P9" in said]
    assert (await read_draft(), await places("P9")) == (before, [])
    code, out, complaints = await command(pool, "import", str(file), "--reason", "new")
    assert (code, complaints) == (0, "")
    assert "imported, by the act" in out
    assert (await read_draft())["title"] == "改过"
    assert await places("P9") == [("B1", "staff")]
    table = tmp_path / "events.csv"
    assert (await command(pool, "export", str(table), "--what", "events"))[0] == 0
    read = list(csv.reader(io.StringIO(table.read_bytes().decode("utf-8-sig"))))
    assert [row[2] for row in read[1:]] == [f"E{number}" for number in range(1, 7)]


async def test_every_part_goes_out_and_comes_back(pool: Database, tmp_path: Path) -> None:
    await fill()
    await replace_draft(RULEBOOK, "setup")
    for what, ending in (
        ("all", "xlsx"), ("rulebook", "yaml"), ("rulebook", "xlsx"), ("organisation", "yaml"), ("organisation", "xlsx"),
        ("subjects", "xlsx"), ("relations", "yaml"),
    ):  # fmt: skip
        file = tmp_path / f"{what}.{ending}"
        file.write_bytes(await take_tables(what, ending, None, None))
        seen = await preview_tables(asked(file))
        assert (seen.changes, seen.entries) == ((), None if what == "rulebook" else 0), what
    assert (
        read_rulebook_file(await take_tables("rulebook", "yaml", 1, None), "yaml", datetime.now(UTC)).rulebook.code
        == "small"
    )
    assert (await take_tables("subjects", "csv", None, None)).startswith(b"\xef\xbb\xbf")


async def test_faults_of_subjects_are_at_their_cells(pool: Database, tmp_path: Path) -> None:
    await fill()
    await replace_draft(RULEBOOK, "setup")
    before = await draft_hash()
    file = tmp_path / "all.xlsx"
    file.write_bytes(await take_tables("all", "xlsx", None, None))
    book = openpyxl.load_workbook(file)
    sheet = next(each for each in book if each.title in ("主体", "Subjects"))
    sheet.append(["P9", "孙", "person", "staff", "B8", ""])
    book.save(file)
    with pytest.raises(Faulty) as caught:
        await bring_tables(asked(file))
    assert [(fault.cell, fault.given) for fault in caught.value.faults] == [("E5", "B8")]
    assert (await draft_hash(), await places("P9")) == (before, [])


async def test_one_part_that_breaks_takes_the_other_back(
    pool: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill()
    await replace_draft(RULEBOOK, "setup")
    before = await draft_hash()
    file = tmp_path / "all.xlsx"
    file.write_bytes(await take_tables("all", "xlsx", None, None))
    book = openpyxl.load_workbook(file)
    for sheet in book:
        if sheet.title in ("主体", "Subjects"):
            sheet.append(["P9", "孙", "person", "staff", "B1", ""])
        if sheet.title in ("设置", "Settings"):
            sheet["B3"] = "changed"
    book.save(file)

    async def broken(*given: object, **named: object) -> str:
        await replace_draft(*given, **named)  # type: ignore[arg-type]
        raise RuntimeError("the power failed")

    monkeypatch.setattr("api.commands.tables.replace_draft", broken)
    with pytest.raises(RuntimeError):
        await bring_tables(asked(file))
    assert (await draft_hash(), await places("P9")) == (before, [])
    monkeypatch.undo()
    done = await bring_tables(asked(file))
    assert (done.draft, await places("P9")) == (await draft_hash(), [("B1", "staff")])


@pytest.mark.parametrize(
    ("what", "ending", "version"),
    [("rulebook", "csv", None), ("all", "yaml", None), ("organisation", "csv", None), ("rulebook", "yaml", None),
     ("rulebook", "yaml", 7)],
)  # fmt: skip
async def test_what_cannot_be_written_is_said(pool: Database, what: str, ending: str, version: int | None) -> None:
    await fill()
    with pytest.raises(Refused):  # the last two: there is no draft, nor such a version
        await take_tables(what, ending, version, None)


async def test_what_is_asked_wrongly_is_said(pool: Database, tmp_path: Path) -> None:
    await fill()
    text = tmp_path / "x.yaml"
    text.write_text("subjects:\n  - {code: P1, kind: animal}\n")
    for what in (None, "relations", "rulebook"):
        with pytest.raises(Faulty):
            await bring_tables(asked(text, what))
    code, _, complaints = await command(pool, "import", str(text))
    assert (code, "subjects[0].kind" in complaints) == (1, True)
    assert (await command(pool, "import", str(text), "--what", "events"))[0] == 1
    assert (await command(pool, "export", "a.yaml", "--records", "b"))[0] == 2
    target = tmp_path / "x.pdf"
    assert (await command(pool, "export", str(target)))[0] == 1
    assert not target.exists()
