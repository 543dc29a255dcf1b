"""Why a rank: who is ahead, who is equal, and where the tiers end; always as the figures have it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.ranking import edges, rank, why_ranked

VALUES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(90, 99).map(Decimal), min_size=1)
SHARES = st.lists(st.sampled_from([Decimal(30), Decimal("33.3"), Decimal(40)]), max_size=3)


def test_worked_by_hand() -> None:
    values = {code: Decimal(value) for code, value in {"A": 99, "B": 97, "C": 97, "D": 95, "E": 90}.items()}
    why = why_ranked(values, "C", [Decimal(30), Decimal(40), Decimal(30)])
    assert why is not None
    assert (why.rank, why.among, why.ahead, why.tied) == (2, 5, (("A", Decimal(99)),), ("B",))
    # 5 × 30% = 1.5, half up 2; 5 × 70% = 3.5, half up 4; 5
    assert [(tier.number, str(tier.share), tier.last) for tier in why.tiers] == [
        (1, "30", 2),
        (2, "70", 4),
        (3, "100", 5),
    ]
    assert why.tier == 1
    assert why_ranked(values, "Z", []) is None


@given(VALUES, SHARES)
def test_it_is_the_rank_that_the_figures_have(values: dict[str, Decimal], shares: list[Decimal]) -> None:
    ranks = rank(values)
    for code in values:
        why = why_ranked(values, code, shares)
        assert why is not None
        assert why.rank == ranks[code] == len(why.ahead) + 1
        assert {other for other, _ in why.ahead} == {other for other in values if ranks[other] < ranks[code]}
        assert {*why.tied, code} == {other for other in values if ranks[other] == ranks[code]}
        assert why.tiers == edges(shares, len(values))
        assert why.tier == next((tier.number for tier in why.tiers if why.rank <= tier.last), None)
