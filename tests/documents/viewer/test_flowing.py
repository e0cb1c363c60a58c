"""Text of pages as running text: only what the page broke is joined, and only in what is shown."""

import pytest

from documents.viewer.flowing import flowing


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("It applies to each\nparent who adopts.", "It applies to each parent who adopts."),
        ("Ends here. \n Begins there.", "Ends here. Begins there."),
        ("A first paragraph.\n\nA second one.", "A first paragraph.\n\nA second one."),
        ("a well-\nknown rule", "a well-known rule"),
        ("the years 2019-\n2021", "the years 2019- 2021"),
        ("on one line", "on one line"),
        ("\nbegins and ends\n", " begins and ends "),
    ],
)  # fmt: skip
def test_lines_that_the_page_broke_are_joined(stored, shown):
    assert flowing(stored, "pdf") == shown
    assert flowing(stored, "png") == shown


@pytest.mark.parametrize("format", ["md", "txt", "xlsx", ""])
def test_lines_of_other_formats_are_their_authors(format):
    assert flowing("one\ntwo", format) == "one\ntwo"
