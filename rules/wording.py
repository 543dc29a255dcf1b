"""A rule in words (规则释义): what it charges whom for what, sentence by sentence, in the reader's language.

The sentences say what the rule's document says, with the titles of fields, choices, limits and indicators in place
of their codes. They are for people; nothing is ever read back from them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from engine.event import Value
from engine.field import EventType
from engine.language import Language, Message, message, render
from engine.report import write_value
from engine.rulebook import (
    Bands,
    Consequence,
    DifferentiationRule,
    EventRule,
    Factor,
    Fixed,
    JointRule,
    Points,
    Progressive,
    ProgressRule,
    Rule,
    Rulebook,
    Share,
    VetoRule,
)
from engine.scalar import written_number
from rules.writing import amount

RELATIONS = frozenset(
    ("lead_dept", "co_dept", "owner", "superior", "subordinate", "principal", "supervising_leader", "direct_person")
)
"""Relations that have a name in both languages; an office may have others."""
_KINDS = frozenset(("month", "quarter", "half", "year"))


def say_rule(rule: Rule, rulebook: Rulebook, language: Language) -> tuple[str, ...]:
    """The rule's sentences."""
    return _Wording(rulebook, language).say(rule)


class _Wording:
    def __init__(self, rulebook: Rulebook, language: Language) -> None:
        self._rulebook = rulebook
        self._language: Language = language

    def say(self, rule: Rule) -> tuple[str, ...]:
        match rule:
            case EventRule():
                said = self._event(rule)
            case JointRule():
                said = self._joint(rule)
            case DifferentiationRule():
                said = self._differentiation(rule)
            case ProgressRule():
                said = self._progress(rule)
            case VetoRule():
                said = self._veto(rule)
        return tuple(render(each, self._language) for each in (*said, *self._limits(rule)))

    def _event(self, rule: EventRule) -> Iterator[Message]:
        event_type = self._rulebook.event_types[rule.on]
        yield message("wording.on", type=event_type.title or rule.on, when=self._when(rule), charge=_whom(rule.charge))
        yield from self._points(rule.points, event_type)
        if rule.times is not None:
            yield message("wording.times", field=_field(event_type, rule.times))
        for factor in rule.factors:
            yield self._factor(factor, event_type)
        if rule.max is not None:
            yield message("wording.max", max=amount(rule.max))
        if rule.matter == "highest":
            yield message("wording.matter")

    def _veto(self, rule: VetoRule) -> Iterator[Message]:
        event_type = self._rulebook.event_types[rule.on]
        yield message(
            "wording.veto",
            type=event_type.title or rule.on,
            when=self._when(rule),
            charge=_whom(rule.charge),
            to=written_number(rule.to),
        )

    def _joint(self, rule: JointRule) -> Iterator[Message]:
        of: Message | str = message("wording.of_all")
        if rule.of is not None:
            of = self._list(self._titled(code) for code in rule.of)
        amount_said = (
            message("wording.share", share=_percent(rule.share or Decimal(1)))
            if rule.points is None
            else message("wording.fixed", points=_signed(rule.points))
        )
        yield message(
            "wording.joint",
            of=of,
            sign=message(f"value.{rule.sign}"),
            when=self._when(rule),
            relation=_relation(rule.joint),
            amount=amount_said,
        )
        if rule.split == "pro_rata":
            yield message("wording.pro_rata")
        if rule.max is not None:
            yield message("wording.joint_max", max=amount(rule.max))

    def _differentiation(self, rule: DifferentiationRule) -> Iterator[Message]:
        compared: Message | str = message("wording.totals")
        if rule.of is not None:
            compared = message("wording.indicators", list=self._list(self._indicator(code) for code in rule.of))
        yield message(
            "wording.compare",
            per=_per(rule.per),
            compared=compared,
            among=message(f"wording.among.{rule.among}"),
            groups=self._groups(rule.groups),
            at_least=rule.at_least,
        )
        for verdict in ("undifferentiated", "differentiated"):
            consequence: Consequence | None = getattr(rule, verdict)
            if consequence is not None:
                yield message(
                    f"wording.{verdict}",
                    when=self._tests(consequence),
                    charge=message(f"value.{consequence.charge}"),
                    points=_signed(consequence.points),
                )

    def _progress(self, rule: ProgressRule) -> Iterator[Message]:
        yield message(
            f"wording.progress.{rule.progress}",
            per=_per(rule.per),
            groups=self._groups(rule.groups),
            points=_signed(rule.points),
        )
        if rule.both:
            yield message("wording.both")
        if rule.max is not None:
            yield message("wording.max", max=amount(rule.max))

    def _limits(self, rule: Rule) -> Iterator[Message]:
        for code in () if isinstance(rule, VetoRule) else rule.limits:
            limit = self._rulebook.limits[code]
            yield message(
                "wording.limit",
                title=limit.title or code,
                per=message(f"wording.window.{limit.per}"),
                sign=message(f"value.{limit.sign}"),
                max=amount(limit.max),
            )

    def _points(self, points: Points, event_type: EventType) -> Iterator[Message]:
        match points:
            case Fixed():
                yield message("wording.points", points=_signed(points.value))
            case Bands():
                steps = [message("wording.reaches", bound=written_number(at), points=_signed(to))
                         for at, to in points.bands]  # fmt: skip
                if points.otherwise is not None:
                    steps.append(message("wording.otherwise", points=_signed(points.otherwise)))
                yield message("wording.bands", field=_field(event_type, points.field), steps=self._list(steps))
            case Progressive():
                steps = [
                    message("wording.each_beyond", points=_signed(rate))
                    if bound is None
                    else message("wording.each_to", bound=written_number(bound), points=_signed(rate))
                    for bound, rate in points.steps
                ]
                yield message("wording.progressive", field=_field(event_type, points.field), steps=self._list(steps))
            case Share():
                share = written_number(points.share).replace("-", "−")
                yield message("wording.of_field", field=_field(event_type, points.field), share=share)
            case _:
                yield message("wording.sentence", said=self._table(points.field, points.rows, event_type, _signed))

    def _table(
        self, field: str, rows: Mapping[Value, Decimal], event_type: EventType, write: Callable[[Decimal], str]
    ) -> Message:
        steps = [message("wording.row", value=_choice(event_type, field, value), points=write(points))
                 for value, points in rows.items()]  # fmt: skip
        return message("wording.table", field=_field(event_type, field), steps=self._list(steps))

    def _factor(self, factor: Factor, event_type: EventType) -> Message:
        title = factor.title or render(message("wording.factor"), self._language)
        by: Message | str = written_number(Decimal(1) if factor.by is None else factor.by)
        if factor.table is not None and factor.field is not None:
            by = self._table(factor.field, factor.table, event_type, written_number)
        elif factor.field is not None:
            by = _field(event_type, factor.field)
        why: list[Message | str] = []
        if factor.when is not None:
            why.append(factor.when.sentence(self._language))
        if factor.repeat is not None:
            same = self._list(_field(event_type, name) for name in factor.repeat.same)
            said = "wording.repeat_same" if factor.repeat.same else "wording.repeat"
            why.append(message(said, days=factor.repeat.within_days, same=same))
        if why:
            return message("wording.multiplied_when", title=title, by=by, when=self._list(why))
        return message("wording.multiplied", title=title, by=by)

    def _tests(self, consequence: Consequence) -> str:
        if consequence.when is None:
            return render(message("wording.no_test"), self._language)
        tests = {name: getattr(consequence.when, name) for name in consequence.when.__struct_fields__}
        return self._list(
            message("wording.test", name=message(f"key.{name}"), bound=_bound(test))
            for name, test in tests.items()
            if test is not None
        )

    def _when(self, rule: EventRule | JointRule | VetoRule) -> Message | str:
        if rule.when is None:
            return ""
        return message("wording.when", sentence=rule.when.sentence(self._language))

    def _groups(self, groups: tuple[str, ...] | None) -> Message | str:
        return "" if groups is None else message("wording.groups", list=self._list(groups))

    def _titled(self, code: str) -> str:
        title = next((rule.title for rule in self._rulebook.rules if rule.code == code), "")
        return f"{code} {title}".strip()

    def _indicator(self, code: str) -> str:
        indicator = self._rulebook.indicators.get(code)
        return code if indicator is None else indicator.title or code

    def _list(self, items: Iterable[Message | str]) -> str:
        said = [render(item, self._language) if isinstance(item, Message) else item for item in items]
        return ("、" if self._language == "zh-CN" else ", ").join(said)


def _whom(charge: str) -> Message | str:
    return message("wording.itself") if charge == "subject" else _relation(charge)


def _relation(code: str) -> Message | str:
    return message(f"wording.relation.{code}") if code in RELATIONS else code


def _per(kind: str | None) -> Message | str:
    if kind is None:
        return message("wording.every_period")
    return message(f"wording.every.{kind}") if kind in _KINDS else message("wording.every", kind=kind)


def _field(event_type: EventType, name: str) -> Message | str:
    field = event_type.fields.get(name)
    return message("wording.field", field=name if field is None or not field.title else field.title)


def _choice(event_type: EventType, field: str, value: Value) -> str:
    held = event_type.fields.get(field)
    word = str(write_value(value))
    return word if held is None else held.choices.get(word) or word


def _signed(points: Decimal) -> str:
    said = amount(abs(points)) or ""
    return f"−{said}" if points < 0 else f"+{said}" if points > 0 else said


def _percent(share: Decimal) -> str:
    return f"{written_number(share * 100)}%"


def _bound(test: Decimal | int | bool) -> Message | str:
    if isinstance(test, bool):
        return message("comparison.yes" if test else "comparison.no")
    return written_number(Decimal(test))
