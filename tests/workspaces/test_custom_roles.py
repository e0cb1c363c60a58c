"""Roles an installation makes for itself: what they give, what ends with them, and who may touch them."""

import json

import pytest

from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from documents.models import DocumentUserGrant
from tests.answers.review_scene import a_document
from workspaces import access, custom_roles, members
from workspaces.exceptions import Forbidden, MembershipError, RoleError
from workspaces.models import CustomRole, WorkspaceGroupGrant, WorkspaceRole
from workspaces.roles import Action, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def librarian(admin):
    return custom_roles.create_role(
        code="librarian",
        name="Librarian",
        purpose="Keeps the shelf, asks nothing.",
        actions=[Action.OPEN, Action.ADD],
        by=admin,
    )


def change(role, by, **changes):
    wanted = {"name": role.name, "purpose": role.purpose, "actions": role.actions} | changes
    return custom_roles.change_role(role, by=by, **wanted)


@pytest.mark.parametrize("action", Action)
def test_a_role_gives_its_actions_in_every_workspace_and_no_others(
    action, librarian, policies, make_workspace, stranger
):
    later = make_workspace("later")
    for workspace in (policies, later):
        members.add_member(workspace, stranger, librarian.code, by=None)

        allowed = access.allows(stranger, action, workspace)

        assert allowed is (action in {Action.ENTER, Action.OPEN, Action.ADD})


def test_a_changed_role_counts_at_once_where_it_is_held_and_the_trail_keeps_before_and_after(
    librarian, policies, make_workspace, stranger, admin
):
    unconcerned = make_workspace("unconcerned")
    members.add_member(policies, stranger, librarian.code, by=None)

    change(librarian, admin, actions=[Action.OPEN, Action.ASK])

    assert access.allows(stranger, Action.ASK, policies)
    assert not access.allows(stranger, Action.ADD, policies)
    heard = Event.objects.filter(type=EventType.ROLE_CHANGED)
    assert sorted(heard.values_list("chain", flat=True)) == ["platform", workspace_chain(policies.pk)]
    assert not heard.filter(chain=workspace_chain(unconcerned.pk)).exists()
    details = json.loads(heard.first().body)["details"]
    assert details["before"] == {"actions": [Action.ENTER, Action.OPEN, Action.ADD]}
    assert details["after"] == {"actions": [Action.ENTER, Action.ASK, Action.OPEN]}


def test_a_retired_role_gives_nothing_from_that_moment_and_is_never_given_again(librarian, policies, stranger, admin):
    members.add_member(policies, stranger, librarian.code, by=None)

    custom_roles.retire_role(librarian, by=admin)

    assert access.actions(stranger, policies) == frozenset()
    assert members.roles_of(policies, stranger) == []
    with pytest.raises(MembershipError):
        members.add_member(policies, stranger, librarian.code, by=None)
    with pytest.raises(RoleError, match="retired"):
        change(librarian, admin, name="Again")
    with pytest.raises(RoleError):
        custom_roles.create_role(code="librarian", name="L", purpose="x", actions=[Action.ASK], by=admin)
    removed = Event.objects.get(type=EventType.MEMBER_REMOVED, chain=workspace_chain(policies.pk))
    assert removed.object_id == str(stranger.pk)
    assert Event.objects.get(type=EventType.ROLE_RETIRED).chain == "platform"


def test_what_is_written_is_what_renewing_each_workspace_writes(librarian, policies, legal, stranger, admin):
    def held():
        rows = WorkspaceGroupGrant.objects.values_list("content_object", "group", "permission__codename")
        return set(rows), set(WorkspaceRole.objects.values_list("workspace", "role", "group__name"))

    for step in (
        lambda: change(librarian, admin, actions=[Action.ASK, Action.REVIEW]),
        lambda: custom_roles.retire_role(librarian, by=admin),
    ):
        step()
        written = held()
        members.renew_all_role_groups()
        assert held() == written


@pytest.mark.parametrize("end", ["retire", "narrow"])
def test_grants_by_name_end_with_the_last_role_that_opens_documents(end, librarian, policies, stranger, member, admin):
    """Else they would come back with a later role, which nobody meant."""
    secret = a_document(policies, title="Bands", text="x", restricted=True).document
    members.add_member(policies, stranger, librarian.code, by=None)
    members.add_member(policies, member, librarian.code, by=None)
    for person in (stranger, member):
        access.grant("open_document", person, secret)

    if end == "retire":
        custom_roles.retire_role(librarian, by=admin)
    else:
        change(librarian, admin, actions=[Action.ASK])

    assert list(DocumentUserGrant.objects.filter(content_object=secret).values_list("user", flat=True)) == [member.pk]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"code": Role.MANAGER}, "has a meaning already"),
        ({"code": "platform-administrator"}, "has a meaning already"),
        ({"code": "librarian"}, "already exists"),
        ({"code": "two words"}, "valid"),
        ({"name": "  "}, "cannot be blank"),
        ({"actions": []}, "at least one thing"),
        ({"actions": [Action.ENTER]}, "at least one thing"),
        ({"actions": ["manage_accounts"]}, "no such action: manage_accounts"),
    ],
)
def test_a_role_that_cannot_be_says_why(librarian, admin, given, sentence):
    good = {"code": "reader", "name": "Reader", "purpose": "Reads.", "actions": [Action.OPEN]}

    with pytest.raises(RoleError, match=sentence):
        custom_roles.create_role(**good | given, by=admin)

    assert list(CustomRole.objects.values_list("code", flat=True)) == ["librarian"]


@pytest.mark.parametrize("who", ["manager", "member", "auditor", "stranger"])
def test_nobody_else_makes_changes_or_retires_roles(who, librarian, policies, request):
    somebody = request.getfixturevalue(who)
    acts = [
        lambda: custom_roles.create_role(code="x", name="X", purpose="x", actions=[Action.ASK], by=somebody),
        lambda: change(librarian, somebody, actions=list(Action)),
        lambda: custom_roles.retire_role(librarian, by=somebody),
    ]

    for act in acts:
        with pytest.raises(Forbidden):
            act()
    librarian.refresh_from_db()
    assert (librarian.retired_at, len(librarian.actions)) == (None, 3)


def test_nothing_changes_when_the_trail_cannot_be_written(librarian, policies, stranger, admin, monkeypatch):
    members.add_member(policies, stranger, librarian.code, by=None)

    def fail(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr("workspaces.custom_roles.record", fail)

    for act in (
        lambda: change(librarian, admin, actions=[Action.REVIEW]),
        lambda: custom_roles.retire_role(librarian, by=admin),
    ):
        with pytest.raises(RuntimeError):
            act()
    assert access.actions(stranger, policies) == {Action.ENTER, Action.OPEN, Action.ADD}
