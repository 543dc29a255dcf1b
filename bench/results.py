"""What a run found, written down with the machine and the versions that it was found with."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("durable-rules", "zen-engine", "clipspy", "msgspec", "asyncpg")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one measurement found: a table or two, and in words whether the aim was met."""

    title: str
    command: str
    lines: tuple[str, ...]
    missed: tuple[str, ...] = ()


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]


def write(findings: Sequence[Finding], *, quick: bool) -> str:
    """All findings of one run as a page."""
    lines = [
        "# Measured",
        "",
        "Written by `make bench`: every figure is of one run on one machine; compare within a table, not between runs."
        + (" **A quick run: too short to tell anything.**" if quick else ""),
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {processor()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end. "
        + ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
        + ".",
    ]
    for finding in findings:
        lines += ["", f"## {finding.title}", "", f"`{finding.command}`", "", *finding.lines]
        lines += ["", *(f"**Missed**: {each}" for each in finding.missed)] if finding.missed else []
    return "\n".join(lines) + "\n"


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "processor unknown"
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return names[0] if names else "processor unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
