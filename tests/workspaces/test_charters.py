"""Roles this installation made stand beside the declared ones wherever a role is given."""

from typing import Any

import pytest
from django.utils import timezone

from workspaces import access, members
from workspaces.charters import charters, choices, label_of
from workspaces.exceptions import MembershipError
from workspaces.models import CustomRole
from workspaces.roles import Action, Role


@pytest.fixture
def librarian(db: None) -> CustomRole:
    role = CustomRole.objects.create(
        code="librarian",
        name="Librarian",
        purpose="Keeps documents current.",
        actions=[Action.ENTER, Action.ADD, "an_action_of_yesterday"],
    )
    members.renew_all_role_groups()
    return role


def retire(role: CustomRole) -> None:
    role.retired_at = timezone.now()
    role.save(update_fields=["retired_at"])


def test_declared_roles_come_first_and_custom_ones_behind_them(librarian: CustomRole) -> None:
    assert list(charters()) == [*Role.values, "librarian"]
    assert ("librarian", "Librarian") in choices()


def test_a_custom_role_gives_exactly_its_actions(policies: Any, stranger: Any, librarian: CustomRole) -> None:
    members.renew_role_groups(policies)
    members.add_member(policies, stranger, "librarian", by=None)

    assert access.actions(stranger, policies) == {Action.ENTER, Action.ADD}


def test_a_workspace_made_later_has_the_custom_role_too(
    librarian: CustomRole, make_workspace: Any, stranger: Any
) -> None:
    later = make_workspace("later", librarian=stranger)

    assert access.allows(stranger, Action.ADD, later)


def test_a_retired_role_is_offered_nowhere_and_keeps_its_name(
    librarian: CustomRole, policies: Any, member: Any
) -> None:
    retire(librarian)

    assert "librarian" not in charters()
    assert label_of("librarian") == "Librarian"
    with pytest.raises(MembershipError, match="no role"):
        members.add_member(policies, member, "librarian", by=None)


def test_people_page_names_the_custom_role(policies: Any, librarian: CustomRole, manager: Any, client_of: Any) -> None:
    members.renew_role_groups(policies)
    members.add_member(policies, manager, "librarian", by=None)

    shown = client_of(manager).get("/w/policies/people/").content.decode()

    assert '<span class="role role--librarian">Librarian</span>' in shown
    assert '<span class="role role--manager">Workspace manager</span>' in shown
