"""``jikao check`` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.commands.check import check

ROOT = Path(__file__).parents[2]
PUBLIC = sorted((ROOT / "tests" / "cases").glob("0[123]-*.yaml"))
STARTER = ROOT / "rules" / "starter" / "county.yaml"

WRONG = """
case: 预期写错
rulebook:
  rulebook: notice
  effective: 2026-01-01T00:00:00+08:00
  event_types: {notice: {title: 通报, fields: {}}}
  limits: {idle: {per: month, max: 1}}
  rules: [{rule: R1, title: 通报, on: notice, points: -0.50}]
subjects: [{code: U1, kind: unit, group: g}]
periods: [{code: 2026-03, from: 2026-03-01, to: 2026-04-01, kind: month}]
steps:
  - event: {id: E1, type: notice, subject: U1, time: 2026-03-02T09:00:00+08:00}
  - expect: {totals: {U1: 99.00}}
"""
RIGHT = WRONG.replace("预期写错", "预期写对").replace("99.00", "99.50")


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIKAO_LANGUAGE", "zh-CN")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(check, [str(each) for each in arguments], standalone_mode=False)


def test_the_public_cases_hold_one_line_each() -> None:
    result = run(*PUBLIC)
    assert result.return_value == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 11
    assert all(line.startswith("✓ ") for line in lines)
    assert "连带链：深度二、每事件封顶" in result.stdout


def test_a_rulebook_runs_its_own_cases() -> None:
    result = run(STARTER)
    assert (result.return_value, len(result.stdout.splitlines())) == (0, 48)


def test_a_wrong_expectation_shows_both_values(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(f"{WRONG}---\n{RIGHT}", encoding="utf-8")
    result = run(file)
    assert result.return_value == 1
    assert result.stdout.splitlines() == [
        "✗ 预期写错",
        "    第 2 步 2026-03 U1 总分：预期 99.00，实际 99.50",
        f"! {file}:7 rulebook.limits.idle: 没有规则使用封顶“idle”",
        "✓ 预期写对",
        f"! {file}:21 rulebook.limits.idle: 没有规则使用封顶“idle”",
    ]


def test_a_document_that_is_wrong_shows_line_and_path_and_the_others_run(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(f"{RIGHT.replace('points: -0.50', 'points: minus')}---\n{RIGHT}", encoding="utf-8")
    result = run(file)
    assert result.return_value == 1
    assert f"✗ {file}:8 rulebook.rules[0].points: " in result.stdout
    assert "✓ 预期写对" in result.stdout


def test_a_file_that_cannot_be_read_fails_and_the_others_run(tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere.yaml", PUBLIC[0])
    assert result.return_value == 1
    assert "nowhere.yaml" in result.stdout
    assert result.stdout.count("✓") == 3
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing\n")
    assert run(empty).return_value == 1


def test_in_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JIKAO_LANGUAGE", "en")
    file = tmp_path / "cases.yaml"
    file.write_text(WRONG, encoding="utf-8")
    assert "    step 2: 2026-03 U1 total: expected 99.00, actual 99.50" in run(file).stdout


def test_for_machines(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(f"{WRONG}---\n{RIGHT}", encoding="utf-8")
    result = run("--json", file)
    answer = json.loads(result.stdout)
    assert (result.return_value, answer["holds"]) == (1, False)
    wrong, right = answer["documents"]
    assert wrong["findings"][0] | {"message": ""} == {
        "level": "warning", "path": "rulebook.limits.idle", "line": 7, "column": None, "message": "",
    }  # fmt: skip
    assert wrong["cases"] == [
        {
            "case": "预期写错",
            "holds": False,
            "mismatches": [{"step": 2, "what": "2026-03 U1 总分", "expected": "99.00", "actual": "99.50"}],
        }
    ]
    assert right["cases"] == [{"case": "预期写对", "holds": True, "mismatches": []}]


def test_the_public_cases_hold_over_http() -> None:
    result = run("--http", *PUBLIC)
    assert (result.return_value, result.stdout.count("✓ "), result.stdout.count("✗")) == (0, 11, 0), result.stdout


@pytest.mark.slow
def test_every_other_case_holds_over_http() -> None:
    result = run("--http", *sorted(set((ROOT / "tests" / "cases").glob("*.yaml")) - set(PUBLIC)))
    assert result.stdout.count("✓ ") > 40
    assert (result.return_value, result.stdout.count("✗")) == (0, 0), result.stdout


def test_what_differs_over_http_is_told_alike(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    unknown = RIGHT.replace("- expect:", "- retract: {id: E7}\n  - expect:")
    file.write_text(f"{WRONG}---\n{RIGHT.replace('{id: E1,', '{id: E/1,')}---\n{unknown}", encoding="utf-8")
    result = run("--http", file)
    assert result.return_value == 1
    lines = [line for line in result.stdout.splitlines() if not line.startswith("! ")]
    assert lines[:4] == [
        "✗ 预期写错",
        "    第 2 步 2026-03 U1 总分：预期 99.00，实际 99.50",
        "✗ 预期写对",
        "    第 2 步 2026-03 U1 总分：预期 99.50，实际 100.00",
    ]
    assert lines[4] == "✗ 预期写对"
    assert lines[5].startswith("    第 2 步 撤销：预期 完成，实际 不予受理：")
    assert "404" in lines[5]
    assert len(lines) == 6
