"""A token's scope and a view as somebody else take rights away, and give none."""

from typing import Any

import pytest

from audit import context
from audit.context import Scope
from documents.models import Document, Passage, Version
from tests.workspaces.rights_scene import a_ready_document
from workspaces import access, members
from workspaces.exceptions import Forbidden, Hidden, ViewerMayNot
from workspaces.models import Workspace
from workspaces.roles import Action, PlatformAction, Role


def scope(*workspaces: Workspace, actions: set[str] | None = None) -> Scope:
    return Scope(frozenset(workspace.pk for workspace in workspaces), frozenset(actions or Action.values))


def test_a_token_of_one_workspace_knows_of_no_other(policies: Any, legal: Any, member: Any) -> None:
    here, there = a_ready_document(policies, "here.md"), a_ready_document(legal, "there.md")

    with context.acting(member, scope=scope(policies)):
        assert list(access.visible(member, Workspace)) == [policies]
        assert list(access.visible(member, Document)) == [here]
        assert access.allows(member, Action.OPEN, here)
        assert not access.allows(member, Action.OPEN, there)
        with pytest.raises(Hidden):
            access.find(member, Action.ENTER, Workspace, slug="legal")

    assert access.allows(member, Action.OPEN, there)


def test_a_token_holds_only_its_actions_and_never_more_than_the_person(policies: Any, member: Any) -> None:
    with context.acting(member, scope=scope(policies, actions={Action.OPEN, Action.MANAGE})):
        assert access.actions(member, policies) == {Action.ENTER, Action.OPEN}
        assert not access.workspaces_allowing(member, Action.ASK).exists()
        assert not access.workspaces_allowing(member, Action.MANAGE).exists()
        with pytest.raises(Forbidden):
            access.require(member, Action.ASK, policies)


def test_a_token_runs_nothing_of_the_installation_and_breaks_no_glass(
    policies: Any, admin: Any, superuser: Any, break_glass: Any
) -> None:
    break_glass(policies)

    for person in (admin, superuser):
        with context.acting(person, scope=scope(policies)):
            assert access.platform_actions(person) == frozenset()
            assert not access.visible(person, Document).exists()
            with pytest.raises(Hidden):
                access.require(person, Action.OPEN, policies)
            with pytest.raises(Forbidden):
                access.require(person, PlatformAction.MANAGE_ACCOUNTS, None)


def test_a_scope_narrows_nobody_but_the_one_it_acts_for(policies: Any, legal: Any, member: Any, reviewer: Any) -> None:
    with context.acting(member, scope=scope(policies, actions={Action.ASK})):
        assert access.allows(reviewer, Action.REVIEW, legal)
        assert reviewer in access.people_allowed(legal, Action.REVIEW)


# --- Looking as somebody else -------------------------------------------------------------------------------


@pytest.fixture
def document(policies: Any) -> Document:
    return a_ready_document(policies, "here.md")


def test_what_the_viewer_may_not_open_themselves_is_named_and_not_shown(
    policies: Any, document: Document, member: Any, admin: Any
) -> None:
    with context.acting(member, viewer=admin):
        assert list(access.visible(member, Document)) == [document]
        assert not access.visible(member, Passage).exists()
        assert not access.visible(member, Version).exists()
        access.require(member, Action.OPEN, policies)
        with pytest.raises(ViewerMayNot, match="You may not yourself") as refused:
            access.find(member, Action.OPEN, Document, pk=document.pk)

    assert "member may open this" in str(refused.value.sentence)


def test_what_both_may_open_is_shown(policies: Any, document: Document, member: Any, admin: Any) -> None:
    members.add_member(policies, admin, Role.MEMBER, by=None)

    with context.acting(member, viewer=admin):
        assert access.find(member, Action.OPEN, Document, pk=document.pk) == document
        assert access.visible(member, Passage).exists()


def test_a_viewers_broken_glass_shows_it_too(
    policies: Any, document: Document, member: Any, superuser: Any, break_glass: Any
) -> None:
    break_glass(policies)

    with context.acting(member, viewer=superuser):
        assert access.find(member, Action.OPEN, Document, pk=document.pk) == document
        assert access.visible(member, Passage).exists()


def test_what_the_person_may_not_open_stays_hidden_from_a_viewer_who_may(
    policies: Any, document: Document, stranger: Any, manager: Any
) -> None:
    with context.acting(stranger, viewer=manager):
        assert not access.visible(stranger, Document).exists()
        with pytest.raises(Hidden):
            access.find(stranger, Action.OPEN, Document, pk=document.pk)


def test_nothing_can_be_changed_while_looking(policies: Any, manager: Any, admin: Any) -> None:
    with context.acting(manager, viewer=admin):
        assert access.platform_actions(manager) == frozenset()
        for action in (Action.ADD, Action.MANAGE, Action.MANAGE_DOCUMENTS, Action.MANAGE_PEOPLE):
            assert not access.workspaces_allowing(manager, action).exists()
            with pytest.raises(Forbidden):
                access.require(manager, action, policies)


# --- The counter-proof --------------------------------------------------------------------------------------


def test_without_the_narrowing_the_leaks_would_be_seen(
    legal: Any, policies: Any, member: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_ready_document(legal, "there.md")
    monkeypatch.setattr("workspaces.narrowing.scope_of", lambda user: None)
    monkeypatch.setattr("workspaces.narrowing.viewer_of", lambda user: None)
    monkeypatch.setattr(access, "within_view", lambda rows: rows)

    with context.acting(member, scope=scope(policies)):
        assert access.visible(member, Document).exists()
    with context.acting(member, viewer=admin):
        assert access.visible(member, Passage).exists()
