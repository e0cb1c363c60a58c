"""The Serbian catalogs: what an asker meets is told in both scripts, and one is made from the other."""

import re

import pytest
from babel.messages.pofile import read_po

from tests.dates_in_words import with_dates
from tests.translations import CYRILLIC, LATIN, latin, latin_catalog

#: Where the sentences stand that a person meets who asks, reads answers and opens what they cite.
MET = re.compile(
    r"templates/(answers/|_parts/|account/|mfa/|usersessions/|socialaccount/|429|503"
    r"|base\.html|document\.html|plain\.html|40|500|workspaces/home"
    r"|documents/(_viewer|_facts|_notices|_status|_versions|detail|list|_rows))"
    r"|answers/(cards|cite|forms|pipeline|questions|reading|receipts|states|views)\.py|documents/(search|states|reading)\.py"
    r"|workspaces/exceptions\.py|workspaces/identity/|workspaces/templatetags/"
)


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


def test_everything_an_asker_meets_is_translated_and_nothing_is_a_guess():
    with CYRILLIC.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    met = [message for message in messages if any(MET.match(place) for place, _line in message.locations)]

    assert [message.id for message in messages if message.fuzzy] == []
    assert len(met) > 200
    missing = [m.id for m in met if not (m.string if isinstance(m.string, str) else all(m.string))]
    assert missing == []


def test_no_serbian_sentence_ends_twice_behind_a_date():
    with CYRILLIC.open("rb") as file:
        told = {message.id: message.string for message in read_po(file) if message.id}
    dated = {(message, name) for message, name in with_dates() if f"%({name})s." in told.get(message, "")}

    assert len(set(with_dates())) > 30
    assert dated == set(), "the date ends with a full stop of its own: leave the sentence's away"
