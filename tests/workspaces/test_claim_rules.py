"""Rules over an identity provider's groups: who may make them, what they give, and what their end takes."""

import json
from typing import Any

import pytest

from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from tests.workspaces.single_sign_on_scene import sign_in_as
from workspaces import access, claim_rules, custom_roles, groups, members
from workspaces.bars import rules as bars
from workspaces.exceptions import ClaimRuleError, Forbidden, MembershipError
from workspaces.identity import links
from workspaces.identity.id_token import Identity
from workspaces.models import ClaimRule, Membership
from workspaces.roles import Action

pytestmark = pytest.mark.django_db


def entries(type: EventType, chain: str = "") -> list[dict[str, Any]]:
    found = Event.objects.filter(type=type, **({"chain": chain} if chain else {})).order_by("seq")
    return [json.loads(body)["details"] for body in found.values_list("body", flat=True)]


def add_rule(**what: Any) -> ClaimRule:
    return claim_rules.add_rule(**{"provider": "oidc", "claim": "readers", "by": None} | what)


def arrive(user: Any, *claimed: str) -> claim_rules.Change:
    return claim_rules.recompute(user, provider="oidc", claimed=claimed)


# --- Making rules -------------------------------------------------------------------------------------------


def test_a_rule_is_told_to_the_platform_and_to_the_workspace_it_staffs(policies, admin):
    add_rule(workspace=policies, role="member", by=admin)

    told = {"provider": "oidc", "claim": "readers", "role": "member", "slug": "policies"}
    assert entries(EventType.CLAIM_RULE_ADDED) == [told, told]


def test_a_rule_gives_nothing_by_itself(policies, stranger):
    arrive(stranger, "readers")

    add_rule(workspace=policies, role="member")

    assert members.roles_of(policies, stranger) == []


def test_only_a_platform_administrator_makes_and_ends_rules(policies, manager, admin):
    rule = add_rule(workspace=policies, role="member", by=admin)

    with pytest.raises(Forbidden):
        add_rule(claim="all", workspace=policies, role="manager", by=manager)
    with pytest.raises(Forbidden):
        claim_rules.remove_rule(rule, by=manager)
    assert ClaimRule.objects.count() == 1


def test_a_rule_gives_exactly_one_thing_that_there_is(policies):
    group = groups.create_group(name="Finance", by=None)

    for wrong in (
        {},
        {"workspace": policies},
        {"role": "member"},
        {"workspace": policies, "role": "member", "people_group": group},
        {"workspace": policies, "role": "platform-administrator"},
        {"workspace": policies, "role": "emperor"},
        {"workspace": policies, "role": "member", "claim": "  "},
        {"workspace": policies, "role": "member", "claim": "x" * 301},
    ):
        with pytest.raises(ClaimRuleError):
            add_rule(**wrong)
    assert not ClaimRule.objects.exists()


def test_the_same_rule_is_made_once(policies):
    add_rule(workspace=policies, role="member")

    with pytest.raises(ClaimRuleError, match="already"):
        add_rule(workspace=policies, role="member")


# --- What they give -----------------------------------------------------------------------------------------


def test_a_sign_in_gives_exactly_what_the_rules_say_of_its_groups(policies, legal, stranger):
    add_rule(workspace=policies, role="member")
    add_rule(claim="lawyers", workspace=legal, role="reviewer")

    assert arrive(stranger, "readers", "nobody-knows") == claim_rules.Change(given=1, taken=0)
    assert arrive(stranger, "lawyers") == claim_rules.Change(given=1, taken=1)
    assert arrive(stranger, "lawyers") == claim_rules.Change(given=0, taken=0)

    assert members.roles_of(policies, stranger) == []
    assert members.roles_of(legal, stranger) == ["reviewer"]
    assert entries(EventType.MEMBER_REMOVED) == [{"role": "member", "source": "oidc"}]


def test_two_groups_that_give_the_same_place_give_it_once(policies, stranger):
    add_rule(workspace=policies, role="member")
    add_rule(claim="staff", workspace=policies, role="member")

    assert arrive(stranger, "readers", "staff").given == 1
    assert arrive(stranger, "staff").taken == 0


def test_another_providers_places_are_not_touched(policies, stranger):
    add_rule(provider="other", workspace=policies, role="member")
    claim_rules.recompute(stranger, provider="other", claimed=["readers"])

    assert arrive(stranger) == claim_rules.Change(given=0, taken=0)
    assert members.roles_of(policies, stranger) == ["member"]


def test_a_place_in_a_group_opens_what_the_group_opens_until_the_claim_ends(policies, stranger, admin):
    group = groups.create_group(name="Finance", by=None)
    add_rule(claim="finance", people_group=group)

    arrive(stranger, "finance")
    assert [row.source for row in groups.memberships(group)] == ["oidc"]
    arrive(stranger)

    assert groups.memberships(group) == []
    told = {"group": "Finance", "group_id": group.pk, "source": "oidc"}
    assert entries(EventType.GROUP_MEMBER_ADDED) == entries(EventType.GROUP_MEMBER_REMOVED) == [told]


def test_a_retired_role_is_given_no_more(policies, stranger, admin):
    role = custom_roles.create_role(
        code="reader", name="Reader", purpose="Reads.", actions=[Action.ENTER, Action.OPEN], by=admin
    )
    add_rule(workspace=policies, role="reader")
    custom_roles.retire_role(role, by=admin)

    assert arrive(stranger, "readers").given == 0


def test_a_never_rule_wins_over_what_the_provider_gives(policies, stranger, manager):
    add_rule(workspace=policies, role="member")
    bars.bar(policies, stranger, reason="A conflict of interest.", by=manager)

    arrive(stranger, "readers")

    assert not access.allows(stranger, Action.OPEN, policies)


def test_the_last_manager_loses_the_role_when_the_provider_says_so_and_the_trail_says_that(make_workspace, stranger):
    workspace = make_workspace("orphan")
    add_rule(claim="managers", workspace=workspace, role="manager")
    arrive(stranger, "managers")

    arrive(stranger)

    assert members.managers_of(workspace) == set()
    assert entries(EventType.MEMBER_REMOVED) == [{"role": "manager", "source": "oidc", "last_manager": True}]


def test_nothing_changes_when_the_trail_cannot_be_written(policies, stranger, monkeypatch):
    add_rule(workspace=policies, role="member")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AuditError("no")

    monkeypatch.setattr("workspaces.claim_rules.record_all", refuse)
    with pytest.raises(AuditError):
        arrive(stranger, "readers")

    assert members.roles_of(policies, stranger) == []


# --- The end of a rule --------------------------------------------------------------------------------------


def test_the_end_of_a_rule_takes_at_once_what_it_gave_and_nothing_given_by_hand(policies, stranger, member, admin):
    rule = add_rule(workspace=policies, role="member")
    arrive(stranger, "readers")
    arrive(member, "readers")

    taken = claim_rules.remove_rule(rule, by=admin)

    assert taken == 2
    assert members.roles_of(policies, stranger) == []
    assert members.roles_of(policies, member) == ["member"]
    assert entries(EventType.CLAIM_RULE_REMOVED)[0]["places"] == 2
    assert not Membership.objects.filter(source="oidc").exists()


def test_the_end_of_a_rule_for_a_group_takes_the_places_in_it(stranger, admin):
    group = groups.create_group(name="Finance", by=None)
    rule = add_rule(claim="finance", people_group=group)
    arrive(stranger, "finance")

    claim_rules.remove_rule(rule, by=admin)

    assert groups.memberships(group) == []


def test_a_place_that_another_rule_gives_too_comes_back_with_the_next_sign_in(policies, stranger, admin):
    rule = add_rule(workspace=policies, role="member")
    add_rule(claim="staff", workspace=policies, role="member")
    arrive(stranger, "readers", "staff")

    claim_rules.remove_rule(rule, by=admin)
    assert members.roles_of(policies, stranger) == []
    arrive(stranger, "readers", "staff")

    assert members.roles_of(policies, stranger) == ["member"]


# --- Never rules on what the provider gives -----------------------------------------------------------------


@pytest.fixture
def barred(policies, stranger, manager):
    """Somebody whom a never rule keeps out through a group that the provider puts them into."""
    group = groups.create_group(name="Externals", by=None)
    add_rule(claim="externals", people_group=group)
    members.add_member(policies, stranger, "member", by=None)
    bars.bar(policies, group, reason="Externals never.", by=manager)
    arrive(stranger, "externals")
    assert not access.allows(stranger, Action.OPEN, policies)
    return group


def test_a_claim_that_says_nothing_lifts_no_never_rule(policies, legal, stranger, barred):
    add_rule(workspace=legal, role="member")
    arrive(stranger, "externals", "readers")

    change = claim_rules.recompute(stranger, provider="oidc", claimed=(), is_told=False)

    assert change == claim_rules.Change(given=0, taken=1)
    assert members.roles_of(legal, stranger) == []
    assert not access.allows(stranger, Action.OPEN, policies)
    arrive(stranger)  # the provider says that they are no external any more
    assert access.allows(stranger, Action.OPEN, policies)


def test_what_keeps_a_silent_claim_from_lifting_a_never_rule(policies, stranger, barred, monkeypatch):
    """Counter-proof: without the look at never rules the person is let in."""
    monkeypatch.setattr(groups, "barred", set)

    claim_rules.recompute(stranger, provider="oidc", claimed=(), is_told=False)

    assert access.allows(stranger, Action.OPEN, policies)


def test_a_never_rule_outlasts_the_link_to_the_provider(policies, stranger, barred, admin):
    claim_rules.let_go(stranger, provider="oidc")

    assert [row.source for row in groups.memberships(barred)] == [""]
    assert not access.allows(stranger, Action.OPEN, policies)
    assert entries(EventType.GROUP_MEMBER_ADDED)[-1] == {"group": "Externals", "group_id": barred.pk}
    groups.remove_from_group(barred, stranger, by=admin)
    assert access.allows(stranger, Action.OPEN, policies)


def test_an_administrator_ends_no_rule_that_puts_them_under_a_never_rule(policies, admin, superuser, barred):
    rule = ClaimRule.objects.get()
    arrive(admin, "externals")

    with pytest.raises(ClaimRuleError, match="another administrator"):
        claim_rules.remove_rule(rule, by=admin)

    assert claim_rules.remove_rule(rule, by=superuser) == 2


@pytest.mark.parametrize("is_there_by_hand", [False, True])
def test_the_end_of_a_rule_lets_nobody_in_whom_a_never_rule_keeps_out(
    policies, stranger, barred, superuser, admin, is_there_by_hand
):
    if is_there_by_hand:
        groups.add_to_group(barred, stranger, by=admin)

    assert claim_rules.remove_rule(ClaimRule.objects.get(), by=superuser) == 1

    assert not access.allows(stranger, Action.OPEN, policies)
    assert [row.source for row in groups.memberships(barred)] == [""]
    arrive(stranger)  # nor does the next sign-in
    assert not access.allows(stranger, Action.OPEN, policies)
    groups.remove_from_group(barred, stranger, by=admin)
    assert access.allows(stranger, Action.OPEN, policies)


def test_a_sign_in_without_the_claim_lifts_no_never_rule(provider, policies, stranger, barred):
    links.attach(Identity(provider.issuer, "ada"), stranger)
    provider.knows({"ada": {}})

    client, _answer = sign_in_as(provider, "ada")

    assert client.get("/account/").wsgi_request.user == stranger
    assert not access.allows(stranger, Action.OPEN, policies)
    links.unlink(stranger)
    assert not access.allows(stranger, Action.OPEN, policies)


def test_an_administrator_deletes_no_group_through_which_they_are_kept_out(admin, superuser, barred):
    arrive(admin, "externals")

    with pytest.raises(MembershipError, match="another administrator"):
        groups.delete_group(barred, by=admin, with_its_uses=True)

    groups.delete_group(barred, by=superuser, with_its_uses=True)
