"""One rule saved: only its rows, whole or not at all, and never over what somebody else wrote meanwhile."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from piccolo.table import Table

from api.embedded import Database
from engine.finding import Refused
from rules.document import write_rulebook
from rules.draft import read_draft, snapshot, write_draft
from rules.rule_form import draw, form_of, normal
from rules.rule_saving import Changed, delete_rule, move_rule, rule_hash, save_rule
from rules.rule_scope import read_one, read_rules, read_scope
from rules.tables import DRAFT_TABLES, DraftRule
from tests.rules.test_draft import FULL, STARTERS
from tests.worlds import draw_limits, draw_rulebook

pytestmark = pytest.mark.anyio


async def opened(code: str) -> tuple[Any, str]:
    """A rule of the draft as an editor opens it."""
    async with snapshot():
        tree = await read_one(code, await read_scope())
    assert tree is not None
    return tree, rule_hash(tree)


async def rows(but: int) -> dict[type[Table], list[Any]]:
    """Every row of the draft that is not of this rule, with its id."""
    kept: dict[type[Table], list[Any]] = {}
    for table in DRAFT_TABLES:
        held = await table.select().order_by(table._meta.primary_key)
        kept[table] = [row for row in held if row.get("rule") != but and (table is not DraftRule or row["id"] != but)]
    return kept


def replaced(document: Any, code: str, rule: Any) -> Any:
    """The document with that rule replaced, and what names it naming the new one."""
    rules = [rule if each["rule"] == code else each for each in document["rules"]]
    named = [
        {**each, "of": [rule["rule"] if one == code else one for one in each["of"]]} if "of" in each else each
        for each in rules
    ]
    return {**document, "rules": named}


async def test_a_draft_is_the_old_one_with_the_rule_replaced(pool: Database) -> None:
    """Random rules of random worlds over each other, renamed too: every other row keeps its id."""
    for seed in range(3):
        rng = random.Random(seed)
        limits = draw_limits(rng)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        first, second = (write_rulebook(draw_rulebook(rng, at, limits, periodical=True)) for _ in range(2))
        await write_draft(first)
        await write_draft(await read_draft())
        rules: Any = second["rules"]
        new: Any
        for new in rules:
            old, hashed = await opened(new["rule"])
            before, number = await read_draft(), (await read_scope()).listed(new["rule"])
            assert number is not None
            kept = await rows(number.id)
            if rng.random() < 0.4 and "joint" not in old:
                new = {**new, "rule": f"{new['rule']}-甲{seed}"}
            names: Any = (await read_draft())["rules"]
            codes = {each["rule"] for each in names}
            if not set(new.get("of", ())) <= codes:
                new = {key: value for key, value in new.items() if key != "of"}
            saved = await save_rule(draw(form_of(new)).tree, old["rule"], hashed)
            after: Any = await read_draft()
            assert saved.before == old
            assert normal(saved.after) == normal(new)
            assert after == replaced(before, old["rule"], saved.after)
            assert {table: held for table, held in (await rows(saved.id)).items() if table is not DraftRule} == {
                table: held for table, held in kept.items() if table is not DraftRule
            }
            assert saved.id == number.id


@pytest.mark.parametrize("raw", STARTERS, ids=lambda raw: raw["rulebook"])
async def test_every_rule_is_read_by_itself_as_it_stands_in_the_document(pool: Database, raw: Any) -> None:
    await write_draft(raw)
    document: Any = await read_draft()
    scope = await read_scope()
    read = await read_rules([rule.id for rule in scope.rules], scope.codes)
    assert [read[rule.id] for rule in scope.rules] == document["rules"]
    for tree in document["rules"]:
        assert (await save_rule(tree, tree["rule"], rule_hash(tree))).after == tree
    assert await read_draft() == document


async def test_somebody_elses_change_is_a_conflict_and_that_of_another_rule_is_none(pool: Database) -> None:
    await write_draft(FULL)
    mine, hashed = await opened("R1")
    other, of_other = await opened("R4")
    await save_rule({**other, "title": "别的规则"}, "R4", of_other)
    theirs = (await save_rule({**mine, "title": "他人的"}, "R1", hashed)).after
    with pytest.raises(Changed) as changed:
        await save_rule({**mine, "title": "我的"}, "R1", hashed)
    assert changed.value.theirs == theirs
    assert (await opened("R1"))[0] == theirs
    await save_rule({**mine, "title": "我的"}, "R1", rule_hash(theirs))
    with pytest.raises(Changed) as gone:
        await save_rule(mine, "R9", hashed)
    assert gone.value.theirs is None


async def test_what_rows_cannot_hold_is_refused_whole(pool: Database) -> None:
    await write_draft(FULL)
    before = await read_draft()
    tree, hashed = await opened("R1")
    wrongs: list[tuple[Any, str]] = [
        ({**tree, "points": "many"}, "points"),
        ({**tree, "rule": "R2"}, "rule"),
        ({**tree, "rule": "no code!"}, "rule"),
        ({**tree, "on": "nowhere"}, "on"),
        ({**tree, "limits": ["L", "X"]}, "limits[1]"),
        ({**tree, "colour": "red"}, "colour"),
        ({**tree, "points": {"field": "level", "table": {"z": "much"}}}, "points.table.z"),
        ("text", ""),
    ]
    for wrong, path in wrongs:
        with pytest.raises(Refused) as refused:
            await save_rule(wrong, "R1", hashed)
        assert path in [finding.path for finding in refused.value.findings], wrong
    assert await read_draft() == before


async def test_an_unfinished_rule_is_saved(pool: Database) -> None:
    await write_draft(FULL)
    saved = await save_rule({"rule": "N", "on": "a", "when": "nonsense ==", "points": {"field": "gone", "table": {}}})
    assert saved.before is None
    document: Any = await read_draft()
    assert document["rules"][-1] == saved.after
    with pytest.raises(Refused):
        await save_rule({"rule": "N", "on": "a"})


async def test_a_rule_that_is_named_is_not_deleted(pool: Database) -> None:
    await write_draft(FULL)
    _, hashed = await opened("R1")
    with pytest.raises(Refused) as refused:
        await delete_rule("R1", hashed)
    assert refused.value.findings[0].message.args == {"rules": "J1"}
    joint, of_joint = await opened("J1")
    await save_rule({**joint, "of": ["R3"]}, "J1", of_joint)
    with pytest.raises(Changed):
        await delete_rule("R1", "another")
    before: Any = await read_draft()
    await delete_rule("R1", hashed)
    after: Any = await read_draft()
    assert after == {**before, "rules": before["rules"][1:]}


async def test_a_rule_moves_among_the_others(pool: Database) -> None:
    await write_draft(FULL)
    document: Any = await read_draft()
    codes = [rule["rule"] for rule in document["rules"]]
    for code, to in [("R3", 1), ("R1", 99), ("V1", 0), ("J2", 4), ("J2", 4)]:
        moved = await move_rule(code, to)
        codes.remove(code)
        codes.insert(moved.after - 1, code)
        document = await read_draft()
        assert [rule["rule"] for rule in document["rules"]] == codes
    with pytest.raises(Refused):
        await move_rule("R99", 1)
