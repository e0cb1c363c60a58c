"""The difference between two forms of a text spells both of them."""

from hypothesis import given
from hypothesis import strategies as st

from documents.changes.differences import Piece, difference


@given(st.text(max_size=200), st.text(max_size=200))
def test_pieces_spell_the_text_before_and_the_text_after(before: str, after: str) -> None:
    pieces = difference(before, after)

    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after


def test_changed_word_is_one_piece_out_and_one_piece_in() -> None:
    pieces = difference("Due within 30 days. [1]", "Due within 45 days. [1]")

    assert pieces == [
        Piece("same", "Due within "),
        Piece("removed", "30"),
        Piece("added", "45"),
        Piece("same", " days. [1]"),
    ]


def test_citation_mark_is_never_cut_in_two() -> None:
    pieces = difference("Due. [1]", "Due. [12]")

    assert [p.text for p in pieces if p.kind != "same"] == ["[1]", "[12]"]
