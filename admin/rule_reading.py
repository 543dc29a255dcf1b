"""A rule as the editor reads it (规则读入): its two forms, its sentences, and findings at their places.

The form and the text are always made of one tree, here, so that neither can say what the other does not.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from admin.joint_picture import Picture, draw_path
from engine.finding import Finding, Refused
from engine.language import Language, Message, message, render
from engine.rulebook import JointRule, Rule
from engine.scalar import Raw, shown
from rules.condition_rows import Said, Written
from rules.joint_path import path_of
from rules.place import Findings, Place
from rules.row_values import Document
from rules.rule import read_rule
from rules.rule_form import Drawn, RuleForm, draw, form_of
from rules.rule_scope import DraftScope
from rules.tree import Path, dump_yaml, load_yaml
from rules.wording import say_rule

_INSTEAD = {
    "rule.joint_size": ("share", message("form.size")),
    "rule.kind": ("rule", message("form.kind")),
    "rule.consequence": ("undifferentiated", message("form.consequence")),
}
"""Findings about the rule as a whole: the field of the form that they stand beside, and how it is said there."""

_NEEDED = frozenset({
    "document.missing", "document.empty", "rows.field", "rows.value", "form.key", "form.test", "form.factor",
    "form.consequence",
})  # fmt: skip
"""Findings that only say that something is not filled in."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as the editor sends it: as form or as text; ``code`` is what it was opened under."""

    code: str = ""
    hash: str = ""
    form: RuleForm | None = None
    text: str | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as the editor shows it. ``needed``: something is not filled in yet."""

    path: str
    message: str
    level: Literal["error", "warning"] = "error"
    line: int | None = None
    needed: bool = False


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read. No tree: the text cannot be read; no form: it can only be shown as text.

    ``blocked``: what keeps the form itself from being a rule, so that it cannot be saved yet.
    """

    tree: Document | None
    text: str
    form: RuleForm | None
    rule: Rule | None = None
    sentences: tuple[str, ...] = ()
    findings: tuple[Told, ...] = ()
    blocked: bool = False


def read_asked(asked: Asked, scope: DraftScope, language: Language) -> Reading:
    """Read what the editor sent."""
    reader = _Reader(scope, language, asked.code)
    if asked.text is not None:
        return reader.from_text(asked.text)
    return reader.from_form(asked.form or RuleForm())


def read_tree(tree: Document, scope: DraftScope, language: Language) -> Reading:
    """Read a rule of the draft."""
    reader = _Reader(scope, language, str(tree.get("rule", "")))
    try:
        return reader.from_form(form_of(tree))
    except Refused as refused:
        return reader.from_text(dump_yaml(tree), *refused.findings)


def picture_of(rule: Rule | None, scope: DraftScope, language: Language) -> Picture | None:
    """The picture of a joint rule's path; other rules have none."""
    if not isinstance(rule, JointRule) or not rule.joint:
        return None
    others = [each for each in scope.rulebook.rules if isinstance(each, JointRule)]
    return draw_path(path_of(rule, others, scope.rulebook.joint.depth), language)


class _Reader:
    def __init__(self, scope: DraftScope, language: Language, opened: str) -> None:
        self._scope = scope
        self._language: Language = language
        self._opened = opened

    def from_form(self, form: RuleForm) -> Reading:
        drawn, rough = draw(form), draw(form, verbatim=False)
        kind: Document = {"on": form.on} if form.kind == "event" else {}
        rule, found = self._read(rough.tree | kind, {}, ())
        kept = [finding for finding in found if not _covered(finding.path, drawn.findings)]
        told = [self._tell(_beside(finding), form, drawn) for finding in (*drawn.findings, *kept)]
        return Reading(
            tree=drawn.tree,
            text=dump_yaml(drawn.tree),
            form=form,
            rule=rule,
            sentences=self._say(rule, found),
            findings=tuple(told),
            blocked=bool(drawn.findings),
        )

    def from_text(self, text: str, *already: Finding) -> Reading:
        try:
            tree, lines, prefix = _tree_of(text)
        except Refused as refused:
            return Reading(tree=None, text=text, form=None, findings=tuple(map(self._tell, refused.findings)))
        rule, found = self._read(tree, lines, prefix)
        form = None
        try:
            form = form_of(tree)
        except Refused as refused:
            already = refused.findings
        return Reading(
            tree=tree,
            text=text,
            form=form,
            rule=rule,
            sentences=self._say(rule, found),
            findings=tuple(map(self._tell, (*already, *found))),
        )

    def _read(self, tree: Document, lines: Mapping[Path, int], prefix: Path) -> tuple[Rule | None, list[Finding]]:
        findings = Findings(lines)
        rule = read_rule(Place(tree, findings, prefix), self._scope.scope)
        found = [
            msgspec.structs.replace(each, path=re.sub(r"^\[0\]\.?", "", each.path)) if prefix else each
            for each in findings.found
        ]
        code = tree.get("rule")
        if code != self._opened and isinstance(code, str) and self._scope.listed(code) is not None:
            found.append(Finding(path="rule", message=message("document.twice", given=code)))
        if isinstance(rule, JointRule) and rule.enabled and not findings.errors:
            serving = {each.code for each in self._scope.rules if each.kind == "event" and each.enabled}
            if serving.isdisjoint(rule.of or serving):
                said = message("document.idle_joint", rule=rule.code)
                found.append(Finding(path="of", message=said, level="warning"))
        return rule, found

    def _say(self, rule: Rule | None, found: list[Finding]) -> tuple[str, ...]:
        if rule is None or any(finding.level == "error" for finding in found):
            return ()
        return say_rule(rule, self._scope.rulebook, self._language)

    def _tell(self, finding: Finding, form: RuleForm | None = None, drawn: Drawn | None = None) -> Told:
        path, said = finding.path, finding.message
        if drawn is not None and form is not None and path in drawn.said:
            path, said = _at_row(finding, drawn.said[path], form)
        elif finding.column is not None:
            said = message("panel.column", column=finding.column, what=said)
        needed = said.key in _NEEDED or (said.key == "form.size" and form is not None and not form.share)
        if said.key == "condition.choice" and not said.args["word"]:
            said, needed = message("rows.value"), True
        needed = needed or _says_nothing(said)
        if drawn is not None and (said.key == "document.missing" or _says_nothing(said)):
            said = message("panel.needed")
        return Told(
            path=path,
            message=render(said, self._language),
            level=finding.level,
            line=finding.line,
            needed=needed,
        )


def _says_nothing(said: Message) -> bool:
    """Whether something is wrong only because nothing stands there."""
    given = said.args.get("given")
    return given == "" or (isinstance(given, Message) and given.key == "scalar.nothing")


def _covered(path: str, findings: tuple[Finding, ...]) -> bool:
    """Whether the form itself is already found at fault there."""
    return any(finding.path.startswith(f"{path}/") or finding.path == path for finding in findings)


def _beside(finding: Finding) -> Finding:
    """The finding at the field that it is about."""
    key = finding.message.key
    if not finding.path and key in _INSTEAD:
        path, said = _INSTEAD[key]
        return msgspec.structs.replace(finding, path=path, message=said)
    if key == "rule.factor":
        return msgspec.structs.replace(finding, path=f"{finding.path}.by", message=message("form.factor"))
    return finding


def _at_row(finding: Finding, said: Said, form: RuleForm) -> tuple[str, Message]:
    """The row that a condition's column is in; of a row written by hand, the column within it."""
    if finding.column is None:
        return finding.path, finding.message
    spans = [span for span in said.spans if span.first <= finding.column <= span.last + 1]
    if not spans:
        return finding.path, finding.message
    span = min(spans, key=lambda each: each.last - each.first)
    path = f"{finding.path}{span.path}"
    if not _by_hand(form, finding.path, span.path):
        return path, finding.message
    return path, message("panel.column", column=finding.column - span.first + 1, what=finding.message)


def _by_hand(form: RuleForm, condition: str, row: str) -> bool:
    held = re.fullmatch(r"factors\[(\d+)\]\.when", condition)
    rows = form.factors[int(held[1])].when if held else form.when
    part: object = rows.root
    for step in row.split("/")[1:]:
        part = getattr(part, "parts", ())[int(step)]
    return isinstance(part, Written)


def _tree_of(text: str) -> tuple[Document, Mapping[Path, int], Path]:
    """The one rule of a text, the lines of its places, and where it stands: at the root, or alone in a list."""
    trees = load_yaml(text)
    raw: Raw = trees[0].raw if len(trees) == 1 else None
    if isinstance(raw, list) and len(raw) == 1 and isinstance(raw[0], dict):
        return raw[0], trees[0].lines, (0,)
    if isinstance(raw, dict):
        return raw, trees[0].lines, ()
    raise Refused(Finding(message=message("form.one_rule", given=shown(raw)), line=1))


def counted(findings: tuple[Told, ...]) -> Iterator[int]:
    """How many errors there are, and how many warnings."""
    for level in ("error", "warning"):
        yield sum(finding.level == level for finding in findings)
