"""What a passage carries into the indexes besides its text."""

import pytest

from documents.embedding.framing import framed

LIMIT = "The limit is 40 EUR."


def test_title_and_named_section_stand_in_front_of_the_text():
    framed_text = framed("Travel policy", "travel-policy.pdf", "Meals › Abroad", LIMIT)

    assert framed_text == "Travel policy\nMeals › Abroad\nThe limit is 40 EUR."


def test_a_page_number_says_nothing_worth_finding():
    assert framed("Travel policy", "travel policy.pdf", "12", LIMIT) == f"Travel policy\n{LIMIT}"


def test_a_document_without_title_is_its_text():
    assert framed("", "", "", LIMIT) == LIMIT


def test_a_files_name_stands_beside_a_title_that_leaves_out_whose_it_is():
    framed_text = framed("ADBE 10-K FY22", "reports/ADOBE_2022_10K.pdf", "4", LIMIT)

    assert framed_text == f"ADBE 10-K FY22\nADOBE 2022 10K\n{LIMIT}"


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("Travel policies of Acme, 2022", "acme_travel-policy_2022.pdf"),
        ("Правилник о раду", "pravilnik-o-radu.docx"),
        ("Travel policy", "7f_00041.pdf"),
        ("Travel policy", "10234-18.pdf"),
    ],
)
def test_a_name_without_a_new_word_or_year_is_left_out(title, path):
    assert framed(title, path, "", LIMIT) == f"{title}\n{LIMIT}"
