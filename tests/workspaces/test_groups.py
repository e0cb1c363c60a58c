"""Groups of people: who may change them, what the trail keeps, and what ends with one."""

import json

import pytest
from django.contrib.auth.models import Group

from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from workspaces import groups
from workspaces.exceptions import Forbidden, GroupInUse, MembershipError
from workspaces.models import ClaimRule, Membership, PeopleGroup, RoleBar, WorkspaceGroupGrant, WorkspaceRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(admin):
    return groups.create_group(name="Finance", description="Everybody in accounting", by=admin)


def told(type):
    return [json.loads(event.body) for event in Event.objects.filter(type=type).order_by("seq")]


def test_an_administrator_creates_renames_and_fills_a_group_and_each_step_is_in_the_trail(finance, admin, member):
    groups.change_group(finance, name="Finance and tax", description="Everybody in accounting", by=admin)
    groups.add_to_group(finance, member, by=admin)
    groups.add_to_group(finance, member, by=admin)
    groups.remove_from_group(finance, member, by=admin)

    finance.refresh_from_db()
    assert finance.name == "Finance and tax"
    assert groups.memberships(finance) == []
    assert told(EventType.GROUP_CHANGED)[0]["details"]["before"] == {"name": "Finance"}
    for type in (EventType.GROUP_CREATED, EventType.GROUP_MEMBER_ADDED, EventType.GROUP_MEMBER_REMOVED):
        assert [entry["actor_label"] for entry in told(type)] == ["admin"]


@pytest.mark.parametrize("name", ["", "   ", "Finance", " Finance ", "x" * 121])
def test_a_group_needs_a_name_of_its_own(finance, admin, name):
    with pytest.raises(MembershipError):
        groups.create_group(name=name, by=admin)

    assert PeopleGroup.objects.count() == 1


def test_a_group_does_not_take_another_ones_name(finance, admin):
    other = groups.create_group(name="Legal", by=admin)

    with pytest.raises(MembershipError, match="already a group called “Finance”"):
        groups.change_group(other, name="Finance", description="", by=admin)

    other.refresh_from_db()
    assert other.name == "Legal"


@pytest.mark.parametrize("who", ["manager", "member", "auditor", "stranger"])
def test_nobody_else_touches_a_group(who, finance, policies, member, request):
    somebody = request.getfixturevalue(who)
    acts = [
        lambda: groups.create_group(name="Mine", by=somebody),
        lambda: groups.change_group(finance, name="Mine", description="", by=somebody),
        lambda: groups.delete_group(finance, by=somebody),
        lambda: groups.add_to_group(finance, member, by=somebody),
        lambda: groups.remove_from_group(finance, member, by=somebody),
    ]

    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert list(PeopleGroup.objects.values_list("name", flat=True)) == ["Finance"]


def test_a_closed_account_is_put_into_no_group(finance, admin, member):
    member.is_active = False

    with pytest.raises(MembershipError, match="not active"):
        groups.add_to_group(finance, member, by=admin)


def test_whom_an_identity_provider_put_there_is_not_taken_out_by_hand(finance, admin, member):
    Membership.objects.create(user=member, group=finance.group, source="company")

    with pytest.raises(MembershipError, match="identity provider"):
        groups.remove_from_group(finance, member, by=admin)
    groups.add_to_group(finance, member, by=admin)
    groups.remove_from_group(finance, member, by=admin)

    assert [row.source for row in groups.memberships(finance)] == ["company"]


def test_a_group_on_which_something_rests_is_deleted_only_with_it(finance, admin, policies, member):
    groups.add_to_group(finance, member, by=admin)
    RoleBar.objects.create(
        workspace=policies, role="reviewer", group=finance.group, reason="Too close", created_by=admin
    )
    ClaimRule.objects.create(provider="company", claim="fin", people_group=finance)

    with pytest.raises(GroupInUse) as refusal:
        groups.delete_group(finance, by=admin)
    assert PeopleGroup.objects.filter(pk=finance.pk).exists()
    assert [use.sentence for use in refusal.value.uses] == [
        "Never reviewer in Policies.",
        "company puts the people of “fin” into it.",
    ]

    groups.delete_group(finance, with_its_uses=True, by=admin)

    assert not Group.objects.filter(pk=finance.pk).exists()
    assert not RoleBar.objects.exists()
    assert not Membership.objects.filter(user=member, group__people_group__isnull=False).exists()
    chains = Event.objects.filter(type=EventType.GROUP_DELETED).values_list("chain", flat=True)
    assert sorted(chains) == ["platform", workspace_chain(policies.pk)]


def test_an_unused_group_is_deleted_at_once(finance, admin):
    groups.delete_group(finance, by=admin)

    assert not PeopleGroup.objects.exists()


def test_a_workspace_hears_who_joins_a_group_that_is_barred_in_it(finance, admin, policies, member):
    RoleBar.objects.create(workspace=policies, group=finance.group, reason="Too close", created_by=admin)

    groups.add_to_group(finance, member, by=admin)

    heard = Event.objects.filter(type=EventType.GROUP_MEMBER_ADDED, chain=workspace_chain(policies.pk))
    assert [event.object_id for event in heard] == [str(member.pk)]


def test_nothing_is_saved_when_the_trail_cannot_be_written(finance, admin, member, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr("workspaces.groups.record", fail)

    for act in (
        lambda: groups.add_to_group(finance, member, by=admin),
        lambda: groups.delete_group(finance, by=admin),
        lambda: groups.create_group(name="Other", by=admin),
    ):
        with pytest.raises(RuntimeError):
            act()
    assert list(PeopleGroup.objects.values_list("name", flat=True)) == ["Finance"]
    assert groups.memberships(finance) == []


def test_every_table_that_points_to_a_group_is_told_before_one_is_deleted():
    """A grant or bar that nobody mentions would end in silence."""
    itself = {Membership, PeopleGroup}
    #: Hold roles and nothing else: a group of people is in none of them.
    of_roles = {WorkspaceRole, WorkspaceGroupGrant}
    relations = [*Group._meta.related_objects, *PeopleGroup._meta.related_objects]
    pointing = {relation.related_model for relation in relations if not relation.many_to_many}

    missing = pointing - set(groups.uses_in) - itself - of_roles

    #: guardian's own table stays empty: our grants have tables of their own.
    assert {model._meta.label for model in missing} == {"guardian.GroupObjectPermission"}
