"""The Serbian catalogs: what an asker meets is told in both scripts, and one is made from the other."""

import pytest
from babel.messages.pofile import read_po

from tests.dates_in_words import with_dates
from tests.translations import CYRILLIC, LATIN, latin, latin_catalog


@pytest.mark.parametrize(
    ("cyrillic", "expected"),
    [
        ("Њена љубав и џез", "Njena ljubav i džez"),
        ("ЉУДИ, Људи, ђак", "LJUDI, Ljudi, đak"),
        ("„%(name)s“ – <a href>ћуп</a>", "„%(name)s“ – <a href>ćup</a>"),
    ],
)
def test_cyrillic_becomes_latin_letter_by_letter(cyrillic, expected):
    assert latin(cyrillic) == expected


def test_the_latin_catalog_is_made_from_the_cyrillic_one():
    made = latin_catalog(CYRILLIC.read_text(encoding="utf-8"))

    assert LATIN.read_text(encoding="utf-8") == made, "run `python -m tests.translations`"


def test_every_sentence_a_person_meets_is_translated_and_nothing_is_a_guess():
    with CYRILLIC.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]

    assert len(messages) > 5000
    assert [message.id for message in messages if message.fuzzy] == []
    missing = [m.id for m in messages if not (m.string if isinstance(m.string, str) else all(m.string))]
    assert missing == []


def test_no_serbian_sentence_ends_twice_behind_a_date():
    with CYRILLIC.open("rb") as file:
        told = {message.id: message.string for message in read_po(file) if message.id}
    dated = {(message, name) for message, name in with_dates() if f"%({name})s." in told.get(message, "")}

    assert len(set(with_dates())) > 30
    assert dated == set(), "the date ends with a full stop of its own: leave the sentence's away"
