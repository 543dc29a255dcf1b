"""The menu (菜单): what pages there are, where, and for whom; the bar of every page and the tiles of the first."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from admin.readers import READERS
from admin.session import Person
from admin.tables import Role

Group = Literal["", "checks"]

_RECONCILING = (*READERS, Role.integrator)
_OWN, _ANYBODY = "own", "anybody"
"""Who is a subject or an assessing department and has said which; whoever is signed in."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A page. ``bar``: whether it stands in the bar; ``group``: under which heading there."""

    name: str
    path: str
    roles: tuple[str, ...]
    bar: bool = True
    group: Group = ""


ITEMS: tuple[Item, ...] = (
    Item(name="panel", path="/admin/", roles=(Role.office,)),
    Item(name="desk", path="/desk", roles=READERS),
    Item(name="publish", path="/publish", roles=READERS, bar=False),
    Item(name="periods", path="/periods", roles=(*READERS, Role.assessor)),
    Item(name="entries", path="/entries", roles=(*READERS, _OWN)),
    Item(name="appeals", path="/appeals", roles=(*READERS, Role.subject)),
    Item(name="receptions", path="/receptions", roles=_RECONCILING),
    Item(name="keys", path="/keys", roles=_RECONCILING, bar=False),
    Item(name="acts", path="/audit/acts", roles=READERS, group="checks"),
    Item(name="versions", path="/audit/versions", roles=(_ANYBODY,), group="checks"),
    Item(name="verification", path="/audit/verification", roles=READERS, group="checks"),
    Item(name="password", path="/password", roles=(_ANYBODY,), bar=False),
)


def items_for(person: Person) -> tuple[Item, ...]:
    """The pages that a person's roles open."""
    held = {*person.roles, _ANYBODY}
    if not person.subject:
        held -= {Role.assessor, Role.subject}
    elif held & {Role.assessor, Role.subject}:
        held |= {_OWN}
    return tuple(each for each in ITEMS if held & {str(role) for role in each.roles})


def bar_for(person: Person) -> Sequence[tuple[Group, tuple[Item, ...]]]:
    """The same for the bar: pages by themselves, and under their heading those that are grouped; a heading with one
    page is none."""
    shown = [each for each in items_for(person) if each.bar]
    grouped = tuple(each for each in shown if each.group)
    bar: list[tuple[Group, tuple[Item, ...]]] = [("", (each,)) for each in shown if not each.group]
    if grouped:
        bar.append(("checks" if len(grouped) > 1 else "", grouped))
    return bar
