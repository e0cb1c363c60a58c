"""Finding in a document: as people type, in either script, over line ends, and exactly where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.analysis import fold
from documents.viewer import finding
from documents.viewer.finding import find


def quotes(text, wanted):
    return [text[start:end] for start, end in find(text, wanted).places]


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("Leave. On leave, unleavened.", "LEAVE", ["Leave", "leave", "leave"]),
        ("Годишњи одмор траје 25 дана.", "godisnji odmor", ["Годишњи одмор"]),
        ("Godišnji odmor traje.", "годишњи", ["Godišnji"]),
        ("Ђурађ, љубав, џеп, ЊИВА", "dž", ["џ"]),
        ("Ђурађ, љубав, џеп, ЊИВА", "ljub", ["љуб"]),
        ("Ђурађ, љубав, џеп, ЊИВА", "njiva", ["ЊИВА"]),
        ("the annual\nleave", "annual  leave", ["annual\nleave"]),
        ("Straße and ﬁle", "strasse", ["Straße"]),
        ("Straße and ﬁle", "file", ["ﬁle"]),
        ("a.b (c) [d]*", "(c) [d]*", ["(c) [d]*"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("anything", "   ", []),
        ("", "a", []),
    ],
)
def test_it_is_found_where_a_reader_would_find_it(text, wanted, found):
    assert quotes(text, wanted) == found


def test_a_place_that_lies_on_two_blocks_is_found():
    text = "č " * 5_000 + "parental leave " + "š " * 5_000

    assert quotes(text, "parental leave") == ["parental leave"]
    assert find(text, "š").more


def test_so_many_places_are_told_and_no_more(monkeypatch):
    monkeypatch.setattr(finding, "MOST", 3)

    assert find("a a a", "a").more is False
    assert find("a a a a", "a") == finding.Found([(0, 1), (2, 3), (4, 5)], more=True)


LETTERS = "aAčЧљЉßﬁ …\n\u00ad\u0301"


@given(st.text(st.sampled_from(LETTERS), max_size=60), st.data())
def test_every_piece_of_a_text_is_found_in_it_and_what_is_found_reads_like_it(text, data):
    start = data.draw(st.integers(0, len(text)))
    wanted = text[start : start + data.draw(st.integers(1, 6))]

    found = find(text, wanted)

    assert bool(found.places) == bool(fold(wanted).split())
    assert all(fold(text[low:high]).split() for low, high in found.places)
    assert all(before[1] <= after[0] for before, after in zip(found.places, found.places[1:], strict=False))
