"""The viewer's text: the stored characters, cut into pages and blocks, with exactly the cited ones marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.viewer.blocks import paragraphs, shown
from documents.viewer.leaves import leaves


def section(kind, number, start, end, heading=(), label=""):
    return {
        "kind": kind,
        "number": number,
        "label": label or str(number),
        "heading": list(heading),
        "start": start,
        "end": end,
    }


def one(text, *heading):
    return leaves([section("section", 1, 0, len(text), heading)], text)[0]


def lines_of(block):
    return ["".join(span.text for span in row[0]) for row in block.rows]


def marked(view):
    return [span.text for block in view for row in block.rows for cell in row for span in cell if span.cited]


def cells_of(block):
    return [["".join(span.text for span in cell) for cell in row] for row in block.rows]


# --- Blocks -------------------------------------------------------------------------------------------------


def test_a_section_begins_with_its_headings():
    text = "Leave\n\nParental leave\n\nIt lasts 26 weeks.\n\nLeave\n\nagain"

    view = shown(text, one(text, "Leave", "Parental leave"))

    assert [(block.kind, block.level) for block in view[:2]] == [("heading", 2), ("heading", 3)]
    assert [block.kind for block in view[2:]] == ["paragraph"] * 3


def test_an_attachment_stands_under_its_name_which_is_no_part_of_the_text():
    text = "Leave\n\nSee the plan.\n\nTeam | Days\nTeam: Sales | Days: 4\n\nMore."
    cut = text.index("Team")
    parts = [section("section", 1, 0, cut - 2, ["Leave"]), section("section", 2, cut, len(text), ["plan.csv"])]

    view = shown(text, leaves(parts, text)[0], (cut, cut + 4))

    assert [(block.kind, block.columns) for block in view if block.kind == "name"] == [("name", ["plan.csv"])]
    assert [block.kind for block in view] == ["heading", "paragraph", "name", "table", "paragraph"]
    assert marked(view) == ["Team"]


def test_wrapped_lines_are_joined_and_lines_ended_on_purpose_kept():
    text = (
        "Every employee has 25 working days of paid annual leave, and those\n"
        "who work part-time have a part of it.\n"
        "Leave is requested in the calendar.\n"
        "Short heading\n"
        "Up to five unused days may be carried over into the following year\n"
        "until 31 March."
    )

    (block,) = shown(text, one(text))

    assert [line.replace("\n", " ") for line in lines_of(block)] == [
        "Every employee has 25 working days of paid annual leave, and those who work part-time have a part of it.",
        "Leave is requested in the calendar.",
        "Short heading",
        "Up to five unused days may be carried over into the following year until 31 March.",
    ]


def test_indented_lines_stay_as_they_are():
    text = "def ask():\n    return 1\n    # done"

    (block,) = shown(text, one(text))

    assert block.verbatim
    assert lines_of(block) == text.split("\n")


def test_rows_that_name_their_columns_become_a_table():
    text = "Role | Limit\nRole: Manager | Limit: 5,000\nRole: Director\nRole: Clerk | Limit: 10"
    cited = text.index("Role: Manager | Limit: 5,000")

    (block,) = (view := shown(text, one(text), (cited, cited + 28)))

    assert block.columns == ["Role", "Limit"]
    assert cells_of(block) == [["Manager", "5,000"], ["Director", ""], ["Clerk", "10"]]
    assert marked(view) == ["Manager", "5,000"]


def test_later_rows_of_a_table_keep_their_columns():
    text = "City: Trieste | Rate: 44\nCity: Koper | Rate: 38"

    (block,) = shown(text, one(text))

    assert block.columns == ["City", "Rate"]
    assert cells_of(block) == [["Trieste", "44"], ["Koper", "38"]]


def test_rows_without_names_are_shown_cell_by_cell():
    text = "Manager | 5,000\nDirector | 50,000 | per year"

    (block,) = shown(text, one(text))

    assert block.columns == []
    assert cells_of(block) == [["Manager", "5,000"], ["Director", "50,000", "per year"]]


def test_a_cited_head_of_a_table_is_shown_as_a_row_too():
    text = "Role | Limit\nRole: Manager | Limit: 5,000\nRole: Clerk | Limit: 10"

    assert marked(shown(text, one(text), (0, 12))) == ["Role", "Limit"]


@pytest.mark.parametrize("cited", [None, (0, 0), (500, 600)])
def test_nothing_is_marked_without_a_citation_on_the_page(cited):
    text = "It lasts 26 weeks.\n\nIt is paid."

    assert marked(shown(text, one(text), cited)) == []


def test_what_is_looked_for_is_marked_beside_the_citation_and_inside_of_it():
    text = "Leave lasts 26 weeks. Leave is paid."
    found = [(0, 5), (22, 27)]

    (block,) = shown(text, one(text), (0, 21), found, (22, 27))

    spans = [(span.text, span.cited, span.found, span.chosen, span.first) for span in block.rows[0][0]]
    assert spans == [
        ("Leave", True, True, False, True),
        (" lasts 26 weeks.", True, False, False, False),
        (" ", False, False, False, False),
        ("Leave", False, True, True, True),
        (" is paid.", False, False, False, False),
    ]


def test_a_column_that_is_looked_for_is_named_in_each_of_its_rows():
    text = "Role: Manager | Limit: 5,000\nRole: Clerk | Limit: 10"
    found = [(16, 21), (43, 48)]
    assert [text[slice(*place)] for place in found] == ["Limit", "Limit"]

    (block,) = shown(text, one(text), None, found, found[1])

    assert cells_of(block) == [["Manager", "Limit: 5,000"], ["Clerk", "Limit: 10"]]


def test_paragraphs_are_told_apart_and_rows_of_a_table_one_by_one():
    text = "Leave\nlasts.\n\nA | B\nC | D\n\ndef f():\n    pass\n\n" + "One sentence. " * 400

    found = [text[start:end] for start, end in paragraphs(text)]

    assert found[:5] == ["Leave\nlasts.", "A | B", "C | D", "def f():", "    pass"]
    assert found[5:] == ["One sentence."] * 400


TEXTS = st.text(st.sampled_from("ab.| :\n\n "), max_size=120)


@given(TEXTS, st.integers(0, 120), st.integers(1, 60))
def test_the_marked_words_are_the_cited_ones_and_the_first_carries_the_anchor(text, start, length):
    cited = (min(start, len(text)), min(start + length, len(text)))

    view = shown(text, one(text), cited)

    spans = [span for block in view for row in block.rows for cell in row for span in cell]
    quote = "".join(text[slice(*cited)].split())
    for span in spans:
        assert span.text in text
        assert not span.cited or "".join(span.text.split()) in quote
    assert [span.first for span in spans if span.cited][:1] in ([], [True])
    assert sum(span.first for span in spans) <= 1


@given(st.text(st.sampled_from("ab. \n"), max_size=200))
def test_no_word_of_a_text_is_lost(text):
    view = shown(text, one(text))

    words = [word for block in view for line in lines_of(block) for word in line.split()]
    assert words == text.split()
