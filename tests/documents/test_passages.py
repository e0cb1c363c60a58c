import itertools

from hypothesis import given
from hypothesis import strategies as st

from documents.parse.model import Part, assemble
from documents.parse.plain import parse
from documents.passages import split
from tests.documents import samples

WORDS = st.sampled_from(["word", "Leave", "is", "paid.", "25", "days!", "x" * 70, "•", "|", "\n", "\n\n", "čl.", "Да."])
PARTS = st.lists(
    st.tuples(st.sampled_from(["page", "section", "sheet"]), st.lists(WORDS, max_size=80).map(" ".join)),
    min_size=1,
    max_size=5,
)


def assembled(parts):
    numbered = [Part(kind, n, f"label {n}", (f"heading {n}",), text) for n, (kind, text) in enumerate(parts, 1)]
    return assemble("txt", [*numbered, Part("page", 99, "99", (), "End.")])


def page_of(*blocks):
    return assembled([("page", "\n\n".join(blocks))])


@given(PARTS, st.integers(min_value=3, max_value=40))
def test_passages_are_exact_ranges_that_hold_every_word_once(parts, max_words):
    parsed = assembled(parts)

    pieces = split(parsed.text, parsed.sections, max_words=max_words)

    assert [piece.position for piece in pieces] == list(range(len(pieces)))
    for piece in pieces:
        assert parsed.text[piece.start : piece.end] == piece.text
        assert piece.text.strip() == piece.text != ""
        assert len(piece.text.split()) <= max_words
        inside = [s for s in parsed.sections if s.start <= piece.start and piece.end <= s.end]
        assert len(inside) == 1
        assert (piece.locator, piece.heading) == (inside[0].label, inside[0].heading)
        assert piece.page == (None if inside[0].kind == "section" else inside[0].number)
    for before, after in itertools.pairwise(pieces):
        assert before.end <= after.start
    assert "".join("".join(p.text for p in pieces).split()) == "".join(parsed.text.split())


def test_a_last_crumb_joins_the_passage_before_it_and_takes_the_place_of_none():
    text = "word paid. Leave " + "word " * 11 + f"{'x' * 70} {'x' * 70} \n\n word"
    parsed = assembled([("page", text)])

    pieces = split(parsed.text, parsed.sections, max_words=10)

    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(parsed.text.split())
    assert len({piece.start for piece in pieces}) == len(pieces)


def test_a_passage_ends_with_a_sentence():
    sentence = "Every employee has the right to paid leave in each year."
    parsed = page_of(" ".join([sentence] * 30))

    pieces = split(parsed.text, parsed.sections, max_words=100)[:-1]

    assert len(pieces) == 4
    assert all(piece.text.endswith("year.") and piece.text.startswith("Every") for piece in pieces)


def test_passages_of_a_page_are_of_even_size():
    parsed = page_of(" ".join(f"This is sentence number {n} of them." for n in range(28)))

    sizes = [len(piece.text.split()) for piece in split(parsed.text, parsed.sections, max_words=180)[:-1]]

    assert len(sizes) == 2
    assert max(sizes) - min(sizes) <= 14


def test_a_heading_goes_with_what_follows_it():
    body = " ".join(["Leave is paid by the company in full."] * 7)
    parsed = page_of(body, "Parental leave", body)

    first, second, _ = split(parsed.text, parsed.sections, max_words=60)

    assert first.text.endswith("in full.")
    assert second.text.startswith("Parental leave\n\nLeave is paid")


def test_a_sentence_too_long_for_a_passage_is_cut_between_words():
    parsed = page_of(" ".join(f"w{n}" for n in range(250)))

    pieces = split(parsed.text, parsed.sections, max_words=100)[:-1]

    assert [len(piece.text.split()) for piece in pieces] == [100, 100, 50]


def test_a_megabyte_without_a_space_is_cut_all_the_same(tmp_path):
    parsed = parse(samples.text(tmp_path / "a.txt", "x" * 1_000_000))

    pieces = split(parsed.text, parsed.sections)

    assert max(len(piece.text) for piece in pieces) <= 180 * 25
    assert "".join(piece.text for piece in pieces) == parsed.text


def test_pages_without_text_have_no_passages():
    parsed = assembled([("page", ""), ("page", " \n ")])

    assert [piece.text for piece in split(parsed.text, parsed.sections)] == ["End."]
