"""What may be set, and what is said when it is set wrongly."""

import stat
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import api.settings
from api.settings import language, read
from engine.finding import Refused
from engine.language import render

SECRET = "s" * 32
GIVEN = {"DATABASE_URL": "postgresql://app:hidden@db.example/jikao", "JIKAO_SECRET": SECRET}


def test_nothing_set_is_the_embedded_database_with_a_kept_secret(tmp_path: Path) -> None:
    first = read({"JIKAO_VAR": str(tmp_path / "var")})
    assert first.database is None
    assert (first.host, first.port, first.workers, first.approvals) == ("127.0.0.1", 8000, 1, None)
    assert first.timezone == ZoneInfo("Asia/Shanghai")
    assert len(first.secret) == 64
    assert stat.S_IMODE((tmp_path / "var" / "secret").stat().st_mode) == 0o600
    assert read({"JIKAO_VAR": str(tmp_path / "var")}).secret == first.secret
    assert read({"JIKAO_VAR": str(tmp_path / "other")}).secret != first.secret


def test_everything_set() -> None:
    settings = read(
        GIVEN
        | {
            "JIKAO_MIGRATE_URL": "postgres://owner:hidden@db.example:5433/jikao?search_path=county7",
            "JIKAO_LISTEN": "[::1]:0",
            "JIKAO_TIMEZONE": "Asia/Urumqi",
            "JIKAO_APPROVALS": "2",
            "JIKAO_MATCHER": "direct",
            "JIKAO_WORKERS": "3",
        }
    )
    assert settings.database is not None
    assert settings.database.migrate_url.endswith("search_path=county7")
    assert (settings.host, settings.port) == ("::1", 0)
    assert settings.timezone == ZoneInfo("Asia/Urumqi")
    assert (settings.approvals, settings.matcher, settings.workers) == (2, "direct", 3)


def test_a_serving_process_reads_the_same_but_for_the_owners_connection() -> None:
    settings = read(GIVEN | {"JIKAO_MIGRATE_URL": "postgresql://owner:hidden@h/jikao", "JIKAO_LISTEN": "[::1]:81"})
    again = read(settings.environment())
    assert again.database is not None
    assert again.database.migrate_url == ""
    assert again.on(settings.database) == settings if settings.database else False


def test_an_empty_setting_is_unset() -> None:
    assert read(GIVEN | {"JIKAO_WORKERS": " "}).workers == 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("JIKAO_LISTEN", "8000", "HOST:PORT"),
        ("JIKAO_LISTEN", "localhost:99999", "HOST:PORT"),
        ("JIKAO_LISTEN", "http://localhost:80", "HOST:PORT"),
        ("JIKAO_TIMEZONE", "Asia/Atlantis", "time zone"),
        ("JIKAO_TIMEZONE", "../../etc/passwd", "time zone"),
        ("JIKAO_APPROVALS", "-1", "from 0 to 9"),
        ("JIKAO_APPROVALS", "一", "from 0 to 9"),
        ("JIKAO_WORKERS", "0", "from 1 to 64"),
        ("JIKAO_MATCHER", "rete", "direct"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(name: str, value: str, expected: str) -> None:
    with pytest.raises(Refused) as refused:
        read(GIVEN | {name: value})
    (finding,) = refused.value.findings
    said = render(finding.message, "en")
    assert finding.path == name
    assert value in said
    assert expected in said
    assert "\n" not in said
    assert value in render(finding.message, "zh-CN")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://app:hidden@db/jikao"),
        ("DATABASE_URL", "postgresql://db/jikao"),
        ("DATABASE_URL", "postgresql://app:hidden@db:port/jikao"),
        ("JIKAO_MIGRATE_URL", "postgresql://owner:hidden@db"),
        ("JIKAO_SECRET", "hidden"),
    ],
)
def test_what_may_hold_a_secret_is_never_shown(name: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        read(GIVEN | {name: value})
    (finding,) = refused.value.findings
    assert finding.path == name
    assert "hidden" not in render(finding.message, "en") + render(finding.message, "zh-CN")


def test_secrets_are_not_in_the_representation() -> None:
    settings = read(GIVEN | {"JIKAO_MIGRATE_URL": "postgresql://owner:hidden@h/jikao"})
    assert SECRET not in repr(settings)
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"DATABASE_URL": GIVEN["DATABASE_URL"]}, "JIKAO_SECRET"),
        ({"JIKAO_MIGRATE_URL": GIVEN["DATABASE_URL"], "JIKAO_SECRET": SECRET}, "DATABASE_URL"),
    ],
)
def test_a_missing_setting_is_named(given: dict[str, str], missing: str) -> None:
    with pytest.raises(Refused) as refused:
        read(given)
    (finding,) = refused.value.findings
    assert finding.path == missing
    assert "is not set" in render(finding.message, "en")


def test_durable_is_refused_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.settings, "DURABLE_RUNS", False)
    assert read(GIVEN).matcher == "direct"
    with pytest.raises(Refused) as refused:
        read(GIVEN | {"JIKAO_MATCHER": "durable"})
    assert "Python 3.11" in render(refused.value.findings[0].message, "en")


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, "zh-CN"),
        ({"LANG": "C.UTF-8"}, "zh-CN"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "en_GB.UTF-8", "JIKAO_LANGUAGE": "zh-CN"}, "zh-CN"),
        ({"JIKAO_LANGUAGE": "en"}, "en"),
    ],
)
def test_the_language_of_the_command_line(environment: dict[str, str], spoken: str) -> None:
    assert language(environment) == spoken
