"""A rulebook through a workbook and back is the same rulebook; what is wrong in one is told at its row."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.language import Language, render
from engine.rulebook import Fixed
from engine.scalar import Raw
from rules.document import read_document, read_rulebook, write_rulebook
from rules.exchange import read_rulebook_file
from rules.fault import Faulty
from rules.form import label_of, names_of, title_of
from rules.roster_sheets import ROSTER_FORMS
from rules.rulebook_filled import read_rulebook_sheets
from rules.rulebook_forms import FORMS
from rules.rulebook_sheets import write_rulebook_sheets
from rules.tree import load_yaml
from rules.workbook import Cell, Sheet, read_workbook, write_workbook
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
def test_a_rulebook_comes_back_the_same(raw: Any) -> None:
    language: Language = "en" if len(str(raw)) % 2 else "zh-CN"
    document = read_document(raw)
    canonical = write_rulebook(document.rulebook) | {"cases": list(document.cases)}
    came = read_document(through(canonical, language))
    assert write_rulebook(came.rulebook) == write_rulebook(document.rulebook)
    assert list(write_rulebook(came.rulebook)) == list(write_rulebook(document.rulebook))
    assert came.cases == document.cases


ODD_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('=+-@"[]、,， \n\t_x000D_'),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
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


def test_a_rulebook_comes_back_as_it_was_written_with_defaults_spelled_out() -> None:
    for param in WRITTEN[:3]:
        raw: Any = param.values[0]
        assert write_rulebook(read_rulebook(through(raw))) == write_rulebook(read_rulebook(raw))


SMALL: dict[str, Any] = {
    "rulebook": "small",
    "effective": "2026-01-01T00:00:00+08:00",
    "event_types": {"notice": {"fields": {"level": {"type": "choice", "choices": {"city": "市局"}},
                                          "late": {"type": "integer"}}}},
    "indicators": {"I1": {"measure": {"on": "notice", "field": "late", "method": "bands", "bands": [["1", "2"]]}}},
    "limits": {"L1": {"per": "month", "max": "3.00"}},
    "rules": [
        {"rule": "R1", "on": "notice", "points": {"field": "late", "bands": [["5", "-1.00"]]},
         "factors": [{"by": "2", "when": "late > 1"}, {"field": "level", "table": {"city": "2"}}]},
        {"rule": "R2", "on": "notice", "points": "-0.50"},
        {"rule": "J1", "joint": "lead_dept", "share": "0.3"},
        {"rule": "D1", "differentiation": ["I1"], "among": "group",
         "undifferentiated": {"when": {"all_equal": True}, "charge": "members", "points": "-1.00"}},
        {"rule": "P1", "progress": "rank", "points": "0.10"},
        {"rule": "V1", "veto": "total", "on": "notice", "to": "60"},
    ],
    "scorecards": [{"parts": [{"weight": "70", "category": "a"}, {"weight": "30", "category": "b"}]}],
    "standing": {"linkage": {"chief": "0.5"}, "tiers": {"shares": ["50", "50"]}},
    "cases": [{"case": "x"}],
}  # fmt: skip


def faults(*edits: tuple[str, str, Cell], more: tuple[Sheet, ...] = ()) -> list[tuple[str, str, str]]:
    """What is wrong with the small rulebook once these cells are changed: (sheet, cell, message)."""
    sheets = []
    for sheet in write_rulebook_sheets(SMALL, "zh-CN"):
        rows, columns = [list(row) for row in sheet.rows], list(sheet.columns)
        for _, cell, value in (edit for edit in edits if edit[0] == sheet.title):
            column, row = ord(cell[0]) - 65, int(cell[1:]) - 2
            while len(rows) <= row:
                rows.append([None] * len(columns))
            while len(columns) <= column:
                columns.append("")
            if row < 0:
                columns[column] = str(value)
                continue
            rows[row] += [None] * (column + 1 - len(rows[row]))
            rows[row][column] = value
        sheets.append(Sheet(title=sheet.title, columns=tuple(columns), rows=tuple(tuple(row) for row in rows)))
    try:
        read_rulebook_file(write_workbook([*sheets, *more]), "xlsx", datetime(2026, 1, 1, tzinfo=UTC))
    except Faulty as faulty:
        for fault in faulty.faults:
            assert render(fault.said, "zh-CN") != render(fault.said, "en")
        return [(fault.sheet, fault.cell, fault.said.key) for fault in faulty.faults if not fault.odd]
    return []


def test_the_small_rulebook_is_right() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        # what stands in a cell
        ([("规则", "D2", "也许")], [("规则", "D2", "sheet.boolean")]),
        ([("规则", "H3", "随便")], [("规则", "H3", "sheet.option")]),
        ([("规则", "I3", "一分")], [("规则", "I3", "scalar.number")]),
        ([("规则", "I3", date(2026, 1, 1))], [("规则", "I3", "scalar.number")]),
        ([("规则", "B3", date(2026, 1, 1))], [("规则", "B3", "sheet.date_in_text")]),
        ([("规则", "B3", Decimal("1.10"))], [("规则", "B3", "sheet.number_in_text")]),
        ([("规则", "B3", "a b")], [("规则", "B3", "scalar.code")]),
        ([("规则", "F3", "level ==")], [("规则", "F3", "condition.value-expected")]),
        ([("规则", "Q3", "没有")], [("规则", "Q3", "document.undefined")]),
        ([("规则", "E3", None)], [("规则", "E3", "sheet.missing")]),
        ([("规则", "B3", None)], [("规则", "B3", "sheet.missing")]),
        ([("规则", "B3", "R1")], [("规则", "B3", "document.twice")]),
        ([("规则", "B3", "J1")], [("连带规则", "B2", "document.twice")]),
        ([("规则", "A3", "一")], [("规则", "A3", "scalar.integer")]),
        ([("规则", "J3", "late")], [("规则", "J3", "sheet.unused")]),
        ([("规则", "H3", None), ("规则", "I3", None), ("规则", "J3", "late")],
         [("规则", "J3", "sheet.no_kind"), ("规则", "I3", "document.missing")]),
        ([("字段", "D2", None)], [("字段", "D2", "document.missing")]),
        ([("封顶", "E2", -1)], [("封顶", "E2", "document.size")]),
        ([("联动", "B2", 2)], [("联动", "B2", "rule.ratio")]),
        ([("计分卡", "F3", 0)], [("计分卡", "F3", "document.positive")]),
        ([("设置", "B2", None)], [("", "", "document.missing")]),
        ([("设置", "A2", "别的")], [("设置", "A2", "sheet.option"), ("", "", "document.missing")]),
        ([("设置", "B4", "昨天")], [("设置", "B4", "scalar.instant")]),
        ([("节假日与调休", "A2", "昨天"), ("节假日与调休", "B2", "放假")], [("节假日与调休", "A2", "scalar.day")]),
        ([("用例", "B2", "a: [")], [("用例", "B2", "sheet.case_line")]),
        ([("用例", "A2", 0)], [("用例", "A2", "sheet.numbered")]),
        # what a row belongs to
        ([("字段", "A2", "别的")], [("字段", "A2", "sheet.no_parent")]),
        ([("字段", "B3", "level")], [("字段", "B3", "document.twice")]),
        ([("选项", "B2", "late2")], [("选项", "B2", "sheet.no_parent")]),
        ([("选项", "A3", "notice"), ("选项", "B3", "level"), ("选项", "C3", "city")],
         [("选项", "C3", "document.twice")]),
        ([("分值档", "A2", "R9")], [("分值档", "A2", "sheet.no_parent")]),
        ([("分值档", "A3", "R2"), ("分值档", "C3", 1)], [("分值档", "A3", "sheet.no_steps")]),
        ([("计量档", "A2", "I9")], [("计量档", "A2", "sheet.no_parent")]),
        ([("计量档", "B2", "高")], [("计量档", "B2", "scalar.number")]),
        ([("指标", "G2", "线性")], [("计量档", "", "sheet.two_steps")]),
        ([("指标", "G2", "功效系数")], [("计量档", "A2", "sheet.no_steps")]),
        ([("系数", "B3", 1)], [("系数", "B3", "document.twice")]),
        ([("系数档", "B2", 9)], [("系数档", "B2", "sheet.no_factor")]),
        ([("系数档", "C2", "local")], [("系数档", "C2", "report.choice")]),
        ([("差异结果", "A2", "D9")], [("差异结果", "A2", "sheet.no_parent")]),
        ([("差异结果", "B2", None)], [("差异结果", "B2", "sheet.missing")]),
        ([("差异规则", "E2", "I9")], [("差异规则", "E2", "document.undefined")]),
        ([("连带规则", "E2", None)], [("连带规则", "E2", "sheet.missing")]),
        ([("连带规则", "F2", "R1、R9")], [("连带规则", "F2", "document.undefined")]),
        ([("否决规则", "H2", None)], [("否决规则", "H2", "document.missing")]),
        ([("计分卡", "A3", "二")], [("计分卡", "A3", "scalar.integer")]),
        ([("计分卡", "C3", "别的")], [("计分卡", "C3", "sheet.another_card")]),
        # columns
        ([("规则", "T1", "我的列")], [("规则", "T1", "sheet.unknown_column")]),
        ([("规则", "C1", "代码")], [("规则", "C1", "sheet.column_twice")]),
    ],
)  # fmt: skip
def test_every_fault_is_at_its_cell(edits: list[tuple[str, str, Cell]], found: list[tuple[str, str, str]]) -> None:
    told = faults(*edits)
    assert set(found) <= set(told), told


def test_sheets_that_are_unknown_missing_or_there_twice_are_said() -> None:
    unknown = Sheet(title="我的表", columns=("甲",), rows=(("乙",),))
    assert faults(more=(unknown,)) == [("我的表", "", "sheet.unknown_sheet")]
    assert faults(more=(Sheet(title="Rules", columns=("代码",), rows=(("R7",),)),)) == [("Rules", "", "sheet.twice")]
    empty = write_workbook([Sheet(title="说明", columns=("甲",), rows=())])
    with pytest.raises(Faulty) as caught:
        read_rulebook_file(empty, "xlsx", datetime(2026, 1, 1, tzinfo=UTC))
    assert [fault.said.key for fault in caught.value.faults] == ["sheet.empty"]


def test_columns_stand_in_any_order_in_either_language_and_may_be_left_out() -> None:
    sheets = [
        Sheet(title="settings", columns=("值", "Item"), rows=(("a", "rulebook"), ("2026-01-01 08:30", "生效时间"))),
        Sheet(title="Event types", columns=("code",), rows=(("notice",),)),
        Sheet(title="规则", columns=("Points", " 代码 ", "Event type"),
              rows=((-1, "R1", "notice"), ("－０．５", "R2", "notice"))),
        Sheet(title="否决规则", columns=("代码", "序号", "事件类型", "总分不超过"), rows=(("V1", 1, "notice", "60"),)),
        Sheet(title="节假日与调休", columns=("日期", "放假或上班"),
              rows=((date(2026, 10, 1), "放假"), ("2026年10月10日", "worked"))),
    ]  # fmt: skip
    read = read_rulebook_file(write_workbook(sheets), "xlsx", datetime(2026, 1, 1, tzinfo=UTC)).rulebook
    assert [rule.code for rule in read.rules] == ["V1", "R1", "R2"]
    assert read.effective == datetime.fromisoformat("2026-01-01T08:30:00+08:00")
    assert sorted(read.holidays | read.workdays) == [date(2026, 10, 1), date(2026, 10, 10)]
    assert [getattr(rule, "points", None) for rule in read.rules][1:] == [Fixed(Decimal(-1)), Fixed(Decimal("-0.5"))]


def test_every_title_and_choice_is_told_apart() -> None:
    for form in (*FORMS, *ROSTER_FORMS):
        names = [names_of(title_of(column), column.key) for column in form.columns]
        assert sum(map(len, names)) == len(set().union(*names)), form.name
        for column in form.columns:
            options = [names_of(label_of(column, option), option) for option in column.options]
            assert sum(map(len, options)) == len(set().union(*options, set())), column.key
    titles = [names_of(form.title, form.name) for form in (*FORMS, *ROSTER_FORMS)]
    assert sum(map(len, titles)) == len(set().union(*titles))


def test_an_empty_workbook_is_one_to_fill_in() -> None:
    for language in ("zh-CN", "en"):
        sheets = write_rulebook_sheets({}, language)
        assert [sheet.title for sheet in sheets][:2] == [["说明", "设置"], ["Guide", "Settings"]][language == "en"]
        assert all(sheet.hints[0].note for sheet in sheets[1:])
    assert through({}) == {}
