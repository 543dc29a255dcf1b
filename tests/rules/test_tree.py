"""Trees: scalars stay what was written, places know their lines, documents are bounded."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.finding import Finding, Refused
from engine.language import render
from engine.scalar import Raw
from rules.tree import dotted, dump_yaml, line_of, load, load_json, load_yaml


def refused(text: str | bytes, read: Any = load_yaml) -> Finding:
    with pytest.raises(Refused) as caught:
        read(text)
    (finding,) = caught.value.findings
    assert render(finding.message)
    assert render(finding.message, "en")
    return finding


def only(text: str) -> Any:
    (tree,) = load_yaml(text)
    return tree.raw


def test_yaml_scalars_stay_what_was_written() -> None:
    assert only(
        "on: notice\ncode: 001\nrate: 0.10\n2026-03: 2026-03-01\nyes: no\nhex: 0x1F\nold: 017\nbig: 1e3\nat: 12:30:00\n"
        "year: 2026\nbool: true\nstr: !!str 5\nquoted: 'null'\nunder: 1_000\n001: one\nnan: .nan\n"
    ) == {
        "on": "notice", "code": "001", "rate": "0.10", "2026-03": "2026-03-01", "yes": "no", "hex": "0x1F",
        "old": "017",
        "big": "1e3", "at": "12:30:00", "year": "2026", "bool": "true", "str": "5", "quoted": "null", "under": "1_000",
        "001": "one", "nan": ".nan",
    }  # fmt: skip


def test_nothing_is_written_in_four_ways() -> None:
    assert only("a:\nb: ~\nc: null\nd: NULL\ne: ''\nf: '~'\ng: !!str\n") == {
        "a": None, "b": None, "c": None, "d": None, "e": "", "f": "~", "g": "",
    }  # fmt: skip


def test_several_documents_and_their_lines() -> None:
    first, second = load_yaml(
        "# 说明\n---\na: 1\n---\nrules:\n  - {rule: K01}\n  - rule: K02\n    points:\n      by: x\n"
    )
    assert first.raw == {"a": "1"}
    assert second.raw == {"rules": [{"rule": "K01"}, {"rule": "K02", "points": {"by": "x"}}]}
    assert second.lines["rules", 0, "rule"] == 6
    assert second.lines["rules", 1, "points", "by"] == 9
    assert line_of(second.lines, ("rules", 1, "points", "on", 3)) == 8
    assert dotted(("rules", 3, "points", "by")) == "rules[3].points.by"
    assert [tree.raw for tree in load_yaml("")] == []


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "tree.twice", 3),
        ("x:\n  {b: 1, 'b': 2}\n", "tree.twice", 2),
        ("a: 1\n[1]: 2\n", "tree.key", 2),
        ("a: 1\n? {b: 1}\n: 2\n", "tree.key", 2),
        ("a: 1\n~: 2\n", "tree.key", 2),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "tree.merge", 3),
        ("a: !!int 3\n", "tree.tag", 1),
        ("a: !!python/object:os.system {}\n", "tree.tag", 1),
        ("a: *x\n", "tree.alias", 1),
        ("a: &x [1, *x]\n", "tree.alias", 1),
        ("a: [1\nb: 2\n", "tree.yaml", 2),
        ("a: 1\n\tb: 2\n", "tree.yaml", 2),
        ("a: \x07\n", "tree.yaml", None),
        ("[" * 51 + "]" * 51, "tree.deep", 1),
        ("[" * 100_000, "tree.deep", 1),
        ("- " * 100_000, "tree.deep", 1),
        ("a: &a [" + "[" * 30 + "]" * 30 + "]\nb: " + "[" * 20 + "*a" + "]" * 20, "tree.deep", 2),
    ],
)
def test_what_yaml_is_refused(text: str, key: str, line: int | None) -> None:
    finding = refused(text)
    assert (finding.message.key, finding.line) == (key, line)


def test_aliases_are_read_and_bounded() -> None:
    assert only("a: &x {b: [1]}\nc: *x\nd: &k on\n*k : 1\n") == {
        "a": {"b": ["1"]},
        "c": {"b": ["1"]},
        "d": "on",
        "on": "1",
    }
    laughs = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{after}: &{after} [" + ",".join([f"*{before}"] * 10) + "]\n"
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert refused(laughs).message.key == "tree.expanded"
    long = load_yaml("".join(f"- {{a: {place}}}\n" for place in range(20_000)))[0].raw
    assert isinstance(long, list)
    assert len(long) == 20_000


def test_fifty_levels_are_enough() -> None:
    assert only("[" * 50 + "]" * 50)
    assert load_json("[" * 50 + "]" * 50).raw


def test_json_is_exact() -> None:
    raw = load_json('{"a": 0.10, "b": 7, "c": true, "d": null, "e": "0.10", "f": [1e2], "g": "\\ud83d\\ude00"}').raw
    assert raw == {"a": Decimal("0.10"), "b": 7, "c": True, "d": None, "e": "0.10", "f": [Decimal(100)], "g": "😀"}
    assert isinstance(raw, dict)
    assert str(raw["a"]) == "0.10"
    assert load_json(b"\xef\xbb\xbf{}").raw == {}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 2}', "tree.twice"),
        ('{"x": {"a": 1, "a": 1}}', "tree.twice"),
        ('{"a": NaN}', "tree.number"),
        ('{"a": -Infinity}', "tree.number"),
        ('{"a": 1e99999999999999999999}', "tree.number"),
        ('{"a": -1e-99999999999999999999}', "tree.number"),
        ('{"a": 1e400}', "tree.number"),
        ('{"a": 0.' + "1" * 5000 + "}", "tree.number"),
        ('{"a": ' + "9" * 5000 + "}", "tree.number"),
        ("[" * 51 + "]" * 51, "tree.deep"),
        ("[" * 100_000, "tree.deep"),
        ('{"a": "\\ud800"}', "tree.surrogate"),
        ('{"\\ud800": 1}', "tree.surrogate"),
        ('{"a": 1,}', "tree.json"),
        ("", "tree.json"),
    ],
)
def test_what_json_is_refused(text: str, key: str) -> None:
    assert refused(text, load_json).message.key == key


def test_size_and_encoding() -> None:
    assert refused("a" * 5_000_001).message.key == "tree.large"
    assert refused("标题".encode("gbk")).message.key == "tree.encoding"


def test_either_language_is_told_by_its_look() -> None:
    assert load('{"a": 0.10}')[0].raw == {"a": Decimal("0.10")}
    assert load("{a: 0.10}")[0].raw == {"a": "0.10"}
    assert [tree.raw for tree in load("a: 1\n---\nb: 2\n")] == [{"a": "1"}, {"b": "2"}]
    assert refused('{"a": 1, "a": 2}', load).message.key == "tree.twice"


def test_it_reads_well() -> None:
    raw: Raw = {
        "rulebook": "county", "joint": {"depth": "2", "basis": "nominal"},
        "limits": {"award-year": {"title": "表彰加分年度封顶", "max": "3.00"}},
        "rules": [
            {"rule": "K15", "on": "task", "when": 'level == "city"', "note": "一\n二",
             "points": {"field": "late", "progressive": [["3", "-0.10"], [None, "-0.30"]]}, "limits": ["award-year"]},
        ],
        "scorecards": [],
    }  # fmt: skip
    assert (
        dump_yaml(raw)
        == """\
rulebook: county
joint: {depth: 2, basis: nominal}
limits:
  award-year: {title: 表彰加分年度封顶, max: 3.00}
rules:
  - rule: K15
    on: task
    when: level == "city"
    note: |-
      一
      二
    points: {field: late, progressive: [[3, -0.10], [null, -0.30]]}
    limits: [award-year]
scorecards: []
"""
    )


def test_numbers_are_dumped_with_the_digits_that_they_have() -> None:
    assert dump_yaml({"depth": 2, "share": Decimal("0.30"), "whole": Decimal("1E+2"), "on": True}) == (
        "depth: 2\nshare: 0.30\nwhole: 100\non: true\n"
    )


scalars = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["on", "001", "~", "null", "<<", "="])
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.just("<<"), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(trees, min_size=1, max_size=3))
def test_what_is_dumped_reads_the_same(raws: list[Any]) -> None:
    assert [tree.raw for tree in load_yaml(dump_yaml(*raws))] == raws
