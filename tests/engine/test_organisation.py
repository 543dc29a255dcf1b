"""Who answers for whom: dated relations, special ones first, and what is stated twice."""

from datetime import date

from engine.organisation import Organisation, Relation

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def test_of_a_relation_stated_twice_the_last_holds() -> None:
    first = Relation(subject="U1", relation="lead_dept", answers="D1", start=MARCH)
    ended = Relation(subject="U1", relation="lead_dept", answers="D1", start=MARCH, end=APRIL)
    organisation = Organisation(relations=[first, ended])
    assert organisation.answering("U1", "lead_dept", date(2026, 3, 31)) == ("D1",)
    assert organisation.answering("U1", "lead_dept", APRIL) == ()


def test_where_one_serves_the_indicator_the_general_ones_are_not_asked() -> None:
    general = Relation(subject="U1", relation="lead_dept", answers="D1")
    special = Relation(subject="U1", relation="lead_dept", answers="D9", indicator="I-REV", end=APRIL)
    organisation = Organisation(relations=[general, special])
    assert organisation.answering("U1", "lead_dept", MARCH, "I-REV") == ("D9",)
    assert organisation.answering("U1", "lead_dept", APRIL, "I-REV") == ("D1",)
    assert organisation.answering("U1", "lead_dept", MARCH, "I-SAT") == ("D1",)
    assert organisation.answering("U1", "lead_dept", MARCH) == ("D1",)
