"""The draft: documents go into rows and come out the same, whole or not at all."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.embedded import Database
from engine.finding import Refused
from rules.comparison import compare
from rules.document import read_document, read_rulebook, write_rulebook
from rules.draft import Stale, draft_hash, findings, read_draft, write_draft
from rules.publishing import prepare
from rules.rows import put_together, take_apart
from rules.tables import DraftRule, Version
from rules.tree import load_yaml

STARTER: Any = load_yaml((Path(__file__).parents[2] / "rules" / "starter" / "county.yaml").read_bytes())[0].raw
CASES = sorted((Path(__file__).parents[1] / "cases").glob("*.yaml"))


def rulebooks_of(path: Path) -> list[Any]:
    """The rulebooks that are written out in a file's cases."""
    raws: list[Any] = [tree.raw for tree in load_yaml(path.read_bytes())]
    written = [raw.get("rulebook") for raw in raws]
    return [raw for raw in written if isinstance(raw, dict) and "file" not in raw]


RULEBOOKS: list[Any] = [STARTER, *(rulebook for path in CASES for rulebook in rulebooks_of(path))]

FULL: Any = {
    "rulebook": "全",
    "title": "各种写法",
    "effective": "2026-01-01T00:00:00+08:00",
    "base": "99.50",
    "joint": {"depth": "3", "basis": "posted"},
    "late": "refuse",
    "holidays": ["2026-10-01"],
    "workdays": ["2026-10-10"],
    "event_types": {
        "b": {"title": "后", "fields": {"n": {"type": "decimal"}, "ok": {"type": "boolean", "required": "true"}}},
        "a": {
            "fields": {
                "level": {"type": "choice", "choices": {"z": "甲", "y": "乙"}},
                "many": {"type": "choices", "choices": {"1": "一", "2": "二"}},
                "due": {"type": "date"},
                "done": {"type": "date"},
                "late": {"type": "integer", "days_late": {"due": "due", "done": "done", "calendar": "working"}},
            }
        },
    },
    "indicators": {
        "I2": {"full": "10", "owner": "D", "category": "key", "overdraw": "true"},
        "I1": {
            "full": "8.0",
            "measure": {"on": "b", "field": "n", "method": "bands", "bands": [["9", "8"]], "else": "0"},
        },
    },
    "limits": {"L": {"per": "year", "max": "3.00", "sign": "bonus", "title": "封顶"}},
    "rules": [
        {"rule": "R1", "on": "a", "when": 'level == "z"',
         "points": {"field": "level", "table": {"z": "-2", "y": "0.10"}},
         "matter": "highest", "limits": ["L"], "indicator": "I2", "max": "1.50", "charge": "lead_dept"},
        {"rule": "R2", "on": "a", "points": {"field": "late", "progressive": [["3", "-0.1"], [None, "-0.2"]]},
         "enabled": "false"},
        {"rule": "R3", "on": "b", "points": {"field": "n", "bands": [["98.6", "10"], ["97", "8"]], "else": "0"},
         "times": "n",
         "factors": [{"title": "难度", "field": "n"}, {"when": "ok", "by": "0.5"},
                     {"repeat": {"within_days": "90", "same": ["n"]}, "by": "2"},
                     {"field": "n", "table": {"1": "1.5", "2": "1"}}]},
        {"rule": "R4", "on": "b", "points": {"field": "n", "share": "2"}},
        {"rule": "J1", "joint": "lead_dept", "of": ["R3", "R1"],
         "sign": "deduction", "share": "0.30", "split": "pro_rata", "limits": ["L"]},
        {"rule": "J2", "joint": "principal", "points": "0.10"},
        {"rule": "D1", "differentiation": ["I1"], "among": "group", "groups": ["g"],
         "undifferentiated": {"when": {"range_below": "0.10"}, "charge": "members", "points": "-0.5"}, "limits": ["L"]},
        {"rule": "P1", "progress": "rank", "among": "group", "points": "0.2", "max": "0.6"},
        {"rule": "V1", "veto": "total", "on": "b", "when": "ok", "charge": "subject", "to": "60"},
    ],
    "scorecards": [{"for": {"kind": "unit"}, "parts": [{"title": "重点", "weight": "100", "category": "key"}]}],
    "standing": {"floor": "60", "linkage": {"chief": "0.55"}},
}  # fmt: skip


@pytest.mark.parametrize("raw", [*RULEBOOKS, FULL], ids=lambda raw: raw["rulebook"])
def test_a_document_comes_out_as_it_went_in(raw: Any) -> None:
    out = put_together(take_apart(raw))
    assert read_document(out) == read_document(raw)
    assert put_together(take_apart(out)) == out
    for section in ("event_types", "indicators", "limits"):
        assert list(out.get(section, {})) == list(raw.get(section) or {})  # type: ignore[arg-type]


NUMBERS = st.decimals(min_value=-1000, max_value=1000, places=2, allow_nan=False).map(str)
NAMES = st.sampled_from(["n", "m", "级别"])
POINTS = st.one_of(
    NUMBERS,
    st.fixed_dictionaries({"field": NAMES, "table": st.dictionaries(NUMBERS, NUMBERS, min_size=1, max_size=3)}),
    st.fixed_dictionaries(
        {"field": NAMES, "bands": st.lists(st.tuples(NUMBERS, NUMBERS).map(list), min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries(
        {
            "field": NAMES,
            "progressive": st.lists(st.tuples(st.none() | NUMBERS, NUMBERS).map(list), min_size=1, max_size=3),
        }
    ),
    st.fixed_dictionaries({"field": NAMES, "share": NUMBERS}),
)
TEXTS = st.text("文a '\"\\\n{}<", max_size=8)
REPEATS = st.fixed_dictionaries({"within_days": st.just("9"), "same": st.lists(NAMES, min_size=1, unique=True)})
FACTORS = st.one_of(
    st.fixed_dictionaries({"title": TEXTS, "when": st.just("n > 1"), "by": NUMBERS}),
    st.fixed_dictionaries({"field": NAMES, "table": st.dictionaries(NUMBERS, NUMBERS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"repeat": REPEATS, "by": NUMBERS}),
)  # fmt: skip
RULES = st.fixed_dictionaries(
    {"on": st.just("e"), "points": POINTS, "title": TEXTS},
    optional={
        "factors": st.lists(FACTORS, max_size=2),
        "note": TEXTS,
        "max": NUMBERS,
        "limits": st.just(["L"]),
        "times": NAMES,
    },
)


def plain(tree: Any) -> Any:
    """A tree with numbers as values and without what says nothing."""
    if isinstance(tree, dict):
        return {key: plain(item) for key, item in tree.items() if item not in ("", [], {})}
    if isinstance(tree, list):
        return [plain(item) for item in tree]
    try:
        return Decimal(tree)
    except (ArithmeticError, TypeError, ValueError):
        return tree


@given(st.lists(RULES, max_size=4))
def test_rules_of_any_shape_come_out_as_they_went_in(rules: Any) -> None:
    raw: Any = {
        "rulebook": "r",
        "event_types": {"e": {"fields": {name: {"type": "decimal"} for name in ("n", "m", "级别")}}},
        "limits": {"L": {"per": "year", "max": "1"}},
        "rules": [{"rule": f"R{at}", **rule} for at, rule in enumerate(rules)],
    }
    assert plain(put_together(take_apart(raw))) == plain(raw)


@pytest.mark.anyio
async def test_the_database_keeps_a_document_whole(pool: Database) -> None:
    assert await read_draft() == {}
    hashed = await write_draft(FULL)
    assert read_document(await read_draft()) == read_document(FULL)
    assert await draft_hash() == hashed
    assert [finding for finding in findings(await read_draft()) if finding.level == "error"] == []


@pytest.mark.anyio
async def test_a_document_that_cannot_be_held_changes_nothing(pool: Database) -> None:
    hashed = await write_draft(STARTER)
    wrongs: list[tuple[Any, str]] = [
        ({**FULL, "colour": "red"}, "colour"),
        ({**FULL, "base": "many"}, "base"),
        ({**FULL, "rules": [{"rule": "R", "on": "nowhere"}]}, "rules[0].on"),
        ({**FULL, "rules": [{"rule": "R", "on": "a"}, {"rule": "R", "on": "a"}]}, "rules[1].rule"),
        (["no", "mapping"], ""),
    ]
    for wrong, path in wrongs:
        with pytest.raises(Refused) as refused:
            await write_draft(wrong)
        assert path in [finding.path for finding in refused.value.findings]
    assert await draft_hash() == hashed


@pytest.mark.anyio
async def test_a_draft_that_was_changed_meanwhile_is_not_overwritten_or_published(pool: Database) -> None:
    first = await write_draft(STARTER)
    second = await write_draft(FULL, replacing=first)
    with pytest.raises(Stale):
        await write_draft(STARTER, replacing=first)
    assert await draft_hash() == second
    effective = read_rulebook(FULL).effective
    with pytest.raises(Stale):
        await prepare(first, effective)
    assert (await prepare(second, effective)).rulebook == read_rulebook(FULL)


@pytest.mark.anyio
async def test_rows_get_fresh_ids_so_that_an_old_page_cannot_save_over_a_new_row(pool: Database) -> None:
    await write_draft(STARTER)
    before = set(await DraftRule.select(DraftRule.id).output(as_list=True))
    await write_draft(STARTER)
    after = set(await DraftRule.select(DraftRule.id).output(as_list=True))
    assert not before & after
    await DraftRule(code="one-more").save()


@pytest.mark.anyio
async def test_the_database_itself_refuses_to_change_a_version(pool: Database) -> None:
    at = read_rulebook(FULL).effective
    await Version(number=1, rulebook="r", effective=at, document="{}", hash="h", published_at=at).save()
    for statement in ("DELETE FROM rulebook_version", "UPDATE rulebook_version SET note = 'x'"):
        with pytest.raises(Exception, match=r"never changed|permission denied"):
            await Version.raw(statement)
    assert await Version.count() == 1


def test_a_comparison_says_each_field_that_differs() -> None:
    old = write_rulebook(read_rulebook(FULL))
    new = write_rulebook(
        read_rulebook(
            {
                **FULL,
                "base": "100",
                "rules": [
                    {**FULL["rules"][0], "max": "2.00"},
                    *FULL["rules"][2:],
                    {"rule": "N", "on": "a", "points": "1"},
                ],
            }
        )
    )
    said = [(change.section, change.kind, change.code, len(change.sentences)) for change in compare(old, new)]
    assert said == [
        ("settings", "changed", "", 1),
        ("rules", "changed", "R1", 1),
        ("rules", "added", "N", 0),
        ("rules", "removed", "R2", 0),
    ]
    assert compare(old, old) == ()
