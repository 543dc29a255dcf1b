"""The chain's records: the same bytes however they are made, and an export that anybody can recompute."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.database import borrowed
from api.embedded import Database
from engine.report import canonical_json, content_hash, read_report
from ledger.chain import canonical, link
from ledger.difference import Seal
from ledger.records import BLOCK, FORMS, Record, bind, read_lines, read_records
from ledger.recount import hash_content
from ledger.seal import read_seal
from tests.small_office import fill
from tests.worlds import NOTICE, TASK

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_export.py"

TEXTS = some.text(some.characters(exclude_categories=["Cs"]), max_size=12) | some.sampled_from(
    ["\x00\x01\x1f\x7f\x80", '"\\/\b\f\n\r\t', "督查通报", "😀👩‍👩‍👧", "\u2028\u2029\ufeff", "𠮷", "</script>"]
)
NUMBERS = some.integers(-(2**63), 2**63 - 1)


@given(some.sampled_from(sorted(FORMS)), some.data())
def test_msgspec_writes_the_chains_bytes(kind: str, drawn: some.DataObject) -> None:
    """Fields in order, escapes, what is missing left out: as :mod:`json` writes it for the chain."""
    form = FORMS[kind]
    values = [drawn.draw(some.none() | TEXTS | NUMBERS) for _ in form.names]
    named = dict(zip(form.names, values, strict=True))
    assert form.text(values) == canonical_json({key: value for key, value in named.items() if value is not None})
    record = Record(1, kind, values, "f" * 64)
    assert bind("a" * 64, record) == link("a" * 64, named)
    line = form.line_of(record)
    assert line == canonical_json(canonical(named) | {"hash": "f" * 64}) + b"\n"


@pytest.mark.anyio
async def test_postgresql_writes_amounts_and_instants_as_the_chain_does(pool: Database) -> None:
    instants = [
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(2026, 3, 5, 2, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 5, 10, 0, 0, 120000, tzinfo=timezone(timedelta(hours=8))),
        datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    amounts = [Decimal(text) for text in ("0.00", "-0.50", "1234567890123456789012.34", "-0.01", "100.00")]
    async with borrowed() as connection:
        for at, posted in zip(instants, [*amounts], strict=False):
            row: dict[str, Any] = {
                "at": at, "posted": posted, "booked": at.date(), "null": None,
            }  # fmt: skip
            written = await connection.fetchrow(
                """
                SELECT to_char($1::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
                       ($2::numeric(24, 2))::text AS posted, to_char($3::date, 'YYYY-MM-DD') AS booked
                """,
                at,
                posted,
                at.date(),
            )
            assert canonical_json(dict(written)) == canonical_json(canonical(row))


@given(some.data())
def test_the_content_hash_is_made_of_the_row_as_it_was_of_the_event(drawn: some.DataObject) -> None:
    raw: dict[str, Any] = {
        "source": "s",
        "id": "E 1",
        "type": "notice",
        "subject": "U1",
        "time": "2026-03-05T10:00:00+08:00",
    }
    raw["time"] = drawn.draw(some.sampled_from(["2026-03-05T10:00:00+08:00", "2026-03-05T10:00:00.000120Z"]))
    texts = some.text(some.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9).filter(str.strip)
    for key in ("matter", "basis"):
        if drawn.draw(some.booleans()):
            raw[key] = drawn.draw(texts)
    if drawn.draw(some.booleans()):
        raw["parties"] = {"lead_dept": ["U2", "U1"]}
    if drawn.draw(some.booleans()):
        raw["data"] = {"points": "1.50", "problem": drawn.draw(texts)}
    event = read_report(raw, lambda report: {"notice": NOTICE, "task": TASK}.get(report.type))
    written = {
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "time": event.time.astimezone(UTC),
        "matter": event.matter,
        "basis": event.basis,
        "parties": canonical_json({name: list(held) for name, held in event.parties.items()}).decode(),
        "data": canonical_json(
            {k: str(v.normalize()) if isinstance(v, Decimal) else v for k, v in event.data.items()}
        ).decode(),
    }
    assert hash_content(written) == content_hash(event)


# exports


async def export() -> tuple[list[bytes], Seal]:
    async with borrowed() as connection:
        seal = await read_seal(connection)
        blocks = [block async for block in read_lines(connection, 1, seal.length)]
    return b"".join(blocks).splitlines(keepends=True), seal


def recompute(lines: list[bytes], *seals: Seal, file: Path | None = None) -> tuple[int, str]:
    """Run the script that is handed out, with nothing but the standard library."""
    noted = [f"{seal.length}:{seal.head}" for seal in seals]
    if file is not None:
        file.write_bytes(b"".join(lines))
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(file or "-"), *noted],
        input=None if file is not None else b"".join(lines),
        capture_output=True,
        check=False,
    )
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr).decode().strip()


def test_the_script_is_short() -> None:
    text = SCRIPT.read_text(encoding="utf-8").split('"""', 2)[2]
    assert len([line for line in text.splitlines() if line.strip()]) <= 32


@pytest.mark.anyio
async def test_an_export_is_recomputed_by_the_script(pool: Database, tmp_path: Path) -> None:
    await fill()
    lines, seal = await export()
    told = f"ok: record {seal.length}, head {seal.head}"
    assert recompute(lines) == (0, told)
    assert recompute(lines, seal, file=tmp_path / "chain.ndjson") == (0, told)
    first = json.loads(lines[0])
    assert [key for key in first if key == "hash"] == ["hash"]
    assert lines[0] == canonical_json(first) + b"\n"
    begun = Seal(length=4, head=json.loads(lines[3])["hash"])
    assert recompute(lines[4:], begun) == (0, told)
    assert recompute(lines[4:])[0] == 1


TAMPERED: dict[str, Callable[[list[bytes]], tuple[list[bytes], int]]] = {
    "changed": lambda lines: (
        [*lines[:6], lines[6].replace(b'"kind"', b'"kimd"').replace(b'"data"', b'"dada"'), *lines[7:]],
        7,
    ),
    "removed": lambda lines: ([*lines[:6], *lines[7:]], 7),
    "repeated": lambda lines: ([*lines[:6], lines[5], *lines[6:]], 7),
    "swapped": lambda lines: ([*lines[:4], lines[5], lines[4], *lines[6:]], 5),
    "garbage": lambda lines: ([*lines[:2], b"{\n", *lines[3:]], 3),
    "no object": lambda lines: ([*lines[:2], b"[1]\n", *lines[3:]], 3),
    "no hash": lambda lines: ([*lines[:2], b'{"number":3}\n', *lines[3:]], 3),
}


@pytest.mark.anyio
@pytest.mark.parametrize("how", TAMPERED)
async def test_a_tampered_export_is_named_where_it_breaks(pool: Database, how: str) -> None:
    await fill()
    lines, _ = await export()
    broken, number = TAMPERED[how](lines)
    status, said = recompute(broken)
    assert status == 1
    assert said.startswith(f"record {number}:")


@pytest.mark.anyio
async def test_a_cut_export_is_found_against_a_seal_alone(pool: Database) -> None:
    await fill()
    lines, seal = await export()
    assert recompute(lines[:-2])[0] == 0
    status, said = recompute(lines[:-2], seal)
    assert status == 1
    assert said.startswith(f"record {seal.length - 1}: missing")
    other = Seal(length=3, head="0" * 64)
    assert recompute(lines, other)[1].startswith("record 3:")


@pytest.mark.anyio
async def test_records_come_in_blocks_with_nothing_between(pool: Database) -> None:
    await fill()
    async with borrowed() as connection:
        length = (await read_seal(connection)).length
        found = [record async for block in read_records(connection, 2, length) for record in block]
    assert [record.number for record in found] == list(range(2, length + 1))
    assert BLOCK > 1
