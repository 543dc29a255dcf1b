"""Vetoes (一票否决): an event after which a total may not exceed so much, in the periods that contain its booking date.

The veto is the rule of the event's own version, and names whom it bounds as an event rule names whom
it charges. Of several on one subject the lowest holds. Once the event is retracted it no longer
stands, and the veto is gone.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from engine.account import Account
from engine.charging import charged_by
from engine.event import Event, EventKey
from engine.rulebook import Repeat, VetoRule
from engine.scene import set_scene


class Veto(msgspec.Struct, frozen=True, kw_only=True):
    """One veto on one subject: by which event, rule and version, and the most that the total may be."""

    event: EventKey
    rule: str
    version: int
    subject: str
    to: Decimal


def veto(account: Account) -> Mapping[str, tuple[Veto, ...]]:
    """The vetoes of the period on each subject, the lowest first."""
    rules: dict[tuple[int, str], list[VetoRule]] = {}
    for version in account.bureau.versions:
        for rule in version.rulebook.rules:
            if isinstance(rule, VetoRule) and rule.enabled:
                rules.setdefault((version.number, rule.on), []).append(rule)
    found: dict[str, list[Veto]] = {}
    for recorded in account.standing:
        version = account.ruling(recorded.event)
        for each in _judge(account, recorded.event, rules.get((version.number, recorded.event.type), [])):
            found.setdefault(each.subject, []).append(each)
    return {subject: tuple(sorted(vetoes, key=_lowest)) for subject, vetoes in found.items()}


def _judge(account: Account, event: Event, rules: list[VetoRule]) -> list[Veto]:
    if not rules:
        return []
    version = account.ruling(event)
    scene = set_scene(account.bureau, event, version, account.matchers, _recall_nothing)
    return [
        Veto(event=event.key, rule=rule.code, version=version.number, subject=subject, to=rule.to)
        for rule in rules
        if rule.code in scene.fired
        for subject in charged_by(rule, scene)
    ]


def _recall_nothing(event: Event, repeat: Repeat) -> EventKey | None:  # noqa: ARG001  (a veto multiplies nothing)
    return None


def _lowest(each: Veto) -> tuple[Decimal, EventKey, str]:
    return (each.to, each.event, each.rule)
