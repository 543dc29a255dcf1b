"""The draft: documents go into rows and come out the same, whole or not at all."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.embedded import Database
from engine.finding import Refused
from engine.language import render
from rules.comparison import compare
from rules.difference_rows import BOUNDS
from rules.document import read_document, read_rulebook, write_rulebook
from rules.draft import Stale, draft_hash, findings, read_draft, write_draft
from rules.publishing import prepare
from rules.rows import put_together, take_apart
from rules.tables import DraftDays, DraftRule, Version
from rules.tree import load_yaml

STARTERS: list[Any] = [
    load_yaml(path.read_bytes())[0].raw
    for path in sorted((Path(__file__).parents[2] / "rules" / "starter").glob("*.yaml"))
]
STARTER: Any = STARTERS[0]
CASES = sorted((Path(__file__).parents[1] / "cases").glob("*.yaml"))


def rulebooks_of(path: Path) -> list[Any]:
    """The rulebooks that are written out in a file's cases."""
    raws: list[Any] = [tree.raw for tree in load_yaml(path.read_bytes())]
    written = [raw.get("rulebook") for raw in raws]
    return [raw for raw in written if isinstance(raw, dict) and "file" not in raw]


RULEBOOKS: list[Any] = [*STARTERS, *(rulebook for path in CASES for rulebook in rulebooks_of(path))]

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
EVENT_RULES = st.fixed_dictionaries(
    {"on": st.just("e"), "points": POINTS, "title": TEXTS},
    optional={
        "factors": st.lists(FACTORS, max_size=2),
        "note": TEXTS,
        "max": NUMBERS,
        "limits": st.just(["L"]),
        "times": NAMES,
    },
)


SIZES = st.decimals(min_value=0, max_value=100, places=2, allow_nan=False).map(str)
WHOLE = st.integers(1, 9).map(str)
WORDS = st.sampled_from(["序列甲", "branch", "staff"])
WITHIN = {"groups": st.lists(WORDS, min_size=1, unique=True), "per": st.sampled_from(["month", "季"])}
TESTS = st.fixed_dictionaries(
    {},
    optional={
        "all_equal": st.booleans(),
        **dict.fromkeys(BOUNDS, SIZES),
        "distinct_below": WHOLE,
    },
)
CONSEQUENCES = st.fixed_dictionaries(
    {"charge": st.sampled_from(["members", "owner", "unit"]), "points": NUMBERS}, optional={"when": TESTS}
)
DIFFERENCES = st.fixed_dictionaries(
    {
        "differentiation": st.just("total") | st.lists(st.sampled_from(["I1", "I2"]), min_size=1, unique=True),
        "among": st.sampled_from(["group", "unit"]),
    },
    optional={
        **WITHIN,
        "at_least": WHOLE,
        "undifferentiated": CONSEQUENCES,
        "differentiated": CONSEQUENCES,
        "limits": st.just(["L"]),
    },
)
PROGRESS = st.fixed_dictionaries(
    {"progress": st.sampled_from(["rank", "total"]), "points": NUMBERS},
    optional={**WITHIN, "among": st.just("group"), "max": SIZES, "both": st.just(True), "limits": st.just(["L"])},
)
VETOES = st.fixed_dictionaries(
    {"veto": st.just("total"), "on": st.just("e"), "to": SIZES},
    optional={"when": st.just("n > 1"), "charge": st.just("lead_dept"), "indicator": st.just("I1")},
)
RULES = st.one_of(EVENT_RULES, DIFFERENCES, PROGRESS, VETOES)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS).map(list), min_size=1, max_size=3)
PAIR = st.tuples(NUMBERS, NUMBERS).map(list)


def measured(method: str, parameters: Any, **beside: Any) -> Any:
    own = {"method": st.just(method)} | ({} if parameters is None else {method: parameters})
    return st.fixed_dictionaries({"on": st.just("e"), "field": NAMES, **own}, optional=beside)


MEASURES = st.one_of(
    measured("direct", None),
    measured("bands", PAIRS, **{"else": NUMBERS}),
    measured("linear", st.fixed_dictionaries({"from": PAIR, "to": PAIR})),
    measured("efficacy", st.fixed_dictionaries({"bad": NUMBERS, "good": NUMBERS})),
    measured("milestone", st.dictionaries(SIZES, NUMBERS, min_size=1, max_size=3)),
    measured("rank", st.lists(NUMBERS, min_size=1, max_size=5), order=st.sampled_from(["descending", "ascending"])),
    measured(
        "raters",
        st.fixed_dictionaries(
            {"weights": st.dictionaries(WORDS, SIZES, min_size=1)},
            optional={"missing": st.sampled_from(["renormalise", "zero"])},
        ),
    ),
)
PARTS = st.fixed_dictionaries({"weight": SIZES, "category": WORDS}, optional={"title": TEXTS})
CARDS = st.fixed_dictionaries(
    {"parts": st.lists(PARTS, min_size=1, max_size=3)},
    optional={
        "for": st.fixed_dictionaries(
            {}, optional={"kind": st.sampled_from(["unit", "person"]), "group": WORDS, "post": WORDS}
        )
    },
)
AWARDS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["unit", "person"]), "top_share": SIZES}, optional={"quota": WHOLE, "per": WORDS}
)
STANDINGS = st.fixed_dictionaries(
    {},
    optional={
        "linkage": st.dictionaries(WORDS, SIZES, min_size=1),
        "floor": SIZES,
        "tiers": st.fixed_dictionaries({"shares": st.lists(SIZES, min_size=1, max_size=3)}),
        "awards": st.lists(AWARDS, min_size=1, max_size=2).map(
            lambda awards: [{"code": f"A{at}", **award} for at, award in enumerate(awards)]
        ),
    },
)
DAYS = st.lists(st.dates(date(2026, 1, 1), date(2026, 3, 1)).map(date.isoformat), unique=True).map(sorted)


def plain(tree: Any) -> Any:
    """A tree with numbers as values and without what says nothing."""
    if isinstance(tree, dict):
        kept = {number(key): plain(item) for key, item in tree.items()}
        return {key: item for key, item in kept.items() if item not in ("", [], {})}
    if isinstance(tree, list):
        return [plain(item) for item in tree]
    return number(tree)


def number(value: Any) -> Any:
    """The number that a text says; anything else as it is."""
    try:
        return value if isinstance(value, bool) else Decimal(value)
    except (ArithmeticError, TypeError, ValueError):
        return value


@given(
    st.lists(RULES, max_size=4),
    st.dictionaries(st.sampled_from(["I1", "I2"]), MEASURES),
    st.lists(CARDS, max_size=2),
    STANDINGS,
    DAYS,
    DAYS,
)
def test_rules_of_any_shape_come_out_as_they_went_in(
    rules: Any, measures: Any, cards: Any, standing: Any, holidays: Any, workdays: Any
) -> None:
    raw: Any = {
        "rulebook": "r",
        "event_types": {"e": {"fields": {name: {"type": "decimal"} for name in ("n", "m", "级别")}}},
        "holidays": holidays,
        "workdays": workdays,
        "indicators": {code: {"full": "10", "measure": measures.get(code)} for code in ("I1", "I2")},
        "limits": {"L": {"per": "year", "max": "1"}},
        "rules": [{"rule": f"R{at}", **rule} for at, rule in enumerate(rules)],
        "scorecards": cards,
        "standing": standing,
    }
    for code in set(raw["indicators"]) - set(measures):
        del raw["indicators"][code]["measure"]
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
        ({**FULL, "rules": [{"rule": "V", "veto": "all", "on": "a"}]}, "rules[0].veto"),
        ({**FULL, "rules": [{"rule": "P", "progress": "total", "colour": "red"}]}, "rules[0].colour"),
        (
            {**FULL, "indicators": {"I": {"measure": {"on": "b", "method": "direct", "rank": ["1"]}}}},
            "indicators.I.measure.rank",
        ),
        ({**FULL, "scorecards": [{"parts": [{"weight": "much"}]}]}, "scorecards[0].parts[0].weight"),
        ({**FULL, "standing": {"awards": [{"code": "A"}, {"code": "A"}]}}, "standing.awards[1].code"),
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


def test_a_comparison_says_measures_differences_and_standing_in_words() -> None:
    changed = {
        **FULL,
        "indicators": {
            **FULL["indicators"],
            "I1": {
                "full": "8.0",
                "measure": {"on": "b", "field": "n", "method": "rank", "rank": ["8", "7"], "order": "ascending"},
            },
        },
        "rules": [
            *FULL["rules"][:6],
            {
                **FULL["rules"][6],
                "undifferentiated": {"when": {"range_below": "0.20"}, "charge": "members", "points": "-0.5"},
            },
            *FULL["rules"][7:],
        ],
        "scorecards": [{"for": {"kind": "unit"}, "parts": [{"title": "重点", "weight": "90", "category": "key"}]}],
        "standing": {"floor": "65", "linkage": {"chief": "0.5"}},
    }
    old, new = (write_rulebook(read_rulebook(raw)) for raw in (FULL, changed))
    said = [render(sentence) for change in compare(old, new) for sentence in change.sentences]
    for sentence in (
        "无差异时·条件·极差小于：0.1 → 0.2",
        "计量方法·方法：分档 → 名次",
        "计量方法·次序：设为 小的在前",
        "“重点”·权重：100 → 90",
        "保底分：60 → 65",
        "联动比例·chief：0.55 → 0.5",
    ):
        assert sentence in said, (sentence, said)


def test_days_in_a_row_are_one_row() -> None:
    days: Any = [date(2026, 10, day).isoformat() for day in (1, 2, 3, 7)]
    rows = take_apart({"rulebook": "r", "holidays": days})[DraftDays]
    assert [(row.first.day, row.last.day) for row in rows] == [(1, 3), (7, 7)]
