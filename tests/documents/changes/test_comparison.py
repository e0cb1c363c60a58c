"""What changed between two texts: nothing invented, nothing lost, and bounded whatever they hold."""

import random

from hypothesis import given
from hypothesis import strategies as st

from documents.changes import comparison, differences
from documents.changes.comparison import MOST_SHOWN, Change, Text, Unchanged, compare
from documents.changes.differences import Piece, gaps

PARAGRAPHS = [f"Paragraph {n} says that rule {n} holds." for n in range(200)]


def text_of(paragraphs):
    return Text("\n\n".join(paragraphs), [])


def changes_of(found):
    return [row for row in found.rows if isinstance(row, Change)]


LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), max_size=30)


@given(LINES, LINES)
def test_what_lies_between_two_gaps_is_the_same_on_both_sides(before, after):
    done = new_done = 0
    for low, high, new_low, new_high in [*gaps(before, after), (len(before), len(before), len(after), len(after))]:
        assert before[done:low] == after[new_done:new_low]
        assert (low, new_low) != (high, new_high) or low == len(before)
        done, new_done = high, new_high


def test_a_reworded_paragraph_is_shown_word_by_word_and_the_others_are_folded():
    after = [*PARAGRAPHS]
    after[100] = after[100].replace("holds", "no longer holds")

    found = compare(text_of(PARAGRAPHS), text_of(after))

    before, change, following = found.rows
    assert (before.count, following.count) == (100, 99)
    assert change.kind == "changed"
    assert Piece("added", " no longer") in change.pieces
    assert found.total == 1


def test_added_and_removed_paragraphs_have_a_place_on_their_side_alone():
    found = compare(text_of(PARAGRAPHS[:3]), text_of([PARAGRAPHS[0], "New.", PARAGRAPHS[1]]))

    added, removed = changes_of(found)
    assert (added.kind, added.before, added.pieces) == ("added", None, [Piece("added", "New.")])
    assert (removed.kind, removed.after, removed.pieces) == ("removed", None, [Piece("removed", PARAGRAPHS[2])])


def test_lines_that_only_break_elsewhere_are_no_change():
    found = compare(Text("Leave lasts\n26  weeks.", []), Text("Leave lasts 26\nweeks.", []))

    assert (found.total, found.rows) == (0, [Unchanged(1, ["Leave lasts 26 weeks."])])


def test_paragraphs_that_were_joined_differ_in_their_words_alone():
    before = Text("Suppliers\nThe check takes five days.", [])
    after = Text("Suppliers\n\nThe check takes three days.", [])

    (change,) = changes_of(compare(before, after))

    assert [(piece.kind, piece.text) for piece in change.pieces if piece.kind != "same"] == [
        ("removed", "five"),
        ("added", "three"),
    ]


def test_a_text_that_was_replaced_is_shown_whole_and_not_as_a_salad_of_words():
    found = compare(Text("The old rule applies to all of us here.", []), Text("Nobody knows what comes.", []))

    assert [piece.kind for piece in changes_of(found)[0].pieces] == ["removed", "same", "added"]


def test_many_changes_fall_on_pages_that_go_on_where_the_one_before_ended(monkeypatch):
    monkeypatch.setattr(comparison, "PER_PAGE", 10)
    after = [f"{one} Indeed." if n % 2 else one for n, one in enumerate(PARAGRAPHS)]

    pages = [compare(text_of(PARAGRAPHS), text_of(after), page=number) for number in range(1, 12)]

    numbers = [change.number for page in pages[:10] for change in changes_of(page)]
    assert numbers == list(range(1, 101))
    assert pages[10] == pages[9]
    assert {(page.total, page.pages) for page in pages} == {(100, 10)}
    assert [row.texts[-1] for row in pages[0].rows if isinstance(row, Unchanged)] == PARAGRAPHS[:22:2]


def test_a_book_that_was_written_anew_is_compared_in_bounds():
    chance = random.Random(7)
    words = [f"w{chance.randrange(50)}" for _ in range(60_000)]
    before = Text("\n".join(words[:30_000]), [])
    after = Text("\n".join(words[30_000:]), [])

    found = compare(before, after)

    shown = sum(len(piece.text) for change in changes_of(found) for piece in change.pieces)
    assert shown <= 3 * MOST_SHOWN * comparison.PER_PAGE
    assert any(change.left_out for change in changes_of(found))


def test_all_changes_of_a_page_together_are_compared_in_bounds(monkeypatch):
    before, after = [], []
    for number in range(comparison.PER_PAGE):
        before += [f"Rule {number}.", f"old{number} " + "word " * 300]
        after += [f"Rule {number}.", f"new{number} " + "word other " * 300]
    compared = []
    real = differences.SequenceMatcher

    def counted(junk, old, new, **how):
        compared.append(sum(old.count(each) * new.count(each) for each in set(old) if not each.isspace()))
        return real(junk, old, new, **how)

    monkeypatch.setattr(differences, "SequenceMatcher", counted)
    changes = changes_of(compare(text_of(before), text_of(after)))

    assert len(changes) == comparison.PER_PAGE
    assert compared
    assert sum(compared) <= differences.Room().pairs
    # Those that came too late are shown whole for whole, and as much of them.
    assert [piece.kind for piece in changes[-1].pieces] == ["removed", "added"]
    assert changes[-1].pieces[1].text.split() == after[-1].split()


def test_a_long_stretch_of_the_same_inside_a_change_is_left_out():
    middle = " ".join(f"word{n}" for n in range(400))

    (change,) = changes_of(compare(Text(f"Old {middle} end.", []), Text(f"New {middle} finish.", [])))

    assert [piece.kind for piece in change.pieces].count("folded") == 1
    assert sum(len(piece.text) for piece in change.pieces) < 600
