"""Precedents from another program: the same rights, the same entry."""

from typing import Any

import pytest

from answers.precedents import finding
from audit.events import EventType
from audit.export import content_of
from audit.models import Event
from documents.access import restriction
from documents.models import Document
from tests.answers import library
from tests.answers.precedents.test_precedents import TEXT
from workspaces.roles import Action

PLACE = "workspaces/policies/precedents"


def test_a_program_reads_which_documents_resemble_a_text_where_and_why(
    policies: Any, handbook: Any, purchasing: Any, member: Any, program: Any
) -> None:
    ours = program(member, policies, actions=[Action.OPEN])

    told = ours.post(PLACE, {"text": TEXT}).json()

    assert {one["document_id"] for one in told["items"]} == {str(handbook.document_id), str(purchasing.document_id)}
    assert (told["compared"], told["degraded"], told["by_words_alone"]) == (told["clauses"], False, False)
    best = next(one for one in told["items"] if one["document_id"] == str(handbook.document_id))["matches"][0]
    assert handbook.text[best["start"] : best["end"]] == best["text"]
    assert "parental" in best["clause"]
    assert "parental" in [term.lower() for term in best["terms"]]
    assert best["url"].startswith(f"/w/policies/documents/{handbook.document_id}/?version=")
    entry = Event.objects.get(type=EventType.PRECEDENTS_SOUGHT)
    assert str(ours.token.pk) in entry.body
    assert "parental" not in entry.body


def test_a_document_leads_to_the_others_that_resemble_it_and_never_to_itself(
    policies: Any, handbook: Any, purchasing: Any, member: Any, manager: Any, program: Any
) -> None:
    old = library.add_document(policies, "old-rules.md", TEXT)
    ours = program(member, policies, actions=[Action.OPEN])

    told = ours.post(PLACE, {"document": str(old.document_id)}).json()

    assert {one["document_id"] for one in told["items"]} == {str(handbook.document_id), str(purchasing.document_id)}
    entry = Event.objects.get(type=EventType.PRECEDENTS_SOUGHT)
    assert content_of(entry)["details"]["document"] == str(old.document_id)
    restriction.restrict(handbook.document, by=manager)
    again = ours.post(PLACE, {"document": str(old.document_id)}).json()
    assert {one["document_id"] for one in again["items"]} == {str(purchasing.document_id)}
    restriction.restrict(old.document, by=manager)
    assert ours.post(PLACE, {"document": str(old.document_id)}).status_code == 404


def test_a_document_is_searched_for_at_its_own_level(
    policies: Any, handbook: Any, member: Any, program: Any, monkeypatch: Any
) -> None:
    old, levels = library.add_document(policies, "old-rules.md", TEXT), []
    Document.objects.filter(pk=old.document_id).update(classification="restricted")
    mode_for = finding.mode_for
    monkeypatch.setattr(finding, "mode_for", lambda place, level: levels.append(level) or mode_for(place, level))

    sent = {"document": str(old.document_id), "classification": "public"}
    told = program(member, policies, actions=[Action.OPEN]).post(PLACE, sent)

    assert (told.status_code, levels) == (200, ["restricted"])


@pytest.mark.parametrize("sent", [{}, {"text": "  "}, {"text": "x" * 250_001}, {"text": "Leave.", "k": 3}])
def test_what_is_no_text_to_compare_is_refused(sent: dict[str, Any], policies: Any, member: Any, program: Any) -> None:
    response = program(member, policies, actions=[Action.OPEN]).post(PLACE, sent)

    assert response.status_code == 400
    assert response.json()["detail"]


def test_both_a_text_and_a_document_are_refused_and_so_is_one_without_a_version_that_answers(
    policies: Any, handbook: Any, member: Any, program: Any
) -> None:
    ours, named = program(member, policies, actions=[Action.OPEN]), {"document": str(handbook.document_id)}

    both = ours.post(PLACE, named | {"text": TEXT})
    Document.objects.update(current_version=None)
    none = ours.post(PLACE, named)

    assert (both.status_code, none.status_code) == (400, 400)
    assert "one of the two" in both.json()["detail"]
    assert "No version" in none.json()["detail"]
