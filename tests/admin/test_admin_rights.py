"""Groups of people and roles of an installation's own, as platform administrators keep them in the admin."""

from typing import Any

import pytest

from audit.events import EventType
from audit.models import Event
from workspaces import access, custom_roles, groups, members
from workspaces.models import CustomRole, Membership, PeopleGroup, RoleBar
from workspaces.roles import CHARTERS, Action, Role


@pytest.fixture
def finance(admin: Any) -> PeopleGroup:
    return groups.create_group(name="Finance", by=admin)


@pytest.fixture
def librarian(admin: Any) -> CustomRole:
    return custom_roles.create_role(
        code="librarian", name="Librarian", purpose="Keeps the shelf.", actions=[Action.OPEN, Action.ADD], by=admin
    )


# --- Groups -------------------------------------------------------------------------------------------------


def test_administrator_makes_a_group_and_fills_it(client_of: Any, page: Any, admin: Any, member: Any) -> None:
    client = client_of(admin)
    client.post(page("workspaces_peoplegroup_add"), {"name": "Finance", "description": "Accounting"})
    group = PeopleGroup.objects.get(name="Finance")
    address = page("workspaces_peoplegroup_change", group.pk)

    client.post(page("workspaces_peoplegroup_add_person", group.pk), {"username": " MEMBER "})
    assert "member" in client.get(address).content.decode()
    client.post(address, {"name": "Finance and tax", "description": ""})
    client.post(page("workspaces_peoplegroup_remove_person", group.pk), {"person": member.pk})

    group.refresh_from_db()
    assert (group.name, groups.memberships(group)) == ("Finance and tax", [])
    assert Event.objects.filter(type=EventType.GROUP_CHANGED, actor_label="admin").exists()


@pytest.mark.parametrize("search", ["fin", "member"])
def test_groups_are_found_by_name_and_by_who_is_in_them(
    client_of: Any, page: Any, admin: Any, member: Any, finance: PeopleGroup, search: str
) -> None:
    groups.add_to_group(finance, member, by=admin)
    groups.create_group(name="Legal", by=admin)

    shown = client_of(admin).get(page("workspaces_peoplegroup_changelist"), {"q": search}).content.decode()

    assert "Finance" in shown
    assert ">Legal<" not in shown


def test_whom_a_provider_put_there_is_marked_and_not_taken_out(
    client_of: Any, page: Any, admin: Any, member: Any, finance: PeopleGroup
) -> None:
    Membership.objects.create(user=member, group=finance.group, source="company")
    client = client_of(admin)

    shown = client.get(page("workspaces_peoplegroup_change", finance.pk)).content.decode()
    answer = client.post(page("workspaces_peoplegroup_remove_person", finance.pk), {"person": member.pk}, follow=True)

    assert "by the identity provider “company”" in shown
    assert "Take out" not in shown
    assert "identity provider puts member into this group" in answer.content.decode()
    assert len(groups.memberships(finance)) == 1


@pytest.mark.parametrize("sent", [{"username": "nobody"}, {"username": ""}])
def test_who_cannot_be_added_is_explained(
    client_of: Any, page: Any, admin: Any, finance: PeopleGroup, sent: dict[str, str]
) -> None:
    answer = client_of(admin).post(page("workspaces_peoplegroup_add_person", finance.pk), sent, follow=True)

    assert "There is no active account called" in answer.content.decode()


@pytest.mark.parametrize("person", ["", "nonsense", "0b0c9a4e-6d2f-4a43-9f3b-1f3c2f1c7a10"])
def test_a_made_up_person_is_taken_out_of_nothing(
    client_of: Any, page: Any, admin: Any, finance: PeopleGroup, person: str
) -> None:
    answer = client_of(admin).post(
        page("workspaces_peoplegroup_remove_person", finance.pk), {"person": person}, follow=True
    )

    assert "not in the group" in answer.content.decode()


def test_a_group_in_use_is_deleted_only_once_that_is_confirmed(
    client_of: Any, page: Any, admin: Any, policies: Any, finance: PeopleGroup
) -> None:
    RoleBar.objects.create(workspace=policies, group=finance.group, reason="Too close", created_by=admin)
    client, address = client_of(admin), page("workspaces_peoplegroup_delete", finance.pk)

    shown = client.get(address).content.decode()
    client.post(address)
    assert PeopleGroup.objects.filter(pk=finance.pk).exists()
    client.post(address, {"with_its_uses": "on"})

    assert "Never any role in Policies." in shown
    assert not PeopleGroup.objects.exists()
    assert not RoleBar.objects.exists()


# --- Roles --------------------------------------------------------------------------------------------------


def test_administrator_makes_changes_and_retires_a_role(
    client_of: Any, page: Any, admin: Any, policies: Any, stranger: Any
) -> None:
    client = client_of(admin)
    sent = {"name": "Librarian", "code": "librarian", "purpose": "Keeps the shelf.", "actions": [Action.OPEN]}
    answer = client.post(page("workspaces_customrole_add"), sent, follow=True)
    role = CustomRole.objects.get(code="librarian")
    members.add_member(policies, stranger, "librarian", by=None)

    client.post(page("workspaces_customrole_change", role.pk), {**sent, "actions": [Action.OPEN, Action.ADD]})
    given = access.actions(stranger, policies)
    client.post(page("workspaces_customrole_retire", role.pk))

    assert answer.status_code == 200
    assert given == {Action.ENTER, Action.OPEN, Action.ADD}
    assert access.actions(stranger, policies) == frozenset()
    codes = (
        Event.objects.filter(type__startswith="role.", chain="platform").order_by("seq").values_list("type", flat=True)
    )
    assert list(codes) == ["role.created", "role.changed", "role.retired"]


def test_the_form_says_each_action_in_the_officers_words(client_of: Any, page: Any, admin: Any) -> None:
    shown = client_of(admin).get(page("workspaces_customrole_add")).content.decode()

    for action in set(Action) - {Action.ENTER}:
        assert f'value="{action}"' in shown
    assert "approve, return and reject drafts" in shown
    assert str(CHARTERS[Role.REVIEWER].purpose) in shown


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"code": "manager"}, "has a meaning already"),
        ({"actions": []}, "This field is required."),
        ({"actions": ["manage_accounts"]}, "manage_accounts is not one of the available choices"),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_role_that_cannot_be_made_says_why(
    client_of: Any, page: Any, admin: Any, given: dict[str, Any], sentence: str
) -> None:
    good = {"name": "Reader", "code": "reader", "purpose": "Reads.", "actions": [Action.OPEN]}

    answer = client_of(admin).post(page("workspaces_customrole_add"), good | given, follow=True)

    assert sentence in answer.content.decode()
    assert not CustomRole.objects.exists()


def test_a_retired_role_is_shown_and_no_longer_changed(
    client_of: Any, page: Any, admin: Any, librarian: CustomRole
) -> None:
    custom_roles.retire_role(librarian, by=admin)
    client, address = client_of(admin), page("workspaces_customrole_change", librarian.pk)

    shown = client.get(address)

    assert shown.status_code == 200
    assert "Retire this role" not in shown.content.decode()
    assert client.post(address, {"name": "Again"}).status_code == 403
    assert "is retired" in client.post(page("workspaces_customrole_retire", librarian.pk), follow=True).content.decode()


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["manager", "member"])
def test_nobody_else_sees_or_touches_them(
    client_of: Any, page: Any, request: Any, policies: Any, finance: PeopleGroup, librarian: CustomRole, who: str
) -> None:
    """One for whom the admin opens and one for whom it does not; `tests/contracts` sends the others."""
    client = client_of(request.getfixturevalue(who))
    addresses = [
        *(page(f"workspaces_peoplegroup_{act}") for act in ("changelist", "add")),
        *(page(f"workspaces_peoplegroup_{act}", finance.pk) for act in ("change", "delete", "history")),
        *(page(f"workspaces_peoplegroup_{act}", finance.pk) for act in ("add_person", "remove_person")),
        *(page(f"workspaces_customrole_{act}") for act in ("changelist", "add")),
        *(page(f"workspaces_customrole_{act}", librarian.pk) for act in ("change", "delete", "history", "retire")),
    ]

    for address in addresses:
        for method in (client.get, client.post):
            assert method(address, {"name": "Mine", "username": who}).status_code in {403, 404, 405}, address
    finance.refresh_from_db()
    librarian.refresh_from_db()
    assert (finance.name, librarian.retired_at) == ("Finance", None)
    assert groups.memberships(finance) == []
