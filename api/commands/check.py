"""``jikao check``: rulebooks and cases, held to what they say."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from api.commands.speaking import for_machines, say, tell
from api.settings import language
from engine.finding import Finding, Refused
from engine.language import Message, message, render
from rules.case import Case, Contents, read_contents
from rules.checking import CaseResult, Mismatch, run_case
from rules.tree import load

Runner = Callable[[Case], CaseResult]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one document of a file: what was found in it, or what its cases came to."""

    file: str
    findings: tuple[Finding, ...] = ()
    rulebook: str | None = None
    results: tuple[CaseResult, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(each.level == "error" for each in self.findings) and all(each.holds for each in self.results)


@click.command
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--http", "over_http", is_flag=True, help="经由临时服务的 HTTP 接口 / through a throw-away server")
@for_machines
def check(files: tuple[str, ...], over_http: bool, as_json: bool) -> int:
    """核对规则文档与用例 / check rulebooks and cases."""
    checked = []
    with ExitStack() as stack:
        runner: Runner = run_case
        if over_http:
            from api.throwaway import serving

            runner = stack.enter_context(serving())
        for file in files:
            for each in check_file(file, runner, None if as_json else _tell_case):
                if not as_json:
                    _tell_document(each)
                checked.append(each)
    holds = all(each.holds for each in checked)
    if as_json:
        tell({"holds": holds, "documents": [_plain(each) for each in checked]})
    else:
        results = [result for each in checked for result in each.results]
        failed = sum(not result.holds for result in results)
        click.echo(render(message("check.summary", cases=len(results), failed=failed), language()), err=True)
    return 0 if holds else 1


def check_file(file: str, runner: Runner, done: Callable[[CaseResult], None] | None = None) -> Iterator[Checked]:
    """Check a file document by document; ``done`` hears of every case as it is done."""
    path = Path(file)
    try:
        trees = load(path.read_bytes())
    except OSError as error:
        said = message("check.unreadable", reason=error.strerror or error)
        yield Checked(file=file, findings=(Finding(message=said),))
        return
    except Refused as refused:
        yield Checked(file=file, findings=refused.findings)
        return
    if not trees:
        yield Checked(file=file, findings=(Finding(message=message("check.empty")),))
    for tree in trees:
        try:
            contents = read_contents(tree, path.parent)
        except Refused as refused:
            yield Checked(file=file, findings=refused.findings)
        else:
            yield _run(file, contents, runner, done)


def _run(file: str, contents: Contents, runner: Runner, done: Callable[[CaseResult], None] | None) -> Checked:
    results = []
    for case in contents.cases:
        result = runner(case)
        if done is not None:
            done(result)
        results.append(result)
    rulebook = None if contents.rulebook is None else contents.rulebook.code
    return Checked(file=file, findings=contents.warnings, rulebook=rulebook, results=tuple(results))


# telling people


def _tell_case(result: CaseResult) -> None:
    click.echo(f"{'✓' if result.holds else '✗'} {result.name}")
    for each in result.mismatches:
        say(message("check.mismatch", step=each.step, what=each.what, expected=each.expected, actual=each.actual))


def _tell_document(checked: Checked) -> None:
    for finding in checked.findings:
        click.echo(f"{'!' if finding.level == 'warning' else '✗'} {checked.file}{_where(finding)}: {_said(finding)}")
    if checked.rulebook is not None and not checked.results:
        say(message("check.no_cases", rulebook=checked.rulebook))


def _where(finding: Finding) -> str:
    """The line of the file and the path in the document; a column is one of the condition at that path."""
    line = "" if finding.line is None else f":{finding.line}"
    column = "" if finding.column is None else f":{finding.column}"
    return f"{line}{' ' + finding.path + column if finding.path else ''}"


def _said(finding: Finding) -> str:
    return render(finding.message, language())


# telling machines


def _plain(checked: Checked) -> dict[str, Any]:
    return {
        "file": checked.file,
        "rulebook": checked.rulebook,
        "holds": checked.holds,
        "findings": [
            {"level": each.level, "path": each.path, "line": each.line, "column": each.column, "message": _said(each)}
            for each in checked.findings
        ],
        "cases": [
            {"case": each.name, "holds": each.holds, "mismatches": [_plain_mismatch(one) for one in each.mismatches]}
            for each in checked.results
        ],
    }


def _plain_mismatch(each: Mismatch) -> dict[str, Any]:
    sides = {"what": each.what, "expected": each.expected, "actual": each.actual}
    return {"step": each.step} | {
        name: render(side, language()) if isinstance(side, Message) else side for name, side in sides.items()
    }
