"""Own benefit (利益回避): an approver whose own department a draft concerns is no second person for it."""

from typing import Any

import pytest

from admin.approving import approvers
from admin.changes import replace_draft
from admin.interests import Touched, interest, touched
from admin.tables import User
from engine.language import render
from rules.document import read_rulebook, write_rulebook
from rules.draft import draft_hash
from tests.admin.conftest import SignIn
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.anyio


def changed(**given: Any) -> dict[str, Any]:
    return write_rulebook(read_rulebook({**RULEBOOK, **given}))


def rules(code: str, **given: Any) -> list[Any]:
    return [{**each, **given} if each["rule"] == code else each for each in RULEBOOK["rules"]]


OLD = changed()
BETTER = {**RULEBOOK["indicators"], "I-SAT": {**RULEBOOK["indicators"]["I-SAT"], "full": "20"}}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({}, Touched()),
        ({"title": "another"}, Touched()),
        ({"indicators": BETTER}, Touched(indicators=frozenset({"I-SAT"}), owners={"B1": "I-SAT"})),
        ({"rules": rules("R1", points="-0.10")}, Touched(rules=frozenset({"R1"}), owners={"B2": "I-DOC"})),
        ({"rules": rules("D1", at_least=3)}, Touched(rules=frozenset({"D1"}), owners={"B1": "I-SAT"})),
        ({"rules": rules("P1", points="0.20")}, Touched(rules=frozenset({"P1"}))),
        ({"rules": [each for each in RULEBOOK["rules"] if each["rule"] != "R1"]},
         Touched(rules=frozenset({"R1"}), owners={"B2": "I-DOC"})),
    ],
)  # fmt: skip
def test_what_a_draft_touches(new: dict[str, Any], expected: Touched) -> None:
    assert touched(OLD, changed(**new)) == expected


def test_a_limit_touches_the_rules_that_are_under_it() -> None:
    limits = {"cap": {"title": "封顶", "sign": "deduction", "per": "quarter", "max": "1"}}
    under = rules("R1", limits=["cap"])
    before = changed(limits=limits, rules=under)
    after = changed(limits={"cap": {**limits["cap"], "max": "2"}}, rules=under)
    assert touched(before, after) == Touched(rules=frozenset({"R1"}), owners={"B2": "I-DOC"})


async def test_who_is_concerned(pool: object) -> None:
    await fill()
    owner = Touched(rules=frozenset({"R1"}), owners={"B2": "I-DOC"})
    charged = Touched(rules=frozenset({"R1"}))
    assert await interest("", owner) is None
    assert "B2" in render(await interest("B2", owner) or pytest.fail("not barred"))
    assert "R1" in render(await interest("B1", owner) or pytest.fail("not barred"), "en")  # E3 charged it
    assert await interest("P1", charged) is not None  # its unit was
    assert await interest("B1", Touched(rules=frozenset({"P1"}))) is None
    assert await interest("B1", Touched()) is None
    assert await interest("nobody", charged) is None


async def test_an_own_benefit_is_refused_in_words_and_never_counts(sign_in: SignIn) -> None:
    await fill()
    await replace_draft({**RULEBOOK, "rules": rules("R1", points="-0.10")}, "somebody")
    hashed = await draft_hash()
    own = await sign_in("own", "approver", subject="B2")
    other = await sign_in("other", "approver", subject="P9")
    refused = await own.post("/publish/approval", data={"hash": hashed})
    assert (refused.status_code, "您不能审批这份草稿" in refused.text) == (422, True)
    assert (await other.post("/publish/approval", data={"hash": hashed})).status_code == 303
    assert await approvers(hashed) == ("other",)
    await User.update({User.subject: "B1"}).where(User.username == "other")
    assert await approvers(hashed) == ()
