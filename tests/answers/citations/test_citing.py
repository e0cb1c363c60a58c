"""Where a document is cited: told to whoever may read the answer, and to nobody else in any way."""

import pytest
from django.urls import reverse

from answers.citations import citing
from answers.models import Answer, Citation, Draft
from answers.review import approve, edit
from audit.chain import digest
from documents.access.restriction import restrict
from documents.citing import cited_by
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer

pytestmark = pytest.mark.django_db

QUESTION = "How can we end the carrier agreement?"


@pytest.fixture
def sources(legal):
    return [a_document(legal, title=f"Source {number}", text=clause) for number, clause in enumerate(CLAUSES, 1)]


@pytest.fixture
def draft(legal, member, sources):
    return a_held_answer(legal, member, question=QUESTION, versions=sources)


def release(draft, by):
    approve(draft, by=by, seen_sha256=digest(draft.text), reason="")


def page_of(document, person, client_of):
    address = reverse("documents:detail", args=[document.workspace.slug, document.pk])
    return client_of(person).get(address).content.decode()


def test_the_asker_sees_the_released_answer_with_its_state_and_place(draft, sources, member, reviewer, client_of):
    release(draft, reviewer)

    page = page_of(sources[0].document, member, client_of)

    assert QUESTION in page
    assert reverse("answers:answer", args=["legal", draft.answer_id]) in page
    assert "Approved by a reviewer" in page
    assert "version 1" in page


def test_nobody_is_told_of_an_answer_that_is_not_open_to_them(draft, sources, contributor, member, reviewer, client_of):
    assert QUESTION not in page_of(sources[0].document, member, client_of), "a held answer keeps its sources"
    assert cited_by(sources[0].document, user=member).rows == []
    release(draft, reviewer)

    page = page_of(sources[0].document, contributor, client_of)

    assert QUESTION not in page
    assert "No answer that is open to you cites it." in page


def test_a_reviewer_sees_the_draft_and_only_while_all_its_sources_are_open(
    draft, sources, manager, member, reviewer, client_of
):
    page = page_of(sources[0].document, reviewer, client_of)
    assert reverse("admin:answers_draft_change", args=[draft.pk]) in page
    restrict(sources[1].document, by=manager)

    assert QUESTION not in page_of(sources[0].document, reviewer, client_of)


def test_a_citation_that_a_reviewer_took_out_is_none(draft, sources, member, reviewer, second_reviewer):
    edit(draft, by=second_reviewer, text=f"{CLAUSES[0]} [1]", seen_sha256=digest(draft.text), reason="Shorter.")
    draft.refresh_from_db()
    release(draft, reviewer)

    assert len(cited_by(sources[0].document, user=member).rows) == 1
    assert cited_by(sources[1].document, user=member).rows == []


def test_without_the_look_at_rights_the_answer_would_be_told(draft, sources, contributor, reviewer, monkeypatch):
    release(draft, reviewer)
    assert cited_by(sources[0].document, user=contributor).rows == []

    monkeypatch.setattr(citing.access, "visible", lambda user, model: model._default_manager.all())

    assert [row.title for row in cited_by(sources[0].document, user=contributor).rows] == [QUESTION]


def test_the_newest_are_shown_in_a_constant_number_of_queries(
    legal, draft, sources, member, reviewer, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    release(draft, reviewer)
    document = sources[0].document
    with CaptureQueriesContext(
        connection,
    ) as few:
        cited_by(document, user=member)
    for number in range(9):
        release(a_held_answer(legal, member, question=f"Question {number}", versions=sources), reviewer)

    with django_assert_num_queries(len(few)):
        found = cited_by(document, user=member)

    assert [row.title for row in found.rows] == [f"Question {number}" for number in range(8, 0, -1)]
    assert found.more
    assert Answer.objects.count() == Draft.objects.count() == 10
    assert Citation.objects.count() == 20
