"""Which citations are real, and where exactly they stand."""

import hashlib
import re
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.citations import marks
from answers.exceptions import Ended
from answers.grounding import places_of, weigh
from answers.steps.cite import cite, locate, split
from answers.steps.state import Quote, Source

TEXT = """The second parent takes 20 working days of paid parental leave, to be used within
12 months of the birth. Leave is requested at least four weeks ahead. • Unpaid leave needs the consent of HR."""


def a_source(text: str = TEXT, language: str = "en", **fields: Any) -> Source:
    given = {
        "number": 1,
        "passage_id": uuid.uuid4(),
        "document_id": uuid.uuid4(),
        "version_id": uuid.uuid4(),
        "title": "Handbook",
        "start": 0,
        "end": len(text),
        "page": 1,
        "locator": "page 1",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "scores": {},
    }
    return Source(text=text, language=language, **(given | fields))


def quoted(claim: str, source: Source) -> str | None:
    span = locate(claim, source)
    return None if span is None else source.text[slice(*span)]


def test_a_sentence_that_stands_in_the_source_is_its_own_quote_across_a_line_end():
    claim = "The second parent takes 20 working days of paid parental leave, to be used within 12 months of the birth."

    assert quoted(claim, a_source()) == TEXT[: TEXT.index(" Leave")]


def test_a_claim_in_other_words_is_tied_to_the_sentence_that_says_it():
    claim = "You must request leave four weeks ahead."

    assert quoted(claim, a_source()) == "Leave is requested at least four weeks ahead."


def test_a_claim_over_two_sentences_is_tied_to_both():
    claim = "The second parent gets 20 working days of parental leave, which is requested four weeks ahead."

    quote = quoted(claim, a_source())
    assert "20 working days" in quote
    assert "four weeks ahead" in quote


def test_a_models_quotation_must_be_there_letter_by_letter():
    assert quoted('It says "requested at least four weeks ahead".', a_source()) == "requested at least four weeks ahead"
    assert quoted('It says "requested at least five weeks ahead".', a_source()) is None
    assert quoted('It says "equested at least four weeks ahead o".', a_source()) is None


def test_a_claim_that_shares_nothing_with_the_source_has_no_quote():
    assert quoted("Everybody gets a company car.", a_source()) is None


def test_a_claim_in_another_language_shows_the_whole_passage():
    assert quoted("Drugi roditelj ima 20 radnih dana plaćenog odsustva, koje se traži unapred.", a_source()) == TEXT


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("Yes [1].", [1]),
        ("Yes [1, 2] and no [3][4].", [1, 2, 3, 4]),
        ("Yes 【5】 or 【6†source】", [5, 6]),
        ("Yes [^7] or [source 8] or [Source: 9]", [7, 8, 9]),
        ("Yes [0f8fad5b-d9cb-469f-a165-70867728950e] or [doc_17]", [marks.NO_SOURCE, marks.NO_SOURCE]),
        ("[2019] EWCA Civ 1, see [the annex] and [sic]", []),
    ],
)
def test_marks_are_read_in_the_forms_models_write_them(written, numbers):
    assert [mark.number for mark in marks.take_out(written).marks] == numbers


@given(
    st.lists(st.tuples(st.text("ab .", min_size=1, max_size=12), st.lists(st.integers(1, 99), max_size=3)), max_size=8)
)
def test_marks_that_were_put_in_are_taken_out_where_they_stood(pieces):
    written = "".join(text.rstrip() + (" " + "".join(f"[{n}]" for n in ns) if ns else "") for text, ns in pieces)
    unmarked = marks.take_out(written)

    again = marks.take_out(marks.put_in(unmarked.text, [(mark.position, mark.number) for mark in unmarked.marks]))

    assert again.text == unmarked.text
    assert [(mark.position, mark.number) for mark in again.marks] == [(m.position, m.number) for m in unmarked.marks]


_WORDS = ("leave", "days", "notice", "parent", "written", "party", "May", "sixty", "invoice", "agreement")
_SAID = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=7).map(" ".join)
_CLAIMS = st.lists(st.tuples(_SAID, st.booleans(), st.lists(st.integers(0, 5), max_size=3)), min_size=1, max_size=6)


@settings(deadline=None)
@given(st.lists(st.lists(_SAID, min_size=1, max_size=4).map("\n".join), min_size=1, max_size=3), _CLAIMS)
def test_whatever_a_model_writes_is_cited_only_to_a_source_it_was_given_and_quotes_that_letter_by_letter(texts, claims):
    sources = {n: a_source(text, number=n) for n, text in enumerate(texts, 1)}
    written = " ".join(
        f"It says {f'“{said}”' if is_quoted else said} {''.join(f'[{n}]' for n in numbers)}."
        for said, is_quoted, numbers in claims
    )
    invented = sum(n not in sources for _said, _is_quoted, numbers in claims for n in numbers)
    given_to_it = {"written": written, "sources": list(sources.values())}
    state = SimpleNamespace(**given_to_it, dropped=0, quotes=[], text="", sentences=[])

    try:
        cite(state)
    except Ended:
        assert (state.quotes, state.text) == ([], "")

    quotes = {quote.number: quote for quote in state.quotes}
    assert state.dropped >= invented
    assert {mark.number for mark in marks.take_out(state.text).marks} == set(quotes)
    for quote in quotes.values():
        assert quote.source is sources[quote.source.number]
        assert quote.text.strip()
        assert quote.source.text[quote.start : quote.end] == quote.text
    for sentence in state.sentences:
        quotations = [q for q in re.findall("“([^”]{8,})”", sentence.text) if len(q.split()) >= 3]
        for number in sentence.citations:
            stands = " ".join(quotes[number].source.text.split())
            assert all(quotation in stands for quotation in quotations)


def test_each_mark_belongs_to_the_sentence_before_it():
    text = "One is here [1]. Two is there. [2][3] Three has none."

    sentences = list(split(text))

    assert [sentence.citations for sentence in sentences] == [[1], [2, 3], []]
    assert [text[sentence.start : sentence.end] for sentence in sentences] == [s.text for s in sentences]
    assert sentences[1].text == "Two is there. [2][3]"


def test_grounding_is_the_share_of_words_that_the_quote_holds():
    source = a_source()
    quote = Quote(1, source, *locate("Leave is requested at least four weeks ahead.", source))

    whole, half, none = weigh(
        "Leave is requested at least four weeks ahead. [1] Leave is requested by telegram on Sundays. [1] Dogs bark.",
        places_of([quote]),
    )

    assert whole.grounding == 1.0
    assert 0.2 < half.grounding < 0.7
    assert none.grounding == 0.0


def test_grounding_across_languages_is_not_measured():
    source = a_source()

    places = places_of([Quote(1, source, 0, len(TEXT))])

    (sentence,) = weigh("Odsustvo se traži najmanje četiri nedelje unapred. [1]", places)

    assert sentence.grounding is None
