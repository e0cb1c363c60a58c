"""The access door: every cell of the role table, and what a refusal looks like."""

from importlib import import_module

import pytest

from audit.events import EventType
from audit.models import Event
from documents.models import Document
from tests.workspaces.rights_scene import a_ready_document
from workspaces import access, members, rights
from workspaces.exceptions import Forbidden, Hidden, MembershipError, WorkspaceError
from workspaces.models import Workspace
from workspaces.roles import CHARTERS, Action, PlatformAction, Role


@pytest.mark.parametrize("role", Role)
def test_a_role_allows_exactly_what_its_charter_says(role, make_user, make_workspace):
    workspace = make_workspace("policies")
    user = make_user("somebody")
    members.add_member(workspace, user, role, by=None)

    assert {action for action in Action if access.allows(user, action, workspace)} == CHARTERS[role].actions


def test_a_stranger_may_do_nothing_and_learns_nothing(stranger, policies, subtests):
    for action in Action:
        with subtests.test(action.value), pytest.raises(Hidden):
            access.require(stranger, action, policies)

    assert not access.visible(stranger, Workspace).exists()


def test_a_right_in_one_workspace_is_none_in_another(make_workspace, member):
    make_workspace("mine", member=member)
    other = make_workspace("other")

    assert access.actions(member, other) == frozenset()


def test_a_member_without_the_action_is_forbidden(member, policies):
    with pytest.raises(Forbidden):
        access.require(member, Action.MANAGE_PEOPLE, policies)


def test_taking_the_role_away_works_at_the_next_question(policies, member):
    assert access.allows(member, Action.ASK, policies)

    members.remove_member(policies, member, Role.MEMBER, by=None)

    assert not access.allows(member, Action.ASK, policies)


def test_looking_a_thing_up_asks_once_whether_the_person_may_know_of_it(
    policies, member, django_assert_max_num_queries
):
    document = a_ready_document(policies, "leave.md")

    # The row among all they may know of, its workspace, and what they hold there.
    with django_assert_max_num_queries(3):
        assert access.find(member, Action.OPEN, Document, pk=document.pk) == document


def test_an_inactive_person_may_do_nothing(policies, member):
    member.is_active = False
    member.save(update_fields=["is_active"])

    assert access.actions(member, policies) == frozenset()


@pytest.mark.parametrize("action", sorted(set(PlatformAction) - {PlatformAction.BREAK_GLASS}))
def test_only_platform_administrators_hold_platform_actions(action, admin, member):
    assert access.allows(admin, action, None)
    assert not access.allows(member, action, None)


def test_only_superusers_break_the_glass(superuser, admin, manager, policies):
    assert access.allows(superuser, PlatformAction.BREAK_GLASS, None)
    assert not access.allows(admin, PlatformAction.BREAK_GLASS, None)
    assert not access.allows(manager, PlatformAction.BREAK_GLASS, None)


@pytest.mark.parametrize("action", PlatformAction)
def test_a_manager_may_open_another_workspace_and_nothing_else_across_them(action, policies, manager):
    assert access.allows(manager, action, None) is (action == PlatformAction.CREATE_WORKSPACE)


def test_a_platform_administrator_opens_no_content(admin, policies):
    assert access.actions(admin, policies) == frozenset()


def test_the_role_groups_are_repaired_from_the_table(policies, member):
    from workspaces.models import WorkspaceGroupGrant

    WorkspaceGroupGrant.objects.filter(content_object=policies).delete()
    assert not access.allows(member, Action.ASK, policies)

    members.renew_role_groups(policies)

    assert access.allows(member, Action.ASK, policies)
    assert not access.allows(member, Action.REVIEW, policies)


def test_adding_a_member_is_recorded_once(policies, stranger, manager):
    members.add_member(policies, stranger, Role.MEMBER, by=manager)
    members.add_member(policies, stranger, Role.MEMBER, by=manager)

    events = Event.objects.filter(type=EventType.MEMBER_ADDED, object_id=str(stranger.pk))
    assert [event.actor_id for event in events] == [str(manager.pk)]


def test_a_member_cannot_add_people(policies, stranger, member):
    with pytest.raises(Forbidden):
        members.add_member(policies, stranger, Role.MANAGER, by=member)

    assert members.roles_of(policies, stranger) == []


def test_the_last_manager_stays(policies, manager):
    with pytest.raises(MembershipError, match="at least one manager"):
        members.remove_member(policies, manager, Role.MANAGER, by=manager)

    assert members.roles_of(policies, manager) == [Role.MANAGER]


@pytest.mark.parametrize("slug", ["", "Has Capitals", "ümlaut", "../etc"])
def test_a_workspace_needs_a_usable_short_name(slug, db):
    with pytest.raises(WorkspaceError, match="short name"):
        members.create_workspace(slug=slug, name="x", by=None)


@pytest.mark.parametrize("who", ["contributor", "reviewer", "member", "auditor", "stranger"])
def test_others_cannot_create_workspaces(who, policies, request):
    with pytest.raises(Forbidden):
        members.create_workspace(slug="mine", name="Mine", by=request.getfixturevalue(who))

    assert not Workspace.objects.filter(slug="mine").exists()


def test_a_manager_is_the_manager_of_the_workspace_they_create(policies, manager):
    created = members.create_workspace(slug="mine", name="Mine", by=manager, manager=manager)

    assert members.roles_of(created, manager) == [Role.MANAGER]


def test_a_manager_staffs_no_workspace_but_their_own(policies, manager, make_workspace, stranger):
    other = make_workspace("other")

    with pytest.raises(Hidden):
        members.add_member(other, stranger, Role.MEMBER, by=manager)

    assert members.roles_of(other, stranger) == []


def test_settings_changes_keep_before_and_after(policies, manager):
    members.change_workspace(policies, by=manager, review_policy="review")

    body = Event.objects.get(type=EventType.WORKSPACE_CHANGED).body
    assert '"before":{"review_policy":"open"}' in body
    assert '"after":{"review_policy":"review"}' in body


def test_nothing_is_saved_when_the_trail_cannot_be_written(policies, manager, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr("audit.chain._write", fail)

    with pytest.raises(RuntimeError):
        members.change_workspace(policies, by=manager, name="Other")

    policies.refresh_from_db()
    assert policies.name == "Policies"


def test_an_archived_workspace_takes_no_questions_until_it_is_opened_again(policies, manager, member, client_of):
    address = "/w/policies/archive/"
    client_of(manager).post(address, {"archived": "yes"})

    refused = client_of(member).post("/w/policies/ask/", {"text": "Anything?"})
    client_of(manager).post(address, {"archived": "no"})
    accepted = client_of(member).post("/w/policies/ask/", {"text": "Anything?"})

    assert (refused.status_code, accepted.status_code) == (400, 302)
    assert "archived" in refused.content.decode()


def test_another_rule_of_rights_comes_with_a_migration_that_makes_its_functions():
    assert import_module("workspaces.migrations.0002_rights").RULE == rights.RULE
