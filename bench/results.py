"""What a run found, written down with the machine and the versions that it was found with."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
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


def write(findings: Sequence[Finding], before: str = "") -> str:
    """Findings as a page, each in a section of its own; of what was measured ``before``, the other sections stay."""
    sections = dict(_sections(before))
    sections |= {finding.title: _section(finding) for finding in findings}
    head = (
        "# Measured",
        "",
        "Written by `make bench`, or by `python -m bench NAME …` for some sections: every figure is of one run on one "
        "machine; compare within a table, not between runs.",
    )
    return "\n".join(head) + "\n\n" + "\n".join(sections.values())


def _sections(page: str) -> Iterator[tuple[str, str]]:
    for section in page.split("\n## ")[1:]:
        yield section.partition("\n")[0], f"## {section.rstrip()}\n"


def _section(finding: Finding) -> str:
    lines = [f"## {finding.title}", "", f"`{finding.command}` · {_circumstances()}", "", *finding.lines]
    lines += ["", *(f"**Missed**: {each}" for each in finding.missed)] if finding.missed else []
    return "\n".join(lines) + "\n"


def _circumstances() -> str:
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; {packages}"
    )


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
