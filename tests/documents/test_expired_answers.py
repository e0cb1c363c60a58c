"""Whether a document past its last valid day still answers is the workspace's choice, made in SQL at each use."""

from datetime import timedelta

import pytest
from django.utils import timezone

from documents import querysets
from documents.models import Document, Passage
from documents.retrieval.scope import Scope
from documents.search import Mode, search
from tests.documents import shelf
from workspaces import access, members
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def documents(policies):
    """Two documents about the same; the first held until yesterday, the second until today."""
    old = shelf.put(policies, "old.md", ["Parental leave lasts twenty weeks."], indexed=False)
    new = shelf.put(policies, "new.md", ["Parental leave lasts thirty weeks."], indexed=False)
    today = timezone.localdate()
    Document.objects.filter(pk=old.pk).update(valid_until=today - timedelta(days=1))
    Document.objects.filter(pk=new.pk).update(valid_until=today)
    return old, new


def answering(user, workspace):
    """The titles that every way to a passage lets through."""
    by_search = {hit.document.title for hit in search(user, workspace, "parental leave", mode=Mode.KEYWORDS).hits}
    by_scope = {one.titles[0] for one in Scope(user, workspace).versions.values()}
    ids = [str(pk) for pk in Passage.objects.values_list("pk", flat=True)]
    by_id = {one.version.titles[0] for one in Scope(user, workspace).among(ids).values()}
    at_the_prompt = set(access.visible(user, Passage).values_list("version__document__title", flat=True))
    assert by_search == by_scope == by_id == at_the_prompt
    return by_search


def test_an_expired_document_answers_unless_its_workspace_withholds_it(policies, manager, member, documents):
    assert answering(member, policies) == {"old", "new"}

    members.change_workspace(policies, by=manager, withhold_expired=True)
    assert answering(member, policies) == {"new"}

    members.change_workspace(policies, by=manager, withhold_expired=False)
    assert answering(member, policies) == {"old", "new"}


def test_what_is_withheld_can_still_be_opened(policies, member, documents, client_of):
    Workspace.objects.update(withhold_expired=True)

    assert access.visible(member, Document).count() == 2


def test_another_workspaces_choice_changes_nothing(policies, legal, member, documents):
    Workspace.objects.filter(pk=legal.pk).update(withhold_expired=True)

    assert answering(member, policies) == {"old", "new"}


def test_without_the_rule_what_is_withheld_would_be_found(policies, member, documents, monkeypatch):
    Workspace.objects.update(withhold_expired=True)
    monkeypatch.setattr("documents.retrieval.scope.may_answer", lambda: querysets.Q())
    monkeypatch.setattr(querysets, "may_answer", lambda: querysets.Q())

    assert answering(member, policies) == {"old", "new"}
