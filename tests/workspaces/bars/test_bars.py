"""A never rule wins over whatever else lets somebody in, and is made by nobody against themselves by accident."""

import json
from typing import Any

import pytest

from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from documents.models import DocumentUserGrant
from tests.workspaces.rights_scene import a_group, a_ready_document
from workspaces import access, groups, members
from workspaces.bars import rules as bars
from workspaces.exceptions import BarError, Forbidden, Hidden, MembershipError
from workspaces.models import RoleBar, Workspace
from workspaces.roles import CHARTERS, Action, Role

WHY = "Party to the case"


def test_a_person_barred_from_a_role_keeps_the_others(policies: Any, reviewer: Any, manager: Any) -> None:
    members.add_member(policies, reviewer, Role.CONTRIBUTOR, by=manager)

    bars.bar(policies, reviewer, role=Role.REVIEWER, reason=WHY, by=manager)

    assert access.actions(reviewer, policies) == CHARTERS[Role.CONTRIBUTOR].actions
    assert reviewer not in access.people_allowed(policies, Action.REVIEW)
    assert policies not in access.workspaces_allowing(reviewer, Action.REVIEW)


def test_a_person_barred_altogether_is_a_stranger(policies: Any, member: Any, manager: Any, client_of: Any) -> None:
    access.grant(Action.MANAGE, member, policies)

    bars.bar(policies, member, reason=WHY, by=manager)

    assert access.actions(member, policies) == frozenset()
    assert not access.visible(member, Workspace).filter(pk=policies.pk).exists()
    assert client_of(member).get("/w/policies/ask/").status_code == 404


def test_everybody_of_a_barred_group_is_kept_out_those_who_join_later_too(
    policies: Any, member: Any, contributor: Any, manager: Any
) -> None:
    group = a_group("Trading desk", member)

    bars.bar(policies, group, reason=WHY, by=manager)
    assert access.actions(member, policies) == frozenset()
    assert access.allows(contributor, Action.OPEN, policies)

    contributor.memberships.create(group=group.group)
    assert access.actions(contributor, policies) == frozenset()


def test_whom_a_rule_binds_does_not_lift_it(policies: Any, manager: Any, contributor: Any, admin: Any) -> None:
    members.add_member(policies, contributor, Role.MANAGER, by=manager)
    group = a_group("Trading desk", manager)
    by_name = bars.bar(policies, manager, role=Role.REVIEWER, reason=WHY, by=contributor)
    through_group = bars.bar(policies, group, role=Role.AUDITOR, reason=WHY, by=contributor)

    for rule in (by_name, through_group):
        with pytest.raises(BarError, match="about you"):
            bars.lift(rule, by=manager, reason="I want to")
    members.add_member(policies, manager, Role.REVIEWER, by=contributor)
    assert Action.REVIEW not in access.actions(manager, policies)

    bars.lift(by_name, by=contributor, reason="The case is closed")
    assert Action.REVIEW in access.actions(manager, policies)


def test_nobody_leaves_a_group_by_themselves_that_a_rule_rests_on(policies: Any, manager: Any, admin: Any) -> None:
    group = a_group("Trading desk", admin)
    bars.bar(policies, group, reason=WHY, by=manager)

    with pytest.raises(MembershipError, match="another administrator"):
        groups.remove_from_group(group, admin, by=admin)

    assert admin.memberships.filter(group=group.group).exists()


def test_a_role_given_after_the_rule_gives_nothing(policies: Any, stranger: Any, manager: Any) -> None:
    bars.bar(policies, stranger, reason=WHY, by=manager)

    members.add_member(policies, stranger, Role.MANAGER, by=manager)

    assert access.actions(stranger, policies) == frozenset()


def test_a_rule_of_one_workspace_says_nothing_about_another(
    policies: Any, legal: Any, member: Any, manager: Any
) -> None:
    bars.bar(policies, member, reason=WHY, by=manager)

    assert access.allows(member, Action.OPEN, legal)


def test_lifting_the_rule_gives_the_roles_back(policies: Any, member: Any, manager: Any) -> None:
    rule = bars.bar(policies, member, reason=WHY, by=manager)

    bars.lift(rule, by=manager, reason="The case is closed")
    bars.lift(rule, by=manager, reason="Twice")

    assert access.allows(member, Action.OPEN, policies)
    made, lifted = Event.objects.filter(type__in=[EventType.BARRED, EventType.BAR_LIFTED]).order_by("seq")
    assert (json.loads(made.body)["reason"], json.loads(lifted.body)["reason"]) == (WHY, "The case is closed")
    assert json.loads(made.body)["details"]["person"] == str(member.pk)


def test_grants_by_name_end_with_the_last_role_that_opens_documents(policies: Any, member: Any, manager: Any) -> None:
    document = a_ready_document(policies, "secret.md")
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)

    rule = bars.bar(policies, a_group("Trading desk", member), reason=WHY, by=manager)
    bars.lift(rule, by=manager, reason="A mistake")

    assert not DocumentUserGrant.objects.filter(user=member).exists()
    assert Event.objects.filter(type=EventType.DOCUMENT_REVOKED, object_id=str(document.pk)).count() == 1


def test_nobody_takes_a_right_from_themselves(policies: Any, manager: Any, second_reviewer: Any) -> None:
    members.add_member(policies, second_reviewer, Role.MANAGER, by=None)
    for holder in (manager, a_group("Management", manager)):
        with pytest.raises(BarError, match="from you"):
            bars.bar(policies, holder, reason=WHY, by=manager)

    assert not RoleBar.objects.exists()
    assert access.allows(manager, Action.MANAGE, policies)


def test_the_last_manager_is_not_barred(policies: Any, manager: Any, admin: Any) -> None:
    with pytest.raises(BarError, match="without a manager"):
        bars.bar(policies, manager, role=Role.MANAGER, reason=WHY, by=admin)

    assert members.managers_of(policies) == {manager.pk}


def test_a_barred_manager_does_not_count_as_the_one_who_stays(policies: Any, manager: Any, member: Any) -> None:
    members.add_member(policies, member, Role.MANAGER, by=manager)
    bars.bar(policies, member, role=Role.MANAGER, reason=WHY, by=manager)

    with pytest.raises(MembershipError, match="at least one manager"):
        members.remove_member(policies, manager, Role.MANAGER, by=None)


@pytest.mark.parametrize(
    ("role", "reason", "sentence"),
    [("", "", "Say why"), ("", " \n", "Say why"), ("", "x" * 301, "Say why"), ("emperor", WHY, "no role")],
)
def test_a_rule_that_cannot_be_is_refused(
    policies: Any, member: Any, manager: Any, role: str, reason: str, sentence: str
) -> None:
    with pytest.raises(BarError, match=sentence):
        bars.bar(policies, member, role=role, reason=reason, by=manager)


def test_the_same_rule_is_made_once(policies: Any, member: Any, manager: Any) -> None:
    bars.bar(policies, member, role=Role.MEMBER, reason=WHY, by=manager)

    with pytest.raises(BarError, match="already"):
        bars.bar(policies, member, role=Role.MEMBER, reason="Another", by=manager)


def test_who_may_not_staff_makes_and_lifts_no_rule(
    policies: Any, member: Any, reviewer: Any, manager: Any, stranger: Any
) -> None:
    rule = bars.bar(policies, member, reason=WHY, by=manager)

    for person, refusal in ((reviewer, Forbidden), (stranger, Hidden)):
        with pytest.raises(refusal):
            bars.bar(policies, reviewer, reason=WHY, by=person)
        with pytest.raises(refusal):
            bars.lift(rule, by=person, reason="Because")

    assert list(RoleBar.objects.all()) == [rule]
