"""The demonstration's organisation: 12 branches, 18 departments, 210 people, and who answers for whom.

Five bureau leaders supervise; every unit has a chief, who is its 主要负责人 and that of its people;
every branch has a lead department and co-operating ones. Some relations are dated: at ``turn`` one
branch changes its lead department, one department its supervising leader, three people their unit.
People are compared within their layer: heads of branches, heads of departments, deputies, staff.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from random import Random

import msgspec

from engine.organisation import Place, Relation, Subject

BRANCHES: Mapping[str, tuple[str, int]] = {
    "B-CHENGGUAN": ("城关税务分局", 13),
    "B-HEXI": ("河西税务分局", 11),
    "B-DONGJIAO": ("东郊税务分局", 10),
    "B-KAIFAQU": ("开发区税务分局", 10),
    "B-SHIQIAO": ("石桥税务所", 8),
    "B-LIULIN": ("柳林税务所", 8),
    "B-QINGXI": ("清溪税务所", 7),
    "B-BAISHA": ("白沙税务所", 7),
    "B-MATOU": ("码头税务所", 7),
    "B-YUNLING": ("云岭税务所", 6),
    "B-TAOYUAN": ("桃园税务所", 6),
    "B-SHUANGHE": ("双河税务所", 6),
}
DEPARTMENTS: Mapping[str, tuple[str, int]] = {
    "D-OFFICE": ("办公室", 9),
    "D-LEGAL": ("法制股", 6),
    "D-REVENUE": ("收入核算股", 7),
    "D-SERVICE": ("纳税服务股", 8),
    "D-COLLECT": ("征收管理股", 8),
    "D-GOODS": ("货物和劳务税股", 6),
    "D-INCOME": ("所得税股", 6),
    "D-PROPERTY": ("财产和行为税股", 5),
    "D-SOCIAL": ("社会保险费和非税收入股", 6),
    "D-RISK": ("税收风险管理股", 6),
    "D-HR": ("人事教育股", 7),
    "D-PARTY": ("党建工作股", 5),
    "D-FINANCE": ("财务管理股", 6),
    "D-CONDUCT": ("纪检监督股", 5),
    "D-PERFORM": ("绩效管理办公室", 4),
    "D-INFO": ("信息中心", 5),
    "D-LOGISTICS": ("机关服务中心", 4),
    "D-AUDIT": ("督察内审股", 3),
}
LEADERS = ("L1", "L2", "L3", "L4", "L5")
SUPERVISED: Mapping[str, tuple[str, ...]] = {
    "L1": ("D-OFFICE", "D-FINANCE", "D-PERFORM", "D-AUDIT", "B-CHENGGUAN", "B-YUNLING"),
    "L2": ("D-REVENUE", "D-SOCIAL", "D-PROPERTY", "B-HEXI", "B-SHIQIAO", "B-TAOYUAN"),
    "L3": ("D-LEGAL", "D-RISK", "D-GOODS", "D-INCOME", "B-DONGJIAO", "B-BAISHA", "B-SHUANGHE"),
    "L4": ("D-SERVICE", "D-COLLECT", "D-INFO", "B-KAIFAQU", "B-MATOU", "B-QINGXI"),
    "L5": ("D-HR", "D-PARTY", "D-CONDUCT", "D-LOGISTICS", "B-LIULIN"),
}
GUIDED: Mapping[str, tuple[str, str, str]] = {
    "B-CHENGGUAN": ("D-SERVICE", "D-COLLECT", "D-INFO"),
    "B-HEXI": ("D-REVENUE", "D-GOODS", "D-HR"),
    "B-DONGJIAO": ("D-COLLECT", "D-LEGAL", "D-PARTY"),
    "B-KAIFAQU": ("D-INCOME", "D-REVENUE", "D-AUDIT"),
    "B-SHIQIAO": ("D-SOCIAL", "D-PROPERTY", "D-FINANCE"),
    "B-LIULIN": ("D-PROPERTY", "D-SERVICE", "D-LOGISTICS"),
    "B-QINGXI": ("D-GOODS", "D-RISK", "D-CONDUCT"),
    "B-BAISHA": ("D-RISK", "D-INFO", "D-PARTY"),
    "B-MATOU": ("D-LEGAL", "D-INCOME", "D-FINANCE"),
    "B-YUNLING": ("D-HR", "D-SOCIAL", "D-PERFORM"),
    "B-TAOYUAN": ("D-PARTY", "D-RISK", "D-LOGISTICS"),
    "B-SHUANGHE": ("D-INFO", "D-GOODS", "D-AUDIT"),
}
"""Branch → its lead department (牵头), then those that co-operate (协办)."""
ABOVE: Mapping[str, str] = {
    "B-SHIQIAO": "B-CHENGGUAN",
    "B-LIULIN": "B-CHENGGUAN",
    "B-QINGXI": "B-HEXI",
    "B-BAISHA": "B-HEXI",
    "B-MATOU": "B-DONGJIAO",
    "B-YUNLING": "B-DONGJIAO",
    "B-TAOYUAN": "B-KAIFAQU",
    "B-SHUANGHE": "B-KAIFAQU",
}
OWNERS: Mapping[str, str] = {
    "I-REV": "D-REVENUE",
    "I-SERVICE": "D-SERVICE",
    "I-ENFORCE": "D-LEGAL",
    "I-NODE": "D-PERFORM",
    "I-RANK": "D-PERFORM",
    "I-360": "D-HR",
    "I-DATA": "D-COLLECT",
    "I-DOC": "D-OFFICE",
    "I-POST": "D-HR",
    "I-ABILITY": "D-HR",
    "I-CONDUCT": "D-CONDUCT",
    "I-OPINION": "D-HR",
    "I-ROTATE": "D-HR",
    "I-MERIT": "D-PERFORM",
    "I-TASK": "D-HR",
}
PAPERS_LED_BY_OFFICE = ("B-QINGXI", "B-MATOU")

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN = (
    "建军志强海涛春梅秀英丽华晓红玉兰桂芳文斌国庆永胜俊杰雪琴慧敏立新红霞卫东金凤长河新民素珍振华淑贤明亮"
    "婷婷志远雅琴宏伟晓燕德顺美玲家兴翠萍学文思雨浩然佳怡子涵梦洁永康彩云守义月娥庆丰小军爱民凤英培林静怡"
)
"""Given names, two characters each, one after the other."""


class County(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation, and the codes by which events are drawn."""

    subjects: tuple[Subject, ...]
    relations: tuple[Relation, ...]
    units: tuple[str, ...]
    staff: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]]


def settle_people(random: Random, turn: date) -> County:
    """Units, people and relations; what changes during the year changes on ``turn``."""
    names = _names(random, 210)
    leaders = [_person(code, next(names), Place(kind="person", group="leader", post="leader")) for code in LEADERS]
    sizes = {**BRANCHES, **DEPARTMENTS}
    numbers = iter(range(1, 1_000))
    members = {unit: tuple(f"P{next(numbers):03}" for _ in range(size)) for unit, (_, size) in sizes.items()}
    moved = _moves(random, members)
    people = [
        _person(code, next(names), *_places(unit, place, codes, moved.get(code), turn))
        for unit, codes in members.items()
        for place, code in enumerate(codes)
    ]
    return County(
        subjects=(*_units("branch", BRANCHES), *_units("department", DEPARTMENTS), *leaders, *people),
        relations=tuple(_relations(members, moved, turn)),
        units=tuple(sizes),
        staff=tuple(person.code for person in people),
        members=members,
    )


def _names(random: Random, count: int) -> Iterator[str]:
    given = [GIVEN[place : place + 2] for place in range(0, len(GIVEN), 2)]
    every = [surname + name for surname in SURNAMES for name in given]
    return iter(random.sample(every, count))


def _units(group: str, named: Mapping[str, tuple[str, int]]) -> list[Subject]:
    return [
        Subject(code=code, name=name, places=(Place(kind="unit", group=group),)) for code, (name, _) in named.items()
    ]


def _person(code: str, name: str, *places: Place) -> Subject:
    return Subject(code=code, name=name, places=places)


def _places(unit: str, place: int, codes: tuple[str, ...], to: str | None, turn: date) -> list[Place]:
    deputies = 2 if len(codes) >= 10 else 1
    post = "chief" if place == 0 else "deputy" if place <= deputies else "staff"
    layer = post if place else "branch-chief" if unit in BRANCHES else "section-chief"
    before = Place(kind="person", group=layer, unit=unit, post=post)
    return [before] if to is None else [before, msgspec.structs.replace(before, unit=to, since=turn)]


def _moves(random: Random, members: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Three of the youngest, each of another branch, move to another branch."""
    leaving = random.sample(sorted(BRANCHES), 6)
    return {members[unit][-1]: to for unit, to in zip(leaving[:3], leaving[3:], strict=True)}


def _relations(members: Mapping[str, tuple[str, ...]], moved: Mapping[str, str], turn: date) -> Iterator[Relation]:
    for unit, codes in members.items():
        yield Relation(subject=unit, relation="principal", answers=codes[0])
        for code in codes[1:]:
            to = moved.get(code)
            yield Relation(subject=code, relation="principal", answers=codes[0], end=turn if to else None)
            if to is not None:
                yield Relation(subject=code, relation="principal", answers=members[to][0], start=turn)
    for leader, units in SUPERVISED.items():
        for unit in units:
            ends = turn if unit == "D-INFO" else None
            yield Relation(subject=unit, relation="supervising_leader", answers=leader, end=ends)
    yield Relation(subject="D-INFO", relation="supervising_leader", answers="L1", start=turn)
    for branch, (lead, *others) in GUIDED.items():
        yield Relation(subject=branch, relation="lead_dept", answers=lead, end=turn if branch == "B-HEXI" else None)
        for other in others:
            yield Relation(subject=branch, relation="co_dept", answers=other)
        for indicator, owner in OWNERS.items():
            yield Relation(subject=branch, relation="owner", answers=owner, indicator=indicator)
    yield Relation(subject="B-HEXI", relation="lead_dept", answers="D-SOCIAL", start=turn)
    for branch in PAPERS_LED_BY_OFFICE:
        yield Relation(subject=branch, relation="lead_dept", answers="D-OFFICE", indicator="I-DOC")
    for below, above in ABOVE.items():
        yield Relation(subject=below, relation="superior", answers=above)
        yield Relation(subject=above, relation="subordinate", answers=below)
