"""Whoever changes the ledger behind its back is found, and where: each test tampers as a superuser."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from hashlib import sha256
from typing import Any

import anyio
import asyncpg
import pytest

from api.database import pooled
from api.embedded import APPLICATION, OWNER, SUPERUSER, Cluster, Database
from engine.finding import Refused
from engine.language import render
from engine.organisation import TIMEZONE
from engine.planner import Change
from ledger.chain import link
from ledger.current import Current, load_version, use_current
from ledger.desk import open_desk
from ledger.difference import Difference, Seal
from ledger.journal import ACT_COLUMNS, ENTRY_COLUMNS, EVENT_COLUMNS
from ledger.past import indicators_of
from ledger.rebuilding import TABLES, rebuild_present
from ledger.recount import hash_content
from ledger.verification import verify
from tests.conftest import TEMPLATE
from tests.ledger.test_ledger import Office
from tests.worlds import History

SEED, STEPS = 3, 60
"""A history in which every table has rows: events withdrawn, settlements, closings, two versions."""
SOURCE = f"lived_{os.getpid()}"
COLUMNS = {"event": EVENT_COLUMNS, "entry": ENTRY_COLUMNS, "act": ACT_COLUMNS}

_numbers = itertools.count(1)


async def live(url: str) -> History:
    """Live through the history."""
    async with pooled(url):
        current = Current(TIMEZONE)
        use_current(current)
        history, office = History(SEED, periodical=True), Office(current)
        await office.set_up(history.organisation, history.first)
        for _ in range(STEPS):
            await step(history, office)
        return history


async def step(history: History, office: Office) -> None:
    """One step of a history, in the ledger as in the register."""
    drawn, refused = history.step()
    try:
        await getattr(office, drawn.verb)(*drawn.args)
    except Refused:
        assert refused, drawn
    else:
        assert not refused, drawn


@pytest.fixture(scope="module")
def lived(postgres: Cluster) -> Iterator[None]:
    """A database that lived, to be copied."""
    made = postgres.database(SOURCE, template=TEMPLATE)
    anyio.run(live, made.url)
    yield
    postgres.drop(SOURCE)


class Ledger:
    """A copy of it, and somebody who may do anything to it."""

    def __init__(self, database: Database, superuser: asyncpg.Connection) -> None:
        self.database = database
        self.superuser = superuser

    async def run(self, statement: str, *args: object) -> None:
        """Tamper; that something was changed is seen to."""
        done = await self.superuser.execute(statement, *args)
        assert not done.endswith(" 0"), done

    async def ask(self, query: str, *args: object) -> Any:
        return await self.superuser.fetchval(query, *args)

    async def rehash(self, first: int = 1) -> None:
        """Make the chain intact again from a record on, as one would who knows how it is made."""
        records: list[dict[str, Any]] = []
        for table, columns in COLUMNS.items():
            for row in await self.superuser.fetch(f"SELECT * FROM {table}"):
                records.append({"record": table, **{name: row[name] for name in columns}})
        records.sort(key=lambda record: record["number"])
        before = ""
        for record in records:
            if record["number"] >= first:
                before = link(before, record)
                number = record["number"]
                await self.superuser.execute(
                    f"UPDATE {record['record']} SET hash = $2 WHERE number = $1", number, before
                )
                await self.superuser.execute("UPDATE snapshot SET head = $2 WHERE act = $1", number, before)
            else:
                before = record["hash"]
        await self.superuser.execute("UPDATE ledger_head SET hash = $1", before)

    async def seal(self) -> Seal:
        row = await self.superuser.fetchrow("SELECT length, hash FROM ledger_head")
        return Seal(length=row["length"], head=row["hash"])

    async def verify(self, *seals: Seal) -> Difference | None:
        found = (await verify(self.database.url, TIMEZONE, seals=seals, processes=0)).difference
        if found is not None:
            assert all(render(found.said, language) for language in ("zh-CN", "en"))
        return found


@pytest.fixture
async def ledger(lived: None, postgres: Cluster, anyio_backend: str) -> AsyncIterator[Ledger]:
    name = f"tampered_{os.getpid()}_{next(_numbers)}"
    made = await anyio.to_thread.run_sync(postgres.database, name, SOURCE)
    superuser = await asyncpg.connect(postgres.url(SUPERUSER, name))
    await superuser.execute("SET session_replication_role = replica")
    yield Ledger(made, superuser)
    await superuser.close()
    await anyio.to_thread.run_sync(postgres.drop, name)


def named(found: Difference | None) -> tuple[str, str, int | None]:
    assert found is not None
    return found.kind, found.record, found.number


pytestmark = pytest.mark.anyio


async def test_the_untouched_ledger_verifies(ledger: Ledger) -> None:
    verdict = await verify(ledger.database.url, TIMEZONE, seals=[await ledger.seal()], processes=2)
    assert verdict.difference is None
    counts = [await ledger.ask(f"SELECT count(*) FROM {table}") for table in COLUMNS]
    assert [verdict.events, verdict.entries, verdict.acts] == counts
    assert verdict.length == sum(counts)
    assert verdict.standing == await ledger.ask("SELECT count(*) FROM present_event")


async def test_processes_come_to_the_same_and_tell_how_far_they_are(ledger: Ledger) -> None:
    entry = await ledger.ask("SELECT min(number) FROM entry WHERE posted <> 0")
    await ledger.run("UPDATE entry SET posted = posted - 0.30 WHERE number = $1", entry)
    await ledger.rehash(entry)
    heard: list[tuple[str, int, int]] = []
    verdict = await verify(ledger.database.url, TIMEZONE, processes=2, progress=lambda *told: heard.append(told))
    assert verdict.difference == await ledger.verify()
    assert named(verdict.difference) == ("sum", "entry", entry)
    assert list(dict.fromkeys(stage for stage, _, _ in heard)) == ["chain", "beside", "scoring", "posting"]
    assert all(0 <= done <= of for _, done, of in heard)


# the chain

CHANGES = {
    "event": ["subject = 'U2'", "time = time + interval '1 microsecond'", "matter = 'M9'", "data = '{}'"],
    "entry": ["posted = posted + 0.01", "rule = 'R9'", "detail = detail || ' '", "booked = booked + 1", "cause = 1"],
    "act": ["actor = 'nobody'", "content = content || ' '", "at = at + interval '1 second'", "kind = 'appeal'"],
}


@pytest.mark.parametrize(("table", "change"), [(table, each) for table in CHANGES for each in CHANGES[table]])
async def test_a_changed_record_is_named(ledger: Ledger, table: str, change: str) -> None:
    number = await ledger.ask(f"SELECT number FROM {table} ORDER BY number OFFSET 2 LIMIT 1")
    await ledger.run(f"UPDATE {table} SET {change} WHERE number = $1", number)
    found = await ledger.verify()
    assert named(found) == ("hash", table, number)
    assert found is not None
    assert found.there == await ledger.ask(f"SELECT hash FROM {table} WHERE number = $1", number)
    assert len(found.expected) == 64


@pytest.mark.parametrize("table", COLUMNS)
async def test_a_removed_record_is_named(ledger: Ledger, table: str) -> None:
    number = await ledger.ask(f"SELECT number FROM {table} ORDER BY number OFFSET 3 LIMIT 1")
    await ledger.run(f"DELETE FROM {table} WHERE number = $1", number)
    assert named(await ledger.verify()) == ("missing", "record", number)


@pytest.mark.parametrize("table", COLUMNS)
async def test_an_inserted_record_is_named(ledger: Ledger, table: str) -> None:
    """With a number that another table has; or behind the end."""
    into = ", ".join(column for column in COLUMNS[table] if column != "number")
    copied = into.replace(" id,", " id || '-2',")
    another = "act" if table == "entry" else "entry"
    other = await ledger.ask(f"SELECT number FROM {another} ORDER BY number OFFSET 4 LIMIT 1")
    taken = f"INSERT INTO {table} (number, {into}) SELECT $1, {copied} FROM {table} ORDER BY number LIMIT 1"
    await ledger.run(taken, other)
    kind, _, number = named(await ledger.verify())
    assert (kind, number) in {("twice", other), ("hash", other)}
    await ledger.run(f"DELETE FROM {table} WHERE number = $1", other)
    length = await ledger.ask("SELECT length FROM ledger_head")
    await ledger.run(taken, length + 1)
    assert named(await ledger.verify()) == ("beyond", table, length + 1)


@pytest.mark.parametrize("table", COLUMNS)
async def test_reordered_records_are_named(ledger: Ledger, table: str) -> None:
    first, second = [
        row["number"]
        for row in await ledger.superuser.fetch(f"SELECT number FROM {table} ORDER BY number OFFSET 1 LIMIT 2")
    ]
    await ledger.run(f"UPDATE {table} SET number = -1 WHERE number = $1", first)
    await ledger.run(f"UPDATE {table} SET number = $1 WHERE number = $2", first, second)
    await ledger.run(f"UPDATE {table} SET number = $1 WHERE number = -1", second)
    assert named(await ledger.verify()) == ("hash", table, first)


async def test_a_head_that_is_not_the_last_hash_is_found(ledger: Ledger) -> None:
    await ledger.run("UPDATE ledger_head SET hash = $1", "0" * 64)
    assert named(await ledger.verify()) == ("head", "ledger_head", await ledger.ask("SELECT length FROM ledger_head"))


async def test_a_cut_tail_is_missing_where_the_head_tells_of_it(ledger: Ledger) -> None:
    length = await ledger.ask("SELECT length FROM ledger_head")
    for table in COLUMNS:
        await ledger.superuser.execute(f"DELETE FROM {table} WHERE number > $1", length - 4)
    assert named(await ledger.verify()) == ("missing", "record", length - 3)


async def test_a_tail_that_was_cut_with_care_is_found_against_a_seal_alone(ledger: Ledger) -> None:
    """The last thing that happened is undone everywhere: nothing in the ledger tells of it."""
    before = await ledger.seal()
    async with pooled(ledger.database.url):
        use_current(current := Current(TIMEZONE))
        async with open_desk(current) as desk:
            at = await desk.connection.fetchval("SELECT now()")
            await desk.act("removal", {"act": 1, "what": "remark", "hash": ""}, "", "test", at, Change())
    sealed = await ledger.seal()
    assert await ledger.verify(before, sealed) is None
    await ledger.run("DELETE FROM act WHERE number = $1", sealed.length)
    await ledger.run("UPDATE ledger_head SET length = $1, hash = $2", before.length, before.head)
    assert await ledger.verify(before) is None
    assert named(await ledger.verify(before, sealed)) == ("cut", "chain", sealed.length)


async def test_a_ledger_made_anew_in_other_words_is_found_against_a_seal_alone(ledger: Ledger) -> None:
    sealed = await ledger.seal()
    await ledger.run("UPDATE act SET actor = 'somebody else' WHERE number = 1")
    assert named(await ledger.verify()) == ("hash", "act", 1)
    await ledger.rehash()
    assert await ledger.verify() is None
    assert named(await ledger.verify(sealed)) == ("seal", "chain", sealed.length)


# sums, evaluated anew


async def test_a_posted_amount_in_an_intact_chain_is_found_by_evaluating_anew(ledger: Ledger) -> None:
    row = await ledger.superuser.fetchrow(
        "SELECT * FROM entry WHERE kind = 'joint' AND posted <> 0 ORDER BY number LIMIT 1"
    )
    await ledger.run("UPDATE entry SET posted = posted - 0.07 WHERE number = $1", row["number"])
    await ledger.rehash(row["number"])
    found = await ledger.verify()
    assert named(found) == ("sum", "entry", row["number"])
    assert found is not None
    assert found.where.startswith(f"{row['source']}/{row['event']} {row['rule']} {row['subject']}")
    assert float(found.expected) - float(found.there) == pytest.approx(0.07)


async def test_an_entry_taken_out_of_an_intact_chain_is_found(ledger: Ledger) -> None:
    """The last charge's only entry, with everything after it renumbered."""
    row = await ledger.superuser.fetchrow(
        """
        SELECT * FROM entry n WHERE posted <> 0 AND kind = 'direct' AND 1 = (SELECT count(*) FROM entry m WHERE
        (m.source, m.event, m.rule, m.subject) = (n.source, n.event, n.rule, n.subject))
        ORDER BY number DESC LIMIT 1
        """
    )
    await ledger.run("DELETE FROM entry WHERE number = $1", row["number"])
    length = await ledger.ask("SELECT length FROM ledger_head")
    for number in range(row["number"] + 1, length + 1):
        for table in COLUMNS:
            await ledger.superuser.execute(f"UPDATE {table} SET number = number - 1 WHERE number = $1", number)
    await ledger.superuser.execute("UPDATE snapshot SET act = act - 1 WHERE act > $1", row["number"])
    await ledger.superuser.execute("UPDATE entry SET cause = cause - 1 WHERE cause > $1", row["number"])
    await ledger.superuser.execute("UPDATE present_event SET number = number - 1 WHERE number > $1", row["number"])
    await _renumber_withdrawals(ledger, row["number"])
    await ledger.run("UPDATE ledger_head SET length = length - 1")
    await ledger.rehash()
    event = await ledger.ask("SELECT number FROM event WHERE source = $1 AND id = $2", row["source"], row["event"])
    assert named(await ledger.verify()) == ("sum_missing", "entry", event)


async def _renumber_withdrawals(ledger: Ledger, removed: int) -> None:
    await ledger.superuser.execute(
        """
        UPDATE act SET content = regexp_replace(content, '"event":[0-9]+',
            '"event":' || ((substring(content FROM '"event":([0-9]+)'))::int - 1)::text)
        WHERE kind IN ('retraction', 'correction') AND (substring(content FROM '"event":([0-9]+)'))::int > $1
        """,
        removed,
    )


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("booked = booked + 31", "booked"),
        ("indicator = 'X'", "indicator"),
        ("rule = 'R9', origin_rule = 'R9'", "rule"),
    ],
)
async def test_an_entry_elsewhere_in_an_intact_chain_is_found(ledger: Ledger, change: str, kind: str) -> None:
    number = await ledger.ask("SELECT max(number) FROM entry WHERE kind = 'direct'")
    await ledger.run(f"UPDATE entry SET {change} WHERE number = $1", number)
    await ledger.rehash(number)
    assert named(await ledger.verify()) == (kind, "entry", number)


async def test_an_entry_of_another_version_on_its_indicator_is_found(ledger: Ledger) -> None:
    """Version and indicator agree, and so does the sum of the charge; only it stands on another indicator."""
    versions = {
        row["number"]: indicators_of(load_version(row["number"], row["document"]).rulebook)
        for row in await ledger.superuser.fetch("SELECT number, document FROM rulebook_version")
    }
    rows = await ledger.superuser.fetch("SELECT * FROM entry WHERE posted <> 0 ORDER BY number DESC")
    number, version, indicator = next(
        (row["number"], version, rules[charged])
        for row in rows
        for charged in [(row["origin_rule"], row["rule"])]
        for version, rules in versions.items()
        if charged in rules and rules[charged] != row["indicator"]
    )
    await ledger.run("UPDATE entry SET version = $2, indicator = $3 WHERE number = $1", number, version, indicator)
    await ledger.rehash(number)
    found = await ledger.verify()
    assert found is not None
    assert found.kind in {"sum", "sum_missing"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("matter = 'M9'", "content"),
        ("content_hash = repeat('0', 64)", "content"),
        ("version = version + 7", "version"),
        ("booked = booked + 1", "booked"),
    ],
)
async def test_an_event_that_was_not_recorded_so_is_found(ledger: Ledger, change: str, kind: str) -> None:
    """The chain was made intact again."""
    number = await ledger.ask("SELECT max(number) FROM event")
    await ledger.run(f"UPDATE event SET {change} WHERE number = $1", number)
    await ledger.rehash(number)
    found = named(await ledger.verify())
    assert found in {(kind, "event", number), ("booked", "entry", number + 1)}


@pytest.mark.parametrize("content", ["[]", "{}", '{"event":"x","period":1,"subjects":1,"periods":[1],"version":9}'])
@pytest.mark.parametrize("kind", ["retraction", "correction", "publication", "organisation", "periods", "settlement",
                                  "closing", "reopening"])  # fmt: skip
async def test_an_act_that_says_nothing_is_found(ledger: Ledger, kind: str, content: str) -> None:
    number = await ledger.ask("SELECT min(number) FROM act WHERE kind = $1", kind)
    await ledger.run("UPDATE act SET content = $2 WHERE number = $1", number, content)
    await ledger.rehash(number)
    assert named(await ledger.verify()) == ("unreadable", "act", number)


async def test_a_settlement_of_no_period_is_found(ledger: Ledger) -> None:
    # The only one of its period: where another stands, it is the sums that no longer fit.
    number = await ledger.ask(
        "SELECT max(number) FROM (SELECT number, count(*) OVER (PARTITION BY content::jsonb -> 'period') AS times"
        " FROM act WHERE kind = 'settlement') AS a WHERE times = 1"
    )
    changed = "jsonb_set(content::jsonb, '{period}', '\"none\"')::text"
    for content in ("'[1]'", changed):
        before = await ledger.ask("SELECT content FROM act WHERE number = $1", number)
        await ledger.run(f"UPDATE act SET content = {content} WHERE number = $1", number)
        await ledger.rehash(number)
        assert named(await ledger.verify()) == ("unreadable", "act", number)
        await ledger.run("UPDATE act SET content = $2 WHERE number = $1", number, before)


async def test_an_event_about_nobody_is_found(ledger: Ledger) -> None:
    """Its content hash and the chain were made to fit."""
    row = await ledger.superuser.fetchrow("SELECT * FROM event ORDER BY number DESC LIMIT 1")
    changed = {**row, "subject": "NOBODY"}
    await ledger.run(
        "UPDATE event SET subject = 'NOBODY', content_hash = $2 WHERE number = $1", row["number"], hash_content(changed)
    )
    await ledger.rehash(row["number"])
    assert named(await ledger.verify()) == ("unfit", "event", row["number"])


async def test_a_settlement_that_says_otherwise_is_found(ledger: Ledger) -> None:
    number, content = await ledger.superuser.fetchrow(
        'SELECT number, content FROM act WHERE content LIKE \'%"verdict":"undifferentiated"%\' ORDER BY number LIMIT 1'
    )
    changed = content.replace('"verdict":"undifferentiated"', '"verdict":"differentiated"', 1)
    await ledger.run("UPDATE act SET content = $2 WHERE number = $1", number, changed)
    await ledger.rehash(number)
    assert named(await ledger.verify()) == ("settlement", "act", number)


async def test_a_closing_with_other_figures_is_found(ledger: Ledger) -> None:
    """Snapshot, its hash, the act and the chain all say the same wrong figure."""
    row = await ledger.superuser.fetchrow("SELECT * FROM snapshot ORDER BY act LIMIT 1")
    figures = row["figures"].replace('"base":"100"', '"base":"101"', 1)
    assert figures != row["figures"]
    hashed = sha256(figures.encode()).hexdigest()
    await ledger.run("UPDATE snapshot SET figures = $2, hash = $3 WHERE act = $1", row["act"], figures, hashed)
    await ledger.run(
        "UPDATE act SET content = replace(content, $2, $3) WHERE number = $1", row["act"], row["hash"], hashed
    )
    await ledger.rehash(row["act"])
    assert named(await ledger.verify()) == ("figures", "act", row["act"])


# what is bound beside the chain

BESIDE: Mapping[str, tuple[str, str, str]] = {
    "document": ("UPDATE rulebook_version SET document = replace(document, 'R1', 'R7') WHERE number = 1",
                 "document", "rulebook_version"),
    "no document": ("UPDATE rulebook_version SET document = '{' WHERE number = 1", "document", "rulebook_version"),
    "publisher": ("UPDATE rulebook_version SET published_by = 'x' WHERE number = 1", "version_row", "rulebook_version"),
    "effective": ("UPDATE rulebook_version SET effective = effective + interval '1 day' WHERE number = 2",
                  "version_row", "rulebook_version"),
    "approver": ("UPDATE rulebook_version SET approved_by = '{x}' WHERE number = 1", "version_row", "rulebook_version"),
    "appeal more": ("INSERT INTO appeal (number, entry, subject, period, state) VALUES (1, 1, 'U1', 'p', 'lodged')",
                    "appeal", "appeal"),
    "version gone": ("DELETE FROM rulebook_version WHERE number = 2", "version_missing", "rulebook_version"),
    "version more": ("INSERT INTO rulebook_version SELECT 99, rulebook, effective, document, hash, note, reason,"
                     " published_by, published_at, approved_by FROM rulebook_version WHERE number = 2",
                     "version_extra", "rulebook_version"),
    "figures": ("UPDATE snapshot SET figures = replace(figures, '100', '101') WHERE id = 1", "snapshot", "snapshot"),
    "snapshot gone": ("DELETE FROM snapshot WHERE id = (SELECT max(id) FROM snapshot)", "snapshot_missing", "snapshot"),
    "snapshot more": ("INSERT INTO snapshot SELECT 99, period, 99, 1, version, organisation, head, figures, hash"
                      " FROM snapshot WHERE id = 1", "snapshot_extra", "snapshot"),
    "snapshot's number": ("UPDATE snapshot SET number = 9 WHERE id = 1", "snapshot_row", "snapshot"),
    "remark": ("UPDATE remark SET text = 'other' WHERE hash = (SELECT min(hash) FROM remark)", "remark", "remark"),
    "remark emptied": ("UPDATE remark SET text = NULL, salt = NULL WHERE hash = (SELECT min(hash) FROM remark)",
                       "remark_missing", "remark"),
    "remark gone": ("DELETE FROM remark WHERE hash = (SELECT min(hash) FROM remark)", "remark_missing", "remark"),
    "remark removed by no removal": (
        "UPDATE remark SET text = NULL, salt = NULL, removed_by = 1 WHERE hash = (SELECT min(hash) FROM remark)",
        "removal", "remark"),
    "place": ("UPDATE subject_place SET group_code = 'h' WHERE subject = 'U1'", "place", "subject_place"),
    "place gone": ("DELETE FROM subject_place WHERE subject = 'P1'", "place", "subject_place"),
    "relation": ("UPDATE relation SET ends = '2026-02-01' WHERE id = (SELECT min(id) FROM relation WHERE ends IS NULL)",
                 "relation", "relation"),
    "relation gone": ("DELETE FROM relation WHERE id = (SELECT max(id) FROM relation)", "relation", "relation"),
    "period": ("UPDATE period SET ends = ends + 1 WHERE code = '2026-02'", "period", "period"),
    "period's state": ("UPDATE period SET state = CASE state WHEN 'open' THEN 'closed' ELSE 'open' END"
                       " WHERE code = '2026-03'", "period", "period"),
    "settled through": ("UPDATE ledger_head SET settled_through = '2020-01-01'", "head_row", "ledger_head"),
}  # fmt: skip


@pytest.mark.parametrize("what", BESIDE)
async def test_what_the_chain_binds_beside_itself_is_held_to_it(ledger: Ledger, what: str) -> None:
    statement, kind, record = BESIDE[what]
    await ledger.run(statement)
    assert named(await ledger.verify())[:2] == (kind, record)


async def test_a_text_may_be_removed_by_an_act_that_the_chain_holds(ledger: Ledger) -> None:
    async with pooled(ledger.database.url):
        use_current(current := Current(TIMEZONE))
        async with open_desk(current) as desk:
            at = await desk.connection.fetchval("SELECT now()")
            said = {"act": 1, "what": "remark", "hash": ""}
            receipt = await desk.act("removal", said, "", "test", at, Change())
            await desk.write()
            await desk.connection.execute(
                "UPDATE remark SET text = NULL, salt = NULL, removed_by = $1"
                " WHERE hash = (SELECT min(hash) FROM remark)",
                receipt.number,
            )
    assert await ledger.verify() is None


# the present

PRESENT: Mapping[str, tuple[str, str, str]] = {
    "event gone": ("DELETE FROM present_event WHERE number = (SELECT max(number) FROM present_event)",
                   "not_standing", "present_event"),
    "event back": ("INSERT INTO present_event SELECT source, id, number, type, booked, time, booked, false FROM event e"
                   "  WHERE NOT EXISTS"
                   " (SELECT FROM present_event p WHERE p.number = e.number) LIMIT 1", "standing", "present_event"),
    "event's day": ("UPDATE present_event SET day = day + 1 WHERE number = (SELECT max(number) FROM present_event)",
                    "present_event", "present_event"),
    "event grows": ("UPDATE present_event SET grows = NOT grows WHERE number = (SELECT max(number) FROM present_event)",
                    "grows", "present_event"),
    "sheet gone": ("DELETE FROM present_sheet WHERE ctid = (SELECT min(ctid) FROM present_sheet)",
                   "present_missing", "present_sheet"),
    "sheet's amount": ("UPDATE present_sheet SET content = regexp_replace(content, '\"posted\":\"[^\"]*\"',"
                       " '\"posted\":\"-7.00\"') WHERE ctid = (SELECT min(ctid) FROM present_sheet"
                       " WHERE content LIKE '%\"takings\":[]%')", "present_missing", "present_sheet"),
    "sheet's limits": ("UPDATE present_sheet SET content = replace(content, '\"limits\":[\"L0\"', '\"limits\":[\"L9\"')"
                       " WHERE content LIKE '%\"limits\":[\"L0\"%'", "present", "present_sheet"),
    "taking gone": ("DELETE FROM present_taking WHERE ctid = (SELECT min(ctid) FROM present_taking)",
                    "present_missing", "present_taking"),
    "taking's amount": ("UPDATE present_taking SET taken = taken + 0.01 WHERE ctid = (SELECT min(ctid) FROM"
                        " present_taking)", "present_missing", "present_taking"),
    "taking twice": ("INSERT INTO present_taking SELECT * FROM present_taking LIMIT 1", "present_extra",
                     "present_taking"),
    "claim gone": ("DELETE FROM present_claim WHERE ctid = (SELECT min(ctid) FROM present_claim)",
                   "present_missing", "present_claim"),
    "claim's size": ("UPDATE present_claim SET size = repeat('0', 40) WHERE ctid = (SELECT min(ctid) FROM"
                     " present_claim)", "present_extra", "present_claim"),
    "room": ("UPDATE present_room SET used = used + 0.01 WHERE ctid = (SELECT min(ctid) FROM present_room)",
             "room", "present_room"),
    "recurrence gone": ("DELETE FROM present_recurrence WHERE ctid = (SELECT min(ctid) FROM present_recurrence)",
                        "present_missing", "present_recurrence"),
    "recurrence more": ("INSERT INTO present_recurrence SELECT digest, place || '0', source, id FROM present_recurrence"
                        " LIMIT 1", "present_extra", "present_recurrence"),
}  # fmt: skip


@pytest.mark.parametrize("what", PRESENT)
async def test_the_present_is_held_to_the_ledger(ledger: Ledger, what: str) -> None:
    statement, kind, record = PRESENT[what]
    await ledger.run(statement)
    found = named(await ledger.verify())[:2]
    either = {"present_missing", "present_extra"}  # of a changed row the one that is there, or the one that should be
    assert found in {(each, record) for each in (either if kind in either else {kind})}


async def test_the_present_can_be_made_anew_and_posting_goes_on(ledger: Ledger) -> None:
    history = History(SEED, periodical=True)
    for _ in range(STEPS):
        history.step()
    for table in TABLES:
        await ledger.superuser.execute(f"DELETE FROM {table}")
    async with pooled(ledger.database.url):
        use_current(current := Current(TIMEZONE))
        await rebuild_present(current)
        assert await ledger.verify() is None
        office = Office(current)
        for _ in range(20):
            await step(history, office)
        assert await office.sums() == {
            key: each.posted for key, each in history.register.fresh().items() if each.posted
        }
    assert await ledger.verify() is None


# append-only

KEPT = ["event", "entry", "act", "rulebook_version", "snapshot", "change_log", "approval", "remark"]
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError)


@pytest.mark.parametrize("role", [APPLICATION, OWNER])
@pytest.mark.parametrize("table", KEPT)
async def test_what_is_written_once_is_not_changed(ledger: Ledger, table: str, role: str) -> None:
    """The application has no right; the owner is stopped by triggers, row by row and as a whole."""
    await ledger.superuser.execute(
        """
        INSERT INTO change_log (at, "user", action, "table", "row", before, after)
            VALUES (now(), 'x', 'update', 'x', '1', '{}', '{}');
        INSERT INTO approval (hash, "user", at) VALUES ('x', 'x', now());
        """
    )
    url = ledger.database.url if role == APPLICATION else ledger.database.migrate_url
    connection = await asyncpg.connect(url)
    column = {"change_log": "action", "remark": "text"}.get(table, "hash")
    try:
        for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(REFUSED):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_application_cannot_put_the_triggers_aside(ledger: Ledger) -> None:
    connection = await asyncpg.connect(ledger.database.url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SET session_replication_role = replica")
        for table in KEPT:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"DROP TABLE {table}")
    finally:
        await connection.close()
