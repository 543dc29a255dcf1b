"""A draft that an earlier release kept as JSON moves into rows whole."""

from importlib import import_module
from typing import Any

import asyncpg
import pytest

from api.embedded import Database
from rules.document import read_document
from rules.draft import read_draft, write_draft
from rules.rows import to_json
from tests.rules.test_draft import FULL, STARTER

MOVING = import_module("rules.piccolo_migrations.rules_2026_11_22t20_52_00_000000")

OLD = """
ALTER TABLE draft ADD holidays date[] DEFAULT '{}', ADD workdays date[] DEFAULT '{}',
                  ADD scorecards_json text DEFAULT '', ADD standing_json text DEFAULT '';
ALTER TABLE draft_indicator ADD measure_json text DEFAULT '';
ALTER TABLE draft_rule ADD further_json text DEFAULT '';
"""
EMPTY = """
TRUNCATE draft_days, draft_measure_step, draft_compared, draft_consequence, draft_scorecard, draft_part, draft_linkage,
         draft_tier, draft_award;
UPDATE draft SET floor = NULL;
UPDATE draft_indicator SET method = NULL, measured_on = NULL, measured_field = '', measure_else = NULL,
       measure_order = NULL, efficacy_bad = NULL, efficacy_good = NULL, raters_missing = NULL;
UPDATE draft_rule SET compares = NULL, among = NULL, groups = '{}', per = '', at_least = NULL, progress = NULL,
       "both" = false, veto_to = NULL;
"""
COLUMNS = ("rule", "title", "basis", "indicator", "enabled", "note", "limits", "max", "charge", "on", "when", "points")


@pytest.mark.anyio
@pytest.mark.parametrize("raw", [STARTER, FULL], ids=["starter", "full"])
async def test_what_was_json_becomes_rows(pool: Database, raw: Any) -> None:
    await write_draft(raw)
    before = await read_draft()
    owner = await asyncpg.connect(pool.migrate_url)
    try:
        await owner.execute(OLD)
        for column in ("scorecards", "standing"):
            await owner.execute(f"UPDATE draft SET {column}_json = $1", to_json(raw[column]))
        for days in ("holidays", "workdays"):
            await owner.execute(f"UPDATE draft SET {days} = $1::text[]::date[]", raw.get(days) or [])
        for code, indicator in raw["indicators"].items():
            text = to_json(indicator["measure"]) if "measure" in indicator else ""
            await owner.execute("UPDATE draft_indicator SET measure_json = $2 WHERE code = $1", code, text)
        for rule in raw["rules"]:
            if {"differentiation", "progress", "veto"} & set(rule):
                kept = to_json({key: value for key, value in rule.items() if key not in COLUMNS})
                await owner.execute("UPDATE draft_rule SET further_json = $2 WHERE code = $1", rule["rule"], kept)
        await owner.execute(EMPTY)
        for statement in (*MOVING.DAYS, *MOVING.MEASURES, *MOVING.RULES, *MOVING.STANDING):
            await owner.execute(statement)
    finally:
        await owner.close()
    assert read_document(await read_draft()) == read_document(before)


def test_the_statements_hold_no_braces() -> None:
    statements = (*MOVING.DAYS, *MOVING.MEASURES, *MOVING.RULES, *MOVING.STANDING)
    assert not [statement for statement in statements if "{" in statement]
