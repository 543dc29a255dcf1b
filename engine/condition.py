"""A condition (条件): when a rule applies, checked against what its events may say.

How it is judged is in :mod:`engine.judging`.
"""

from dataclasses import dataclass, field

from engine.condition_check import check
from engine.condition_sentence import say
from engine.evidence import Evidence, explain
from engine.expression import And, Call, Comparison, Constant, Name, Node, Not, Or, read
from engine.judging import judge
from engine.language import DEFAULT, Language
from engine.matching import Facts
from engine.term import Names


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read and makes sense."""

    text: str
    tree: Node
    names: Names = field(compare=False, repr=False)

    def judge(self, facts: Facts) -> bool | None:
        """Whether it holds; None where that is unknown."""
        return judge(self.tree, facts)

    def explain(self, facts: Facts) -> Evidence:
        """How every comparison of it came out, also those that no longer mattered."""
        return explain(self.tree, facts, self.names)

    def sentence(self, language: Language = DEFAULT) -> str:
        """The condition in words, fields and choices by their titles."""
        return say(self.tree, self.names, language)


def parse(text: str, names: Names) -> Condition:
    """The condition of a text; raises :class:`~engine.expression.ConditionError` with the column of what is wrong."""
    tree = read(text)
    check(tree, names)
    return Condition(text, tree, {name: names[name] for name in sorted(_used(tree))})


def _used(node: Node) -> set[str]:
    match node:
        case And(parts) | Or(parts):
            return set().union(*map(_used, parts))
        case Not(part):
            return _used(part)
        case Call(name=name):
            return {name.name}
        case Comparison(left=left, right=right):
            return {operand.name for operand in (left, right) if isinstance(operand, Name)}
        case Name(name):
            return {name}
        case Constant():
            return set()
