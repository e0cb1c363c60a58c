"""One ranking of what both legs found: how much words say beside meaning."""

import uuid

import pytest

from documents.embedding.vector_space import ANY_LANGUAGE, Space
from documents.retrieval.ranking import rank
from documents.retrieval.scope import Candidate, OpenVersion

BOTH = Space("both", "0" * 16, 2, floor=0.8, languages=frozenset({ANY_LANGUAGE}))
ENGLISH = Space("english", "1" * 16, 2, floor=0.35, languages=frozenset({"en"}))
NEAR = [("meant", 0.90), ("worded", 0.84), ("other", 0.80)]
MATCH = [("worded", 9.0), ("other", 3.0)]


def known(**languages):
    """Passages by their ids, each in a language."""
    document = OpenVersion(uuid.uuid4(), uuid.uuid4(), ("Rules", "rules"), passages=3)
    return {id: Candidate(document, language) for id, language in languages.items()}


def first(space, asked_in, **languages):
    return rank("Which branch is meant?", space, asked_in, NEAR, MATCH, known(**languages))[0][0]


@pytest.mark.parametrize(("asked_in", "written_in"), [("en", "sr"), ("sr", "en")])
def test_between_languages_meaning_says_more_than_a_word_that_both_share(asked_in, written_in):
    assert first(BOTH, asked_in, meant=written_in, worded=written_in, other=written_in) == "meant"


@pytest.mark.parametrize(("asked_in", "written_in"), [("en", "en"), ("sr", "sr"), ("", "sr"), ("en", "")])
def test_in_one_language_or_an_unknown_one_words_say_as_much_as_meaning(asked_in, written_in):
    assert first(BOTH, asked_in, meant=written_in, worded=written_in, other=written_in) == "worded"


def test_one_passage_in_another_language_changes_nothing_for_the_others():
    assert first(BOTH, "en", meant="en", worded="en", other="sr") == "worded"
    assert first(BOTH, "en", meant="sr", worded="sr", other="en") == "meant"


def test_a_passage_the_model_does_not_read_is_found_by_its_words():
    ranked = rank("Which branch is meant?", ENGLISH, "en", NEAR, MATCH, known(meant="sr", worded="sr", other="sr"))

    assert ranked == [("worded", 1.0), ("other", 0.0)]
