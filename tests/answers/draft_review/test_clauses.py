"""A draft falls into the clauses a reader would count, in English and Serbian, and no word of it is lost."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.draft_review.clauses import LONGEST, split

CONTRACT = """# Services agreement

This agreement is made between the Supplier and the Customer for the services described below and takes effect at once.

1. Term
1.1 The agreement runs for 24 months. It ends within
30 days of notice.
1.2 Either party may end it as section 4 provides.
2. Payment
2.1 Invoices are paid within 30 days.

(a) Late payments bear interest.

Article 3 – Confidentiality
Each party keeps the other's information confidential, and Section 4 applies in the same way to its staff and agents.
"""

UGOVOR = """Član 1.
Ugovor se zaključuje na period od 24 meseca, počev od dana potpisivanja, i prestaje istekom tog roka bez otkaza.

Član 2.
Rok plaćanja je 30 dana od prijema ispravno ispostavljene fakture, a za docnju se obračunava zakonska kamata.
Stranka iz člana 1. ovog ugovora odgovara za štetu.

Члан 3.
Свака страна чува поверљиве податке друге стране и не саопштава их трећим лицима без писмене сагласности.
"""

MEMO = """Travel memo

Employees book trains first and ask their team lead before they book a flight, whatever the length of the journey is.

Hotels are booked through the portal up to the limit of the city they travel to, and receipts are handed in by the end.

Open questions

Who pays for visas, and who decides on exceptions when the team lead is away, has been left open in the first version.
"""


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (CONTRACT, ["Services agreement", "1.1", "1.2", "2.1", "Article 3 – Confidentiality"]),
        (UGOVOR, ["Član 1", "Član 2", "Члан 3"]),
        (MEMO, ["Travel memo", "Travel memo", "Open questions"]),
        ("§ 5 Leave is twenty days.\n§ 6 Leave is asked for early.", ["§ 5", "§ 6"]),
        ("One paragraph alone, with no number and no heading at all.", [""]),
        ("A heading and nothing below it", ["A heading and nothing below it"]),
        ("", []),
        ("  \n\n ", []),
    ],
)
def test_clauses_begin_where_a_reader_sees_them_begin(text, labels):
    assert [part.label for part in split(text)] == labels


def test_a_heading_belongs_to_the_clause_below_it_and_a_figure_on_a_new_line_begins_none():
    parts = split(CONTRACT)

    assert CONTRACT[parts[1].start : parts[1].end].startswith("1. Term\n1.1 The agreement")
    assert CONTRACT[parts[1].start : parts[1].end].endswith("30 days of notice.")
    assert "(a) Late payments" in CONTRACT[parts[3].start : parts[3].end]


def test_a_long_clause_is_taken_paragraph_by_paragraph():
    paragraph = "The supplier reports every month on what was done and what is left to do. " * 12
    parts = split("4.1 " + "\n\n".join([paragraph.strip()] * 4))

    assert len(parts) == 4
    assert {part.label for part in parts} == {"4.1"}
    assert all(part.end - part.start <= LONGEST for part in parts)


_WORDS = st.sampled_from(
    [
        "1.",
        "1.1",
        "Article 2",
        "Član 3.",
        "# Title",
        "Term",
        "the supplier pays.",
        "30 days",
        "\n",
        "\n\n",
        " ",
        "(a)",
        "§ 4",
        "\t",
    ]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(_WORDS, max_size=40).map(" ".join))
def test_no_word_is_lost_and_no_two_clauses_share_one(text):
    parts = split(text)

    assert all(part.start < part.end for part in parts)
    assert all(text[part.start : part.end] == text[part.start : part.end].strip() for part in parts)
    assert all(one.end <= other.start for one, other in pairwise(parts))
    assert "".join("".join(text[part.start : part.end].split()) for part in parts) == "".join(text.split())
