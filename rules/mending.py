"""Mending a case (改写预期): what it expects becomes what it came to, for a person to look at before it is saved.

Only sums and figures are mended. A case that stopped, or in which something else came out differently, is not: that
is for a person to judge.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.event import MANUAL
from engine.language import Message
from engine.scalar import Raw
from rules.checking import MOST_TOLD, Mismatch, Side
from rules.kept_cases import plain

_FIGURES = {
    "checking.total": "totals",
    "checking.final": "final",
    "checking.rank": "ranks",
    "checking.tier": "tiers",
}


def mend(raw: Raw, mismatches: Sequence[Mismatch]) -> Raw:
    """The case with its expectations as they came out; None where that cannot be done as a whole."""
    if not mismatches or len(mismatches) >= MOST_TOLD:
        return None
    case: Any = plain(raw)
    alone = dict(_alone(case))
    for each in mismatches:
        expect = case["steps"][each.step - 1].get("expect") if 0 < each.step <= len(case["steps"]) else None
        if not isinstance(expect, dict):
            return None
        if each.what.key == "checking.posted":
            _mend_sum(expect, each, alone)
        elif each.what.key in _FIGURES:
            expect[_FIGURES[each.what.key]][str(each.what.args["subject"])] = _figure(each.actual)
        else:
            return None
    mended: Raw = plain(case)
    return mended


def _alone(case: Any) -> Iterator[tuple[str, str]]:
    """By id the source that an id alone means, where only one uses it, or one of them is ``manual``."""
    sources: dict[str, set[str]] = {}
    for step in case["steps"]:
        corrected = step.get("correct")
        for event in (step.get("event"), *(step.get("events") or ()), (corrected or {}).get("event")):
            if isinstance(event, Mapping):
                sources.setdefault(str(event.get("id")), set()).add(str(event.get("source") or MANUAL))
    for id_, used in sources.items():
        if len(used) == 1 or MANUAL in used:
            yield id_, MANUAL if MANUAL in used else next(iter(used))


def _mend_sum(expect: dict[str, Any], each: Mismatch, alone: Mapping[str, str]) -> None:
    args = each.what.args
    of = args["of"]
    assert isinstance(of, Message)
    told: dict[str, object] = {"rule": args["rule"], "subject": args["subject"]}
    if of.key == "checking.of_period":
        told = {"period": of.args["period"], **told}
    else:
        told = {"event": of.args["id"], "source": of.args["source"], **told}

    def means(item: Mapping[str, Any]) -> bool:
        if "event" in item:
            item = {"source": alone.get(item["event"]), **item}
        return all(item.get(key) == value for key, value in told.items())

    listed = expect.get("posted") or []
    fitting = [at for at, item in enumerate(listed) if means(item)]
    figure = _figure(each.actual)
    if figure is not None and not fitting:
        if alone.get(str(told.get("event"))) == told.get("source"):
            told.pop("source", None)
        listed = [*listed, {**told, "points": figure}]
    elif figure is not None:
        listed[fitting[0]] = {**listed[fitting[0]], "points": figure}
        fitting = fitting[1:]
    expect["posted"] = [item for at, item in enumerate(listed) if at not in fitting]


def _figure(side: Side) -> str | None:
    return side if isinstance(side, str) else None
