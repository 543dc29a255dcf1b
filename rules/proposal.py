"""A proposal (拟改规则): one rule as somebody is writing it, read within the draft as that stands.

The draft may be wrong elsewhere, and the rule may not be whole yet: what can be read is read, and what is wrong with
the rule is told by its path inside the rule. Another rule of the draft that is wrong is left out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from engine.finding import Finding
from engine.language import message
from engine.rulebook import DifferentiationRule, EventRule, JointRule, ProgressRule, Rule, Rulebook, VetoRule
from engine.scalar import Raw
from rules.document import read_document_at
from rules.place import BLANK, Findings, Place
from rules.rows import Document
from rules.rule import Scope, kind_of, read_rule, serve

ALWAYS = datetime.min.replace(tzinfo=UTC)
_TELLING = frozenset(("on", "when", "charge", "joint", "of", "sign", "indicator"))
"""Keys that say which events a rule hits; where they are wrong nothing can be said of it."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """``rulebook``: the draft as far as it can be read, in force from the beginning, with the rule in its place.

    ``judged``: which events it hits can be told. ``whole``: nothing is wrong with it, so that its arithmetic counts.
    """

    rule: Rule | None
    rulebook: Rulebook
    findings: tuple[Finding, ...] = ()
    judged: bool = False
    whole: bool = False


def read_rulebook_leniently(tree: Document) -> Rulebook:
    """What can be read of a draft, whatever is wrong with the rest of it."""
    return read_document_at(Place({**tree, "cases": None}, Findings())).rulebook


def propose(tree: Document, raw: Raw) -> Proposal:
    """The rule read within the draft; it takes the place of the draft's rule of the same code, else the last."""
    told = Findings()
    around = read_document_at(Place({**tree, "rules": None, "cases": None, "effective": ALWAYS.isoformat()}, told))
    rules, here = _in_place(tree, raw)
    places = [Place(each, Findings(), ("rules", at)) for at, each in enumerate(rules)]
    findings = Findings()
    places[here] = place = Place(raw, findings)
    scope = Scope(
        event_types=around.rulebook.event_types,
        indicators=around.rulebook.indicators,
        limits=around.rulebook.limits,
        served=serve(places),
    )
    rule = read_rule(place, scope)
    _check_types(findings, told, rule)
    others = isinstance(rule, JointRule)
    read = {here: rule} | (
        {at: read_rule(each, scope) for at, each in enumerate(places) if at != here} if others else {}
    )
    sound = [each for at, each in sorted(read.items()) if each is not None and (at == here or _sound(places[at]))]
    wrong = {finding.path.split(".")[0].split("[")[0] for finding in findings.errors}
    judged = rule is not None and not wrong & _TELLING
    return Proposal(
        rule=rule,
        rulebook=msgspec.structs.replace(around.rulebook, effective=ALWAYS, rules=_enabled(sound, rule)),
        findings=tuple(findings.found),
        judged=judged and isinstance(rule, (EventRule, JointRule, VetoRule)),
        whole=judged and not wrong,
    )


def _in_place(tree: Document, raw: Raw) -> tuple[list[Raw], int]:
    """The draft's rules with this one among them, and its place."""
    held = tree.get("rules")
    rules: list[Raw] = list(held) if isinstance(held, list) else []
    code = raw.get("rule") if isinstance(raw, Mapping) else None
    for at, each in enumerate(rules):
        if isinstance(each, Mapping) and code is not None and each.get("rule") == code:
            return [*rules[:at], raw, *rules[at + 1 :]], at
    return [*rules, raw], len(rules)


def _enabled(rules: list[Rule], rule: Rule | None) -> tuple[Rule, ...]:
    """The rules, the proposed one switched on: what it would hit is asked of one that is switched off, too."""
    return tuple(msgspec.structs.replace(each, enabled=True) if each is rule else each for each in rules)


def _sound(place: Place) -> bool:
    kind = kind_of(place.raw) if isinstance(place.raw, Mapping) else None
    return kind in ("on", "joint") and not place.findings.errors


def _check_types(findings: Findings, told: Findings, rule: Rule | None) -> None:
    """An event type of the draft that is wrong itself cannot type events."""
    if not isinstance(rule, (EventRule, VetoRule)) or rule.on == BLANK:
        return
    path = f"event_types.{rule.on}"
    for finding in told.errors:
        if finding.path == path or finding.path.startswith(f"{path}."):
            findings.add(("on",), message("proposal.type", type=rule.on, where=finding.path, said=finding.message))
            return


def settled_later(rule: Rule | None) -> bool:
    """Whether a rule has no events: it is judged when a period is settled."""
    return isinstance(rule, (DifferentiationRule, ProgressRule))
