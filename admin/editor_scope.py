"""What the editor's pickers know (选择范围): event types with their fields, and whatever else a rule may name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from admin.editor_texts import TEXTS
from admin.texts import TEXTS as WORDS
from engine.field import EventType
from engine.language import Language, Message, render
from engine.organisation import Organisation
from engine.rulebook import JointRule
from engine.term import Names, Term, names_of
from rules.rule_scope import DraftScope

_PERIODS = ("month", "quarter", "half", "year")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to choose: its code, and what people read; ``on`` is the event type of a rule."""

    code: str
    title: str
    on: str = ""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A name that a condition may use."""

    name: str
    title: str
    type: str
    choices: tuple[Choice, ...] = ()
    days: bool = False


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """An event type and its fields."""

    code: str
    title: str
    fields: tuple[Named, ...]


class Pickers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the editor's script offers, and its words."""

    language: Language
    types: tuple[Typed, ...]
    context: tuple[Named, ...]
    charged: tuple[Named, ...]
    indicators: tuple[Choice, ...]
    limits: tuple[Choice, ...]
    relations: tuple[Choice, ...]
    rules: tuple[Choice, ...]
    groups: tuple[str, ...]
    posts: tuple[str, ...]
    periods: tuple[Choice, ...]
    words: Mapping[str, str]


def pickers(scope: DraftScope, organisation: Organisation, language: Language) -> Pickers:
    """What can be chosen in this draft and this organisation."""
    types = scope.rulebook.event_types.values()
    plain, factor = names_of([]), names_of([], factor=True)
    places = [place for subject in organisation.subjects.values() for place in subject.places]
    return Pickers(
        language=language,
        types=tuple(_typed(each, language) for each in types),
        context=_names(plain, plain, language),
        charged=_names(factor, [name for name in factor if name not in plain], language),
        indicators=tuple(Choice(code=each.code, title=each.title) for each in scope.rulebook.indicators.values()),
        limits=tuple(Choice(code=each.code, title=each.title) for each in scope.rulebook.limits.values()),
        relations=_relations(scope, organisation, language),
        rules=tuple(Choice(code=each.code, title=each.title, on=each.on) for each in scope.rules if each.on
                    and each.kind == "event"),
        groups=_distinct(place.group for place in places),
        posts=_distinct(place.post for place in places),
        periods=tuple(Choice(code=code, title=TEXTS[f"editor.period.{code}"][language == "en"]) for code in _PERIODS),
        words={key.removeprefix("editor."): said[language == "en"] for key, said in TEXTS.items()
               if key.startswith("editor.")},
    )  # fmt: skip


def next_code(scope: DraftScope, like: str = "") -> str:
    """A code for a new rule: one after the last of the commonest series (K41 after K40), or of the rule that it is
    like."""
    series = [(held[1], held[2]) for rule in scope.rules if (held := re.fullmatch(r"(.*?)(\d+)", rule.code))]
    own = re.fullmatch(r"(.*?)(\d+)\D*", like)
    if not series:
        return ""
    prefix = own[1] if own else Counter(name for name, _ in series).most_common(1)[0][0]
    numbers = [number for name, number in series if name == prefix]
    if not numbers:
        return ""
    width, last = max(map(len, numbers)), max(map(int, numbers))
    return f"{prefix}{last + 1:0{width}d}"


def _typed(each: EventType, language: Language) -> Typed:
    names = names_of([each])
    return Typed(code=each.code, title=each.title, fields=_names(names, each.fields, language))


def _names(names: Names, wanted: Iterable[str], language: Language) -> tuple[Named, ...]:
    return tuple(_named(names[name], language) for name in wanted if name in names)


def _named(term: Term, language: Language) -> Named:
    choices = tuple(Choice(code=code, title=_said(title, language)) for code, title in term.choices.items())
    return Named(name=term.name, title=_said(term.title, language), type=term.type, choices=choices, days=term.days)


def _said(title: str | Message, language: Language) -> str:
    return render(title, language) if isinstance(title, Message) else title


def _relations(scope: DraftScope, organisation: Organisation, language: Language) -> tuple[Choice, ...]:
    """The usual relations, and those that the organisation and the draft use."""
    used = [relation.relation for relation in organisation.relations]
    used += [rule.joint for rule in scope.rulebook.rules if isinstance(rule, JointRule)]
    usual = [name for name in WORDS if name.startswith("relation.")]
    known = dict.fromkeys([*(name.removeprefix("relation.") for name in usual), *sorted(set(used) - {""})])
    return tuple(
        Choice(code=code, title=WORDS[f"relation.{code}"][language == "en"] if f"relation.{code}" in WORDS else "")
        for code in known
    )


def _distinct(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({word for word in words if word}))
