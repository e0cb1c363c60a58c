"""What a passage carries into the indexes besides its text."""

from documents.framing import framed


def test_title_and_named_section_stand_in_front_of_the_text():
    framed_text = framed("Travel policy", "Meals › Abroad", "The limit is 40 EUR.")

    assert framed_text == "Travel policy\nMeals › Abroad\nThe limit is 40 EUR."


def test_a_page_number_says_nothing_worth_finding():
    assert framed("Travel policy", "12", "The limit is 40 EUR.") == "Travel policy\nThe limit is 40 EUR."


def test_a_document_without_title_is_its_text():
    assert framed("", "", "The limit is 40 EUR.") == "The limit is 40 EUR."
