"""Publication (发布): a rulebook becomes the next version and rules from its effective time.

A version is never changed. One that reaches back rules the events of its time anew; it is refused
where a standing event would no longer fit, or where it changes the window or the sign of a limit
that keeps its code.
"""

import msgspec

from engine.bureau import Bureau
from engine.charge import Recorded
from engine.event import Event
from engine.finding import Finding, Refused
from engine.language import message
from engine.report import fit, parse_report, write_event
from engine.rulebook import Rulebook, Version
from engine.scalar import Raw


def succeed(bureau: Bureau, rulebook: Rulebook) -> Bureau:
    """The bureau with the rulebook as its next version."""
    findings = [
        Finding(message=message("limit.changed", limit=code), path=f"limits.{code}")
        for version in bureau.versions
        for code, limit in version.rulebook.limits.items()
        if (after := rulebook.limits.get(code)) is not None and (after.per, after.sign) != (limit.per, limit.sign)
    ]
    if findings:
        raise Refused(*findings)
    number = max((version.number for version in bureau.versions), default=0) + 1
    version = Version(number=number, rulebook=rulebook)
    return msgspec.structs.replace(bureau, versions=(*bureau.versions, version))


def reread_report(tree: Raw, bureau: Bureau) -> Event:
    """A recorded event from its plain tree, typed by the version that now rules its time."""
    report = parse_report(tree)
    version = bureau.version_at(report.time)
    if version is None:
        raise LookupError(f"no version rules {report.key}")
    return fit(report, version.rulebook.event_types[report.type])


def reread(recorded: Recorded, version: Version) -> Recorded:
    """The event typed by another version. Refused, naming it, where it would no longer fit."""
    event = recorded.event
    event_type = version.rulebook.event_types.get(event.type)
    said = message("event.no_longer_fits", source=event.source, id=event.id)
    if event_type is None:
        raise Refused(Finding(message=said, path=f"event_types.{event.type}"))
    try:
        anew = fit(parse_report(write_event(event)), event_type)
    except Refused as refused:
        raise Refused(
            Finding(message=said, path=f"event_types.{event.type}"),
            *refused.findings,
        ) from refused
    return msgspec.structs.replace(recorded, event=anew)
