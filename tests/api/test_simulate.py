"""``jikao simulate``: sentences for people, JSON for machines."""

import json

import pytest

from admin.changes import replace_draft
from api.embedded import Database
from rules.tree import load_yaml
from tests.api.test_chain import command
from tests.small_office import RULEBOOK, fill

pytestmark = pytest.mark.anyio


async def test_it_says_who_gains_and_who_loses(pool: Database) -> None:
    await fill()
    rules = [{**rule, "points": "-1.50"} if rule["rule"] == "R1" else rule for rule in RULEBOOK["rules"]]
    await replace_draft(load_yaml(json.dumps({**RULEBOOK, "rules": rules}))[0].raw, "somebody")
    code, out, complaints = await command(pool, "simulate", "--period", "2026-01")
    assert code == 0, complaints
    assert "2026-01 by the draft (3 events): 0 subjects would gain, 2 lose" in out
    assert "B1  96.60 → 90.60 (-6.00)  rank 2 → 2" in out
    assert complaints.splitlines() == ["scoring anew", "posting anew", "settling anew"]
    code, out, _ = await command(pool, "simulate", "--period", "2026-01", "--version", "1")
    assert (code, out.count("nothing would change")) == (0, 1)
    code, out, _ = await command(
        pool, "simulate", "--period", "2026-01", "--from", "2026-01-13T00:00:00+08:00", "--json"
    )
    told = json.loads(out)
    assert (code, told["changed"], told["ruled"], told["entries"], told["version"]) == (0, 0, 0, [], None)
    code, out, _ = await command(pool, "simulate", "--period", "2026-01", "--json")
    told = json.loads(out)
    assert [(each["event"], each["before"], each["after"]) for each in told["entries"]] == [("E3", "-1.00", "-3.00")]


async def test_what_is_no_question_is_refused(pool: Database) -> None:
    await fill()
    for arguments, code, said in (
        (("--period", "2026-13", "--version", "1"), 1, "there is no period 2026-13"),
        (("--period", "2026-01"), 1, "there is no draft yet"),
        (("--period", "2026-01", "--version", "2"), 1, "there is no version 2"),
        (("--period", "2026-01", "--from", "soon"), 2, "--from soon"),
        ((), 2, "--period"),
    ):
        ended, _, complaints = await command(pool, "simulate", *arguments)
        assert ended == code, complaints
        assert said in complaints
