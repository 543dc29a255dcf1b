"""A simulation as a workbook (试算工作簿): summary, subjects, rules, entries, what does not fit; a sheet each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from engine.language import Language, Message, message, render
from ledger.simulated import EntryChange, Simulated
from ledger.simulations import Run
from rules.workbook import Cell, Sheet, write_workbook

MOST_ENTRIES = 10_000
"""Entries in a workbook, the largest differences; the others are read over the interface."""

_SUBJECTS = (
    "entry.subject", "simulations.name", "simulations.group", "simulations.before", "simulations.after",
    "simulations.difference", "simulations.rank_before", "simulations.rank_after", "simulations.tier_before",
    "simulations.tier_after", "simulations.posted_before", "simulations.posted_after", "simulations.awards_gained",
    "simulations.awards_lost",
)  # fmt: skip
_RULES = (
    "entry.rule", "simulations.rule_title", "simulations.sum_before", "simulations.sum_after", "simulations.difference",
)  # fmt: skip
_ENTRIES = (
    "simulations.kind", "entry.booked", "entry.subject", "simulations.name", "entry.rule", "simulations.rule_title",
    "entry.source", "entry.event", "entry.period", "simulations.posted_before", "simulations.posted_after",
    "simulations.difference", "simulations.origin_rule", "simulations.origin_subject",
)  # fmt: skip
_UNFIT = ("entry.source", "entry.event", "simulations.type", "entry.subject", "simulations.why")


def write_book(
    run: Run,
    found: Simulated,
    entries: Sequence[EntryChange],
    called: str,
    names: Mapping[str, str],
    awards: Mapping[str, str],
    language: Language,
) -> bytes:
    """The workbook of a simulation that is done; ``called`` is the period's title."""
    book = _Book(run, found, called, names, awards, language)
    sheets = [book.summary(len(entries)), book.subjects(), book.rules(), book.entries(entries)]
    return write_workbook([*sheets, *([book.unfit()] if found.unfit else [])])


class _Book:
    def __init__(
        self,
        run: Run,
        found: Simulated,
        called: str,
        names: Mapping[str, str],
        awards: Mapping[str, str],
        language: Language,
    ) -> None:
        self._run, self._found, self._called = run, found, called
        self._names, self._awards, self._language = names, awards, language
        self._titles = {each.rule: each.title for each in found.rules}

    def summary(self, entries: int) -> Sheet:
        run, found = self._run, self._found
        rows: list[tuple[Cell, Cell]] = [
            (self._say("simulations.number"), run.id),
            (self._say("simulations.version"), self._say(run.named)),
            (self._say("simulations.period"), self._called),
            (self._say("simulations.starts"), _local(found.start, run)),
            (self._say("simulations.ends"), _local(found.end, run)),
            (self._say("simulations.owner"), run.owner),
            (self._say("simulations.at"), _local(run.at, run)),
            (self._say("simulations.result"), self._say(found.said(self._called))),
            *((self._say("simulations.remark"), self._say(each)) for each in found.remarks),
        ]
        if entries < found.entries:
            kept = message("simulations.kept_entries", kept=f"{entries:,}", count=f"{found.entries:,}")
            rows.append((self._say("simulations.remark"), self._say(kept)))
        return self._sheet("simulations.sheet_summary", ("simulations.what_said", "simulations.said"), rows)

    def subjects(self) -> Sheet:
        rows = (
            (
                each.subject,
                self._names.get(each.subject, ""),
                each.group,
                each.final_before,
                each.final_after,
                each.difference,
                each.rank_before,
                each.rank_after,
                each.tier_before,
                each.tier_after,
                each.posted_before,
                each.posted_after,
                self._titled(each.awards_gained),
                self._titled(each.awards_lost),
            )
            for each in self._found.subjects
        )
        return self._sheet("simulations.subjects", _SUBJECTS, rows)

    def rules(self) -> Sheet:
        rows = ((each.rule, each.title, each.before, each.after, each.difference) for each in self._found.rules)
        return self._sheet("simulations.rules", _RULES, rows)

    def entries(self, entries: Iterable[EntryChange]) -> Sheet:
        rows = (
            (
                self._say(f"simulations.kind.{each.kind}"),
                each.booked,
                each.subject,
                self._names.get(each.subject, ""),
                each.rule,
                self._titles.get(each.rule, ""),
                each.source,
                each.event,
                each.period,
                each.before,
                each.after,
                each.difference,
                each.origin_rule,
                each.origin_subject,
            )
            for each in entries
        )
        return self._sheet("simulations.entries", _ENTRIES, rows)

    def unfit(self) -> Sheet:
        rows = (
            (each.source, each.id, each.type, each.subject, "\n".join(self._say(f.message) for f in each.findings))
            for each in self._found.unfit
        )
        return self._sheet("simulations.unfit", _UNFIT, rows)

    def _sheet(self, title: str, columns: Iterable[str], rows: Iterable[tuple[Cell, ...]]) -> Sheet:
        return Sheet(title=self._say(title), columns=tuple(map(self._say, columns)), rows=tuple(rows))

    def _titled(self, codes: Iterable[str]) -> str:
        return ("、" if self._language == "zh-CN" else ", ").join(self._awards.get(code) or code for code in codes)

    def _say(self, said: str | Message) -> str:
        return render(said if isinstance(said, Message) else message(said), self._language)


def _local(instant: datetime, run: Run) -> datetime:
    """An instant as local time without a zone, which is all that a spreadsheet knows."""
    return instant.astimezone(run.at.tzinfo).replace(tzinfo=None, microsecond=0)
