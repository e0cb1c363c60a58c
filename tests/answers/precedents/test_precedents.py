"""A text leads to documents that resemble it and are open to who brings it, and nothing of it is kept."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from answers.draft_review import guides
from answers.exceptions import QuestionError
from answers.precedents import finding
from audit.events import EventType
from audit.export import content_of
from audit.models import Event
from documents.access import restriction
from documents.models import RerankEndpoint, WorkspaceReranker
from workspaces.exceptions import Forbidden, Hidden

TEXT = """1. Parental leave

The second parent takes 20 working days of paid parental leave after the birth of a child.

2. Purchases

Purchases up to EUR 2,000 are approved by a team lead, purchases up to EUR 15,000 by a department head.
"""


def test_each_clause_leads_to_the_passage_that_resembles_it_and_says_why(policies, handbook, purchasing, member):
    found = finding.find(policies, TEXT, by=member)

    by_title = {one.document_id: one for one in found.precedents}
    assert set(by_title) == {handbook.document_id, purchasing.document_id}
    best = by_title[handbook.document_id].matches[0]
    assert "parental leave" in best.clause
    assert "parental" in best.source.text
    assert "parental" in [term.lower() for term in best.terms]
    assert 0 < best.strength <= 1
    entry = Event.objects.get(type=EventType.PRECEDENTS_SOUGHT)
    told = content_of(entry)["details"]
    assert len(told["text_sha256"]) == 64
    assert "parental" not in str(told)


def test_what_is_closed_is_not_among_them_also_where_it_closes_while_it_is_searched(
    policies, handbook, purchasing, manager, member, monkeypatch
):
    def closes_first(user, workspace, hits):
        restriction.restrict(handbook.document, by=manager)
        return guides.authorised(user, workspace, hits)

    monkeypatch.setattr(finding, "authorised", closes_first)
    found = finding.find(policies, TEXT, by=member)

    assert handbook.document_id not in {one.document_id for one in found.precedents}
    monkeypatch.undo()
    again = finding.find(policies, TEXT, by=member)
    assert handbook.document_id not in {one.document_id for one in again.precedents}


def test_a_text_that_resembles_nothing_finds_nothing(policies, handbook, member):
    found = finding.find(policies, "Zebras graze beside volcanoes in Kamchatka every winter.", by=member)

    assert found.precedents == []


@pytest.mark.parametrize("text", ["", "  \0 ", "x" * (finding.MOST_CHARACTERS + 1)])
def test_what_is_no_text_to_compare_is_said(text, policies, member):
    with pytest.raises(QuestionError):
        finding.find(policies, text, by=member)


def test_who_may_not_open_documents_finds_none(policies, stranger, auditor):
    with pytest.raises(Hidden):
        finding.find(policies, TEXT, by=stranger)
    with pytest.raises(Forbidden):
        finding.find(policies, TEXT, by=auditor)


@pytest.mark.parametrize(("level", "mode"), [("internal", "hybrid"), ("confidential", "keywords")])
def test_a_text_above_a_servers_level_is_compared_here_by_its_words(
    policies, handbook, member, client_of, monkeypatch, level, mode
):
    server = RerankEndpoint.objects.create(name="r", base_url="http://127.0.0.1:9/v1", ceiling="internal")
    WorkspaceReranker.objects.create(workspace=policies, endpoint=server)
    modes: set[str] = set()
    search = finding.search
    monkeypatch.setattr(finding, "search", lambda *a, mode, **k: modes.add(mode) or search(*a, mode="keywords", **k))
    page = reverse("answers:precedents", kwargs={"slug": "policies"})

    said = client_of(member).post(page, {"text": TEXT, "classification": level}).content.decode()

    assert modes == {mode}
    assert "resemble" in said
    assert ("by its words alone" in said) == (mode == "keywords")


def test_a_file_is_read_compared_and_not_kept(policies, handbook, member, client_of):
    client, page = client_of(member), reverse("answers:precedents", kwargs={"slug": "policies"})

    said = client.post(page, {"file": SimpleUploadedFile("old.md", TEXT.encode()), "classification": "internal"})
    neither = client.post(page, {})
    unreadable = client.post(page, {"file": SimpleUploadedFile("old.pdf", b"%PDF-1.4 broken")})

    assert "resemble" in said.content.decode()
    assert "parental" in said.content.decode()
    assert neither.status_code == unreadable.status_code == 400
    assert policies.documents.count() == 1
