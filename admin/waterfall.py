"""How a total came about (总分构成): from what a subject starts with to its final total, step by step."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from urllib.parse import quote, urlencode

import msgspec

from engine.amount import ZERO, cents
from engine.language import Message, message
from engine.standing import Standing

_PAD = Fraction(1, 20)


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A step. ``amount`` is what it adds, or what stands where ``sum``; ``left`` and ``width`` draw it, in per cent.

    ``link`` leads to what is behind it: where that are entries, ``posted`` is what exactly those come to.
    """

    said: Message
    amount: Decimal
    sum: bool = False
    note: Message | None = None
    link: str | None = None
    posted: Decimal | None = None
    left: str = "0"
    width: str = "0"


class Waterfall:
    """The steps of one subject's total, as the ledger has it or as a snapshot froze it."""

    def __init__(self, standing: Standing, period: str, titles: Mapping[str, str], snapshot: int | None = None) -> None:
        self._standing = standing
        self._period = period
        self._snapshot = {} if snapshot is None else {"snapshot": snapshot}
        self._titles = titles
        self._bars: list[tuple[Bar, Fraction, Fraction]] = []
        self._now = Fraction(0)

    def bars(self) -> list[Bar]:
        """The steps in order, drawn to one scale; none where there is no total."""
        standing = self._standing
        if standing.reckoned is None or standing.total is None:
            return []
        if standing.base is not None:
            self._stand(message("waterfall.base"), standing.base, told=False)
        for part in standing.parts:
            if part.scaled is None or part.score is None:
                self._step(message("waterfall.part", title=part.title or part.category), Fraction(0),
                           message("waterfall.part_left_out", weight=_plain(part.weight)))  # fmt: skip
            else:
                said = message("waterfall.part", title=part.title or part.category)
                note = message("waterfall.part_made", weight=rounded(part.scaled), score=rounded(part.score))
                posted = self._sum(part.counted)
                link = self._query(indicator=",".join(part.counted)) if posted is not None else None
                self._step(said, part.scaled * part.score / 100, note, link, posted)
        self._posted()
        lifted = Fraction(standing.floor) if standing.floor is not None else None
        if lifted is not None and self._now < lifted:
            self._step(
                message("waterfall.floor"), lifted - self._now, message("waterfall.floor_note", to=standing.floor)
            )
        if standing.veto is not None and self._now > Fraction(standing.veto):
            rules = "、".join(dict.fromkeys(each.rule for each in standing.vetoes))
            note = message("waterfall.veto_note", to=standing.veto, rules=rules)
            self._step(message("waterfall.veto"), Fraction(standing.veto) - self._now, note)
        self._stand(message("waterfall.total"), standing.total)
        if standing.linkage is not None and standing.final is not None and standing.linkage.total is not None:
            share = standing.linkage.share * 100
            note = message("waterfall.linkage_note", share=_plain(share), unit=standing.linkage.unit,
                           total=standing.linkage.total)  # fmt: skip
            of_unit = f"/periods/{quote(self._period)}/subjects/{quote(standing.linkage.unit)}"
            of_unit += f"?{urlencode(self._snapshot)}" if self._snapshot else ""
            self._step(message("waterfall.linkage"), Fraction(standing.final) - Fraction(standing.total), note, of_unit)
            self._stand(message("waterfall.final"), standing.final)
        return self._drawn()

    def _posted(self) -> None:
        """What the total adds by itself: on indicators outside the scorecard, then on no indicator."""
        inside = {code for part in self._standing.parts for code in (*part.counted, *part.left_out)}
        rest = self._standing.added
        for each in self._standing.indicators:
            if each.indicator not in inside and each.posted:
                said = message("waterfall.indicator", title=self._titles.get(each.indicator) or each.indicator)
                self._step(said, Fraction(each.posted), None, self._query(indicator=each.indicator), each.posted)
                rest -= each.posted
                inside.add(each.indicator)
        apart = {"not_indicator": ",".join(sorted(inside))} if inside else {}
        self._step(message("waterfall.posted"), Fraction(rest), None, self._query(**apart), rest)

    def _sum(self, indicators: Collection[str]) -> Decimal | None:
        """What was posted on these indicators; None where nothing was."""
        posted = [each.posted for each in self._standing.indicators if each.indicator in indicators]
        return sum(posted, ZERO) if any(posted) else None

    def _query(self, **more: str) -> str:
        asked = {"subject": self._standing.subject, "period": self._period, **self._snapshot, **more}
        return "/entries?" + urlencode(asked)

    def _stand(self, said: Message, amount: Decimal, *, told: bool = True) -> None:
        self._now = Fraction(amount)
        behind = (self._query(), self._standing.posted) if told else (None, None)
        bar = Bar(said=said, amount=amount, sum=True, link=behind[0], posted=behind[1])
        self._bars.append((bar, Fraction(0), self._now))

    def _step(
        self,
        said: Message,
        change: Fraction,
        note: Message | None = None,
        link: str | None = None,
        posted: Decimal | None = None,
    ) -> None:
        bar = Bar(said=said, amount=cents(change), note=note, link=link, posted=posted)
        self._bars.append((bar, self._now, self._now + change))
        self._now += change

    def _drawn(self) -> list[Bar]:
        """The bars to one scale, which begins just below the lowest: a small step is seen beside a large base."""
        ends = [end for bar, start, end in self._bars for end in ((end,) if bar.sum else (start, end))]
        spread = max(ends) - min(ends)
        low = max(Fraction(0), min(ends) - max(spread * _PAD, Fraction(1))) if min(ends) > 0 else min(ends)
        scale = 100 / (max(ends) - low) if max(ends) > low else Fraction(1)
        return [
            msgspec.structs.replace(
                bar,
                left=rounded((max(low, min(start, end)) - low) * scale),
                width=rounded((max(start, end) - max(low, min(start, end))) * scale),
            )
            for bar, start, end in self._bars
        ]


def rounded(value: Fraction) -> str:
    """A ratio to two places, without a trailing zero."""
    return _plain(cents(value))


def _plain(value: Decimal) -> str:
    text = f"{value or ZERO:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
