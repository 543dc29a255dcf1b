"""Acts (管理行为): what the office decides, carried out under the ledger's lock.

A publication, a change of the organisation, the declaration of periods. What they change of past
events is evaluated again and posted as differences whose cause is the act. What becomes of a period
is in :mod:`ledger.settling`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from engine.finding import Finding, Refused
from engine.language import message
from engine.organisation import Relation, Subject
from engine.period import Calendar, Period
from engine.planner import Change
from engine.publication import reread, succeed
from engine.reorganisation import reorganise
from engine.rulebook import Rulebook
from ledger import clock
from ledger.current import get_current
from ledger.desk import Desk, Receipt, open_desk
from rules.document import rulebook_hash, write_rulebook


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A publication that was carried out."""

    number: int
    effective: datetime
    hash: str
    act: int


async def publish_rulebook(
    rulebook: Rulebook,
    *,
    note: str = "",
    reason: str = "",
    actor: str,
    approved_by: Sequence[str] = (),
    desk: Desk | None = None,
) -> Publication:
    """Put a rulebook in force as the next version. Refused where an event that stands would no longer fit."""
    if desk is None:
        async with open_desk(get_current()) as own:
            return await publish_rulebook(
                rulebook, note=note, reason=reason, actor=actor, approved_by=approved_by, desk=own
            )
    at = clock.now()
    bureau = succeed(desk.bureau, rulebook)
    number = bureau.versions[-1].number
    await desk.recall_by(bureau)
    later = [version.effective for version in desk.bureau.versions if version.effective > rulebook.effective]
    until = min(later, default=None)
    where = "p.instant >= $1" if until is None else "p.instant >= $1 AND p.instant < $2"
    standing = await desk.standing(where, rulebook.effective, *([] if until is None else [until]))
    concerned = [reread(each, bureau.versions[-1]) for each in standing]
    if concerned and not reason:
        raise Refused(Finding(message=message("act.reason_needed", events=len(concerned)), path="/reason"))
    hashed = rulebook_hash(rulebook)
    content = {
        "version": number,
        "hash": hashed,
        "effective": rulebook.effective.astimezone(UTC).isoformat(),
        "approved_by": list(approved_by),
    }
    receipt = await desk.act(
        "publication", content, reason or note, actor, at, Change(reconsidered=tuple(concerned)), bureau
    )
    await desk.put(
        "INSERT INTO rulebook_version (number, rulebook, effective, document, hash, note, reason, published_by,"
        " published_at, approved_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        number,
        rulebook.code,
        rulebook.effective,
        # In the office's order, not in that of the hash: every process lists what it reads as it was written.
        msgspec.json.encode(write_rulebook(rulebook)).decode(),
        hashed,
        note,
        reason,
        actor,
        at,
        list(approved_by),
    )
    desk.head.version = number
    return Publication(number=number, effective=rulebook.effective, hash=hashed, act=receipt.number)


async def organise(
    since: date,
    subjects: Iterable[Subject],
    relations: Iterable[Relation],
    *,
    reason: str,
    actor: str,
    desk: Desk | None = None,
) -> Receipt:
    """Change the organisation from a day on: upsert, all or none."""
    subjects, relations = list(subjects), list(relations)
    if desk is None:
        async with open_desk(get_current()) as own:
            return await organise(since, subjects, relations, reason=reason, actor=actor, desk=own)
    after = reorganise(desk.bureau.organisation, since, subjects, relations)
    concerned = await desk.standing("p.day >= $1", after.first_day) if after.first_day is not None else []
    if concerned and not reason:
        raise Refused(Finding(message=message("act.reason_needed", events=len(concerned)), path="/reason"))
    for subject in subjects:
        await _write_name(desk, subject)
    for subject in subjects:
        await _write_places(desk, after.organisation.subjects[subject.code])
    for relation in relations:
        await _write_relation(desk, relation)
    desk.head.organisation += 1
    content = {
        "since": since.isoformat(),
        "revision": desk.head.organisation,
        "subjects": [_plain_places(after.organisation.subjects[subject.code]) for subject in subjects],
        "relations": [msgspec.to_builtins(relation) for relation in relations],
    }
    bureau = msgspec.structs.replace(desk.bureau, organisation=after.organisation)
    return await desk.act(
        "organisation", content, reason, actor, clock.now(), Change(reconsidered=tuple(concerned)), bureau
    )


async def declare(periods: Iterable[Period], *, reason: str = "", actor: str, desk: Desk | None = None) -> Receipt:
    """Declare periods or change their titles, bounds and days to appeal; those that are closed stay as they are."""
    periods = list(periods)
    if desk is None:
        async with open_desk(get_current()) as own:
            return await declare(periods, reason=reason, actor=actor, desk=own)
    known = dict(desk.bureau.calendar.periods)
    declared = list(periods)
    for place, period in enumerate(periods):
        before = known.get(period.code)
        period = period.succeeding(before)
        period = msgspec.structs.replace(period, appeal_days=period.days_to_appeal)
        if before is not None and before.state == "closed" and period != before:
            said = message("period.not_open", period=period.code)
            raise Refused(Finding(message=said, path=f"/items/{place}"))
        known[period.code] = declared[place] = period
        await desk.put(
            "INSERT INTO period (code, title, kind, starts, ends, state, appeal_days)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code)"
            " DO UPDATE SET title = $2, kind = $3, starts = $4, ends = $5, appeal_days = $7",
            period.code,
            period.title,
            period.kind,
            period.start,
            period.end,
            period.state,
            period.days_to_appeal,
        )
    desk.head.periods += 1
    bureau = msgspec.structs.replace(desk.bureau, calendar=Calendar(known.values()))
    concerned = await desk.standing(
        "EXISTS (SELECT 1 FROM present_taking t WHERE t.source = p.source AND t.id = p.id"
        " AND t.span LIKE 'period %') OR p.type = ANY($1)",
        sorted(_types_under_period_limits(bureau)),
    )
    charged = await desk.period_charges(
        "EXISTS (SELECT 1 FROM present_taking t WHERE t.source = '' AND t.id = s.id AND t.span LIKE 'period %')"
    )
    content = {"periods": [msgspec.to_builtins(period) for period in declared]}
    change = Change(reconsidered=tuple(concerned), period_charges=charged)
    return await desk.act("periods", content, reason, actor, clock.now(), change, bureau)


def _types_under_period_limits(bureau: Any) -> set[str]:
    return {
        rule.on
        for version in bureau.versions
        for rule in version.rulebook.rules
        if hasattr(rule, "on") and any(limit.per == "period" for limit in version.rulebook.limits.values())
    }


async def _write_name(desk: Desk, given: Subject) -> None:
    await desk.put(
        "INSERT INTO subject (code, name) VALUES ($1, $2)"
        " ON CONFLICT (code) DO UPDATE SET name = CASE WHEN $2 = '' THEN subject.name ELSE $2 END",
        given.code,
        given.name,
    )


async def _write_places(desk: Desk, after: Subject) -> None:
    await desk.put("DELETE FROM subject_place WHERE subject = $1", after.code)
    for place in after.places:
        await desk.put(
            "INSERT INTO subject_place (subject, since, kind, group_code, unit, post) VALUES ($1, $2, $3, $4, $5, $6)",
            after.code,
            place.since,
            place.kind,
            place.group,
            place.unit,
            place.post,
        )


async def _write_relation(desk: Desk, relation: Relation) -> None:
    await desk.put(
        """
        INSERT INTO relation (subject, relation, answers, indicator, starts, ends) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (subject, relation, answers, indicator, starts) DO UPDATE SET ends = $6
        """,
        relation.subject,
        relation.relation,
        relation.answers,
        relation.indicator,
        relation.start,
        relation.end,
    )


def _plain_places(subject: Subject) -> Any:
    return {"code": subject.code, "places": msgspec.to_builtins(subject.places)}
