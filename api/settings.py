"""The settings (设置), read once from the environment. A bad one stops the start with one clear line."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from api.embedded import Database, write_private
from engine.finding import Finding, Refused
from engine.language import DEFAULT, Language, message

Matcher = Literal["durable", "direct"]
"""``durable``: every live event goes through both matchers. ``direct``: through ours alone."""

DURABLE_RUNS = sys.version_info < (3, 13)

TIMEZONE = ZoneInfo("Asia/Shanghai")

_SECRET = 32

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this instance runs."""

    database: Database | None = None
    """None: the embedded PostgreSQL. Its ``migrate_url`` is empty where no owner's connection was given."""
    host: str = "127.0.0.1"
    port: int = 8000
    """0: any free one."""
    timezone: ZoneInfo = TIMEZONE
    approvals: int | None = None
    """Second persons that a publication needs; None: as the instance has it (1; 0 in a demonstration)."""
    matcher: Matcher = "durable" if DURABLE_RUNS else "direct"
    workers: int = 1
    secret: str = field(repr=False)
    """What sessions and tokens are keyed with."""
    var: Path = Path("var")
    """The folder of everything that we keep on disk."""
    embedded: bool = False
    """The database is our own, in ``var``."""

    def on(self, database: Database, *, embedded: bool = False) -> "Settings":
        """The same, on this database."""
        return replace(self, database=database, embedded=embedded)

    def environment(self) -> Mapping[str, str]:
        """The environment in which a serving process reads the same settings, less the owner's connection."""
        told = {
            "JIKAO_LISTEN": f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}",
            "JIKAO_TIMEZONE": self.timezone.key,
            "JIKAO_APPROVALS": "" if self.approvals is None else str(self.approvals),
            "JIKAO_MATCHER": self.matcher,
            "JIKAO_WORKERS": str(self.workers),
            "JIKAO_SECRET": self.secret,
            "JIKAO_VAR": str(self.var),
            "JIKAO_MIGRATE_URL": "",
        }
        if self.database is not None:
            told["DATABASE_URL"] = self.database.url
        return told


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in an environment. An empty one counts as unset.

    Without ``DATABASE_URL`` and ``JIKAO_SECRET`` a secret is made once and kept in the ``var`` folder.

    Raises:
        Refused: a setting is bad; its path is the setting's name. A secret is never shown.
    """
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    database = _database(given)
    host, port = _value(given, "JIKAO_LISTEN", _address, "listen", ("127.0.0.1", 8000))
    var = Path(given.get("JIKAO_VAR", "var")).absolute()
    return Settings(
        database=database,
        host=host,
        port=port,
        timezone=_value(given, "JIKAO_TIMEZONE", ZoneInfo, "timezone", TIMEZONE),
        approvals=_value(given, "JIKAO_APPROVALS", lambda text: _whole(text, 0, 9), "approvals", None),
        matcher=_value(
            given,
            "JIKAO_MATCHER",
            _matcher,
            "matcher" if DURABLE_RUNS else "matcher_here",
            "durable" if DURABLE_RUNS else "direct",
        ),
        workers=_value(given, "JIKAO_WORKERS", lambda text: _whole(text, 1, 64), "workers", 1),
        secret=_secret(given, var),
        var=var,
    )


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the command line: ``JIKAO_LANGUAGE``, else English where the system speaks it, else Chinese."""
    asked = environment.get("JIKAO_LANGUAGE", "").strip()
    if asked:
        if asked not in ("zh-CN", "en"):
            raise _wrong("JIKAO_LANGUAGE", asked, "language")
        return "en" if asked == "en" else "zh-CN"
    spoken = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "en" if spoken.startswith("en") else DEFAULT


def _value(given: Mapping[str, str], name: str, parse: Callable[[str], _T], expected: str, default: _T) -> _T:
    """One setting, parsed, or its default."""
    text = given.get(name)
    if text is None:
        return default
    try:
        return parse(text)
    except (ValueError, KeyError, OSError) as error:
        raise _wrong(name, text, expected) from error


def _wrong(name: str, given: str, expected: str) -> Refused:
    wanted = message(f"setting.expected.{expected}")
    return Refused(Finding(path=name, message=message("setting.wrong", given=given, expected=wanted)))


def _hidden(name: str, expected: str) -> Refused:
    """As :func:`_wrong`, of a setting that may hold a secret."""
    wanted = message(f"setting.expected.{expected}")
    return Refused(Finding(path=name, message=message("setting.wrong_secret", expected=wanted)))


def _missing(name: str, expected: str) -> Refused:
    wanted = message(f"setting.expected.{expected}")
    return Refused(Finding(path=name, message=message("setting.missing", expected=wanted)))


def _database(given: Mapping[str, str]) -> Database | None:
    """The two connections."""
    urls = {name: given.get(name, "") for name in ("DATABASE_URL", "JIKAO_MIGRATE_URL")}
    for name, url in urls.items():
        if url:
            try:
                parts = urlsplit(url)
                fits = parts.scheme in ("postgresql", "postgres") and bool(parts.username) and len(parts.path) > 1
                fits = fits and parts.port != 0
            except ValueError:
                fits = False
            if not fits:
                raise _hidden(name, "url")
    if not urls["DATABASE_URL"]:
        if urls["JIKAO_MIGRATE_URL"]:
            raise _missing("DATABASE_URL", "url")
        return None
    return Database(url=urls["DATABASE_URL"], migrate_url=urls["JIKAO_MIGRATE_URL"])


def _address(text: str) -> tuple[str, int]:
    """``host:port``; an IPv6 host stands in brackets."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None or parts.path or parts.query or parts.username is not None:
        raise ValueError(text)
    return parts.hostname, parts.port


def _whole(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(text)
    return int(text)


def _matcher(text: str) -> Matcher:
    if text == "direct":
        return "direct"
    if text == "durable" and DURABLE_RUNS:
        return "durable"
    raise ValueError(text)


def _secret(given: Mapping[str, str], var: Path) -> str:
    """The secret that was given; for the embedded database, else the one kept in the folder, made on first use."""
    if "JIKAO_SECRET" in given:
        if len(given["JIKAO_SECRET"]) < _SECRET:
            raise _hidden("JIKAO_SECRET", "secret")
        return given["JIKAO_SECRET"]
    if "DATABASE_URL" in given:
        raise _missing("JIKAO_SECRET", "secret")
    path = var / "secret"
    try:
        var.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_private(path, secrets.token_hex(_SECRET))
        kept = path.read_text().strip()
    except OSError as error:
        raise Refused(Finding(path=str(path), message=message("setting.folder", reason=error.strerror))) from error
    if len(kept) < _SECRET:
        raise _hidden(str(path), "secret")
    return kept
