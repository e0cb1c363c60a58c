"""The screens of a version: pages keep their numbers, nothing is too long for one response, and nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.viewer.leaves import SCREEN, leaf_at, leaf_numbered, leaves, neighbours, section_at, whole_range, within


def section(kind, number, start, end, label=""):
    return {"kind": kind, "number": number, "label": label or str(number), "heading": [], "start": start, "end": end}


def test_a_page_keeps_the_number_it_has_in_the_file():
    found = leaves([section("page", 1, 0, 5), section("page", 2, 5, 5), section("page", 3, 7, 12)], "x" * 12)

    assert [leaf.number for leaf in found] == [1, 2, 3]
    assert leaf_at(found, 8).number == 3
    assert leaf_at(found, 6).number == 1
    assert neighbours(found, found[1]) == (found[0], found[2])
    assert neighbours(found, found[0])[0] is None


def test_flowing_text_is_shown_in_long_runs_of_sections():
    size = SCREEN // 3
    sections = [section("section", n + 1, n * size, (n + 1) * size, f"Part {n}") for n in range(7)]

    found = leaves(sections, "x" * 7 * size)

    assert [len(leaf.sections) for leaf in found] == [3, 3, 1]
    assert [leaf.label for leaf in found] == ["Part 0", "Part 3", "Part 6"]
    assert [leaf.number for leaf in found] == [1, 2, 3]


def test_groups_of_rows_are_named_from_the_first_to_the_last():
    sections = [section("section", n + 1, n * 50, n * 50 + 49, f"{n * 50 + 1}–{n * 50 + 50}") for n in range(4)]

    (found,) = leaves(sections, "x" * 200)

    assert found.label == "1–200"


def test_a_version_without_sections_is_one_page():
    assert [(leaf.start, leaf.end) for leaf in leaves([], "0123456789")] == [(0, 10)]


def test_a_sheet_of_many_rows_is_shown_screen_by_screen_under_its_own_number():
    rows = "\n".join(f"row {n}" for n in range(10_000))
    text = f"first\n\n{rows}"

    found = leaves([section("sheet", 1, 0, 5, "A"), section("sheet", 2, 7, len(text), "B")], text)

    parts = [leaf for leaf in found if leaf.number == 2]
    assert [leaf.part for leaf in parts] == list(range(1, len(parts) + 1))
    assert {leaf.parts for leaf in parts} == {len(parts)}
    assert leaf_numbered(found, 2, 3) is parts[2]
    assert leaf_numbered(found, 2, len(parts) + 1) is None
    assert whole_range(found, 2) == (7, len(text))
    row = text.index("row 9000")
    assert "row 9000\n" in text[slice(leaf_at(found, row).start, leaf_at(found, row).end)]


TEXTS = st.text(st.sampled_from("ab \n"), min_size=1, max_size=40).map(lambda text: text * 1_000)


@settings(max_examples=40)
@given(TEXTS, st.sampled_from(["page", "section"]), st.lists(st.floats(0, 1), max_size=3))
def test_no_screen_is_too_long_and_together_they_are_the_sections(text, kind, shares):
    ends = sorted({round(share * len(text)) for share in [*shares, 1]} - {0})
    sections = [section(kind, n + 1, low, high) for n, (low, high) in enumerate(zip([0, *ends], ends, strict=False))]

    found = leaves(sections, text)

    assert "".join(text[leaf.start : leaf.end] for leaf in found) == text
    assert all(leaf.end - leaf.start <= SCREEN for leaf in found)
    assert all(one["start"] < leaf.end and one["end"] > leaf.start for leaf in found for one in leaf.sections)
    for place in (0, len(text) // 2, len(text) - 1):
        assert leaf_at(found, place).start <= place < leaf_at(found, place).end


def test_a_citation_across_two_pages_is_cut_at_the_page():
    assert within((0, 5), (3, 9)) == (3, 5)
    assert within((7, 12), (3, 9)) == (0, 2)
    assert within((7, 12), (0, 5)) is None


@pytest.mark.parametrize(("position", "number"), [(0, 1), (6, 1), (7, 2), (99, 2)])
def test_a_position_belongs_to_the_section_that_began_last(position, number):
    sections = [section("page", 1, 0, 5), section("page", 2, 7, 12)]

    assert section_at(sections, position)["number"] == number
    assert section_at([], position) is None
