"""The panel of a citation: what it supports, why it was found, and the way to the next one; opened anew each time."""

from typing import Any

import pytest
from django.urls import reverse

from answers import review
from answers.citations.why import scores_in_words, why_found
from answers.models import Answer, Evidence
from answers.models.evidence import FIRST_INHERITED
from answers.reading import read
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import CLAUSES, a_draft_on_a_closed_document, a_held_answer
from workspaces import access


@pytest.fixture
def answer(legal: Any, member: Any, reviewer: Any) -> Answer:
    draft = a_held_answer(legal, member)
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    return Answer.objects.get(pk=draft.answer_id)


def panel(client: Any, answer: Answer, number: int, **headers: Any) -> Any:
    return client.get(reverse("answers:citation", args=["legal", answer.pk, number]), **headers)


def test_a_citation_shows_the_sentence_it_supports_and_leads_to_the_others(answer, member, client_of):
    client = client_of(member)

    first = panel(client, answer, 1, headers={"HX-Request": "true"}).content.decode()
    second = panel(client, answer, 2, headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in first
    supports = first.partition("evidence__supports")[2].partition("</div>")[0]
    assert CLAUSES[0].replace("'", "&#x27;") in supports
    assert CLAUSES[1] not in first
    assert "1 of 2" in first
    assert 'data-step="next"' in first
    assert 'data-step="previous"' not in first
    assert 'data-step="previous"' in second
    assert 'data-step="next"' not in second
    assert "Open in the document" in first


def test_without_a_script_the_same_is_a_page_of_its_own(answer, member, client_of):
    page = panel(client_of(member), answer, 1).content.decode()

    assert "<html" in page
    assert reverse("answers:answer", args=["legal", answer.pk]) in page
    assert 'id="citation"' in page


def test_every_opening_is_authorised_anew_and_leaves_an_entry(legal, member, reviewer, client_of):
    draft = a_draft_on_a_closed_document(legal, member, title="Osprey", question="Q?", readers=[member, reviewer])
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    answer = Answer.objects.get(pk=draft.answer_id)
    client = client_of(member)
    assert panel(client, answer, 1).status_code == 200
    opened = Event.objects.filter(type=EventType.DOCUMENT_OPENED).count()
    access.revoke("open_document", member, answer.citations.get(number=1).document)

    assert panel(client, answer, 1).status_code == 404
    # Nor the other one: the answer rests on both.
    assert panel(client, answer, 2).status_code == 404
    assert opened == 1
    assert Event.objects.filter(type=EventType.DOCUMENT_OPENED).count() == opened


def test_a_stranger_finds_no_citation_and_a_number_that_is_none_is_not_found(answer, stranger, member, client_of):
    assert panel(client_of(stranger), answer, 1).status_code == 404
    assert panel(client_of(member), answer, 7).status_code == 404


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"cosine": 0.71, "keywords": 4.2}, ["very near", "0.71", "words of the question"]),
        ({"cosine": 0.12, "keywords": None}, ["not near"]),
        ({"cosine": 0.86, "usual": 0.58, "keywords": None}, [" near to", "0.86"]),
        ({"cosine": None, "keywords": 9.9, "rerank": 0.5}, ["found by its words", "second model"]),
    ],
)
def test_scores_are_told_in_words_and_weights_of_keywords_are_not(scores, said):
    told = " ".join(scores_in_words(scores))

    assert all(part in told for part in said)
    assert str(scores["keywords"]) not in told


def test_its_place_is_told_among_what_the_model_was_given(answer, member):
    reading = read(answer, by=member)
    cited = reading.citations[1]
    assert why_found(cited, reading)[0] == "Place 2 of the 2 passages the model was given."

    Evidence.objects.filter(pk=cited.evidence_id).update(rank=FIRST_INHERITED)
    cited.evidence.refresh_from_db()

    assert why_found(cited, reading) == ["It comes from an earlier answer of this conversation."]
