"""What is wrong with a file that somebody filled in (差错): at which sheet, row and column, and what was expected."""

import re
from collections.abc import Iterable

import msgspec

from engine.finding import Finding, Refused
from engine.language import Message

_CELL = re.compile("(.*)!([A-Z]{1,3})?([0-9]+)(:[A-Z]+[0-9]+)?", re.DOTALL)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps a file from being imported, or is odd in it.

    ``row`` counts as the spreadsheet does, or is the line of a text; ``cell`` is the reference of a spreadsheet
    (``F7``); ``column`` its title, or the path in a text. What is not known is empty.
    """

    said: Message
    sheet: str = ""
    row: int | None = None
    cell: str = ""
    column: str = ""
    given: str = ""
    odd: bool = False


class Faulty(Refused):
    """A file is refused with faults, each at its row; as findings their paths are ``sheet!cell``."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = in_order(faults)
        super().__init__(*map(as_finding, self.faults))


def as_finding(fault: Fault) -> Finding:
    """The fault as a finding; what is there is left to the sentence."""
    where = fault.cell or (str(fault.row) if fault.sheet and fault.row is not None else "")
    path = "!".join(filter(None, (fault.sheet, where))) or fault.column
    line = None if fault.sheet else fault.row
    return Finding(message=fault.said, path=path, level="warning" if fault.odd else "error", line=line)


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The faults as the file has them: sheet by sheet, from the top down."""
    held = tuple(faults)
    sheets = list(dict.fromkeys(fault.sheet for fault in held))
    return tuple(sorted(held, key=lambda fault: (sheets.index(fault.sheet), fault.row or 0)))


def faults_of(refused: Refused) -> tuple[Fault, ...]:
    """The faults of a refusal, whatever was refused."""
    return refused.faults if isinstance(refused, Faulty) else as_faults(refused.findings)


def as_faults(findings: Iterable[Finding]) -> tuple[Fault, ...]:
    """Findings of a text or of a workbook's cells as faults."""
    return tuple(map(_as_fault, findings))


def _as_fault(finding: Finding) -> Fault:
    odd, said = finding.level == "warning", finding.message
    found = _CELL.fullmatch(finding.path)
    if found is None:
        return Fault(said=said, row=finding.line, column=finding.path, odd=odd)
    sheet, letters, row, rest = found.groups()
    cell = f"{letters}{row}{rest or ''}" if letters else ""
    given = said.args.get("given", "")
    return Fault(
        said=said, sheet=sheet, row=int(row), cell=cell, given=given if isinstance(given, str) else "", odd=odd
    )
