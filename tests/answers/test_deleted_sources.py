"""A deleted document answers nobody, whatever the vector index still holds and whether it runs."""

import pytest

from answers.models import Answer, Citation, Evidence
from answers.states import AnswerStatus
from documents import index
from documents import library as documents
from documents.embedding import spaces
from documents.models import Passage
from documents.retrieval import legs
from documents.search import Mode, search
from tests.answers import library

NOWHERE = "http://127.0.0.1:9"
QUESTION = "How many kilometres may the courier of the night shift drive?"
CANARY = "Quillfeather"
TEXT = f"""# {CANARY} rules for couriers

## Distance

The courier of the night shift may drive 417 kilometres. {CANARY} signs for every kilometre above that.
"""
OTHER = "Who approves purchases up to EUR 15,000?"
TOLD = (CANARY, "417 kilometres", "courier-rules")


@pytest.mark.parametrize("small", [False, True], ids=["keywords alone", "exactly"])
def test_a_document_deleted_while_the_index_is_down_is_told_to_nobody_then_nor_when_it_is_back(
    policies, purchasing, member, manager, answered, client_of, raw_stream, settings, monkeypatch, small
):
    version = library.add_document(policies, "courier-rules.md", TEXT)
    passages = {str(key) for key in version.passages.values_list("pk", flat=True)}
    # The counter-proof: until it is deleted it is found, cited and told.
    before = answered(policies, QUESTION, member)
    assert "417 kilometres" in before.released_text
    assert all(version.document_id in _found(member, policies, mode) for mode in Mode)

    address, settings.CHROMA_URL = settings.CHROMA_URL, NOWHERE
    usual = legs.EXACT_UP_TO
    monkeypatch.setattr(legs, "EXACT_UP_TO", usual if small else 0)
    documents.delete(version.document, by=manager)

    def nothing_is_told(answer: Answer) -> None:
        for mode in Mode:
            assert version.document_id not in _found(member, policies, mode)
        assert not Evidence.objects.filter(answer=answer, version=version).exists()
        assert not Citation.objects.filter(answer=answer, version=version).exists()
        page = client_of(member).get(f"/w/policies/answers/{answer.pk}/").content.decode()
        for told in (answer.raw_output, answer.released_text, raw_stream(answer), page):
            assert not [word for word in TOLD if word in told]

    while_down = answered(policies, QUESTION, member)
    assert while_down.status == (AnswerStatus.REFUSED_NO_EVIDENCE if small else AnswerStatus.FAILED_SEARCH)
    nothing_is_told(while_down)
    assert "department head" in answered(policies, OTHER, member).released_text

    settings.CHROMA_URL = address
    monkeypatch.setattr(legs, "EXACT_UP_TO", usual)
    legs._widths.clear()
    given = _watched_index(monkeypatch)
    back = answered(policies, QUESTION, member)
    assert back.status == AnswerStatus.REFUSED_NO_EVIDENCE
    nothing_is_told(back)
    assert "department head" in answered(policies, OTHER, member).released_text
    # The index still had all of it and gave it: nothing was swept, the database alone decided.
    assert passages <= given
    assert passages <= index.ids(policies.pk, spaces.space_of(policies.pk))
    assert Passage.objects.filter(pk__in=passages).count() == len(passages)


def _watched_index(monkeypatch) -> set[str]:
    """The passages the index gives from now on."""
    given: set[str] = set()
    query = index.query

    def watched(*args):
        found = query(*args)
        given.update(id for id, _cosine in found)
        return found

    monkeypatch.setattr(index, "query", watched)
    return given


def _found(person, workspace, mode: str) -> set:
    return {hit.document.pk for hit in search(person, workspace, QUESTION, mode=mode).hits}
