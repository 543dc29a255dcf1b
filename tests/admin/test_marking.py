"""Marking what moved: nothing is lost of either text, and a reader sees whole words."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from admin.marking import Piece, mark

TEXTS = st.text(alphabet='甲乙丙 ab10.="，。−', max_size=60)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_the_pieces(before: str, after: str) -> None:
    pieces = mark(before, after)
    assert "".join(each.text for each in pieces if each.kind != "ins") == before
    assert "".join(each.text for each in pieces if each.kind != "del") == after
    assert all(each.text for each in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


def test_numbers_and_words_are_marked_whole() -> None:
    assert mark("分值 −0.50。", "分值 −0.80。") == (
        Piece("same", "分值 −"), Piece("del", "0.50"), Piece("ins", "0.80"), Piece("same", "。"),
    )  # fmt: skip
    assert mark("", "新") == (Piece("ins", "新"),)
    assert mark("一样", "一样") == (Piece("same", "一样"),)


def test_a_very_long_text_is_marked_as_a_whole() -> None:
    old, new = "甲" * 2_000, "乙" * 2_000
    assert mark(old, new) == (Piece("del", old), Piece("ins", new))
